"""Forecasts of many rows by a network that gives one: it reads its own forecasts as if they had come."""

from __future__ import annotations

from typing import cast

import numpy as np

from tsrnn._jit import Call, prepare
from tsrnn.kernels.feedback import collect_rows, copy_histories, feed_back
from tsrnn.kernels.gather import Series, gather
from tsrnn.kernels.program import Loop, Work
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import WINDOWS, new_turn
from tsrnn.nn.layer import Shape, tile
from tsrnn.nn.workspace import Workspace
from tsrnn.training.tasks import TaskTile, WindowTask, WindowTile, new_place


def one_row_ahead(series: Series) -> Series:
    """Windows whose forecast is the row after their last point: what such a network is trained on."""
    return series._replace(gap=0, horizon=1)


class RecursiveTask(WindowTask):
    """Forecasts over ``gap`` and ``horizon`` of ``series``, row after row; to be scored and read, not to train on.

    All channels of the series are targets, since nothing else can be fed back.
    """

    def tile(self, space: Workspace, dtype: np.dtype) -> TaskTile:
        return RecursiveTile(self, space, dtype)


class RecursiveTile(WindowTile):
    """Windows of a tile, each with rows of its own that begin with its history and go on with what was forecast.

    Every forecast is that of an ordinary window of those rows, so instance normalisation takes its level from them.
    """

    def __init__(self, task: RecursiveTask, space: Workspace, dtype: np.dtype) -> None:
        super().__init__(task.series, task.measure, space, dtype)
        series = self.series
        self.ahead = series.gap + series.horizon
        rows = (series.lookback - 1) * series.sampling_rate + 1 + self.ahead
        self.own = one_row_ahead(series)._replace(values=np.zeros(LANES * rows * series.channels, dtype))
        self.own_place, self.origins = new_place(series.targets, dtype), np.zeros(LANES, np.int64)
        self.all_lanes = new_turn()
        self.all_lanes[WINDOWS] = LANES
        self.y = tile(Shape(1, series.horizon * series.targets), dtype)  # nothing is left in it to be put back

    def gather(self, examples: np.ndarray) -> Call:
        """The histories."""
        return prepare(copy_histories, self.series, examples, self.space.turn, self.place, self.own, self.origins)

    def forward(self, examples: np.ndarray) -> list[Work]:
        window = prepare(gather, self.own, self.origins, self.all_lanes, self.space.x, self.own_place)
        feed = prepare(feed_back, self.own, self.own_place, self.space.y, self.origins)
        collect = prepare(collect_rows, self.series, self.own, self.origins, self.y)
        row = [window, *cast(tuple[Call, ...], self.space.forward), feed]  # a network that gives one row has no loop
        return [self.gather(examples), Loop(lambda _: row, range(self.ahead)), collect]

    def loss(self, examples: np.ndarray, weights: np.ndarray, losses: np.ndarray) -> Call:
        raise TypeError("Forecasts that are fed back have no gradient here; train with WindowTask(one_row_ahead(...)).")
