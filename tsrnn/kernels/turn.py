"""What kernels are told from tile to tile: numbers in one small array, so that the calls themselves never change."""

import numpy as np

TILE, PIECE, TILES, PIECES, WINDOWS, TERMS, STEP, SEED = range(8)  # places in the array, which holds int64


def new_turn() -> np.ndarray:
    """A turn for one tile, on which there is no window yet."""
    turn = np.zeros(8, np.int64)
    turn[TILES] = turn[PIECES] = 1
    return turn
