"""A network on the windows of a series: losses, gradients and forecasts against composed oracles."""

import numpy as np
import pytest
from reference import layers as oracle_layers
from reference import losses as oracle_losses
from reference import recurrent as oracle
from reference.differences import numerical_gradient, worst_error

from tsrnn.kernels import contractions
from tsrnn.kernels.gather import NORMS, Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn import (
    GRU,
    MAE,
    MSE,
    AveragePool1D,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool1D,
    Huber,
    LayerNorm,
    MaxPool1D,
    RepeatVector,
    Residual,
    Sequential,
    SimpleRNN,
)
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.training import threads, tiles
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team
from tsrnn.training.tiles import TileEngine

ROWS, CHANNELS, TARGETS, LOOKBACK, SAMPLING, GAP, HORIZON = 150, 3, 2, 5, 2, 3, 2
NO_WEIGHTS = np.zeros(0)
LOSSES = {
    "mse": (MSE(), oracle_losses.mse, oracle_losses.d_mse),
    "mae": (MAE(), oracle_losses.mae, oracle_losses.d_mae),
    "huber": (
        Huber(0.4),
        lambda target, found: oracle_losses.huber(target, found, 0.4),
        lambda target, found: oracle_losses.d_huber(target, found, 0.4),
    ),
}


def values_of(dtype):
    return np.random.default_rng(0).standard_normal((ROWS, CHANNELS)).astype(dtype)


def engine_of(team, *hidden, loss=MSE(), norm=None, dtype=np.float64, seed=3):  # noqa: B008  (frozen)
    """A fresh engine, and weights."""
    series = Series(values_of(dtype).ravel(), CHANNELS, TARGETS, LOOKBACK, SAMPLING, GAP, HORIZON, NORMS[norm])
    network = Network([*hidden, Dense(HORIZON * TARGETS)], Shape(LOOKBACK, CHANNELS), dtype)
    return TileEngine(network, WindowTask(series, loss), team, seed), network.initial(1)


def origins_of(count, seed=1):
    first, last = (LOOKBACK - 1) * SAMPLING, ROWS - GAP - HORIZON
    return np.random.default_rng(seed).integers(first, last, count)


def windows_of(origins, norm):
    """Inputs, targets (windows, horizon, targets), center and scale (windows, 1, targets), by plain indexing."""
    values = values_of(np.float64)
    x = values[origins[:, None] - np.arange(LOOKBACK - 1, -1, -1) * SAMPLING]
    y = values[origins[:, None] + GAP + 1 + np.arange(HORIZON), :TARGETS]
    seen = x[:, :, :TARGETS]
    center, scale = np.zeros((len(x), 1, TARGETS)), np.ones((len(x), 1, TARGETS))
    if norm is not None:
        center = seen[:, -1:].copy() if norm == "last" else seen.mean(axis=1, keepdims=True)
    if norm == "standard":
        scale = np.sqrt(seen.var(axis=1, keepdims=True) + 1e-5)
    x[:, :, :TARGETS] = (seen - center) / scale
    return x, y, center, scale


class Composed:
    """SimpleRNN and Dense by the oracles."""

    def __init__(self, weights, origins, norm):
        self.weights = weights
        self.x, self.y, self.center, self.scale = windows_of(origins, norm)
        self.h, _ = oracle.forward("rnn", self.x, weights[:3])
        out = oracle_layers.dense_forward(self.h, *weights[3:]).reshape(self.y.shape)
        self.forecast = out * self.scale + self.center

    def gradient(self, d_forecast):
        d_out = (d_forecast * self.scale).reshape(len(self.x), -1)
        d_h, *d_dense = oracle_layers.dense_backward(self.h, *self.weights[3:], d_out)
        d_rnn = oracle.backward("rnn", self.x, self.weights[:3], d_h).weights
        return np.concatenate([part.ravel() for part in (*d_rnn, *d_dense)])


def composed(engine, theta, origins, norm=None):
    return Composed(list(engine.network.layout.named(theta).values()), origins, norm)


