"""What a network is trained on: how examples come into a tile, and what its output for them is measured by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from tsrnn._jit import Call, prepare
from tsrnn.kernels.gather import Place, Series, gather
from tsrnn.kernels.program import Work
from tsrnn.kernels.simd import LANES
from tsrnn.nn.workspace import Workspace
from tsrnn.training.measures import NO_UNITS, Measure, PointMeasure, measure_of


class TaskTile(ABC):
    """A task's kernels, bound to the arrays of one tile; abstract.

    Examples are integers, in an array of which the tile's part is read (see ``kernels.turn``). Numbers are written for
    each tile, to be added in order.
    """

    space: Workspace

    def forward(self, examples: np.ndarray) -> list[Work]:
        """From examples to outputs: the inputs through the network, where a task has nothing else to do."""
        return [self.gather(examples), *self.space.forward]

    def sampled(self, examples: np.ndarray) -> list[Work]:
        """The same with dropout, for forecasts: nothing is read that lies ahead."""
        return self.forward(examples)

    @abstractmethod
    def gather(self, examples: np.ndarray) -> Call:
        """The inputs."""

    @abstractmethod
    def loss(self, examples: np.ndarray, weights: np.ndarray, losses: np.ndarray) -> Call:
        """The output's losses (tiles,), and their gradient."""

    @abstractmethod
    def score(self, examples: np.ndarray, units: np.ndarray, losses: np.ndarray, errors: np.ndarray) -> Call:
        """The output's losses (tiles,), and its ``errors`` (tiles * n_errors,); what ``units`` are, the task says."""

    @abstractmethod
    def write(self, out: np.ndarray) -> Call:
        """The output for all examples, flat."""


class Task(ABC):
    """What examples are, and what a network gives for them; abstract."""

    masked = False  # whether steps of an example may be missing
    n_errors: int  # what ``TaskTile.score`` measures, beside the loss

    @abstractmethod
    def tile(self, space: Workspace, dtype: np.dtype) -> TaskTile:
        """The kernels on one tile."""

    @abstractmethod
    def terms(self, examples: np.ndarray) -> int:
        """How many losses are added up for these examples: what their mean divides by."""

    def even_weights(self, examples: np.ndarray) -> np.ndarray:
        """Weights by which each of these examples has the same part in the loss; empty where it has so without."""
        return np.zeros(0)

    @abstractmethod
    def output_shape(self, count: int) -> tuple[int, ...]:
        """Of the output for so many examples."""


class WindowTask(Task):
    """Forecasts of windows of a series, which are named by the row of their last point.

    Weights are of rows of the series and may be empty; they count in training only. Units (windows, targets) make data
    units of scaled errors.

    Parameters
    ----------
    series : Series
        All rows, scaled.
    head : Spec
        From ``nn.heads``.
    units : ndarray of shape (rows, targets)
        What the scaled numbers are worth, where the head has to know it.
    """

    def __init__(self, series: Series, head: Any, units: np.ndarray = NO_UNITS) -> None:
        self.series, self.n_errors = series, series.targets
        self.measure = measure_of(head, series, units)

    def tile(self, space: Workspace, dtype: np.dtype) -> TaskTile:
        return WindowTile(self.series, self.measure, space, dtype)

    def terms(self, examples: np.ndarray) -> int:
        return examples.size * self.series.horizon * self.series.targets

    def output_shape(self, count: int) -> tuple[int, ...]:
        one = () if isinstance(self.measure, PointMeasure) else (self.measure.width,)
        return count, self.series.horizon, self.series.targets, *one


def new_place(targets: int, dtype: np.dtype) -> Place:
    """Where windows lie that nothing was taken off."""
    width = targets * LANES
    return Place(np.zeros(LANES, np.int64), np.zeros(width, dtype), np.ones(width, dtype))


class WindowTile(TaskTile):
    """Windows of a series on one tile."""

    def __init__(self, series: Series, measure: Measure, space: Workspace, dtype: np.dtype) -> None:
        self.series, self.measure, self.space, self.y = series, measure, space, space.y
        self.place = new_place(series.targets, dtype)

    def gather(self, examples: np.ndarray) -> Call:
        return prepare(gather, self.series, examples, self.space.turn, self.space.x, self.place)

    def loss(self, examples: np.ndarray, weights: np.ndarray, losses: np.ndarray) -> Call:
        return self.measure.loss(self.place, self.space, weights, self.y, losses)

    def score(self, examples: np.ndarray, units: np.ndarray, losses: np.ndarray, errors: np.ndarray) -> Call:
        return self.measure.score(self.place, self.space, self.y, units, losses, errors)

    def write(self, out: np.ndarray) -> Call:
        return self.measure.write(self.place, self.space, self.y, out)
