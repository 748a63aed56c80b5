"""Gated recurrent unit (Cho 2014), in its two variants.

r, z = sigmoid(W x + U h + b)    h' = n + z (h - n)

after:  n = tanh(W x + b + r (U h + b'))     the reset after the recurrent product (cuDNN; Keras ``reset_after=True``)
before: n = tanh(W x + b + U (r h))          the reset before it, as published
"""

from dataclasses import dataclass

from tsrnn._errors import Boolean, check_fields
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent


class GRUCell(Cell):
    """The equations with the reset after the product; v is the recurrent part of the candidate, U h + b'."""

    __slots__ = ()
    GATES = "n r z v"
    INPUT = "z r n"
    RECURRENT = "z r v"
    RECURRENT_BIAS = True
    GATED, ACTIVATED = "r z", "n"

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
    GATED, ACTIVATED = "r z", "n"

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


@dataclass(frozen=True, kw_only=True)
class GRU(Recurrent):
    """Gated recurrent unit (Cho 2014).

    Weights, as in Keras: ``kernel (features, 3 hidden)``, ``recurrent_kernel (hidden, 3 hidden)``, with the gates z, r,
    h side by side; ``bias (2, 3 hidden)`` with a second row for the recurrent product, or ``(3 hidden,)`` without
    ``reset_after``.

    {parameters}
    recurrent_activation : as ``activation``, default="sigmoid"
        Of the gates.
    reset_after : bool, default=True
        Whether the reset gate acts after the recurrent product (as cuDNN does) or before it (as published).

    Examples
    --------
    >>> from tsrnn.nn import GRU, Sequential
    >>> Sequential([GRU(32)]).build(input_shape=(10, 32)).count_params()
    6336
    >>> Sequential([GRU(32, reset_after=False)]).build(input_shape=(10, 32)).count_params()
    6240
    """

    recurrent_activation: str = "sigmoid"
    reset_after: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, {"reset_after": Boolean()})

    @property
    def cell(self) -> type[Cell]:
        """The equations of the chosen variant."""
        return GRUCell if self.reset_after else GRUBeforeCell
