"""Forecasts that are fed back, against a plain loop over the oracles."""

import numpy as np
import pytest
from cell_kinds import KINDS
from reference import layers as oracle_layers
from reference import losses as oracle_losses
from reference import recurrent as oracle

from tsrnn.kernels.gather import NORMS, Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn import MSE, Dense, Dropout
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.training.recursive import RecursiveTask, one_row_ahead
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team
from tsrnn.training.tiles import TileEngine

ROWS, CHANNELS, LOOKBACK, SAMPLING, GAP, HORIZON = 150, 2, 5, 2, 3, 4
SPAN = (LOOKBACK - 1) * SAMPLING + 1


def values_of(dtype):
    return np.random.default_rng(0).standard_normal((ROWS, CHANNELS)).astype(dtype)


def origins_of(count):
    return np.random.default_rng(1).integers(SPAN - 1, ROWS - GAP - HORIZON, count)


def engine_of(team, kind="rnn", norm=None, dtype=np.float64, task=RecursiveTask):
    series = Series(values_of(dtype).ravel(), CHANNELS, CHANNELS, LOOKBACK, SAMPLING, GAP, HORIZON, NORMS[norm])
    specs = [KINDS[kind](6, dropout=0.3), Dropout(0.2), Dense(CHANNELS)]
    network = Network(specs, Shape(LOOKBACK, CHANNELS), dtype)
    rng = np.random.default_rng(2)
    return TileEngine(network, task(series, MSE()), team), rng.standard_normal(network.layout.size).astype(dtype) / 3


def plain(kind, norm, weights, origins):
    """(windows, horizon, targets): one row at a time, of windows that end in the rows forecast before."""
    *recurrent, kernel, bias = [np.asarray(array, np.float64) for array in weights]
    rows = values_of(np.float64)[origins[:, None] + np.arange(1 - SPAN, 1)]
    for _ in range(GAP + HORIZON):
        x = rows[:, -SPAN::SAMPLING]
        center, scale = np.zeros((len(x), 1, CHANNELS)), np.ones((len(x), 1, CHANNELS))
        if norm is not None:
            center = x[:, -1:] if norm == "last" else x.mean(axis=1, keepdims=True)
        if norm == "standard":
            scale = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        h, _ = oracle.forward(kind, (x - center) / scale, recurrent)
        forecast = oracle_layers.dense_forward(h, kernel, bias)[:, None]
        rows = np.concatenate([rows, forecast * scale + center], axis=1)
    return rows[:, -HORIZON:]


@pytest.fixture(scope="module")
def team():
    with Team(2) as made:
        yield made


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("kind", "norm", "count"),
    [("rnn", None, 1), ("gru", "last", LANES), ("lstm", "mean", 2 * LANES + 5), ("rnn", "standard", LANES + 1)],
)
def test_forecasts_and_errors(team, kind, norm, count, dtype):
    engine, theta = engine_of(team, kind, norm, dtype)
    origins = origins_of(count)
    expected = plain(kind, norm, engine.network.layout.named(theta).values(), origins)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(engine.predict(theta, origins), expected, rtol=0, atol=tolerance)
    actual = values_of(np.float64)[origins[:, None] + GAP + 1 + np.arange(HORIZON)]
    units = np.random.default_rng(2).uniform(1, 9, (count, CHANNELS))
    loss, absolute = engine.evaluate(theta, origins, units)
    assert loss == pytest.approx(oracle_losses.mse(actual, expected), rel=tolerance)
    errors = np.abs(expected - actual) * units[:, None]
    np.testing.assert_allclose(absolute, errors.mean(axis=(0, 1)), rtol=10 * tolerance)


def test_same_bits_for_any_number_of_threads_and_again():
    found = []
    for n_threads in (1, 2, 3):
        with Team(n_threads) as threads:
            engine, theta = engine_of(threads, dtype=np.float32)
            found += [engine.predict(theta, origins_of(3 * LANES + 7)).tobytes() for _ in range(2)]
    assert len(set(found)) == 1


def test_training_is_one_row_ahead(team):
    """The loss is that of the row after the window, wherever the forecasts begin."""
    engine, theta = engine_of(team)
    network = Network([*engine.network.specs[:1], *engine.network.specs[2:]], engine.network.input, np.float64)
    trained = TileEngine(network, WindowTask(one_row_ahead(engine.task.series), MSE()), team)
    origins = origins_of(LANES + 3)
    rows = values_of(np.float64)
    *recurrent, kernel, bias = network.layout.named(theta).values()
    h, _ = oracle.forward("rnn", rows[origins[:, None] + np.arange(1 - SPAN, 1, SAMPLING)], recurrent)
    expected = oracle_layers.dense_forward(h, kernel, bias)
    loss, _ = trained.evaluate(theta, origins, np.ones((origins.size, CHANNELS)))
    assert loss == pytest.approx(oracle_losses.mse(rows[origins + 1], expected), rel=1e-12)


def test_there_is_no_gradient(team):
    engine, theta = engine_of(team)
    with pytest.raises(TypeError, match="one_row_ahead"):
        engine.loss_and_gradient(theta, origins_of(3), np.zeros(0), 0)
