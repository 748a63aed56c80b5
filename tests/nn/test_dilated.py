"""Layers whose state skips steps, beside plain ones on every second, third, ... step."""

import numpy as np
import pytest
from cell_kinds import BOOK_KINDS as KINDS
from reference import cells as reference_cells
from reference import recurrent as oracle

from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, LSTM, Dense, Dilated, Residual, Sequential, SimpleRNN
from tsrnn.testing import check_gradient, check_layer

STEPS, FEATURES, HIDDEN = 7, 3, 5


def build(*layers, dtype=np.float64, steps=STEPS):
    net = Sequential(layers).build((steps, FEATURES), random_state=1, dtype=dtype)
    net.theta = net.theta + 0.2 * np.random.default_rng(0).standard_normal(net.theta.size)
    return net


def inputs(batch, dtype=np.float64, steps=STEPS):
    rng = np.random.default_rng(1)
    return rng.standard_normal((batch, steps, FEATURES)).astype(dtype), rng.random((batch, steps)) < 0.6


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("dilation", [1, 2, 3, STEPS])
@pytest.mark.parametrize("kind", KINDS)
def test_oracle(kind, dilation, backwards, masked):
    """Of each of the sequences that the steps fall into; one gradient for all of them."""
    net = build(Dilated(KINDS[kind](HIDDEN, go_backwards=backwards, return_sequences=True), dilation))
    x, mask = inputs(LANES + 3)
    given = np.random.default_rng(2).standard_normal((dilation, reference_cells.N_STATES[kind], len(x), HIDDEN))
    start = [tuple(rows for group in given for rows in group)]
    y = net.forward(x, training=True, mask=mask if masked else None, initial_state=start)
    d_y = np.random.default_rng(3).standard_normal(y.shape)
    d_x = net.backward(d_y)
    read, marks = (x[:, ::-1], mask[:, ::-1]) if backwards else (x, mask)
    totals = [np.zeros_like(weight) for weight in net.get_weights()]
    for i in range(dilation):
        own = slice(i, None, dilation)
        known = {"initial_state": tuple(given[i]), "mask": marks[:, own] if masked else None, "return_sequences": True}
        expected, _ = oracle.forward(kind, read[:, own], net.get_weights(), **known)
        np.testing.assert_allclose(y[:, own], expected, rtol=0, atol=1e-12)
        found = oracle.backward(kind, read[:, own], net.get_weights(), d_y[:, own], **known)
        np.testing.assert_allclose((d_x[:, ::-1] if backwards else d_x)[:, own], found.x, rtol=0, atol=1e-12)
        rows = len(given[i])
        np.testing.assert_allclose(
            net.d_initial_state[0][i * rows : (i + 1) * rows], found.initial_state, rtol=0, atol=1e-12
        )
        totals = [total + part for total, part in zip(totals, found.weights, strict=True)]
    for got, total in zip(net.grads(), totals, strict=True):
        np.testing.assert_allclose(got, total, rtol=0, atol=1e-10)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("dilation", [2, 3])
def test_without_sequences_it_gives_the_last_step(dilation, backwards):
    wrapped = {"go_backwards": backwards}
    last = build(Dilated(LSTM(HIDDEN, **wrapped), dilation))
    every = build(Dilated(LSTM(HIDDEN, return_sequences=True, **wrapped), dilation))
    x, mask = inputs(4)
    np.testing.assert_array_equal(last(x, mask), every(x, mask)[:, -1])


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_with_dropout_masks_and_states(kind):
    first = KINDS[kind](3, return_sequences=True, go_backwards=True, dropout=0.3, recurrent_dropout=0.3)
    net = build(Dilated(first, 2), Dilated(KINDS[kind](2), 3), Dense(2))
    rows, (x, mask) = reference_cells.N_STATES[kind], inputs(2)
    rng = np.random.default_rng(2)
    states = [tuple(rng.standard_normal((2 * rows, 2, 3))), tuple(rng.standard_normal((3 * rows, 2, 2))), None]
    assert check_gradient(net, x, mask=mask, initial_state=states) < 1e-6


