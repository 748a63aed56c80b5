"""The contraction of one sequence, where the lanes of a vector are units and not windows."""

from numba.core import types
from numba.extending import intrinsic

from tsrnn.kernels.simd.host import LANES
from tsrnn.kernels.simd.vector import accumulate, const, ir_load, ir_pointer, ir_vector, multiply_add, splat


@intrinsic(prefer_literal=True)
def contract_units(typing, rows, first, last, weights, weight_at, inputs, input_at, count):
    low, used = first.literal_value, last.literal_value - first.literal_value
    lanes = ir_vector(rows[0].dtype, LANES)

    def codegen(context, builder, sig, args):
        weight = ir_pointer(context, builder, weights, args[3], args[4])
        source = ir_pointer(context, builder, inputs, args[5], args[6])
        vectors = [builder.extract_value(args[0], i) for i in range(len(rows))]

        def weight_rows(k):
            start = builder.gep(weight, [builder.mul(k, const(used * LANES))])
            return [ir_load(builder, builder.gep(start, [const(i * LANES)]), lanes) for i in range(used)]

        def body(k, values):
            x = splat(builder, builder.load(builder.gep(source, [k])), LANES)
            factors = weight_rows(builder.add(k, const(1)))
            return [multiply_add(builder, factor, x, value) for factor, value in zip(factors, values)]

        chosen = slice(low, low + used)
        starts = [builder.fadd(value, bias) for value, bias in zip(vectors[chosen], weight_rows(const(0)))]
        vectors[chosen] = accumulate(builder, args[7], starts, body)
        return context.make_tuple(builder, rows, vectors)

    return rows(rows, first, last, weights, types.int64, inputs, types.int64, types.int64), codegen
