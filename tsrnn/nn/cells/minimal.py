"""Minimal gated unit (Zhou, Wu, Zhang and Zhou 2016): a GRU whose one gate both resets and updates.

f = sigmoid(W x + U h + b)
n = tanh(W x + U (f h) + b)     h' = h + f (n - h)
"""

from dataclasses import dataclass

from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent


class MinimalGRUCell(Cell):
    """The equations, on lane vectors; the product over f h is a second one."""

    __slots__ = ()
    GATES = "f n"
    SECOND = "n"
    SAVED = "f n reset"
    GATED, ACTIVATED = "f", "n"

    def reset(self, gates, fed_h):
        return self.recurrent_activation.value(gates[0]) * fed_h

    def forward(self, gates, state):
        f, n = self.recurrent_activation.value(gates[0]), self.activation.value(gates[1])
        h = state[0]
        return (h + f * (n - h),), (f, n, f)

    def backward(self, saved, state, d_state):
        f, n, _ = saved
        h, d_h = state[0], d_state[0]
        d_f = d_h * (n - h)  # as it updates; ``d_reset`` adds what it does as it resets
        return (d_f, d_h * f * self.activation.slope(n)), (d_h * (1 - f),)

    def d_reset(self, saved, fed_h, d_row):
        d_f, d_n, f = saved
        return ((d_f + d_row * fed_h) * self.recurrent_activation.slope(f), d_n), d_row * f


@dataclass(frozen=True, kw_only=True)
class MinimalGRU(Recurrent):
    """Minimal gated unit (Zhou 2016): nearly as good as a `GRU`, with two thirds of its weights.

    Weights: ``kernel (features, 2 hidden)``, ``recurrent_kernel (hidden, 2 hidden)``, ``bias (2 hidden,)``, with the
    gate f and the candidate n side by side.

    {parameters}
    recurrent_activation : as ``activation``, default="sigmoid"
        Of the gate.

    Examples
    --------
    >>> from tsrnn.nn import MinimalGRU, Sequential
    >>> Sequential([MinimalGRU(32)]).build(input_shape=(10, 32)).count_params()
    4160
    """

    recurrent_activation: str = "sigmoid"

    cell = MinimalGRUCell
