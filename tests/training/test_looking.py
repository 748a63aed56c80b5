"""A network seen at work: gradients of the state at every step, and saturation, against their definitions."""

import numpy as np
import pytest

from tsrnn.kernels.gather import Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn import CELLS, GRU, LSTM, MSE, Dense, Sequential, SimpleRNN
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.training.looking import look
from tsrnn.training.tasks import WindowTask

STEPS, FEATURES, COUNT = 6, 2, LANES + 3
ROWS = np.random.default_rng(0).standard_normal((100, FEATURES))
ORIGINS = np.random.default_rng(1).integers(STEPS - 1, 98, COUNT)
X = ROWS[ORIGINS[:, None] + np.arange(1 - STEPS, 1)]
WANTED = ROWS[ORIGINS + 1, :1]


def looked(*hidden, scale=1.0):
    network = Network([*hidden, Dense(1)], Shape(STEPS, FEATURES), np.float64)
    theta = network.initial(2) * scale
    task = WindowTask(Series(ROWS.ravel(), FEATURES, 1, STEPS, 1, 0, 1, 0), MSE())
    return look(network, task, theta, ORIGINS), theta


def built(steps, theta, *layers):
    net = Sequential([*layers, Dense(1)]).build((steps, FEATURES), dtype=np.float64)
    net.theta = theta
    return net


@pytest.mark.parametrize("kind", [SimpleRNN, GRU, LSTM], ids=lambda kind: kind.__name__)
def test_gradient_flow(kind):
    """The gradient with respect to the state after t steps is that of the initial state of the steps that follow."""
    found, theta = looked(kind(4))
    (norms,) = found.flow.values()
    y = built(STEPS, theta, kind(4))(X)
    assert norms.shape == (STEPS,)
    for back in range(1, STEPS):
        first = STEPS - back
        state = states_after(kind, theta, first)
        net = built(back, theta, kind(4))
        net.forward(X[:, first:], training=True, initial_state=[state, None])
        net.backward(2 * (y - WANTED))
        wanted = np.linalg.norm(net.d_initial_state[0][0], axis=1).mean()
        assert norms[back] == pytest.approx(wanted, rel=1e-10)
    head = theta[-5:-1]
    assert norms[0] == pytest.approx(np.abs(2 * (y - WANTED)).mean() * np.linalg.norm(head), rel=1e-10)


def states_after(kind, theta, steps):
    net = Sequential([kind(4, stateful=True)]).build((steps, FEATURES), dtype=np.float64)
    net.theta = theta[: net.count_params()]
    net(X[:, :steps])
    return tuple(net._carried.current()[0])


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_can_be_looked_at(name):
    found, _ = looked(CELLS[name](3, return_sequences=True), CELLS[name](5))
    assert [len(norms) for norms in found.flow.values()] == [STEPS, STEPS]
    cell = CELLS[name](3).cell
    for gates in found.saturated.values():
        assert list(gates) == [*cell.ACTIVATED.split(), *cell.GATED.split()]
        assert all(0 <= share <= 1 for share in gates.values())


@pytest.mark.parametrize("hidden", [1, 5, 33])
def test_saturation(hidden):
    """Of the simple cell, whose state is all there is."""
    found, theta = looked(SimpleRNN(hidden), scale=2.0)
    net = Sequential([SimpleRNN(hidden, return_sequences=True)]).build((STEPS, FEATURES), dtype=np.float64)
    net.theta = theta[: net.count_params()]
    states = net(X)
    (gates,) = found.saturated.values()
    assert gates == {"h": pytest.approx((1 - states**2 < 0.1).mean(), rel=1e-12)}
    assert 0 < gates["h"] < 1


def test_gates_of_the_gru():
    """r and z from their definition; with units that do not fill blocks."""
    found, theta = looked(GRU(3), scale=6.0)
    net = Sequential([GRU(3)]).build((STEPS, FEATURES), dtype=np.float64)
    net.theta = theta[: net.count_params()]
    kernel, recurrent, bias = net.get_weights()
    h, saturated = np.zeros((COUNT, 3)), {"z": [], "r": [], "n": []}
    for step in range(STEPS):
        x_part, h_part = X[:, step] @ kernel + bias[0], h @ recurrent + bias[1]
        z, r = (1 / (1 + np.exp(-(x_part + h_part)[:, k * 3 : k * 3 + 3])) for k in (0, 1))
        n = np.tanh(x_part[:, 6:] + r * h_part[:, 6:])
        h = z * h + (1 - z) * n
        for name, value in (("z", z), ("r", r)):
            saturated[name].append(value * (1 - value) < 0.1 * 0.25)
        saturated["n"].append(1 - n**2 < 0.1)
    (gates,) = found.saturated.values()
    assert gates == {name: pytest.approx(np.mean(values), rel=1e-12) for name, values in saturated.items()}
