"""Forecasts of one series that grows row by row: what a stream asks a model for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tsrnn._jit import prepare
from tsrnn.data import WindowIndex
from tsrnn.forecasting.growing import GrowingPanel
from tsrnn.kernels.gather import Series, gather_one
from tsrnn.nn.heads.distribution import DistributionHead, distribution_one
from tsrnn.nn.heads.point import prediction_one
from tsrnn.nn.single_workspace import SingleWorkspace
from tsrnn.training.recursive import one_row_ahead

if TYPE_CHECKING:
    from tsrnn.forecasting.network_model import NetworkModel
    from tsrnn.forecasting.state import History, Model

_ROOM = 1024  # rows that come between two moves of the history to the front, at least


class GrowingRows:
    """The last rows of a series, side by side in one array: new ones go behind, and now and then all move to the front.

    Parameters
    ----------
    rows : ndarray of float32, shape (rows, channels)
        The first ones.
    kept : int
        Rows that are never lost.
    """

    def __init__(self, rows: np.ndarray, kept: int) -> None:
        self.kept, self.count = kept, min(kept, len(rows))
        self.values = np.zeros((kept + max(kept, _ROOM), rows.shape[1]), np.float32)
        self.values[: self.count] = rows[-kept:]

    def append(self, row: np.ndarray) -> None:
        """One more row."""
        if self.count == len(self.values):
            self.values[: self.kept] = self.values[-self.kept :]
            self.count = self.kept
        self.values[self.count] = row
        self.count += 1

    @property
    def last(self) -> np.ndarray:
        """The last ``kept`` rows, a view."""
        return self.values[max(0, self.count - self.kept) : self.count]


class Stepper(ABC):
    """Forecasts of a series after each new row, or of several; abstract."""

    @abstractmethod
    def step(self, row: np.ndarray) -> np.ndarray:
        """The forecast (horizon, targets) in data units, after a row (channels,) of float32 in data units; of several
        series both with an axis of series in front."""


class PanelStepper(Stepper):
    """Any model, and any number of series: it is given the last rows as a panel, as in ``predict``."""

    def __init__(self, model: Model, history: History) -> None:
        wider, _ = history.scaling.rows_for(history.panel)  # a series that is new keeps its first scale
        self.model, self.history = model, replace(history, scaling=wider)
        self.rows = GrowingPanel(history.panel, max(history.shape.span, model.memory))

    def step(self, row: np.ndarray) -> np.ndarray:
        self.rows.append(row)
        panel = self.rows.panel()
        windows = WindowIndex(np.arange(panel.n_series), panel.indptr[1:] - 1)
        forecast = np.asarray(self.model.predict(replace(self.history, panel=panel), windows), np.float64)
        return forecast[0] if row.ndim == 1 else forecast


class ScaledStepper(Stepper):
    """A network, with the arrays of one sequence: the window is read from the scaled rows that are kept; abstract.

    Parameters
    ----------
    model : Model
        Whose network it is.
    history : History
        Of one series.
    """

    def __init__(self, model: Model, history: History) -> None:
        self.model, self.history = model, history
        scaling, of_series = history.scaling.rows_for(history.panel)
        self.center, self.scale = scaling.center[of_series[0]], scaling.scale[of_series[0]]
        self.rows = GrowingRows(history.scaled, history.shape.span)

    @abstractmethod
    def forecast(self) -> np.ndarray:
        """The rows that follow ``rows`` (horizon, targets), scaled, float32."""

    def step(self, row: np.ndarray) -> np.ndarray:
        self.rows.append((row - self.center) / self.scale)
        out = self.forecast()
        targets = out.shape[1]
        return out * self.scale[:targets] + self.center[:targets]

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle holds: not the arrays of kernels, which would no longer be views of one another."""
        return {"model": self.model, "history": self.history, "values": self.rows.values, "count": self.rows.count}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(vars(state["model"].stepper(state["history"])))
        self.rows.values[:], self.rows.count = state["values"], state["count"]


class WindowReader:
    """The network on the windows of one array of rows.

    Parameters
    ----------
    single : SingleWorkspace
        The network; its input is the window.
    series : Series
        What a window is.
    rows : ndarray of float32, shape (rows, channels)
        The scaled rows, in place of the values of ``series``.
    head : DistributionHead, optional
        Where the output is no point forecast.
    """

    def __init__(
        self, single: SingleWorkspace, series: Series, rows: np.ndarray, head: DistributionHead | None = None
    ) -> None:
        self.single, self.origin = single, np.zeros(1, np.int64)
        self.out = np.zeros((series.horizon, series.targets), np.float32)
        self.center, self.spread = np.zeros(series.targets, np.float32), np.ones(series.targets, np.float32)
        series = series._replace(values=rows.reshape(-1))
        of_window, y = (self.center, self.spread), single.y.reshape(-1)
        self.gather = prepare(gather_one, series, self.origin, single.x.reshape(-1), *of_window)
        targets, out = series.targets, self.out.reshape(-1)
        if head is None:
            self.put_back = prepare(prediction_one, targets, *of_window, y, out)
        else:
            self.put_back = prepare(distribution_one, head, head.width, targets, *of_window, y, out)

    def read(self, origin: int) -> np.ndarray:
        """The output for the window that ends in this row, until the next call."""
        self.origin[0] = origin
        self.gather()
        for state in self.single.states.values():
            state.clear()
        self.single.forward()
        self.put_back()
        return self.out


class NetworkStepper(ScaledStepper):
    """A network whose output is the forecast of the window.

    Parameters
    ----------
    model, history : Model, History
        As in ``ScaledStepper``.
    single, series : SingleWorkspace, Series
        As in ``WindowReader``.
    """

    def __init__(self, model: NetworkModel, history: History, single: SingleWorkspace, series: Series) -> None:
        super().__init__(model, history)
        self.reader = WindowReader(single, series, self.rows.values, model.head)

    def forecast(self) -> np.ndarray:
        return self.reader.read(self.rows.count - 1)


class RecursiveStepper(ScaledStepper):
    """A network that forecasts one row, and is fed it.

    Parameters
    ----------
    model, history : Model, History
        As in ``ScaledStepper``.
    single, series : SingleWorkspace, Series
        As in ``WindowReader``; the series with the gap and the horizon of the forecasts.
    """

    def __init__(self, model: Model, history: History, single: SingleWorkspace, series: Series) -> None:
        super().__init__(model, history)
        self.span, self.gap, self.targets = history.shape.span, series.gap, series.targets
        self.ahead = np.zeros((self.span + history.shape.reach, series.channels), np.float32)
        self.reader = WindowReader(single, one_row_ahead(series), self.ahead)

    def forecast(self) -> np.ndarray:
        self.ahead[: self.span] = self.rows.last
        for row in range(self.span, len(self.ahead)):
            self.ahead[row, : self.targets] = self.reader.read(row - 1)[0]
        return self.ahead[self.span + self.gap :, : self.targets]
