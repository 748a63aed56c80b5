"""What the metrics share: checks of the arrays, averages that keep one axis, and the scale of scaled errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsrnn._errors import Integer, NoneOr, Options, check_parameter

By: TypeAlias = Literal["window", "horizon", "target"] | None
Floats: TypeAlias = NDArray[np.float64]

_AXES = {"window": 0, "horizon": 1, "target": 2}


def checked(
    owner: str, by: str | None, y_true: ArrayLike, y_pred: ArrayLike, *, name: str = "y_pred"
) -> tuple[Floats, Floats]:
    """Both arrays in float64, three-dimensional, of one shape and finite."""
    check_parameter(owner, "by", by, NoneOr(Options(*_AXES)))
    true, pred = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    if true.ndim != 3 or true.shape != pred.shape:
        raise ValueError(
            f"{owner} needs y_true and {name} of the same shape (n_windows, horizon, targets); "
            f"got {true.shape} and {pred.shape}."
        )
    if true.size == 0:
        raise ValueError(f"{owner} of nothing is not defined; got arrays of shape {true.shape}.")
    for label, values in (("y_true", true), (name, pred)):
        if not np.isfinite(values).all():
            window, step, target = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
            raise ValueError(
                f"{owner} needs finite values; {label} holds {values[window, step, target]} "
                f"in window {window}, step {step}, target {target}. Leave such windows out."
            )
    return true, pred


def column_metric(metric: Callable[..., float | Floats], true: Floats, pred: Floats, by: By) -> float | Floats:
    """A metric of scikit-learn, which averages over rows: the kept axis becomes the columns."""
    if by is None:
        return float(metric(true.reshape(-1, 1), pred.reshape(-1, 1)))
    axis = _AXES[by]
    rows_true, rows_pred = (np.moveaxis(a, axis, -1).reshape(-1, a.shape[axis]) for a in (true, pred))
    return np.asarray(metric(rows_true, rows_pred, multioutput="raw_values"))


def mean(values: Floats, by: str | None) -> float | Floats:
    """The mean over all axes but the kept one."""
    if by is None:
        return float(values.mean())
    return np.asarray(values.mean(axis=tuple(axis for name, axis in _AXES.items() if name != by)))


def naive_scale(
    owner: str,
    y_train: ArrayLike | Sequence[ArrayLike],
    season: int,
    shape: tuple[int, ...],
    size: Callable[[Floats], Floats],
) -> Floats:
    """The mean size of the training part's seasonal differences: (n_windows or 1, C)."""
    check_parameter(owner, "season", season, Integer(1))
    n_windows, _, n_targets = shape
    series = _training_series(y_train)
    if len(series) not in (1, n_windows):
        raise ValueError(f"{owner} needs one training series, or one for each window ({n_windows}); got {len(series)}.")
    scale = np.empty((len(series), n_targets))
    for row, values in enumerate(series):
        if values.ndim != 2 or values.shape[1] != n_targets or len(values) <= season:
            raise ValueError(
                f"{owner} needs training series of shape (T, {n_targets}) with T greater than the season of {season}; "
                f"got {values.shape} for series {row}."
            )
        scale[row] = size(values[season:] - values[:-season]).mean(axis=0)
        usable = np.isfinite(scale[row]) & (scale[row] > 0.0)
        if not usable.all():
            target = int(np.argmin(usable))
            raise ValueError(
                f"{owner} divides by the error of the naive forecast on the training series, which is "
                f"{scale[row, target]:g} for series {row}, target {target} at a season of {season}. "
                "Leave that series out, or use mae."
            )
    return scale


def _training_series(y_train: ArrayLike | Sequence[ArrayLike]) -> list[Floats]:
    """One series for all windows, or one for each, all two-dimensional; a nested list is a list of series."""
    if isinstance(y_train, list | tuple) and any(np.ndim(item) > 0 for item in y_train):
        several = [np.asarray(item, dtype=np.float64) for item in y_train]
    else:
        whole = np.asarray(y_train, dtype=np.float64)
        several = list(whole) if whole.ndim == 3 else [whole]
    return [values[:, None] if values.ndim == 1 else values for values in several]
