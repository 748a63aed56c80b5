"""Leaderboards: the same origins for all, the order, and the test against the best baseline."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import (
    Comparison,
    DenseForecaster,
    GRUForecaster,
    LinearForecaster,
    NaiveForecaster,
    PanelTimeSeriesSplit,
    compare,
)
from tsrnn.evaluation import diebold_mariano, mean_interval

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

COLUMNS = {"target": ["walk", "wave"], "past_covariates": []}


def forecasters():
    return {
        "ridge": LinearForecaster(lookback=7, **COLUMNS),
        "short": LinearForecaster(lookback=2, **COLUMNS),
        "weekly": NaiveForecaster(method="seasonal", **COLUMNS),
    }


@pytest.fixture
def found(wide):
    return compare(wide, forecasters(), horizon=3, baselines=["weekly", "short"], train_length=70)


def test_all_forecast_from_the_same_origins_after_the_same_fit(wide, found):
    assert isinstance(found, Comparison) and list(found.backtests) == ["ridge", "short", "weekly"]
    first = found.backtests["ridge"]
    assert len(first) == 120 - 70 - 3 + 1
    for name, backtest in found.backtests.items():
        rows = backtest.forecasts
        pd.testing.assert_frame_equal(rows[["cutoff", "time", "truth"]], first.forecasts[["cutoff", "time", "truth"]])
        assert backtest.fits == 1
        model = forecasters()[name].set_params(horizon=3).fit(wide[:70])
        expected = model.predict(wide[:90])[COLUMNS["target"]]
        part = rows[rows["cutoff"] == wide.index[89]]
        np.testing.assert_allclose(part["forecast"], expected.to_numpy().ravel(), rtol=1e-6)


def test_intervals_of_the_leaderboard(found):
    for metric, power in (("mae", 1), ("rmse", 2)):
        table = found.intervals(metric, confidence=0.9)
        assert table.index.equals(found.leaderboard.index)
        for (target, name), (lower, upper) in table.iterrows():
            cutoffs = found.backtests[name].by_cutoff()[metric].xs(target, level="target") ** power
            expected = np.array(mean_interval(cutoffs, lags=2, confidence=0.9)) ** (1 / power)
            np.testing.assert_allclose([lower, upper], expected)
    with pytest.raises(
        ValueError, match="`metric` of Comparison.intervals must be 'mae', 'rmse', 'mase' or 'smape'; got 'bias'"
    ):
        found.intervals("bias")


def test_the_leaderboard(found):
    board = found.leaderboard
    assert board.index.names == ["target", "forecaster"]
    assert list(board.columns) == ["mae", "rmse", "mase", "smape", "against baseline", "DM", "p", "seconds"]
    for target in COLUMNS["target"]:
        part = board.xs(target, level="target")
        assert part["mae"].is_monotonic_increasing and set(part.index) == {"ridge", "short", "weekly"}
        mae = {name: test.metrics.loc[target, "mae"] for name, test in found.backtests.items()}
        assert part["mae"].to_dict() == mae
        best = min(["weekly", "short"], key=mae.get)
        assert found.best_baseline(target) == best
        losses = {}
        for name, test in found.backtests.items():
            rows = test.forecasts[lambda rows, target=target: rows["target"] == target]
            losses[name] = (rows["forecast"] - rows["truth"].astype(float)).abs().groupby(rows["cutoff"]).mean()
        for name, row in part.iterrows():
            assert row["against baseline"] == pytest.approx(1 - mae[name] / mae[best])
            if name == best:
                assert np.isnan([row["DM"], row["p"]]).all()
                continue
            test = diebold_mariano(losses[name], losses[best], lags=2)
            np.testing.assert_allclose([row["DM"], row["p"]], test, rtol=1e-6)
    assert found.best_baseline("walk") != found.best_baseline("wave")


@pytest.mark.parametrize(("every", "gap", "lags"), [(1, 0, 2), (2, 0, 1), (3, 0, 0), (2, 2, 2), (10, 0, 0)])
def test_lags_are_those_of_overlapping_forecasts(wide, every, gap, lags):
    naive = NaiveForecaster(lookback=1, horizon=3, gap=gap)
    assert compare(wide, {"last": naive}, every=every).lags == lags


def test_cutoffs_of_many_series_are_averaged(panel):
    chosen = {"ridge": LinearForecaster(lookback=4, target="walk"), "last": NaiveForecaster(target="walk")}
    found = compare(panel, chosen, horizon=2, every=3, refit=5, train_length=60, metrics=["skill", "mae"])
    board = found.leaderboard.xs("walk", level="target")
    assert board["skill"].is_monotonic_decreasing
    assert found.baselines == ("ridge", "last")
    test = found.backtests["ridge"]
    assert test.fits > 1
    rows = test.forecasts
    losses = (rows["forecast"] - rows["truth"]).abs().groupby(rows["cutoff"]).mean()
    np.testing.assert_allclose(test.by_cutoff()["mae"], losses, rtol=1e-6)
    assert f"{len(test)} origins, {len(losses)} cutoffs" in str(found)
    assert len(losses) < len(test)


def test_baselines_join_where_there_is_none(wide):
    dense = {"mine": NaiveForecaster(lookback=4, method="drift")}
    assert list(compare(wide, dense, horizon=2).backtests) == ["mine"]
    small = {"hidden_size": 4, "max_epochs": 1, "random_state": 0}
    network = {"mine": GRUForecaster(lookback=4, horizon=2, target="walk", **small)}
    found = compare(wide, network, every=5)
    assert list(found.backtests) == ["mine", "last value", "seasonal naive"]
    assert found.baselines == ("last value", "seasonal naive")
    expected = compare(
        wide, {"weekly": NaiveForecaster(method="seasonal", target="walk", lookback=4, horizon=2)}, every=5
    )
    np.testing.assert_array_equal(
        found.backtests["seasonal naive"].outcomes.forecast, expected.backtests["weekly"].outcomes.forecast
    )
    with pytest.raises(ValueError, match="'last value' are names of baselines that join"):
        compare(wide, {"last value": network["mine"]}, every=5)


def test_folds(panel):
    chosen = {
        "ridge": LinearForecaster(lookback=7, target="walk"),
        "last": NaiveForecaster(lookback=1, target="walk"),
    }
    found = compare(panel, chosen, horizon=3, folds=PanelTimeSeriesSplit(n_splits=2, test_size=10))
    assert {test.fits for test in found.backtests.values()} == {2}
    assert set(found.backtests["last"].by_fold().index.get_level_values("fold")) == {0, 1}


def test_text_and_html(found):
    text = str(found)
    assert text.startswith("walk: 48 origins, 48 cutoffs; DM tests against the best baseline (*)")
    assert f"{found.best_baseline('wave')} *" in text.partition("\n\n")[2]
    assert repr(found) == text and found._repr_html_().count("<table>") == 2


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({}, {"metrics": ["mea"]}, ValueError, "`metrics` of compare must be of .*; got 'mea'. Did you mean 'mae'"),
        (
            {},
            {"baselines": ["weekli"]},
            ValueError,
            "must name forecasters among .* got 'weekli'. Did you mean 'weekly'",
        ),
        ({}, {"baselines": []}, ValueError, "must name forecasters among .* got none"),
        ({}, {"horizon": 0}, ValueError, "`horizon` of compare must be an integer of at least 1"),
        ({}, {"refit": -1}, ValueError, "`refit` of compare must be"),
        ({"x": LinearForecaster(gap=1, **COLUMNS)}, {}, ValueError, "the gap of 'x' and 'ridge' differ: 1 and 0"),
        ({"x": LinearForecaster(target="walk")}, {}, ValueError, "the targets of 'x' and 'ridge' differ"),
        ({"x": LinearForecaster(horizon=2, **COLUMNS)}, {"horizon": None}, ValueError, "the horizon of .* differ"),
        ({"x": LinearForecaster}, {}, TypeError, "must be names and forecasters .*; got 'x'"),
    ],
)
def test_bad_input(wide, change, options, error, message):
    with pytest.raises(error, match=message):
        compare(wide, forecasters() | change, **({"horizon": 3} | options))


def test_what_is_no_dict(wide):
    with pytest.raises(TypeError, match="must be a dict of names and forecasters; got list"):
        compare(wide, [DenseForecaster()])
    with pytest.raises(ValueError, match="at least one forecaster; got none"):
        compare(wide, {})
    found = compare(wide, {"last": NaiveForecaster(lookback=1, horizon=1, target="walk")})
    with pytest.raises(ValueError, match=r"must be one of 'walk'; got 'wlak'. Did you mean 'walk'"):
        found.best_baseline("wlak")
