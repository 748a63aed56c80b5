"""Between parameter matrices and the register-tiled contractions: packing, gradients of weights, sizes of tiles."""

from typing import NamedTuple

import numpy as np

from tsrnn._jit import helper, kernel
from tsrnn.kernels.simd import LANES, Strided, outer

QUAD = 4  # units of one transposed contraction; feature rows of a tile are rounded up to a multiple
WIDE = 32  # blocks that one pass over the steps of ``add_outer`` covers
LINE = 16  # numbers in a cache line
WAYS = 8  # lines that a cache can hold for addresses a power of two apart, as the rows of a matrix often are


def padded(count: int) -> int:
    """``count`` rounded up to a multiple of QUAD."""
    return -(-count // QUAD) * QUAD


def step_size(count: int) -> int:
    """Elements of one step of a tile of ``count`` features: a row of ones, the features, padding."""
    return (1 + (count + QUAD - 1) // QUAD * QUAD) * LANES


tile_step = helper(step_size)  # the same for kernels


class Matrix(NamedTuple):
    """Columns ``first`` to ``last`` of a parameter matrix [column][gate, unit], and the places of its gates."""

    values: np.ndarray  # flat
    bias: np.ndarray  # [gate, unit], or empty
    stride: int  # numbers from one column to the next
    columns: int  # in all
    first: int  # a multiple of QUAD
    last: int
    order: np.ndarray  # for each gate of the packed matrix its place here
    hidden: int  # units of a gate
    units: int  # units of a block


PIECE = 1 << 16  # numbers of a matrix that are packed by one call


def pieces(values, bias, order, hidden, units):
    """A parameter matrix (columns, gates * hidden) cut into ``Matrix`` pieces that can be packed side by side."""
    columns, stride = values.shape
    step = max(QUAD, PIECE // stride // QUAD * QUAD)
    cuts = [(first, min(columns, first + step)) for first in range(0, columns, step)]
    return [Matrix(values.reshape(-1), bias, stride, columns, *cut, order, hidden, units) for cut in cuts]


@kernel
def pack(matrix, forward_pack, backward_pack):
    """A parameter matrix in the two orders that contractions read.

    forward_pack [block][bias + column][gate, unit], backward_pack [column / QUAD][block][gate, unit][QUAD]; the gates
    in ``order``, ``units`` units to a block. Indices are unsigned: no check for negative ones, which takes as long.
    """
    units, gates = matrix.units, matrix.order.size
    blocks, rows = (matrix.hidden + units - 1) // units, gates * units
    bias = 1 if matrix.bias.size else 0
    if bias and matrix.first == 0:
        for gate in range(gates):
            for unit in range(matrix.hidden):
                row = unit // units * (1 + matrix.columns) * rows + gate * units + unit % units
                forward_pack[row] = matrix.bias[matrix.order[gate] * matrix.hidden + unit]
    for begin in range(matrix.first, matrix.last, LINE):  # few columns at a time: whole cache lines on both sides
        for unit in range(matrix.hidden):
            block, within = unit // units, unit % units
            at, back = (block * (bias + matrix.columns) + bias) * rows + within, (block * rows + within) * QUAD
            for gate in range(gates):
                source = matrix.order[gate] * matrix.hidden + unit
                for column in range(begin, min(begin + LINE, matrix.last)):
                    value = matrix.values[np.uint64(source + column * matrix.stride)]
                    quad = column // QUAD * blocks * rows * QUAD + column % QUAD
                    forward_pack[np.uint64(at + column * rows + gate * units)] = value
                    backward_pack[np.uint64(back + quad + gate * units * QUAD)] = value


@kernel
def unpack(d_pack, d_matrix):
    """What ``add_outer`` made, [block][gate, unit][bias + column] -> the gradient, laid out as the parameters."""
    units, gates = d_matrix.units, d_matrix.order.size
    bias = 1 if d_matrix.bias.size else 0
    for first in range(d_matrix.first, d_matrix.last, WAYS):
        last = min(first + WAYS, d_matrix.last)
        for gate in range(gates):
            for unit in range(d_matrix.hidden):
                place = d_matrix.order[gate] * d_matrix.hidden + unit
                at = ((unit // units * gates + gate) * units + unit % units) * (bias + d_matrix.columns)
                if bias and first == 0:
                    d_matrix.bias[place] = d_pack[at]
                for column in range(first, last):
                    value = d_pack[np.uint64(at + bias + column)]
                    d_matrix.values[np.uint64(column * d_matrix.stride + place)] = value


@helper
def add_outer(out, blocks, rows, columns, wide, half, left, group, right, steps):
    """out [block][row][column] += sum over steps and lanes of left [block][row] * right [column]"""
    for first in range(0, blocks, WIDE):
        column = 0
        while column < columns:
            rest = columns - column
            taken = wide if rest >= wide else half if rest >= half else 1
            some = Strided(right.array, right.at + column * LANES, right.step)
            for block in range(first, min(blocks, first + WIDE)):
                place = Strided(out, block * rows * columns + column, columns)
                gates = Strided(left.array, left.at + block * group * LANES, left.step)
                if taken == wide:
                    outer(place, gates, rows, some, wide, steps)
                elif taken == half:
                    outer(place, gates, rows, some, half, steps)
                else:
                    outer(place, gates, rows, some, 1, steps)
            column += taken


@kernel
def pack_own(own, hidden, units, packed):
    """Parameters of single units, own [parameter][unit] -> packed [block][parameter][unit within the block]"""
    rows = own.size // hidden
    for row in range(rows):
        for unit in range(hidden):
            packed[(unit // units * rows + row) * units + unit % units] = own[row * hidden + unit]


@kernel
def unpack_own(packed, hidden, units, own):
    """The inverse of ``pack_own``."""
    rows = own.size // hidden
    for row in range(rows):
        for unit in range(hidden):
            own[row * hidden + unit] = packed[(unit // units * rows + row) * units + unit % units]
