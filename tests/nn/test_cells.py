"""What is special about single cells; what holds for all of them is in test_recurrent.py."""

from dataclasses import dataclass

import numpy as np
import pytest
from reference.activations import DERIVATIVES, FUNCTIONS
from reference.cells import random_states
from reference.other_cells import slstm_backward

from tsrnn._jit import kernel
from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.simd import LANES, load_rows, store_rows
from tsrnn.nn import LSTM, SLSTM, Cell, PeepholeLSTM, Recurrent, Sequential
from tsrnn.nn.cells.slstm import SLSTMCell
from tsrnn.testing import check_gradient

STEPS, FEATURES = 30, 3


def inputs(dtype=np.float32, steps=STEPS):
    return np.random.default_rng(0).standard_normal((5, steps, FEATURES)).astype(dtype)


def test_peepholes_of_zero_are_an_lstm():
    plain = Sequential([LSTM(7)]).build((STEPS, FEATURES), random_state=1)
    peeping = Sequential([PeepholeLSTM(7)]).build((STEPS, FEATURES), random_state=2)
    peeping.set_weights([*plain.get_weights(), np.zeros((3, 7))])
    np.testing.assert_array_equal(peeping(inputs()), plain(inputs()))


def one_unit(bias, *, dtype=np.float64, **options):
    """An sLSTM whose gates i, f, z, o are the inputs plus a bias, without recurrence."""
    net = Sequential([SLSTM(1, stateful=True, activation="linear", **options)]).build((1, 4), dtype=dtype)
    net.set_weights([np.eye(4), np.zeros((1, 4)), np.array(bias)])
    return net


def one_step(net, gates, states):
    """h, c, n and m after one step, of windows with these gates and states."""
    gates = np.asarray(gates, net.theta.dtype)
    net(gates[:, None], initial_state=[states])
    return [row[:, 0] for row in net._carried.current()[0]]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-14), (np.float32, 4e-7)])
