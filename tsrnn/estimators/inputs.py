"""Sequences as users have them, in the form that kernels read: all their steps in one array of rows."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data


@dataclass(frozen=True)
class Form:
    """What X looked like in ``fit``, and has to look like later.

    Attributes
    ----------
    features : int
        Numbers of a step.
    columns : int or None
        Of X, where it had two dimensions.
    names : tuple of str or None
        Of these, where it was a frame.
    """

    features: int
    columns: int | None = None
    names: tuple[str, ...] | None = None

    def document(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class SequenceRows:
    """Sequences one after the other.

    Attributes
    ----------
    rows : ndarray of shape (rows, features), float64
        All steps.
    lengths : ndarray of shape (sequences,), int64
        Steps of each sequence, at least one.
    form : Form
        How they came.
    listed : bool
        Whether they came one by one, so that what is given for each step is a list too.
    """

    rows: np.ndarray
    lengths: np.ndarray
    form: Form
    listed: bool = False

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def features(self) -> int:
        """Numbers of a step."""
        return self.form.features

    @property
    def longest(self) -> int:
        """Steps of the longest."""
        return int(self.lengths.max())

    @property
    def ragged(self) -> bool:
        """Whether some are shorter than others."""
        return bool((self.lengths < self.longest).any())

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
    """Whether sequences come one by one: as arrays in a list, as lists of different lengths, or as lists of steps."""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and X.size > 0 and isinstance(X[0], np.ndarray | list | tuple)
    if not isinstance(X, list | tuple) or not X:
        return False
    if isinstance(X[0], np.ndarray):
        return X[0].ndim > 0
    if not all(isinstance(x, list | tuple) for x in X):
        return False
    return len({len(x) for x in X}) > 1 or any(isinstance(step, list | tuple | np.ndarray) for step in X[0])


def read_sequences(estimator: BaseEstimator, X: Any, n_steps: int | None, known: Form | None) -> SequenceRows:
    """Sequences in any of the three forms; ``known`` is that of an earlier call, which they have to fit."""
    if is_listed(X):
        found = _from_list(X)
    elif isinstance(X, np.ndarray) and X.ndim == 3:
        found = _from_cube(X)
    else:
        found = _from_table(estimator, X, n_steps, known)
    if known is not None and found.features != known.features:
        raise ValueError(
            f"X has {found.features} features at each step, but {type(estimator).__name__} is expecting "
            f"{known.features} features as input: those of `fit`."
        )
    return found


def _from_table(estimator: BaseEstimator, X: Any, n_steps: int | None, known: Form | None) -> SequenceRows:
    """A table (sequences, steps * features), one step after the other; without ``n_steps`` every column is a step."""
    reader: Any = copy(estimator)  # scikit-learn's check of names and counts of columns writes into the estimator
    if known is not None and known.columns is not None:
        reader.n_features_in_ = known.columns
        vars(reader).pop("feature_names_in_", None)
        if known.names is not None:
            reader.feature_names_in_ = np.array(known.names, dtype=object)
    table = validate_data(reader, X, reset=known is None or known.columns is None, dtype=np.float64)
    columns = table.shape[1]
    steps = columns if n_steps is None else n_steps
    if columns % steps:
        raise ValueError(
            f"X has {columns} columns, which is no multiple of n_steps={steps}: a row must hold n_steps * features "
            "numbers, first all features of the first step. Set `n_steps` to the steps of a sequence."
        )
    names = vars(reader).get("feature_names_in_")
    form = Form(columns // steps, columns, None if names is None else tuple(map(str, names)))
    return SequenceRows(table.reshape(-1, form.features), np.full(len(table), steps, np.int64), form)


def _from_list(X: Sequence[Any]) -> SequenceRows:
    """Arrays (steps, features), or (steps,) where there is one feature."""
    arrays = [_steps_of(x, i) for i, x in enumerate(X)]
    width = arrays[0].shape[1]
    odd = next((i for i, array in enumerate(arrays) if array.shape[1] != width), None)
    if odd is not None:
        raise ValueError(
            f"All sequences in X must have the same features; X[0] has {width}, X[{odd}] has {arrays[odd].shape[1]}."
        )
    lengths = np.array([len(array) for array in arrays], np.int64)
    return SequenceRows(_finite(np.concatenate(arrays), lengths), lengths, Form(width), listed=True)


def _from_cube(X: np.ndarray) -> SequenceRows:
    """An array (sequences, steps, features)."""
    if 0 in X.shape or X.dtype.kind not in "biuf":
        raise ValueError(
            "X must hold numbers, of at least one sequence of one step and one feature; got an array of dtype "
            f"{X.dtype} and shape {X.shape}."
        )
    lengths = np.full(len(X), X.shape[1], np.int64)
    return SequenceRows(_finite(X.reshape(-1, X.shape[2]).astype(np.float64), lengths), lengths, Form(X.shape[2]))


def _steps_of(x: Any, index: int) -> np.ndarray:
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"X[{index}] must have the same number of features at each step ({error}).") from error
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


def _finite(rows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    if not np.isfinite(rows).all():
        row, feature = np.argwhere(~np.isfinite(rows))[0].tolist()
        sequence = int(np.searchsorted(np.cumsum(lengths), row, side="right"))
        step = row - int(lengths[:sequence].sum())
        raise ValueError(
            f"X contains NaN or infinity, first {rows[row, feature]} in sequence {sequence} at step {step}, feature "
            f"{feature}: fill such values, or leave these sequences out."
        )
    return rows
