"""The type of lane vectors for Numba, and the pieces of LLVM IR that the operations are made of.

Vectors are wider than a register on purpose: LLVM splits ``<32 x float>`` into two AVX-512, four AVX2 or eight NEON
registers, so nothing here names an instruction set.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import models, register_model

from tsrnn.kernels.simd.host import LANES

FAST = ("contract", "nsz")
I32, I64 = ir.IntType(32), ir.IntType(64)


class LaneVector(types.Type):
    """``width`` lanes of ``dtype``."""

    def __init__(self, dtype, width):
        self.dtype, self.width = dtype, width
        super().__init__(f"LaneVector({dtype}, {width})")

    @property
    def units(self):
        return self.width // LANES


def ir_scalar(dtype):
    return ir.FloatType() if dtype == types.float32 else ir.DoubleType()


def ir_vector(dtype, width):
    return ir.VectorType(ir_scalar(dtype), width)


@register_model(LaneVector)
class _LaneVectorModel(models.PrimitiveModel):
    def __init__(self, manager, lane_vector):
        super().__init__(manager, lane_vector, ir_vector(lane_vector.dtype, lane_vector.width))


def ir_rows(count, dtype, units):
    vector = LaneVector(dtype, units * LANES)
    return types.UniTuple(vector, count) if count else types.Tuple(())


def const(value):
    return ir.Constant(I64, value)


def fill(vector_type, value):
    return ir.Constant(vector_type, [value] * vector_type.count)


def ir_pointer(context, builder, array_type, array, offset):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [offset])


def ir_load(builder, pointer, vector_type):
    loaded = builder.load(builder.bitcast(pointer, vector_type.as_pointer()))
    loaded.align = 4 if vector_type.element == ir.FloatType() else 8
    return loaded


def ir_store(builder, vector, pointer):
    stored = builder.store(vector, builder.bitcast(pointer, vector.type.as_pointer()))
    stored.align = 4 if vector.type.element == ir.FloatType() else 8


def ir_call(builder, name, result, *arguments):
    """Call an LLVM intrinsic or a C function by name."""
    known = builder.module.globals
    function = known.get(name) or ir.Function(
        builder.module, ir.FunctionType(result, [a.type for a in arguments]), name
    )
    return builder.call(function, arguments)


def suffix(vector_type):
    return f"v{vector_type.count}f{32 if vector_type.element == ir.FloatType() else 64}"


def multiply_add(builder, x, y, z):
    return ir_call(builder, f"llvm.fmuladd.{suffix(x.type)}", x.type, x, y, z)


def shuffle(builder, left, right, indices):
    mask = ir.Constant(ir.VectorType(I32, len(indices)), indices)
    return builder.shuffle_vector(left, right, mask)


def splat(builder, scalar, width):
    undefined = ir.Constant(ir.VectorType(scalar.type, width), ir.Undefined)
    return shuffle(builder, builder.insert_element(undefined, scalar, ir.Constant(I32, 0)), undefined, [0] * width)


def ir_split(builder, vector):
    """A vector of n units as n vectors of one unit."""
    units = vector.type.count // LANES
    return (
        [vector]
        if units == 1
        else [shuffle(builder, vector, vector, list(range(u * LANES, (u + 1) * LANES))) for u in range(units)]
    )


def ir_join(builder, vectors):
    while len(vectors) > 1:
        width = 2 * vectors[0].type.count
        vectors = [shuffle(builder, a, b, list(range(width))) for a, b in zip(vectors[::2], vectors[1::2])]
    return vectors[0]


def accumulate(builder, count, starts, body):
    """for k < count: values = body(k, values). ``count`` is at least 1. Values live in registers."""
    before, loop = builder.block, builder.append_basic_block("loop")
    after = builder.append_basic_block("after")
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(I64)
    values = [builder.phi(start.type) for start in starts]
    results = body(k, values)
    following = builder.add(k, const(1))
    for phi, start, result in zip([k, *values], [const(0), *starts], [following, *results]):
        phi.add_incoming(start, before)
        phi.add_incoming(result, loop)
    builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
    builder.position_at_end(after)
    return results
