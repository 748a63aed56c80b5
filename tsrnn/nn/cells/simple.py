"""Elman's recurrent network (Elman 1990).

h' = tanh(W x + U h + b)
"""

from dataclasses import dataclass

from tsrnn.kernels.simd import zeros_like
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent


class SimpleRNNCell(Cell):
    """The equations, on lane vectors."""

    __slots__ = ()
    GATES = "h"
    ACTIVATED = "h"

    def forward(self, gates, state):
        h = self.activation.value(gates[0])
        return (h,), (h,)

    def backward(self, saved, state, d_state):
        h, d_h = saved[0], d_state[0]
        return (d_h * self.activation.slope(h),), (zeros_like(d_h),)


@dataclass(frozen=True)
class SimpleRNN(Recurrent):
    """A fully connected recurrent layer (Elman 1990).

    Weights, as in Keras: ``kernel (features, hidden)``, ``recurrent_kernel (hidden, hidden)``, ``bias (hidden,)``.

    {parameters}

    Examples
    --------
    >>> from tsrnn.nn import Sequential, SimpleRNN
    >>> Sequential([SimpleRNN(32)]).build(input_shape=(10, 32)).count_params()
    2080
    """

    cell = SimpleRNNCell


Elman = SimpleRNN  # the name in the literature
