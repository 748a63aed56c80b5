"""Layers whose states go on from batch to batch."""

import numpy as np
import pytest
from cell_kinds import KINDS

from tsrnn import GRUForecaster
from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, LSTM, Dense, Sequential

STEPS, CHUNKS, FEATURES = 4, 3, 2


def built(steps, *layers):
    return Sequential(layers).build((steps, FEATURES), random_state=1)


def inputs(batch, seed=0):
    return np.random.default_rng(seed).standard_normal((batch, CHUNKS * STEPS, FEATURES)).astype(np.float32)


def chunks(x):
    return np.split(x, CHUNKS, axis=1)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("batch", [1, 3, LANES + 8])
@pytest.mark.parametrize("kind", KINDS)
def test_chunks_are_one_long_sequence(kind, batch, training):
    """To the bit, through two layers, outputs of all steps; and again once the states are reset."""

    def layers(stateful):
        first = KINDS[kind](35, return_sequences=True, stateful=stateful)
        return first, KINDS[kind](5, return_sequences=True, stateful=stateful), Dense(2)

    long, net, x = built(CHUNKS * STEPS, *layers(False)), built(STEPS, *layers(True)), inputs(batch)
    expected = long.forward(x, training=training)
    for _ in range(2):
        parts = [net.forward(part, training=training) for part in chunks(x)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), expected)
        net.reset_states()


@pytest.mark.parametrize("batch", [1, 3])
def test_masked_steps_keep_the_state_over_the_border(batch):
    mask = np.random.default_rng(2).random((batch, CHUNKS * STEPS)) < 0.5
    long, net, x = built(CHUNKS * STEPS, LSTM(5)), built(STEPS, LSTM(5, stateful=True)), inputs(batch)
    for part, marks in zip(chunks(x), chunks(mask), strict=True):
        y = net(part, marks)
    np.testing.assert_array_equal(y, long(x, mask))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_predictions_and_training_hand_states_to_each_other(kind, batch):
    long, net, x = built(CHUNKS * STEPS, KINDS[kind](5)), built(STEPS, KINDS[kind](5, stateful=True)), inputs(batch)
    for training, part in zip((True, False, True), chunks(x), strict=True):
        y = net.forward(part, training=training)
    np.testing.assert_array_equal(y, long(x))


def test_no_gradient_flows_through_the_border():
    """The gradients are those of a batch that starts from the given states."""
    net, given, x = built(STEPS, LSTM(5, stateful=True)), built(STEPS, LSTM(5)), inputs(3)
    first, second = chunks(x)[:2]
    net(first)
    states = tuple(net._carried.current()[0])
    d_x = net.backward(np.ones_like(net.forward(second, training=True)))
    wanted = given.backward(np.ones_like(given.forward(second, training=True, initial_state=[states])))
    np.testing.assert_array_equal(d_x, wanted)
    np.testing.assert_array_equal(net.gradient, given.gradient)
    assert net.d_initial_state == [None]


@pytest.mark.parametrize("batch", [1, 3])
def test_only_stateful_layers_go_on(batch):
    mixed = built(STEPS, GRU(5, return_sequences=True), LSTM(4, stateful=True))
    fresh = built(STEPS, GRU(5, return_sequences=True), LSTM(4))
    first, second, _ = chunks(inputs(batch))
    mixed(first)
    states = tuple(mixed._carried.current()[1])
    np.testing.assert_array_equal(mixed(second), fresh(second, initial_state=[None, states]))


@pytest.mark.parametrize("batch", [1, 3])
def test_a_first_state_that_is_given_comes_before_the_carried_one(batch):
    net, plain = built(STEPS, GRU(5, stateful=True)), built(STEPS, GRU(5))
    first, second, third = chunks(inputs(batch))
    states = [(np.full((batch, 5), 0.5, np.float32),)]
    net(first)
    y = net(second, initial_state=states)
    np.testing.assert_array_equal(y, plain(second, initial_state=states))
    np.testing.assert_array_equal(net(third), plain(third, initial_state=[(y,)]))  # the state of a GRU is its output


def test_another_batch_size_is_refused_and_changes_nothing():
    net = built(STEPS, Dense(3), GRU(5, stateful=True))
    first, second, _ = chunks(inputs(3))
    net(first)
    for batch in (1, 2, 4):
        with pytest.raises(ValueError) as caught:
            net(np.zeros((batch, STEPS, FEATURES)))
        assert str(caught.value) == (
            "`x` must be a batch of 3, as in the calls before: GRU(5, stateful=True) goes on from the states of their "
            f"sequences; got {batch}. Call `net.reset_states()` to start new ones."
        )
    expected = built(2 * STEPS, Dense(3), GRU(5))(np.concatenate([first, second], axis=1))
    np.testing.assert_array_equal(net(second), expected)
    net.reset_states()
    assert net(np.zeros((1, STEPS, FEATURES))).shape == (1, 5)


def test_a_network_without_such_layers_takes_any_batch():
    net = built(STEPS, GRU(5))
    first = net(chunks(inputs(3))[0])
    net(np.zeros((1, STEPS, FEATURES)))
    np.testing.assert_array_equal(net(chunks(inputs(3))[0]), first)
    net.reset_states()


def test_it_is_part_of_the_spec():
    net = built(STEPS, LSTM(5, stateful=True))
    assert "LSTM(5, stateful=True)" in str(net.summary())
    with pytest.raises(TypeError, match="`stateful` of GRU must be"):
        GRU(5, stateful=1)


def test_forecasters_refuse_it():
    forecaster = GRUForecaster(layers=[GRU(5, stateful=True)], lookback=3, horizon=1)
    with pytest.raises(ValueError, match=r"`layers` holds GRU\(5, stateful=True\), but a forecaster's windows overlap"):
        forecaster.fit(np.arange(30.0))
