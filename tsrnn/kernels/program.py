"""Calls of kernels that machine code makes by itself, one after the other and for tile after tile.

Between two calls from Python a thread needs the interpreter's lock. Threads that work on tiles side by side would take
it from each other every few hundred microseconds, and each collision costs a sleep. A program is written down once and
runs without Python. What is done for step after step is written down for one step, with what changes to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config
from numba.core import types
from numba.extending import intrinsic

from tsrnn._entry import ENTRY, WORD
from tsrnn._jit import Call, kernel, machine_code
from tsrnn.kernels.turn import PIECE, PIECES, TILE, TILES

NO_PIECES = np.zeros((1, 0), np.float32)
_NO_WORDS = np.zeros(0, np.uint64)


@intrinsic
def _enter(typing_context: Any, entry: Any, words: Any) -> Any:
    """Call the entry at an address with the words at an address; its status."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        address, of_words = arguments
        function = builder.inttoptr(address, ENTRY.as_pointer())
        return builder.call(function, [builder.inttoptr(of_words, WORD.as_pointer())])

    return types.int32(types.uint64, types.uint64), generate


@kernel
def run_tiles(blocks, calls, words, grown, moved, turn, first, last):
    """All blocks for the tiles from ``first`` to ``last``; 0, or the status of the call that failed.

    blocks [block] = (its first call, the one after its last, steps, its first grown word, the one after its last)
    calls [call] = (its entry, address of its words)
    grown [word] = (place among the words, value at the first step, what is added from step to step)
    moved [array] = (place among the words, address in the first piece, bytes from piece to piece)
    """
    for tile in range(first, last):
        turn[TILE], turn[PIECE] = tile, tile * turn[PIECES] // turn[TILES]
        for i in range(moved.shape[0]):
            words[moved[i, 0]] = moved[i, 1] + np.uint64(turn[PIECE]) * moved[i, 2]
        for block in range(blocks.shape[0]):
            for step in range(blocks[block, 2]):
                for i in range(blocks[block, 3], blocks[block, 4]):
                    words[grown[i, 0]] = grown[i, 1] + np.uint64(step) * grown[i, 2]
                for i in range(blocks[block, 0], blocks[block, 1]):
                    status = _enter(calls[i, 0], calls[i, 1])
                    if status != 0:
                        return status
    return np.int32(0)


class Loop:
    """Calls that are made for step after step.

    Parameters
    ----------
    body : callable
        From a step to its calls. Each step has the same kernels, on the same arrays; numbers, and where views of the
        arrays begin and how long they are, change by as much from each step to the next.
    steps : range
        From one number to another.
    """

    def __init__(self, body: Callable[[int], Sequence[Call]], steps: range) -> None:
        self.body, self.steps = body, steps

    def __call__(self) -> None:
        """Make them from Python."""
        for step in self.steps:
            for call in self.body(step):
                call()

    def first(self) -> Sequence[Call]:
        """The calls of the first step."""
        return self.body(self.steps[0]) if self.steps else ()

    def growth(self, calls: Sequence[Call]) -> list[np.ndarray]:
        """What is added to the words of the first step's ``calls`` from step to step."""
        if len(self.steps) < 2:
            return [np.zeros_like(call.native.words) for call in calls]
        second, last, times = self.body(self.steps[1]), self.body(self.steps[-1]), np.uint64(len(self.steps) - 1)
        found = []
        for each in zip(calls, second, last, strict=True):
            entries, (one, two, end), _ = zip(*(call.native for call in each), strict=True)
            if len(set(entries)) > 1 or (one + times * (two - one) != end).any():
                raise ValueError(
                    "The calls of a loop must have the same kernels at every step, and arguments that change by as "
                    f"much each time; got others for {each[0].kernel}. Write those calls one by one."
                )
            found.append(two - one)
        return found


Work = Call | Loop


