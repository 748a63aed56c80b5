"""Missing values: refused with their places, or filled from the row before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tsrnn._errors import quoted
from tsrnn.data.names import Name
from tsrnn.data.ordering import Place
from tsrnn.data.panel import Panel


@final
@dataclass(frozen=True)
class Filled:
    """What forward filling did."""

    absent_rows: int
    cells: dict[Name, int]
    leading_rows: dict[Any, int]


def refuse_missing(panel: Panel, absent: np.ndarray, names: Sequence[Name], place: Place) -> None:
    """Refuse any missing value: stamps that are absent, and cells that hold none."""
    if not len(absent) and not np.isnan(panel.values).any():
        return
    present = np.ones(panel.n_rows, bool)
    present[absent] = False
    parts = []
    if len(absent):
        parts.append(f"absent stamps: {len(absent)}, the first {place(absent)}")
    for channel, name in enumerate(names):
        rows = np.flatnonzero(np.isnan(panel.values[:, channel]) & present)
        if len(rows):
            parts.append(f"column {name!r}: {len(rows)} missing, the first at {place(rows[:1])}")
    shown = "; ".join(parts[:6]) + (f"; and {len(parts) - 6} more columns" if len(parts) > 6 else "")
    raise ValueError(
        f"Values are missing (NaN): {shown}. Give `missing='ffill'` to carry the last value forward, or fill or drop "
        "them before."
    )


def fill_forward(
    panel: Panel, absent: np.ndarray, names: Sequence[Name], *, training: bool = True
) -> tuple[Panel, Filled]:
    """Carry each series' last value forward; leave out the rows that come before its first complete one.

    `panel.values` is filled in place: it is the reader's own array.
    """
    values = panel.values
    starts = panel.indptr[:-1]
    rows = np.arange(panel.n_rows)
    first_full = starts.copy()
    filled: dict[Name, int] = {}
    for channel, name in enumerate(names):
        column = values[:, channel]
        gone = np.isnan(column)
        if not gone.any():
            continue
        last = np.maximum.accumulate(np.where(gone, -1, rows))
        first = np.minimum.reduceat(np.where(gone, panel.n_rows, rows), starts)
        empty = np.flatnonzero(first >= panel.indptr[1:])
        if len(empty):
            remedy = "leave the column out" if training else "give the column's values there"
            raise ValueError(
                f"The column {name!r} holds no value at all in {len(empty)} series: "
                f"{quoted(panel.ids[s] for s in empty.tolist())}. Drop these series, or {remedy}."
            )
        usable = rows >= np.repeat(first, panel.lengths)
        cells = int(np.count_nonzero(gone & usable))
        if cells:
            filled[name] = cells
        # Rows before the first value get one of another series here; they are left out below.
        values[:, channel] = column[np.maximum(last, 0)]
        first_full = np.maximum(first_full, first)
    return _without_leading(panel, first_full), Filled(
        absent_rows=len(absent),
        cells=filled,
        leading_rows={
            panel.ids[s]: int(first_full[s] - starts[s]) for s in np.flatnonzero(first_full > starts).tolist()
        },
    )


def _without_leading(panel: Panel, first: np.ndarray) -> Panel:
    left_out = first - panel.indptr[:-1]
    if not left_out.any():
        return panel
    lengths = panel.lengths - left_out
    keep = np.arange(panel.n_rows) >= np.repeat(first, panel.lengths)
    return Panel(
        values=panel.values[keep],
        indptr=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        ids=panel.ids,
        offsets=panel.offsets + left_out,
        weights=None if panel.weights is None else panel.weights[keep],
    )
