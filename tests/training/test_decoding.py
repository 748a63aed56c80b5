"""Encoder and decoder on windows of a series: forecasts, losses and gradients against plain NumPy."""

import gc
import weakref

import numpy as np
import pytest
from cell_kinds import KINDS
from reference import losses as oracle_losses
from reference import seq2seq as oracle
from reference.differences import numerical_gradient, worst_error
from reference.philox import philox4x32

from tsrnn.kernels.gather import NORMS, Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, LSTM, MSE, Dense, Dropout
from tsrnn.nn.encoder_decoder import EncoderDecoder
from tsrnn.nn.layer import Shape
from tsrnn.training.decoding import DecodingTask, TeacherForcing
from tsrnn.training.events import EpochEnd
from tsrnn.training.threads import Team
from tsrnn.training.tiles import Tile, TileEngine

ROWS, CHANNELS, TARGETS, LOOKBACK, SAMPLING, GAP, HORIZON = 150, 3, 2, 5, 2, 1, 6
NO_WEIGHTS, SEED, STEP = np.zeros(0), 3, 7


def values_of(dtype):
    return np.random.default_rng(0).standard_normal((ROWS, CHANNELS)).astype(dtype)


def engine_of(team, *hidden, norm=None, dtype=np.float64, horizon=HORIZON):
    series = Series(values_of(dtype).ravel(), CHANNELS, TARGETS, LOOKBACK, SAMPLING, GAP, horizon, NORMS[norm])
    network = EncoderDecoder([*hidden, Dense(TARGETS)], Shape(LOOKBACK, CHANNELS), horizon, dtype)
    theta = np.random.default_rng(2).standard_normal(network.layout.size).astype(dtype) / 3
    return TileEngine(network, DecodingTask(series, MSE()), team, SEED), theta


def origins_of(count):
    first, last = (LOOKBACK - 1) * SAMPLING, ROWS - GAP - HORIZON
    return np.random.default_rng(1).integers(first, last, count)


class Plain:
    """The same by the oracle."""

    def __init__(self, kind, engine, theta, origins, norm=None, **options):
        self.kind, self.options, values = kind, options, values_of(np.float64)
        named = [np.asarray(a, np.float64) for a in engine.network.layout.named(theta).values()]
        sizes = [len(layer.parameters) for layer in engine.network.layers if layer.parameters]
        parts = [tuple(named.pop(0) for _ in range(size)) for size in sizes]
        depth = len(parts) // 2
        self.weights = parts[:depth], parts[depth:-1], parts[-1]
        self.horizon = engine.network.steps
        x = values[origins[:, None] - np.arange(LOOKBACK - 1, -1, -1) * SAMPLING]
        seen = x[:, :, :TARGETS]
        self.center, self.scale = np.zeros((len(x), 1, TARGETS)), np.ones((len(x), 1, TARGETS))
        if norm is not None:
            self.center = seen[:, -1:].copy() if norm == "last" else seen.mean(axis=1, keepdims=True)
        if norm == "standard":
            self.scale = np.sqrt(seen.var(axis=1, keepdims=True) + 1e-5)
        x[:, :, :TARGETS] = (seen - self.center) / self.scale
        self.x, self.y = x, values[origins[:, None] + GAP + 1 + np.arange(self.horizon), :TARGETS]
        self.truth = (self.y - self.center) / self.scale

    def forecast(self, chosen=None):
        """In units of the series, and what was fed."""
        out, fed = oracle.forward(self.kind, self.x, *self.weights, self.horizon, self.truth, chosen, **self.options)
        return out * self.scale + self.center, fed

    def gradient(self, fed, d_forecast):
        d_out = d_forecast * self.scale
        parts = oracle.backward(self.kind, self.x, *self.weights, fed, d_out, **self.options)
        return np.concatenate([part.ravel() for part in parts])


