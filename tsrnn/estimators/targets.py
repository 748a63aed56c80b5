"""Targets as users have them: one row for each sequence, or one for each of its steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsrnn.estimators.inputs import SequenceRows, first_rows, rows_of
from tsrnn.estimators.listed import array_of, common_columns, items_of


@dataclass(frozen=True, eq=False)
class TargetRows:
    """Targets of sequences, one after the other.

    Attributes
    ----------
    values : ndarray of shape (rows, targets)
        As they were given.
    lengths : ndarray of shape (sequences,), int64
        Rows of each sequence: one, or as many as it has steps.
    counts : ndarray of shape (rows,), bool
        Whether a row counts: those of padding do not.
    flat : bool
        Whether there was no axis for the targets, so that predictions have none either.
    per_step : bool
        Whether the rows of a sequence are its steps.
    """

    values: np.ndarray
    lengths: np.ndarray
    counts: np.ndarray
    flat: bool
    per_step: bool

    @property
    def starts(self) -> np.ndarray:
        """The first row of each."""
        return first_rows(self.lengths)

    def counted(self, chosen: np.ndarray, part: str) -> np.ndarray:
        """Whether a row is of one of the chosen sequences and counts; ``part`` names them where none does."""
        found = rows_of(self.lengths, chosen) & self.counts
        _some_count(found, f"The {part} sequences hold")
        return found

    def without(self, padding: np.ndarray) -> TargetRows:
        """The same where rows of ``padding`` do not count: they get the targets of another row.

        So nobody has to know what was given for them, and texts are as wide as the longest of those that count.
        """
        if not padding.any():
            return self
        _some_count(~padding, "X holds")
        values = self.values.copy()
        values[padding] = values[np.argmin(padding)]
        values = np.array(values.tolist()) if values.dtype.kind == "U" else values
        return replace(self, values=values, counts=~padding)


def read_targets(y: Any, sequences: SequenceRows, per_step: bool) -> TargetRows:
    """The targets of these sequences."""
    items = items_of(y)
    parts = None if items is None else [array_of(part, f"y[{i}]", "targets") for i, part in enumerate(items)]
    if not per_step:
        if parts is not None and len({part.shape for part in parts}) > 1:
            raise ValueError(
                "y must have one row for each sequence, but holds arrays of different shapes. For a target at each "
                "step set `return_sequences=True`."
            )
        array = np.asarray(y) if parts is None else np.stack(parts)
        if array.ndim not in (1, 2):
            raise ValueError(
                "y must have the shape (sequences,) or (sequences, targets); got "
                f"{array.shape}. For a target at each step set `return_sequences=True`."
            )
        _same_count(len(array), sequences)
        values = array.reshape(len(array), -1)
        return TargetRows(values, np.ones(len(array), np.int64), np.ones(len(array), bool), array.ndim == 1, False)
    if parts is not None:
        common_columns(items or (), "y")
        arrays = parts
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
    return TargetRows(values, sequences.lengths, np.ones(len(values), bool), arrays[0].ndim == 1, True)


def _some_count(counts: np.ndarray, subject: str) -> None:
    if not counts.any():
        raise ValueError(
            f"{subject} nothing but padding (token 0), where no target counts. Give sequences with tokens."
        )


def _same_count(count: int, sequences: SequenceRows) -> None:
    if count != len(sequences):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {len(sequences)} sequences, y is for "
            f"{count}."
        )
