"""Every kind of table is read to the same panel, and forecasts come back in its layout."""

import datetime
import decimal
import json

import numpy as np
import pandas as pd
import pytest

from tsrnn.data import Roles, RowRules, Schema, forecast_frame, read_history, read_training, stamp_of

ROWS = 40
HOURS = pd.date_range("2024-01-01", periods=ROWS, freq="h")
TEMP = np.arange(ROWS) * 0.5
WIND = np.arange(ROWS)[::-1] + 3.0


def wide(index=HOURS):
    return pd.DataFrame({"temp": TEMP, "wind": WIND}, index=index)


def long_frame():
    """Two series, 'b' before 'a', the second ten rows shorter and starting later."""
    b = wide().rename_axis("time").reset_index().assign(site="b")
    a = wide().iloc[10:].rename_axis("time").reset_index().assign(site="a")
    a["temp"] += 100
    return pd.concat([b, a], ignore_index=True)[["wind", "site", "time", "temp"]]


def round_trip(table, roles=None, y=None, rules=None, horizon=3, gap=0):
    """Read a table, check what must always hold, and lay out a forecast of 0, 1, 2, ..."""
    schema, panel, report = read_training(table, y, roles, rules)
    assert panel.values.dtype == np.float32
    assert panel.values.flags.c_contiguous
    assert panel.values.flags.writeable
    assert panel.indptr.dtype == np.int64 and panel.offsets.dtype == np.int64
    assert panel.values.shape == (panel.indptr[-1], len(schema.targets) + len(schema.past_covariates))
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    json.dumps(report)
    again, _ = read_history(table, y, schema, rules)
    np.testing.assert_array_equal(again.values, panel.values)
    np.testing.assert_array_equal(again.offsets, panel.offsets)
    assert again.ids == panel.ids
    shape = (panel.n_series, horizon, len(schema.targets))
    return schema, panel, forecast_frame(schema, panel, np.arange(np.prod(shape), dtype=float).reshape(shape), gap)


@pytest.mark.parametrize(
    ("index", "following"),
    [
        (HOURS, pd.date_range("2024-01-02 16:00", periods=3, freq="h")),
        (pd.period_range("2020-01", periods=ROWS, freq="M"), pd.period_range("2023-05", periods=3, freq="M")),
        (pd.RangeIndex(ROWS), pd.RangeIndex(40, 43)),
        (pd.RangeIndex(100, 100 + 5 * ROWS, 5), pd.RangeIndex(300, 315, 5)),
        (pd.Index(np.arange(ROWS) + 7), pd.RangeIndex(47, 50)),
    ],
    ids=["datetime", "period", "range", "range by five", "integers"],
)
def test_wide_frame_goes_on_with_its_index(index, following):
    schema, panel, forecast = round_trip(wide(index.rename("when")), Roles(target="wind"))
    np.testing.assert_array_equal(panel.values, np.column_stack([WIND, TEMP]).astype(np.float32))
    assert schema.layout == "wide"
    assert (schema.targets, schema.past_covariates) == (("wind",), ("temp",))
    expected = pd.DataFrame({"wind": [0.0, 1.0, 2.0]}, index=following.rename("when"))
    pd.testing.assert_frame_equal(forecast, expected, check_freq=False, check_index_type=False)
    assert type(forecast.index) is type(following)
    assert stamp_of(schema, panel, 0) == index[0]
    assert stamp_of(schema, panel, ROWS - 1) == index[-1]


def test_gap_skips_stamps():
    _, _, forecast = round_trip(wide(), gap=5, horizon=1)
    assert forecast.index[0] == HOURS[-1] + pd.Timedelta(hours=6)


def test_every_numeric_column_is_a_target_by_default():
    frame = wide().assign(
        text="x", flag=True, when=HOURS, wait=pd.Timedelta(1), kind=pd.Categorical(["k"] * ROWS), z=1j
    )
    schema, _, forecast = round_trip(frame)
    assert schema.targets == ("temp", "wind")
    assert schema.past_covariates == ()
    assert schema.left_out == {
        "text": "text column",
        "flag": "boolean column",
        "when": "date column",
        "wait": "duration column",
        "kind": "category column",
        "z": "complex column",
    }
    assert list(forecast.columns) == ["temp", "wind"]


def test_listed_covariates_restrict_and_keep_their_order():
    frame = wide().assign(c=1.0, d=2.0)
    schema, panel, _ = round_trip(frame, Roles(target=["wind"], past_covariates=["d", "temp"]))
    assert schema.past_covariates == ("d", "temp")
    assert schema.left_out == {"c": "not listed in `past_covariates`"}
    np.testing.assert_array_equal(panel.values[0], np.float32([WIND[0], 2.0, TEMP[0]]))


