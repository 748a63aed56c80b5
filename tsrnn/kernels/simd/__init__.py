"""Lane vectors: values that hold one number for each of the LANES windows of a tile.

A vector of ``units`` units is ``units * LANES`` numbers wide. It adds, subtracts, multiplies and divides with other
vectors and with scalars, so gate equations are plain Python expressions. Arrays are flat; offsets count elements.
``rows`` are tuples of vectors. Counts that shape the machine code (``count``, ``units``, ``first``, ``last``,
``group``, ``columns``) are compile-time constants.

Functions of a vector
    tanh(x), sigmoid(x), absolute(x), square_root(x), clip(x, low, high), at_least(x, low)
    positive(x)  (1 where x > 0, else 0)
    lane_sum(x) -> scalar, zeros_like(x)
Memory
    load(array, offset, units) -> vector            store(array, offset, vector)
    load_rows(array, offset, count, units) -> rows  store_rows(array, offset, rows)
    load_lanes(array, offset, units) -> vector      one unit, repeated ``units`` times
    prefetch(array, offset, count, units)           asks ``count`` vectors into the cache; the place may lie outside
    zeros(array, units), zero_rows(array, count, units)
    select_rows(mask, rows, others)                 where mask > 0: rows, else others
    transpose(source, starts, block)                block[k][lane] = source[starts[lane] + k], for k < SQUARE
    split_rows(rows, count) -> rows[:count], rows[count:]
    spread_rows(array, offset, count, units) -> rows  [row][unit] scalars, each repeated in all lanes of its unit
    add_lane_sums(array, offset, rows)                the transpose: [row][unit] += sum over lanes
Contractions
    contract(rows, first, last, weights, weight_at, inputs, input_at, count)
        rows[first:last] += sum over k < count of weights[k][row][unit] * inputs[k][lane]
    contract_groups(vector, weights, weight_at, inputs, input_at, groups, group, first, last)
        vector[unit] += sum over g < groups, first <= q < last of weights[g][q][unit] * inputs[g][q][lane]
    contract_units(rows, first, last, weights, weight_at, inputs, input_at, count)
        rows[first:last] += weights[0][row][lane], then sum over k < count of weights[1 + k][row][lane] * inputs[k]: for
        one sequence, whose lanes are units
    outer(out, left, rows, right, columns, steps)
        out.array[out.at + row * out.step + column] += sum over steps and lanes of left[step][row] * right[step][column]

Every operation exists twice: as LLVM vector code, and in NumPy (``numpy_twin``), which runs under
``NUMBA_DISABLE_JIT=1`` and is the oracle of the other.
"""

from typing import NamedTuple

import numpy as np
from numba import config

from tsrnn.kernels.simd.host import LANES, OUTER_ROOM, SQUARE, UNIT_ROWS


class Strided(NamedTuple):
    """Rows of ``array`` from ``at`` on, those of the next step ``step`` elements further."""

    array: np.ndarray
    at: int
    step: int


if config.DISABLE_JIT:
    from tsrnn.kernels.simd.numpy_twin import *  # noqa: F403
else:
    from tsrnn.kernels.simd.contractions import contract, contract_groups, outer
    from tsrnn.kernels.simd.functions import (
        absolute,
        at_least,
        clip,
        lane_sum,
        positive,
        select_rows,
        sigmoid,
        square_root,
        tanh,
        zeros_like,
    )
    from tsrnn.kernels.simd.memory import (
        add_lane_sums,
        load,
        load_lanes,
        load_rows,
        prefetch,
        split_rows,
        spread_rows,
        store,
        store_rows,
        transpose,
        zero_rows,
        zeros,
    )
    from tsrnn.kernels.simd.units import contract_units

__all__ = [
    "LANES",
    "OUTER_ROOM",
    "SQUARE",
    "UNIT_ROWS",
    "Strided",
    "absolute",
    "add_lane_sums",
    "at_least",
    "clip",
    "contract",
    "contract_groups",
    "contract_units",
    "lane_sum",
    "load",
    "load_lanes",
    "load_rows",
    "outer",
    "positive",
    "prefetch",
    "select_rows",
    "sigmoid",
    "split_rows",
    "spread_rows",
    "square_root",
    "store",
    "store_rows",
    "tanh",
    "transpose",
    "zero_rows",
    "zeros",
    "zeros_like",
]
