"""``+ - * /`` between lane vectors and with scalars."""

import operator

from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin

from tsrnn.kernels.simd.vector import FAST, LaneVector, splat


def _as_vector(context, builder, value, from_type, vector):
    if isinstance(from_type, LaneVector):
        return value
    return splat(builder, context.cast(builder, value, from_type, vector.dtype), vector.width)


def _register_operator(python_operator, instruction):
    @infer_global(python_operator)
    class _Typing(AbstractTemplate):
        def generic(self, arguments, keywords):
            vectors = [a for a in arguments if isinstance(a, LaneVector)]
            if vectors and all(a == vectors[0] or isinstance(a, types.Number) for a in arguments):
                return signature(vectors[0], *(types.unliteral(a) for a in arguments))

    def lower(context, builder, sig, arguments):
        operands = [_as_vector(context, builder, a, t, sig.return_type) for a, t in zip(arguments, sig.args)]
        return getattr(builder, instruction)(*operands, flags=FAST)

    for pair in ((LaneVector, LaneVector), (LaneVector, types.Number), (types.Number, LaneVector)):
        lower_builtin(python_operator, *pair)(lower)


for _operator, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _register_operator(_operator, _instruction)
