"""Quantiles, intervals and sample paths: of distributions, by conformal prediction, and adaptive."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import DenseForecaster, LinearForecaster, NaiveForecaster, load
from tsrnn.forecasting.adaptive import track

RNG = np.random.default_rng(0)


def frame_of(values, **columns):
    index = pd.date_range("2024-01-01", periods=len(values), freq="h", name="time")
    return pd.DataFrame({"y": values, **columns}, index=index)


def panel_of(first, second):
    return pd.concat({"a": frame_of(first), "b": frame_of(second)}, names=["id"])


@pytest.fixture(scope="module")
def noise():
    return frame_of(RNG.normal(10, 2, 1800))


@pytest.fixture(scope="module")
def mean_forecaster(noise):
    return NaiveForecaster(method="mean", lookback=50, horizon=3, validation_fraction=0.5).fit(noise)


def test_quantiles_of_errors_are_put_on_the_point_forecast(noise, mean_forecaster):
    point = mean_forecaster.predict()["y"].to_numpy()
    found = mean_forecaster.predict_quantiles(quantiles=[0.9, 0.05])
    assert found.columns.tolist() == [("y", 0.05), ("y", 0.9)] and found.columns.names == ["target", "quantile"]
    assert found.index.equals(mean_forecaster.predict().index)
    values, rows = noise["y"].to_numpy(np.float32), []
    for origin in range(899, 1797):  # every validation window: with its last history row before the border too
        window = values[origin - 49 : origin + 1].mean(dtype=np.float64)
        rows.append(values[origin + 1 : origin + 4] - window)
    for level in (0.05, 0.9):
        expected = point + np.quantile(np.array(rows), level, axis=0, method="weibull")
        np.testing.assert_allclose(found["y", level], expected, rtol=1e-5)


def test_intervals_hold_what_comes_as_often_as_they_say(mean_forecaster):
    fresh = RNG.normal(10, 2, 4000)
    interval = mean_forecaster.predict_interval(coverage=[0.8, 0.95])
    assert interval.columns.names == ["target", "coverage", "bound"]
    for coverage in (0.8, 0.95):
        lower, upper = (interval["y", coverage, bound].to_numpy()[:, None] for bound in ("lower", "upper"))
        inside = ((fresh >= lower) & (fresh <= upper)).mean(axis=1)
        assert (np.abs(inside - coverage) < 0.04).all()


def test_errors_count_in_the_spread_of_their_series():
    large, small = RNG.normal(0, 1, (2, 1200)) * np.array([[50.0], [0.5]])
    forecaster = NaiveForecaster(method="mean", lookback=20, horizon=2).fit(panel_of(large, small))
    interval = forecaster.predict_interval(coverage=0.9)["y", 0.9]
    width = (interval["upper"] - interval["lower"]).to_numpy()
    np.testing.assert_allclose(width[:2], 50 * 3.29, rtol=0.2)
    np.testing.assert_allclose(width[2:], 0.5 * 3.29, rtol=0.2)


def too_narrow(intervals):
    """A forecaster that learned its spread from calmer rows than those it is validated on."""
    values = np.concatenate((RNG.normal(0, 1, 1000), RNG.normal(0, 3, 1000)))
    settings = {"lookback": 4, "horizon": 2, "hidden_size": 4, "max_epochs": 8, "random_state": 0, "patience": 8}
    given = settings | {"restore_best_weights": False, "validation_fraction": 0.5}
    return DenseForecaster(loss="gaussian", intervals=intervals, **given).fit(frame_of(values))


@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
def test_conformal_intervals_correct_a_distribution():
    forecaster, calm = too_narrow("conformal"), frame_of(RNG.normal(0, 1, 40))
    wide = np.diff(forecaster.predict_interval(calm).to_numpy(), axis=1)
    own = forecaster.set_params(intervals="auto")
    narrow = np.diff(own.predict_interval(calm).to_numpy(), axis=1)
    scores = own.state_.calibration.scores
    low, high = np.quantile(scores.astype(float), [0.05, 0.95], axis=0, method="weibull")
    np.testing.assert_allclose(wide, narrow * (high - low) / (2 * 1.6448536), rtol=1e-5)
    assert (high - low > 2 * 4.8).all()  # further out than probabilities could tell
    assert (np.abs(scores) < 1.645).mean() < 0.75  # what came was in the distribution's own interval
    distribution = own.predict_quantiles(quantiles=[0.05, 0.95])
    np.testing.assert_array_equal(own.predict_interval(), distribution)


def test_trained_quantiles_are_the_default():
    values = frame_of(RNG.normal(size=300))
    settings = {"lookback": 4, "horizon": 2, "hidden_size": 4, "max_epochs": 1, "random_state": 0}
    forecaster = DenseForecaster(loss="quantile", quantiles=[0.2, 0.7], **settings).fit(values)
    quantiles = forecaster.predict_quantiles()
    assert quantiles.columns.get_level_values("quantile").tolist() == [0.2, 0.5, 0.7]
    np.testing.assert_allclose(quantiles["y", 0.5], forecaster.predict()["y"])
    assert LinearForecaster(lookback=4, horizon=2).fit(values).predict_quantiles().shape == (2, 3)


def test_paths_hang_together_as_rows_do():
    walk = frame_of(np.cumsum(RNG.normal(size=4000)))
    forecaster = NaiveForecaster(horizon=6).fit(walk)
    paths = forecaster.sample(n=2000, random_state=1)
    assert paths.shape == (6, 2000) and paths.columns.names == ["target", "path"]
    errors = paths.to_numpy() - forecaster.predict().to_numpy()
    np.testing.assert_allclose(errors.std(axis=1), np.sqrt(np.arange(1, 7)), rtol=0.12)
    assert np.corrcoef(errors)[2, 3] == pytest.approx(np.sqrt(3 / 4), abs=0.06)
    assert np.corrcoef(errors)[0, 5] == pytest.approx(np.sqrt(1 / 6), abs=0.1)
    pd.testing.assert_frame_equal(paths, forecaster.sample(n=2000, random_state=1))
    assert not paths.equals(forecaster.sample(n=2000, random_state=2))


@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
def test_paths_of_a_distribution_have_its_quantiles_and_the_dependence_of_errors():
    values = np.repeat(RNG.normal(0, 1, 700), 3)  # rows of the horizon often the same
    settings = {"lookback": 4, "horizon": 2, "hidden_size": 4, "max_epochs": 6, "random_state": 0}
    forecaster = DenseForecaster(loss="gaussian", **settings).fit(frame_of(values))
    paths = forecaster.sample(n=4000, random_state=0).to_numpy()
    expected = forecaster.predict_quantiles(quantiles=[0.1, 0.5, 0.9]).to_numpy()
    np.testing.assert_allclose(np.quantile(paths, [0.1, 0.5, 0.9], axis=1).T, expected, atol=0.15)
    assert np.corrcoef(paths)[0, 1] > 0.4


def test_bounds_follow_misses_once_they_are_known():
    """Two rows ahead and a gap of one: what came of an origin is known three rows later, of its first row two."""
    origins = np.array([5, 6, 7, 8, 9])
    scores = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])[..., None]
    first = np.zeros((1, 2, 1))
    found = track(scores, origins, 1, np.array([0.9]), first, np.array([[1.0], [10.0]]))[:, 0, :, 0]
    assert found[:, 0].tolist() == pytest.approx([0, 0, 0.9, 0.8, 1.7])
    assert found[:, 1].tolist() == pytest.approx([0, 0, 0, -1.0, 8.0])


def test_bounds_of_any_levels_are_passed_as_often_as_they_should_be():
    scores = RNG.normal(size=(4000, 1, 1)) * np.linspace(1, 4, 4000)[:, None, None]
    levels = np.array([0.05, 0.5, 0.95])
    found = track(scores, np.arange(4001), 0, levels, np.zeros((3, 1, 1)), np.array([[0.2]]))
    below = (scores < found[:-1, :, 0]).mean(axis=0)
    np.testing.assert_allclose(below.ravel(), levels, atol=0.01)


def test_adaptive_intervals_widen_where_the_series_got_wilder():
    calm, wild = RNG.normal(0, 1, 2000), RNG.normal(0, 4, 600)
    forecaster = NaiveForecaster(method="mean", lookback=20, horizon=2).fit(frame_of(calm))
    X = frame_of(np.concatenate((calm, wild)))
    fixed, adaptive, slow = (
        np.diff(forecaster.predict_interval(X, coverage=0.8, adaptive=rate).to_numpy(), axis=1).mean()
        for rate in (False, True, 0.001)
    )
    assert fixed == pytest.approx(2 * 1.28, rel=0.2)
    assert adaptive == pytest.approx(4 * 2 * 1.28, rel=0.3)
    assert fixed < slow < adaptive


def test_tidy_frames_have_a_row_for_each_number(mean_forecaster):
    wide = mean_forecaster.predict_interval(coverage=[0.5, 0.9], horizon=2)
    tidy = mean_forecaster.predict_interval(coverage=[0.5, 0.9], horizon=2, layout="tidy")
    assert tidy.columns.tolist() == ["time", "target", "coverage", "bound", "forecast"]
    back = tidy.pivot(index="time", columns=["target", "coverage", "bound"], values="forecast")
    pd.testing.assert_frame_equal(back[wide.columns], wide, check_freq=False)


def test_panels_and_polars_keep_their_layout():
    panel = panel_of(RNG.normal(size=200), RNG.normal(size=200))
    forecaster = NaiveForecaster(horizon=2).fit(panel)
    found = forecaster.predict_quantiles(quantiles=[0.5])
    assert found.index.equals(forecaster.predict().index)
    tidy = forecaster.sample(n=2, random_state=0, layout="tidy")
    assert tidy.columns.tolist() == ["id", "time", "target", "path", "forecast"] and len(tidy) == 8
    assert tidy["id"].tolist() == ["a"] * 4 + ["b"] * 4
    pl = pytest.importorskip("polars")
    long = pl.from_pandas(panel.reset_index())
    forecaster = NaiveForecaster(horizon=2, id_col="id", time_col="time").fit(long)
    assert forecaster.predict_quantiles(quantiles=[0.5]).columns == ["id", "time", "y 0.5"]
    tidy = forecaster.predict_quantiles(quantiles=[0.5], layout="tidy")
    assert tidy.columns == ["id", "time", "target", "quantile", "forecast"]


def test_a_saved_forecaster_says_the_same(mean_forecaster, noise, tmp_path):
    mean_forecaster.save(tmp_path / "model")
    again = load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.predict_interval(), mean_forecaster.predict_interval(), check_exact=True)
    pd.testing.assert_frame_equal(again.sample(n=2, random_state=0), mean_forecaster.sample(n=2, random_state=0))


def test_without_validation_rows_the_spread_is_not_known(noise):
    forecaster = NaiveForecaster(horizon=3, validation_fraction=0).fit(noise)
    for call in (forecaster.predict_quantiles, forecaster.predict_interval, forecaster.sample):
        with pytest.raises(ValueError, match="needs validation rows.*`validation_fraction` greater than 0"):
            call()


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("predict_quantiles", {"quantiles": [0.5, 1.0]}),
        ("predict_quantiles", {"quantiles": []}),
        ("predict_quantiles", {"layout": "long"}),
        ("predict_interval", {"coverage": 90}),
        ("predict_interval", {"adaptive": -1.0}),
        ("sample", {"n": 0}),
        ("sample", {"random_state": "seed"}),
    ],
)
def test_bad_arguments_are_refused(method, given, mean_forecaster):
    (name,) = given
    with pytest.raises((ValueError, TypeError), match=name):
        getattr(mean_forecaster, method)(**given)
