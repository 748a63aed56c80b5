"""The grid of stamps: inferred, given, and gone on with, over clock changes, months and holidays."""

import json
import zoneinfo
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn.data import Roles, RowRules, TimeAxis, forecast_frame, read_history, read_training

FILL = RowRules(missing="ffill")


def axis_of(index, freq=None, rules=FILL):
    schema, _, _ = read_training(
        pd.DataFrame({"a": np.arange(len(index)) * 1.0}, index=index), None, Roles(freq=freq), rules
    )
    assert TimeAxis.from_dict(json.loads(json.dumps(schema.axis.to_dict()))) == schema.axis
    return schema.axis


@pytest.mark.parametrize(
    ("freq", "label", "season"),
    [
        ("10min", "10min", 144),
        ("h", "h", 24),
        ("min", "min", 60),
        ("s", "s", 60),
        ("ms", "ms", 1000),
        ("5min", "5min", 288),
        ("15min", "15min", 96),
        ("30min", "30min", 48),
        ("2h", "2h", 12),
        ("12h", "12h", 2),
        ("7h", "7h", 3),
        ("D", "D", 7),
        ("2D", "2D", 7),
        ("10D", "10D", 37),
        ("W-SUN", "W-SUN", 52),
        ("W-WED", "W-WED", 52),
        ("2W-WED", "2W-WED", 26),
        ("B", "B", 5),
        ("MS", "MS", 12),
        ("ME", "ME", 12),
        ("BMS", "BMS", 12),
        ("BME", "BME", 12),
        ("2MS", "2MS", 6),
        ("QS", "QS-JAN", 4),
        ("QS-FEB", "QS-FEB", 4),
        ("QE", "QE-DEC", 4),
        ("QE-NOV", "QE-NOV", 4),
        ("YS", "YS-JAN", 1),
        ("YS-JUL", "YS-JUL", 1),
        ("YE", "YE-DEC", 1),
        ("2YS", "2YS-JAN", 1),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_offsets_are_recognised_and_gone_on_with(freq, label, season, known):
    index = pd.date_range("2019-01-01 06:00", periods=50, freq=freq)
    stamps = index[:40] if known else pd.DatetimeIndex(index[:40].to_numpy())
    axis = axis_of(stamps)
    assert axis.label == label
    assert axis.season() == season
    np.testing.assert_array_equal(axis.ticks(index), np.arange(50))
    assert axis.stamps(np.arange(50)).equals(index)
    # A forecaster goes back too: history before the training rows.
    assert axis.stamps(np.arange(-3, 50))[3:].equals(index)
    np.testing.assert_array_equal(axis.ticks(axis.stamps(np.arange(-5, 3))), np.arange(-5, 3))
    assert axis_of(stamps, freq=freq).stamps([40, 49]).equals(index[[40, 49]])


@pytest.mark.parametrize("freq", ["h", "D", "B", "MS", "W-MON", "QE"])
def test_offsets_are_recognised_with_stamps_missing(freq):
    index = pd.DatetimeIndex(pd.date_range("2019-01-01", periods=200, freq=freq).to_numpy())
    kept = np.delete(index, [50, 51, 120])
    axis = axis_of(kept)
    np.testing.assert_array_equal(axis.ticks(kept), np.delete(np.arange(200), [50, 51, 120]))


def test_business_days_with_holidays():
    index = pd.bdate_range("2020-01-01", "2021-12-31")
    holidays = pd.to_datetime(["2020-04-10", "2020-04-13", "2020-12-25", "2021-01-01", "2021-12-24"])
    index = index[~index.isin(holidays)]
    schema, panel, report = read_training(pd.Series(np.arange(len(index)) * 1.0, index=index, name="a"), rules=FILL)
    assert schema.axis.label == "B" and schema.axis.season() == 5
    assert report["absent_rows_filled"] == 5
    assert not np.isnan(panel.values).any()
    forecast = forecast_frame(schema, panel, np.zeros((1, 2, 1)))
    assert forecast.index.tolist() == [pd.Timestamp("2022-01-03"), pd.Timestamp("2022-01-04")]


def test_month_ends_over_leap_february():
    index = pd.DatetimeIndex(pd.date_range("2019-10-31", periods=4, freq="ME").to_numpy())
    assert axis_of(index).stamps([4, 5]).tolist() == [pd.Timestamp("2020-02-29"), pd.Timestamp("2020-03-31")]


def test_months_of_31_days_are_months():
    index = pd.DatetimeIndex(["2020-07-01", "2020-08-01", "2020-09-01"])
    assert axis_of(index).label == "MS"


def test_four_weeks_are_weeks():
    index = pd.DatetimeIndex(pd.date_range("2020-01-01", periods=10, freq="28D").to_numpy())
    axis = axis_of(index)
    assert axis.label == "4W-WED" and axis.season() == 13


def test_share_of_equal_steps():
    steps = np.ones(101, int)
    steps[[20, 40, 60, 80, 99]] = 2
    assert axis_of(pd.Index(np.cumsum(steps))).step == 1
    steps[10] = 2
    with pytest.raises(ValueError, match=r"at least 95%.*94\.0% of 100"):
        axis_of(pd.Index(np.cumsum(steps)))


def test_steps_are_counted_within_series():
    index = pd.MultiIndex.from_product([list("abcdefgh"), pd.date_range("2024", periods=2)])
    schema, _, _ = read_training(pd.DataFrame({"x": np.arange(16.0)}, index=index))
    assert schema.axis.label == "D"


@pytest.mark.parametrize("change", ["2024-03-31", "2024-10-27"])
def test_hourly_data_over_both_clock_changes(change):
    zone = "Europe/Berlin"
    start = pd.Timestamp(change, tz=zone) - pd.Timedelta(hours=30)
    index = pd.date_range(start, periods=80, freq="h")
    schema, panel, _ = read_training(pd.Series(np.arange(40.0), index=pd.DatetimeIndex(index[:40], freq=None)))
    assert panel.n_rows == 40
    assert schema.axis.label == "h" and schema.axis.tz == zone
    forecast = forecast_frame(schema, panel, np.zeros((1, 40, 1)))
    assert forecast.index.equals(index[40:])
    assert str(forecast.index.tz) == zone
    # The change lies between the last row and the forecast too.
    schema, panel, _ = read_training(pd.Series(np.arange(20.0), index=index[:20]))
    assert forecast_frame(schema, panel, np.zeros((1, 40, 1))).index.equals(index[20:60])


@pytest.mark.parametrize("hour", [0, 9])
@pytest.mark.parametrize("freq", ["D", "W-SUN", "MS", "B"])
def test_calendar_steps_keep_the_wall_clock(freq, hour):
    wall = pd.date_range(f"2023-12-03 {hour:02}:00", periods=400, freq=freq)
    index = wall.tz_localize("Europe/Berlin")
    for known in (pd.DatetimeIndex(index[:300], freq=None), index[:300]):
        axis = axis_of(known)
        assert axis.label == freq
        np.testing.assert_array_equal(axis.ticks(index), np.arange(400))
        assert axis.stamps(np.arange(400)).equals(index)


def test_daily_wall_time_that_a_clock_change_skips():
    wall = pd.date_range("2024-03-28 02:30", periods=8, freq="D")
    index = wall.tz_localize("Europe/Berlin", nonexistent="shift_forward")
    axis = axis_of(index, freq="D")
    np.testing.assert_array_equal(axis.ticks(index), np.arange(8))
    assert axis.stamps(np.arange(8)).equals(index)


def test_daily_wall_time_that_comes_twice():
    wall = pd.date_range("2024-10-25 02:30", periods=5, freq="D")
    for summer in (True, False):
        index = wall.tz_localize("Europe/Berlin", ambiguous=np.full(5, summer))
        np.testing.assert_array_equal(axis_of(index, freq="D").ticks(index), np.arange(5))


def test_days_of_24_hours_in_a_zone_are_told_from_wall_clock_days():
    index = pd.date_range("2024-03-20", periods=60, freq="24h", tz="UTC").tz_convert("Europe/Berlin")
    axis = axis_of(pd.DatetimeIndex(index[:40], freq=None))
    assert axis.label == "24h"
    assert axis.season() == 7
    assert axis.stamps(np.arange(40, 60)).equals(index[40:])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_resolution_of_stamps_is_kept(unit):
    index = pd.date_range("2024", periods=30, freq="h").as_unit(unit)
    axis = axis_of(index)
    assert axis.unit == unit
    assert axis.stamps([30]).dtype == index.dtype
    np.testing.assert_array_equal(axis.ticks(index.as_unit("ns")), np.arange(30))
    np.testing.assert_array_equal(axis.ticks(index.as_unit("s")), np.arange(30))


def test_given_step_finer_than_the_resolution():
    index = pd.date_range("2024", periods=30, freq="s").as_unit("s")
    axis = axis_of(index, freq="250ms")
    assert axis.unit == "ms"
    np.testing.assert_array_equal(axis.ticks(index), np.arange(30) * 4)


def test_index_that_runs_backwards():
    index = pd.date_range("2024", periods=30, freq="h")[::-1]
    assert axis_of(index).label == "h"


@pytest.mark.parametrize(
    ("freq", "label", "season"),
    [
        ("M", "M", 12),
        ("Q-DEC", "Q-DEC", 4),
        ("Y-DEC", "Y-DEC", 1),
        ("D", "D", 7),
        ("h", "h", 24),
        ("W-SUN", "W-SUN", 52),
    ],
)
def test_periods(freq, label, season):
    index = pd.period_range("2015-01-01", periods=50, freq=freq)
    axis = axis_of(index[:40])
    assert (axis.kind, axis.label, axis.season()) == ("period", label, season)
    assert axis.stamps(np.arange(50)).equals(index)
    np.testing.assert_array_equal(axis.ticks(index), np.arange(50))


def test_every_third_month_is_a_quarter():
    index = pd.period_range("2015-01", periods=120, freq="M")[::3]
    axis = axis_of(index)
    assert (axis.label, axis.season()) == ("3M", 4)
    assert axis.stamps([40])[0] == pd.Period("2025-01", "M")
    assert axis_of(index, freq="3M") == axis


def test_multiple_of_a_period():
    index = pd.period_range("2015-01", periods=20, freq="2M")
    axis = axis_of(index)
    assert (axis.label, axis.season()) == ("2M", 6)
    assert axis.stamps([0, 19]).equals(index[[0, 19]])


def test_integers():
    axis = axis_of(pd.Index([3, 5, 7, 9]))
    assert (axis.kind, axis.step, axis.origin, axis.season()) == ("integer", 2, 3, 24)
    assert axis.stamps([0, 4]).tolist() == [3, 11]
    assert axis_of(pd.Index([3, 5, 7, 9]), freq=1).step == 1
    assert axis_of(pd.RangeIndex(1)).step == 1


def test_off_grid_stamps_are_refused():
    axis = axis_of(pd.date_range("2024", periods=30, freq="h"))
    with pytest.raises(ValueError, match=r"grid of 'h'; 1 of 2 do not, the first is 2024-01-01 00:30"):
        axis.ticks(pd.DatetimeIndex(["2024-01-01", "2024-01-01 00:30"]))


def test_history_before_the_training_rows():
    index = pd.date_range("2024-05-31", periods=30, freq="ME")
    schema, panel, _ = read_training(pd.Series(np.arange(20.0), index=index[10:], name="a"))
    history, _ = read_history(pd.Series(np.arange(30.0), index=index, name="a"), None, schema)
    assert history.offsets[0] == panel.offsets[0] - 10


def test_zone_that_cannot_be_saved():
    tzdata = pytest.importorskip("tzdata")
    with resources.files(tzdata).joinpath("zoneinfo/Europe/Berlin").open("rb") as file:
        unnamed = zoneinfo.ZoneInfo.from_file(file)
    index = pd.date_range("2024", periods=30, freq="h", tz=unnamed)
    with pytest.raises(ValueError, match=r"time zone .* is not known by name.*tz_convert"):
        axis_of(index)


@settings(max_examples=60, deadline=None)
@given(
    freq=st.sampled_from(["h", "7min", "D", "3D", "B", "W-TUE", "MS", "2ME", "QS-FEB", "YE-MAR"]),
    zone=st.sampled_from([None, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    day=st.integers(0, 3000),
    ticks=st.lists(st.integers(-200, 200), min_size=1, max_size=30),
)
def test_ticks_and_stamps_are_each_others_inverse(freq, zone, day, ticks):
    origin = pd.date_range(pd.Timestamp("2015-01-01 05:00") + pd.Timedelta(days=day), periods=1, freq=freq)
    origin = origin.tz_localize(zone).as_unit("ns")
    offset = pd.tseries.frequencies.to_offset(freq)
    axis = TimeAxis("datetime", int(origin.asi8[0]), offset.base.freqstr, offset.n, zone, "ns")
    stamps = axis.stamps(ticks)
    np.testing.assert_array_equal(axis.ticks(stamps), ticks)
    assert (stamps.argsort(kind="stable") == np.argsort(ticks, kind="stable")).all()
