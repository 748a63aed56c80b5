"""Long short-term memory with peepholes: gates that see the cell (Gers, Schraudolph and Schmidhuber 2002).

i, f = sigmoid(W x + U h + p c + b)     g = tanh(W x + U h + b)
c' = f c + i g
o = sigmoid(W x + U h + p c' + b)       h' = o tanh(c')

Each p is a weight for each unit: a gate sees the cell of its own unit only.
"""

from dataclasses import dataclass

from tsrnn.kernels.simd import zeros_like
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent


class PeepholeLSTMCell(Cell):
    """The equations, on lane vectors."""

    __slots__ = ()
    GATES = "i f g o"
    SAVED = "i f g o tanh_c"
    GATED, ACTIVATED = "i f o", "g tanh_c"
    CARRIED = "c"
    OWN = "p_i p_f p_o"

    def forward(self, gates, state):
        gate, activation = self.recurrent_activation, self.activation
        p_i, p_f, p_o = gates[4], gates[5], gates[6]
        i, f = gate.value(gates[0] + p_i * state[1]), gate.value(gates[1] + p_f * state[1])
        g = activation.value(gates[2])
        c = f * state[1] + i * g
        o = gate.value(gates[3] + p_o * c)
        tanh_c = activation.value(c)
        return (o * tanh_c, c), (i, f, g, o, tanh_c)

    def backward(self, saved, state, d_state):
        gate, activation = self.recurrent_activation, self.activation
        i, f, g, o, tanh_c, p_i, p_f, p_o = saved
        (_, c), (d_h, d_c) = state, d_state
        d_o = d_h * tanh_c * gate.slope(o)
        d_c = d_c + d_h * o * activation.slope(tanh_c) + d_o * p_o
        d_i = d_c * g * gate.slope(i)
        d_f = d_c * c * gate.slope(f)
        d_g = d_c * i * activation.slope(g)
        d_own = d_i * c, d_f * c, d_o * (f * c + i * g)
        return (d_i, d_f, d_g, d_o, *d_own), (zeros_like(d_h), d_c * f + d_i * p_i + d_f * p_f)


@dataclass(frozen=True, kw_only=True)
class PeepholeLSTM(Recurrent):
    """Long short-term memory whose gates see the cell (Gers 2002), which helps to time things exactly.

    Weights: those of `LSTM`, then ``own (3, hidden)`` with the peepholes of the gates i, f, o. They start at zero, as
    an LSTM; the bias of the forget gate starts at one.

    {parameters}
    recurrent_activation : as ``activation``, default="sigmoid"
        Of the gates.

    Examples
    --------
    >>> from tsrnn.nn import PeepholeLSTM, Sequential
    >>> net = Sequential([PeepholeLSTM(32)]).build(input_shape=(10, 32))
    >>> [weight.shape for weight in net.get_weights()]
    [(32, 128), (32, 128), (128,), (3, 32)]
    """

    recurrent_activation: str = "sigmoid"

    cell = PeepholeLSTMCell
    unit_bias = ("f",)
