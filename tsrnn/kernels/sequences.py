"""Sequences of different lengths, read from one array of rows into a tile; steps that are not there are masked."""

from typing import NamedTuple

import numpy as np

from tsrnn._jit import kernel
from tsrnn.kernels.contractions import tile_step
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TILE, WINDOWS


class Sequences(NamedTuple):
    """Examples one after the other in one array of rows."""

    values: np.ndarray  # [row][feature], flat
    starts: np.ndarray  # [example], the row of its first step
    lengths: np.ndarray  # [example]
    features: int
    steps: int  # of a tile: the longest


@kernel
def gather_sequences(sequences, examples, turn, x, mask):
    """Examples ``examples[turn[TILE] * LANES :]`` -> x [step][1 + feature][lane]; mask [step][lane] may be empty

    Of ``examples`` the first ``turn[WINDOWS]`` count; lanes beyond the last repeat it.
    """
    x_step, features = tile_step(sequences.features), sequences.features
    first, last = turn[TILE] * LANES, turn[WINDOWS] - 1
    for lane in range(LANES):
        example = examples[min(first + lane, last)]
        begin, length = sequences.starts[example] * features, sequences.lengths[example]
        for step in range(length):
            for feature in range(features):
                x[step * x_step + (1 + feature) * LANES + lane] = sequences.values[begin + step * features + feature]
        for step in range(length, sequences.steps):
            for feature in range(features):
                x[step * x_step + (1 + feature) * LANES + lane] = 0
        if mask.size:
            for step in range(sequences.steps):
                mask[step * LANES + lane] = 1 if step < length else 0
