"""The recurrent cells. A cell is one file: equations, spec, forward, backward. ``CELLS`` is the registry."""

from .gru import GRU
from .lstm import LSTM
from .simple import SimpleRNN

CELLS = {"rnn": SimpleRNN, "lstm": LSTM, "gru": GRU}

__all__ = ["CELLS", "GRU", "LSTM", "SimpleRNN"]
