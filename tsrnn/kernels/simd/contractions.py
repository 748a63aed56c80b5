"""Sums of products, tiled in registers: where nearly all the arithmetic of a network happens."""

from numba.core import types
from numba.extending import intrinsic

from tsrnn.kernels.simd.functions import ir_lane_sum
from tsrnn.kernels.simd.host import LANES, REGISTER_BYTES
from tsrnn.kernels.simd.vector import (
    FAST,
    accumulate,
    const,
    fill,
    ir_join,
    ir_load,
    ir_pointer,
    ir_split,
    ir_store,
    ir_vector,
    multiply_add,
    shuffle,
    splat,
)


@intrinsic(prefer_literal=True)
def contract(typing, rows, first, last, weights, weight_at, inputs, input_at, count):
    low, high, units = first.literal_value, last.literal_value, rows[0].units
    used = (high - low) * units
    lanes = ir_vector(rows[0].dtype, LANES)

    def codegen(context, builder, sig, args):
        weight = ir_pointer(context, builder, weights, args[3], args[4])
        source = ir_pointer(context, builder, inputs, args[5], args[6])
        vectors = [builder.extract_value(args[0], i) for i in range(len(rows))]
        starts = [part for vector in vectors[low:high] for part in ir_split(builder, vector)]

        def body(k, values):
            x = ir_load(builder, builder.gep(source, [builder.mul(k, const(LANES))]), lanes)
            row = builder.gep(weight, [builder.mul(k, const(used))])
            factors = [splat(builder, builder.load(builder.gep(row, [const(i)])), LANES) for i in range(used)]
            return [multiply_add(builder, factor, x, value) for factor, value in zip(factors, values)]

        sums = accumulate(builder, args[7], starts, body)
        vectors[low:high] = [ir_join(builder, sums[i : i + units]) for i in range(0, used, units)]
        return context.make_tuple(builder, rows, vectors)

    return rows(rows, first, last, weights, types.int64, inputs, types.int64, types.int64), codegen


@intrinsic(prefer_literal=True)
def contract_groups(typing, vector, weights, weight_at, inputs, input_at, groups, group, first, last):
    size, low, high = group.literal_value, first.literal_value, last.literal_value
    lanes, units = ir_vector(vector.dtype, LANES), vector.units

    def codegen(context, builder, sig, args):
        weight = ir_pointer(context, builder, weights, args[1], args[2])
        source = ir_pointer(context, builder, inputs, args[3], args[4])

        def body(g, values):
            start = builder.gep(source, [builder.mul(g, const(size * LANES))])
            row = builder.gep(weight, [builder.mul(g, const((high - low) * units))])
            for q in range(low, high):
                x = ir_load(builder, builder.gep(start, [const(q * LANES)]), lanes)
                factors = [
                    splat(builder, builder.load(builder.gep(row, [const((q - low) * units + u)])), LANES)
                    for u in range(units)
                ]
                values = [multiply_add(builder, factor, x, value) for factor, value in zip(factors, values)]
            return values

        return ir_join(builder, accumulate(builder, args[5], ir_split(builder, args[0]), body))

    return vector(vector, weights, types.int64, inputs, types.int64, types.int64, group, first, last), codegen


def _lane_sums(builder, dtype, vectors):
    """The sum over the lanes of each of the vectors, side by side in one vector.

    All go through one tree of shuffles: four vectors become one that has four sums in every four lanes, then vectors
    are folded in pairs. That is 3 instructions for a vector; a sum of its own takes 8.
    """
    count, lanes = len(vectors), vectors[0].type.count
    if lanes < 4:  # float64 in the registers of SSE, which gradient checks use
        sums = fill(ir_vector(dtype, count), 0.0)
        for place, vector in enumerate(vectors):
            sums = builder.insert_element(sums, ir_lane_sum(builder, vector), const(place))
        return sums
    zero = fill(vectors[0].type, 0.0)

    def folded(left, right, low, high):
        """Sum of two selections of the lanes of left and right; ``right`` is counted from ``lanes`` on."""
        return builder.fadd(shuffle(builder, left, right, low), shuffle(builder, left, right, high), flags=FAST)

    def in_fours(picks):
        return [start + pick + (lanes - 4 if pick >= 4 else 0) for start in range(0, lanes, 4) for pick in picks]

    vectors = [*vectors, *[zero] * (-count % 4)]
    for low, high in (((0, 4, 1, 5), (2, 6, 3, 7)), ((0, 1, 4, 5), (2, 3, 6, 7))):
        pairs = zip(vectors[::2], vectors[1::2])
        vectors = [folded(left, right, in_fours(low), in_fours(high)) for left, right in pairs]
    segment = lanes  # lanes that hold the same four sums
    while segment > 4:
        if len(vectors) % 2:
            vectors.append(zero)
        starts = range(0, 2 * lanes, segment)
        low = [lane for start in starts for lane in range(start, start + segment // 2)]
        high = [lane + segment // 2 for lane in low]
        vectors = [folded(left, right, low, high) for left, right in zip(vectors[::2], vectors[1::2])]
        segment //= 2
    while len(vectors) & (len(vectors) - 1):
        vectors.append(zero)
    joined = ir_join(builder, vectors)
    return shuffle(builder, joined, joined, list(range(count)))


@intrinsic(prefer_literal=True)
def outer(typing, out, left, rows, right, columns, steps):
    height, width = rows.literal_value, columns.literal_value
    dtype = out[0].dtype
    per_register = REGISTER_BYTES // (dtype.bitwidth // 8)
    register = ir_vector(dtype, per_register)

    def codegen(context, builder, sig, args):
        def strided(index):
            array, at, step = (builder.extract_value(args[index], field) for field in range(3))
            return ir_pointer(context, builder, sig.args[index][0], array, at), step

        (target, target_step), (a, a_step), (b, b_step) = strided(0), strided(1), strided(3)

        def piece(start, index, lane):
            return ir_load(builder, builder.gep(start, [const(index * LANES + lane)]), register)

        def body(step, sums):
            sums = list(sums)
            a_row, b_row = builder.gep(a, [builder.mul(step, a_step)]), builder.gep(b, [builder.mul(step, b_step)])
            for lane in range(0, LANES, per_register):  # hold the shorter side in registers
                if height <= width:
                    held = [piece(a_row, i, lane) for i in range(height)]
                    for j in range(width):
                        streamed = piece(b_row, j, lane)
                        for i in range(height):
                            sums[i * width + j] = multiply_add(builder, held[i], streamed, sums[i * width + j])
                else:
                    held = [piece(b_row, j, lane) for j in range(width)]
                    for i in range(height):
                        streamed = piece(a_row, i, lane)
                        for j in range(width):
                            sums[i * width + j] = multiply_add(builder, streamed, held[j], sums[i * width + j])
            return sums

        sums = accumulate(builder, args[5], [fill(register, 0.0)] * (height * width), body)
        for i in range(height):
            place = builder.gep(target, [builder.mul(target_step, const(i))])
            added = _lane_sums(builder, dtype, sums[i * width : (i + 1) * width])
            ir_store(builder, builder.fadd(ir_load(builder, place, added.type), added), place)
        return context.get_dummy_value()

    return types.void(out, left, rows, right, columns, types.int64), codegen
