"""Classes as users call them, their codes, and what they count for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_class_weight

from tsrnn._errors import quoted

KINDS = "bifuUO"  # of NumPy's types: bools, numbers, texts, and objects that are one of these


def natural(column: np.ndarray) -> np.ndarray:
    """A column of objects, as frames of several kinds of columns give, as numbers or bools where it holds such.

    Examples
    --------
    >>> natural(np.array([3, 7], dtype=object)).dtype.kind
    'i'
    """
    if column.dtype.kind != "O" or any(isinstance(label, str) for label in column):
        return column
    return np.array(column.tolist())


def check_labels(labels: np.ndarray, name: str) -> np.ndarray:
    """Refuse labels that cannot be put in order, or are none; ``name`` is what messages call them."""
    missing = np.flatnonzero(pd.isna(labels))
    if missing.size:
        raise ValueError(
            f"{name} contains NaN or None, first in row {missing[0]}: leave out sequences of unknown class, or make "
            "unknown a class of its own."
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"{name} contains infinity, first in row {np.flatnonzero(np.isinf(labels))[0]}: leave it out.")
    if labels.dtype == object and len({isinstance(label, str) for label in labels}) > 1:
        kinds = {type(label).__name__: label for label in labels}
        raise ValueError(
            f"{name} must hold classes of one kind, texts or numbers; got {', '.join(kinds)}, e.g. "
            f"{quoted(kinds.values())}. Make texts of all of them."
        )
    return labels


def read_classes(classes: Any, n_targets: int, flat: bool) -> list[np.ndarray]:
    """All classes that will ever come, of each target, in order."""
    if flat:
        return [_read_some(classes, "`classes`")]
    parts = list(classes) if isinstance(classes, list | tuple | np.ndarray) else []
    if len(parts) != n_targets or any(isinstance(part, str) or np.ndim(part) != 1 for part in parts):
        raise ValueError(
            f"`classes` must be a list of {n_targets} lists, the classes of each target of y; got {classes!r}."
        )
    return [_read_some(part, f"`classes[{i}]`") for i, part in enumerate(parts)]


def _read_some(classes: Any, name: str) -> np.ndarray:
    """The classes of one target, as they are: NumPy would make texts of numbers that stand beside texts."""
    items = list(classes) if isinstance(classes, list | tuple | set | np.ndarray | pd.Series | pd.Index) else []
    if len(items) < 2 or any(np.ndim(label) for label in items):
        raise ValueError(f"{name} must be a list of at least two classes, such as [0, 1]; got {classes!r}.")
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return np.unique(natural(check_labels(column, name)))


def codes_of(column: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The place of each label among the known ones.

    Examples
    --------
    >>> codes_of(np.array(["up", "down", "up"]), np.array(["down", "up"])).tolist()
    [1, 0, 1]
    """
    places = {label: place for place, label in enumerate(labels.tolist())}
    present, where = np.unique(column, return_inverse=True)
    unknown = [label for label in present.tolist() if label not in places]
    if unknown:
        first = np.flatnonzero(np.isin(column, unknown))[0]
        raise ValueError(
            f"Every class must be known from training sequences, but {quoted(unknown)} (first in row {first} of y) is "
            f"not among {quoted(labels)}. Give `fit` sequences of it to train on, leave these out, or name all classes "
            "in the first call of `partial_fit(classes=...)`."
        )
    return np.array([places[label] for label in present.tolist()], np.int64)[where.ravel()]


def weights_of(class_weight: Any, labels: np.ndarray, column: np.ndarray) -> np.ndarray:
    """What each class counts for; "balanced" looks at the training rows in ``column``, where not all may be present."""
    if class_weight is None:
        return np.ones(labels.size)
    if not isinstance(class_weight, str):
        return compute_class_weight(class_weight, classes=labels, y=column)
    present, found = np.unique(column), np.ones(labels.size)
    found[codes_of(present, labels)] = compute_class_weight(class_weight, classes=present, y=column)
    return found


def encode_labels(labels: np.ndarray) -> dict[str, Any]:
    """Classes as JSON can hold them."""
    kind = labels.dtype
    values = [label.item() if isinstance(label, np.generic) else label for label in labels.tolist()]
    if kind.kind not in KINDS or not all(isinstance(value, bool | int | float | str) for value in values):
        raise TypeError(
            f"Classes must be texts, bools or numbers to be saved; got {quoted(labels)}. Use such classes, or pickle "
            "the classifier."
        )
    return {"dtype": kind.str, "values": values}


def decode_labels(document: dict[str, Any]) -> np.ndarray:
    """The classes again."""
    kind = np.dtype(document["dtype"])
    if kind.kind not in KINDS:
        raise ValueError(f"classes cannot be of dtype {kind}")
    return np.array(document["values"], kind)
