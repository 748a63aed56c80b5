"""Backtests: which rows a forecast knows, which origins count, and metrics computed a second way through pandas."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, TimeSeriesSplit

from tsrnn import (
    Backtest,
    DenseForecaster,
    GRUForecaster,
    LeakageWarning,
    LinearForecaster,
    NaiveForecaster,
    PanelTimeSeriesSplit,
    load,
)
from tsrnn.evaluation.grouped import Outcomes
from tsrnn.forecasting.origins import Schedule

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TARGETS = ["walk", "wave"]
TRAINED = 80  # rows of the wide frame


def ridge(**others):
    return LinearForecaster(**({"lookback": 7, "horizon": 3, "target": TARGETS} | others))


def tidy(frame, forecasts):
    """What came, looked up in the frame by stamp."""
    time = forecasts.columns[list(forecasts.columns).index("cutoff") + 1]
    return np.array([frame.at[stamp, name] for stamp, name in zip(forecasts[time], forecasts["target"], strict=True)])


@pytest.fixture
def tested(wide):
    """A backtest of the rows after those of the fit."""
    forecaster = ridge().fit(wide[:TRAINED])
    return forecaster, forecaster.backtest(wide[TRAINED - 7 :])


# ---- forecasts and metrics -------------------------------------------------------------------------------------------
def test_forecasts_are_the_historical_ones_beside_what_came(wide, tested):
    forecaster, backtest = tested
    found = backtest.forecasts
    assert list(found.columns) == ["cutoff", "time", "step", "target", "forecast", "truth", "naive"]
    wanted = forecaster.historical_forecasts(wide[TRAINED - 7 :])
    assert found["cutoff"].iloc[0] == wide.index[TRAINED - 1]
    for target in TARGETS:
        part = found[found["target"] == target].reset_index(drop=True)
        pd.testing.assert_frame_equal(part[["cutoff", "time"]], wanted[["cutoff", "time"]])
        np.testing.assert_array_equal(part["forecast"], wanted[target])
    np.testing.assert_allclose(found["truth"], tidy(wide, found), rtol=1e-6)
    np.testing.assert_array_equal((found["time"] - found["cutoff"]).dt.days, found["step"])
    assert len(backtest) == len(wide) - TRAINED - 3 + 1


def test_naive_forecasts_are_those_with_the_lower_training_error(wide, tested):
    forecaster, backtest = tested
    found = backtest.forecasts
    better = ["last" if last <= seasonal else "seasonal" for last, seasonal in forecaster.state_.naive_mae.T]
    assert better == ["last", "seasonal"]  # of the walk and the weekly wave: both kinds are needed here
    days = pd.to_timedelta(np.where(found["target"] == "walk", found["step"], 7), unit="D")
    before = found.assign(time=found["time"] - days)
    np.testing.assert_allclose(found["naive"], tidy(wide, before), rtol=1e-6)


def test_the_naive_forecasts_are_measured_alike(tested):
    _, backtest = tested
    found, rows = backtest.naive, backtest.forecasts
    error = (rows["naive"].astype(float) - rows["truth"]).abs()
    np.testing.assert_allclose(found.metrics["mae"], error.groupby(rows["target"]).mean()[found.metrics.index])
    assert (found.metrics["skill"] == 0).all() and found.name == "naive" and len(found) == len(backtest)


def test_metrics_by_pandas(wide, tested):
    _, backtest = tested
    rows = backtest.forecasts.astype({"truth": float, "naive": float})
    error = rows["forecast"] - rows["truth"]
    rows = rows.assign(bias=error, mae=error.abs(), square=error**2, size=rows["truth"].abs())
    rows = rows.assign(off=(rows["truth"] - rows["naive"]).abs())
    known = wide[:TRAINED].astype(np.float32).astype(np.float64)
    change = known[TARGETS].diff(7).dropna()
    for keys, table in (
        (["target"], backtest.metrics),
        (["step", "target"], backtest.by_step()),
        (["cutoff", "target"], backtest.by_cutoff()),
    ):
        mean = rows.groupby(keys)[["bias", "mae", "square", "size", "off"]].mean().loc[table.index]
        targets = table.index.get_level_values("target")
        np.testing.assert_allclose(table["mae"], mean["mae"])
        np.testing.assert_allclose(table["bias"], mean["bias"])
        np.testing.assert_allclose(table["rmse"], np.sqrt(mean["square"]))
        np.testing.assert_allclose(table["wape"], mean["mae"] / mean["size"])
        np.testing.assert_allclose(table["skill"], 1 - mean["mae"] / mean["off"], atol=1e-9)
        np.testing.assert_allclose(table["mase"], mean["mae"] / change.abs().mean()[targets].to_numpy(), rtol=1e-6)
        if "cutoff" in keys:
            scale = (change**2).mean()[targets].to_numpy()
            np.testing.assert_allclose(table["rmsse"], np.sqrt(mean["square"] / scale), rtol=1e-6)
    assert backtest.metrics.index.tolist() == TARGETS
    assert len(backtest.by_step()) == 3 * 2 and len(backtest.by_cutoff()) == len(backtest) * 2


def test_scales_come_from_rows_that_are_not_tested(wide):
    """In the validation part from the training rows, after it from all rows of the fit, and never from others."""
    forecaster = ridge(target="walk", past_covariates=[]).fit(wide[:100])
    border = wide.index.get_loc(pd.Timestamp(forecaster.cutoff_[0]))
    spoilt = wide.copy()
    spoilt.iloc[100:] *= 9
    for frame in (wide, spoilt):
        found = forecaster.backtest(frame, metrics=["mae", "mase"]).by_cutoff()
        scale = (found["mae"] / found["mase"]).to_numpy()
        cutoffs = wide.index.get_indexer(found.index.get_level_values("cutoff"))
        known = np.where(cutoffs + 1 < 100, border, 100)
        change = wide["walk"].diff(7).abs()
        np.testing.assert_allclose(scale, [change[:rows].mean() for rows in known], rtol=1e-5)
        assert set(known) == {border, 100}


def test_series_of_a_panel(panel):
    forecaster = NaiveForecaster(target="walk", lookback=1, horizon=2).fit(panel)
    backtest = forecaster.backtest(panel, metrics=["mae", "mase"], every=5)
    rows = backtest.forecasts
    assert list(rows.columns[:3]) == ["site", "cutoff", "day"]
    assert rows["site"].dtype == forecaster.historical_forecasts(panel)["site"].dtype
    by_series = backtest.by_series()
    assert by_series.index.names == ["site", "target"]
    error = (rows["forecast"] - rows["truth"]).abs().groupby(rows["site"]).mean()
    np.testing.assert_allclose(by_series["mae"].xs("walk", level="target"), error)
    by_cutoff = (rows["forecast"] - rows["truth"]).abs().groupby(rows["cutoff"]).mean()
    np.testing.assert_allclose(backtest.by_cutoff()["mae"], by_cutoff)
    assert set(rows["site"]) == {"A", "B"}  # all of C lies before the border
    assert "6 origins of 2 series" in str(backtest)


def test_constant_series_have_no_scale(panel):
    panel = panel.copy()
    panel.loc["B", "walk"] = 5.0
    forecaster = NaiveForecaster(target="walk", lookback=1, horizon=2).fit(panel)
    backtest = forecaster.backtest(panel)
    table = backtest.by_series().xs("walk", level="target")
    assert table.loc["B", ["mase", "rmsse", "skill"]].isna().all() and table.loc["B", "mae"] == 0
    others = backtest.forecasts["site"].drop_duplicates()[lambda s: s != "B"]
    origins = backtest.forecasts.groupby("site")["cutoff"].nunique()[others]
    expected = (table.loc[others, "mase"] * origins).sum() / origins.sum()
    assert backtest.metrics.loc["walk", "mase"] == pytest.approx(expected)


def test_metrics_of_quantiles(tested):
    """Any forecaster that has quantiles: they stand in the frame, and their scores in the tables."""
    _, backtest = tested
    levels = np.array([0.1, 0.5, 0.9])
    quantiles = backtest.outcomes.forecast[..., None] + np.array([-1.0, 0.0, 1.0])
    own = backtest.outcomes
    more = Outcomes(own.truth, own.forecast, own.naive, own.scale, levels, quantiles)
    found = Backtest("x", ("mae", "coverage"), backtest.schema, backtest.panel, backtest.windows, backtest.gap, more)
    assert list(found.forecasts.columns[-3:]) == ["q0.1", "q0.5", "q0.9"]
    np.testing.assert_array_equal(found.forecasts["q0.9"], found.forecasts["forecast"] + 1)
    inside = np.abs(own.truth - own.forecast) <= 1
    np.testing.assert_allclose(found.by_step()["coverage_0.8"], inside.mean(axis=0).ravel())


# ---- refits ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("window", ["expanding", "rolling"])
@pytest.mark.parametrize(("refit", "period"), [(True, 1), (3, 3)])
def test_refits_see_the_rows_before_their_origin_and_no_others(wide, window, refit, period):
    forecaster = ridge()
    found = forecaster.historical_forecasts(wide, every=5, refit=refit, window=window, train_length=60)
    cutoffs = found["cutoff"].unique()
    places = wide.index.get_indexer(cutoffs)
    assert places[0] >= 59 and places[0] - 5 < 59 and set(np.diff(places)) == {5} and places[-1] == len(wide) - 4
    for number, place in enumerate(places):
        fitted = places[number - number % period]
        first = fitted - 59 if window == "rolling" else 0
        model = clone(forecaster).fit(wide[first : fitted + 1])
        expected = model.predict(wide[: place + 1])
        part = found[found["cutoff"] == cutoffs[number]]
        np.testing.assert_allclose(part[TARGETS], expected[TARGETS], rtol=1e-6)
    assert "state_" not in vars(forecaster)
    spoilt = wide.copy()
    spoilt.iloc[places[2] + 1 :] = -77.0
    again = forecaster.historical_forecasts(spoilt, every=5, refit=refit, window=window, train_length=60)
    known = found["cutoff"] <= cutoffs[2]
    pd.testing.assert_frame_equal(again[known], found[known])
    backtest = forecaster.backtest(wide, every=5, refit=refit, window=window, train_length=60)
    assert backtest.fits == -(-len(places) // period)
    np.testing.assert_array_equal(backtest.outcomes.forecast.reshape(-1, 2), found[TARGETS])


def test_how_often_is_refitted():
    given = {False: 0, "never": 0, True: 1, "always": 1, 4: 4, np.int64(3): 3}
    assert {refit: Schedule(refit=refit).period for refit in given} == given


def test_scales_of_refits(wide):
    found = ridge(target="walk", past_covariates=[]).backtest(
        wide, every=10, refit=2, train_length=70, metrics=["mae", "mase"]
    )
    table = found.by_cutoff()
    places = wide.index.get_indexer(table.index.get_level_values("cutoff"))
    fitted = np.repeat(places[::2], 2)[: len(places)]
    change = wide["walk"].diff(7).abs()
    np.testing.assert_allclose(table["mae"] / table["mase"], [change[: row + 1].mean() for row in fitted], rtol=1e-5)


def test_refits_of_a_panel_are_at_one_moment(panel):
    """Whatever series it is of, no row after an origin is trained on; series too short by then take no part."""
    late = panel.drop(panel.loc[["C"]].index[:40])  # begins when the others have 45 rows
    forecaster = ridge(target="walk", past_covariates=[])
    found = forecaster.historical_forecasts(late, every=4, refit=4, train_length=50)
    days = late.index.get_level_values("day")
    moments = np.sort(found["cutoff"].unique())
    assert set(found["site"]) == {"A", "B", "C"}
    begin = moments[0]
    for cutoff in moments[[0, 5, -1]]:
        fitted = begin + (cutoff - begin) // pd.Timedelta(days=16) * pd.Timedelta(days=16)
        model = clone(forecaster).set_params(min_length=10).fit(late[days <= fitted])
        for site, part in found[found["cutoff"] == cutoff].groupby("site"):
            if site in model.state_.tail.ids:
                expected = model.predict(late[days <= cutoff].loc[[site]])
                np.testing.assert_allclose(part["walk"], expected["walk"], rtol=1e-6)


def test_windows_are_the_same_in_all_fits(wide):
    """ "auto" does not change with the rows that there are so far."""
    fresh = LinearForecaster(target="walk").backtest(wide, refit=20, train_length=60)
    assert fresh.fits > 1 and fresh.outcomes.forecast.shape[1] == 7
    fitted = LinearForecaster(target="walk", horizon=2).fit(wide[:40]).set_params(horizon=4)
    assert fitted.backtest(wide, refit=20).outcomes.forecast.shape[1] == 4


def test_arrays_y_and_networks(wide):
    forecaster = GRUForecaster(lookback=5, horizon=2, hidden_size=4, max_epochs=1, random_state=0)
    X, y = wide[["wave", "noise"]], wide["walk"]
    found = forecaster.backtest(X, y, refit=True, every=20, train_length=80)
    assert found.fits == 2 and list(found.metrics.index) == ["walk"]
    model = clone(forecaster).fit(X[:98], y[:98])
    np.testing.assert_allclose(found.outcomes.forecast[0, :, 0], model.predict(X[:98], y[:98])["walk"], rtol=1e-5)
    array = NaiveForecaster(lookback=1, horizon=1).backtest(y.to_numpy(), refit=True, every=5)
    assert array.forecasts["cutoff"].tolist()[-1] == 118


@pytest.mark.parametrize(
    "index",
    [
        pd.period_range("2000-01", periods=60, freq="M"),
        pd.date_range("2000-01-31", periods=60, freq="ME"),
        pd.date_range("2024-01-01", periods=60, freq="B"),
        pd.date_range("2024-03-20", periods=60, freq="12h", tz="Europe/Berlin"),
        pd.RangeIndex(7, 307, 5),
    ],
    ids=["periods", "month ends", "business days", "clock change", "integers"],
)
def test_refits_on_any_time_axis(index):
    frame = pd.DataFrame({"x": np.arange(60.0) ** 2}, index=index)
    found = NaiveForecaster(lookback=1, horizon=1).historical_forecasts(frame, refit=True, every=9, train_length=10)
    assert found["cutoff"].tolist() == index[[13, 22, 31, 40, 49, 58]].tolist()
    assert found["x"].tolist() == [13.0**2, 22**2, 31**2, 40**2, 49**2, 58**2]


def test_the_frequency_is_that_of_the_whole_table():
    """The first training part alone would have none."""
    days = pd.date_range("2024-01-01", periods=200, freq="D").delete([1, 3, 5, 7])
    frame = pd.DataFrame({"x": np.arange(196.0)}, index=days)
    forecaster = NaiveForecaster(lookback=1, horizon=1, missing="ffill")
    with pytest.raises(ValueError, match="`freq` cannot be inferred"):
        clone(forecaster).fit(frame[:12])
    found = forecaster.historical_forecasts(frame, refit=50, train_length=16)
    assert found["cutoff"].iloc[0] == pd.Timestamp("2024-01-16") and found["x"].iloc[0] == 11.0


# ---- folds -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("folds", [TimeSeriesSplit(3, test_size=12), PanelTimeSeriesSplit(n_splits=3, test_size=12)])
def test_folds_train_on_their_rows_and_forecast_theirs(wide, folds):
    forecaster = ridge()
    found = forecaster.backtest(wide, folds=folds, every=4)
    rows = found.forecasts
    assert found.fits == 3 and found.by_fold().index.names == ["fold", "target"]
    for fold, (train, test) in enumerate(folds.split(wide)):
        part = rows[rows["fold"] == fold]
        assert part["time"].min() >= wide.index[test[0]] and part["time"].max() == wide.index[test[-1]]
        assert part["cutoff"].nunique() == 3
        model = clone(forecaster).fit(wide.iloc[train])
        cutoff = part["cutoff"].iloc[-1]
        expected = model.predict(wide[:cutoff])[TARGETS].to_numpy()
        np.testing.assert_allclose(part["forecast"].to_numpy()[-6:], expected.ravel(), rtol=1e-6)
        mae = (part["forecast"] - part["truth"]).abs().groupby(part["target"]).mean()
        np.testing.assert_allclose(found.by_fold().loc[fold, "mae"], mae[TARGETS])


def test_a_number_of_folds_and_every_second_fit(panel):
    forecaster = ridge(target="walk", past_covariates=[])
    folds = PanelTimeSeriesSplit(n_splits=4)
    each = forecaster.backtest(panel, folds=4)
    np.testing.assert_array_equal(each.outcomes.forecast, forecaster.backtest(panel, folds=folds).outcomes.forecast)
    second = forecaster.backtest(panel, folds=4, refit=2)
    assert (each.fits, second.fits) == (4, 2)
    for fold, same in enumerate([True, False, True, False]):
        of_fold = each.fold == fold
        assert np.array_equal(each.outcomes.forecast[of_fold], second.outcomes.forecast[of_fold]) == same


def test_folds_of_a_fitted_forecaster(wide):
    forecaster = ridge().fit(wide[:60])
    found = forecaster.backtest(wide, folds=TimeSeriesSplit(2, test_size=20), refit=False)
    assert found.fits == 0
    whole = forecaster.historical_forecasts(wide).set_index("cutoff")["walk"]
    rows = found.forecasts[lambda rows: rows["target"] == "walk"]
    np.testing.assert_array_equal(rows["forecast"], whole[whole.index.isin(rows["cutoff"])])


def test_folds_that_look_ahead(wide):
    with pytest.warns(
        LeakageWarning, match="fold 0 trains on rows at or after the first that it tests; fold 1 .*PanelTime"
    ):
        ridge(missing="ffill").backtest(wide, folds=KFold(3))
    pairs = [(np.arange(60), np.arange(70, 80)), (np.arange(65), np.arange(75, 90))]
    with pytest.warns(LeakageWarning, match="5 rows are tested in more than one fold"):
        ridge().backtest(wide, folds=pairs)


# ---- what should not count -------------------------------------------------------------------------------------------
def test_origins_that_were_trained_on_are_left_out(wide):
    forecaster = ridge().fit(wide)
    border = pd.Timestamp(forecaster.cutoff_[0])
    found = forecaster.backtest(wide)
    assert (found.left_out, found.validated, len(found)) == (89, 22, 24 - 2)
    assert found.forecasts["time"].min() == border
    assert "not refitted; 22 of them in its validation part; 89 more in its training part left out" in str(found)
    later = ridge().fit(wide[:100]).backtest(wide)
    assert (later.left_out, later.validated, len(later)) == (73, 20, 38)


def test_update_moves_no_border(wide):
    """Nothing was learned from its rows; whatever there is to divide by is still from those of the fit."""
    for whole in (wide, wide.to_numpy()):
        forecaster = LinearForecaster(lookback=7, horizon=3).fit(whole[:TRAINED])
        before = forecaster.backtest(whole)
        after = forecaster.update(whole[TRAINED:100]).backtest(whole)
        assert (after.left_out, after.validated, len(after)) == (before.left_out, before.validated, len(before))
        assert after.left_out > 0 and after.validated > 0
        pd.testing.assert_frame_equal(after.metrics, before.metrics)


def test_rows_of_partial_fit_were_trained_on(wide, tmp_path):
    forecaster = DenseForecaster(lookback=7, horizon=3, hidden_size=4, max_epochs=1, random_state=0)
    forecaster.fit(wide[:TRAINED])
    scale = (lambda found: found.metrics["mae"] / found.metrics["mase"])(forecaster.backtest(wide[90:]))
    forecaster.partial_fit(wide[TRAINED:100]).save(tmp_path / "file")
    for one in (forecaster, load(tmp_path / "file")):
        found = one.backtest(wide)
        assert (found.left_out, found.validated, len(found)) == (111 - 18, 0, 18)
        assert found.forecasts["time"].min() == wide.index[100]
        pd.testing.assert_series_equal(found.metrics["mae"] / found.metrics["mase"], scale)


def test_series_that_came_after_the_fit(panel):
    """They are as those that it has not seen, until they are learned from."""
    first, second = panel.loc[["A"]][["wave"]], panel.loc[["B"]][["wave"]]
    forecaster = DenseForecaster(lookback=7, horizon=3, hidden_size=4, max_epochs=1, random_state=0).fit(first)
    with pytest.warns(LeakageWarning, match="'B'"):
        unseen = forecaster.backtest(second)
    forecaster.update(second[:60])
    with pytest.warns(LeakageWarning, match="1 series that the fit has not seen are scaled by rows after.*'B'"):
        found = forecaster.backtest(second)
    assert (found.left_out, found.validated, len(found)) == (0, 0, len(unseen))
    ratios = (table["mae"] / table["mase"] for table in (found.by_series(), unseen.by_series()))
    pd.testing.assert_series_equal(*ratios)
    assert len(forecaster.backtest(second[53:])) == 58  # the scale is of rows before these origins: nothing to say
    forecaster.partial_fit(second[60:90])
    found = forecaster.backtest(panel[["wave"]].loc[["A", "B"]])
    assert found.forecasts["day"][found.forecasts["site"] == "B"].min() == second.index[90][1]
    assert found.forecasts["day"][found.forecasts["site"] == "A"].min() == pd.Timestamp(forecaster.cutoff_[0])


def test_origins_that_were_trained_on_may_count(wide):
    forecaster = ridge().fit(wide)
    with pytest.warns(LeakageWarning, match="89 of 111 origins forecast rows that LinearForecaster was trained on"):
        found = forecaster.backtest(wide, in_sample=True)
    assert found.left_out == 0 and len(found) == 120 - 10 + 1


def test_nothing_left_to_test(wide):
    forecaster = ridge(validation_fraction=0).fit(wide)
    with pytest.raises(ValueError, match=r"All 111 origins in X.*none is left.*`refit=True`.*`in_sample=True`"):
        forecaster.backtest(wide)


def test_rows_without_stamps_are_known_by_their_values(wide):
    values = wide.to_numpy()
    forecaster = LinearForecaster(lookback=7, horizon=3).fit(values[:TRAINED])
    assert forecaster.backtest(values[TRAINED:]).left_out == 0
    assert forecaster.backtest(values).left_out == forecaster.backtest(np.vstack([values, values])).left_out > 0


def test_series_that_were_never_scaled(panel):
    options = {"target": "walk", "past_covariates": [], "lookback": 14}
    forecaster = ridge(**options).fit(panel.loc[["A"]])
    with pytest.warns(
        LeakageWarning, match="1 series that the fit has not seen are scaled by rows after the origins.*'B'"
    ):
        found = forecaster.backtest(panel.loc[["B"]], metrics=["mae", "mase"])
    table = found.by_series()
    known = panel.loc["B", "walk"].iloc[:14]  # up to the first origin
    assert (table["mae"] / table["mase"]).iloc[0] == pytest.approx(known.diff(7).abs().mean(), rel=1e-5)
    assert len(found) == 120 - 17 + 1
    ridge(scaler_scope="global", **options).fit(panel.loc[["A"]]).backtest(panel.loc[["B"]])  # says nothing


def test_a_covariate_that_holds_the_future(wide):
    wide["leak"] = wide["walk"].shift(-2).ffill()
    forecaster = ridge(target="walk", past_covariates=["noise", "leak"]).fit(wide[:TRAINED])
    with pytest.warns(LeakageWarning, match="past covariate 'leak' is nearly equal to the target 'walk' 2 rows later"):
        forecaster.backtest(wide[TRAINED:])


# ---- bad input -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metrics": ["maes"]}, ValueError, "got 'maes'. Did you mean 'mae'"),
        ({"metrics": ["crps"]}, ValueError, "'crps' is of quantiles, which these forecasts do not have"),
        ({"every": 0}, ValueError, "`every` of LinearForecaster.backtest must be an integer of at least 1; got 0"),
        ({"refit": 0.5}, TypeError, "`refit` of LinearForecaster.backtest must be True or False, or"),
        ({"refit": "alway"}, ValueError, "Did you mean 'always'"),
        ({"window": "sliding", "refit": True}, ValueError, "must be 'expanding' or 'rolling'; got 'sliding'"),
        ({"train_length": 30}, ValueError, "nothing is fitted with `refit=False`"),
        ({"window": "rolling"}, ValueError, "nothing is fitted with `refit=False`"),
        ({"folds": "five"}, TypeError, "`folds` of LinearForecaster.backtest must be a splitter"),
        ({"folds": []}, ValueError, "must hold at least one fold; got none"),
        (
            {"folds": [(range(60), range(200, 210))]},
            ValueError,
            "Fold 0 must hold positions of the 120 rows.*200 to 209",
        ),
        (
            {"folds": [(range(60), range(62, 64))]},
            ValueError,
            "Fold 0 tests 2 rows, in which no forecast fits: it takes 3",
        ),
        (
            {"folds": [(range(8), range(60, 80))]},
            ValueError,
            "The fit on the training part of fold 0 failed: Each series",
        ),
        ({"folds": 3, "train_length": 9}, ValueError, "are not for folds"),
        ({"refit": True, "train_length": 119}, ValueError, r"needs at least 119 rows.*122 in all. Got 120 rows and"),
        ({"refit": True, "train_length": 5}, ValueError, r"at least 10 rows to train on.*13 in all"),
        ({"in_sample": 1}, TypeError, "`in_sample` of LinearForecaster.backtest must be True or False"),
    ],
)
def test_bad_input(wide, options, error, message):
    forecaster = ridge().fit(wide[:40])
    with pytest.raises(error, match=message):
        forecaster.backtest(wide, **options)


def test_too_little_history(wide):
    forecaster = ridge().fit(wide[:40])
    with pytest.raises(ValueError, match="must have at least 10 rows .7 rows of `lookback` . 3 of `horizon`.; got 9"):
        forecaster.backtest(wide[40:49])
    with pytest.raises(
        ValueError, match=r"at least 10 rows.*13 in all. Got 12 rows and `train_length=6` \(by default half"
    ):
        forecaster.backtest(wide[:12], refit=True)
    with pytest.raises(NotFittedError):
        ridge().backtest(wide)


def test_a_fit_that_fails_says_which(wide):
    holed = wide.copy()
    holed.iloc[90, 0] = np.nan
    with pytest.raises(ValueError, match="missing"):
        ridge().backtest(holed, refit=True)
    text = re.escape("The fit on the 10 rows of time up to 2024-01-10")
    with pytest.raises(ValueError, match=text):
        ridge(validation_fraction=0.2).backtest(wide, refit=True, train_length=10)


# ---- looks -----------------------------------------------------------------------------------------------------------
def test_text_and_html(tested):
    _, backtest = tested
    text = str(backtest)
    first, *_, wave = text.splitlines()
    assert first == "LinearForecaster: 38 origins, 2024-03-20 to 2024-04-26, 3 rows ahead, not refitted"
    assert wave.split()[:2] == ["wave", f"{backtest.metrics.loc['wave', 'mae']:.4g}"]
    assert repr(backtest) == text and "<caption>LinearForecaster: 38 origins" in backtest._repr_html_()
    with pytest.raises(ValueError, match="had no folds: give `folds=`"):
        backtest.by_fold()


def test_polars(wide):
    pl = pytest.importorskip("polars")
    frame = pl.from_pandas(wide.reset_index(names="day"))
    forecaster = ridge(time_col="day").fit(frame[:TRAINED])
    found = forecaster.backtest(frame[TRAINED - 7 :], metrics=["mae"])
    expected = ridge().fit(wide[:TRAINED]).backtest(wide[TRAINED - 7 :], metrics=["mae"])
    assert isinstance(found.forecasts, pl.DataFrame)
    assert found.forecasts.columns == ["cutoff", "day", "step", "target", "forecast", "truth", "naive"]
    pd.testing.assert_frame_equal(found.metrics, expected.metrics)
    assert found.forecasts["target"].to_list() == expected.forecasts["target"].tolist()
    refitted = ridge(time_col="day").backtest(frame, refit=20, train_length=60, metrics=["mae"])
    pd.testing.assert_frame_equal(
        refitted.metrics, ridge().backtest(wide, refit=20, train_length=60, metrics=["mae"]).metrics
    )
