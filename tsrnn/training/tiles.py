"""A network on many windows: tiles of LANES windows, on threads, with sums in a fixed order.

One tile goes gather, forward, loss and backward through all layers before the next starts, so its tape stays in the
caches of its core. Each piece of work writes a partial gradient of its own; the partials are added in order. What a
piece is depends on the number of windows alone, so the bits are the same for any number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tsrnn._jit import machine_code
from tsrnn.kernels.gather import Place, Series, gather
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.update import add_partials
from tsrnn.nn.heads.point import point_loss, predictions, score
from tsrnn.nn.layer import Call, aligned
from tsrnn.nn.network import Network
from tsrnn.training.threads import Team

MANY = 1 << 21  # numbers in all partial gradients from which on tiles share them
SHARED_PARTIALS = 16


def partial_count(tiles: int, size: int) -> int:
    """How many partial gradients of ``size`` numbers so many tiles write."""
    return tiles if tiles * size <= MANY else min(tiles, SHARED_PARTIALS)


def as_rows(origins: np.ndarray) -> np.ndarray:
    """Rows of a panel as kernels take them."""
    return np.ascontiguousarray(origins, np.int64)


class Tile:
    """The arrays of one tile and where its windows lie."""

    def __init__(self, network: Network, loss: Any, series: Series, training: bool) -> None:
        self.series, self._spec = series, loss
        self.space = network.workspace(training=training)
        width = series.targets * LANES
        self.place = Place(np.zeros(LANES, np.int64), np.zeros(width, network.dtype), np.ones(width, network.dtype))
        self._gather = machine_code(gather, series, self.place.origin, 0, self.space.x, self.place)
        if training:
            nothing = np.zeros(0, network.dtype)
            arrays = self.space.y, self.space.d_y
            self._loss = machine_code(point_loss, loss, series, self.place, 0, 0, nothing, *arrays)

    def forward(self, origins: np.ndarray, first: int) -> None:
        """Windows ``origins[first:]`` of the series through the network."""
        self._gather(self.series, origins, first, self.space.x, self.place)
        self.space.forward()

    def loss(self, first: int, windows: int, weights: np.ndarray) -> float:
        """Sum of the losses after ``forward``; the gradient goes where ``backward`` starts from."""
        return self._loss(self._spec, self.series, self.place, first, windows, weights, self.space.y, self.space.d_y)


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
        self._partials = np.zeros(0, network.dtype)
        self._views: list[list[Any]] = []
        self._tiles: dict[bool, list[Tile]] = {}
        self._add = machine_code(add_partials, self._sum, 1, 0, 0, self._sum)

    def loss_and_gradient(self, theta: np.ndarray, origins: np.ndarray, weights: np.ndarray, step: int) -> float:
        """The mean loss over the windows; its gradient goes to ``self.gradient``.

        ``weights`` [row] weighs the targets' rows and may be empty; ``step`` numbers the dropout masks.
        """
        origins, weights = as_rows(origins), np.ascontiguousarray(weights, self.network.dtype)
        tiles = -(-origins.size // LANES)
        pieces = self._prepare_partials(tiles)
        losses = np.zeros(tiles)
        own = self._tiles_of(training=True)
        self.network.pack(theta, self._run)

        def work(thread: int, share: range) -> None:
            tile = own[thread]
            for piece in share:
                self._partials[piece * self._sum.size : (piece + 1) * self._sum.size] = 0
                for index in range(-(-piece * tiles // pieces), -(-(piece + 1) * tiles // pieces)):
                    tile.space.draw_dropout(self.seed, step, index * LANES)
                    tile.forward(origins, index * LANES)
                    losses[index] = tile.loss(index * LANES, origins.size, weights)
                    tile.space.backward(self._views[piece])

        self.team.spread(work, pieces)
        self.team.over(self._sum.size, lambda part: self._add(self._partials, pieces, part.start, part.stop, self._sum))
        self.network.unpack(self._sum, self.gradient, self._run)
        return float(losses.sum() / (origins.size * self.series.horizon * self.series.targets))

    def evaluate(self, theta: np.ndarray, origins: np.ndarray, units: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean loss, and for each target the mean absolute error times ``units`` (windows, targets); no dropout."""
        tiles = -(-origins.size // LANES)
        losses, absolute = np.zeros(tiles), np.zeros((tiles, self.series.targets))
        flat = np.ascontiguousarray(units, self.network.dtype).ravel()

        def each(tile: Tile, index: int) -> None:
            losses[index] = score(
                self.loss, self.series, tile.place, index * LANES, origins.size, tile.space.y, flat, absolute[index]
            )

        self._for_each_tile(theta, as_rows(origins), each)
        count = origins.size * self.series.horizon
        return float(losses.sum() / (count * self.series.targets)), absolute.sum(axis=0) / count

    def predict(self, theta: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in the units of the series' rows."""
        out = np.empty((origins.size, self.series.horizon, self.series.targets), self.network.dtype)
        flat = out.reshape(-1)
        tile = self._tiles_of(training=False)[0]
        write = machine_code(predictions, self.series, tile.place, 0, 0, tile.space.y, flat)

        def each(tile: Tile, index: int) -> None:
            write(self.series, tile.place, index * LANES, origins.size, tile.space.y, flat)

        self._for_each_tile(theta, as_rows(origins), each)
        return out

    def _for_each_tile(self, theta: np.ndarray, origins: np.ndarray, each: Any) -> None:
        own = self._tiles_of(training=False)
        self.network.pack(theta, self._run)

        def work(thread: int, share: range) -> None:
            for index in share:
                own[thread].forward(origins, index * LANES)
                each(own[thread], index)

        self.team.spread(work, -(-origins.size // LANES))

    def _run(self, calls: list[Call]) -> None:
        self.team.run(calls, self.gradient.size)

    def _tiles_of(self, training: bool) -> list[Tile]:
        if training not in self._tiles:
            self._tiles[training] = [
                Tile(self.network, self.loss, self.series, training) for _ in range(self.team.n_threads)
            ]
        return self._tiles[training]

    def _prepare_partials(self, tiles: int) -> int:
        """Room for the partial gradients; how many there are."""
        size = self._sum.size
        pieces = partial_count(tiles, size)
        if len(self._views) < pieces:
            self._partials = aligned(pieces * size, self.network.dtype)
            starts = range(0, pieces * size, size)
            self._views = [self.network.gradient_views(self._partials[at : at + size]) for at in starts]
        return pieces
