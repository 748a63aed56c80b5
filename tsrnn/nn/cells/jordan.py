"""Jordan's recurrent network (Jordan 1986), where the output is fed back, not the hidden layer.

s = tanh(W x + U y + b)     y' = sigmoid(V s + c)

The state is the output y. Jordan's own network feeds back a decaying sum of outputs; here it is the last one.
"""

from dataclasses import dataclass

from tsrnn.kernels.simd import zeros_like
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent


class JordanCell(Cell):
    """The equations, on lane vectors; V s is the second product, and c, which that has not, a parameter of its own."""

    __slots__ = ()
    GATES = "s y"
    INPUT = "s"
    SECOND = "y"
    OWN = "c"
    GATED, ACTIVATED = "y", "s"

    def reset(self, gates, fed_y):
        return self.activation.value(gates[0])

    def forward(self, gates, state):
        s, y, c = gates
        y = self.recurrent_activation.value(y + c)
        return (y,), (self.activation.value(s), y)

    def backward(self, saved, state, d_state):
        s, y, _ = saved
        d_y = d_state[0] * self.recurrent_activation.slope(y)
        return (s, d_y, d_y), (zeros_like(d_y),)  # s waits for ``d_reset``

    def d_reset(self, saved, fed_y, d_s):
        s, d_y = saved
        return (d_s * self.activation.slope(s), d_y), zeros_like(d_s)


@dataclass(frozen=True, kw_only=True)
class Jordan(Recurrent):
    """Jordan's recurrent network (Jordan 1986): a hidden layer that sees the last output of the network.

    Hidden layer and output are equally wide. Weights: ``kernel (features, hidden)``, ``recurrent_kernel (hidden,
    2 hidden)`` with the matrix from the last output to the hidden layer and the one from there to the output side by
    side, ``bias (hidden,)`` of the hidden layer, and ``own (1, hidden)``, the bias of the output.

    {parameters}
    recurrent_activation : as ``activation``, default="sigmoid"
        Of the output, which is what recurs; ``activation`` is that of the hidden layer.

    Examples
    --------
    >>> from tsrnn.nn import Jordan, Sequential
    >>> net = Sequential([Jordan(8)]).build(input_shape=(10, 3))
    >>> [weight.shape for weight in net.get_weights()]
    [(3, 8), (8, 16), (8,), (1, 8)]
    """

    recurrent_activation: str = "sigmoid"

    cell = JordanCell
