"""Two directions of one layer: what they make together, and how the gradient comes apart."""

import numpy as np
import pytest
from cell_kinds import BOOK_KINDS as KINDS
from reference import bidirectional as oracle
from reference import cells as reference_cells

from tsrnn import GRUForecaster, RNNForecaster
from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, LSTM, Bidirectional, Dense, Dropout, PeepholeLSTM, Sequential, SimpleRNN
from tsrnn.testing import check_gradient, check_layer

MERGES = ["concat", "sum", "mul", "ave"]
PAIRS = [(kind, "concat") for kind in KINDS] + [("gru", name) for name in MERGES[1:]]  # merging knows no cell
STEPS, FEATURES, HIDDEN = 6, 3, 5
GAPS = np.array([[1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 1, 1], [1, 0, 1, 0, 0, 1], [1, 1, 1, 1, 1, 1]], bool)


def build(*layers, dtype=np.float32, shape=(STEPS, FEATURES)):
    net = Sequential(layers).build(shape, random_state=1, dtype=dtype)
    net.theta = net.theta + 0.2 * np.random.default_rng(0).standard_normal(net.theta.size)
    return net


def inputs(batch, dtype=np.float64):
    return np.random.default_rng(1).standard_normal((batch, STEPS, FEATURES)).astype(dtype)


def states_for(kind, batch, hidden=HIDDEN):
    """Of both directions, in one list."""
    return list(np.random.default_rng(2).standard_normal((2 * reference_cells.N_STATES[kind], batch, hidden)))