def test_covariates_without_target_leave_the_rest_as_targets():
    schema, _, _ = round_trip(wide(), Roles(past_covariates="temp"))
    assert (schema.targets, schema.past_covariates) == (("wind",), ("temp",))


def check_panel(panel):
    assert panel.ids == ("b", "a")
    assert panel.lengths.tolist() == [40, 30]
    assert (panel.offsets - panel.offsets[0]).tolist() == [0, 10]
    np.testing.assert_array_equal(panel.values[:40], np.column_stack([TEMP, WIND]).astype(np.float32))
    np.testing.assert_array_equal(panel.values[40:, 0], (TEMP[10:] + 100).astype(np.float32))


AFTER = pd.date_range("2024-01-02 16:00", periods=3, freq="h")


@pytest.mark.parametrize("shuffled", [False, True])
def test_long_frame(shuffled):
    frame = long_frame()
    if shuffled:
        # The first row stays, so that 'b' comes first: series keep the order in which they appear.
        frame = pd.concat([frame.iloc[:1], frame.iloc[1:].sample(frac=1, random_state=1)])
    before = frame.copy(deep=True)
    _, panel, forecast = round_trip(frame, Roles(target="temp", id_col="site", time_col="time"))
    check_panel(panel)
    expected = pd.DataFrame(
        {"site": ["b"] * 3 + ["a"] * 3, "time": [*AFTER, *AFTER], "temp": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    )
    pd.testing.assert_frame_equal(forecast, expected)
    pd.testing.assert_frame_equal(frame, before)


def test_multiindex():
    frame = long_frame().set_index(["site", "time"])
    _, panel, forecast = round_trip(frame, Roles(target="temp"))
    check_panel(panel)
    index = pd.MultiIndex.from_product([["b", "a"], AFTER], names=["site", "time"])
    pd.testing.assert_frame_equal(forecast, pd.DataFrame({"temp": np.arange(6.0)}, index=index))


def test_multiindex_with_its_levels_named_as_roles_may_have_them_swapped():
    frame = long_frame().set_index(["time", "site"])
    _, panel, forecast = round_trip(frame, Roles(target="temp", id_col="site", time_col="time"))
    check_panel(panel)
    assert forecast.index.names == ["site", "time"]


def test_id_column_beside_a_time_index():
    frame = long_frame().set_index("time")
    schema, panel, forecast = round_trip(frame, Roles(target="temp", id_col="site"))
    check_panel(panel)
    assert schema.layout == "long" and schema.time_in_index
    assert list(forecast.columns) == ["site", "temp"]
    assert forecast.index.equals(AFTER.append(AFTER))
    assert forecast.index.name == "time"


def test_single_series_with_a_time_column():
    frame = wide().rename_axis("time").reset_index()
    schema, panel, forecast = round_trip(frame, Roles(time_col="time"))
    assert not schema.is_panel and panel.ids == (None,)
    pd.testing.assert_frame_equal(
        forecast, pd.DataFrame({"time": AFTER, "temp": [0.0, 2.0, 4.0], "wind": [1.0, 3.0, 5.0]})
    )


def test_time_column_may_be_the_name_of_the_index():
    schema, _, _ = round_trip(wide().rename_axis("time"), Roles(time_col="time"))
    assert schema.layout == "wide"


def test_stamps_as_iso_text_and_as_dates():
    days = pd.date_range("2024-02-25", periods=ROWS, freq="D")
    for stamps in (days.strftime("%Y-%m-%d"), [day.date() for day in days], [day.to_pydatetime() for day in days]):
        schema, _, forecast = round_trip(wide(pd.Index(stamps, dtype=object)))
        assert schema.axis.label == "D"
        assert forecast.index[0] == days[-1] + pd.Timedelta(days=1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", datetime.timezone(datetime.timedelta(hours=2))])
def test_zones_survive(zone):
    index = HOURS.tz_localize(zone)
    schema, panel, forecast = round_trip(wide(index))
    assert str(forecast.index.tz) == str(zone)
    assert forecast.index[0] == index[-1] + pd.Timedelta(hours=1)
    assert stamp_of(schema, panel, 5) == index[5]


def test_history_in_another_zone_means_the_same_moments():
    index = HOURS.tz_localize("UTC")
    schema, panel, _ = read_training(wide(index))
    history, _ = read_history(wide(index.tz_convert("Asia/Tokyo")), None, schema)
    np.testing.assert_array_equal(history.offsets, panel.offsets)


def test_series():
    schema, panel, forecast = round_trip(pd.Series(TEMP, index=HOURS, name="temp"))
    assert schema.targets == ("temp",) and panel.n_channels == 1
    assert list(forecast.columns) == ["temp"]


def test_unnamed_series_has_the_history_of_a_named_one():
    schema, panel, _ = read_training(pd.Series(TEMP, index=HOURS, name="temp"))
    history, _ = read_history(pd.Series(TEMP, index=HOURS), None, schema)
    np.testing.assert_array_equal(history.values, panel.values)


@pytest.mark.parametrize("values", [TEMP, TEMP[:, None], np.column_stack([TEMP, WIND]), np.asfortranarray(wide())])
def test_arrays(values):
    schema, panel, forecast = round_trip(values)
    np.testing.assert_array_equal(panel.values, values.reshape(ROWS, -1).astype(np.float32))
    assert schema.layout == "array"
    pd.testing.assert_index_equal(forecast.index, pd.RangeIndex(ROWS, ROWS + 3))
    assert list(forecast.columns) == list(range(panel.n_channels))


def test_array_columns_are_named_by_number():
    schema, panel, forecast = round_trip(np.column_stack([TEMP, WIND]), Roles(target=1))
    assert (schema.targets, schema.past_covariates) == ((1,), (0,))
    np.testing.assert_array_equal(panel.values[:, 0], WIND.astype(np.float32))
    assert list(forecast.columns) == [1]


def test_masked_array_holds_missing_values():
    values = np.ma.MaskedArray(TEMP.copy(), mask=np.arange(ROWS) == 5)
    _, panel, report = read_training(values, rules=RowRules(missing="ffill"))
    assert report["values_filled"] == {"0": 1}
    assert panel.values[5, 0] == TEMP[4]


@pytest.mark.parametrize(
    "dtype",
    [
        "float64", "float32", "float16", "int64", "int8", "uint8", "Int64", "UInt16", "Float64", "Float32",
        "int64[pyarrow]", "float[pyarrow]", "double[pyarrow]", "Sparse[float64]", ">f8",
    ],
)  # fmt: skip
def test_numeric_dtypes(dtype):
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    whole = np.arange(ROWS)
    _, panel, _ = round_trip(pd.DataFrame({"a": pd.Series(whole).astype(dtype)}))
    np.testing.assert_array_equal(panel.values[:, 0], whole.astype(np.float32))


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "int32[pyarrow]", "double[pyarrow]"])
def test_nulls_of_nullable_dtypes_are_missing(dtype):
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": pd.array([1, None, 3, 4], dtype=dtype)})
    with pytest.raises(ValueError, match=r"'a': 1 missing, the first at 1\."):
        read_training(frame)
    _, panel, _ = read_training(frame, rules=RowRules(missing="ffill"))
    assert panel.values[:, 0].tolist() == [1, 1, 3, 4]


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]", "string", "string[pyarrow]", "decimal128"])
def test_other_extension_dtypes_are_left_out(dtype):
    if dtype not in ("boolean", "string"):
        pyarrow = pytest.importorskip("pyarrow")
    if dtype == "decimal128":
        column = pd.array([decimal.Decimal("1.5")] * 4, dtype=pd.ArrowDtype(pyarrow.decimal128(5, 2)))
    else:
        column = pd.array([True, False] * 2 if "bool" in dtype else ["a"] * 4, dtype=dtype)
    schema, _, _ = round_trip(pd.DataFrame({"a": column, "b": range(4)}))
    word = {"b": "boolean", "s": "text", "d": "decimal"}[dtype[0]]
    assert schema.left_out == {"a": f"{word} column"}


