"""Forecasts beyond the horizon that was trained: what was forecast is taken as if it had come, and the model goes on.

The first rows are those of an ordinary forecast. Then the window moves on by one horizon and reads its own forecasts,
in data units, and so on. Rows within the ``gap`` are forecast too, for later windows read them: from origins as much
earlier, whose forecasts begin there, so that a longer horizon reads ``gap`` more rows of history.

How sure such a forecast is cannot be said row by row, for what is fed back is unsure itself. So whole paths are fed
back: each is drawn from what the forecaster knows of its errors, and read by the model as if it had come. The paths of
all series are one panel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from tsrnn._errors import quoted
from tsrnn.data import Panel, WindowIndex
from tsrnn.data.names import count_rows
from tsrnn.forecasting.calibration import Calibration, Outlook
from tsrnn.forecasting.state import FitState, History

if TYPE_CHECKING:
    from tsrnn.data import WindowShape

PATHS = 500  # that are drawn for quantiles and intervals
SEED = 0  # of these paths: the same rows have the same intervals
_AT_ONCE = 1 << 24  # numbers of history that are held for paths at a time
Forecast = Callable[[History, WindowIndex, int], np.ndarray]  # of windows, in a turn: (windows, horizon, targets)


def points_beyond(state: FitState, history: History, horizon: int) -> np.ndarray:
    """Point forecasts (series, horizon, targets) of the rows that follow each series."""
    history = _ready(state, history)
    series = _Grown(history, horizon, np.arange(history.panel.n_series), _kept(state, history))
    return series.forecast(lambda grown, windows, turn: state.model.predict(grown, windows))


def paths_beyond(
    state: FitState,
    history: History,
    calibration: Calibration,
    horizon: int,
    count: int,
    rng: np.random.Generator,
    own: bool,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Some series after the others, and their paths (count, series, horizon, targets) over the rows that follow.

    Parameters
    ----------
    state, history : FitState, History
        The forecaster, and the series.
    calibration : Calibration
        Whose windows say how rows of a horizon hang together.
    horizon, count : int
        Rows of a path, paths of a series.
    rng : Generator
        What it draws first is what `Uncertain.sample` draws: the rows of the trained horizon are the same.
    own : bool
        Whether the spread is that of the model's distribution, and not of the errors.
    """
    history = _ready(state, history)
    n_series, turns = history.panel.n_series, len(_shifts(history.shape, horizon))
    drawn = rng.integers(len(calibration.scores), size=(turns, n_series, count))
    scores = calibration.ranks if own else calibration.scores
    units = calibration.units.rows_for(history.panel)[0]
    for part in _parts(history, horizon, count):
        series = _Grown(history, horizon, np.repeat(part, count), _kept(state, history))

        def forecast(grown: History, windows: WindowIndex, turn: int, part: np.ndarray = part) -> np.ndarray:
            return Outlook.of(state.model, grown, windows, units).at(scores[drawn[turn, part].ravel()])

        yield part, series.forecast(forecast).reshape(len(part), count, horizon, -1).swapaxes(0, 1)


@final
@dataclass(frozen=True)
class _Shift:
    """A forecast on the way: how far its origin is from the last row of history, and the rows that are kept of it."""

    origin: int
    rows: int


def _shifts(shape: WindowShape, horizon: int) -> list[_Shift]:
    """The rows to come, then those within the gap, then on and on."""
    first = [_Shift(0, min(shape.horizon, horizon))]
    within = [
        _Shift(done - shape.gap, min(shape.horizon, shape.gap - done)) for done in range(0, shape.gap, shape.horizon)
    ]
    later = [_Shift(done, min(shape.horizon, horizon - done)) for done in range(shape.horizon, horizon, shape.horizon)]
    return first + within + later


def _kept(state: FitState, history: History) -> int:
    """Rows of each series that a forecast may read."""
    return max(history.shape.span, state.model.memory)


