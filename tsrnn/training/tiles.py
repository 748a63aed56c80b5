"""A network on many windows: tiles of LANES windows, on threads, with sums in a fixed order.

One tile goes gather, forward, loss and backward through all layers before the next starts, so its tape stays in the
caches of its core; a thread goes through its share of the tiles without Python in between. Each piece of work writes a
partial gradient of its own; the partials are added in order. What a piece is depends on the number of windows alone, so
the bits are the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsrnn._jit import Call, machine_code, prepare
from tsrnn.kernels.gather import Place, Series, gather
from tsrnn.kernels.program import NO_PIECES, Program
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import WINDOWS
from tsrnn.kernels.update import add_partials, start_piece
from tsrnn.nn.heads.point import point_loss, predictions, score
from tsrnn.nn.layer import aligned
from tsrnn.nn.network import Network
from tsrnn.training.threads import Team

MANY = 1 << 21  # numbers in all partial gradients from which on tiles share them
SHARED_PARTIALS = 16
AT_ONCE = 64  # tiles between two looks at whether Ctrl-C was pressed


def partial_count(tiles: int, size: int) -> int:
    """How many partial gradients of ``size`` numbers so many tiles write."""
    return tiles if tiles * size <= MANY else min(tiles, SHARED_PARTIALS)


def tile_count(windows: int) -> int:
    """Tiles that so many windows fill, the last one perhaps in part."""
    return -(-windows // LANES)


class Tile:
    """The arrays of one tile, which a thread uses for one after the other."""

    def __init__(self, network: Network, series: Series, training: bool) -> None:
        self.series, self.space = series, network.workspace(training=training)
        width = series.targets * LANES
        self.place = Place(np.zeros(LANES, np.int64), np.zeros(width, network.dtype), np.ones(width, network.dtype))

    def forward(self, origins: np.ndarray) -> list[Call]:
        """Windows of the series through the network."""
        return [prepare(gather, self.series, origins, self.space.turn, self.space.x, self.place), *self.space.forward]

    def training(self, loss: Any, origins: np.ndarray, weights: np.ndarray, losses: np.ndarray) -> Program:
        """There and back again; pieces are partial gradients."""
        space = self.space
        start = prepare(start_piece, space.turn, space.gradient)
        compare = prepare(point_loss, loss, self.series, self.place, space.turn, weights, space.y, space.d_y, losses)
        calls = [start, *space.draws, *self.forward(origins), compare, *space.backward]
        return Program(calls, space.turn, space.gradient)

    def scoring(
        self, loss: Any, origins: np.ndarray, units: np.ndarray, losses: np.ndarray, absolute: np.ndarray
    ) -> Program:
        """The losses of forecasts."""
        space = self.space
        compare = prepare(score, loss, self.series, self.place, space.turn, space.y, units, losses, absolute)
        return Program([*self.forward(origins), compare], space.turn)

    def predicting(self, origins: np.ndarray, out: np.ndarray) -> Program:
        """Forecasts in the units of the series' rows."""
        write = prepare(predictions, self.series, self.place, self.space.turn, self.space.y, out)
        return Program([*self.forward(origins), write], self.space.turn)


