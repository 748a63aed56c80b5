"""Monte Carlo dropout of forecasters: whose spread it is, how it is corrected, and what it needs."""

import numpy as np
import pytest

import tsrnn
from tsrnn import DenseForecaster, GRUForecaster
from tsrnn.forecasting.monte_carlo import Draws, spread_of
from tsrnn.nn import GRU, Dropout

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 2, "random_state": 0}
DROPS = {"recurrent_dropout": 0.3, "dropout": 0.2}


def test_a_spread_is_that_of_all_draws():
    drawn = np.random.default_rng(0).normal(5, 2, (30, 2, 3, 1))
    found = spread_of(drawn[0], drawn, np.ones((2, 1, 1)))
    np.testing.assert_allclose(found.arguments["scale"], drawn.std(axis=0, ddof=1))
    np.testing.assert_allclose(found.drawn, drawn.mean(axis=0))
    assert found.point() is drawn[0] or np.array_equal(found.point(), drawn[0])
    still = spread_of(drawn[0], drawn[[0, 0]], np.full((2, 1, 1), 50.0))
    np.testing.assert_allclose(still.arguments["scale"], 50e-6)  # what can be divided by


def test_the_spread_is_that_of_paths(wide):
    forecaster = GRUForecaster(**TINY, **DROPS, mc_samples=30).fit(wide)
    plain = GRUForecaster(**TINY, **DROPS).fit(wide)
    assert forecaster.predict().equals(plain.predict())  # the point forecast drops nothing
    state = forecaster.state_
    history, windows = forecaster._history(state.tail, state), tsrnn.data.end_windows(state.tail, state.shape)
    found = state.model.distribution(history, windows)
    draws = state.model.draws
    paths = state.model.paths(history, windows, draws.count, draws.seed)
    np.testing.assert_allclose(found.arguments["scale"], paths.std(axis=0, ddof=1), rtol=1e-9)
    assert draws == Draws.of_member(30, 0) and draws.seed != 0
    interval = forecaster.predict_interval(coverage=0.95)
    center = interval.T.groupby("target", sort=False).mean().T
    np.testing.assert_allclose(center, forecaster.predict(), rtol=1e-9)
    half = (interval.xs("upper", axis=1, level="bound") - forecaster.predict().to_numpy()).to_numpy()
    np.testing.assert_allclose(half, 1.959964 * paths.std(axis=0, ddof=1)[0], rtol=1e-5)


def test_validation_rows_correct_it(wide):
    forecaster = GRUForecaster(**TINY, **DROPS, mc_samples=20, target="noise").fit(wide)
    own = forecaster.predict_interval().to_numpy()
    corrected = forecaster.set_params(intervals="conformal").predict_interval().to_numpy()
    scores = forecaster.state_.calibration.scores.astype(float)
    low, high = np.quantile(scores, [0.05, 0.95], axis=0, method="weibull")[:, :, 0]
    np.testing.assert_allclose(np.diff(corrected)[:, 0], np.diff(own)[:, 0] * (high - low) / (2 * 1.6448536), rtol=1e-4)
    assert (np.diff(corrected) > np.diff(own)).all()  # noise is wider than what the network does not know


def test_paths_are_networks_and_need_no_validation_rows(panel):
    forecaster = GRUForecaster(**TINY, **DROPS, mc_samples=2, validation_fraction=0.0).fit(panel)
    paths = forecaster.sample(n=8, random_state=3)
    assert paths.shape == (9, 3 * 8) and paths.T.nunique().min() > 4
    assert paths.equals(forecaster.sample(n=8, random_state=3))
    assert not paths.equals(forecaster.sample(n=8, random_state=4))
    alone = forecaster.sample(panel.loc[["B"]], n=8, random_state=3)
    np.testing.assert_array_equal(alone, paths.loc[["B"]])  # the same networks, whatever the company
    with pytest.raises(ValueError, match="validation rows"):
        forecaster.set_params(intervals="conformal").sample(n=2)