def test_arrow_stamps():
    pyarrow = pytest.importorskip("pyarrow")
    for zone in (None, "Europe/Berlin"):
        stamps = pd.Series(HOURS.tz_localize(zone)).astype(pd.ArrowDtype(pyarrow.timestamp("us", tz=zone)))
        _, _, forecast = round_trip(pd.DataFrame({"time": stamps, "a": TEMP}), Roles(time_col="time"))
        assert forecast["time"].iloc[0] == HOURS.tz_localize(zone)[-1] + pd.Timedelta(hours=1)
    dates = pd.Series(pd.date_range("2024", periods=ROWS)).astype(pd.ArrowDtype(pyarrow.date32()))
    schema, _, _ = round_trip(pd.DataFrame({"time": dates, "a": TEMP}), Roles(time_col="time"))
    assert schema.axis.label == "D"


def test_names_that_are_not_text():
    frame = wide().set_axis(pd.MultiIndex.from_tuples([("air", "temp"), ("air", "wind")], names=["k", "v"]), axis=1)
    schema, _, forecast = round_trip(frame, Roles(target=[("air", "wind")]))
    assert schema.channels == (("air", "wind"), ("air", "temp"))
    assert list(forecast.columns) == [("air", "wind")]
    schema, _, _ = round_trip(frame, Roles(target=("air", "wind")))
    assert schema.targets == (("air", "wind"),)
    schema, _, _ = round_trip(wide().set_axis([2020, "x"], axis=1), Roles(target=2020))
    assert schema.targets == (2020,)


