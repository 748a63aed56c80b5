"""Loads and stores of lane vectors and of rows of them."""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tsrnn.kernels.simd.functions import ir_lane_sum
from tsrnn.kernels.simd.host import LANES, SQUARE
from tsrnn.kernels.simd.vector import (
    I32,
    LaneVector,
    const,
    fill,
    ir_call,
    ir_join,
    ir_load,
    ir_pointer,
    ir_rows,
    ir_scalar,
    ir_split,
    ir_store,
    ir_vector,
    shuffle,
    splat,
)

LINE_BYTES = 64  # of a cache


@intrinsic(prefer_literal=True)
def load(typing, array, offset, units):
    vector = LaneVector(array.dtype, units.literal_value * LANES)

    def codegen(context, builder, sig, args):
        pointer = ir_pointer(context, builder, array, args[0], args[1])
        return ir_load(builder, pointer, ir_vector(vector.dtype, vector.width))

    return vector(array, types.int64, units), codegen


@intrinsic(prefer_literal=True)
def load_lanes(typing, array, offset, units):
    vector = LaneVector(array.dtype, units.literal_value * LANES)

    def codegen(context, builder, sig, args):
        lanes = ir_load(builder, ir_pointer(context, builder, array, args[0], args[1]), ir_vector(vector.dtype, LANES))
        return ir_join(builder, [lanes] * vector.units)

    return vector(array, types.int64, units), codegen


@intrinsic
def store(typing, array, offset, vector):
    def codegen(context, builder, sig, args):
        ir_store(builder, args[2], ir_pointer(context, builder, array, args[0], args[1]))
        return context.get_dummy_value()

    return types.void(array, types.int64, vector), codegen


@intrinsic(prefer_literal=True)
def prefetch(typing, array, offset, count, units):
    width = count.literal_value * units.literal_value * LANES

    def codegen(context, builder, sig, args):
        pointer = ir_pointer(context, builder, array, args[0], args[1])
        for start in range(0, width, LINE_BYTES * 8 // array.dtype.bitwidth):
            line = builder.bitcast(builder.gep(pointer, [const(start)]), ir.IntType(8).as_pointer())
            flags = [ir.Constant(I32, value) for value in (1, 3, 1)]  # to be written, into all caches, data
            ir_call(builder, "llvm.prefetch.p0", ir.VoidType(), line, *flags)
        return context.get_dummy_value()

    return types.void(array, types.int64, count, units), codegen


@intrinsic(prefer_literal=True)
def load_rows(typing, array, offset, count, units):
    rows = ir_rows(count.literal_value, array.dtype, units.literal_value)

    def codegen(context, builder, sig, args):
        width = units.literal_value * LANES
        pointer = ir_pointer(context, builder, array, args[0], args[1])
        loaded = [
            ir_load(builder, builder.gep(pointer, [const(i * width)]), ir_vector(array.dtype, width))
            for i in range(len(rows))
        ]
        return context.make_tuple(builder, rows, loaded)

    return rows(array, types.int64, count, units), codegen


@intrinsic
def store_rows(typing, array, offset, rows):
    def codegen(context, builder, sig, args):
        pointer = ir_pointer(context, builder, array, args[0], args[1])
        for i in range(len(rows)):
            ir_store(builder, builder.extract_value(args[2], i), builder.gep(pointer, [const(i * rows[i].width)]))
        return context.get_dummy_value()

    return types.void(array, types.int64, rows), codegen


@intrinsic(prefer_literal=True)
def spread_rows(typing, array, offset, count, units):
    rows = ir_rows(count.literal_value, array.dtype, units.literal_value)

    def codegen(context, builder, sig, args):
        pointer = ir_pointer(context, builder, array, args[0], args[1])
        scalars = [builder.load(builder.gep(pointer, [const(i)])) for i in range(len(rows) * units.literal_value)]
        segments = [splat(builder, scalar, LANES) for scalar in scalars]
        step = units.literal_value
        return context.make_tuple(
            builder, rows, [ir_join(builder, segments[i : i + step]) for i in range(0, len(segments), step)]
        )

    return rows(array, types.int64, count, units), codegen


@intrinsic
def add_lane_sums(typing, array, offset, rows):
    def codegen(context, builder, sig, args):
        pointer = ir_pointer(context, builder, array, args[0], args[1])
        segments = [part for i in range(len(rows)) for part in ir_split(builder, builder.extract_value(args[2], i))]
        for i, segment in enumerate(segments):
            place = builder.gep(pointer, [const(i)])
            builder.store(builder.fadd(builder.load(place), ir_lane_sum(builder, segment)), place)
        return context.get_dummy_value()

    return types.void(array, types.int64, rows), codegen


@intrinsic(prefer_literal=True)
def split_rows(typing, rows, count):
    first, vector = count.literal_value, rows[0]
    parts = [ir_rows(size, vector.dtype, vector.units) for size in (first, len(rows) - first)]
    both = types.Tuple(parts)

    def codegen(context, builder, sig, args):
        values = [builder.extract_value(args[0], i) for i in range(len(rows))]
        split = [context.make_tuple(builder, part, some) for part, some in zip(parts, (values[:first], values[first:]))]
        return context.make_tuple(builder, both, split)

    return both(rows, count), codegen


@intrinsic(prefer_literal=True)
def zeros(typing, array, units):
    vector = LaneVector(array.dtype, units.literal_value * LANES)

    def codegen(context, builder, sig, args):
        return fill(ir_vector(vector.dtype, vector.width), 0.0)

    return vector(array, units), codegen


@intrinsic(prefer_literal=True)
def zero_rows(typing, array, count, units):
    rows = ir_rows(count.literal_value, array.dtype, units.literal_value)

    def codegen(context, builder, sig, args):
        zero = fill(ir_vector(array.dtype, units.literal_value * LANES), 0.0)
        return context.make_tuple(builder, rows, [zero] * len(rows))

    return rows(array, count, units), codegen


@intrinsic
def transpose(typing, source, starts, block):
    scalar = ir_scalar(source.dtype)

    def codegen(context, builder, sig, args):
        begin = ir_pointer(context, builder, starts, args[1], const(0))
        target = ir_pointer(context, builder, block, args[2], const(0))
        for first in range(0, LANES, SQUARE):
            rows = []
            for lane in range(first, first + SQUARE):
                place = builder.load(builder.gep(begin, [const(lane)]))
                pointer = ir_pointer(context, builder, source, args[0], place)
                rows.append(ir_load(builder, pointer, ir.VectorType(scalar, SQUARE)))
            for k, row in enumerate(_transposed(builder, rows)):
                ir_store(builder, row, builder.gep(target, [const(k * LANES + first)]))
        return context.get_dummy_value()

    return types.void(source, starts, block), codegen


def _transposed(builder, rows):
    """A square of registers: blocks of 1, 2, 4, ... numbers off the diagonal change places (Eklundh 1972)."""
    width, size = len(rows), 1
    while size < width:
        upper = [lane if not lane & size else width + lane - size for lane in range(width)]
        lower = [lane + size if not lane & size else width + lane for lane in range(width)]
        for i in range(width):
            if not i & size:
                pair = rows[i], rows[i + size]
                rows[i], rows[i + size] = shuffle(builder, *pair, upper), shuffle(builder, *pair, lower)
        size *= 2
    return rows
