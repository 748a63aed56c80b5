"""Rows of a table found again in the panel that was read from it, and frames of what belongs to many origins."""

import numpy as np
import pandas as pd
import pytest

from tsrnn.data import Roles, RowRules, WindowShape, all_windows, locate_rows, long_frame, read_training


def shuffled():
    """Two series in one long frame, its rows in any order; each value names its row."""
    days = pd.date_range("2024-01-01", periods=6, freq="D")
    parts = {"b": days[:4], "a": days[2:], "short": days[:2]}
    frame = pd.concat([pd.DataFrame({"site": name, "day": stamps}) for name, stamps in parts.items()])
    frame = frame.sample(frac=1, random_state=0, ignore_index=True)
    return frame.assign(number=np.arange(len(frame), dtype=float))


def test_rows_are_found_whatever_their_order():
    frame = shuffled()
    roles, rules = Roles(id_col="site", time_col="day"), RowRules(min_length=3)
    schema, panel, _ = read_training(frame, roles=roles, rules=rules)
    rows = locate_rows(frame, None, schema, panel)
    left_out = (frame["site"] == "short").to_numpy()
    assert (rows[left_out] == -1).all()
    np.testing.assert_array_equal(panel.values[rows[~left_out], 0], frame["number"][~left_out])


def test_rows_before_a_series_begins_in_the_panel_are_left_out():
    """Leading rows without a value are dropped under "ffill"."""
    frame = pd.DataFrame({"x": [np.nan, np.nan, 3.0, 4.0, 5.0]}, index=pd.RangeIndex(10, 15))
    schema, panel, _ = read_training(frame, rules=RowRules(missing="ffill"))
    assert locate_rows(frame, None, schema, panel).tolist() == [-1, -1, 0, 1, 2]


@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_a_row_for_each_origin_step_and_target(tz):
    index = pd.date_range("2024-03-29", periods=6, freq="D", tz=tz, name="day")  # over a clock change
    schema, panel, _ = read_training(pd.DataFrame({"a": np.arange(6.0), "b": -np.arange(6.0)}, index=index))
    windows = all_windows(panel, WindowShape(lookback=2, horizon=2, gap=1))
    values = np.arange(len(windows) * 4).reshape(len(windows), 2, 2)
    found = long_frame(schema, panel, windows, {"value": values}, gap=1)
    assert found["value"].tolist() == list(range(len(windows) * 4))
    assert found["step"].tolist() == [1, 1, 2, 2] * len(windows)
    assert found["target"].tolist() == ["a", "b"] * 2 * len(windows)
    places = index.get_indexer(pd.DatetimeIndex(found["cutoff"]))
    np.testing.assert_array_equal(places, np.repeat(windows.origin, 4))
    np.testing.assert_array_equal(index.get_indexer(pd.DatetimeIndex(found["day"])), places + 1 + found["step"])


def test_few_origins_far_apart():
    """Stamps are then made one by one."""
    index = pd.RangeIndex(0, 1000, name="row")
    schema, panel, _ = read_training(pd.DataFrame({"a": np.arange(1000.0)}, index=index))
    windows = all_windows(panel, WindowShape(lookback=1, horizon=1), stride=500)
    found = long_frame(schema, panel, windows, {"value": np.zeros((2, 1, 1))})
    assert found[["cutoff", "row"]].to_numpy().tolist() == [[498, 499], [998, 999]]
