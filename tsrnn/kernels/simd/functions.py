"""Functions of a lane vector."""

from llvmlite import ir
from numba.extending import intrinsic

from tsrnn.kernels.simd import arithmetic  # noqa: F401  (registers the operators)
from tsrnn.kernels.simd.vector import I32, fill, ir_call, multiply_add, suffix

# Rational approximation 13/6 of tanh (coefficients of Eigen), absolute error 2.7e-7.
_TANH_LIMIT = 7.90531110763549805
_TANH_OVER = (-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08,
              1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03)  # fmt: skip
_TANH_UNDER = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)


def _polynomial(builder, x, coefficients):
    value = fill(x.type, coefficients[0])
    for coefficient in coefficients[1:]:
        value = multiply_add(builder, value, x, fill(x.type, coefficient))
    return value


def _clip(builder, x, low, high):
    """A NaN fails both comparisons and stays."""
    above = builder.fcmp_ordered(">", x, fill(x.type, high))
    return _at_least(builder, builder.select(above, fill(x.type, high), x), low)


def _at_least(builder, x, low):
    below = builder.fcmp_ordered("<", x, fill(x.type, low))
    return builder.select(below, fill(x.type, low), x)


def ir_tanh(builder, x):
    if x.type.element == ir.DoubleType():  # exact, slow: for gradient checks
        result = ir.Constant(x.type, ir.Undefined)
        for lane in range(x.type.count):
            at = ir.Constant(I32, lane)
            result = builder.insert_element(
                result, ir_call(builder, "tanh", ir.DoubleType(), builder.extract_element(x, at)), at
            )
        return result
    x = _clip(builder, x, -_TANH_LIMIT, _TANH_LIMIT)
    square = builder.fmul(x, x)
    over = builder.fmul(x, _polynomial(builder, square, _TANH_OVER))
    return builder.fdiv(over, _polynomial(builder, square, _TANH_UNDER))


@intrinsic
def tanh(typing, x):
    def codegen(context, builder, sig, args):
        return ir_tanh(builder, args[0])

    return x(x), codegen


@intrinsic
def sigmoid(typing, x):
    def codegen(context, builder, sig, args):
        half = fill(args[0].type, 0.5)
        return multiply_add(builder, ir_tanh(builder, builder.fmul(args[0], half)), half, half)

    return x(x), codegen


@intrinsic
def absolute(typing, x):
    def codegen(context, builder, sig, args):
        vector = args[0].type
        return ir_call(builder, f"llvm.fabs.{suffix(vector)}", vector, args[0])

    return x(x), codegen


@intrinsic(prefer_literal=True)
def clip(typing, x, low, high):
    def codegen(context, builder, sig, args):
        return _clip(builder, args[0], low.literal_value, high.literal_value)

    return x(x, low, high), codegen


@intrinsic(prefer_literal=True)
def at_least(typing, x, low):
    def codegen(context, builder, sig, args):
        return _at_least(builder, args[0], low.literal_value)

    return x(x, low), codegen


@intrinsic
def positive(typing, x):
    def codegen(context, builder, sig, args):
        zero, one = fill(args[0].type, 0.0), fill(args[0].type, 1.0)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), one, zero)

    return x(x), codegen


@intrinsic
def zeros_like(typing, vector):
    def codegen(context, builder, sig, args):
        return fill(args[0].type, 0.0)

    return vector(vector), codegen


def ir_lane_sum(builder, vector):
    scalar = vector.type.element
    function = builder.module.globals.get(name := f"llvm.vector.reduce.fadd.{suffix(vector.type)}")
    function = function or ir.Function(builder.module, ir.FunctionType(scalar, [scalar, vector.type]), name)
    return builder.call(function, [ir.Constant(scalar, -0.0), vector], fastmath=("reassoc",))


@intrinsic
def lane_sum(typing, x):
    def codegen(context, builder, sig, args):
        return ir_lane_sum(builder, args[0])

    return x.dtype(x), codegen


@intrinsic
def select_rows(typing, mask, rows, others):
    def codegen(context, builder, sig, args):
        keep = builder.fcmp_ordered(">", args[0], fill(args[0].type, 0.0))
        picked = [
            builder.select(keep, builder.extract_value(args[1], i), builder.extract_value(args[2], i))
            for i in range(len(rows))
        ]
        return context.make_tuple(builder, sig.return_type, picked)

    return rows(mask, rows, others), codegen