def choices(network, share, count):
    """By the oracle of random numbers: where (window, step) the true value is fed."""
    stream = 2 * len(network.layers)
    blocks = range(-(-network.steps // 4))
    words = [[philox4x32((w, block, STEP, stream), (SEED, 0)) for block in blocks] for w in range(count)]
    return np.array(words).reshape(count, -1)[:, : network.steps] < share * 2**32


@pytest.fixture(scope="module")
def team():
    with Team(2) as made:
        yield made


def stacked(kind, **options):
    return KINDS[kind](5, return_sequences=True, **options), KINDS[kind](7, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_forecasts(team, kind, dtype):
    engine, theta = engine_of(team, *stacked(kind), dtype=dtype)
    origins = origins_of(LANES + 5)
    expected, _ = Plain(kind, engine, theta, origins).forecast()
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert worst_error(engine.predict(theta, origins), expected) < tolerance


@pytest.mark.parametrize("norm", ["last", "mean", "standard"])
def test_instance_norm_scores_and_one_row(team, norm):
    for horizon in (1, HORIZON):
        engine, theta = engine_of(team, LSTM(6), norm=norm, horizon=horizon)
        origins = origins_of(LANES + 5)
        plain = Plain("lstm", engine, theta, origins, norm)
        expected, _ = plain.forecast()
        assert worst_error(engine.predict(theta, origins), expected) < 1e-12
        units = np.random.default_rng(2).uniform(1, 9, (origins.size, TARGETS))
        loss, absolute = engine.evaluate(theta, origins, units)
        assert loss == pytest.approx(oracle_losses.mse(plain.y, expected), rel=1e-12)
        errors = np.abs(plain.y - expected) * units[:, None]
        np.testing.assert_allclose(absolute, errors.mean(axis=(0, 1)), rtol=1e-12)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("kind", KINDS)
def test_loss_and_gradient(team, kind, share):
    """With each share of teacher forcing; which rows are fed comes from the oracle of the generator."""
    engine, theta = engine_of(team, *stacked(kind), norm="standard")
    engine.network.teacher_forcing[0] = share
    origins = origins_of(LANES + 5)
    plain, chosen = Plain(kind, engine, theta, origins, "standard"), choices(engine.network, share, origins.size)
    assert abs(chosen.mean() - share) < 0.1
    expected, fed = plain.forecast(chosen)
    found = engine.loss_and_gradient(theta, origins, NO_WEIGHTS, STEP)
    assert found == pytest.approx(oracle_losses.mse(plain.y, expected), rel=1e-12)
    gradient = plain.gradient(fed, oracle_losses.d_mse(plain.y, expected))
    assert worst_error(engine.gradient, gradient) < 1e-11
    engine.predict(theta, origins)  # never taught
    assert engine.loss_and_gradient(theta, origins, NO_WEIGHTS, STEP) == found
    assert worst_error(engine.gradient, gradient) < 1e-11


@pytest.mark.parametrize("share", [0.5, 0.0])
def test_central_differences_of_what_was_fed_held_still(team, share):
    engine, theta = engine_of(team, GRU(3))
    engine.network.teacher_forcing[0] = share
    origins = origins_of(5)
    engine.loss_and_gradient(theta, origins, NO_WEIGHTS, STEP)
    _, fed = Plain("gru", engine, theta, origins).forecast(choices(engine.network, share, origins.size))

    def loss():
        plain = Plain("gru", engine, theta, origins)
        return oracle_losses.mse(plain.y, oracle.of_fed("gru", plain.x, *plain.weights, fed)[0])

    assert worst_error(engine.gradient, numerical_gradient(loss, theta)) < 1e-6


@pytest.mark.parametrize("kind", ["gru_before", "slstm", "peephole_lstm"])
def test_central_differences_with_dropout(team, kind):
    """All rows are taught, so nothing that the weights change is fed; masks are those of the step."""
    hidden = stacked(kind, dropout=0.3, recurrent_dropout=0.3, go_backwards=True)
    engine, theta = engine_of(team, Dropout(0.2), *hidden)
    origins = origins_of(LANES + 3)

    def loss():
        return engine.loss_and_gradient(theta, origins, NO_WEIGHTS, STEP)

    loss()
    found = engine.gradient.copy()
    assert worst_error(found, numerical_gradient(loss, theta)) < 1e-6


def test_an_encoder_that_reads_backwards(team):
    engine, theta = engine_of(team, LSTM(5, go_backwards=True))
    origins = origins_of(7)
    plain = Plain("lstm", engine, theta, origins, go_backwards=True)
    expected, _ = plain.forecast()
    assert worst_error(engine.predict(theta, origins), expected) < 1e-12
    engine.loss_and_gradient(theta, origins, NO_WEIGHTS, STEP)
    expected, fed = plain.forecast(np.ones((7, HORIZON), bool))
    assert worst_error(engine.gradient, plain.gradient(fed, oracle_losses.d_mse(plain.y, expected))) < 1e-11


def test_one_sequence_has_the_bits_of_a_tile(team):
    engine, theta = engine_of(team, *stacked("lstm"), dtype=np.float32)
    single, origins = engine.network.single(theta), origins_of(9)
    tiled = engine.predict(theta, origins)
    single.pack()
    for _ in range(2):
        for origin, expected in zip(origins, tiled, strict=True):
            single.x[...] = values_of(np.float32)[origin - np.arange(LOOKBACK - 1, -1, -1) * SAMPLING]
            for state in single.states.values():
                state.clear()
            single.forward()
            assert single.y.tobytes() == expected.tobytes()


def test_same_bits_for_any_number_of_threads():
    found = []
    for n_threads in (1, 2, 3):
        with Team(n_threads) as threads:
            engine, theta = engine_of(threads, *stacked("gru", dropout=0.2, recurrent_dropout=0.2), dtype=np.float32)
            engine.network.teacher_forcing[0] = 0.5
            origins = origins_of(3 * LANES + 7)
            losses = [engine.loss_and_gradient(theta, origins, NO_WEIGHTS.astype(np.float32), step) for step in (0, 1)]
            found.append((*losses, engine.gradient.tobytes(), engine.predict(theta, origins).tobytes()))
    assert found[0] == found[1] == found[2]
    assert found[0][0] != found[0][1]  # each step has choices of its own


def test_teacher_forcing_decays(team):
    network = engine_of(team, GRU(3))[0].network
    assert network.teacher_forcing == 1
    forcing = TeacherForcing(network, 0.8, 0.5)
    shares = [network.teacher_forcing[0]]
    for epoch in (1, 2):
        assert not forcing(EpochEnd(epoch, 9, 0.0, 0.0, 0.0, 0.1, 0.0))
        shares.append(network.teacher_forcing[0])
    assert shares == [0.8, 0.4, 0.2]


def test_what_cannot_be_decoded():
    with pytest.raises(ValueError, match=r"must be recurrent.*got Dropout\(0.5\)"):
        EncoderDecoder([GRU(3), Dropout(0.5), Dense(1)], Shape(4, 2), 3)
    with pytest.raises(ValueError, match="got no layer"):
        EncoderDecoder([Dense(1)], Shape(4, 2), 3)
    with pytest.raises(TypeError, match=r"must be a Dense.*got GRU\(3\)"):
        EncoderDecoder([GRU(3), GRU(3)], Shape(4, 2), 3)
    with pytest.raises(ValueError, match="no step may be masked"):
        EncoderDecoder([GRU(3), Dense(1)], Shape(4, 2), 3).workspace(training=False, masked=True)


@pytest.mark.parametrize("training", [False, True])
def test_a_tile_writes_down_as_much_for_any_horizon_and_goes_when_it_is_left(team, training):
    sizes = []
    gc.disable()  # a tile that held itself would stay, with megabytes, until Python looks for such
    try:
        for horizon in (4, 90):
            engine, _ = engine_of(team, *stacked("gru"), horizon=horizon)
            tile, origins = Tile(engine.network, engine.task, training), origins_of(LANES)
            if training:
                program = tile.training(origins, NO_WEIGHTS, np.zeros(1))
            else:
                program = tile.predicting(origins, np.zeros(LANES * horizon * TARGETS))
            sizes.append(program.nbytes)
            outputs = weakref.ref(tile.space.y.base)
            assert outputs() is not None
            del tile, program
            assert outputs() is None
    finally:
        gc.enable()
    assert sizes[0] == sizes[1] < 60_000


def test_penalties_on_activity_are_of_both_parts(team):
    """With the truth fed, loss and gradient belong together: against a difference along a random direction."""
    (engine, theta), (without, _) = (
        engine_of(team, GRU(4, **rates)) for rates in ({"activity_l1": 0.3, "activity_l2": 0.7}, {})
    )
    origins = origins_of(LANES + 5)
    loss = engine.loss_and_gradient(theta, origins, NO_WEIGHTS, STEP)
    gradient = engine.gradient.copy()
    assert engine.loss_and_gradient(theta, origins, NO_WEIGHTS, STEP) == loss
    np.testing.assert_array_equal(engine.gradient, gradient)
    more = loss - without.loss_and_gradient(theta, origins, NO_WEIGHTS, STEP)
    spaces = [tile.space for tile in engine._tiles[True]]
    assert more > 0.1 and {len(space.penalised) for space in spaces} == {2}
    for part in np.array_split(np.arange(theta.size), 4):
        along = np.zeros(theta.size)
        along[part] = np.random.default_rng(9).standard_normal(part.size)
        ends = [engine.loss_and_gradient(theta + sign * 1e-6 * along, origins, NO_WEIGHTS, STEP) for sign in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient @ along, rel=1e-6, abs=1e-8)
