"""A network seen at work: gradients of the state at every step, and saturation, against their definitions."""

import numpy as np
import pytest

from tsrnn.kernels.gather import Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn import (
    CELLS,
    GRU,
    LSTM,
    MSE,
    Attention,
    Bidirectional,
    Dense,
    Dilated,
    Flatten,
    Residual,
    Sequential,
    SimpleRNN,
)
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.training.looking import attended, look
from tsrnn.training.tasks import WindowTask

STEPS, FEATURES, COUNT = 6, 2, LANES + 3
ROWS = np.random.default_rng(0).standard_normal((100, FEATURES))
ORIGINS = np.random.default_rng(1).integers(STEPS - 1, 98, COUNT)
X = ROWS[ORIGINS[:, None] + np.arange(1 - STEPS, 1)]
WANTED = ROWS[ORIGINS + 1, :1]


def at_work(*hidden, scale=1.0):
    network = Network([*hidden, Dense(1)], Shape(STEPS, FEATURES), np.float64)
    task = WindowTask(Series(ROWS.ravel(), FEATURES, 1, STEPS, 1, 0, 1, 0), MSE())
    return network, task, network.initial(2) * scale


def looked(*hidden, scale=1.0):
    network, task, theta = at_work(*hidden, scale=scale)
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


def test_gradient_flow_in_both_directions():
    """Each from the last step that it reads."""
    found, theta = looked(Bidirectional(GRU(4)))
    assert list(found.flow) == ["bidirectional_0 forward", "bidirectional_0 backward"]
    d_y = 2 * (built(STEPS, theta, Bidirectional(GRU(4)))(X) - WANTED)
    for back in range(1, STEPS):
        read = STEPS - back
        for direction, (seen, rest) in enumerate(((X[:, :read], X[:, read:]), (X[:, back:], X[:, :back]))):
            _, ((*states,), _) = built(read, theta, Bidirectional(GRU(4)))(seen, return_state=True)
            net = built(back, theta, Bidirectional(GRU(4)))
            net.forward(rest, training=True, initial_state=[states, None])
            net.backward(d_y)
            wanted = np.linalg.norm(net.d_initial_state[0][direction], axis=1).mean()
            assert list(found.flow.values())[direction][back] == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("dilation", [1, 4])  # with 4 the sequences that the steps fall into differ in length
def test_inside_of_wrapped_layers(dilation):
    inner = SimpleRNN(FEATURES, return_sequences=True)
    layer, name = (inner, "simplernn") if dilation == 1 else (Dilated(inner, dilation), "dilated")
    found, theta = looked(Residual(layer), Flatten(), scale=2.0)
    states = Sequential([layer]).build((STEPS, FEATURES), dtype=np.float64)
    states.theta = theta[: states.count_params()]
    h, recurrent_kernel = states(X), states.get_weights()[1]
    error = 2 * (built(STEPS, theta, Residual(layer), Flatten())(X) - WANTED)
    head = theta[states.count_params() : -1].reshape(STEPS, FEATURES)
    d_h = error[:, None] * head
    for step in range(STEPS - 1 - dilation, -1, -1):
        after = step + dilation
        d_h[:, step] += (d_h[:, after] * (1 - h[:, after] ** 2)) @ recurrent_kernel.T
    wanted = np.linalg.norm(d_h, axis=2).mean(axis=0)[::-1]
    assert list(found.flow) == list(found.saturated) == [f"residual_0 {name}"]
    np.testing.assert_allclose(found.flow[f"residual_0 {name}"], wanted, rtol=1e-10)
    share = (1 - h**2 < 0.1).mean()
    assert 0 < share < 1
    assert found.saturated[f"residual_0 {name}"] == {"h": pytest.approx(share, rel=1e-12)}


def test_attention():
    layers = GRU(4, return_sequences=True), Attention(kind="dot")
    network, task, theta = at_work(*layers)
    found = attended(network, task, theta, ORIGINS)
    wanted = built(STEPS, theta, *layers).attention_weights(X)
    assert list(found) == list(wanted) == ["attention_1"]
    np.testing.assert_array_equal(found["attention_1"], wanted["attention_1"])
    assert attended(*at_work(GRU(4)), ORIGINS) == {}


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
