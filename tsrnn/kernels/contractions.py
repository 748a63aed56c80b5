"""Between parameter matrices and the register-tiled contractions: packing, gradients of weights, sizes of tiles."""

from tsrnn._jit import helper, kernel
from tsrnn.kernels.simd import LANES, Strided, outer

QUAD = 4  # units of one transposed contraction; feature rows of a tile are rounded up to a multiple
WIDE = 32  # blocks that one pass over the steps of ``add_outer`` covers


def padded(count: int) -> int:
    """``count`` rounded up to a multiple of QUAD."""
    return -(-count // QUAD) * QUAD


def step_size(count: int) -> int:
    """Elements of one step of a tile of ``count`` features: a row of ones, the features, padding."""
    return (1 + (count + QUAD - 1) // QUAD * QUAD) * LANES


tile_step = helper(step_size)  # the same for kernels


@kernel
def pack(matrix, stride, columns, bias, order, hidden, units, forward_pack, backward_pack):
    """A parameter matrix [column][gate, unit] in the two orders that contractions read.

    forward_pack [block][bias + column][gate, unit], backward_pack [column / QUAD][block][gate, unit][QUAD]; gates in
    ``order``, ``units`` units to a block; ``bias`` [gate, unit] may be empty.
    """
    blocks, rows = (hidden + units - 1) // units, order.size * units
    first = 1 if bias.size else 0
    for gate in range(order.size):
        for unit in range(hidden):
            block, place = unit // units, order[gate] * hidden + unit
            row = gate * units + unit % units
            at = block * (first + columns) * rows + row
            if first:
                forward_pack[at] = bias[place]
            for column in range(columns):
                value = matrix[column * stride + place]
                forward_pack[at + (first + column) * rows] = value
                quad = column // QUAD
                backward_pack[((quad * blocks + block) * rows + row) * QUAD + column - quad * QUAD] = value


@kernel
def unpack(d_pack, stride, columns, order, hidden, units, d_matrix, d_bias):
    """What ``add_outer`` made, [block][gate, unit][bias + column] -> d_matrix [column][gate, unit], d_bias"""
    rows = order.size * units
    first = 1 if d_bias.size else 0
    for gate in range(order.size):
        for unit in range(hidden):
            place = order[gate] * hidden + unit
            at = (unit // units * rows + gate * units + unit % units) * (first + columns)
            if first:
                d_bias[place] = d_pack[at]
            for column in range(columns):
                d_matrix[column * stride + place] = d_pack[at + first + column]


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