def test_the_scale_of_an_slstm_follows_the_logarithm_of_the_forget_gate(dtype, tolerance):
    """To rounding, over all that a gate can be: the error would grow with the steps."""
    f = np.concatenate([np.linspace(-20, 20, 401), [-1e4, -200, -87, 87, 200, 1e4]])
    gates = np.zeros((len(f), 4))
    gates[:, 1] = f
    ones = np.ones((len(f), 1))
    _, _, _, m = one_step(one_unit([-1e6, 0, 0, 0], dtype=dtype), gates, (0 * ones, ones, ones, 0 * ones))
    np.testing.assert_allclose(m, -np.logaddexp(0, -f), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_weights_of_an_slstm_are_exponentials(dtype):
    """a - m' and m + log(f) - m' from 0 to beyond where the exponential is zero."""
    a = np.linspace(-120, 120, 241)
    gates, ones = np.zeros((len(a), 4)), np.ones((len(a), 1))
    gates[:, 0], gates[:, 1], gates[:, 2] = a, 1000, 3  # f is 1: the scale stays unless a is above it
    _, c, n, m = one_step(one_unit([0, 0, 0, 0], dtype=dtype), gates, (0 * ones, 2 * ones, ones, 0 * ones))
    new, old = np.exp(np.minimum(a, 0)), np.exp(np.minimum(-a, 0))
    tolerance = {"rtol": 6e-6, "atol": 1e-37} if dtype == np.float32 else {"rtol": 1e-13, "atol": 1e-16}
    np.testing.assert_allclose(n, new + old, **tolerance)
    np.testing.assert_allclose(c, 3 * new + 2 * old, **tolerance)
    np.testing.assert_array_equal(m, np.maximum(a, 0))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("batch", [1, 3])
def test_an_slstm_with_nothing_stored_stores_at_once(dtype, batch):
    """However much the forget gate outweighs the input gate: otherwise 0 / 0."""
    net = one_unit([-1000, 1000, 0.25, 0], dtype=dtype)
    np.testing.assert_array_equal(net(np.zeros((batch, 1, 4))), np.full((batch, 1), 0.125))
    h, c, n, m = (row[0, 0] for row in net._carried.current()[0])
    assert (h, c, n, m) == (0.125, 0.25, 1, -1000)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gates_of_an_slstm_may_be_huge(dtype):
    net = Sequential([SLSTM(7, return_sequences=True)]).build((300, FEATURES), random_state=1, dtype=dtype)
    net.theta = 300 * np.random.default_rng(1).standard_normal(net.theta.size)
    y = net.forward(inputs(dtype, 300), training=True)
    d_x = net.backward(np.ones_like(y))
    assert np.isfinite(d_x).all() and np.isfinite(net.gradient).all()
    assert 0.5 < np.abs(y).max() <= 1  # a mean of numbers of at most one


@kernel
def step_back(spec, gates, state, d_state, d_gates, d_previous):
    """[row][lane] in and out: a unit in each lane"""
    previous = load_rows(state, 0, 4, 1)
    _, saved = spec.forward(load_rows(gates, 0, 4, 1), previous)
    d_rows, d_state_before = spec.backward(saved, previous, load_rows(d_state, 0, 4, 1))
    store_rows(d_gates, 0, d_rows)
    store_rows(d_previous, 0, d_state_before)


def test_gradients_of_all_states_of_an_slstm():
    """Through a layer only h has a gradient of its own, and what the scale adds to those of the gates is zero."""
    rng = np.random.default_rng(0)
    gates, d_new = rng.normal(size=(4, LANES)), rng.normal(size=(4, LANES))
    states = random_states("slstm", rng, LANES, 1)
    spec = SLSTMCell(1, 1, False, False, ACTIVATIONS["tanh"], ACTIVATIONS["sigmoid"])
    d_gates, d_previous = np.zeros((4, LANES)), np.zeros((4, LANES))
    flat = [array.reshape(-1) for array in (gates, np.stack(states), d_new, d_gates, d_previous)]
    step_back(spec, *flat)
    d_gates_expected, _, d_states, _ = slstm_backward(
        gates.T, np.zeros((LANES, 1)), states, (np.eye(4), np.zeros((1, 4)), np.zeros(4)),
        FUNCTIONS["tanh"], FUNCTIONS["sigmoid"], DERIVATIVES["tanh"], DERIVATIVES["sigmoid"], d_new[:, :, None],
    )  # fmt: skip
    np.testing.assert_allclose(d_gates, d_gates_expected.T, rtol=0, atol=1e-12)
    np.testing.assert_allclose(d_previous, np.stack(d_states)[:, :, 0], rtol=0, atol=1e-12)


class MinGRUCell(Cell):
    """minGRU (Feng 2024): z = sigmoid(W x + b), n = W x + b, h' = h + z (n - h); the gates do not see the state."""

    __slots__ = ()
    GATES = "z n"
    RECURRENT = ""

    def forward(self, gates, state):
        z, n, h = self.recurrent_activation.value(gates[0]), gates[1], state[0]
        return (h + z * (n - h),), (z, n)

    def backward(self, saved, state, d_state):
        (z, n), h, d_h = saved, state[0], d_state[0]
        return (d_h * (n - h) * self.recurrent_activation.slope(z), d_h * z), (d_h * (1 - z),)


@dataclass(frozen=True)
class MinGRU(Recurrent):
    """A cell without a recurrent product."""

    cell = MinGRUCell


def test_a_cell_without_a_recurrent_product():
    net = Sequential([MinGRU(5, return_sequences=True)]).build((6, FEATURES), random_state=1, dtype=np.float64)
    net.theta = net.theta + 0.5 * np.random.default_rng(0).standard_normal(net.theta.size)
    kernel, bias = net.get_weights()
    assert kernel.shape == (FEATURES, 10) and bias.shape == (10,)
    x, mask = inputs(np.float64, 6), np.random.default_rng(1).random((5, 6)) > 0.3
    h, wanted = np.zeros((5, 5)), []
    for t in range(6):
        z, n = np.split(x[:, t] @ kernel + bias, 2, axis=1)
        h = np.where(mask[:, t, None], h + (n - h) / (1 + np.exp(-z)), h)
        wanted.append(h)
    np.testing.assert_allclose(net(x, mask), np.stack(wanted, axis=1), rtol=1e-12)
    np.testing.assert_array_equal(net(x[:1], mask[:1]), net(x, mask)[:1])
    assert check_gradient(net, x, mask=mask) < 1e-6


@pytest.mark.parametrize("name", ["recurrent_dropout", "recurrent_l1", "recurrent_l2"])
def test_what_acts_on_the_recurrent_product_needs_one(name):
    with pytest.raises(ValueError, match=f"`{name}` of MinGRU must be 0: its cell has no recurrent product"):
        MinGRU(5, **{name: 0.1})
