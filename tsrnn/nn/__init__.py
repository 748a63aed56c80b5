"""Layers, and networks of them, for those who build their own."""

from .cells import CELLS, GRU, LSTM, SimpleRNN
from .heads.point import MAE, MSE, Huber
from .layers.dense import Dense
from .layers.dropout import Dropout
from .layers.flatten import Flatten
from .sequential import BuiltNetwork, Sequential

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
