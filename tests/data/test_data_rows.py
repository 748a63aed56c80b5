"""Rows as they come: order, duplicates, codes, missing values, short series; and the report about them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn.data import Roles, RowRules, read_history, read_training

HOURS = pd.date_range("2024-01-01", periods=10, freq="h")


def series(values, index=HOURS):
    return pd.DataFrame({"a": np.asarray(values, float)}, index=index[: len(values)])


def values_of(table, **rules):
    # So few rows need the frequency given: one hole makes up more than 5 % of their steps.
    _, panel, report = read_training(table, None, Roles(freq="h"), RowRules(**rules))
    return panel.values[:, 0].tolist(), report


def test_rows_are_sorted_silently():
    table = series(range(10))
    values, report = values_of(table.sample(frac=1, random_state=0))
    assert values == list(range(10))
    assert report["sorted"] is True
    assert values_of(table)[1]["sorted"] is False


@pytest.mark.parametrize(("rule", "expected"), [("first", 2), ("last", 20), ("mean", 11)])
def test_duplicates(rule, expected):
    table = pd.concat([series(range(10)), series([20], HOURS[[2]])])
    values, report = values_of(table, duplicates=rule)
    assert values == [0, 1, expected, *range(3, 10)]
    found = [{"stamp": "2024-01-01 02:00:00", "series": None}]
    assert report["duplicates"] == {"rows": 1, "rule": rule, "first": found}
    assert report["rows"] == 11 and report["rows_used"] == 10


def test_first_and_last_are_those_of_the_frame_as_it_came():
    table = pd.concat([series([20], HOURS[[2]]), series(range(10))])
    assert values_of(table, duplicates="first")[0][2] == 20
    assert values_of(table, duplicates="last")[0][2] == 2


def test_mean_is_of_what_is_there():
    # Codes are no measurements, and of (2, missing) the mean is 2.
    table = pd.concat([series(range(10)), series([np.nan, -9999, 30], HOURS[[2, 3, 3]])])
    values, report = values_of(table, duplicates="mean", na_values=-9999)
    assert values[2:4] == [2, 16.5]
    assert report["codes_replaced"] == {"a": 1}


def test_the_same_stamp_in_two_series_is_no_duplicate():
    _, panel, report = read_training(pd.concat({"x": series(range(10)), "y": series(range(10))}))
    assert panel.n_series == 2 and report["duplicates"] == {}


def test_float32_codes_are_compared_in_float32():
    table = series(range(10)).astype(np.float32)
    table.iloc[4] = -999.9
    values, _ = values_of(table, na_values=-999.9, missing="ffill")
    assert values[4] == 3


def test_several_codes():
    table = series([1, -1, 2, -99, 3])
    values, report = values_of(table, na_values=(-1, np.float64(-99)), missing="ffill")
    assert values == [1, 1, 2, 2, 3]
    assert report["codes_replaced"] == {"a": 2}


def test_codes_in_integer_columns():
    table = pd.DataFrame({"a": [1, -1, 3]}, index=HOURS[:3])
    assert values_of(table, na_values=-1, missing="ffill")[0] == [1, 1, 3]


def test_forward_fill_of_cells_and_absent_stamps():
    table = series(range(10)).drop(HOURS[[4, 5]])
    table.iloc[2] = np.nan
    values, report = values_of(table, missing="ffill")
    assert values == [0, 1, 1, 3, 3, 3, 6, 7, 8, 9]
    assert report["values_filled"] == {"a": 3}
    assert report["absent_rows_filled"] == 2
    assert report["leading_rows_left_out"] == []


def test_leading_rows_of_a_series_without_a_name():
    values, report = values_of(series([np.nan, np.nan, 2, 3]), missing="ffill")
    assert values == [2, 3]
    assert report["leading_rows_left_out"] == [{"series": None, "rows": 2}]


def test_forward_fill_stays_within_a_series_and_leaves_leading_rows_out():
    table = pd.concat({"x": series(range(10)), "y": series(range(10)), "z": series(range(10))})
    table["b"] = table["a"] * 10
    table.loc[("y", HOURS[0]), "a"] = np.nan
    table.loc[("y", HOURS[2]), "b"] = np.nan
    table.loc[("z", HOURS[0]), "b"] = np.nan
    table.loc[("z", HOURS[1]), "b"] = np.nan
    schema, panel, report = read_training(table, rules=RowRules(missing="ffill"))
    assert panel.lengths.tolist() == [10, 9, 8]
    assert (panel.offsets - panel.offsets[0]).tolist() == [0, 1, 2]
    assert report["leading_rows_left_out"] == [{"series": "y", "rows": 1}, {"series": "z", "rows": 2}]
    assert report["values_filled"] == {"b": 1}
    assert panel.values[10:13].tolist() == [[1, 10], [2, 10], [3, 30]]
    assert panel.values[19].tolist() == [2, 20]
    assert schema.axis.stamps(panel.ticks(np.array([10])))[0] == HOURS[1]


def test_a_series_starts_where_filling_makes_its_rows_complete():
    # No row is complete as it came, but from the second on each can be filled.
    table = pd.DataFrame({"a": [1, np.nan, 3, np.nan], "b": [np.nan, 2, np.nan, 4]}, index=HOURS[:4])
    _, panel, _ = read_training(table, rules=RowRules(missing="ffill"))
    assert panel.values.tolist() == [[1, 2], [3, 2], [3, 4]]


def test_min_length_leaves_short_series_out():
    table = pd.concat({"x": series(range(3)), "y": series(range(8)), "z": series(range(5))})
    _, panel, report = read_training(table, rules=RowRules(min_length=5))
    assert panel.ids == ("y", "z")
    assert panel.values[:, 0].tolist() == [*range(8), *range(5)]
    assert report["series_left_out"] == [{"series": "x", "rows": 3}]
    with pytest.raises(ValueError, match=r"No series has the 9 rows.*the longest has 8 \(id 'y'"):
        read_training(table, rules=RowRules(min_length=9))


def test_min_length_of_a_series_without_a_name():
    with pytest.raises(ValueError, match=r"asks for; the longest has 10\. Give a smaller"):
        values_of(series(range(10)), min_length=11)


def test_min_length_counts_rows_of_the_grid():
    table = series(range(10)).drop(HOURS[[4, 5]])
    values, _ = values_of(table, min_length=10, missing="ffill")
    assert len(values) == 10


def test_columns_left_out_are_in_the_report():
    _, _, report = read_training(series(range(10)).assign(site="JFK"))
    assert report["columns_left_out"] == {"site": "text column"}


def test_history_is_read_by_the_same_rules():
    schema, _, _ = read_training(series(range(10)))
    table = pd.concat([series([7, -9999, np.nan]), series([9], HOURS[[0]])])
    rules = RowRules(missing="ffill", duplicates="last", na_values=-9999)
    history, report = read_history(table.drop(HOURS[2]), None, schema, rules)
    assert history.values[:, 0].tolist() == [9, 9]
    assert report["codes_replaced"] == {"a": 1}
    # Codes are looked for in training only: a forecast must not fail over one odd row.
    history, _ = read_history(series([*range(9), -9999]), None, schema)
    assert history.values[-1, 0] == -9999


@settings(max_examples=50, deadline=None)
@given(data=st.data(), n_series=st.integers(1, 4), length=st.integers(3, 12))
def test_forward_fill_equals_pandas(data, n_series, length):
    stamps = pd.date_range("2024", periods=length, freq="h")
    parts = {}
    for name in range(n_series):
        cells = data.draw(st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=2 * length, max_size=2 * length))
        part = pd.DataFrame(np.array(cells, float).reshape(length, 2), index=stamps, columns=["a", "b"])
        part.iloc[-1] = part.iloc[-1].fillna(5.0)  # a column without any value is an error of its own
        absent = data.draw(st.sets(st.integers(1, length - 2), max_size=length - 2))
        parts[name] = part.drop(stamps[sorted(absent)])
    table = pd.concat(parts, names=["id", "time"])
    _, panel, _ = read_training(table, None, Roles(freq="h"), RowRules(missing="ffill"))
    for series_index, part in enumerate(parts.values()):
        expected = part.reindex(stamps).ffill().dropna()
        rows = slice(panel.indptr[series_index], panel.indptr[series_index + 1])
        np.testing.assert_array_equal(panel.values[rows], expected.to_numpy(np.float32))