def _ready(state: FitState, history: History) -> History:
    """The last rows, with scales that stay as they are when forecasts are added; refuses what cannot go on."""
    schema, shape, panel = state.schema, history.shape, history.panel
    if schema.past_covariates and state.model.reads_covariates:
        raise ValueError(
            f"`horizon` must be at most {shape.horizon}, which the forecaster was fitted for: beyond it the forecaster "
            f"reads its own forecasts, but nobody forecasts the past covariates {quoted(schema.past_covariates, 10)}. "
            "Forecast them too (`target=None`, or name them in `target`), leave them out (`past_covariates=[]`), or "
            "fit with a longer `horizon`."
        )
    short = np.flatnonzero(panel.lengths < shape.span + shape.gap)
    if len(short):
        name = panel.ids[int(short[0])]
        of_series = "" if name is None else f" for the series {name!r}"
        raise ValueError(
            f"A forecast beyond the trained horizon reads {count_rows(shape.span)} of `lookback` and {shape.gap} of "
            f"`gap` before them; got {count_rows(int(panel.lengths[short[0]]))}{of_series}. Give more history."
        )
    scaling = history.scaling.rows_for(panel)[0]
    return replace(history, panel=panel.tail(_kept(state, history) + shape.gap), scaling=scaling)


def _parts(history: History, horizon: int, count: int) -> Iterator[np.ndarray]:
    """Series, so many that their paths do not take much memory."""
    rows = int(history.panel.lengths.max()) + history.shape.gap + horizon
    at_once = max(1, _AT_ONCE // (rows * history.panel.n_channels * count))
    for first in range(0, history.panel.n_series, at_once):
        yield np.arange(first, min(first + at_once, history.panel.n_series))


@final
class _Grown:
    """Series that grow by what is forecast of them.

    Parameters
    ----------
    history : History
        From ``_ready``.
    horizon : int
        Rows to forecast.
    series : ndarray of int64
        Those of the panel that grow; one that comes several times grows in as many ways.
    kept : int
        Rows that a forecast may read.
    """

    def __init__(self, history: History, horizon: int, series: np.ndarray, kept: int) -> None:
        before = history.panel.select(series)
        self.history, self.before, self.horizon, self.kept = history, before, horizon, kept
        ahead = history.shape.gap + horizon
        self.first = before.indptr[:-1] + ahead * np.arange(len(series))
        self.last = self.first + before.lengths - 1  # rows of ``values`` where history ends
        self.values = np.zeros((before.n_rows + ahead * len(series), before.n_channels), np.float32)
        rows = np.arange(before.n_rows) + np.repeat(self.first - before.indptr[:-1], before.lengths)
        self.values[rows] = before.values

    def forecast(self, of: Forecast) -> np.ndarray:
        """The rows that follow (series, horizon, targets)."""
        shape, n_targets = self.history.shape, self.history.n_targets
        found = np.empty((len(self.last), self.horizon, n_targets))
        for turn, shift in enumerate(_shifts(shape, self.horizon)):
            grown, windows = self._up_to(shift.origin)
            values = of(grown, windows, turn)[:, : shift.rows]
            rows = self.last[:, None] + shift.origin + shape.gap + 1 + np.arange(shift.rows)
            self.values[rows, :n_targets] = values
            if shift.origin >= 0:
                found[:, shift.origin : shift.origin + shift.rows] = values
        return found

    def _up_to(self, shift: int) -> tuple[History, WindowIndex]:
        """The rows up to so many after the last one of history, or before it."""
        ends = self.last + shift + 1
        starts = np.maximum(self.first, ends - self.kept)
        lengths = ends - starts
        indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        rows = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
        offsets = self.before.offsets + starts - self.first
        panel = Panel(self.values[rows], indptr, self.before.ids, offsets)
        return replace(self.history, panel=panel), WindowIndex(np.arange(panel.n_series), indptr[1:] - 1)
