"""The display of forecasts: what is drawn is what the forecaster says, from the end of the rows or from within."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import FillBetweenPolyCollection, LineCollection
from matplotlib.dates import num2date

from tsrnn import NaiveForecaster
from tsrnn.plotting import ForecastDisplay

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    RNG.normal(10, 2, (120, 2)), pd.date_range("2024-01-01", periods=120, name="day"), ["sales", "visits"]
)
CUTOFF = FRAME.index[99]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def forecaster():
    return NaiveForecaster(method="mean", lookback=9, horizon=4, gap=1).fit(FRAME[:80])


def legend_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def lines_of(display):
    return {line.get_label(): line for line in display.ax_.lines}


def test_history_forecast_truth_and_fan(forecaster):
    display = ForecastDisplay.from_estimator(forecaster, FRAME, target="visits", cutoff=CUTOFF, coverage=[0.9, 0.5])
    past, lines = FRAME[:CUTOFF], lines_of(display)
    assert legend_of(display) == ["history", "forecast", "50 %", "90 %", "truth"]
    expected = forecaster.predict(past)["visits"]
    assert lines["forecast"].get_xdata().tolist() == expected.index.tolist()
    np.testing.assert_allclose(lines["forecast"].get_ydata(), expected, rtol=1e-6)
    np.testing.assert_allclose(lines["history"].get_ydata(), past["visits"].tail(12), rtol=1e-6)  # three horizons
    np.testing.assert_allclose(lines["truth"].get_ydata(), FRAME.loc[expected.index, "visits"], rtol=1e-6)
    fans = display.ax_.collections
    assert len(fans) == 2 and all(isinstance(fan, FillBetweenPolyCollection) for fan in fans)
    interval = forecaster.predict_interval(past, coverage=[0.5, 0.9])["visits"]
    for fan, coverage in zip(fans, (0.5, 0.9), strict=True):
        corners = fan.get_paths()[0].vertices
        for day, (lower, upper) in interval[coverage].iterrows():
            at = corners[np.isclose(corners[:, 0], (day - pd.Timestamp(0)).days), 1]
            np.testing.assert_allclose([at.min(), at.max()], [lower, upper], rtol=1e-6)
    narrow, wide = (fan.get_facecolor()[0] for fan in fans)
    assert narrow[:3].sum() < wide[:3].sum() and narrow[3] == wide[3] == 1  # darker, and not transparent
    assert fans[0].zorder > fans[1].zorder and fans[0].zorder < lines["forecast"].get_zorder()
    assert (display.ax_.get_ylabel(), display.ax_.get_xlabel(), display.ax_.get_title()) == ("visits", "day", "")
    assert lines["truth"].get_linestyle() != lines["forecast"].get_linestyle()


def test_from_the_end_of_the_rows(forecaster):
    """Of the training rows there is as much history as was kept; nothing has come yet."""
    display = ForecastDisplay.from_estimator(forecaster, coverage=None)
    assert legend_of(display) == ["history", "forecast"] and display.truth is None
    np.testing.assert_allclose(lines_of(display)["forecast"].get_ydata(), forecaster.predict()["sales"], rtol=1e-6)
    assert not display.ax_.collections
    few = ForecastDisplay.from_estimator(forecaster, FRAME, n_history=2)
    assert few.history.index.equals(FRAME.index[-2:])
    late = ForecastDisplay.from_estimator(forecaster, FRAME, cutoff=FRAME.index[-4])
    assert late.truth.index.equals(FRAME.index[-2:])  # those two of four that have come, after the gap


def test_paths(forecaster):
    display = ForecastDisplay.from_estimator(forecaster, n_paths=7, random_state=3)
    again = ForecastDisplay.from_estimator(forecaster, n_paths=7, random_state=3)
    pd.testing.assert_frame_equal(display.paths, again.paths)
    expected = forecaster.sample(n=7, random_state=3)["sales"]
    np.testing.assert_allclose(display.paths, expected, rtol=1e-6)
    assert legend_of(display)[-1] == "paths" and len(display.ax_.lines) == 3 + 7


def test_a_series_of_a_panel():
    panel = pd.concat({"A": FRAME[:100], "B": FRAME[30:]}, names=["shop"])
    forecaster = NaiveForecaster(horizon=3).fit(panel)
    display = ForecastDisplay.from_estimator(forecaster, panel, series="B")
    assert display.ax_.get_title() == "B"
    np.testing.assert_allclose(display.forecast, forecaster.predict().loc["B", "sales"])
    assert ForecastDisplay.from_estimator(forecaster).title == "A"
    with pytest.raises(ValueError, match="`series` must be one of 'A', 'B'; got 'C'"):
        ForecastDisplay.from_estimator(forecaster, series="C")


def test_a_single_row_can_be_seen():
    forecaster = NaiveForecaster(horizon=1).fit(FRAME)
    display = ForecastDisplay.from_estimator(forecaster, coverage=0.8)
    (bar,) = display.ax_.collections
    assert isinstance(bar, LineCollection) and bar.get_linewidth()[0] > 5
    lower, upper = forecaster.predict_interval(coverage=0.8)["sales", 0.8].to_numpy()[0]
    np.testing.assert_allclose(bar.get_segments()[0][:, 1], [lower, upper], rtol=1e-6)
    assert lines_of(display)["forecast"].get_marker() == "o"


def test_quantiles_that_are_no_ends_of_an_interval_are_lines(forecaster):
    point = forecaster.predict()["sales"]
    quantiles = forecaster.predict_quantiles(quantiles=[0.1, 0.5, 0.7, 0.9])["sales"]
    display = ForecastDisplay(point, quantiles=quantiles).plot()
    assert legend_of(display) == ["forecast", "80 %", "quantile 0.5", "quantile 0.7"]
    np.testing.assert_array_equal(lines_of(display)["quantile 0.7"].get_ydata(), quantiles[0.7])
    same = ForecastDisplay(quantiles[0.5].rename("sales"), quantiles=quantiles).plot()
    assert legend_of(same) == ["forecast", "80 %", "quantile 0.7"]  # the median is the forecast: drawn once


def test_rows_of_every_kind():
    """Of periods, numbers, and stamps with a zone, with a cutoff as users write it."""
    zone = FRAME.tz_localize("Europe/Berlin")
    zoned = ForecastDisplay.from_estimator(NaiveForecaster(horizon=3).fit(zone), zone, cutoff="2024-03-30")
    assert zoned.history.index[-1] == pd.Timestamp("2024-03-30", tz="Europe/Berlin")
    zoned.figure_.canvas.draw()
    assert num2date(zoned.ax_.get_xlim()[1]).date() >= zoned.forecast.index[-1].date()
    months = FRAME.set_axis(pd.period_range("2010-01", periods=120, freq="M"), axis=0)
    display = ForecastDisplay.from_estimator(NaiveForecaster(horizon=3).fit(months), months, cutoff="2019-05")
    assert display.forecast.index[0] == pd.Period("2019-06", "M")
    array = FRAME.to_numpy()
    numbered = ForecastDisplay.from_estimator(NaiveForecaster(horizon=3).fit(array), array, cutoff=99)
    assert numbered.forecast.index.tolist() == [100, 101, 102]
    np.testing.assert_allclose(numbered.truth, array[100:103, 0], rtol=1e-6)


def test_what_is_refused(forecaster):
    for cutoff in (FRAME.index[3], "2025-01-01"):
        with pytest.raises(ValueError, match="9 rows of history .*, from 2024-01-09 00:00:00 to 2024-04-29 00:00:00"):
            ForecastDisplay.from_estimator(forecaster, FRAME, cutoff=cutoff)
    with pytest.raises(ValueError, match="`target` must be one of 'sales', 'visits'; got 'sale'. Did you mean 'sales'"):
        ForecastDisplay.from_estimator(forecaster, target="sale")
    with pytest.raises(ValueError, match="`n_paths` of ForecastDisplay.from_estimator"):
        ForecastDisplay.from_estimator(forecaster, n_paths=-1)
    with pytest.raises(ValueError, match="`coverage` of ForecastDisplay.from_estimator"):
        ForecastDisplay.from_estimator(forecaster, coverage=95)
    with pytest.raises(ValueError, match="needs validation rows"):
        ForecastDisplay.from_estimator(NaiveForecaster(horizon=2, validation_fraction=0).fit(FRAME))