class TileEngine:
    """Losses, gradients and forecasts of a network on windows of a series.

    Parameters
    ----------
    network : Network
        Its input has ``series.lookback`` steps of ``series.channels``; its output is (horizon * targets).
    loss : Spec
        From ``nn.heads``.
    series : Series
        All rows, scaled.
    team : Team
        The threads.
    seed : int
        Of dropout.
    """

    def __init__(self, network: Network, loss: Any, series: Series, team: Team, seed: int = 0) -> None:
        self.network, self.loss, self.series, self.team, self.seed = network, loss, series, team, seed
        self.gradient = np.zeros(network.layout.size, network.dtype)
        self._sum = aligned(network.gradient_size, network.dtype)
        self._partials = self._pieces = np.zeros((0, self._sum.size), network.dtype)
        self._ends = [0]  # of the pieces, in tiles: a piece is one thread's, whole
        self._origins, self._losses = np.zeros(0, np.int64), np.zeros(0)
        self._weights: np.ndarray | None = None  # that the programs were written for
        self._programs: list[Program] = []
        self._tiles: dict[bool, list[Tile]] = {}
        self._spread = team.runner(self.gradient.size)
        self._add = machine_code(add_partials, self._sum, 1, 0, 0, self._sum)

    def loss_and_gradient(self, theta: np.ndarray, origins: np.ndarray, weights: np.ndarray, step: int) -> float:
        """The mean loss over the windows; its gradient goes to ``self.gradient``.

        ``weights`` [row] weighs the targets' rows and may be empty; ``step`` numbers the dropout masks.
        """
        self._prepare_training(origins.size, weights)
        self._origins[: origins.size] = origins
        self.network.pack(theta, self._spread)
        own, pieces, ends = self._tiles_of(training=True), self._pieces, self._ends

        def work(thread: int, share: range) -> None:
            own[thread].space.is_tile(0, step, self.seed)
            tiles = range(ends[share.start], ends[share.stop])
            self._run_program(self._programs[thread], own[thread], tiles, origins.size, pieces)

        self.team.spread(work, len(pieces))
        flat = pieces.reshape(-1)
        self.team.over(self._sum.size, lambda part: self._add(flat, len(pieces), part.start, part.stop, self._sum))
        self.network.unpack(self._sum, self.gradient, self._spread)
        return float(self._losses[: ends[-1]].sum() / (origins.size * self.series.horizon * self.series.targets))

    def evaluate(self, theta: np.ndarray, origins: np.ndarray, units: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean loss, and for each target the mean absolute error times ``units`` (windows, targets); no dropout."""
        tiles = tile_count(origins.size)
        losses, absolute = np.zeros(tiles), np.zeros((tiles, self.series.targets))
        flat = np.ascontiguousarray(units, self.network.dtype).reshape(-1)
        rows = _as_rows(origins)
        self._forecast(theta, rows, lambda tile: tile.scoring(self.loss, rows, flat, losses, absolute.reshape(-1)))
        count = origins.size * self.series.horizon
        return float(losses.sum() / (count * self.series.targets)), absolute.sum(axis=0) / count

    def predict(self, theta: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in the units of the series' rows."""
        out = np.empty((origins.size, self.series.horizon, self.series.targets), self.network.dtype)
        rows = _as_rows(origins)
        self._forecast(theta, rows, lambda tile: tile.predicting(rows, out.reshape(-1)))
        return out

    def _forecast(self, theta: np.ndarray, origins: np.ndarray, write: Callable[[Tile], Program]) -> None:
        """Run what ``write`` makes of each thread's tile over all windows."""
        own, tiles = self._tiles_of(training=False), tile_count(origins.size)
        programs = [write(tile) for tile in own[:tiles]]
        self.network.pack(theta, self._spread)

        def work(thread: int, share: range) -> None:
            self._run_program(programs[thread], own[thread], share, origins.size)

        self.team.spread(work, tiles)

    @staticmethod
    def _run_program(program: Program, tile: Tile, share: range, windows: int, pieces: np.ndarray = NO_PIECES) -> None:
        tile.space.turn[WINDOWS] = windows
        for first in range(share.start, share.stop, AT_ONCE):
            program.run(range(first, min(first + AT_ONCE, share.stop)), tile_count(windows), pieces)

    def _tiles_of(self, training: bool) -> list[Tile]:
        if training not in self._tiles:
            self._tiles[training] = [Tile(self.network, self.series, training) for _ in range(self.team.n_threads)]
        return self._tiles[training]

    def _prepare_training(self, windows: int, weights: np.ndarray) -> None:
        """Room for so many windows and partial gradients, and programs that know where it is."""
        tiles = tile_count(windows)
        if self._ends[-1] != tiles:
            pieces = partial_count(tiles, self._sum.size)
            if len(self._partials) < pieces:
                self._partials = aligned(pieces * self._sum.size, self.network.dtype).reshape(pieces, -1)
            self._pieces = self._partials[:pieces]
            self._ends = [-(-piece * tiles // pieces) for piece in range(pieces + 1)]
        if self._origins.size < windows or self._weights is not weights:
            self._origins, self._losses, self._weights = np.zeros(windows, np.int64), np.zeros(tiles), weights
            arrays = self._origins, np.ascontiguousarray(weights, self.network.dtype), self._losses
            self._programs = [tile.training(self.loss, *arrays) for tile in self._tiles_of(training=True)]


def _as_rows(origins: np.ndarray) -> np.ndarray:
    """Rows of a panel as kernels take them."""
    return np.ascontiguousarray(origins, np.int64)
