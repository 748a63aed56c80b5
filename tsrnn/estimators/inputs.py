"""Sequences as users have them, in the form that kernels read: all their steps in one array of rows."""

from __future__ import annotations

from copy import copy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from tsrnn._errors import quoted
from tsrnn.estimators.listed import as_numbers, check_columns, common_columns, is_table, items_of, plain_array, steps_of


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
        Of these, where it was a frame; or of the features, where it was a list of frames.
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


def read_sequences(estimator: BaseEstimator, X: Any, n_steps: int | None, known: Form | None) -> SequenceRows:
    """Sequences in any of the three forms; ``known`` is that of an earlier call, which they have to fit."""
    items = items_of(X)
    if items is not None and not _is_table(items, n_steps, known):
        found = _from_list(items, known)
    elif isinstance(X, pd.DataFrame) or issparse(X) or (array := plain_array(X)).ndim == 2:
        found = replace(_from_table(estimator, X, n_steps, known), listed=items is not None)
    else:
        found = _from_cube(array, type(X).__name__)
    if known is not None and found.features != known.features:
        raise ValueError(
            f"X has {found.features} features at each step, but {type(estimator).__name__} is expecting "
            f"{known.features} features as input: those of `fit`. Give an array (sequences, steps, features) or a list "
            "of sequences; a single one goes into a list of its own."
        )
    return found


def _is_table(items: list[Any], n_steps: int | None, known: Form | None) -> bool:
    """Whether lists of single values are the rows of a table, as scikit-learn has it, and not sequences of any length.

    In ``fit`` they are where all have one length; later where ``fit`` had a table, of as many columns.
    """
    return is_table(items) and (n_steps is not None or known is None or known.columns == len(items[0]))


def _from_table(estimator: BaseEstimator, X: Any, n_steps: int | None, known: Form | None) -> SequenceRows:
    """A table (sequences, steps * features), one step after the other; without ``n_steps`` every column is a step."""
    reader: Any = copy(estimator)  # scikit-learn's check of names and counts of columns writes into the estimator
    if known is not None and known.columns is not None:
        reader.n_features_in_ = known.columns
        vars(reader).pop("feature_names_in_", None)
        if known.names is not None:
            reader.feature_names_in_ = np.array(known.names, dtype=object)
    first = known is None or known.columns is None
    table = validate_data(reader, _checked_table(X), reset=first, dtype=np.float64, ensure_all_finite=False)
    columns = table.shape[1]
    steps = columns if n_steps is None else n_steps
    if columns % steps:
        raise ValueError(
            f"X has {columns} columns, which is no multiple of n_steps={steps}: a row must hold n_steps * features "
            "numbers, first all features of the first step. Set `n_steps` to the steps of a sequence."
        )
    names = vars(reader).get("feature_names_in_")
    form = Form(columns // steps, columns, None if names is None else tuple(map(str, names)))
    lengths = np.full(len(table), steps, np.int64)
    return SequenceRows(_finite(table.reshape(-1, form.features), lengths), lengths, form)


def _checked_table(X: Any) -> Any:
    """X, once it is known to hold nothing that scikit-learn would take for numbers, or complain of in NumPy's words."""
    if isinstance(X, pd.DataFrame):
        if X.columns.empty:
            raise ValueError(f"X must have at least one column; got a frame of shape {X.shape}.")
        check_columns(X, "X")
        return X
    if issparse(X):
        return X
    array = plain_array(X)
    if isinstance(array, np.ma.MaskedArray):
        filled = as_numbers(array)
        return array if filled is None else filled
    if array.dtype.kind in "SUmM" or (array.dtype == object and any(isinstance(x, str) for x in array.flat)):
        raise ValueError(f"X must hold numbers; got an array of dtype {array.dtype} and shape {array.shape}.")
    return X


def _from_list(items: list[Any], known: Form | None) -> SequenceRows:
    """Arrays or frames (steps, features), or (steps,) where there is one feature."""
    columns = common_columns(items, "X")
    arrays = [steps_of(x, f"X[{i}]") for i, x in enumerate(items)]
    width = arrays[0].shape[1]
    odd = next((i for i, array in enumerate(arrays) if array.shape[1] != width), None)
    if odd is not None:
        raise ValueError(
            f"All sequences in X must have the same features; X[0] has {width}, X[{odd}] has {arrays[odd].shape[1]}. "
            "Give all of them the same ones, or leave that one out."
        )
    names = None
    if columns is not None and all(isinstance(name, str) for name in columns):
        names = tuple(columns)
        if known is not None and known.columns is None and known.names not in (None, names):
            raise ValueError(
                f"The frames in X must have the columns of those in `fit`, {quoted(known.names or ())}, in that order; "
                f"got {quoted(names)}."
            )
    lengths = np.array([len(array) for array in arrays], np.int64)
    return SequenceRows(_finite(np.concatenate(arrays), lengths), lengths, Form(width, None, names), listed=True)


def _from_cube(array: np.ndarray, kind: str) -> SequenceRows:
    """An array (sequences, steps, features), of what was of this type."""
    if array.ndim != 3:
        raise (ValueError if array.ndim else TypeError)(_what_it_must_be(kind, array))
    values = as_numbers(array)
    if 0 in array.shape or values is None:
        raise ValueError(
            "X must hold numbers, of at least one sequence of one step and one feature; got an array of dtype "
            f"{array.dtype} and shape {array.shape}."
        )
    lengths = np.full(len(values), values.shape[1], np.int64)
    return SequenceRows(_finite(values.reshape(-1, values.shape[2]), lengths), lengths, Form(values.shape[2]))


def _what_it_must_be(kind: str, array: np.ndarray) -> str:
    """The message for what is neither list, nor table, nor cube."""
    got = f"one {kind}" if array.ndim == 0 else f"one {kind} of shape {array.shape} and dtype {array.dtype}"
    advice = {
        0: "Make an array or a list of it.",
        1: "Reshape your data: one sequence of one feature is `[x]`, sequences of one step are `x[:, None]`.",
    }
    return (
        "X must be an array (sequences, steps, features), an array or frame (sequences, n_steps * features), or a list "
        f"of arrays or frames (steps, features), with at least one sequence; got {got}. "
        + advice.get(array.ndim, "Reshape your data to three axes, with all features of a step in the last one.")
    )


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
