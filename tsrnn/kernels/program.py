"""Calls of kernels that machine code makes by itself, one after the other and for tile after tile.

Between two calls from Python a thread needs the interpreter's lock. Threads that work on tiles side by side would take
it from each other every few hundred microseconds, and each collision costs a sleep. A program is written down once and
runs without Python.
"""

from __future__ import annotations

from collections.abc import Sequence
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


@intrinsic
def _enter(typing_context: Any, entry: Any, words: Any) -> Any:
    """Call the entry at an address with the words at an address; its status."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        address, of_words = arguments
        function = builder.inttoptr(address, ENTRY.as_pointer())
        return builder.call(function, [builder.inttoptr(of_words, WORD.as_pointer())])

    return types.int32(types.uint64, types.uint64), generate


@kernel
def run_tiles(calls, words, moved, turn, first, last):
    """All calls for the tiles from ``first`` to ``last``; 0, or the status of the call that failed.

    calls [call] = (its entry, address of its words)
    moved [array] = (place among the words, address in the first piece, bytes from piece to piece)
    """
    for tile in range(first, last):
        turn[TILE], turn[PIECE] = tile, tile * turn[PIECES] // turn[TILES]
        for i in range(moved.shape[0]):
            words[moved[i, 0]] = moved[i, 1] + np.uint64(turn[PIECE]) * moved[i, 2]
        for i in range(calls.shape[0]):
            status = _enter(calls[i, 0], calls[i, 1])
            if status != 0:
                return status
    return np.int32(0)


class Program:
    """Calls to be made for tile after tile.

    Parameters
    ----------
    calls : sequence of Call
        In order. The numbers in their arguments stay what they are; what changes stands in arrays.
    turn : ndarray
        Tells kernels which tile it is (see ``kernels.turn``).
    home : ndarray, optional
        Arguments that are parts of this vector are parts of one of the ``pieces`` of ``run`` instead.
    """

    def __init__(self, calls: Sequence[Call], turn: np.ndarray, home: np.ndarray | None = None) -> None:
        self._arguments = tuple(calls)  # kept alive: the words hold addresses of arrays
        self._turn, self._home = turn, NO_PIECES[0] if home is None else home
        self._pieces: np.ndarray | None = None  # that the addresses were found for
        if not config.DISABLE_JIT:
            self._write()

    def _write(self) -> None:
        starts, entries, words, addresses = [], [], [], []
        first = self._home.ctypes.data
        for call in self._arguments:
            entry, own = call.native
            starts.append(len(words))
            entries.append(entry)
            for number, is_address in own:
                if is_address and first <= number < first + self._home.nbytes:
                    addresses.append((len(words), number - first))
                words.append(number)
        self._words = np.array(words, np.uint64)
        begin = self._words.ctypes.data
        self._calls = np.zeros((len(entries), 2), np.uint64)
        self._calls[:, 0], self._calls[:, 1] = entries, [begin + 8 * at for at in starts]
        places, self._offsets = np.array(addresses, np.uint64).reshape(-1, 2).T
        self._moved = np.zeros((places.size, 3), np.uint64)
        self._moved[:, 0] = places
        self._run = machine_code(run_tiles, self._calls, self._words, self._moved, self._turn, 0, 0)

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
        status = self._run(self._calls, self._words, self._moved, self._turn, share.start, share.stop)
        if status:
            raise RuntimeError(f"A kernel failed with status {status}; most likely there was no memory left.")

    def _interpret(self, share: range, pieces: np.ndarray) -> None:
        """The same where nothing is compiled: pieces are carried home and back."""
        for tile in share:
            piece = tile * len(pieces) // int(self._turn[TILES])
            self._turn[TILE], self._turn[PIECE] = tile, piece
            self._home[:] = pieces[piece]
            for call in self._arguments:
                call()
            pieces[piece] = self._home