def test_integer_and_categorical_ids():
    frame = long_frame()
    frame["site"] = frame["site"].map({"b": 7, "a": 3})
    _, panel, forecast = round_trip(frame, Roles(target="temp", id_col="site", time_col="time"))
    assert panel.ids == (7, 3)
    assert forecast["site"].tolist() == [7, 7, 7, 3, 3, 3]
    assert forecast["site"].dtype == np.int64
    frame["site"] = pd.Categorical(frame["site"])
    _, panel, _ = round_trip(frame, Roles(target="temp", id_col="site", time_col="time"))
    assert panel.ids == (7, 3)


@pytest.mark.parametrize("kind", ["series", "frame", "array", "several"])
def test_y_is_the_target(kind):
    X = wide()[["wind"]]
    y = {
        "series": pd.Series(TEMP, index=HOURS, name="temp"),
        "frame": pd.DataFrame({"temp": TEMP}, index=HOURS),
        "array": TEMP,
        "several": pd.DataFrame({"temp": TEMP, "more": TEMP + 1}, index=HOURS),
    }[kind]
    schema, panel, forecast = round_trip(X, y=y)
    expected = {"array": ("y",), "several": ("temp", "more")}.get(kind, ("temp",))
    assert schema.targets == expected and schema.past_covariates == ("wind",) and schema.has_y
    np.testing.assert_array_equal(panel.values[:, 0], TEMP.astype(np.float32))
    np.testing.assert_array_equal(panel.values[:, -1], WIND.astype(np.float32))
    assert tuple(forecast.columns) == expected


def test_y_of_a_shuffled_panel_follows_its_rows():
    frame = long_frame().sample(frac=1, random_state=3).reset_index(drop=True)
    roles = Roles(id_col="site", time_col="time")
    _, with_y, _ = read_training(frame.drop(columns="temp"), frame["temp"], roles)
    _, without, _ = read_training(frame, None, Roles(target="temp", id_col="site", time_col="time"))
    np.testing.assert_array_equal(with_y.values, without.values)


def test_y_as_array_stands_for_a_named_one_in_history():
    schema, panel, _ = read_training(wide()[["wind"]], pd.Series(TEMP, index=HOURS, name="temp"))
    history, _ = read_history(wide()[["wind"]], TEMP, schema)
    np.testing.assert_array_equal(history.values, panel.values)


def test_history_takes_columns_in_any_order_and_ignores_others():
    schema, panel, _ = read_training(wide())
    history, _ = read_history(wide().assign(extra="x")[["extra", "wind", "temp"]], None, schema)
    np.testing.assert_array_equal(history.values, panel.values)


def test_history_of_unseen_series_on_the_common_grid():
    schema, panel, _ = read_training(long_frame(), None, Roles(target="temp", id_col="site", time_col="time"))
    later = long_frame().assign(site="new").drop_duplicates("time")
    later["time"] += pd.Timedelta(days=2)
    history, _ = read_history(later, None, schema)
    assert history.ids == ("new",)
    assert history.offsets[0] == panel.offsets[0] + 48


def test_a_failed_or_successful_read_leaves_the_frame_alone():
    frame = wide().iloc[::-1].copy()
    frame.iloc[3, 0] = np.nan
    frame.iloc[4, 1] = -9999.0
    before = frame.copy(deep=True)
    with pytest.raises(ValueError):
        read_training(frame)
    read_training(frame, rules=RowRules(missing="ffill", na_values=-9999))
    pd.testing.assert_frame_equal(frame, before)


