"""Rows in order: sorted by series and stamp, with no stamp twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

Place = Callable[[Any], str]  # names rows for a message: "2020-01-01 00:00 (series 'A')"


@final
@dataclass(frozen=True, eq=False)
class Order:
    """How the rows of a table are taken.

    Attributes
    ----------
    take : ndarray of int64 or None
        The table's row for each row taken; None where they are taken as they stand.
    merged : ndarray of int64 or None
        The row of the result that each row taken goes into, where duplicates are averaged.
    raw, series : ndarray of int64
        The integers behind the stamps, and the series, of the resulting rows.
    """

    take: np.ndarray | None
    merged: np.ndarray | None
    raw: np.ndarray
    series: np.ndarray

    @property
    def rows(self) -> np.ndarray | None:
        """The table's row (the first of those merged) for each resulting row; None where all are taken."""
        if self.merged is None:
            return self.take
        first = np.flatnonzero(np.append(True, np.diff(self.merged) > 0))
        return first if self.take is None else self.take[first]

    def gather(self, column: np.ndarray) -> np.ndarray:
        """Return a column of the table in the resulting order."""
        taken = column if self.take is None else column[self.take]
        if self.merged is None:
            return taken
        present = ~np.isnan(taken)
        count = np.bincount(self.merged, weights=present)
        total = np.bincount(self.merged, weights=np.where(present, taken, 0.0))
        # The mean of the values that are there; NaN where none is.
        return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def in_order(raw: np.ndarray, series: np.ndarray) -> np.ndarray | None:
    """Return the permutation that sorts rows by series and stamp, or None where they are sorted."""
    later = raw[1:] >= raw[:-1]
    if ((series[1:] > series[:-1]) | ((series[1:] == series[:-1]) & later)).all():
        return None
    return np.lexsort((raw, series))


def order_rows(raw: np.ndarray, series: np.ndarray, duplicates: str, place: Place) -> tuple[Order, np.ndarray]:
    """Sort rows and deal with stamps that come twice.

    Returns
    -------
    order : Order
    doubled : ndarray of int64
        The rows (of the table) whose stamp has come before; empty where there are none.
    """
    take = in_order(raw, series)
    if take is not None:
        raw, series = raw[take], series[take]
    again = np.zeros(len(raw), bool)
    again[1:] = (raw[1:] == raw[:-1]) & (series[1:] == series[:-1])
    if not again.any():
        return Order(take, None, raw, series), np.empty(0, np.int64)
    doubled = np.flatnonzero(again) if take is None else take[again]
    if duplicates == "raise":
        raise ValueError(
            f"Stamps must not come twice within a series; rows whose stamp came before: {len(doubled)}, the first at "
            f"{place(doubled)}. Give `duplicates='first'`, `'last'` or `'mean'` to keep one row for each, or "
            "name the series (`id_col=`) if they are different ones."
        )
    if duplicates == "mean":
        return Order(take, np.cumsum(~again) - 1, raw[~again], series[~again]), doubled
    kept = ~again if duplicates == "first" else np.append(~again[1:], True)
    rows = np.flatnonzero(kept) if take is None else take[kept]
    return Order(rows, None, raw[kept], series[kept]), doubled


def first_places(rows: Sequence[int], describe: Callable[[int], str], limit: int = 3) -> str:
    """Name the first rows, and say how many more there are."""
    shown = ", ".join(describe(int(row)) for row in rows[:limit])
    return shown if len(rows) <= limit else f"{shown} and {len(rows) - limit} more"
