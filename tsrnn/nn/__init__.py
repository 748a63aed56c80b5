"""Layers, and networks of them, for those who build their own."""

from tsrnn.nn.built import BuiltNetwork
from tsrnn.nn.cells import CELLS, GRU, LSTM, SLSTM, Elman, Jordan, MinimalGRU, PeepholeLSTM, SimpleRNN
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.heads.point import MAE, MSE, Huber
from tsrnn.nn.layers.activity import ActivityPenalty
from tsrnn.nn.layers.attention import Attention
from tsrnn.nn.layers.bidirectional import Bidirectional
from tsrnn.nn.layers.conv1d import Conv1D
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.layers.dilated import Dilated
from tsrnn.nn.layers.dropout import Dropout
from tsrnn.nn.layers.embedding import Embedding
from tsrnn.nn.layers.flatten import Flatten
from tsrnn.nn.layers.global_pooling import GlobalAveragePool1D, GlobalMaxPool1D
from tsrnn.nn.layers.layer_norm import LayerNorm
from tsrnn.nn.layers.pooling import AveragePool1D, MaxPool1D
from tsrnn.nn.layers.recurrent import Recurrent
from tsrnn.nn.layers.repeat_vector import RepeatVector
from tsrnn.nn.layers.residual import Residual
from tsrnn.nn.layers.tdnn import TDNN
from tsrnn.nn.sequential import Sequential

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "MAE",
    "MSE",
    "SLSTM",
    "TDNN",
    "ActivityPenalty",
    "Attention",
    "AveragePool1D",
    "Bidirectional",
    "BuiltNetwork",
    "Cell",
    "Conv1D",
    "Dense",
    "Dilated",
    "Dropout",
    "Elman",
    "Embedding",
    "Flatten",
    "GlobalAveragePool1D",
    "GlobalMaxPool1D",
    "Huber",
    "Jordan",
    "LayerNorm",
    "MaxPool1D",
    "MinimalGRU",
    "PeepholeLSTM",
    "Recurrent",
    "RepeatVector",
    "Residual",
    "Sequential",
    "SimpleRNN",
]
