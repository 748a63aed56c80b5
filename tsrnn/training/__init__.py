"""Training: optimizers, schedules, stopping, tiles on threads, and the trainer that puts them together."""

from tsrnn.training.contiguous import ContiguousBatches
from tsrnn.training.events import Callback, EpochEnd
from tsrnn.training.optimizers import SGD, Adam, AdamW, RMSprop
from tsrnn.training.schedules import Constant, Cosine, ReduceOnPlateau, Step

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Callback",
    "Constant",
    "ContiguousBatches",
    "Cosine",
    "EpochEnd",
    "RMSprop",
    "ReduceOnPlateau",
    "Step",
]
