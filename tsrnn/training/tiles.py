"""A network on many examples: tiles of LANES of them, on threads, with sums in a fixed order.

One tile goes gather, forward, loss and backward through all layers before the next starts, so its tape stays in the
caches of its core; a thread goes through its share of the tiles without Python in between. Each piece of work writes a
partial gradient of its own; the partials are added in order. What a piece is depends on the number of examples alone,
so the bits are the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tsrnn._jit import Call, machine_code, prepare
from tsrnn.kernels.program import NO_PIECES, Program, Work
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, WINDOWS
from tsrnn.kernels.update import add_partials, start_piece
from tsrnn.nn.layer import aligned
from tsrnn.nn.layers.activity import activity_penalty
from tsrnn.nn.network import Network, in_order
from tsrnn.training.tasks import Task
from tsrnn.training.threads import Team

MANY = 1 << 21  # numbers in all partial gradients from which on tiles share them
SHARED_PARTIALS = 16
AT_ONCE = 64  # tiles between two looks at whether Ctrl-C was pressed


def partial_count(tiles: int, size: int) -> int:
    """How many partial gradients of ``size`` numbers so many tiles write."""
    return tiles if tiles * size <= MANY else min(tiles, SHARED_PARTIALS)


def tile_count(examples: int) -> int:
    """Tiles that so many examples fill, the last one perhaps in part."""
    return -(-examples // LANES)


class Tile:
    """The arrays of one tile, which a thread uses for one after the other, and the programs on them."""

    def __init__(self, network: Network, task: Task, training: bool, keeps_flow: bool = False) -> None:
        self.space = network.workspace(training=training, masked=task.masked, keeps_flow=keeps_flow)
        self.task = task.tile(self.space, network.dtype)

    def forward(self, examples: np.ndarray) -> list[Work]:
        """From examples to outputs."""
        return self.task.forward(examples)

    def training(self, examples: np.ndarray, weights: np.ndarray, losses: np.ndarray) -> Program:
        """There and back again; pieces are partial gradients."""
        space = self.space
        start = prepare(start_piece, space.turn, space.gradient)
        loss = [self.task.loss(examples, weights, losses), *self._penalties(losses)]
        return Program(
            [start, *space.draws, *self.forward(examples), *loss, *space.backward], space.turn, space.gradient
        )

    def scoring(self, examples: np.ndarray, units: np.ndarray, losses: np.ndarray, errors: np.ndarray) -> Program:
        """The losses and errors of outputs."""
        compare = self.task.score(examples, units, losses, errors)
        return Program([*self.forward(examples), compare, *self._penalties(losses)], self.space.turn)

    def _penalties(self, losses: np.ndarray) -> list[Call]:
        return [prepare(activity_penalty, part, self.space.turn, losses) for part in self.space.penalised]

    def predicting(self, examples: np.ndarray, out: np.ndarray) -> Program:
        """Outputs."""
        return Program([*self.forward(examples), self.task.write(out)], self.space.turn)

    def sampling(self, examples: np.ndarray, out: np.ndarray) -> Program:
        """Outputs with the dropout masks that are there."""
        return Program([*self.task.sampled(examples), self.task.write(out)], self.space.turn)

    def draw(self, path: int, seed: int) -> None:
        """The dropout masks of a path, the same for all examples."""
        self.space.is_tile(0, path, seed)
        in_order(self.space.drops)
        self.space.hold_masks()


class TileEngine:
    """Losses, gradients and outputs of a network on the examples of a task.

    Parameters
    ----------
    network : Network
        Its input and output are those of the task.
    task : Task
        What examples are, and what the output is measured by.
    team : Team
        The threads.
    seed : int
        Of dropout.
    """

    def __init__(self, network: Network, task: Task, team: Team, seed: int = 0) -> None:
        self.network, self.task, self.team, self.seed = network, task, team, seed
        self.gradient = np.zeros(network.layout.size, network.dtype)
        self._sum = aligned(network.gradient_size, network.dtype)
        self._partials = self._pieces = np.zeros((0, self._sum.size), network.dtype)
        self._ends = [0]  # of the pieces, in tiles: a piece is one thread's, whole
        self._examples, self._losses = np.zeros(0, np.int64), np.zeros(0)
        self._weights: np.ndarray | None = None  # that the programs were written for
        self._programs: list[Program] = []
        self._tiles: dict[bool, list[Tile]] = {}
        self._spread = team.runner(self.gradient.size)
        self._add = machine_code(add_partials, self._sum, 1, 0, 0, self._sum)

    def loss_and_gradient(self, theta: np.ndarray, examples: np.ndarray, weights: np.ndarray, step: int) -> float:
        """The mean loss over the examples; its gradient goes to ``self.gradient``.

        ``weights`` are as the task has them, or empty; ``step`` numbers the dropout masks.
        """
        self._prepare_training(examples.size, weights)
        self._examples[: examples.size] = examples
        terms = self.task.terms(examples)
        self.network.pack(theta, self._spread)
        own, pieces, ends = self._tiles_of(training=True), self._pieces, self._ends

        def work(thread: int, share: range) -> None:
            space = own[thread].space
            space.is_tile(0, step, self.seed)
            tiles = range(ends[share.start], ends[share.stop])
            space.turn[WINDOWS], space.turn[TERMS] = examples.size, terms
            self._run_program(self._programs[thread], tiles, ends[-1], pieces)

        self.team.spread(work, len(pieces))
        flat = pieces.reshape(-1)
        self.team.over(self._sum.size, lambda part: self._add(flat, len(pieces), part.start, part.stop, self._sum))
        self.network.unpack(self._sum, self.gradient, self._spread)
        return float(self._losses[: ends[-1]].sum() / terms)

    def evaluate(self, theta: np.ndarray, examples: np.ndarray, units: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean loss, and the task's mean errors (n_errors,) in ``units`` of the examples; no dropout."""
        tiles, rows = tile_count(examples.size), _as_integers(examples)
        losses, errors = np.zeros(tiles), np.zeros((tiles, self.task.n_errors))
        flat = np.ascontiguousarray(units, self.network.dtype).reshape(-1)
        terms = self.task.terms(rows)
        self._pass_through(theta, rows, lambda tile: tile.scoring(rows, flat, losses, errors.reshape(-1)), terms)
        return float(losses.sum() / terms), errors.sum(axis=0) * self.task.n_errors / terms

    def predict(self, theta: np.ndarray, examples: np.ndarray) -> np.ndarray:
        """The task's outputs for the examples."""
        out, rows = np.empty(self.task.output_shape(examples.size), self.network.dtype), _as_integers(examples)
        self._pass_through(theta, rows, lambda tile: tile.predicting(rows, out.reshape(-1)))
        return out

    def samples(self, theta: np.ndarray, examples: np.ndarray, paths: range, seed: int) -> Iterator[np.ndarray]:
        """The task's outputs with dropout, path by path; each is overwritten by the next.

        A path is one network drawn from those that dropout trains (Gal and Ghahramani 2016): its masks are a function
        of seed and path alone, the same for all examples, and all of their steps, in any company.
        """
        out, rows = np.empty(self.task.output_shape(examples.size), self.network.dtype), _as_integers(examples)
        tiles = tile_count(examples.size)
        own = [Tile(self.network, self.task, training=True) for _ in range(min(self.team.n_threads, tiles))]
        programs = [tile.sampling(rows, out.reshape(-1)) for tile in own]

        def work(path: int, thread: int, share: range) -> None:
            own[thread].draw(path, seed)
            own[thread].space.turn[WINDOWS] = examples.size
            self._run_program(programs[thread], share, tiles)

        self.network.pack(theta, self._spread)
        for path in paths:
            self.team.spread(partial(work, path), tiles)
            yield out

    def _pass_through(
        self, theta: np.ndarray, examples: np.ndarray, write: Callable[[Tile], Program], terms: int = 0
    ) -> None:
        """Run what ``write`` makes of each thread's tile over all examples; ``terms`` losses are added up, if any."""
        own, tiles = self._tiles_of(training=False), tile_count(examples.size)
        programs = [write(tile) for tile in own[:tiles]]
        self.network.pack(theta, self._spread)

        def work(thread: int, share: range) -> None:
            turn = own[thread].space.turn
            turn[WINDOWS], turn[TERMS] = examples.size, terms
            self._run_program(programs[thread], share, tiles)

        self.team.spread(work, tiles)

    @staticmethod
    def _run_program(program: Program, share: range, tiles: int, pieces: np.ndarray = NO_PIECES) -> None:
        for first in range(share.start, share.stop, AT_ONCE):
            program.run(range(first, min(first + AT_ONCE, share.stop)), tiles, pieces)

    def _tiles_of(self, training: bool) -> list[Tile]:
        if training not in self._tiles:
            self._tiles[training] = [Tile(self.network, self.task, training) for _ in range(self.team.n_threads)]
        return self._tiles[training]

    def _prepare_training(self, count: int, weights: np.ndarray) -> None:
        """Room for so many examples and partial gradients, and programs that know where it is."""
        tiles = tile_count(count)
        if self._ends[-1] != tiles:
            pieces = partial_count(tiles, self._sum.size)
            if len(self._partials) < pieces:
                self._partials = aligned(pieces * self._sum.size, self.network.dtype).reshape(pieces, -1)
            self._pieces = self._partials[:pieces]
            self._ends = [-(-piece * tiles // pieces) for piece in range(pieces + 1)]
        if self._examples.size < count or self._weights is not weights:
            self._examples, self._losses, self._weights = np.zeros(count, np.int64), np.zeros(tiles), weights
            arrays = self._examples, np.ascontiguousarray(weights, self.network.dtype), self._losses
            self._programs = [tile.training(*arrays) for tile in self._tiles_of(training=True)]


def _as_integers(examples: np.ndarray) -> np.ndarray:
    """Examples as kernels take them."""
    return np.ascontiguousarray(examples, np.int64)
