"""Quantiles and intervals from many origins: at each they are those of a forecast from there, and are measured."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import DenseForecaster, NaiveForecaster
from tsrnn.evaluation import crps_from_quantiles, pinball, winkler_score
from tsrnn.forecasting import spread
from tsrnn.forecasting.adaptive import track

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
TRAINED = 80
ENDS = {"lower": 0.1, "upper": 0.9}  # of the interval of 80 %


def mean_of(**given):
    return NaiveForecaster(**({"method": "mean", "lookback": 9, "horizon": 3, "target": ["walk", "wave"]} | given))


def column_of(found, cutoff, name):
    return found.loc[found["cutoff"] == cutoff, name].to_numpy()


def gaussian(**given):
    return DenseForecaster(loss="gaussian", lookback=4, horizon=2, hidden_size=4, max_epochs=1, random_state=0, **given)


@pytest.mark.parametrize("intervals", ["auto", "conformal"])
def test_at_each_origin_as_from_there(wide, intervals, monkeypatch):
    monkeypatch.setattr(spread, "MOST_NUMBERS", 40)  # a few windows at a time
    frame = wide[["noise", "wave"]]
    forecaster = gaussian(target="noise", intervals=intervals).fit(frame[:TRAINED])
    found = forecaster.historical_forecasts(frame, every=9, quantiles=[0.9, 0.25], coverage=[0.8, 0.5])
    names = [f"noise_{end}_{level}" for level in (0.5, 0.8) for end in ("lower", "upper")]
    assert list(found.columns) == ["cutoff", "time", "noise", "noise_q0.25", "noise_q0.9", *names]
    np.testing.assert_array_equal(found["noise_q0.9"], found["noise_upper_0.8"])
    for cutoff in found["cutoff"].unique():
        past = frame[:cutoff]
        np.testing.assert_allclose(column_of(found, cutoff, "noise"), forecaster.predict(past)["noise"], rtol=1e-6)
        quantiles = forecaster.predict_quantiles(past, quantiles=[0.25, 0.9])["noise"]
        interval = forecaster.predict_interval(past, coverage=0.8)["noise", 0.8]
        for level in (0.25, 0.9):
            np.testing.assert_allclose(column_of(found, cutoff, f"noise_q{level}"), quantiles[level], rtol=1e-6)
        for end in ENDS:
            np.testing.assert_allclose(column_of(found, cutoff, f"noise_{end}_0.8"), interval[end], rtol=1e-6)


@pytest.mark.parametrize("forecaster", [mean_of(target="walk"), gaussian(target="walk")])
def test_those_that_adapt_know_what_had_come_by_then(panel, forecaster, monkeypatch):
    monkeypatch.setattr(spread, "MOST_NUMBERS", 40)
    panel = panel[["walk", "wave"]]
    early = panel.groupby(level="site").head(60)
    forecaster.fit(early)
    late = panel.groupby(level="site").tail(25)
    found = forecaster.historical_forecasts(late, coverage=0.8, adaptive=0.5)
    still = forecaster.historical_forecasts(late, coverage=0.8)
    assert not np.allclose(found["walk_upper_0.8"], still["walk_upper_0.8"])
    for site in "ABC":
        own, rows = found[found["site"] == site], late.loc[[site]]
        for cutoff in own["cutoff"].unique()[[0, 1, 5, -1]]:
            past = rows[rows.index.get_level_values("day") <= cutoff]
            if cutoff == own["cutoff"].iloc[0]:  # nothing to learn from yet
                interval = forecaster.predict_interval(past, coverage=0.8)
            else:
                interval = forecaster.predict_interval(past, coverage=0.8, adaptive=0.5)
            for end in ENDS:
                expected = interval["walk", 0.8, end]
                np.testing.assert_allclose(column_of(own, cutoff, f"walk_{end}_0.8"), expected, rtol=1e-6)


def test_those_that_adapt_learn_from_the_rows_between_origins(wide):
    forecaster = mean_of().fit(wide[:TRAINED])
    rows = wide[TRAINED:].tail(9 + 3 + 4 * 5 - 1 + 1)  # the first origin is the first of all
    dense, sparse = (forecaster.historical_forecasts(rows, every=k, quantiles=[0.3], adaptive=0.5) for k in (1, 4))
    assert dense["cutoff"].iloc[0] == sparse["cutoff"].iloc[0] and len(sparse) == 6 * 3
    both = sparse.merge(dense, on=["cutoff", "time"], suffixes=("", "_dense"))
    np.testing.assert_array_equal(both["walk_q0.3"], both["walk_q0.3_dense"])


def test_bounds_that_adapt_do_not_cross():
    """After a score between the two, each goes beyond the other."""
    levels, first = np.array([0.6, 0.4]), np.array([0.1, 0.0])[:, None, None]
    found = track(np.full((1, 1, 1), 0.05), np.arange(2), 0, levels, first, np.ones((1, 1)))[1, :, 0, 0]
    np.testing.assert_allclose(found, [0.4, -0.3])


def test_refits_bring_their_own(wide):
    found = mean_of().historical_forecasts(wide, every=10, refit=2, train_length=60, coverage=0.8)
    cutoffs = found["cutoff"].unique()
    for number in range(0, len(cutoffs), 2):
        fitted = mean_of().fit(wide[: cutoffs[number]])
        for cutoff in cutoffs[number : number + 2]:
            interval = fitted.predict_interval(wide[:cutoff], coverage=0.8)["walk", 0.8]
            for end in ENDS:
                np.testing.assert_allclose(column_of(found, cutoff, f"walk_{end}_0.8"), interval[end], rtol=1e-5)


def test_a_backtest_measures_them(wide):
    forecaster = mean_of().fit(wide[:TRAINED])
    asked = {"quantiles": [0.5], "coverage": [0.8, 0.5]}
    backtest = forecaster.backtest(wide, **asked)
    rows, levels = backtest.forecasts, [0.1, 0.25, 0.5, 0.75, 0.9]
    past = forecaster.historical_forecasts(wide, **asked).set_index("cutoff").loc[rows["cutoff"].iloc[0] :]
    walk = rows[rows["target"] == "walk"]
    assert list(rows.columns[-5:]) == [f"q{level}" for level in levels]
    for level, name in zip(levels, ("lower_0.8", "lower_0.5", "q0.5", "upper_0.5", "upper_0.8"), strict=True):
        np.testing.assert_array_equal(walk[f"q{level}"], past[f"walk_{name}"])
    true, quantiles = walk["truth"].astype(float), walk[[f"q{level}" for level in levels]].to_numpy()
    inside = (walk["q0.1"] <= true) & (true <= walk["q0.9"])
    expected = {
        "mae": (walk["forecast"] - true).abs(),
        "pinball": pinball(true, quantiles, levels).mean(axis=1),
        "crps": crps_from_quantiles(true, quantiles, levels),
        "coverage_0.8": inside.astype(float),
        "width_0.8": walk["q0.9"] - walk["q0.1"],
        "width_0.5": walk["q0.75"] - walk["q0.25"],
        "winkler_0.8": winkler_score(true, walk["q0.1"], walk["q0.9"], 0.8),
    }
    for name, values in expected.items():
        assert backtest.metrics.loc["walk", name] == pytest.approx(np.mean(values))
        by_step = pd.Series(np.asarray(values)).groupby(walk["step"].to_numpy()).mean()
        np.testing.assert_allclose(backtest.by_step().xs("walk", level="target")[name], by_step)
    few = forecaster.backtest(wide, **asked, metrics=["coverage"], adaptive=0.5).metrics
    assert list(few.columns) == ["coverage_0.8", "coverage_0.5"]
    assert not few.equals(backtest.metrics[few.columns])


def test_polars_frames(wide):
    pl = pytest.importorskip("polars")
    frame = pl.from_pandas(wide.rename_axis("day").reset_index())
    forecaster = mean_of(time_col="day").fit(frame[:TRAINED])
    found = forecaster.historical_forecasts(frame[-20:], quantiles=[0.5])
    assert found.columns == ["cutoff", "day", "walk", "wave", "walk_q0.5", "wave_q0.5"]


@pytest.mark.parametrize("method", ["historical_forecasts", "backtest"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quantiles": [0.5, 1.0]}, f"`quantiles` of NaiveForecaster.{'{method}'}"),
        ({"coverage": 90}, f"`coverage` of NaiveForecaster.{'{method}'}"),
        ({"coverage": 0.9, "adaptive": -1}, f"`adaptive` of NaiveForecaster.{'{method}'}"),
        ({"adaptive": True}, "none are asked for. Give `coverage=` or `quantiles=`"),
    ],
)
def test_bad_arguments_are_refused(wide, method, given, message):
    forecaster = mean_of().fit(wide[:TRAINED])
    with pytest.raises(ValueError, match=message.format(method=method)):
        getattr(forecaster, method)(wide, **given)


def test_names_of_columns_that_are_targets_already(wide):
    frame = wide.rename(columns={"walk": "wave_q0.5"})
    forecaster = NaiveForecaster(horizon=3).fit(frame)
    with pytest.raises(ValueError, match="'wave_q0.5' would be the names of two columns.*Rename one"):
        forecaster.historical_forecasts(frame, quantiles=[0.5])


def test_without_validation_rows_the_spread_is_not_known(wide):
    forecaster = mean_of(validation_fraction=0).fit(wide[:TRAINED])
    with pytest.raises(ValueError, match="needs validation rows.*`validation_fraction` greater than 0"):
        forecaster.backtest(wide, coverage=0.9)
