"""Which rows are read and which are forecast, checked by a rule that ridge learns exactly."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import DenseForecaster, GRUForecaster, LinearForecaster

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")


def ruled(rows, seed, delay):
    """A cause that is noise, and an effect that repeats it `delay` rows later, doubled."""
    cause = np.random.default_rng(seed).standard_normal(rows)
    effect = np.r_[np.zeros(delay), 2 * cause[: rows - delay]]
    days = pd.date_range("2024-01-01", periods=rows, freq="D")
    return pd.DataFrame({"cause": cause, "effect": effect, "other": cause[::-1]}, index=days)


# The effect at the k-th row ahead has its cause at row `gap + k - delay`, which must be among the points that are read.
EXACT = {
    "plain": {"delay": 8, "lookback": 8, "horizon": 5},
    "gap": {"delay": 8, "lookback": 6, "horizon": 3, "gap": 4},
    "points three rows apart": {"delay": 10, "lookback": 4, "sampling_rate": 3, "horizon": 1},
    "both": {"delay": 12, "lookback": 4, "sampling_rate": 2, "horizon": 1, "gap": 5},
}


@pytest.mark.parametrize("case", EXACT)
@pytest.mark.parametrize("many", [False, True])
def test_ridge_finds_the_rule(case, many):
    settings = dict(EXACT[case])
    delay = settings.pop("delay")
    frame = ruled(200, 0, delay)
    if many:
        frame = pd.concat({name: ruled(150 + 25 * seed, seed, delay) for name, seed in zip("AB", (0, 1), strict=True)})
        frame.index.names = ["id", "day"]
    forecaster = LinearForecaster(
        target="effect", past_covariates=["cause"], alpha=1e-4, scaler_scope="global", **settings
    ).fit(frame)
    gap = settings.get("gap", 0)
    for name, series in frame.groupby(level="id") if many else [(None, frame)]:
        forecast = forecaster.predict(series)
        due = len(series) + gap + np.arange(forecaster.horizon_)
        expected = 2 * series["cause"].to_numpy()[due - delay]
        np.testing.assert_allclose(forecast["effect"], expected, atol=2e-3, err_msg=str(name))
        stamps = pd.date_range("2024-01-01", periods=due[-1] + 1, freq="D")[due]
        assert list(forecast.index.get_level_values(-1)) == list(stamps)
    assert forecaster.score(frame) > 0.99


def test_points_between_those_read_are_not_read():
    frame = ruled(200, 0, 10)
    forecaster = LinearForecaster(lookback=4, sampling_rate=3, horizon=2).fit(frame)
    other = frame.copy()
    other.iloc[[-2, -3, -5, -6, -8, -9]] += 100.0
    np.testing.assert_array_equal(forecaster.predict(other), forecaster.predict(frame))
    other.iloc[-4] += 1.0
    assert not np.allclose(forecaster.predict(other), forecaster.predict(frame))
    assert len(frame.iloc[-10:]) == (4 - 1) * 3 + 1
    np.testing.assert_array_equal(forecaster.predict(frame.iloc[-10:]), forecaster.predict(frame))


def test_rows_of_the_gap_are_not_trained_on():
    """Neither as targets: every training target lies beyond the gap of its window."""
    frame = ruled(60, 0, 3)
    forecaster = LinearForecaster(lookback=4, horizon=2, gap=40, validation_fraction=0).fit(frame)
    other = frame.copy()
    other.iloc[20:43] += 7.0  # the windows read rows 0 to 18; their targets are rows 44 to 59
    again = LinearForecaster(lookback=4, horizon=2, gap=40, validation_fraction=0, scaler=None).fit(other)
    plain = LinearForecaster(lookback=4, horizon=2, gap=40, validation_fraction=0, scaler=None).fit(frame)
    np.testing.assert_array_equal(again.state_.model.coefficients, plain.state_.model.coefficients)
    assert forecaster.predict().index[0] == frame.index[-1] + pd.Timedelta(days=41)


@pytest.mark.parametrize("make", [LinearForecaster, lambda **p: DenseForecaster(hidden_size=4, max_epochs=1, **p)])
def test_stride_takes_every_nth_window(make):
    """Rows that lie between the targets of training windows do not matter where they are not read either."""
    frame = ruled(100, 0, 3)
    settings = {"lookback": 1, "horizon": 1, "stride": 4, "validation_fraction": 0, "scaler": None}
    seed = {} if make is LinearForecaster else {"random_state": 0}
    first = make(**settings, **seed).fit(frame)
    other = frame.copy()
    other.iloc[[96, 97, 92, 93, 0]] += 9.0  # targets are rows 99, 95, 91, ... and what is read 98, 94, 90, ...
    second = make(**settings, **seed).fit(other)
    for name, array in first.state_.model.arrays().items():
        np.testing.assert_array_equal(second.state_.model.arrays()[name], array)
    other.iloc[94] += 9.0
    third = make(**settings, **seed).fit(other)
    arrays = third.state_.model.arrays()
    assert any(not np.array_equal(arrays[name], array) for name, array in first.state_.model.arrays().items())


def test_historical_forecasts(panel):
    forecaster = GRUForecaster(
        target=["walk", "wave"], lookback=7, horizon=3, gap=1, hidden_size=3, max_epochs=1, random_state=0
    ).fit(panel)
    result = forecaster.historical_forecasts(panel, every=10)
    assert list(result.columns) == ["site", "cutoff", "day", "walk", "wave"]
    assert set((result["day"] - result["cutoff"]).dt.days) == {2, 3, 4}
    for site, series in panel.groupby(level="site"):
        cutoffs = result.loc[result["site"] == site, "cutoff"].unique()
        days = series.index.get_level_values("day")
        assert list(cutoffs) == list(days[len(days) - 5 :: -10][::-1][-len(cutoffs) :])
        assert days[6] <= cutoffs[0] < days[16]
        for cutoff in cutoffs[[0, -1]]:
            part = result[(result["site"] == site) & (result["cutoff"] == cutoff)]
            expected = forecaster.predict(panel.loc[[site]].loc[(slice(None), slice(None, cutoff)), :])
            np.testing.assert_array_equal(part[["walk", "wave"]], expected)
            assert list(part["day"]) == list(expected.index.get_level_values("day"))


def test_forecasts_of_targets_in_any_order(wide):
    one = LinearForecaster(target=["wave", "walk"], lookback=7, horizon=2).fit(wide).predict()
    other = LinearForecaster(target=["walk", "wave"], lookback=7, horizon=2).fit(wide).predict()
    assert list(one.columns) == ["wave", "walk"]
    np.testing.assert_allclose(one, other[["wave", "walk"]], atol=1e-5)


def test_unseen_series_are_scaled_by_their_own_rows(panel):
    """Under a scale for each series, a new one that is a moved and stretched copy has moved and stretched forecasts."""
    forecaster = LinearForecaster(lookback=7, horizon=2).fit(panel)
    new = panel.loc[["A"]].rename(index={"A": "new"}, level="site")
    moved = forecaster.predict(new * 4 + 256)
    np.testing.assert_allclose(moved, forecaster.predict(new) * 4 + 256, atol=1e-3)
    globally = LinearForecaster(lookback=7, horizon=2, scaler_scope="global").fit(panel)
    known, unseen = globally.predict(panel.loc[["A"]]), globally.predict(new)
    np.testing.assert_array_equal(known, unseen)
