"""Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers 2000).

i, f, o = sigmoid(W x + U h + b)    g = tanh(W x + U h + b)
c' = f c + i g                      h' = o tanh(c')
"""

from dataclasses import dataclass

from tsrnn.kernels.simd import zeros_like
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent


class LSTMCell(Cell):
    """The equations, on lane vectors."""

    __slots__ = ()
    GATES = "i f g o"
    SAVED = "i f g o tanh_c"
    GATED, ACTIVATED = "i f o", "g tanh_c"
    CARRIED = "c"

    def forward(self, gates, state):
        gate, activation = self.recurrent_activation, self.activation
        i, f, o = gate.value(gates[0]), gate.value(gates[1]), gate.value(gates[3])
        g = activation.value(gates[2])
        c = f * state[1] + i * g
        tanh_c = activation.value(c)
        return (o * tanh_c, c), (i, f, g, o, tanh_c)

    def backward(self, saved, state, d_state):
        gate, activation = self.recurrent_activation, self.activation
        i, f, g, o, tanh_c = saved
        d_h, d_c = d_state
        d_c = d_c + d_h * o * activation.slope(tanh_c)
        d_i = d_c * g * gate.slope(i)
        d_f = d_c * state[1] * gate.slope(f)
        d_g = d_c * i * activation.slope(g)
        d_o = d_h * tanh_c * gate.slope(o)
        return (d_i, d_f, d_g, d_o), (zeros_like(d_h), d_c * f)


@dataclass(frozen=True, kw_only=True)
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997); the bias of the forget gate starts at one.

    Weights, as in Keras: ``kernel (features, 4 hidden)``, ``recurrent_kernel (hidden, 4 hidden)``,
    ``bias (4 hidden,)``, with the gates i, f, c, o side by side.

    {parameters}
    recurrent_activation : as ``activation``, default="sigmoid"
        Of the gates.

    Examples
    --------
    >>> from tsrnn.nn import LSTM, Sequential
    >>> Sequential([LSTM(32)]).build(input_shape=(10, 32)).count_params()
    8320
    """

    recurrent_activation: str = "sigmoid"

    cell = LSTMCell
    unit_bias = ("f",)
