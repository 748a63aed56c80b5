"""Outputs with dropout: one set of masks for each path, held over all steps and windows."""

import numpy as np
import pytest
from reference import layers as oracle_layers
from reference import recurrent as oracle
from reference.philox import philox4x32

from tsrnn.kernels.gather import NORMS, Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, MSE, Dense, Dropout, SimpleRNN
from tsrnn.nn.encoder_decoder import EncoderDecoder
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.training.decoding import DecodingTask
from tsrnn.training.recursive import RecursiveTask
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team
from tsrnn.training.tiles import TileEngine

ROWS, LOOKBACK, HORIZON, UNITS, SEED = 150, 5, 2, 6, 2**40 + 9
VALUES = np.random.default_rng(0).standard_normal((ROWS, 2))
ORIGINS = np.random.default_rng(1).integers(LOOKBACK, ROWS - HORIZON, 2 * LANES + 3)
RATES = {"dropout": 0.4, "recurrent_dropout": 0.5}


def series_of(dtype=np.float64, horizon=HORIZON):
    return Series(VALUES.astype(dtype).ravel(), 2, 2, LOOKBACK, 1, 0, horizon, NORMS[None])


def engine_of(team, *hidden, dtype=np.float64):
    network = Network([*hidden, Dense(HORIZON * 2)], Shape(LOOKBACK, 2), dtype)
    return TileEngine(network, WindowTask(series_of(dtype), MSE()), team), network.initial(1)


def drawn(engine, theta, paths, origins=ORIGINS, seed=SEED):
    return np.array([out.copy() for out in engine.samples(theta, origins, paths, seed)])


def mask_of(path, stream, count, rate):
    """Of the first window of the training step with the path's number."""
    key = SEED % 2**32, SEED >> 32
    words = [philox4x32((0, element // 4, path, stream), key)[element % 4] for element in range(count)]
    return np.where(np.array(words) >= int(rate * 2**32), 1 / (1 - rate), 0)


@pytest.mark.parametrize(("kind", "spec"), [("rnn", SimpleRNN(UNITS, **RATES)), ("gru", GRU(UNITS, **RATES))])
def test_a_path_is_the_network_with_one_mask_at_all_steps(kind, spec):
    with Team(2) as team:
        engine, theta = engine_of(team, spec)
        found = drawn(engine, theta, range(4))
    weights = list(engine.network.layout.named(theta).values())
    x = VALUES[ORIGINS[:, None] - np.arange(LOOKBACK - 1, -1, -1)]
    for path in range(4):
        inputs, state = mask_of(path, 0, 2, 0.4), mask_of(path, 1, UNITS, 0.5)
        every = np.ones((len(x), 1))
        h, _ = oracle.forward(kind, x, weights[:-2], input_mask=every * inputs, state_mask=every * state)
        expected = oracle_layers.dense_forward(h, *weights[-2:]).reshape(-1, HORIZON, 2)
        np.testing.assert_allclose(found[path], expected, rtol=0, atol=1e-12)
    assert len({path.tobytes() for path in found}) == 4


def test_masks_do_not_depend_on_threads_company_or_order():
    runs = []
    for threads in (1, 3):
        with Team(threads) as team:
            engine, theta = engine_of(team, GRU(UNITS, **RATES), Dropout(0.5), dtype=np.float32)
            runs.append(drawn(engine, theta, range(5)))
            alone = drawn(engine, theta, range(3, 5), ORIGINS[40:41])
            np.testing.assert_array_equal(alone[:, 0], runs[-1][3:5, 40])
            plain = engine.predict(theta, ORIGINS)
    np.testing.assert_array_equal(*runs)
    with Team(1) as team:
        engine, theta = engine_of(team, GRU(UNITS, **RATES), Dropout(0.5), dtype=np.float32)
        assert not np.array_equal(drawn(engine, theta, range(5), seed=1), runs[0])
        np.testing.assert_array_equal(engine.predict(theta, ORIGINS), plain)  # drawing leaves nothing behind


def test_the_mean_of_many_paths_of_a_linear_network_is_its_forecast():
    """Of one with two steps, so that the state's mask comes in once: its powers, of more steps, have other means."""
    with Team(1) as team:
        specs = [SimpleRNN(UNITS, activation="linear", **RATES), Dropout(0.3), Dense(HORIZON * 2)]
        network = Network(specs, Shape(2, 2), np.float64)
        engine, theta = (
            TileEngine(network, WindowTask(series_of()._replace(lookback=2), MSE()), team),
            network.initial(1),
        )
        plain = engine.predict(theta, ORIGINS[:1])
        paths = drawn(engine, theta, range(4000), ORIGINS[:1])
    off = (paths.mean(axis=0) - plain) / (paths.std(axis=0) / np.sqrt(len(paths)))
    assert np.abs(off).max() < 4.5


def test_no_spread_without_dropout():
    with Team(1) as team:
        engine, theta = engine_of(team, GRU(UNITS))
        np.testing.assert_allclose(drawn(engine, theta, range(2)), [engine.predict(theta, ORIGINS)] * 2, atol=1e-12)
        spreads = []
        for rate in (0.2, 1e-2):
            engine, theta = engine_of(team, GRU(UNITS, recurrent_dropout=rate))
            spreads.append(drawn(engine, theta, range(50)).std(axis=0).mean())
    assert spreads[1] < 0.4 * spreads[0]


def test_a_decoder_draws_without_looking_ahead():
    with Team(1) as team:
        network = EncoderDecoder([GRU(UNITS, **RATES), Dense(2)], Shape(LOOKBACK, 2), HORIZON, np.float64)
        engine = TileEngine(network, DecodingTask(series_of(), MSE()), team)
        theta, last = network.initial(1), np.array([ROWS - 1])  # nothing follows it
        found = drawn(engine, theta, range(3), last)
        assert np.isfinite(found).all() and found.std(axis=0).min() > 0
        with_more = engine_with_more_rows(team)
        np.testing.assert_array_equal(drawn(with_more, theta, range(3), last), found)


def engine_with_more_rows(team):
    network = EncoderDecoder([GRU(UNITS, **RATES), Dense(2)], Shape(LOOKBACK, 2), HORIZON, np.float64)
    longer = series_of()._replace(values=np.concatenate((VALUES, np.full((9, 2), 1e6))).ravel())
    return TileEngine(network, DecodingTask(longer, MSE()), team)


def test_a_recursive_forecast_keeps_its_masks_over_all_rows():
    with Team(1) as team:
        network = Network([SimpleRNN(UNITS, **RATES), Dense(2)], Shape(LOOKBACK, 2), np.float64)
        theta = network.initial(1)
        far = drawn(TileEngine(network, RecursiveTask(series_of(), MSE()), team), theta, range(3))
        one = TileEngine(network, WindowTask(series_of(horizon=1), MSE()), team)
        first = drawn(one, theta, range(3))
        np.testing.assert_allclose(far[:, :, 0], first[:, :, 0], rtol=0, atol=1e-12)
        # The second row: the network of the same masks on rows that hold its own first forecast.
        window = VALUES[ORIGINS[0] - LOOKBACK + 2 : ORIGINS[0] + 1]
        for path in range(3):
            rows = np.concatenate((window, far[path, 0, :1]))
            ahead = series_of(horizon=1)._replace(values=rows.ravel())
            engine = TileEngine(network, WindowTask(ahead, MSE()), team)
            found = drawn(engine, theta, range(path, path + 1), np.array([LOOKBACK - 1]))
            np.testing.assert_allclose(found[0, 0, 0], far[path, 0, 1], rtol=0, atol=1e-12)
