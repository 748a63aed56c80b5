"""Naive forecasts by hand, and ridge against scikit-learn's on windows that are written out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from tsrnn import LinearForecaster, NaiveForecaster

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")


def counted(rows=20):
    """The value of a row is its number, squared."""
    return pd.DataFrame({"a": np.arange(rows) ** 2.0}, index=pd.date_range("2024-01-01", periods=rows, freq="D"))


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        ({"method": "last"}, [19, 19, 19]),
        ({"method": "last", "gap": 2}, [19, 19, 19]),
        ({"method": "seasonal"}, [13, 14, 15]),  # a week back, from the frequency
        ({"method": "seasonal", "gap": 3}, [16, 17, 18]),
        ({"method": "seasonal", "gap": 6}, [19, 13, 14]),  # the second row is a season further
        ({"method": "seasonal", "gap": 7}, [13, 14, 15]),
        ({"method": "seasonal", "season_length": 1}, [19, 19, 19]),
        ({"method": "seasonal", "season_length": 2}, [18, 19, 18]),
        ({"method": "seasonal", "season_length": 12}, [8, 9, 10]),  # longer than the lookback
        ({"method": "seasonal", "season_length": 18}, [2, 3, 4]),
    ],
)
def test_the_row_that_is_repeated(parameters, rows):
    forecaster = NaiveForecaster(lookback=4, horizon=3, **parameters).fit(counted())
    for history in (None, counted()):
        assert forecaster.predict(history)["a"].tolist() == [row**2 for row in rows]


def test_series_shorter_than_a_season():
    """The last value stands in for rows that a season before the series does not have."""
    forecaster = NaiveForecaster(method="seasonal", season_length=18, lookback=2, horizon=3).fit(counted())
    assert forecaster.predict(counted(17))["a"].tolist() == [16**2, 0, 1]
    assert forecaster.predict(counted(5))["a"].tolist() == [16, 16, 16]


def test_series_do_not_reach_into_each_other():
    both = pd.concat({"A": counted(30), "B": counted(17) + 1000}, names=["id", "day"])
    forecast = NaiveForecaster(method="seasonal", season_length=18, lookback=2, horizon=3).fit(both).predict()
    assert forecast.loc["B", "a"].tolist() == [1256, 1000, 1001]
    assert forecast.loc["A", "a"].tolist() == [144, 169, 196]


def test_drift():
    forecast = NaiveForecaster(method="drift", lookback=5, horizon=2, gap=1).fit(counted()).predict()
    slope = (19**2 - 15**2) / 4
    assert forecast["a"].tolist() == [19**2 + 2 * slope, 19**2 + 3 * slope]
    sparse = NaiveForecaster(method="drift", lookback=5, sampling_rate=3, horizon=1).fit(counted()).predict()
    assert sparse["a"].tolist() == [19**2 + (19**2 - 7**2) / 12]
    alone = NaiveForecaster(method="drift", lookback=1, horizon=2).fit(counted()).predict()
    assert alone["a"].tolist() == [361, 361]


def test_mean():
    forecast = NaiveForecaster(method="mean", lookback=3, sampling_rate=2, horizon=2).fit(counted()).predict()
    assert forecast["a"].tolist() == [(15**2 + 17**2 + 19**2) / 3] * 2


def sine_and_noise(rows=200):
    rng = np.random.default_rng(3)
    waves = np.sin(np.arange(rows)[:, None] / [5.0, 3.0, 8.0]) + 0.3 * rng.standard_normal((rows, 3))
    return pd.DataFrame(waves * [1, 10, 100] + [5, 0, -50], columns=["a", "b", "c"])


@pytest.mark.parametrize("alpha", [0.5, 20.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_ridge(alpha, weighted):
    """Coefficients on windows of standardised rows, for the differences from the last value."""
    frame, lookback, horizon, gap, rate = sine_and_noise(), 6, 3, 2, 2
    weights = np.linspace(0, 2, 200) if weighted else None
    forecaster = LinearForecaster(
        target=["b", "a"], lookback=lookback, horizon=horizon, gap=gap, sampling_rate=rate, alpha=alpha
    )
    forecaster.fit(frame, sample_weight=weights)

    values = frame[["b", "a", "c"]].to_numpy()
    scaled = StandardScaler().fit(values[:160]).transform(values)
    origins = range((lookback - 1) * rate, 160 - gap - horizon)
    inputs = np.array([scaled[o - (lookback - 1) * rate : o + 1 : rate].ravel() for o in origins])
    outputs = np.array([(scaled[o + gap + 1 : o + gap + horizon + 1, :2] - scaled[o, :2]).ravel() for o in origins])
    of_windows = None
    if weighted:
        normed = weights / weights[:160].mean()
        of_windows = np.array([normed[o + gap + 1 : o + gap + horizon + 1].mean() for o in origins])
    ridge = Ridge(alpha=alpha).fit(inputs, outputs, sample_weight=of_windows)

    model = forecaster.state_.model
    np.testing.assert_allclose(model.coefficients, ridge.coef_.T, atol=1e-5)
    np.testing.assert_allclose(model.intercept, ridge.intercept_, atol=1e-5)
    last = scaled[199 - (lookback - 1) * rate :: rate]
    expected = ridge.predict(last.reshape(1, -1)).reshape(horizon, 2) + scaled[199, :2]
    expected = expected * values[:160, :2].std(axis=0) + values[:160, :2].mean(axis=0)
    np.testing.assert_allclose(forecaster.predict()[["b", "a"]], expected, atol=1e-3)
    assert forecaster.state_.model.n_params == 18 * 6 + 6


def test_ridge_without_a_penalty_is_not_singular():
    """Columns that repeat each other leave the coefficients open."""
    frame = sine_and_noise()[["a"]].assign(same=lambda f: 2 * f["a"])
    forecast = LinearForecaster(lookback=5, horizon=2, alpha=0).fit(frame).predict()
    assert np.isfinite(forecast.to_numpy()).all()
    np.testing.assert_allclose(forecast["same"], 2 * forecast["a"], rtol=1e-3)


def test_many_windows_are_taken_in_parts(monkeypatch):
    """The sums do not depend on how many windows are taken at a time."""
    frame = sine_and_noise()
    whole = LinearForecaster(lookback=5, horizon=2).fit(frame)
    monkeypatch.setattr("tsrnn.forecasting.skill.MOST_WINDOWS", 17)
    parts = LinearForecaster(lookback=5, horizon=2).fit(frame)
    np.testing.assert_allclose(parts.state_.model.coefficients, whole.state_.model.coefficients, atol=1e-9)
    assert parts.baseline_skill_ == pytest.approx(whole.baseline_skill_, abs=1e-9)
    assert parts.score(frame) == pytest.approx(whole.score(frame), abs=1e-9)
    a, b = (f.historical_forecasts(frame) for f in (parts, whole))
    assert a["cutoff"].equals(b["cutoff"]) and len(a) == (200 - 6) * 2
    np.testing.assert_allclose(a, b, atol=1e-6)
