"""Targets as users have them: one row for each sequence, or one for each of its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn.estimators.inputs import SequenceRows, first_rows, is_listed


@dataclass(frozen=True, eq=False)
class TargetRows:
    """Targets of sequences, one after the other.

    Attributes
    ----------
    values : ndarray of shape (rows, targets)
        As they were given.
    lengths : ndarray of shape (sequences,), int64
        Rows of each sequence: one, or as many as it has steps.
    flat : bool
        Whether there was no axis for the targets, so that predictions have none either.
    per_step : bool
        Whether the rows of a sequence are its steps.
    """

    values: np.ndarray
    lengths: np.ndarray
    flat: bool
    per_step: bool

    @property
    def starts(self) -> np.ndarray:
        """The first row of each."""
        return first_rows(self.lengths)


def read_targets(y: Any, sequences: SequenceRows, per_step: bool) -> TargetRows:
    """The targets of these sequences."""
    if not per_step:
        if is_listed(y) and len({np.shape(part) for part in y}) > 1:
            raise ValueError(
                "y must have one row for each sequence, but holds arrays of different shapes. For a target at each "
                "step set `return_sequences=True`."
            )
        array = np.asarray(y)
        if array.ndim not in (1, 2):
            raise ValueError(
                "y must have the shape (sequences,) or (sequences, targets); got "
                f"{array.shape}. For a target at each step set `return_sequences=True`."
            )
        _same_count(len(array), sequences)
        values = array.reshape(len(array), -1)
        return TargetRows(values, np.ones(len(array), np.int64), array.ndim == 1, False)
    if is_listed(y):
        arrays = [np.asarray(part) for part in y]
    else:
        array = np.asarray(y)
        if array.ndim not in (2, 3):
            raise ValueError(
                "With `return_sequences=True` y must have the shape (sequences, steps) or (sequences, steps, targets), "
                f"or be a list of arrays; got the shape {array.shape}."
            )
        arrays = list(array)
    _same_count(len(arrays), sequences)
    for i, (part, steps) in enumerate(zip(arrays, sequences.lengths.tolist(), strict=True)):
        if part.ndim not in (1, 2) or len(part) != steps:
            raise ValueError(f"y[{i}] must have a row for each of the {steps} steps of X[{i}]; got shape {part.shape}.")
    odd = next((i for i, part in enumerate(arrays) if part.shape[1:] != arrays[0].shape[1:]), None)
    if odd is not None:
        raise ValueError(
            f"All of y must have the same targets; y[0] has the shape {arrays[0].shape}, y[{odd}] {arrays[odd].shape}."
        )
    values = np.concatenate([part.reshape(len(part), -1) for part in arrays])
    return TargetRows(values, sequences.lengths, arrays[0].ndim == 1, True)


def _same_count(count: int, sequences: SequenceRows) -> None:
    if count != len(sequences):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {len(sequences)} sequences, y is for "
            f"{count}."
        )
