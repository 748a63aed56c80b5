"""Constructor parameters and specs as JSON, and back. A file names classes of this package only, never code."""

from __future__ import annotations

import datetime
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd

from tsrnn._parameters import Parameters
from tsrnn.nn.cells import CELLS
from tsrnn.nn.heads import DISTRIBUTIONS
from tsrnn.nn.heads.point import LOSSES
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
from tsrnn.nn.layers.repeat_vector import RepeatVector
from tsrnn.nn.layers.residual import Residual
from tsrnn.nn.layers.tdnn import TDNN
from tsrnn.training.optimizers import OPTIMIZERS
from tsrnn.training.schedules import SCHEDULES

LAYERS = (
    ActivityPenalty, Attention, AveragePool1D, Bidirectional, Conv1D, Dense, Dilated, Dropout, Embedding, Flatten,
    GlobalAveragePool1D, GlobalMaxPool1D, LayerNorm, MaxPool1D, RepeatVector, Residual, TDNN,
)  # fmt: skip
NOT_SAVED = ("callbacks", "checkpoint")  # code, and a place on the machine of the fit


def known_specs() -> dict[str, type]:
    """Classes that a file may name. Registered cells are among them, whenever they were registered."""
    values = [*LOSSES.values(), *DISTRIBUTIONS.values(), *OPTIMIZERS.values(), *SCHEDULES.values()]
    classes = [*CELLS.values(), *LAYERS, *map(type, values)]
    return {cls.__name__: cls for cls in classes}


def encode(value: Any) -> Any:
    """A parameter's value as JSON can hold it."""
    kind = type(value)
    if known_specs().get(kind.__name__) is kind:
        names = [field.name for field in fields(kind)] if is_dataclass(kind) else list(value._asdict())
        return {"spec": kind.__name__, "fields": {name: encode(getattr(value, name)) for name in names}}
    if isinstance(value, list | tuple):
        return type(value)(encode(item) for item in value)
    if isinstance(value, dict):
        return {"dict": [(encode(key), encode(item)) for key, item in value.items()]}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.random.RandomState):
        return None  # what it was resolved to is in the state, as ``seed``
    if isinstance(value, pd.offsets.BaseOffset):
        return value.freqstr
    if isinstance(value, datetime.timedelta):
        return pd.tseries.frequencies.to_offset(value).freqstr
    if isinstance(value, datetime.date | np.datetime64):
        return {"stamp": pd.Timestamp(value).isoformat()}  # columns may be named by dates
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"{type(value).__name__} cannot be saved: a file can only name layers, losses, optimizers and schedules of "
        "tsrnn itself, and registered cells. Register the cell in `tsrnn.nn.cells.CELLS`, or pickle the estimator."
    )


def decode(value: Any) -> Any:
    """The value again."""
    if isinstance(value, dict):
        if "stamp" in value:
            return pd.Timestamp(value["stamp"])
        if "dict" in value:
            return {decode(key): decode(item) for key, item in value["dict"]}
        return known_specs()[value["spec"]](**{name: decode(field) for name, field in value["fields"].items()})
    return type(value)(decode(item) for item in value) if isinstance(value, list | tuple) else value


def encode_parameters(estimator: Parameters) -> dict[str, Any]:
    """All constructor parameters but those that mean nothing elsewhere."""
    return {name: encode(getattr(estimator, name)) for name in estimator.PARAMETERS if name not in NOT_SAVED}


def decode_parameters(document: dict[str, Any]) -> dict[str, Any]:
    """Arguments for the constructor."""
    return {name: decode(value) for name, value in document.items()}
