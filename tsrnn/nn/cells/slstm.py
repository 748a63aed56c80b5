"""Scalar LSTM of the xLSTM (Beck et al. 2024): an exponential input gate, and a cell that is a weighted mean.

i = exp(W x + U h + b)     f, o = sigmoid(W x + U h + b)     z = tanh(W x + U h + b)
C' = f C + i z             N' = f N + i                      h' = o C' / N'

C and N would overflow, so the state holds c = C / exp(m) and n = N / exp(m), whose scale m changes from step to step;
a is what goes into the exponential of i:

m' = max(m + log f, a)     c' = (exp(m) f c + exp(a) z) / exp(m')     n' = (exp(m) f n + exp(a)) / exp(m')

No exponent is above zero. Where nothing is stored, n = 0, the scale starts at m' = a. After any step n is at least 1.
Of the two forget gates that the paper allows, exp and sigmoid, this is the one that its authors' code has.
"""

from dataclasses import dataclass

from tsrnn._jit import helper
from tsrnn.kernels.simd import absolute, at_least, positive, select_rows, sigmoid, zeros_like
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent

# 1 / 27, 1 / 25, ..., 1 / 3: of the series atanh(u) = u (1 + u^2 / 3 + u^4 / 5 + ...). At u = 1 / 3, 3e-15 is left.
_SERIES = tuple(1 / odd for odd in range(27, 1, -2))


@helper
def decay(x):
    """exp(-x) for x >= 0"""
    share = sigmoid(0 - x)
    return share / (1 - share)


@helper
def log_sigmoid(x, other):
    """log(sigmoid(x)), given ``other``, which is 1 - sigmoid(x)"""
    less = other - at_least(2 * other - 1, 0)  # the smaller of the two
    u = less / (2 - less)
    square, series = u * u, zeros_like(u)
    for term in _SERIES:
        series = (series + term) * square
    return 0 - at_least(0 - x, 0) - 2 * u * (1 + series)  # log(1 - less) is -2 atanh(u)


class SLSTMCell(Cell):
    """The equations, on lane vectors; i and f stand for exp(a - m') and exp(m - m') f, the greater of which is 1."""

    __slots__ = ()
    GATES = "i f z o"
    SAVED = "i f z o forgets"
    GATED, ACTIVATED = "o", "z"
    CARRIED = "c n m"

    def forward(self, gates, state):
        a, (_, c, n, m) = gates[0], state
        forgets = sigmoid(0 - gates[1])
        kept = m + log_sigmoid(gates[1], forgets)
        less, one = decay(absolute(kept - a)), 1 + zeros_like(a)
        i, f, m = select_rows((kept - a) * positive(n), (less, one, kept), (one, less, a))
        z, o = self.activation.value(gates[2]), self.recurrent_activation.value(gates[3])
        c, n = f * c + i * z, f * n + i
        return (o * (c / n), c, n, m), (i, f, z, o, forgets)

    def backward(self, saved, state, d_state):
        i, f, z, o, forgets = saved
        _, c, n, _ = state
        d_h, d_c, d_n, d_m = d_state
        n_after = f * n + i
        mean = (f * c + i * z) / n_after
        d_mean = d_h * o / n_after
        d_c, d_n = d_c + d_mean, d_n - d_mean * mean
        d_log_i, d_log_f = i * (d_c * z + d_n), f * (d_c * c + d_n * n)
        d_m = d_m - d_log_i - d_log_f
        older = positive(f - i)  # where m' is m + log f; elsewhere it is a
        d_a, d_kept = d_log_i + d_m * (1 - older), d_log_f + d_m * older
        d_z = d_c * i * self.activation.slope(z)
        d_o = d_h * mean * self.recurrent_activation.slope(o)
        return (d_a, d_kept * forgets, d_z, d_o), (zeros_like(d_h), d_c * f, d_n * f, d_kept)


@dataclass(frozen=True, kw_only=True)
class SLSTM(Recurrent):
    """Scalar LSTM of the xLSTM (Beck 2024): an LSTM that can revise at any step what it has stored.

    The cell is a weighted mean of what came in. The weight of a step, the input gate, is an exponential: one step can
    outweigh all before it. The state has four rows, h, c, n and m: the cell and the sum of weights (above zero, or zero
    where nothing is stored yet), both divided by exp(m).

    Weights, as those of `LSTM`: ``kernel (features, 4 hidden)``, ``recurrent_kernel (hidden, 4 hidden)``,
    ``bias (4 hidden,)``, with the gates i, f, z, o side by side. The bias of the forget gate starts at one.

    {parameters}
    recurrent_activation : as ``activation``, default="sigmoid"
        Of the gate o.

    Examples
    --------
    >>> from tsrnn.nn import SLSTM, Sequential
    >>> Sequential([SLSTM(32)]).build(input_shape=(10, 32)).count_params()
    8320
    """

    recurrent_activation: str = "sigmoid"

    cell = SLSTMCell
    unit_bias = ("f",)