@pytest.fixture(scope="module")
def team():
    with Team(2) as made:
        yield made


@pytest.mark.parametrize("count", [1, LANES, 2 * LANES + 5])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradient(team, name, count):
    loss, value, slope = LOSSES[name]
    engine, theta = engine_of(team, SimpleRNN(5), loss=loss)
    origins = origins_of(count)
    found = engine.loss_and_gradient(theta, origins, NO_WEIGHTS, 0)
    expected = composed(engine, theta, origins)
    assert found == pytest.approx(value(expected.y, expected.forecast), rel=1e-12)
    gradient = expected.gradient(slope(expected.y, expected.forecast))
    np.testing.assert_allclose(engine.gradient, gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("norm", ["last", "mean", "standard"])
def test_instance_norm_and_weights_of_rows(team, norm):
    engine, theta = engine_of(team, SimpleRNN(5), norm=norm)
    origins = origins_of(LANES + 7)
    weights = np.random.default_rng(2).uniform(0, 3, ROWS)
    expected = composed(engine, theta, origins, norm)
    of_targets = weights[origins[:, None] + GAP + 1 + np.arange(HORIZON)][:, :, None]
    found = engine.loss_and_gradient(theta, origins, weights, 0)
    assert found == pytest.approx(np.mean(of_targets * (expected.forecast - expected.y) ** 2), rel=1e-12)
    gradient = expected.gradient(of_targets * oracle_losses.d_mse(expected.y, expected.forecast))
    np.testing.assert_allclose(engine.gradient, gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("norm", [None, "standard"])
@pytest.mark.parametrize("count", [1, 2 * LANES + 5])
def test_predict_and_evaluate(team, count, norm):
    engine, theta = engine_of(team, SimpleRNN(5), norm=norm)
    origins = origins_of(count)
    expected = composed(engine, theta, origins, norm)
    np.testing.assert_allclose(engine.predict(theta, origins), expected.forecast, rtol=0, atol=1e-12)
    units = np.random.default_rng(2).uniform(1, 9, (count, TARGETS))
    loss, absolute = engine.evaluate(theta, origins, units)
    assert loss == pytest.approx(oracle_losses.mse(expected.y, expected.forecast), rel=1e-12)
    errors = np.abs(expected.y - expected.forecast) * units[:, None]
    np.testing.assert_allclose(absolute, errors.mean(axis=(0, 1)), rtol=1e-12)


STACKS = {
    "dropout": (GRU(3, dropout=0.3, recurrent_dropout=0.3, return_sequences=True), Dropout(0.2), GRU(2)),
    "convolutions": (Conv1D(3, 2, activation="tanh"), AveragePool1D(2), LayerNorm(), Residual(Dense(3)), Flatten()),
    "vectors": (GRU(3), RepeatVector(4), GRU(2, return_sequences=True), MaxPool1D(2), GlobalAveragePool1D()),
}


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
def test_gradient_of_other_layers_against_central_differences(team, stack):
    engine, theta = engine_of(team, *stack, loss=Huber(0.5))
    origins = origins_of(LANES + 3)

    def loss():
        return engine.loss_and_gradient(theta, origins, NO_WEIGHTS, 7)

    loss()
    found = engine.gradient.copy()
    assert worst_error(found, numerical_gradient(loss, theta)) < 1e-6


def test_dropout_is_that_of_the_network_on_the_whole_batch(team):
    """Every window and layer has masks of its own, whatever tile it is in."""
    layers = (SimpleRNN(5, dropout=0.3, recurrent_dropout=0.3), Dropout(0.2))
    engine, theta = engine_of(team, *layers)
    origins = origins_of(2 * LANES + 5)
    found = engine.loss_and_gradient(theta, origins, NO_WEIGHTS, 4)
    net = Sequential([*layers, Dense(HORIZON * TARGETS)]).build((LOOKBACK, CHANNELS), engine.seed, np.float64)
    net.theta, net.training_steps = theta, 4
    x, y, *_ = windows_of(origins, None)
    out = net.forward(x, training=True)
    assert found == pytest.approx(oracle_losses.mse(y.reshape(out.shape), out), rel=1e-12)


DROPPED = (GRU(5, dropout=0.2, recurrent_dropout=0.3), Dropout(0.1))


def bits(n_threads, counts):
    """Losses, gradients and forecasts in float32, of batches one after another."""
    out = []
    with Team(n_threads) as team:
        engine, theta = engine_of(team, *DROPPED, dtype=np.float32)
        for step, count in enumerate(counts):
            loss = engine.loss_and_gradient(theta, origins_of(count), NO_WEIGHTS.astype(np.float32), step)
            out += [
                np.float64(loss).tobytes(),
                engine.gradient.tobytes(),
                engine.predict(theta, origins_of(count)).tobytes(),
            ]
    return out


@pytest.mark.parametrize("shared", [False, True], ids=["a partial for each tile", "tiles share partials"])
def test_same_bits_for_any_number_of_threads(shared, monkeypatch):
    if shared:
        monkeypatch.setattr(tiles, "MANY", 0)
        monkeypatch.setattr(tiles, "SHARED_PARTIALS", 3)
    counts = [7 * LANES + 5, 3, 2 * LANES]
    one = bits(1, counts)
    assert len(set(one)) == len(one)
    for n_threads in (2, 3, 4):
        assert bits(n_threads, counts) == one


def test_long_vectors_are_worked_on_by_all_threads_with_the_same_bits(monkeypatch):
    """Packing, the sum of the partial gradients and unpacking, cut into pieces."""
    alone = bits(1, [3 * LANES])
    monkeypatch.setattr(threads, "PART", 50)
    monkeypatch.setattr(threads, "WORTH_SPREADING", 0)
    monkeypatch.setattr(contractions, "PIECE", 40)
    for n_threads in (1, 2, 3):
        assert bits(n_threads, [3 * LANES]) == alone


def test_tiles_that_share_partials_give_the_same_sums(team, monkeypatch):
    engine, theta = engine_of(team, SimpleRNN(5))
    origins = origins_of(7 * LANES + 5)
    engine.loss_and_gradient(theta, origins, NO_WEIGHTS, 0)
    apart = engine.gradient.copy()
    monkeypatch.setattr(tiles, "MANY", 0)
    monkeypatch.setattr(tiles, "SHARED_PARTIALS", 3)
    sharing, _ = engine_of(team, SimpleRNN(5))
    sharing.loss_and_gradient(theta, origins, NO_WEIGHTS, 0)
    np.testing.assert_allclose(sharing.gradient, apart, rtol=0, atol=1e-13)


def test_nothing_is_left_over_from_the_batch_before(team):
    engine, theta = engine_of(team, *DROPPED, dtype=np.float32)
    fresh, _ = engine_of(team, *DROPPED, dtype=np.float32)
    none = NO_WEIGHTS.astype(np.float32)
    engine.loss_and_gradient(theta, origins_of(3 * LANES), none, 0)
    engine.predict(theta, origins_of(3 * LANES))
    later = engine.loss_and_gradient(theta, origins_of(5, seed=9), none, 4)
    assert later == fresh.loss_and_gradient(theta, origins_of(5, seed=9), none, 4)
    np.testing.assert_array_equal(engine.gradient, fresh.gradient)


def test_dropout_follows_step_and_seed_and_spares_forecasts(team):
    none, origins = NO_WEIGHTS.astype(np.float32), origins_of(40)
    engine, theta = engine_of(team, *DROPPED, dtype=np.float32)
    other, _ = engine_of(team, *DROPPED, dtype=np.float32, seed=4)
    losses = [engine.loss_and_gradient(theta, origins, none, step) for step in (0, 1, 0)]
    assert losses[0] == losses[2] != losses[1]
    assert other.loss_and_gradient(theta, origins, none, 0) != losses[0]
    np.testing.assert_array_equal(engine.predict(theta, origins), other.predict(theta, origins))
