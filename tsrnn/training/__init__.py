"""Training: optimizers, schedules, stopping, tiles on threads, and the trainer that puts them together."""

from .events import Callback, EpochEnd
from .optimizers import SGD, Adam, AdamW, RMSprop
from .schedules import Constant, Cosine, ReduceOnPlateau, Step

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Callback",
    "Constant",
    "Cosine",
    "EpochEnd",
    "RMSprop",
    "ReduceOnPlateau",
    "Step",
]
