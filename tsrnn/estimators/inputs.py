"""Sequences as users have them, in the form that kernels read: all their steps in one array of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class SequenceRows:
    """Sequences one after the other.

    Attributes
    ----------
    rows : ndarray of shape (rows, features), float64
        All steps.
    lengths : ndarray of shape (sequences,), int64
        Steps of each sequence, at least one.
    listed : bool
        Whether they came one by one, so that what is given for each step is a list too.
    """

    rows: np.ndarray
    lengths: np.ndarray
    listed: bool

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def features(self) -> int:
        """Numbers of a step."""
        return self.rows.shape[1]

    @property
    def starts(self) -> np.ndarray:
        """The row of the first step of each."""
        return first_rows(self.lengths)


def first_rows(lengths: np.ndarray) -> np.ndarray:
    """Where each of some parts begins that follow one another."""
    return np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)


def rows_of(lengths: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Whether a row is of one of the chosen parts; they follow one another."""
    marks = np.zeros(len(lengths), bool)
    marks[chosen] = True
    return np.repeat(marks, lengths)


def is_listed(X: Any) -> bool:
    """Whether sequences come one by one: as arrays in a list, or as lists of different lengths."""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and X.size > 0 and isinstance(X[0], np.ndarray | list | tuple)
    if not isinstance(X, list | tuple) or not X:
        return False
    if isinstance(X[0], np.ndarray):
        return X[0].ndim > 0
    return all(isinstance(x, list | tuple) for x in X) and len({len(x) for x in X}) > 1


def from_list(X: Sequence[Any]) -> SequenceRows:
    """Arrays (steps, features), or (steps,) where there is one feature."""
    arrays = [_steps_of(x, i) for i, x in enumerate(X)]
    width = arrays[0].shape[1]
    odd = next((i for i, array in enumerate(arrays) if array.shape[1] != width), None)
    if odd is not None:
        raise ValueError(
            f"All sequences in X must have the same features; X[0] has {width}, X[{odd}] has {arrays[odd].shape[1]}."
        )
    lengths = np.array([len(array) for array in arrays], np.int64)
    return SequenceRows(_finite(np.concatenate(arrays)), lengths, True)


def from_cube(X: np.ndarray) -> SequenceRows:
    """An array (sequences, steps, features)."""
    if 0 in X.shape or X.dtype.kind not in "biuf":
        raise ValueError(
            "X must hold numbers, of at least one sequence of one step and one feature; got an array of dtype "
            f"{X.dtype} and shape {X.shape}."
        )
    rows = _finite(X.reshape(-1, X.shape[2]).astype(np.float64))
    return SequenceRows(rows, np.full(len(X), X.shape[1], np.int64), False)


def from_table(X: np.ndarray, n_steps: int | None) -> SequenceRows:
    """An array (sequences, steps * features), one step after the other; without ``n_steps`` every column is a step."""
    steps = X.shape[1] if n_steps is None else n_steps
    if X.shape[1] % steps:
        raise ValueError(
            f"X has {X.shape[1]} columns, which is no multiple of n_steps={steps}: a row must hold n_steps * features "
            "numbers, first all features of the first step."
        )
    return from_cube(X.reshape(len(X), steps, -1))


def _steps_of(x: Any, index: int) -> np.ndarray:
    array = np.asarray(x)
    if array.ndim in (1, 2) and 0 in array.shape:
        raise ValueError(
            f"X[{index}] is empty (shape {array.shape}), but a sequence has at least one step: leave it out."
        )
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        raise ValueError(
            f"X[{index}] must hold numbers in the shape (steps, features), or (steps,) for one feature; got an array "
            f"of dtype {array.dtype} and shape {array.shape}."
        )
    return array.reshape(len(array), -1).astype(np.float64)


def _finite(rows: np.ndarray) -> np.ndarray:
    if not np.isfinite(rows).all():
        row, feature = np.argwhere(~np.isfinite(rows))[0].tolist()
        raise ValueError(
            f"X contains NaN or infinity (first in step {row}, counted over all sequences, feature {feature}): fill "
            "such values, or leave the sequences out."
        )
    return rows
