"""Every kind of bad input is an error that says what is wrong, where, and what to do."""

import datetime
import decimal
import json

import numpy as np
import pandas as pd
import pytest

from tsrnn._errors import DataWarning
from tsrnn.data import Roles, RowRules, Schema, read_history, read_training

ROWS = 30
HOURS = pd.date_range("2024-01-01", periods=ROWS, freq="h")


def frame(**columns):
    return pd.DataFrame({"temp": np.arange(ROWS) + 0.5, "wind": np.arange(ROWS) * 2.0, **columns}, index=HOURS)


def panel_frame():
    return pd.concat({"JFK": frame(), "LGA": frame()}, names=["site", "time"])


def message(table, *, y=None, error=ValueError, rules=None, **roles):
    with pytest.raises(error) as caught:
        read_training(table, y, Roles(**roles), rules or RowRules())
    return str(caught.value)


def says(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in: {text}"


def test_empty_frame():
    says(message(frame().iloc[:0]), "empty", "no rows")
    says(message(pd.DataFrame()), "empty")
    says(message(np.empty((0, 2))), "empty")


@pytest.mark.parametrize("table", [[[1.0, 2.0]], {"a": [1.0]}, None, "file.csv"])
def test_other_kinds_of_tables(table):
    says(message(table, error=TypeError), "must be a pandas DataFrame", type(table).__name__)


def test_array_of_three_dimensions():
    says(message(np.zeros((2, 3, 4))), "(rows, columns)", "(2, 3, 4)", "id_col")


def test_no_numeric_column():
    text = message(pd.DataFrame({"name": ["x"] * ROWS, "open": True}, index=HOURS))
    says(text, "No numeric column", "'name' (text)", "'open' (boolean)", "astype(float)")


def test_no_numeric_column_but_decimals():
    text = message(pd.DataFrame({"price": [decimal.Decimal("1.5")] * ROWS}, index=HOURS))
    says(text, "No numeric column", "'price' (decimal)", "astype(float)")


def test_no_column_besides_series_and_stamps():
    table = pd.DataFrame({"id": "a", "time": HOURS})
    says(message(table, id_col="id", time_col="time"), "No numeric column", "besides series and stamps")


def test_missing_target_names_close_matches():
    says(message(frame(), target="tmp"), "'tmp'", "'temp', 'wind'", "Did you mean 'temp'?")
    says(message(frame(), target="temp", past_covariates=["wnd"]), "past_covariates", "'wnd'", "Did you mean 'wind'?")
    says(message(frame(), target=[]), "`target` is an empty list")
    says(message(frame(), target=["temp", "temp"]), "`target` names a column twice: 'temp'")


def test_every_numeric_column_is_a_covariate():
    says(message(frame(), past_covariates=["temp", "wind"]), "No column is left to forecast", "'temp', 'wind'")


def test_column_in_two_roles():
    says(message(frame(), target="temp", past_covariates=["temp"]), "both target and covariate: 'temp'")


@pytest.mark.parametrize(
    ("values", "word", "remedy"),
    [
        (["x"] * ROWS, "text", "encode"),
        ([True] * ROWS, "boolean", "astype(float)"),
        ([decimal.Decimal("1.5")] * ROWS, "decimal", "astype(float)"),
        (HOURS, "date", "time_col"),
        ([datetime.date(2024, 1, 1)] * ROWS, "date", "time_col"),
        (pd.to_timedelta(np.arange(ROWS), "h"), "duration", "seconds"),
        (pd.Categorical(["x"] * ROWS), "category", "encode"),
        ([1j] * ROWS, "complex", "real"),
        ([object()] * ROWS, "object", "astype(float)"),
    ],
)
def test_columns_that_are_not_numeric_are_errors_when_named(values, word, remedy):
    table = frame(bad=values)
    says(
        message(table, target="temp", past_covariates=["bad"]), "`past_covariates`", f"'bad' is a {word} column", remedy
    )
    says(message(table, target="bad"), "`target`", f"'bad' is a {word} column", remedy)
    schema, _, _ = read_training(table)
    assert schema.left_out == {"bad": f"{word} column"}


def test_infinity():
    table = frame()
    table.iloc[[7, 9], 1] = [np.inf, -np.inf]
    text = message(table)
    says(text, "'wind'", "2 infinite", "2024-01-01 07:00:00", "na_values")
    _, panel, _ = read_training(table, rules=RowRules(na_values=[np.inf, -np.inf], missing="ffill"))
    assert panel.values[7, 1] == panel.values[6, 1]


def test_infinity_in_a_panel_names_the_series():
    table = panel_frame()
    table.iloc[ROWS + 4, 0] = np.inf
    says(message(table), "'temp'", "2024-01-01 04:00:00 (series 'LGA')")


def test_missing_cells():
    table = frame()
    table.iloc[[3, 5], 0] = np.nan
    text = message(table)
    says(text, "column 'temp': 2 missing, the first at 2024-01-01 03:00:00", "missing='ffill'")
    assert "absent" not in text


def test_absent_stamps_are_told_from_missing_cells():
    table = panel_frame().drop(("LGA", HOURS[10]))
    text = message(table)
    says(text, "absent stamps: 1, the first 2024-01-01 10:00:00 (series 'LGA')", "missing='ffill'")
    assert "column" not in text


def test_column_without_any_value():
    says(message(frame(empty=np.nan)), "'empty' holds no value at all", "30 rows", "Drop it")
    table = panel_frame()
    table.loc["LGA", "wind"] = np.nan
    text = message(table, rules=RowRules(missing="ffill"))
    says(text, "'wind' holds no value at all in 1 series: 'LGA'")


def test_column_that_is_missing_by_its_code_everywhere():
    says(message(frame(gone=-9999.0), rules=RowRules(na_values=-9999)), "'gone' holds no value at all")


def test_duplicate_stamps():
    table = pd.concat([frame(), frame().iloc[[4, 6]]])
    text = message(table)
    says(
        text,
        "came before: 2, the first at 2024-01-01 04:00:00, 2024-01-01 06:00:00",
        "duplicates='first'",
        "'mean'",
        "id_col",
    )


def test_duplicate_stamps_in_a_panel_name_the_series():
    table = pd.concat([panel_frame(), panel_frame().iloc[[ROWS + 4]]])
    says(message(table), "came before: 1, the first at 2024-01-01 04:00:00 (series 'LGA')")


def test_doubled_columns():
    table = frame().set_axis(["temp", "temp"], axis=1)
    says(message(table), "'temp' names more than one", "Rename")


def test_stamps_without_a_value():
    index = HOURS.to_series()
    index.iloc[[2, 8]] = pd.NaT
    says(message(frame().set_axis(pd.DatetimeIndex(index))), "the index has 2 missing ones (NaT)", "2, 8")
    table = frame(time=index.to_numpy())
    says(message(table, time_col="time"), "column 'time' has 2 missing ones (NaT)", "2, 8")


def test_rows_without_a_series():
    table = frame(site=["a"] * 10 + [None] * 20).rename_axis("time").reset_index()
    says(message(table, id_col="site", time_col="time"), "'site' is missing in 20 rows", "10, 11")


def test_roles_of_series_and_stamps():
    table = frame(site="a").rename_axis("time").reset_index()
    says(message(table, id_col="sit", time_col="time"), "`id_col`", "'sit'", "Did you mean 'site'?")
    says(message(table, id_col="site", time_col="tme"), "`time_col`", "'tme'", "Did you mean 'time'?")
    says(message(table, id_col="site"), "name their column with `time_col=`")
    says(message(table, id_col="time", time_col="time"), "must be two columns")
    says(message(np.zeros(5), time_col="time"), "need a DataFrame")


def test_multiindex_of_other_forms():
    three = pd.concat({"US": panel_frame()}, names=["country"])
    says(message(three), "two levels (id, time)", "got 3")
    says(message(panel_frame().swaplevel()), "level 0 ('time') holds the stamps", "swaplevel")
    says(message(panel_frame(), id_col="temp"), "`id_col`", "'site', 'time'", "'temp'")


def test_stamps_that_are_no_stamps():
    says(message(frame().set_axis(np.arange(ROWS) + 0.5)), "the index holds floats", "astype(int)")
    says(message(frame().set_axis([True, False] * 15)), "the index holds booleans")
    text = message(frame(when=["2024-01-01"] * 7 + ["soon"] * 23), time_col="when")
    says(text, "column 'when'", "'soon' at row position 7", "pd.to_datetime")
    text = message(frame(when=["13.01.2024 00:10"] * ROWS), time_col="when")
    says(text, "'13.01.2024 00:10' at row position 0", "format='%d.%m.%Y %H:%M'")
    says(message(frame(when=[1.5j] * ROWS), time_col="when"), "column 'when'")
    says(message(frame(when=[object()] * ROWS), time_col="when"), "column 'when'", "object")


def test_stamps_with_different_offsets_from_utc():
    stamps = ["2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00"] * 15
    says(message(frame(when=stamps), time_col="when"), "column 'when'", "utc=True")


def test_frequency_that_cannot_be_inferred():
    stamps = pd.DatetimeIndex(np.cumsum(np.array([1, 5, 2, 7, 3] * 6)).astype("m8[h]") + np.datetime64("2024-01-01"))
    text = message(frame().set_axis(stamps))
    says(text, "`freq` cannot be inferred", "95%", "05:00:00 (6 times), ", "and 1 others", "Give `freq=`")


def test_frequency_of_single_rows():
    says(message(frame().iloc[:1].set_axis([HOURS[0]])), "two stamps", "2024-01-01", "Give `freq=`")
    schema, _, _ = read_training(frame().iloc[:1].set_axis(pd.DatetimeIndex([HOURS[0]])), None, Roles(freq="h"))
    assert schema.axis.label == "h"


def test_series_of_another_frequency():
    days = frame().iloc[:5].set_axis(pd.date_range("2024-01-01", periods=5))
    many = {f"h{i}": frame() for i in range(10)}
    text = message(pd.concat({**many, "slow": days}, names=["site", "time"]), rules=RowRules(missing="ffill"))
    says(text, "1 of 11 series have other ones", "(series 'slow')", "1 days (4 times)")


def test_series_beside_the_grid():
    shifted = frame().shift(15, "min")
    text = message(pd.concat({"JFK": frame(), "LGA": frame(), "EWR": shifted}, names=["site", "time"]))
    says(
        text,
        "Stamps must lie on the grid of 'h'",
        "30 of 90 do not",
        "(series 'EWR')",
        "wholly beside it",
        "Round or resample",
    )
    # The odd one may be the earliest.
    shifted = frame().shift(-15, "min")
    text = message(pd.concat({"EWR": shifted, "JFK": frame(), "LGA": frame()}, names=["site", "time"]))
    says(text, "30 of 90 do not", "through 2024-01-01 00:00:00", "2023-12-31 23:45:00 (series 'EWR')")


def test_single_stamps_beside_the_grid():
    index = HOURS.to_numpy().copy()
    index[5] += np.timedelta64(1, "m")
    many = pd.concat([frame().set_axis(pd.DatetimeIndex(index)), frame().set_axis(HOURS + pd.Timedelta(hours=ROWS))])
    says(message(many, rules=RowRules(missing="ffill")), "1 of 60 do not: 2024-01-01 05:01:00")


@pytest.mark.parametrize("freq", ["hourly", 5, True, "-1h", pd.DateOffset(months=1), 2.5])
def test_frequency_that_is_none(freq):
    says(message(frame(), freq=freq), "`freq` must", repr(freq))


@pytest.mark.parametrize("freq", ["h", 0, -1, 1.5, True])
def test_frequency_of_numbered_rows(freq):
    says(message(frame().reset_index(drop=True), freq=freq), "`freq` of rows numbered by integers", repr(freq))


def test_frequency_of_periods():
    months = frame().set_axis(pd.period_range("2020-01", periods=ROWS, freq="M"))
    says(message(months, freq="W"), "multiple of the periods' own frequency 'M'", "asfreq")


def test_given_frequency_that_the_stamps_do_not_have():
    says(message(frame(), freq="2h"), "the grid of '2h' (given as `freq`)", "15 of 30 do not: 2024-01-01 01:00:00")
    says(message(frame(), freq="MS"), "lie on the grid of 'MS'", "29 of 30 do not")


def test_hole_too_wide_for_a_grid():
    index = HOURS.to_numpy().copy()
    index[0] = np.datetime64("1824-01-01")
    text = message(frame().set_axis(pd.DatetimeIndex(index)), rules=RowRules(missing="ffill"))
    says(text, "too wide a hole", "steps are absent in a row; the table has 30 rows. Check its first and last stamps")
    assert "None" not in text
    many = pd.concat({"JFK": frame(), "LGA": frame().set_axis(pd.DatetimeIndex(index))})
    says(message(many, rules=RowRules(missing="ffill")), "absent in a row in the series 'LGA', which has 30 rows")


def test_value_that_overflows_float32():
    table = frame()
    table.iloc[12, 0] = 1e39
    says(message(table), "float32", "'temp'", "1e+39", "2024-01-01 12:00:00", "Divide")


def test_column_too_flat_for_float32():
    table = frame(ids=1e9 + np.arange(ROWS))
    with pytest.warns(DataWarning, match=r"'ids' varies by only 29 around 1e\+09.*Subtract an offset"):
        read_training(table)
    read_training(frame(constant=1e9))  # a constant column has nothing to lose


def test_codes_for_missing_values():
    table = panel_frame()
    table.iloc[[4, ROWS + 5], 1] = -9999
    text = message(table)
    says(text, "-9999 in the column 'wind' (count 2", "2024-01-01 04:00:00 (series 'JFK')", "`na_values=[-9999]`")
    says(text, "`na_values=[]`")
    _, panel, report = read_training(table, rules=RowRules(na_values=[-9999], missing="ffill"))
    assert report["codes_replaced"] == {"wind": 2}
    assert panel.values[:, 1].min() == 0
    _, panel, _ = read_training(table, rules=RowRules(na_values=[]))
    assert panel.values[:, 1].min() == -9999


def test_negative_code_in_a_wide_column_that_is_never_negative():
    light = np.where(np.arange(ROWS) == 8, -9999.0, np.arange(ROWS) * 60.0)
    says(message(frame(light=light)), "-9999 in the column 'light' (count 1, first at 2024-01-01 08:00:00)")
    read_training(frame(light=np.where(light < 0, light, light - 1)))  # below zero now and then: too wide to tell


def test_codes_of_several_columns_are_told_at_once():
    table = frame()
    table.iloc[3, 0], table.iloc[4, 1] = -999.9, 99999
    says(message(table), "-999.9 in the column 'temp'", "99999 in the column 'wind'", "`na_values=[-999.9, 99999]`")


def test_ordinary_values_are_not_taken_for_codes():
    rng = np.random.default_rng(0)
    rare = np.zeros(300) + np.arange(300) % 7
    rare[[10, 20]] = [-9999, -20000]  # the range of the column goes beyond the code
    tables = [
        frame(wide=rng.normal(scale=500, size=ROWS), heavy=rng.standard_cauchy(ROWS)),
        frame(part=np.where(np.arange(ROWS) % 9 == 0, 999.0, np.arange(ROWS) * 40.0)),  # within the range
        frame(flag=np.where(np.arange(ROWS) % 9 == 0, 12345.0, 1.0)),  # far, but nobody's code
        pd.DataFrame({"rare": rare}),
    ]
    for table in tables:
        _, panel, report = read_training(table)
        np.testing.assert_array_equal(panel.values, table.to_numpy(np.float32))
        assert not report.get("codes_replaced")


def test_y_that_does_not_fit():
    X = frame()[["wind"]]
    y = frame()["temp"]
    says(message(X, y=y.iloc[1:]), "29 rows for 30")
    says(message(X, y=y.iloc[1:2]), "1 row for 30")
    says(message(X, y=y.reset_index(drop=True)), "`y` must have the index of X", "row position 0", "y.to_numpy()")
    says(message(X, y=y.iloc[::-1]), "`y` must have the index of X", "y.loc[X.index]")
    says(message(frame(), y=y), "'temp' came as `y` and is a column of X too", "drop")
    says(message(X, y=y, target="wind"), "`target` is 'wind'", "came as `y` ('temp')")
    says(message(X, y=y.astype(str)), "'temp' is a text column")
    says(message(X, y=np.zeros((30, 2, 2))), "`y` must have the shape")
    says(message(X, y=[1.0] * 30, error=TypeError), "`y` must be", "list")


def test_rules_out_of_range():
    for rule, value, error in [
        ("missing", "fill", ValueError),
        ("missing", None, TypeError),
        ("duplicates", "drop", ValueError),
        ("na_values", "-9999", TypeError),
        ("na_values", [True], TypeError),
        ("na_values", {"temp": -1}, TypeError),
        ("min_length", 0, ValueError),
        ("min_length", 2.5, TypeError),
    ]:
        with pytest.raises(error, match=f"`{rule}`"):
            RowRules(**{rule: value})


class TestHistory:
    """Tables for `predict` that are not of the form that `fit` saw."""

    def message(self, table, training=None, *, y=None, error=ValueError, rules=None, y_fit=None, **roles):
        schema, _, _ = read_training(frame() if training is None else training, y_fit, Roles(**roles))
        with pytest.raises(error) as caught:
            read_history(table, y, schema, rules)
        return str(caught.value)

    def test_columns_of_fit(self):
        says(self.message(frame().rename(columns={"wind": "winds"})), "lacks 'wind'", "'winds'", "Did you mean")
        says(self.message(frame()[["wind"]], target="temp"), "lacks 'temp'")
        says(self.message(frame(wind="x")), "'wind' must be numeric", "text column")
        says(self.message(frame().set_axis(["temp", "temp"], axis=1)), "'temp' names more than one")
        says(self.message(np.zeros((5, 1)), np.ones((20, 2))), "X has 1 features", "expecting 2", "in the same order")
        says(self.message(np.zeros((5, 3)), np.ones((20, 2))), "X has 3 features", "expecting 2")
        says(self.message(np.zeros(5), np.ones((20, 2))), "X has 1 features", "Reshape your data to (rows, 2)")

    def test_layout(self):
        says(self.message(frame().to_numpy(), error=TypeError), "layout 'wide'", "ndarray")
        says(self.message(frame(), np.ones((20, 2)), error=TypeError), "an array", "DataFrame")
        says(self.message(panel_frame()), "layout 'wide'", "'multiindex'")
        says(self.message(panel_frame().loc["JFK"], panel_frame()), "('site', 'time')", "df.loc[[id]]")

    def test_zone(self):
        aware = frame().tz_localize("Europe/Berlin")
        text = self.message(frame(), aware)
        says(text, "no time zone", "Europe/Berlin", "tz_localize('Europe/Berlin')")
        says(self.message(aware, frame()), "the time zone Europe/Berlin", "none", "tz_localize(None)")

    def test_grid(self):
        says(
            self.message(frame().shift(15, "min")),
            "grid of the training data ('h'",
            "30 of 30 do not: 2024-01-01 00:15:00",
        )
        says(self.message(frame().reset_index(drop=True)), "kind 'datetime'", "'integer'")
        days = frame().set_axis(pd.period_range("2024-01-01", periods=ROWS, freq="D"))
        says(self.message(frame().set_axis(pd.period_range("2024", periods=ROWS, freq="M")), days), "'D'", "asfreq")
        seconds = frame().set_axis(HOURS.as_unit("s"))
        says(self.message(seconds.set_axis(HOURS + pd.Timedelta(5, "us")), seconds), "finer", "Round it")

    def test_rows_coarser_than_the_grid(self):
        fill = RowRules(missing="ffill")
        days = frame().set_axis(pd.date_range("2024-02-01", periods=ROWS))
        text = self.message(days, rules=fill)
        says(text, "rows are 24 steps of the training data's 'h' apart", "`resample('h')`", "fit a forecaster on such")
        assert "24 steps" in self.message(days.iloc[:3])  # before filling is advised
        days_of_two = pd.concat({"JFK": days, "LGA": days}, names=["site", "time"])
        says(self.message(days_of_two, panel_frame(), rules=fill), "24 steps")
        months = frame().set_axis(pd.date_range("2020", periods=ROWS, freq="MS"))
        quarters = frame().set_axis(pd.date_range("2023", periods=ROWS, freq="QS"))
        says(self.message(quarters, months, rules=fill), "3 steps of the training data's 'MS' apart", "resample('MS')")
        numbered = frame().set_axis(range(ROWS))
        says(self.message(numbered.set_axis(range(0, 5 * ROWS, 5)), numbered, rules=fill), "5 steps", "Renumber them")

    def test_rows_with_holes_are_not_coarser(self):
        fill = RowRules(missing="ffill")
        schema, _, _ = read_training(frame())
        panel, _ = read_history(frame().iloc[[0, 24]], None, schema, fill)  # a single step says nothing
        assert panel.n_rows == 25
        panel, _ = read_history(frame().iloc[[*range(0, 20, 2), 19]], None, schema, fill)  # 1 step of 10 is another
        assert panel.n_rows == 20

    def test_rows_as_far_apart_as_those_of_fit(self):
        # A finer grid was asked for with `freq=`: rows like those of `fit` fill it as they did there.
        fill = RowRules(missing="ffill")
        rows = frame().set_axis(pd.date_range("2024-01-01", periods=ROWS, freq="2h"))
        schema, trained, _ = read_training(rows, None, Roles(freq="h"), fill)
        assert schema.spacing == 2 and Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
        assert read_history(rows, None, schema, fill)[0].values.tolist() == trained.values.tolist()
        coarser = rows.set_axis(pd.date_range("2024-01-01", periods=ROWS, freq="4h"))
        with pytest.raises(ValueError, match="4 steps of the training data's 'h' apart; expected 2"):
            read_history(coarser, None, schema, fill)

    def test_column_without_any_value(self):
        text = self.message(frame(temp=np.nan).iloc[:1])
        says(text, "'temp' holds no value at all (1 row, all missing)", "give its values")
        assert "leave it out" not in text
        table = panel_frame()
        table.loc["LGA", "wind"] = np.nan
        text = self.message(table, panel_frame(), rules=RowRules(missing="ffill"))
        says(text, "'wind' holds no value at all in 1 series: 'LGA'", "or give the column's values there")

    def test_rows(self):
        table = frame()
        table.iloc[2, 0] = np.nan
        says(self.message(table), "column 'temp': 1 missing, the first at 2024-01-01 02:00:00", "missing='ffill'")
        says(self.message(pd.concat([frame(), frame()])), "came before: 30, ", "duplicates='first'")
        says(self.message(frame().iloc[:0]), "empty")
        table.iloc[2, 0] = np.inf
        says(self.message(table), "'temp' has 1 infinite", "2024-01-01 02:00:00")
        table.iloc[2, 0] = 1e300
        says(self.message(table), "float32", "'temp'")

    def test_y(self):
        X, y = frame()[["wind"]], frame()["temp"]
        says(self.message(X, X, y_fit=y), "'temp' came as `y` in `fit`", "pass `y`")
        says(self.message(frame(), y=y), "`fit` had no `y`", "Leave `y` out")