class Program:
    """Calls to be made for tile after tile.

    Parameters
    ----------
    work : sequence of Call or Loop
        In order. The numbers in their arguments stay what they are; what changes from tile to tile stands in arrays.
    turn : ndarray
        Tells kernels which tile it is (see ``kernels.turn``).
    home : ndarray, optional
        Arguments that are parts of this vector are parts of one of the ``pieces`` of ``run`` instead.
    """

    def __init__(self, work: Sequence[Work], turn: np.ndarray, home: np.ndarray | None = None) -> None:
        self._work = tuple(work)
        self._turn, self._home = turn, NO_PIECES[0] if home is None else home
        self._pieces: np.ndarray | None = None  # that the addresses were found for
        self._held: list[Call] = []  # keep alive the arrays whose addresses are written down
        if not config.DISABLE_JIT:
            self._write()

    def _write(self) -> None:
        blocks, grows = [], []
        for work in self._work:
            first, steps = len(self._held), 1
            if isinstance(work, Loop):
                body, steps = work.first(), len(work.steps)
                grows += work.growth(body)
            else:
                body = [work]
                grows.append(np.zeros_like(work.native.words))
            self._held += body
            blocks.append((first, len(self._held), steps))
        calls, words, starts = self._write_calls()
        growth = np.concatenate([_NO_WORDS, *grows])
        places = np.flatnonzero(growth)
        grown = np.stack([places.astype(np.uint64), words[places], growth[places]], axis=1)
        table = np.zeros((len(blocks), 5), np.int64)
        table[:, :3] = np.array(blocks, np.int64).reshape(-1, 3)
        table[:, 3:] = np.searchsorted(places, starts[table[:, :2]])
        self._moved = self._write_moves(words, starts)
        if np.isin(places, self._moved[:, 0]).any():
            raise ValueError(
                "Views of `home` must be the same at each step of a loop; got some that move on. Write those calls one "
                "by one."
            )
        self._arrays = table, calls, words, grown, self._moved, self._turn
        self._run = machine_code(run_tiles, *self._arrays, 0, 0)

    def _write_calls(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Entries and addresses of words; the words of all calls; where those of each begin, and the end."""
        natives = [call.native for call in self._held]
        words = np.concatenate([_NO_WORDS, *(native.words for native in natives)])
        starts = np.cumsum([0, *(native.words.size for native in natives)])
        calls = np.zeros((len(natives), 2), np.uint64)
        calls[:, 0] = [native.entry for native in natives]
        calls[:, 1] = words.ctypes.data + words.itemsize * starts[:-1]
        return calls, words, starts

    def _write_moves(self, words: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """The places of addresses in ``home``; what they become is for ``run`` to say."""
        of_calls = (start + call.native.addresses for start, call in zip(starts, self._held, strict=False))
        places = np.concatenate([np.zeros(0, np.intp), *of_calls])
        offsets = words[places] - np.uint64(self._home.ctypes.data)  # enormous before it
        inside = offsets < self._home.nbytes
        self._offsets = offsets[inside]
        moved = np.zeros((self._offsets.size, 3), np.uint64)
        moved[:, 0] = places[inside]
        return moved

    @property
    def nbytes(self) -> int:
        """Bytes of what is written down: here, and once for each call."""
        if config.DISABLE_JIT:
            return 0
        natives = (call.native for call in self._held)
        own = sum(native.words.nbytes + native.addresses.nbytes for native in natives)
        return own + sum(array.nbytes for array in self._arrays) + self._offsets.nbytes

    def run(self, share: range, tiles: int = 1, pieces: np.ndarray = NO_PIECES) -> None:
        """Make the calls for a share of the tiles; tile t adds to ``pieces[t * len(pieces) // tiles]``."""
        self._turn[TILES], self._turn[PIECES] = tiles, len(pieces)
        if config.DISABLE_JIT:
            self._interpret(share, pieces)
            return
        if self._pieces is not pieces:
            self._moved[:, 1] = self._offsets + np.uint64(pieces.ctypes.data)
            self._moved[:, 2] = pieces.strides[0]
            self._pieces = pieces
        status = self._run(*self._arrays, share.start, share.stop)
        if status:
            raise RuntimeError(f"A kernel failed with status {status}; most likely there was no memory left.")

    def _interpret(self, share: range, pieces: np.ndarray) -> None:
        """The same where nothing is compiled: pieces are carried home and back."""
        for tile in share:
            piece = tile * len(pieces) // int(self._turn[TILES])
            self._turn[TILE], self._turn[PIECE] = tile, piece
            self._home[:] = pieces[piece]
            for work in self._work:
                work()
            pieces[piece] = self._home
