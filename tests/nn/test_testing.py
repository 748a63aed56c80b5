"""The checks for those who write a cell: a right one of a few lines passes, and wrong ones are caught."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tsrnn.kernels.simd import LANES, sigmoid, tanh
from tsrnn.nn import Dense, Sequential, SimpleRNN
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.dense import DenseLayer
from tsrnn.nn.layers.recurrent import Recurrent
from tsrnn.testing import check_gradient, check_layer
from tsrnn.testing import layers as suite


class MinimalCell(Cell):
    """Minimal gated unit with the gate after the recurrent product (Zhou 2016); v is U h + b of the candidate."""

    __slots__ = ()
    GATES = "n f v"
    INPUT = "f n"
    RECURRENT = "f v"
    RECURRENT_BIAS = True

    def forward(self, gates, state):
        f, v, h = sigmoid(gates[1]), gates[2], state[0]
        n = tanh(gates[0] + f * v)
        return (h + f * (n - h),), (n, f, v)

    def backward(self, saved, state, d_state):
        n, f, v = saved
        h, d_h = state[0], d_state[0]
        d_n = d_h * f * (1 - n * n)
        d_f = (d_h * (n - h) + d_n * v) * f * (1 - f)
        return (d_n, d_f, d_n * f), (d_h * (1 - f),)


@dataclass(frozen=True)
class Minimal(Recurrent):
    cell = MinimalCell


class FlippedCell(MinimalCell):
    """One sign of the backward pass is wrong."""

    __slots__ = ()

    def backward(self, saved, state, d_state):
        n, f, v = saved
        h, d_h = state[0], d_state[0]
        d_n = d_h * f * (1 - n * n)
        d_f = (d_h * (n - h) - d_n * v) * f * (1 - f)
        return (d_n, d_f, d_n * f), (d_h * (1 - f),)


@dataclass(frozen=True)
class Flipped(Recurrent):
    cell = FlippedCell


@pytest.mark.slow  # compiled in float32 too; docs/cells.md has another one, which is always checked
def test_a_cell_in_one_file_passes():
    assert check_layer(lambda: Minimal(5)) < 1e-6


def test_and_works_with_everything_that_layers_can_do():
    stack = [
        Minimal(3, return_sequences=True, go_backwards=True, dropout=0.2),
        Minimal(6, recurrent_dropout=0.3),
        Dense(2),
    ]
    net = Sequential(stack).build((4, 2), random_state=1, dtype=np.float64)
    net.theta = net.theta + 0.1 * np.random.default_rng(1).standard_normal(net.theta.size)
    mask = np.array([[1, 1, 0, 1], [0, 1, 1, 1], [1, 1, 1, 1]], bool)
    assert check_gradient(net, np.random.default_rng(0).standard_normal((3, 4, 2)), mask=mask) < 1e-6


def test_minimal_unit_by_hand():
    net = Sequential([Minimal(2)]).build((3, 1), random_state=1, dtype=np.float64)
    net.theta = net.theta + 0.3 * np.random.default_rng(0).standard_normal(net.theta.size)
    kernel, recurrent, (bias, recurrent_bias) = net.get_weights()
    x, h = np.random.default_rng(1).standard_normal((1, 3, 1)), np.zeros((1, 2))
    for t in range(3):
        from_x, from_h = x[:, t] @ kernel + bias, h @ recurrent + recurrent_bias
        f = 1 / (1 + np.exp(-from_x[:, :2] - from_h[:, :2]))
        h = h + f * (np.tanh(from_x[:, 2:] + f * from_h[:, 2:]) - h)
    np.testing.assert_allclose(net(x), h, rtol=1e-12)


@pytest.mark.slow  # as are those of docs/cells.md
def test_a_wrong_sign_is_caught():
    with pytest.raises(AssertionError, match=r"^gradient of .*backward gives .*central differences .*allowed 1e-06"):
        check_layer(lambda: Flipped(5))


@pytest.mark.parametrize(
    ("where", "spoil"),
    [
        ("x", lambda net, d_x: d_x),
        ("simplernn_0.kernel[1, 2]", lambda net, d_x: net.gradient[5:6]),
        ("simplernn_0.bias[0]", lambda net, d_x: net.gradient[-3:-2]),
        ("initial_state of layer 0", lambda net, d_x: net.d_initial_state[0][0]),
    ],
)
def test_the_check_says_which_gradient_is_wrong(where, spoil, monkeypatch):
    net = Sequential([SimpleRNN(3)]).build((4, 2), random_state=1, dtype=np.float64)
    right = net.backward

    def wrong(d_y):
        d_x = right(d_y)
        spoil(net, d_x)[...] += 1e-3
        return d_x

    monkeypatch.setattr(net, "backward", wrong)
    x, states = np.random.default_rng(0).standard_normal((2, 4, 2)), [(np.full((2, 3), 0.2),)]
    with pytest.raises(AssertionError) as caught:
        check_gradient(net, x, initial_state=states)
    assert str(caught.value).startswith(f"gradient of {where}: backward gives ")


def after_forward(change):
    """A dense layer whose outputs [1 + output][lane] are changed."""

    def bind(self, setting, weights, arrays):
        bound = DenseLayer.bind(self, setting, weights, arrays)
        y = bound.y.reshape(self.input.steps, -1, LANES)[:, 1:]
        return replace(bound, forward=(*bound.forward, lambda: change(y)))

    return {"bind": bind}


def leak(y):
    y[..., 0] += y[..., 1]


def forget_nan(y):
    np.nan_to_num(y, copy=False)


def round_float32(y):
    if y.dtype == np.float32:
        y *= np.float32(1 + 1e-4)


def draw(y):
    y += np.random.default_rng().random()


def add_too_much(self, setting, weights, arrays):
    bound = DenseLayer.bind(self, setting, weights, arrays)
    return replace(bound, backward=(*bound.backward, lambda: arrays.gradient.__iadd__(1e-3)))


FAULTS = {
    "a window's output depends on the others": (suite._windows_apart, after_forward(leak)),
    "NaN in a window's input did not reach": (suite._nan_stays, after_forward(forget_nan)),
    "NaN in one window reached another": (suite._nan_stays, after_forward(lambda y: y.__imul__(y.sum() * 0 + 1))),
    "away from float64": (suite._same_in_float32, after_forward(round_float32)),
    "the same seed gave other bits": (suite._same_bits, after_forward(draw)),
    "windows with a zero gradient changed the sum": (suite._gradients_add, {"bind": add_too_much}),
}


@pytest.mark.parametrize("message", FAULTS)
def test_faults_of_layers_are_caught(message):
    check, members = FAULTS[message]
    faulty = type("FaultyLayer", (DenseLayer,), members)

    @dataclass(frozen=True)
    class Faulty(Dense):
        def layer(self, shape):
            return faulty(self, shape)

    with pytest.raises(AssertionError, match=message):
        check(lambda: Faulty(3), 33)
    check(lambda: Dense(3), 33)


def test_the_check_leaves_everything_as_it_was():
    net = Sequential([Dense(2)]).build((3, 2), dtype=np.float64)
    x = np.random.default_rng(0).standard_normal((2, 3, 2))
    theta, kept = net.theta.copy(), x.copy()
    check_gradient(net, x)
    np.testing.assert_array_equal(net.theta, theta)
    np.testing.assert_array_equal(x, kept)


def test_the_check_needs_float64():
    with pytest.raises(TypeError, match="`net` must be built with dtype=numpy.float64; got float32."):
        check_gradient(Sequential([Dense(2)]).build((3, 2)), np.zeros((1, 3, 2)))


def test_gates_of_a_matrix_must_be_neighbours():
    with pytest.raises(TypeError, match="must stand next to each other in GATES"):

        class Torn(Cell):
            __slots__ = ()
            GATES = "a b c"
            INPUT = "a c"
