"""Tables of metrics against `tsrnn.evaluation`, group by group, and against utilsforecast."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import evaluation
from tsrnn.evaluation.grouped import IN_CACHE, METRICS, POINT, Groups, Outcomes, check_metrics, metric_table

RNG = np.random.default_rng(0)
WINDOWS, HORIZON, TARGETS = 7, 3, 2
TRUTH, FORECAST, NAIVE = 5 + RNG.normal(size=(3, WINDOWS, HORIZON, TARGETS))
TRAIN = RNG.normal(size=(WINDOWS, 12, TARGETS))  # another series for each window
CODES = np.array([0, 1, 1, 0, 2, 2, 2])


def scale_of(train):
    change = train[:, 2:] - train[:, :-2]
    return np.stack([np.abs(change).mean(axis=1), (change**2).mean(axis=1)])


def outcomes(truth=TRUTH, **others):
    return Outcomes(truth, FORECAST, NAIVE, scale_of(TRAIN), others.pop("levels", np.empty(0)), **others)


def one_by_one(name, windows, target, by=None):
    """With the functions for arrays."""
    part = [array[windows][..., [target]] for array in (TRUTH, FORECAST, NAIVE)]
    metric = getattr(evaluation, name)
    if name in ("mase", "rmsse"):
        return metric(part[0], part[1], list(TRAIN[windows][..., [target]]), season=2, by=by)
    return metric(*part, by=by) if name == "skill" else metric(part[0], part[1], by=by)


@pytest.mark.parametrize("name", POINT)
def test_as_the_functions_for_arrays(name):
    whole = metric_table(outcomes(), Groups.whole(WINDOWS), [name])[name]
    grouped = metric_table(outcomes(), Groups(CODES, 3), [name])[name]
    steps = metric_table(outcomes(), Groups(), [name])[name]
    assert (whole.shape, grouped.shape, steps.shape) == ((1, TARGETS), (3, TARGETS), (HORIZON, TARGETS))
    for target in range(TARGETS):
        assert whole[0, target] == pytest.approx(one_by_one(name, slice(None), target), rel=1e-12)
        expected = [one_by_one(name, code == CODES, target) for code in range(3)]
        np.testing.assert_allclose(grouped[:, target], expected, rtol=1e-12)
        if name == "rmsse":
            scaled = (TRUTH - FORECAST)[..., target] ** 2 / scale_of(TRAIN)[1][:, target, None]
            np.testing.assert_allclose(steps[:, target], np.sqrt(scaled.mean(axis=0)), rtol=1e-12)
        else:
            np.testing.assert_allclose(steps[:, target], one_by_one(name, slice(None), target, "horizon"), rtol=1e-12)


def test_as_utilsforecast():
    losses = pytest.importorskip("utilsforecast.losses")
    table = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(WINDOWS), HORIZON),
            "y": TRUTH[..., 0].ravel(),
            "m": FORECAST[..., 0].ravel(),
        }
    )
    train = pd.DataFrame({"unique_id": np.repeat(np.arange(WINDOWS), 12), "y": TRAIN[..., 0].ravel()})
    each = metric_table(outcomes(), Groups(np.arange(WINDOWS), WINDOWS), POINT)
    for name, factor in {"mae": 1, "rmse": 1, "bias": 1, "smape": 200, "wape": 1}.items():
        np.testing.assert_allclose(each[name][:, 0], factor * getattr(losses, name)(table, ["m"])["m"], rtol=1e-12)
    for name in ("mase", "rmsse"):
        theirs = getattr(losses, name)(table, ["m"], 2, train)["m"]
        np.testing.assert_allclose(each[name][:, 0], theirs, rtol=1e-12)


def test_more_windows_than_are_measured_at_a_time():
    n = IN_CACHE // 2 + 5
    truth, forecast, naive = RNG.normal(size=(3, n, 4, 1))
    found = Outcomes(truth, forecast, naive, np.ones((2, n, 1)), np.empty(0))
    for groups, axis in ((Groups.whole(n), (0, 1)), (Groups(), 0), (Groups(np.arange(n), n), 1)):
        error = forecast - truth
        table = metric_table(found, groups, ["mae", "bias", "rmse"])
        np.testing.assert_allclose(table["mae"].ravel(), np.abs(error).mean(axis=axis).ravel(), rtol=1e-12)
        np.testing.assert_allclose(table["rmse"].ravel(), np.sqrt((error**2).mean(axis=axis)).ravel(), rtol=1e-12)


@pytest.mark.parametrize("name", POINT)
def test_what_was_not_observed_does_not_count(name):
    """All windows but the second are whole: without it, or with NaN in it, is the same."""
    holed = TRUTH.copy()
    holed[1] = np.nan
    rest = np.arange(WINDOWS) != 1
    found = metric_table(outcomes(holed), Groups.whole(WINDOWS), [name])[name]
    np.testing.assert_allclose(found[0], [one_by_one(name, rest, target) for target in range(TARGETS)], rtol=1e-12)
    by_window = metric_table(outcomes(holed), Groups(np.arange(WINDOWS), WINDOWS), [name])[name]
    assert np.isnan(by_window[1]).all() and np.isfinite(by_window[rest]).all()


def test_single_values_that_were_not_observed():
    holed = TRUTH.copy()
    holed[2, 1, 0] = np.nan
    steps = metric_table(outcomes(holed), Groups(), ["mae"])["mae"]
    expected = np.nanmean(np.abs(FORECAST - holed), axis=0)
    np.testing.assert_allclose(steps, expected, rtol=1e-12)
    assert steps[1, 0] != pytest.approx(np.abs(FORECAST - TRUTH).mean(axis=0)[1, 0])


def test_windows_without_a_scale_are_left_out_of_scaled_errors():
    scale = scale_of(TRAIN)
    scale[:, 0, 1] = np.nan
    found = Outcomes(TRUTH, FORECAST, NAIVE, scale, np.empty(0))
    table = metric_table(found, Groups.whole(WINDOWS), ["mase", "rmsse", "mae"])
    for name in ("mase", "rmsse"):
        assert table[name][0, 1] == pytest.approx(one_by_one(name, slice(1, None), 1), rel=1e-12)
    assert table["mae"][0, 1] == pytest.approx(one_by_one("mae", slice(None), 1), rel=1e-12)


def test_ratios_of_nothing_are_nan():
    zeros = Outcomes(TRUTH * 0, FORECAST, TRUTH * 0, scale_of(TRAIN), np.empty(0))
    table = metric_table(zeros, Groups.whole(WINDOWS), ["wape", "skill", "smape"])
    assert np.isnan(table["wape"]).all() and np.isnan(table["skill"]).all()
    assert (table["smape"] == 200).all()
    both = Outcomes(TRUTH * 0, TRUTH * 0, TRUTH, scale_of(TRAIN), np.empty(0))
    assert (metric_table(both, Groups.whole(WINDOWS), ["smape"])["smape"] == 0).all()


def test_intervals():
    """Every central interval among the quantiles; other scores of quantiles are in test_probabilistic."""
    levels = np.array([0.05, 0.1, 0.5, 0.9])
    quantiles = FORECAST[..., None] + np.array([-2.0, -1.0, 0.0, 1.0])
    found = outcomes(levels=levels, quantiles=quantiles)
    table = metric_table(found, Groups(CODES, 3), ["coverage", "width"])
    assert list(table) == ["coverage_0.8", "width_0.8"]
    inside = np.abs(TRUTH - FORECAST) <= 1
    expected = [inside[rows].mean(axis=(0, 1)) for rows in ([0, 3], [1, 2], [4, 5, 6])]
    np.testing.assert_allclose(table["coverage_0.8"], expected, rtol=1e-12)
    np.testing.assert_allclose(table["width_0.8"], 2, rtol=1e-12)


def test_names():
    assert check_metrics("test", "mae", False) == ("mae",)
    assert check_metrics("test", ["rmse", "mae", "rmse"], False) == ("rmse", "mae")
    assert check_metrics("test", None, False) == tuple(POINT)
    assert check_metrics("test", None, True) == METRICS
    with pytest.raises(ValueError, match="`metrics` of test must be of .*; got 'smpe'. Did you mean 'smape'"):
        check_metrics("test", ["mae", "smpe"], False)
    with pytest.raises(ValueError, match="metric 'crps' is of quantiles, which these forecasts do not have"):
        check_metrics("test", ["crps"], False)
    with pytest.raises(ValueError, match="at least one metric"):
        check_metrics("test", [], False)
