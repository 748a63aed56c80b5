"""Any number of series in one array: what is left of a frame once it has been read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np


@final
@dataclass(frozen=True, eq=False)
class Panel:
    """Regular series, one after the other in one array.

    Attributes
    ----------
    values : ndarray of float32, shape (rows, channels)
        In C order and writable; the targets first, then the past covariates.
    indptr : ndarray of int64, shape (n_series + 1,)
        Series `s` has the rows `indptr[s]` to `indptr[s + 1] - 1`.
    ids : tuple
        Names of the series; `(None,)` for a single one that has no name.
    offsets : ndarray of int64, shape (n_series,)
        Tick of each series' first row on the grid that all of them share.
    weights : ndarray of float64, shape (rows,), or None
        How much each row counts, where the user said so.

    Examples
    --------
    >>> panel = Panel(np.zeros((5, 1), np.float32), np.array([0, 3, 5]), ("a", "b"), np.array([0, 1]))
    >>> panel.n_series, panel.lengths.tolist(), panel.ticks().tolist()
    (2, [3, 2], [0, 1, 2, 1, 2])
    """

    values: np.ndarray
    indptr: np.ndarray
    ids: tuple[Any, ...]
    offsets: np.ndarray
    weights: np.ndarray | None = None

    @property
    def n_series(self) -> int:
        """Number of series."""
        return len(self.ids)

    @property
    def n_rows(self) -> int:
        """Number of rows of all series together."""
        return len(self.values)

    @property
    def n_channels(self) -> int:
        """Number of columns: targets and past covariates."""
        return self.values.shape[1]

    @property
    def lengths(self) -> np.ndarray:
        """Number of rows of each series."""
        return np.diff(self.indptr)

    @property
    def end_ticks(self) -> np.ndarray:
        """Tick after each series' last row."""
        return self.offsets + self.lengths

    def series_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the index of the series that each row belongs to."""
        return np.searchsorted(self.indptr, rows, side="right") - 1

    def ticks(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the ticks of the given rows, or of all."""
        if rows is None:
            return np.arange(self.n_rows) + np.repeat(self.offsets - self.indptr[:-1], self.lengths)
        series = self.series_of(rows)
        return rows - self.indptr[series] + self.offsets[series]

    def tail(self, rows: int) -> Panel:
        """Return the last rows of each series (all rows of a shorter one) as a panel of its own."""
        kept = np.minimum(self.lengths, rows)
        return self._cut(self.indptr[1:] - kept, kept)

    def select(self, series: np.ndarray) -> Panel:
        """Return some of the series, in the order given."""
        series = np.asarray(series, np.int64)
        return self._cut(self.indptr[series], self.lengths[series], series)

    def _cut(self, first: np.ndarray, lengths: np.ndarray, series: np.ndarray | None = None) -> Panel:
        series = np.arange(self.n_series) if series is None else series
        indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        rows = np.arange(indptr[-1]) + np.repeat(first - indptr[:-1], lengths)
        return Panel(
            values=self.values[rows],
            indptr=indptr,
            ids=tuple(self.ids[s] for s in series.tolist()),
            offsets=self.offsets[series] + first - self.indptr[series],
            weights=None if self.weights is None else self.weights[rows],
        )
