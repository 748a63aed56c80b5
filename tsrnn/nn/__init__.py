"""Layers, and networks of them, for those who build their own."""

from tsrnn.nn.cells import CELLS, GRU, LSTM, SLSTM, Elman, Jordan, MinimalGRU, PeepholeLSTM, SimpleRNN
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.heads.point import MAE, MSE, Huber
from tsrnn.nn.layers.activity import ActivityPenalty
from tsrnn.nn.layers.conv1d import Conv1D
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.layers.dropout import Dropout
from tsrnn.nn.layers.flatten import Flatten
from tsrnn.nn.layers.recurrent import Recurrent
from tsrnn.nn.sequential import BuiltNetwork, Sequential

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "MAE",
    "MSE",
    "SLSTM",
    "ActivityPenalty",
    "BuiltNetwork",
    "Cell",
    "Conv1D",
    "Dense",
    "Dropout",
    "Elman",
    "Flatten",
    "Huber",
    "Jordan",
    "MinimalGRU",
    "PeepholeLSTM",
    "Recurrent",
    "Sequential",
    "SimpleRNN",
]
