"""A network whose output is a distribution of each number: losses, gradients and outputs on windows of a series."""

import numpy as np
import pytest
from reference import heads as oracle
from reference import layers as oracle_layers
from reference.differences import numerical_gradient, worst_error

from tests.training.test_tiles import GAP, HORIZON, NO_WEIGHTS, ROWS, TARGETS, origins_of, values_of, windows_of
from tsrnn.kernels.gather import NORMS, Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn import Dense, Flatten
from tsrnn.nn.heads import DISTRIBUTIONS, Quantile
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team
from tsrnn.training.tiles import TileEngine

LEVELS = (0.1, 0.5, 0.8)
CHANNELS, LOOKBACK, SAMPLING, COUNT = 3, 5, 2, LANES + 5
UNITS = np.random.default_rng(4).uniform(0.5, 3, (ROWS, TARGETS))


def engine_of(team, head, norm, units=np.zeros(0)):  # noqa: B008
    series = Series(values_of(np.float64).ravel(), CHANNELS, TARGETS, LOOKBACK, SAMPLING, GAP, HORIZON, NORMS[norm])
    layers = [Flatten(), Dense(HORIZON * TARGETS * head.width)]
    network = Network(layers, Shape(LOOKBACK, CHANNELS), np.float64)
    return TileEngine(network, WindowTask(series, head, units), team), network.initial(1)


def raw_of(engine, theta, x):
    kernel, bias = engine.network.layout.named(theta).values()
    raw = oracle_layers.dense_forward(x.reshape(len(x), -1), kernel, bias)
    return raw.reshape(len(x), HORIZON, TARGETS, -1)


def losses_of(name, raw, wanted, unit):
    rest = (LEVELS,) if name == "pinball" else ()
    one = getattr(oracle, name)
    flat = zip(raw.reshape(-1, raw.shape[-1]), wanted.ravel(), unit.ravel(), strict=True)
    return np.array([one(*given, *rest) for given in flat]).reshape(wanted.shape)


@pytest.fixture(scope="module")
def team():
    with Team(2) as made:
        yield made


@pytest.mark.parametrize(("name", "norm"), [("pinball", "standard"), ("gaussian", None), ("student_t", "standard")])
def test_losses_and_scores_are_composed(name, norm, team):
    head = Quantile(LEVELS) if name == "pinball" else DISTRIBUTIONS[name]
    engine, theta = engine_of(team, head, norm)
    origins = origins_of(COUNT)
    x, y, center, scale = windows_of(origins, norm)
    raw, unit = raw_of(engine, theta, x), np.broadcast_to(scale, y.shape)
    losses = losses_of(name, raw, (y - center) / scale, unit)
    weights = np.random.default_rng(2).uniform(size=ROWS)
    rows = origins[:, None] + GAP + 1 + np.arange(HORIZON)
    found = engine.loss_and_gradient(theta, origins, weights, 0)
    assert found == pytest.approx((losses * weights[rows][:, :, None]).mean(), rel=1e-7)
    worth = np.random.default_rng(3).uniform(size=(COUNT, TARGETS))
    loss, errors = engine.evaluate(theta, origins, worth)
    middle = LEVELS.index(0.5) if name == "pinball" else 0
    expected = np.abs(raw[..., middle] * scale + center - y) * worth[:, None]
    assert loss == pytest.approx(losses.mean(), rel=1e-7)
    np.testing.assert_allclose(errors, expected.mean(axis=(0, 1)), rtol=1e-9)


def test_counts_are_measured_in_their_units(team):
    """In each window's own: the scaled numbers times units are what is counted."""
    head = DISTRIBUTIONS["negative_binomial"]
    series_values = np.random.default_rng(5).poisson(2, (ROWS, CHANNELS)) / np.hstack([UNITS, np.ones((ROWS, 1))])
    engine, theta = engine_of(team, head, None, UNITS)
    origins = origins_of(COUNT)
    engine.task.series.values[:] = series_values.ravel()
    x = series_values[origins[:, None] - np.arange(LOOKBACK - 1, -1, -1) * SAMPLING]
    rows = origins[:, None] + GAP + 1 + np.arange(HORIZON)
    raw = raw_of(engine, theta, x)
    losses = losses_of("negative_binomial", raw, series_values[rows][..., :TARGETS], UNITS.astype(np.float32)[rows])
    assert engine.loss_and_gradient(theta, origins, NO_WEIGHTS, 0) == pytest.approx(losses.mean(), rel=1e-6)
    out = engine.predict(theta, origins)
    np.testing.assert_allclose(out[..., 0], oracle.softplus(raw[..., 0]) + oracle.SMALLEST, rtol=1e-9)
    np.testing.assert_allclose(out[..., 1], oracle.softplus(raw[..., 1]) + oracle.SMALLEST, rtol=1e-9)


@pytest.mark.parametrize(("name", "norm"), [("pinball", "last"), ("student_t", "standard"), ("poisson", None)])
def test_gradients_are_differences_of_the_loss(name, norm, team):
    head = Quantile(LEVELS) if name == "pinball" else DISTRIBUTIONS[name]
    engine, theta = engine_of(team, head, norm, UNITS if name == "poisson" else np.zeros(0))
    if name == "poisson":
        np.abs(engine.task.series.values, out=engine.task.series.values)
    origins = origins_of(LANES + 3)
    engine.loss_and_gradient(theta, origins, NO_WEIGHTS, 0)
    found = engine.gradient.copy()
    expected = numerical_gradient(lambda: engine.loss_and_gradient(theta, origins, NO_WEIGHTS, 0), theta)
    assert worst_error(found, expected) < 1e-5


def test_outputs_have_level_and_spread_put_back(team):
    engine, theta = engine_of(team, Quantile(LEVELS), "standard")
    origins = origins_of(COUNT)
    x, _, center, scale = windows_of(origins, "standard")
    raw = raw_of(engine, theta, x)
    expected = np.array([oracle.quantiles(each, LEVELS) for each in raw.reshape(-1, 3)]).reshape(raw.shape)
    np.testing.assert_allclose(engine.predict(theta, origins), expected * scale[..., None] + center[..., None])
