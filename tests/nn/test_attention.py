"""Attention over the states of a layer: its weights, its gradient, and what masks do to it."""

import numpy as np
import pytest
from reference import attention as oracle

from tsrnn import RNNForecaster
from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, LSTM, Attention, Bidirectional, Dense, Sequential
from tsrnn.testing import check_gradient, check_layer

SPECS = {"additive": Attention(), "additive, 7 units": Attention(units=7), "dot": Attention(kind="dot")}
STEPS, FEATURES = 6, 3
GAPS = np.array([[1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 1, 1], [0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]], bool)


def build(*layers, dtype=np.float64, shape=(STEPS, FEATURES)):
    net = Sequential(layers).build(shape, random_state=1, dtype=dtype)
    net.theta = net.theta + 0.5 * np.random.default_rng(0).standard_normal(net.theta.size)
    return net


def inputs(batch, dtype=np.float64):
    return 2 * np.random.default_rng(1).standard_normal((batch, STEPS, FEATURES)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", SPECS)
def test_oracle(name, masked, dtype):
    net, x = build(SPECS[name], dtype=dtype), inputs(LANES + 5, dtype)
    mask = np.tile(GAPS, (LANES, 1))[: len(x)] if masked else None
    known = {"parameters": net.get_weights(), "mask": mask}
    kind, tolerance = SPECS[name].kind, 1e-5 if dtype == np.float32 else 1e-13
    y = net.forward(x, training=True, mask=mask)
    np.testing.assert_allclose(y, oracle.forward(kind, x, **known), rtol=0, atol=tolerance)
    d_y = np.random.default_rng(3).standard_normal(y.shape)
    d_x, d_parameters = oracle.backward(kind, x.astype(np.float64), d_y, **known)
    np.testing.assert_allclose(net.backward(d_y), d_x, rtol=0, atol=10 * tolerance)
    for got, expected in zip(net.grads(), d_parameters, strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=100 * tolerance)  # sums over the batch
    (weights,) = net.attention_weights(x, mask).values()
    np.testing.assert_allclose(weights, oracle.weights_of(kind, x, **known), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", SPECS)
def test_conformance(name):
    assert check_layer(lambda: SPECS[name]) < 1e-6


@pytest.mark.parametrize("name", SPECS)
def test_gradient_over_recurrent_layers_with_masks(name):
    net = build(Bidirectional(GRU(2, return_sequences=True)), LSTM(3, return_sequences=True), SPECS[name], Dense(2))
    assert check_gradient(net, inputs(3), mask=GAPS[:3]) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SPECS)
def test_one_sequence_has_the_bits_that_it_has_in_a_tile(name, dtype):
    net, x = build(GRU(LANES + 3, return_sequences=True), SPECS[name], Dense(2), dtype=dtype), inputs(4, dtype)
    for mask in (None, GAPS):
        together = net(x, mask)
        for i in range(4):
            alone = net(x[i : i + 1], None if mask is None else mask[i : i + 1])
            np.testing.assert_array_equal(alone, together[i : i + 1])


@pytest.mark.parametrize("name", SPECS)
def test_large_scores_do_not_overflow(name):
    net = build(SPECS[name], dtype=np.float32)
    net.theta = 1000 * net.theta
    x = 100 * inputs(2, np.float32)
    assert np.isfinite(net(x)).all()
    (weights,) = net.attention_weights(x).values()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)


def test_what_is_masked_has_no_weight_and_is_not_looked_at():
    net, x = build(Attention(kind="dot")), inputs(4)
    y, (weights,) = net(x, GAPS), net.attention_weights(x, GAPS).values()
    assert not weights[~GAPS].any()
    np.testing.assert_allclose(weights.sum(axis=1), [1, 1, 1, 0], rtol=1e-12)
    np.testing.assert_array_equal(net(np.where(GAPS[:, :, None], x, 1e6), GAPS), y)
    np.testing.assert_array_equal(y[2], x[2, 2])  # the only one that counts
    assert not y[3].any()


def test_weights_go_by_the_names_of_layers_and_leave_states_alone():
    net = build(GRU(3, return_sequences=True, stateful=True), Attention(), dtype=np.float32)
    x = inputs(3, np.float32)
    first = net(x)
    found = net.attention_weights(x)  # of the batch that comes next
    assert list(found) == ["attention_1"]
    assert found["attention_1"].shape == (3, STEPS)
    again = build(GRU(3, return_sequences=True, stateful=True), Attention(), dtype=np.float32)
    np.testing.assert_array_equal(again(x), first)
    np.testing.assert_array_equal(again(x), net(x))
    assert "Attention()" in str(net.summary())


@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
@pytest.mark.parametrize("name", SPECS)
def test_in_a_forecaster_and_its_file(name, tmp_path):
    layers = [Bidirectional(GRU(5, return_sequences=True)), SPECS[name]]
    frame = np.random.default_rng(0).standard_normal((80, 2)).cumsum(axis=0)
    forecaster = RNNForecaster(layers=layers, lookback=7, horizon=2, max_epochs=2, random_state=0).fit(frame)
    forecaster.save(tmp_path / "file")
    loaded = RNNForecaster.load(tmp_path / "file")
    assert loaded.layers == layers
    assert loaded.predict().equals(forecaster.predict())


def test_bad_arguments():
    with pytest.raises(ValueError, match="`kind` of Attention must be"):
        Attention(kind="general")
    with pytest.raises(ValueError, match="`units` of Attention must be"):
        Attention(units=0)
    with pytest.raises(ValueError, match=r"`units` of Attention\(kind='dot'\) must be None: it has no weights; got 3"):
        Attention(kind="dot", units=3)
    with pytest.raises(ValueError, match=r"needs a network with an Attention layer; got GRU\(3\), Dense\(1\)"):
        build(GRU(3), Dense(1)).attention_weights(inputs(2))
