"""Rows put behind others: the same panel as if all had come together, and each window complete once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsrnn.data import Panel, TimeAxis, WindowShape, all_windows, completed_windows
from tsrnn.data.following import first_new_rows, put_behind

AXIS, NONE = TimeAxis("integer", 0), np.zeros(0, np.int64)


def panel_of(parts):
    """{name: (first tick, rows)}; the value of a row says which series and which tick it is."""
    lengths = np.array([rows for _, rows in parts.values()], np.int64)
    offsets = np.array([first for first, _ in parts.values()], np.int64)
    panel = Panel(np.zeros((lengths.sum(), 2), np.float32), np.append(0, lengths.cumsum()), tuple(parts), offsets)
    names = np.array([ord(name) for name in parts])[panel.series_of(np.arange(panel.n_rows))]
    return Panel(np.stack([names, panel.ticks()], axis=1).astype(np.float32), panel.indptr, panel.ids, panel.offsets)


lengths = st.integers(9, 14)
known = st.dictionaries(st.sampled_from("ABCD"), st.tuples(st.integers(-5, 5), lengths), min_size=1)
ahead = st.dictionaries(st.sampled_from("ABCDEF"), st.tuples(st.integers(0, 3), lengths), min_size=1)


@given(known=known, ahead=ahead)
def test_all_rows_in_their_places(known, ahead):
    ends = {name: first + rows for name, (first, rows) in known.items()}
    before = panel_of(known)
    after = panel_of({name: (ends.get(name, 0) + gap, rows) for name, (gap, rows) in ahead.items()})
    panel, absent = put_behind(before, after, NONE, AXIS)
    assert panel.ids == tuple(known) + tuple(name for name in ahead if name not in known)
    places = zip(panel.offsets.tolist(), panel.lengths.tolist(), strict=True)
    whole = panel_of(dict(zip(panel.ids, places, strict=True)))
    present = np.setdiff1d(np.arange(panel.n_rows), absent)
    np.testing.assert_array_equal(panel.values[present], whole.values[present])
    assert np.isnan(panel.values[absent]).all() and len(present) == before.n_rows + after.n_rows
    assert absent.size == sum(gap for name, (gap, _) in ahead.items() if name in known)

    shape, new = WindowShape(lookback=3, horizon=2, gap=1, sampling_rate=2), first_new_rows(before, panel)
    expected = [ends.get(name, panel.offsets[s]) for s, name in enumerate(panel.ids)]
    np.testing.assert_array_equal(panel.indptr[:-1] + expected - panel.offsets, new)
    every, now = (windows.origin for windows in (all_windows(panel, shape), completed_windows(panel, shape, new)))
    series = panel.series_of(every)
    np.testing.assert_array_equal(now, every[every + shape.reach >= new[series]])
    assert len(now) + len(all_windows(before, shape)) == len(every)


def test_rows_that_were_absent_already():
    before, after = panel_of({"A": (0, 2)}), panel_of({"B": (5, 2), "A": (3, 3)})
    panel, absent = put_behind(before, after, np.array([3]), AXIS)
    assert panel.ticks(absent).tolist() == [2, 4]
    assert panel.lengths.tolist() == [6, 2]


def test_rows_that_are_known():
    message = (
        "must follow the history; 2 rows do not, the first at 1 of the series 'A', where the next row is that of 3"
    )
    with pytest.raises(ValueError, match=message):
        put_behind(panel_of({"A": (0, 3)}), panel_of({"B": (0, 2), "A": (1, 3)}), NONE, AXIS)
