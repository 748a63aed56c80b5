"""Time-delay network (Waibel 1989): the first convolutional network over time."""

from __future__ import annotations

from dataclasses import dataclass, field

from tsrnn.nn.layers.conv1d import Conv1D


@dataclass(frozen=True)
class TDNN(Conv1D):
    """A layer of a time-delay network: each unit sees the present step and ``kernel_size - 1`` delayed ones.

    That is ``Conv1D`` with the sigmoid of the paper, whose layers have windows of 3 and 5 steps; later networks spread
    the delays with ``dilation_rate``.

    Parameters
    ----------
    filters : int
        Units.
    kernel_size : int
        Steps that a unit sees: the delays and one.
    strides, padding, dilation_rate, kernel_l1, kernel_l2 : optional
        As in ``Conv1D``.
    activation : {"linear", "tanh", "sigmoid", "hard_sigmoid", "relu", "softsign"}, default="sigmoid"
        What the sums go through.

    Examples
    --------
    >>> from tsrnn.nn import TDNN, GlobalAveragePool1D, Sequential
    >>> net = Sequential([TDNN(8, 3), TDNN(3, 5), GlobalAveragePool1D()]).build(input_shape=(15, 16))
    >>> print(net.summary())
    layer                  spec                   output (steps, features)  parameters
    ----------------------------------------------------------------------------------
    tdnn_0                 TDNN(8, 3)             (13, 8)                   392
    tdnn_1                 TDNN(3, 5)             (9, 3)                    123
    globalaveragepool1d_2  GlobalAveragePool1D()  (1, 3)                    0
    total parameters: 515
    """

    activation: str = field(default="sigmoid", kw_only=True)