def test_members_draw_each_for_itself(wide, tmp_path):
    forecaster = GRUForecaster(**TINY, **DROPS, mc_samples=5, n_members=2, n_jobs=2).fit(wide)
    draws = [member.draws for member in forecaster.state_.model.members]
    assert draws[0] != draws[1]
    paths = forecaster.sample(n=5, random_state=0)
    assert paths["wave"].T.drop_duplicates().shape[0] == 5
    forecaster.save(tmp_path / "file.tsrnn")
    loaded = tsrnn.load(tmp_path / "file.tsrnn")
    assert loaded.predict_interval().equals(forecaster.predict_interval())
    assert loaded.sample(n=5, random_state=0).equals(paths)
    assert loaded.set_params(n_jobs=1).predict_interval().equals(forecaster.predict_interval())


def test_a_distribution_is_mixed_over_masks(wide):
    settings = TINY | DROPS | {"loss": "gaussian", "target": "noise"}
    plain, mixed = GRUForecaster(**settings).fit(wide), GRUForecaster(**settings, mc_samples=20).fit(wide)
    assert plain.predict().equals(mixed.predict())
    state = mixed.state_
    history, windows = mixed._history(state.tail, state), tsrnn.data.end_windows(state.tail, state.shape)
    found = state.model.distribution(history, windows)
    assert len(found.parts) == 20
    locations = np.array([part.arguments["loc"] for part in found.parts])
    assert locations.std(axis=0).min() > 0
    np.testing.assert_allclose(found.mean(), locations.mean(axis=0))


@pytest.mark.parametrize("strategy", ["recursive", "seq2seq"])
def test_every_strategy_draws(wide, strategy):
    forecaster = GRUForecaster(**TINY, **DROPS, strategy=strategy, mc_samples=4).fit(wide)
    paths = forecaster.sample(n=4, random_state=0)
    assert np.isfinite(paths.to_numpy()).all() and paths["wave"].std(axis=1).min() > 0


def test_without_dropout_there_is_nothing_to_draw(wide):
    for forecaster in (GRUForecaster(**TINY, mc_samples=5), DenseForecaster(**TINY, mc_samples=5)):
        with pytest.raises(ValueError, match=r"`mc_samples=5` draws dropout masks.* `dropout`"):
            forecaster.fit(wide)
    for layers in ([GRU(4, recurrent_dropout=0.1)], [GRU(4), Dropout(0.1)]):
        GRUForecaster(**TINY, layers=layers, mc_samples=2).fit(wide)
    with pytest.raises(ValueError, match="mc_samples"):
        GRUForecaster(**TINY, **DROPS, mc_samples=1).fit(wide)


def test_nothing_that_is_drawn_lies_below_zero(panel):
    given = TINY | DROPS | {"mc_samples": 4, "instance_norm": "last"}
    high = panel - panel.min()
    low = high - high.groupby(level=0).last()
    free, kept = (GRUForecaster(**given, non_negative=kept).fit(high) for kept in (False, True))
    paths = free.sample(low, n=6, random_state=0)
    np.testing.assert_array_equal(kept.sample(low, n=6, random_state=0), np.maximum(paths, 0))
    assert (paths < 0).any(axis=None)
    far = kept.sample(low, n=6, horizon=5, random_state=0)
    assert far.shape == (15, 18) and (far >= 0).all(axis=None)


def test_models_of_series_draw_each_for_itself(panel):
    given = TINY | DROPS | {"mc_samples": 4, "validation_by": "series", "max_epochs": 1}
    local, alone = GRUForecaster(**given, scope="local").fit(panel), GRUForecaster(**given).fit(panel.loc[["C"]])
    for call in (lambda f: f.sample(n=3, random_state=0), lambda f: f.predict_interval()):
        np.testing.assert_array_equal(call(local).loc[["C"]], call(alone))
    corrected = [f.set_params(intervals="conformal").predict_interval().loc[["C"]] for f in (local, alone)]
    assert np.isfinite(corrected[0].to_numpy()).all()
