"""Layers, and networks of them, for those who build their own."""

from tsrnn.nn.cells import CELLS, GRU, LSTM, SimpleRNN
from tsrnn.nn.heads.point import MAE, MSE, Huber
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.layers.dropout import Dropout
from tsrnn.nn.layers.flatten import Flatten
from tsrnn.nn.sequential import BuiltNetwork, Sequential

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "MAE",
    "MSE",
    "BuiltNetwork",
    "Dense",
    "Dropout",
    "Flatten",
    "Huber",
    "Sequential",
    "SimpleRNN",
]
