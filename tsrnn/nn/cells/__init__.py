"""The recurrent cells. A cell is one file: equations, spec, forward, backward. ``CELLS`` is the registry."""

from tsrnn.nn.cells.gru import GRU
from tsrnn.nn.cells.lstm import LSTM
from tsrnn.nn.cells.simple import SimpleRNN

CELLS = {"rnn": SimpleRNN, "lstm": LSTM, "gru": GRU}

__all__ = ["CELLS", "GRU", "LSTM", "SimpleRNN"]