def test_all_steps_share_the_masks_of_dropout():
    """With inputs of one and no recurrence to speak of, all steps give the same."""
    net = build(Dilated(SimpleRNN(20, dropout=0.5, return_sequences=True), STEPS))
    y = net.forward(np.ones((LANES, STEPS, FEATURES)), training=True)
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], STEPS, axis=1))
    assert (y[0] != y[1]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_conformance(kind):
    assert check_layer(lambda: Dilated(KINDS[kind](3, dropout=0.2, recurrent_dropout=0.3), 1)) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_one_sequence_has_the_bits_that_it_has_in_a_tile(kind, dtype):
    first = KINDS[kind](LANES + 1, return_sequences=True, go_backwards=True)
    net = build(Dilated(first, 3), Dilated(KINDS[kind](4), 2), Dense(2), dtype=dtype)
    x, mask = inputs(3, dtype)
    rows = 3 * reference_cells.N_STATES[kind]
    states = [tuple(np.random.default_rng(2).standard_normal((rows, 3, LANES + 1)).astype(dtype)), None, None]
    for marks, given in ((None, None), (mask, None), (mask, states), (None, None)):
        together = net(x, marks, given)
        for i in range(3):
            one = slice(i, i + 1)
            own = given and [s and tuple(row[one] for row in s) for s in given]
            np.testing.assert_array_equal(net(x[one], None if marks is None else marks[one], own), together[one])


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("dilation", [2, 3])
def test_states_go_on_over_the_border_of_batches(dilation, batch):
    """Also where a batch does not end with the last of the sequences that the steps fall into."""
    long = build(Dilated(LSTM(HIDDEN, return_sequences=True), dilation), steps=3 * 4, dtype=np.float32)
    net = build(Dilated(LSTM(HIDDEN, return_sequences=True, stateful=True), dilation), steps=4, dtype=np.float32)
    free = build(Dilated(LSTM(HIDDEN, return_sequences=True), dilation), steps=4, dtype=np.float32)
    x, _ = inputs(batch, np.float32, steps=12)
    expected, states = long(x), None
    for i in range(3):
        part = slice(4 * i, 4 * i + 4)
        np.testing.assert_array_equal(net(x[:, part]), expected[:, part])
        y, states = free(x[:, part], initial_state=states, return_state=True)
        np.testing.assert_array_equal(y, expected[:, part])


def test_gradients_of_last_states():
    net, (x, _) = build(Dilated(LSTM(2), 3)), inputs(2)
    _, states = net.forward(x, training=True, return_state=True)
    weights = [np.random.default_rng(i).standard_normal(row.shape) for i, row in enumerate(states[0])]
    d_x = net.backward(np.zeros((2, 2)), [tuple(weights)])
    along, step, found = np.random.default_rng(9).standard_normal(x.shape), 1e-6, []
    for sign in (1, -1):
        _, states = net(x + sign * step * along, return_state=True)
        found.append(sum((row * weight).sum() for row, weight in zip(states[0], weights, strict=True)))
    assert abs((found[0] - found[1]) / (2 * step) - (d_x * along).sum()) < 1e-7


def test_bad_arguments():
    with pytest.raises(TypeError, match="`wrapped` of Dilated must be a recurrent layer such as GRU"):
        Dilated(Dense(3), 2)
    with pytest.raises(ValueError, match="`dilation` of Dilated must be"):
        Dilated(GRU(3), 0)
    needs = r"needs at least 8 steps, or none goes on from another one: lower `dilation`; got 7 steps of"
    with pytest.raises(ValueError, match=rf"Layer 0, Dilated\(GRU\(3\), 8\), {needs} 3 features\."):
        build(Dilated(GRU(3), 8))
    with pytest.raises(ValueError, match=rf"Layer 1, Residual\(Dilated\(.*, 8\)\), {needs} 2 features\."):
        build(Dense(2), Residual(Dilated(GRU(2, return_sequences=True), 8)))