def masks_for(batch):
    return np.tile(GAPS, (-(-batch // len(GAPS)), 1))[:batch]


@pytest.mark.parametrize("given", ["nothing", "mask", "mask and states"])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize(("kind", "merge_mode"), PAIRS)
def test_oracle(kind, merge_mode, sequences, given):
    batch = LANES + 3
    wrapped = KINDS[kind](HIDDEN, return_sequences=sequences)
    net, x = build(Bidirectional(wrapped, merge_mode=merge_mode), dtype=np.float64), inputs(batch)
    mask = None if given == "nothing" else masks_for(batch)
    states = states_for(kind, batch) if given == "mask and states" else None
    known = {"mask": mask, "return_sequences": sequences, "initial_state": states}
    y = net.forward(x, training=True, mask=mask, initial_state=states and [tuple(states)])
    expected = oracle.forward(kind, x, net.get_weights(), merge_mode, **known)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)
    d_y = np.random.default_rng(3).standard_normal(y.shape)
    d_x = net.backward(d_y)
    wanted = oracle.backward(kind, x, net.get_weights(), merge_mode, d_y, **known)
    np.testing.assert_allclose(d_x, wanted[0], rtol=0, atol=1e-12)
    for got, gradient in zip(net.grads(), wanted[1], strict=True):
        np.testing.assert_allclose(got, gradient, rtol=0, atol=1e-10)  # sums over the batch
    for got, gradient in zip(net.d_initial_state[0] or (), wanted[2] if states else (), strict=True):
        np.testing.assert_allclose(got, gradient, rtol=0, atol=1e-12)


# Central differences take a pass for each weight: every cell, merge and kind of output once.
CHECKED = [
    pytest.param(*pair, sequences, marks=() if sequences == (pair[1] == "concat") else pytest.mark.slow)
    for pair in PAIRS
    for sequences in (False, True)
]


@pytest.mark.parametrize(("kind", "merge_mode", "sequences"), CHECKED)
def test_conformance(kind, merge_mode, sequences):
    wrapped = KINDS[kind](3, return_sequences=sequences, dropout=0.2, recurrent_dropout=0.3)
    assert check_layer(lambda: Bidirectional(wrapped, merge_mode=merge_mode)) < 1e-6


@pytest.mark.parametrize(("kind", "merge_mode"), [*((kind, "concat") for kind in KINDS), ("gru", "mul")])
def test_gradient_of_a_stack_with_masks_and_states(kind, merge_mode):
    """The second layer sees the mask, the first one's states have a gradient."""
    first = KINDS[kind](2, return_sequences=True, recurrent_dropout=0.2)
    net = build(Bidirectional(first, merge_mode=merge_mode), Bidirectional(KINDS[kind](1)), Dense(2), dtype=np.float64)
    states = [tuple(states_for(kind, 2, hidden=2)), tuple(states_for(kind, 2, hidden=1)), None]
    assert check_gradient(net, inputs(2), mask=GAPS[1:3], initial_state=states) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kind", "merge_mode"), PAIRS)
def test_one_sequence_has_the_bits_that_it_has_in_a_tile(kind, merge_mode, dtype):
    first = Bidirectional(KINDS[kind](LANES + 1, return_sequences=True), merge_mode=merge_mode)
    net = build(first, Dropout(0.5), Bidirectional(KINDS[kind](HIDDEN), merge_mode=merge_mode), Dense(2), dtype=dtype)
    x = inputs(4, dtype)
    states = [tuple(a.astype(dtype) for a in states_for(kind, 4, LANES + 1)), None, None, None]
    for mask, given in ((None, None), (GAPS, None), (GAPS, states), (None, None)):
        together = net(x, mask, given)
        for i in range(4):
            one = slice(i, i + 1)
            own = given and [s and tuple(row[one] for row in s) for s in given]
            np.testing.assert_array_equal(net(x[one], None if mask is None else mask[one], own), together[one])


def test_every_direction_and_layer_draws_masks_of_its_own():
    """Two directions drop the same inputs only by chance, and so do the layers above."""
    wrapped = SimpleRNN(50, dropout=0.5, recurrent_dropout=0.5, return_sequences=True)
    net = build(Bidirectional(wrapped, merge_mode="sum"), wrapped, shape=(2, 50))
    net.forward(np.ones((LANES, 2, 50)), training=True)
    drawn = [dropped.mask[: 50 * LANES] for bound in net._taped.tiles[0].bound for dropped in bound.dropped]
    assert len(drawn) == 6
    for i, mask in enumerate(drawn):
        for other in drawn[:i]:
            assert abs((mask == other).mean() - 0.5) < 0.1


def test_it_leaves_the_masks_of_other_networks_alone():
    """The first layer draws what it draws without a second direction."""
    wrapped = SimpleRNN(8, dropout=0.5, return_sequences=True)
    drawn = []
    for layer in (wrapped, Bidirectional(wrapped)):
        net = build(layer)
        net.forward(np.ones((LANES, STEPS, FEATURES)), training=True)
        drawn.append(net._taped.tiles[0].bound[0].dropped[0].mask)
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("batch", [1, 3, LANES + 2])
def test_stateful_directions_go_on_from_their_own_last_states(batch, training):
    """As in Keras; checked with states that are handed over by hand."""
    x = inputs(batch, np.float32)
    first, second = x[:, :3], x[:, 3:]
    shape, options = (3, FEATURES), {"return_sequences": True}
    net = build(Bidirectional(LSTM(4, stateful=True, **options)), shape=shape)
    net.forward(first, training=training)
    weights, states = net.get_weights(), []
    for half, part in ((weights[:3], first), (weights[3:], first[:, ::-1])):
        one = build(LSTM(4, stateful=True), shape=shape)
        one.set_weights(half)
        one(part)
        states += one._carried.current()[0]
    plain = build(Bidirectional(LSTM(4, **options)), shape=shape)
    expected = plain(second, initial_state=[tuple(states)])
    np.testing.assert_array_equal(net.forward(second, training=training), expected)
    net.reset_states()
    np.testing.assert_array_equal(net(second), plain(second))


def test_a_cell_with_a_state_and_parameters_of_its_own():
    assert check_layer(lambda: Bidirectional(PeepholeLSTM(2, return_sequences=True))) < 1e-6
    net = build(Bidirectional(PeepholeLSTM(3)))
    names = [name for name, _, _ in net.network.layout]
    kinds = ("kernel", "recurrent_kernel", "bias", "own")
    assert names == [f"bidirectional_0.{way}_{kind}" for way in ("forward", "backward") for kind in kinds]


def test_weights_are_in_the_order_of_keras():
    net = build(Bidirectional(LSTM(4)))
    shapes = [(FEATURES, 16), (4, 16), (16,)]
    assert [weight.shape for weight in net.get_weights()] == 2 * shapes
    assert not np.array_equal(net.get_weights()[0], net.get_weights()[3])  # drawn apart
    assert "Bidirectional(LSTM(4))" in str(net.summary())
    assert "(1, 8)" in str(net.summary())


@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
@pytest.mark.parametrize("merge_mode", MERGES)
def test_in_a_forecaster_and_its_file(merge_mode, tmp_path):
    first = Bidirectional(GRU(5, return_sequences=True, dropout=0.1), merge_mode=merge_mode)
    layers = [first, Bidirectional(LSTM(4), merge_mode=merge_mode)]
    frame = np.random.default_rng(0).standard_normal((80, 2)).cumsum(axis=0)
    forecaster = RNNForecaster(layers=layers, lookback=7, horizon=2, max_epochs=2, random_state=0, early_stopping=False)
    forecaster.fit(frame)
    forecaster.save(tmp_path / "file")
    loaded = RNNForecaster.load(tmp_path / "file")
    assert loaded.layers == layers
    assert loaded.predict().equals(forecaster.predict())
    assert f"Bidirectional(LSTM(4), merge_mode={merge_mode!r})".replace(", merge_mode='concat'", "") in str(
        loaded.summary()
    )


def test_forecasters_refuse_states_that_go_on():
    forecaster = GRUForecaster(layers=[Bidirectional(GRU(5, stateful=True))], lookback=3, horizon=1)
    with pytest.raises(ValueError, match=r"`layers` holds Bidirectional\(GRU\(5, stateful=True\)\), but"):
        forecaster.fit(np.arange(30.0))


def test_bad_arguments():
    with pytest.raises(TypeError, match="`wrapped` of Bidirectional must be a recurrent layer such as GRU"):
        Bidirectional(Dense(3))
    with pytest.raises(ValueError, match=r"that reads forwards; got GRU\(3, go_backwards=True\). Leave `go_backwards`"):
        Bidirectional(GRU(3, go_backwards=True))
    with pytest.raises(ValueError, match="`merge_mode` of Bidirectional must be"):
        Bidirectional(GRU(3), merge_mode="max")
    net = build(Bidirectional(LSTM(4)))
    with pytest.raises(ValueError, match=r"`initial_state\[0\]` must hold 4 arrays for Bidirectional\(LSTM\(4\)\)"):
        net(inputs(2), initial_state=[(np.zeros((2, 4)), np.zeros((2, 4)))])
    with pytest.raises(ValueError, match=r"`initial_state\[0\]` must have the shape \(2, 4\)"):
        net(inputs(2), initial_state=[(np.zeros((2, 8)),) * 4])
