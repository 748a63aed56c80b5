"""Rows that come after those of a panel, put behind them."""

from __future__ import annotations

import numpy as np

from tsrnn.data.names import Name, count_rows
from tsrnn.data.panel import Panel
from tsrnn.data.time_axis import TimeAxis

MANY_ROWS, MANY_TIMES = 10**6, 50  # a grid of more rows than both is a wrong stamp, not a hole


def put_behind(before: Panel, after: Panel, absent: np.ndarray, axis: TimeAxis) -> tuple[Panel, np.ndarray]:
    """Go on with the series of a panel.

    Parameters
    ----------
    before : Panel
        The rows that are known.
    after : Panel
        Those that follow, on the same grid: of some of the series, and of new ones, which come last.
    absent : ndarray of int64
        Rows of ``after`` whose stamps were absent.
    axis : TimeAxis
        The grid, for messages.

    Returns
    -------
    panel : Panel
        All rows; NaN where stamps between the two parts are absent.
    absent : ndarray of int64
        Rows of the panel whose stamps were absent.

    Raises
    ------
    ValueError
        If rows do not follow those that are known.

    Examples
    --------
    >>> before = Panel(np.array([[1.0], [2.0]], np.float32), np.array([0, 2]), (None,), np.array([0]))
    >>> after = Panel(np.array([[4.0]], np.float32), np.array([0, 1]), (None,), np.array([3]))
    >>> panel, absent = put_behind(before, after, np.array([], np.int64), TimeAxis("integer", 0))
    >>> panel.values.ravel().tolist(), absent.tolist()
    ([1.0, 2.0, nan, 4.0], [2])
    """
    series, ids = _places(before, after)
    known = series < before.n_series
    gaps = np.zeros(after.n_series, np.int64)
    gaps[known] = after.offsets[known] - before.end_ticks[series[known]]
    if (gaps < 0).any():
        raise ValueError(_not_following(before, after, series, gaps, axis))
    lengths, offsets = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
    offsets[series] = after.offsets
    lengths[: before.n_series], offsets[: before.n_series] = before.lengths, before.offsets
    lengths[series] += gaps + after.lengths
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    if indptr[-1] > max(MANY_ROWS, MANY_TIMES * (before.n_rows + after.n_rows)):
        widest = int(gaps.argmax())
        raise ValueError(
            f"The rows{_of(after.ids[widest])} leave too wide a hole: {gaps[widest]} steps are absent between the "
            "history and them. Check their first stamp, or fit on rows that go on from there."
        )
    values = np.full((indptr[-1], before.n_channels), np.nan, np.float32)
    old = _moved(before, indptr[: before.n_series])
    new = _moved(after, indptr[series + 1] - after.lengths)
    values[old], values[new] = before.values, after.values
    there = np.zeros(len(values), bool)
    there[old] = there[new] = True
    there[new[absent]] = False
    return Panel(values, indptr, ids, offsets), np.flatnonzero(~there)


def first_new_rows(before: Panel, panel: Panel) -> np.ndarray:
    """The row from which on a panel that goes on ``before`` is new, for each of its series."""
    known = np.full(panel.n_series, np.iinfo(np.int64).min)
    known[: before.n_series] = before.end_ticks
    return panel.indptr[:-1] + np.maximum(known, panel.offsets) - panel.offsets


def _places(before: Panel, after: Panel) -> tuple[np.ndarray, tuple[Name, ...]]:
    """The place of each series of ``after`` among all, and all names."""
    places = {name: place for place, name in enumerate(before.ids)}
    series = np.array([places.setdefault(name, len(places)) for name in after.ids], np.int64)
    return series, tuple(places)


def _moved(panel: Panel, starts: np.ndarray) -> np.ndarray:
    """Where each row goes, if series begin there."""
    return np.arange(panel.n_rows) + np.repeat(starts - panel.indptr[:-1], panel.lengths)


def _not_following(before: Panel, after: Panel, series: np.ndarray, gaps: np.ndarray, axis: TimeAxis) -> str:
    wrong = np.minimum(np.maximum(-gaps, 0), after.lengths)
    first = int(np.flatnonzero(wrong)[0])
    stamps = axis.stamps([after.offsets[first], before.end_ticks[series[first]]])
    return (
        f"Rows must follow the history; {count_rows(int(wrong.sum()))} do not, the first at {stamps[0]}"
        f"{_of(after.ids[first])}, where the next row is that of {stamps[1]}. Leave out what is known already."
    )


def _of(name: Name) -> str:
    return "" if name is None else f" of the series {name!r}"
