"""Penalties on activity: nothing is changed on the way, and the loss and its gradient are those of the definition."""

import numpy as np
import pytest

from tsrnn.kernels.gather import Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, MSE, ActivityPenalty, Bidirectional, Dense, Dilated, Residual, Sequential
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.testing import check_gradient, check_layer
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team
from tsrnn.training.tiles import TileEngine

L1, L2 = 0.3, 0.7


def plain(values):
    return (L1 * np.abs(values) + L2 * values**2).sum() / len(values)


@pytest.mark.parametrize("batch", [1, LANES, LANES + 3])
def test_value_and_gradient(batch):
    net = Sequential([ActivityPenalty(L1, L2)]).build((4, 3), dtype=np.float64)
    x = np.random.default_rng(0).standard_normal((batch, 4, 3))
    x[0, 0, 0] = 0
    assert net.penalty == 0
    np.testing.assert_array_equal(net(x), x)
    y = net.forward(x, training=True)
    np.testing.assert_array_equal(y, x)
    assert net.penalty == pytest.approx(plain(x), rel=1e-13)
    d_y = np.random.default_rng(1).standard_normal(x.shape)
    np.testing.assert_allclose(net.backward(d_y), d_y + (L1 * np.sign(x) + 2 * L2 * x) / batch, rtol=1e-13)


def test_masked_steps_do_not_count():
    net = Sequential([ActivityPenalty(L1, L2), GRU(2)]).build((4, 3), random_state=1, dtype=np.float64)
    rng = np.random.default_rng(0)
    x, mask = rng.standard_normal((LANES + 2, 4, 3)), rng.random((LANES + 2, 4)) < 0.6
    net.forward(x, training=True, mask=mask)
    assert net.penalty == pytest.approx(plain(x * mask[..., None]), rel=1e-13)
    assert check_gradient(net, x[:3], mask=mask[:3]) < 1e-6


def test_conformance():
    check_layer(lambda: ActivityPenalty(0.0, 0.0))


RATES = {"activity_l1": L1, "activity_l2": L2}


def wrapped_alike(kind, **options):
    """A recurrent layer in the wrappers whose output is what it gives."""
    return {"alone": GRU(3, **options), "dilated": Dilated(GRU(3, **options), 2)}[kind]


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("kind", ["alone", "dilated"])
def test_of_recurrent_layers_it_is_that_layer_behind_them(kind, sequences):
    common = {"return_sequences": sequences, "go_backwards": True}
    spec = wrapped_alike(kind, **RATES, **common)
    behind = [wrapped_alike(kind, **common), ActivityPenalty(L1, L2)]
    nets = [Sequential([*some, GRU(2)]).build((5, 2), dtype=np.float64) for some in ([spec], behind)]
    rng = np.random.default_rng(0)
    x, mask = rng.standard_normal((LANES + 3, 5, 2)), rng.random((LANES + 3, 5)) < 0.6
    for marks in (None, mask, mask):
        found = []
        for net in nets:
            y = net.forward(x, training=True, mask=marks)
            found.append([y, net.penalty, net.backward(np.cos(y)), *net.grads()])
        for one, other in zip(*found, strict=True):
            np.testing.assert_array_equal(one, other)
        assert found[0][1] > 0.1


def test_in_wrappers_that_change_the_output_it_is_of_what_the_layer_gives():
    spec = GRU(3, return_sequences=True, **RATES)
    net = Sequential([Dense(3), Residual(spec), Bidirectional(GRU(2, **RATES), merge_mode="mul")]).build(
        (4, 2), random_state=1, dtype=np.float64
    )
    x = np.random.default_rng(0).standard_normal((3, 4, 2))
    dense, residual, both = (net.get_weights()[part] for part in (slice(2), slice(2, 5), slice(5, None)))
    inner = Sequential([Dense(3), GRU(3, return_sequences=True)]).build((4, 2), dtype=np.float64)
    inner.set_weights([*dense, *residual])
    states = inner(x)
    total = plain(states)
    for half, backwards in ((both[:3], False), (both[3:], True)):
        one = Sequential([GRU(2, go_backwards=backwards)]).build((4, 3), dtype=np.float64)
        one.set_weights(half)
        total += plain(one(states + x @ dense[0] + dense[1]))
    net.forward(x, training=True)
    assert net.penalty == pytest.approx(total, rel=1e-12)
    assert check_gradient(net, x) < 1e-6


def test_gradient_between_other_layers():
    layers = [GRU(3, return_sequences=True), ActivityPenalty(L1, L2), GRU(2), ActivityPenalty(l2=L2), Dense(2)]
    net = Sequential(layers).build((4, 2), random_state=1, dtype=np.float64)
    assert check_gradient(net, np.random.default_rng(0).standard_normal((LANES + 2, 4, 2))) < 1e-6


@pytest.mark.parametrize("n_threads", [1, 2])
def test_training_and_validation_losses_include_it(n_threads):
    count, rows = LANES + 5, np.random.default_rng(0).standard_normal((200, 2))
    series = Series(rows.ravel(), 2, 1, 6, 1, 0, 2, 0)
    origins = np.random.default_rng(1).integers(5, 190, count)
    losses = {}
    for name, hidden in {
        "without": [GRU(3)],
        "with": [GRU(3), ActivityPenalty(L1, L2)],
    }.items():
        network = Network([*hidden, Dense(2)], Shape(6, 2), np.float64)
        with Team(n_threads) as team:
            engine, theta = TileEngine(network, WindowTask(series, MSE()), team), network.initial(2)
            losses[name] = (
                engine.loss_and_gradient(theta, origins, np.zeros(0), 0),
                engine.evaluate(theta, origins, np.ones((count, 1)))[0],
            )
    net = Sequential([GRU(3)]).build((6, 2), dtype=np.float64)
    net.theta = network.initial(2)[: net.count_params()]
    states = net(rows[origins[:, None] + np.arange(-5, 1)])
    for found, without in zip(losses["with"], losses["without"], strict=True):
        assert found - without == pytest.approx(plain(states), rel=1e-10)


@pytest.mark.parametrize("strengths", [{"l1": -1.0}, {"l2": "big"}])
def test_bad_strengths(strengths):
    with pytest.raises((TypeError, ValueError), match="ActivityPenalty"):
        ActivityPenalty(**strengths)
