"""Skill, computed by hand; which naive forecast counts; the warning of forecasts that do not beat it."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tsrnn import BelowNaiveWarning, DenseForecaster, GRUForecaster, LinearForecaster, NaiveForecaster
from tsrnn.data import Panel
from tsrnn.forecasting import skill
from tsrnn.forecasting.skill import mean_skill

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

DAYS = pd.date_range("2024-01-01", periods=60, freq="D")


def two_targets():
    """Weekly values, for which the seasonal forecast is far better, and a ramp, for which the last value is."""
    weekly = np.tile([0.0, 5.0, 1.0, 9.0, 2.0, 7.0, 3.0], 9)[:60] + np.arange(60) % 2 * 0.5
    return pd.DataFrame({"weekly": weekly, "ramp": np.arange(60) * 0.25}, index=DAYS)


def naive_errors(values, kind, origins, horizon):
    """Mean absolute error by a plain loop."""
    errors = []
    for origin in origins:
        for step in range(1, horizon + 1):
            source = origin if kind == "last" else origin + step - 7
            errors.append(abs(values[source] - values[origin + step]))
    return np.mean(errors)


def test_score_by_hand():
    """The forecast that repeats the last value, scored against the better naive forecast of each target."""
    frame = two_targets()
    forecaster = NaiveForecaster(method="last", lookback=7, horizon=3).fit(frame)
    origins = range(6, 57)
    training = range(6, 45)  # windows whose last row is before row 48
    skills = []
    for column, better in (("weekly", "seasonal"), ("ramp", "last")):
        values = frame[column].to_numpy()
        errors = {kind: naive_errors(values, kind, training, 3) for kind in ("last", "seasonal")}
        assert min(errors, key=errors.get) == better
        skills.append(1 - naive_errors(values, "last", origins, 3) / naive_errors(values, better, origins, 3))
        place = list(frame.columns).index(column)
        assert forecaster.state_.naive_mae[:, place] == pytest.approx([errors["last"], errors["seasonal"]])
    assert skills[1] == 0
    assert skills[0] < -1
    assert forecaster.score(frame) == pytest.approx(np.mean(skills), rel=1e-6)


def test_score_averages_over_series():
    """Every series counts the same, however long and large."""
    small, large = two_targets(), 1000 * two_targets().iloc[10:].sample(frac=1, random_state=0).set_axis(DAYS[10:])
    forecaster = LinearForecaster(lookback=7, horizon=2)
    both = pd.concat({"small": small, "large": large}, names=["id", "day"])
    forecaster.fit(both)
    alone = [forecaster.score(both.loc[[name]]) for name in ("small", "large")]
    assert forecaster.score(both) == pytest.approx(np.mean(alone), rel=1e-6)
    assert alone[0] != pytest.approx(alone[1], abs=0.1)


def test_a_perfect_forecast_scores_one():
    """A straight line is what drift forecasts."""
    frame = pd.DataFrame({"ramp": np.arange(60.0)}, index=DAYS)
    assert NaiveForecaster(method="drift", lookback=7, horizon=3).fit(frame).score(frame) == 1


def test_the_naive_forecasts_score_zero():
    frame = two_targets()
    assert (
        NaiveForecaster(method="seasonal", lookback=7, horizon=3).fit(frame[["weekly"]]).score(frame[["weekly"]]) == 0
    )
    assert NaiveForecaster(method="last", lookback=7, horizon=3).fit(frame[["ramp"]]).score(frame[["ramp"]]) == 0


def test_rows_to_score_need_not_be_those_of_fit():
    frame = two_targets()
    forecaster = LinearForecaster(lookback=7, horizon=3).fit(frame.iloc[:40])
    assert forecaster.score(frame.iloc[30:]) == forecaster.score(frame.iloc[30:].iloc[::-1])
    assert forecaster.score(frame.iloc[30:]) != forecaster.score(frame)
    with pytest.raises(ValueError, match="at least 10 rows"):
        forecaster.score(frame.iloc[-9:])


def test_where_naive_makes_no_error():
    nothing, some = np.zeros((1, 2)), np.full((1, 2), 0.1)
    assert mean_skill(nothing, nothing) == 0
    assert mean_skill(some, nothing) == -1
    assert mean_skill(nothing, some) == 1
    assert mean_skill(np.array([[0.1, np.nan]]), np.array([[0.2, np.nan]])) == 0.5


def test_rounding_of_float32_is_no_error():
    """A wave of exactly one season: the naive forecast is off by roundings alone."""
    frame = pd.DataFrame({"wave": np.sin(np.arange(60) * 2 * np.pi / 7)}, index=DAYS)
    assert NaiveForecaster(lookback=7, horizon=3).fit(frame).baseline_skill_["seasonal"] == -1
    assert NaiveForecaster(method="seasonal", lookback=7, horizon=3).fit(frame).baseline_skill_["seasonal"] == 0


def test_baseline_skill_by_hand():
    frame = two_targets()[["ramp"]]
    forecaster = NaiveForecaster(method="seasonal", lookback=7, horizon=3).fit(frame)
    origins, values = range(47, 57), frame["ramp"].to_numpy()  # all targets from row 48 on
    last, seasonal = (naive_errors(values, kind, origins, 3) for kind in ("last", "seasonal"))
    assert forecaster.baseline_skill_ == pytest.approx({"last": 1 - seasonal / last, "seasonal": 0.0}, rel=1e-6)


def random_walk():
    return pd.DataFrame({"walk": np.random.default_rng(1).standard_normal(60).cumsum()}, index=DAYS)


@pytest.mark.parametrize(
    ("forecaster", "advice"),
    [
        (GRUForecaster(hidden_size=3, max_epochs=1, lookback=7, horizon=3, random_state=0), 'instance_norm="last"'),
        (DenseForecaster(hidden_size=3, max_epochs=1, lookback=7, horizon=3, random_state=0), "LinearForecaster"),
        (LinearForecaster(lookback=20, horizon=3, alpha=0), "`alpha`"),
    ],
)
def test_below_naive_warns(forecaster, advice):
    name = type(forecaster).__name__
    with pytest.warns(BelowNaiveWarning, match=f"{name} forecasts the validation rows no better than the") as caught:
        forecaster.fit(random_walk())
    assert len(caught) == 1
    assert caught[0].filename == __file__  # it points to the call of fit
    assert advice in str(caught[0].message)
    assert f"{min(forecaster.baseline_skill_.values()):.2f}" in str(caught[0].message)


def test_good_forecasts_and_naive_ones_do_not_warn():
    frame = two_targets()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert min(LinearForecaster(lookback=14, horizon=3, alpha=0.1).fit(frame).baseline_skill_.values()) > 0
        assert NaiveForecaster(method="mean").fit(two_targets()[["ramp"]]).baseline_skill_["last"] < 0
        GRUForecaster(hidden_size=3, max_epochs=1, validation_fraction=0).fit(random_walk())


@pytest.mark.parametrize("at_once", [8, 1 << 17])
def test_what_scaled_errors_are_divided_by(monkeypatch, at_once):
    """Differences of a season within each series, before its end, however few rows are looked at together."""
    monkeypatch.setattr(skill, "IN_CACHE", 16 * at_once)
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    values[20:24, 1] = 4.0  # constant
    panel = Panel(values, np.array([0, 20, 24, 50]), ("a", "b", "c"), np.zeros(3, np.int64))
    ends = np.array([15, 24, 27])
    found = skill.naive_scale(panel, 2, 3, ends)
    assert found.shape == (2, 3, 2)
    for series, rows in enumerate([slice(0, 15), slice(20, 24)]):
        change = pd.DataFrame(values[rows, :2].astype(float)).diff(3).dropna()
        expected = [change.abs().mean(), (change**2).mean()]
        np.testing.assert_allclose(found[:, series], np.where(np.equal(expected, 0), np.nan, expected), rtol=1e-12)
    assert np.isnan(found[:, 1, 1]).all() and np.isfinite(found[:, 1, 0]).all()
    assert np.isnan(found[:, 2]).all()  # three rows hold no difference of a season of three
