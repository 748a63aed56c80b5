"""Functions of a lane vector."""

from llvmlite import ir
from numba.extending import intrinsic

from tsrnn.kernels.simd import arithmetic  # noqa: F401  (registers the operators)
from tsrnn.kernels.simd.vector import I32, fill, ir_call, multiply_add, suffix

# tanh(x) = x over(x^2) / under(x^2): a minimax approximation, which leaves about 1e-8, moved by last digits to where
# the rounding of float32, of which nearly all of the error is, does the least. From the limit on it is exactly 1,
# with fused multiply-adds and without.
_TANH_LIMIT = 7.940873622894287
_TANH_OVER = (1.8866607831569127e-08, 2.7092693926533684e-05, 4.4159251265227795e-03, 1.6615955531597137e-01,
              1.2357425689697266)  # fmt: skip
_TANH_UNDER = (1.0551359537203098e-06, 4.21923294197768e-04, 3.234157711267471e-02, 5.780736804008484e-01,
               1.2357425689697266)  # fmt: skip

# sigmoid(x) = 1 / (1 + 2**power). The power is a whole number and a rest: the sum of power and rounder has the whole
# number, with the bias of exponents, in its last bits, which become an exponent; 2**rest, |rest| <= 1/2, is a minimax
# polynomial, relative error 8.7e-8. At the powers' ends 1 + 2**power is 1, and infinite: sigmoid is exactly 1 and 0.
_LOG2_E = 1.4426950408889634
_POWERS = (-126.0, 128.0)
_ROUNDER = 1.5 * 2**23 + 127
_POWER_OF_2 = (1.325460243e-03, 9.671999181e-03, 5.550779325e-02, 2.402223191e-01, 6.931469302e-01, 1.0)


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


def _exact_tanh(builder, x):
    """Number by number, in float64: for gradient checks."""
    result = ir.Constant(x.type, ir.Undefined)
    for lane in range(x.type.count):
        at = ir.Constant(I32, lane)
        value = ir_call(builder, "tanh", ir.DoubleType(), builder.extract_element(x, at))
        result = builder.insert_element(result, value, at)
    return result


def ir_tanh(builder, x):
    if x.type.element == ir.DoubleType():
        return _exact_tanh(builder, x)
    x = _clip(builder, x, -_TANH_LIMIT, _TANH_LIMIT)
    square = builder.fmul(x, x)
    over = builder.fmul(x, _polynomial(builder, square, _TANH_OVER))
    return builder.fdiv(over, _polynomial(builder, square, _TANH_UNDER))


def ir_sigmoid(builder, x):
    if x.type.element == ir.DoubleType():
        half = fill(x.type, 0.5)
        return multiply_add(builder, _exact_tanh(builder, builder.fmul(x, half)), half, half)
    power = _clip(builder, builder.fmul(x, fill(x.type, -_LOG2_E)), *_POWERS)
    sum_ = builder.fadd(power, fill(x.type, _ROUNDER))
    rest = builder.fsub(power, builder.fsub(sum_, fill(x.type, _ROUNDER)))
    bits = ir.VectorType(I32, x.type.count)
    exponent = builder.shl(builder.bitcast(sum_, bits), ir.Constant(bits, [23] * bits.count))
    whole, one = builder.bitcast(exponent, x.type), fill(x.type, 1.0)
    return builder.fdiv(one, multiply_add(builder, _polynomial(builder, rest, _POWER_OF_2), whole, one))


@intrinsic
def tanh(typing, x):
    def codegen(context, builder, sig, args):
        return ir_tanh(builder, args[0])

    return x(x), codegen


@intrinsic
def sigmoid(typing, x):
    def codegen(context, builder, sig, args):
        return ir_sigmoid(builder, args[0])

    return x(x), codegen


@intrinsic
def absolute(typing, x):
    def codegen(context, builder, sig, args):
        vector = args[0].type
        return ir_call(builder, f"llvm.fabs.{suffix(vector)}", vector, args[0])

    return x(x), codegen


@intrinsic
def square_root(typing, x):
    def codegen(context, builder, sig, args):
        vector = args[0].type
        return ir_call(builder, f"llvm.sqrt.{suffix(vector)}", vector, args[0])

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
