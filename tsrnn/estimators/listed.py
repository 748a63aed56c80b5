"""Sequences that come one by one: arrays, frames, Series or lists of steps, together in a list."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tsrnn._errors import quoted

SCALARS = (numbers.Number, str, bytes, np.generic)


def items_of(X: Any) -> list[Any] | None:
    """What a list, a tuple, or a Series or array of objects holds, where there are sequences in it; else None."""
    if isinstance(X, pd.Series):
        X = X.to_numpy()
    if isinstance(X, np.ndarray):
        X = list(X) if X.dtype == object and X.ndim == 1 else ()
    return list(X) if isinstance(X, list | tuple) and any(_is_sequence(x) for x in X) else None


def is_table(items: Sequence[Any]) -> bool:
    """Whether these are the rows of a table: lists of one length, of single values."""
    lists = all(isinstance(x, list | tuple) and x for x in items) and len({len(x) for x in items}) == 1
    return lists and not any(_is_sequence(value) for x in items for value in x)


def steps_of(x: Any, name: str) -> np.ndarray:
    """One sequence as numbers (steps, features)."""
    if isinstance(x, pd.DataFrame):
        check_columns(x, name)
        x = x.to_numpy(np.float64, na_value=np.nan)
    elif isinstance(x, pd.Series) and pd.api.types.is_numeric_dtype(x.dtype):
        x = x.to_numpy(x.dtype if isinstance(x.dtype, np.dtype) else np.float64, na_value=np.nan)
    array = array_of(x, name)
    if array.ndim in (1, 2) and 0 in array.shape:
        raise ValueError(f"{name} is empty (shape {array.shape}), but a sequence has at least one step: leave it out.")
    found = as_numbers(array)
    if found is None or array.ndim not in (1, 2):
        raise ValueError(
            f"{name} must hold numbers in the shape (steps, features), or (steps,) for one feature; got an array of "
            f"dtype {array.dtype} and shape {array.shape}."
        )
    return found.reshape(len(array), -1)


def array_of(x: Any, name: str, noun: str = "features") -> np.ndarray:
    """What is given for one sequence as an array of any type."""
    try:
        return plain_array(x)
    except ValueError as error:
        sizes = [len(step) if isinstance(step, list | tuple) else np.size(step) for step in x]
        odd = next((i for i, size in enumerate(sizes) if size != sizes[0]), None)
        where = "" if odd is None else f"; step 0 has {sizes[0]}, step {odd} has {sizes[odd]}"
        raise ValueError(f"{name} must have the same number of {noun} at each step{where}.") from error


def plain_array(x: Any) -> np.ndarray:
    """As NumPy has it, of any type; what is masked stays so."""
    return x if isinstance(x, np.ma.MaskedArray) else np.asarray(x)


def as_numbers(array: np.ndarray) -> np.ndarray | None:
    """As float64, NaN where it was masked or None; None where there is something else than numbers."""
    if isinstance(array, np.ma.MaskedArray):
        return np.ma.filled(array.astype(np.float64), np.nan) if array.dtype.kind in "biuf" else None
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    if array.dtype.kind != "O" or any(isinstance(value, str | bytes) for value in array.flat):
        return None
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        return None


def check_columns(frame: pd.DataFrame, name: str) -> None:
    """Refuse columns that hold no numbers."""
    for label, column in frame.items():
        if not pd.api.types.is_numeric_dtype(column.dtype) and as_numbers(column.to_numpy()) is None:
            raise ValueError(
                f"{name} must hold numbers, but its column {quoted([label])} is of dtype {column.dtype}. Leave it out, "
                "or make numbers of it."
            )


def common_columns(items: Sequence[Any], name: str) -> pd.Index | None:
    """The columns of the frames among these, which must be the same; None where there is no frame."""
    frames = [(i, x.columns) for i, x in enumerate(items) if isinstance(x, pd.DataFrame)]
    for i, columns in frames[1:]:
        first, expected = frames[0]
        if not columns.equals(expected):
            raise ValueError(
                f"All frames in {name} must have the same columns in the same order; {name}[{first}] has "
                f"{quoted(expected)}, {name}[{i}] has {quoted(columns)}. Choose them in that order from each frame."
            )
    return frames[0][1] if frames else None


def _is_sequence(x: Any) -> bool:
    if isinstance(x, SCALARS) or x is None:
        return False
    return isinstance(x, list | tuple) or np.ndim(x) > 0
