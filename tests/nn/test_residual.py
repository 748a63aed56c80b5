"""Residual connections around layers of every kind."""

import numpy as np
import pytest

from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, LSTM, Conv1D, Dense, Dropout, LayerNorm, Residual, Sequential, SimpleRNN
from tsrnn.testing import check_gradient, check_layer


def layers_of(width):
    return {
        "gru": GRU(width, return_sequences=True, dropout=0.2, recurrent_dropout=0.3),
        "lstm": LSTM(width, return_sequences=True),
        "dense": Dense(width, activation="tanh"),
        "conv": Conv1D(width, 3, padding="causal", activation="sigmoid"),
        "norm": LayerNorm(),
        "dropout": Dropout(0.4),
        "residual": Residual(Dense(width, activation="softsign")),
    }


INNER, NARROW = layers_of(5), layers_of(2)


def build(*layers, shape=(6, 5), dtype=np.float64):
    net = Sequential(layers).build(shape, random_state=1, dtype=dtype)
    net.theta = net.theta + 0.1 * np.random.default_rng(0).standard_normal(net.theta.size)
    return net


@pytest.mark.parametrize("batch", [1, 3, LANES + 1])
@pytest.mark.parametrize("inner", INNER.values(), ids=INNER)
def test_it_adds_what_comes_in(inner, batch):
    x = np.random.default_rng(0).standard_normal((batch, 6, 5)).astype(np.float32)
    around, alone = build(Residual(inner), dtype=np.float32), build(inner, dtype=np.float32)
    np.testing.assert_array_equal(around(x), x + alone(x))
    assert [a.tobytes() for a in around.get_weights()] == [a.tobytes() for a in alone.get_weights()]
    np.testing.assert_array_equal(around.forward(x, training=True), x + alone.forward(x, training=True))
    d_y = np.random.default_rng(1).standard_normal(x.shape).astype(np.float32)
    np.testing.assert_allclose(around.backward(d_y), d_y + alone.backward(d_y), rtol=0, atol=1e-6)
    for one, other in zip(around.grads(), alone.grads(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("inner", NARROW.values(), ids=NARROW)
def test_gradients_in_a_stack(inner):
    net = build(Dense(2), Residual(inner), Residual(inner), SimpleRNN(2), shape=(6, 3))
    mask = np.ones((3, 6), bool)
    mask[0, 4:] = mask[1, 2] = False
    assert check_gradient(net, np.random.default_rng(0).standard_normal((3, 6, 3)), mask=mask) < 1e-6


def test_conformance():
    make = lambda: Residual(GRU(3, return_sequences=True, recurrent_dropout=0.2))  # noqa: E731
    assert check_layer(make, shapes=[(1, 3), (17, 3)], shape=(4, 3)) < 1e-6


@pytest.mark.parametrize("batch", [1, 2])
def test_states_are_those_of_the_layer(batch):
    inner = LSTM(5, return_sequences=True, stateful=True)
    around, alone = build(Residual(inner)), build(inner)
    rng = np.random.default_rng(0)
    x, states = rng.standard_normal((batch, 6, 5)), [tuple(rng.standard_normal((2, batch, 5)))]
    for given in (states, None, None):
        np.testing.assert_allclose(around(x, initial_state=given), x + alone(x, initial_state=given), rtol=1e-12)
    around.reset_states()
    assert check_gradient(build(Residual(LSTM(5, return_sequences=True))), x, initial_state=states) < 1e-6


def test_the_mask_is_that_of_the_layer():
    net = build(Residual(Dense(5)), SimpleRNN(3))
    x, mask = np.random.default_rng(0).standard_normal((3, 6, 5)), np.ones((3, 6), bool)
    mask[:, 3:] = False
    for batch in (1, 3):
        changed = x[:batch].copy()
        changed[:, 3:] += 1
        np.testing.assert_array_equal(net(changed, mask[:batch]), net(x[:batch], mask[:batch]))


@pytest.mark.parametrize(
    ("inner", "gives"),
    [(GRU(5), "1 and 5"), (GRU(4, return_sequences=True), "6 and 4"), (Conv1D(5, 2), "5 and 5"), (Dense(1), "6 and 1")],
    ids=str,
)
def test_layers_that_change_steps_or_width(inner, gives):
    with pytest.raises(
        ValueError, match=rf"Layer 0, Residual\(.*\), needs .*\(6 and 5\), where this one gives {gives};"
    ):
        build(Residual(inner))


def test_what_a_layer_needs_it_needs_inside_too():
    with pytest.raises(ValueError, match=r"Layer 0, Residual\(Conv1D\(5, 9\)\), needs at least 9 steps"):
        build(Residual(Conv1D(5, 9)))
    with pytest.raises(ValueError, match=r"needs a layer .* gives 1 and 5; got 1 step of 5 features"):
        build(Residual(GRU(5)), shape=(1, 5))  # one step, but no time axis


def test_other_orders_and_other_things_are_refused():
    with pytest.raises(ValueError, match="must give its outputs in the order of its inputs; got GRU.*from the last"):
        Residual(GRU(5, return_sequences=True, go_backwards=True))
    with pytest.raises(TypeError, match="`wrapped` of Residual must be a layer such as"):
        Residual("GRU")


def test_gradients_of_last_states_go_through():
    """As of the layer itself, but for what goes around it."""
    net, alone = (
        Sequential([layer]).build((5, 3), random_state=1, dtype=np.float64)
        for layer in (Residual(GRU(3, return_sequences=True)), GRU(3, return_sequences=True))
    )
    rng = np.random.default_rng(0)
    x, d_y, d_h = rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 3))
    results = []
    for each in (net, alone):
        each.forward(x, training=True, return_state=True)
        results.append(each.backward(d_y, [(d_h,)]))
    np.testing.assert_allclose(results[0], results[1] + d_y, rtol=0, atol=1e-13)
    np.testing.assert_allclose(net.gradient, alone.gradient, rtol=0, atol=1e-13)
