"""Constructor parameters and specs as JSON, and back. A file names classes of this package only, never code."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd

from tsrnn._parameters import Parameters
from tsrnn.nn.cells import CELLS
from tsrnn.nn.heads.point import MAE, MSE, Huber
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.layers.dropout import Dropout
from tsrnn.nn.layers.flatten import Flatten
from tsrnn.training.optimizers import OPTIMIZERS
from tsrnn.training.schedules import SCHEDULES

_CLASSES = [*CELLS.values(), Dense, Dropout, Flatten, Huber, MSE, MAE]
_CLASSES += [type(value) for value in (*OPTIMIZERS.values(), *SCHEDULES.values())]
SPECS: dict[str, type] = {cls.__name__: cls for cls in _CLASSES}
NOT_SAVED = ("callbacks",)


def encode(value: Any) -> Any:
    """A parameter's value as JSON can hold it."""
    if type(value) in SPECS.values():
        names = [f.name for f in fields(value)] if is_dataclass(value) else list(value._fields)
        return {"spec": type(value).__name__, "fields": {name: getattr(value, name) for name in names}}
    if isinstance(value, list | tuple):
        return type(value)(encode(item) for item in value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.random.RandomState):
        return None  # what it was resolved to is in the state, as ``seed``
    if isinstance(value, pd.offsets.BaseOffset):
        return value.freqstr
    if is_dataclass(value):
        raise TypeError(
            f"{type(value).__name__} cannot be saved: a file can only name layers, losses, optimizers and schedules of "
            "tsrnn itself. Register the cell in `tsrnn.nn.CELLS`, or pickle the forecaster."
        )
    return value


def decode(value: Any) -> Any:
    """The value again."""
    if isinstance(value, dict) and "spec" in value:
        return SPECS[value["spec"]](**value["fields"])
    return type(value)(decode(item) for item in value) if isinstance(value, list | tuple) else value


def encode_parameters(estimator: Parameters) -> dict[str, Any]:
    """All constructor parameters but those that are code."""
    return {name: encode(getattr(estimator, name)) for name in estimator.PARAMETERS if name not in NOT_SAVED}


def decode_parameters(document: dict[str, Any]) -> dict[str, Any]:
    """Arguments for the constructor."""
    return {name: decode(value) for name, value in document.items()}
