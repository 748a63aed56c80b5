"""Gated recurrent unit (Cho 2014), in its two variants.

r, z = sigmoid(W x + U h + b)    h' = n + z (h - n)

after:  n = tanh(W x + b + r (U h + b'))     the reset after the recurrent product (cuDNN; Keras ``reset_after=True``)
before: n = tanh(W x + b + U (r h))          the reset before it, as published
"""

from dataclasses import dataclass

from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent


class GRUCell(Cell):
    """The equations with the reset after the product; v is the recurrent part of the candidate, U h + b'."""

    __slots__ = ()
    GATES = "n r z v"
    INPUT = "z r n"
    RECURRENT = "z r v"
    RECURRENT_BIAS = True

    def forward(self, gates, state):
        r, z = self.recurrent_activation.value(gates[1]), self.recurrent_activation.value(gates[2])
        v, h = gates[3], state[0]
        n = self.activation.value(gates[0] + r * v)
        return (n + z * (h - n),), (n, r, z, v)

    def backward(self, saved, state, d_state):
        n, r, z, v = saved
        h, d_h = state[0], d_state[0]
        d_n = d_h * (1 - z) * self.activation.slope(n)
        d_r = d_n * v * self.recurrent_activation.slope(r)
        d_z = d_h * (h - n) * self.recurrent_activation.slope(z)
        return (d_n, d_r, d_z, d_n * r), (d_h * z,)


class GRUBeforeCell(Cell):
    """The equations with the reset before the product, which makes it a second one, over r h."""

    __slots__ = ()
    GATES = "n r z"
    INPUT = RECURRENT = "z r n"
    SECOND = "n"

    def reset(self, gates, fed_h):
        return self.recurrent_activation.value(gates[1]) * fed_h

    def forward(self, gates, state):
        r, z = self.recurrent_activation.value(gates[1]), self.recurrent_activation.value(gates[2])
        n, h = self.activation.value(gates[0]), state[0]
        return (n + z * (h - n),), (n, r, z)

    def backward(self, saved, state, d_state):
        n, r, z = saved
        h, d_h = state[0], d_state[0]
        d_n = d_h * (1 - z) * self.activation.slope(n)
        d_z = d_h * (h - n) * self.recurrent_activation.slope(z)
        return (d_n, r, d_z), (d_h * z,)  # r waits for ``d_reset``

    def d_reset(self, saved, fed_h, d_row):
        d_n, r, d_z = saved
        return (d_n, d_row * fed_h * self.recurrent_activation.slope(r), d_z), d_row * r


@dataclass(frozen=True)
class GRU(Recurrent):
    """Gated recurrent unit (Cho 2014); ``reset_after`` chooses where the reset gate acts."""

    recurrent_activation: str = "sigmoid"
    reset_after: bool = True

    @property
    def cell(self) -> type[Cell]:
        """The equations of the chosen variant."""
        return GRUCell if self.reset_after else GRUBeforeCell
