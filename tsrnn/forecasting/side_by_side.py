"""Forecasts of several series that grow side by side: what a stream of a panel asks a model for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from tsrnn.forecasting.distributions import distribution_of
from tsrnn.forecasting.growing import GrowingPanel
from tsrnn.forecasting.stepping import Stepper
from tsrnn.kernels.gather import Series
from tsrnn.kernels.simd import LANES
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team, resolve_n_jobs
from tsrnn.training.tiles import TileEngine

_WORTH_A_THREAD = 16 * LANES  # series: a step of fewer is over before another thread is awake

if TYPE_CHECKING:
    from tsrnn.forecasting.network_model import NetworkModel
    from tsrnn.forecasting.state import History


@final
class TileStepper(Stepper):
    """A network, on tiles that stay: the windows are read from the scaled rows that are kept.

    Parameters
    ----------
    model, history : NetworkModel, History
        The network, and the series.
    series : Series
        What a window is; its values are not read.
    task : callable
        Makes of such a series what forecasts with the network.
    """

    def __init__(
        self, model: NetworkModel, history: History, series: Series, task: Callable[[Series], WindowTask]
    ) -> None:
        self.model, self.history = model, history
        scaling, of_series = history.scaling.rows_for(history.panel)
        self.center, self.scale = scaling.center[of_series], scaling.scale[of_series]
        self.rows = GrowingPanel(replace(history.panel, values=history.scaled), history.shape.span)
        count, room = self.rows.values.shape[:2]
        self.starts = np.arange(count) * room
        rows = series._replace(values=self.rows.values.reshape(-1))  # a view, which sees rows that come
        team = Team(min(resolve_n_jobs(history.n_jobs), max(1, count // _WORTH_A_THREAD)))
        self.engine = TileEngine(model.network(), task(rows), team)

    def step(self, row: np.ndarray) -> np.ndarray:
        self.rows.append((row - self.center) / self.scale)
        out = self.engine.predict(self.model.theta, self.starts + self.rows.count - 1)
        targets = self.history.n_targets
        center, scale = self.center[:, :targets], self.scale[:, :targets]
        if self.model.head is None:
            return out * scale[:, None] + center[:, None]
        return distribution_of(self.model.head, out, center, scale).point()

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle holds: not the arrays of kernels, which would no longer be views of one another."""
        return {"model": self.model, "history": self.history, "values": self.rows.values, "count": self.rows.count}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(vars(state["model"].stepper(state["history"])))
        self.rows.values[:], self.rows.count = state["values"], state["count"]


@final
class EachStepper(Stepper):
    """A stepper for each series.

    Parameters
    ----------
    steppers : sequence of Stepper
        In the order of the series.
    """

    def __init__(self, steppers: Sequence[Stepper]) -> None:
        self.steppers = tuple(steppers)

    def step(self, row: np.ndarray) -> np.ndarray:
        return np.stack([stepper.step(own) for stepper, own in zip(self.steppers, row, strict=True)])
