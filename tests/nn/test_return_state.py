"""Last states as outputs, and gradients that come back through them."""

import numpy as np
import pytest
from cell_kinds import BOOK_KINDS as KINDS
from reference import cells as reference_cells
from reference import recurrent as oracle

from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, LSTM, Bidirectional, Dense, Dilated, Residual, Sequential

STEPS, FEATURES, HIDDEN = 5, 2, 3


def problem(*layers, batch=LANES + 3, dtype=np.float64):
    net = Sequential(layers).build((STEPS, FEATURES), random_state=1, dtype=dtype)
    rng = np.random.default_rng(0)
    net.theta = net.theta + 0.2 * rng.standard_normal(net.theta.size)
    return net, rng.standard_normal((batch, STEPS, FEATURES)).astype(dtype), rng.random((batch, STEPS)) < 0.6


def like(states, seed=3):
    rng = np.random.default_rng(seed)
    return [row and tuple(rng.standard_normal(array.shape) for array in row) for row in states]


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_oracle(kind, backwards, sequences):
    net, x, mask = problem(KINDS[kind](HIDDEN, go_backwards=backwards, return_sequences=sequences))
    first = [tuple(np.random.default_rng(2).standard_normal((reference_cells.N_STATES[kind], len(x), HIDDEN)))]
    y, states = net.forward(x, training=True, mask=mask, initial_state=first, return_state=True)
    known = {"mask": mask, "go_backwards": backwards, "return_sequences": sequences, "initial_state": first[0]}
    expected, wanted = oracle.forward(kind, x, net.get_weights(), **known)
    np.testing.assert_allclose(y, expected, atol=1e-12)
    np.testing.assert_allclose(states[0], wanted, atol=1e-12)
    d_y, d_state = np.cos(y), like(states)
    d_x = net.backward(d_y, d_state)
    gradients = oracle.backward(kind, x, net.get_weights(), d_y, d_final_states=d_state[0], **known)
    np.testing.assert_allclose(d_x, gradients.x, atol=1e-12)
    np.testing.assert_allclose(net.d_initial_state[0], gradients.initial_state, atol=1e-12)
    for got, gradient in zip(net.grads(), gradients.weights, strict=True):
        np.testing.assert_allclose(got, gradient, atol=1e-10)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_second_call_goes_on_where_the_first_one_ended(kind, batch):
    net, x, mask = problem(KINDS[kind](HIDDEN, return_sequences=True), Dense(2), KINDS[kind](4), batch=batch)
    stateful, _, _ = problem(
        KINDS[kind](HIDDEN, return_sequences=True, stateful=True), Dense(2), KINDS[kind](4, stateful=True), batch=batch
    )
    stateful.theta = net.theta
    y, states = net(x, mask, return_state=True)
    assert states[1] is None
    np.testing.assert_array_equal(y, stateful(x, mask))
    again, last = net(x, initial_state=states, return_state=True)
    np.testing.assert_array_equal(again, stateful(x))
    np.testing.assert_array_equal(again, last[2][0])


def test_one_sequence_gives_the_states_that_it_has_in_a_tile():
    net, x, mask = problem(Bidirectional(LSTM(LANES + 1, return_sequences=True)), GRU(3), dtype=np.float32)
    _, together = net(x, mask, return_state=True)
    for i in (0, LANES + 1):
        _, alone = net(x[i : i + 1], mask[i : i + 1], return_state=True)
        for rows, own in zip(together, alone, strict=True):
            for row, state in zip(rows, own, strict=True):
                np.testing.assert_array_equal(state, row[i : i + 1])


@pytest.mark.parametrize("kind", KINDS)
def test_both_directions(kind):
    """States of the wrapped layer first; the gradient against differences along a random direction."""
    net, x, mask = problem(Bidirectional(KINDS[kind](HIDDEN, return_sequences=True)), KINDS[kind](2), batch=2)
    weights = None

    def loss():
        y, states = net.forward(x, training=True, mask=mask, return_state=True)
        arrays = [y, *states[0], *states[1]]
        nonlocal weights
        weights = weights or [np.random.default_rng(i).standard_normal(a.shape) for i, a in enumerate(arrays)]
        return sum((a * w).sum() for a, w in zip(arrays, weights, strict=True)), states

    _, states = loss()
    assert len(states[0]) == 2 * reference_cells.N_STATES[kind]
    d_x = net.backward(weights[0], [tuple(weights[1 : 1 + len(states[0])]), tuple(weights[1 + len(states[0]) :])])
    theta, gradient, step = net.theta.copy(), net.gradient.copy(), 1e-6
    for values, slope in ((x, d_x), (theta, gradient)):
        along = np.random.default_rng(9).standard_normal(values.shape)
        found = []
        for sign in (1, -1):
            values += sign * step * along
            net.theta = theta
            found.append(loss()[0])
            values -= sign * step * along
        assert abs((found[0] - found[1]) / (2 * step) / (slope * along).sum() - 1) < 1e-6


@pytest.mark.parametrize("batch", [1, 3])
def test_layers_that_say_so_give_their_states(batch):
    wrappers = [
        LSTM(HIDDEN, return_sequences=True, return_state=True),
        Bidirectional(GRU(2, return_sequences=True, return_state=True), merge_mode="sum"),
        Residual(Dilated(GRU(2, return_sequences=True, return_state=True), 2)),
        GRU(2),
    ]
    net, x, mask = problem(*wrappers, batch=batch)
    y, states = net(x, mask)
    again, every = net(x, mask, return_state=True)
    np.testing.assert_array_equal(y, again)
    np.testing.assert_array_equal(y, net(x, mask, return_state=False))
    assert states[3] is None and [len(rows) for rows in every] == [2, 2, 2, 1]
    for rows, wanted in zip(states[:3], every[:3], strict=True):
        np.testing.assert_array_equal(rows, wanted)
    _, trained = net.forward(x, training=True, mask=mask)
    with pytest.raises(ValueError, match="`d_state` needs a call of"):
        net.backward(y, every)
    d_x = net.backward(y, trained)
    net.forward(x, training=True, mask=mask, return_state=True)
    np.testing.assert_array_equal(net.backward(y, trained), d_x)


def test_gradients_of_states_that_were_not_asked_for_are_refused():
    net, x, _ = problem(GRU(HIDDEN), batch=2)
    y = net.forward(x, training=True)
    with pytest.raises(ValueError, match=r"`d_state` needs a call of `forward\(x, training=True, return_state=True\)`"):
        net.backward(y, [(y,)])
    net.forward(x, training=True, return_state=True)
    for wrong, message in (
        ([], "`d_state` must have an entry for each of 1 layers; got 0"),
        ([(y, y)], r"`d_state\[0\]` must hold 1 arrays for GRU\(3\); got 2"),
        ([(y[:1],)], r"`d_state\[0\]` must have the shape \(2, 3\)"),
    ):
        with pytest.raises(ValueError, match=message):
            net.backward(y, wrong)
    with pytest.raises(TypeError, match="`return_state` of forward must be"):
        net.forward(x, return_state=1)


def test_no_gradient_of_states_is_a_gradient_of_zero():
    net, x, _ = problem(LSTM(HIDDEN), batch=2)
    y, states = net.forward(x, training=True, return_state=True)
    net.backward(y)
    first = net.gradient.copy()
    net.forward(x, training=True, return_state=True)
    net.backward(y, [tuple(np.zeros_like(row) for row in states[0])])
    np.testing.assert_array_equal(net.gradient, first)
    net.forward(x, training=True)
    net.backward(y)
    np.testing.assert_array_equal(net.gradient, first)
