"""The last rows of series that grow side by side."""

from __future__ import annotations

from typing import final

import numpy as np

from tsrnn.data import Panel

_ROOM = 1024  # rows of all series that come between two moves of the history to the front, at least


@final
class GrowingPanel:
    """The last rows of each series of a panel: new ones go behind, and now and then all move to the front.

    Parameters
    ----------
    panel : Panel
        The first ones.
    kept : int
        Rows of each series that are never lost.

    Examples
    --------
    >>> panel = Panel(np.arange(5.0, dtype=np.float32)[:, None], np.array([0, 2, 5]), ("a", "b"), np.array([0, 7]))
    >>> growing = GrowingPanel(panel, kept=3)
    >>> growing.append(np.array([[10.0], [20.0]]))
    >>> found = growing.panel()
    >>> found.values.ravel().tolist(), found.offsets.tolist()
    ([0.0, 1.0, 10.0, 3.0, 4.0, 20.0], [0, 8])
    """

    def __init__(self, panel: Panel, kept: int) -> None:
        tail = panel.tail(kept)
        self.ids, self.ends, self.kept, self.count = panel.ids, panel.end_ticks.copy(), kept, kept
        self.first = kept - tail.lengths  # where the rows of each series begin
        self.values = np.zeros(
            (panel.n_series, kept + max(kept, _ROOM // panel.n_series), panel.n_channels), np.float32
        )
        self.values[:, :kept][np.arange(kept) >= self.first[:, None]] = tail.values

    @property
    def last(self) -> np.ndarray:
        """The last row of each series (series, channels), a view."""
        return self.values[:, self.count - 1]

    def append(self, rows: np.ndarray) -> None:
        """One more row of each series: (series, channels)."""
        if self.count == self.values.shape[1]:
            self.values[:, : self.kept] = self.values[:, -self.kept :]
            self.first = np.maximum(self.first - (self.count - self.kept), 0)
            self.count = self.kept
        self.values[:, self.count] = rows
        self.count += 1
        self.ends += 1

    def panel(self) -> Panel:
        """The last ``kept`` rows of each series, or all of one that has fewer."""
        start = self.count - self.kept
        inside = np.arange(start, self.count) >= self.first[:, None]
        lengths = inside.sum(axis=1)
        indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        return Panel(self.values[:, start : self.count][inside], indptr, self.ids, self.ends - lengths)
