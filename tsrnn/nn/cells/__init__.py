"""The recurrent cells. A cell is one file: equations, spec, forward, backward. ``CELLS`` is the registry."""

from tsrnn.nn.cells.gru import GRU
from tsrnn.nn.cells.jordan import Jordan
from tsrnn.nn.cells.lstm import LSTM
from tsrnn.nn.cells.minimal import MinimalGRU
from tsrnn.nn.cells.peephole import PeepholeLSTM
from tsrnn.nn.cells.simple import Elman, SimpleRNN
from tsrnn.nn.cells.slstm import SLSTM

CELLS = {
    "rnn": SimpleRNN,
    "lstm": LSTM,
    "gru": GRU,
    "elman": Elman,
    "jordan": Jordan,
    "peephole_lstm": PeepholeLSTM,
    "minimal_gru": MinimalGRU,
    "slstm": SLSTM,
}

__all__ = ["CELLS", "GRU", "LSTM", "SLSTM", "Elman", "Jordan", "MinimalGRU", "PeepholeLSTM", "SimpleRNN"]