class TestPolars:
    """Polars frames go in and come out."""

    polars = pytest.importorskip("polars")
    pytest.importorskip("narwhals")

    def frame(self):
        pl = self.polars
        frame = long_frame()
        return pl.DataFrame(
            {
                "site": frame["site"].to_list(),
                "time": frame["time"].to_numpy(),
                "temp": frame["temp"].to_numpy(),
                "wind": frame["wind"].to_numpy(),
                "text": ["x"] * len(frame),
                "flag": [True] * len(frame),
            }
        )

    def test_long(self):
        roles = Roles(target="temp", id_col="site", time_col="time")
        schema, panel, forecast = round_trip(self.frame(), roles)
        check_panel(panel)
        assert schema.backend == "polars"
        assert schema.left_out == {"text": "text column", "flag": "boolean column"}
        assert isinstance(forecast, self.polars.DataFrame)
        assert forecast.columns == ["site", "time", "temp"]
        assert forecast["site"].to_list() == ["b"] * 3 + ["a"] * 3
        assert forecast["time"].to_list() == [stamp.to_pydatetime() for stamp in [*AFTER, *AFTER]]
        assert forecast["temp"].to_list() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]

    def test_zone(self):
        pl = self.polars
        frame = self.frame().with_columns(pl.col("time").dt.replace_time_zone("Europe/Berlin"))
        roles = Roles(target="temp", id_col="site", time_col="time")
        schema, _, forecast = round_trip(frame, roles)
        assert schema.axis.tz == "Europe/Berlin"
        assert forecast.schema["time"] == frame.schema["time"]
        assert forecast["time"][0] == AFTER.tz_localize("Europe/Berlin")[0].to_pydatetime()

    def test_dates_stay_dates(self):
        days = [datetime.date(2024, 2, 20) + datetime.timedelta(days=day) for day in range(ROWS)]
        frame = self.polars.DataFrame({"day": days, "a": TEMP})
        _, _, forecast = round_trip(frame, Roles(time_col="day"))
        assert forecast["day"].to_list() == [days[-1] + datetime.timedelta(days=day) for day in (1, 2, 3)]

    def test_text_stamps_and_numbered_rows(self):
        frame = self.polars.DataFrame({"time": HOURS.strftime("%Y-%m-%d %H:%M").tolist(), "a": TEMP})
        _, panel, _ = round_trip(frame, Roles(time_col="time"))
        assert panel.n_rows == ROWS
        schema, _, forecast = round_trip(frame.drop("time"))
        assert schema.axis.kind == "integer"
        assert forecast.columns == ["a"]
        frame = self.polars.DataFrame({"step": np.arange(ROWS) * 2, "a": TEMP})
        _, _, forecast = round_trip(frame, Roles(time_col="step"))
        assert forecast["step"].to_list() == [80, 82, 84]

    def test_series_and_y(self):
        pl = self.polars
        schema, _, _ = round_trip(pl.Series("temp", TEMP))
        assert schema.targets == ("temp",)
        schema, panel, _ = round_trip(pl.DataFrame({"wind": WIND}), y=pl.Series("temp", TEMP))
        assert schema.channels == ("temp", "wind")
        np.testing.assert_array_equal(panel.values[:, 0], TEMP.astype(np.float32))

    def test_nulls_are_missing(self):
        frame = self.polars.DataFrame({"a": [1, None, 3]})
        _, panel, report = read_training(frame, rules=RowRules(missing="ffill"))
        assert panel.values[:, 0].tolist() == [1, 1, 3]
        assert report["values_filled"] == {"a": 1}

    def test_decimal_column_is_an_error_when_named(self):
        frame = self.polars.DataFrame({"a": [decimal.Decimal("1.5")] * 4, "b": [1.0] * 4})
        with pytest.raises(ValueError, match=r"'a' is a decimal column.*astype\(float\)"):
            read_training(frame, None, Roles(target="a"))

    def test_lazy_frame_is_refused(self):
        with pytest.raises(TypeError, match=r"LazyFrame.*collect"):
            read_training(self.frame().lazy())


def test_ten_thousand_series():
    n_series, length = 10_000, 30
    index = pd.MultiIndex.from_product(
        [[f"s{i}" for i in range(n_series)], pd.date_range("2024", periods=length)], names=["id", "day"]
    )
    values = np.arange(n_series * length, dtype=float)
    frame = pd.DataFrame({"a": values}, index=index).sample(frac=0.98, random_state=0)
    schema, panel, report = read_training(frame, rules=RowRules(missing="ffill"))
    assert panel.n_series == n_series
    assert schema.axis.label == "D"
    assert panel.n_rows == len(frame) + report["absent_rows_filled"]
    # Ticks and series of every row that was given find its value again.
    where = dict(zip(panel.ids, range(n_series), strict=True))
    series = np.array([where[name] for name in frame.index.get_level_values(0)])
    ticks = schema.axis.ticks(frame.index.get_level_values(1))
    rows = panel.indptr[series] + ticks - panel.offsets[series]
    np.testing.assert_array_equal(panel.values[rows, 0], frame["a"].to_numpy().astype(np.float32))
    forecast = forecast_frame(schema, panel, np.zeros((n_series, 2, 1)))
    assert len(forecast) == 2 * n_series
