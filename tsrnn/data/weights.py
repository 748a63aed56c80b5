"""Weights of rows: as the user gives them, one for each row of the frame, and as the panel has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsrnn.data.ordering import Order
from tsrnn.data.panel import Panel
from tsrnn.data.windows import WindowIndex, WindowShape


def read_weights(weights: Any, rows: int) -> np.ndarray:
    """Check the weights of a frame's rows.

    Parameters
    ----------
    weights : array-like, shape (rows,)
        How much an error on each row counts: finite, not negative, not all zero.
    rows : int
        Rows of the frame.

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> read_weights([1, 0, 2], rows=3).tolist()
    [1.0, 0.0, 2.0]
    """
    try:
        read = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"`sample_weight` must be an array of numbers, one for each row of X; got {type(weights).__name__} "
            f"({error})."
        ) from error
    if read.shape != (rows,):
        raise ValueError(
            f"`sample_weight` must have one number for each of the {rows} rows of X; got the shape {read.shape}."
        )
    wrong = np.flatnonzero(~np.isfinite(read) | (read < 0))
    if len(wrong):
        raise ValueError(
            f"`sample_weight` must be finite and not negative; {len(wrong)} are not, the first, {read[wrong[0]]:g}, at "
            f"the row position {wrong[0]}. A row that is not to count has the weight 0."
        )
    if not read.any():
        raise ValueError("`sample_weight` must not be zero everywhere: nothing would be learned. Leave it out.")
    return read


def equal_weights(weights: np.ndarray, panel: Panel, windows: WindowIndex, shape: WindowShape) -> np.ndarray:
    """Return weights with which the windows of each series count alike, all together.

    Parameters
    ----------
    weights : ndarray, shape (rows,)
        Of the rows of the panel, which count within each series. A window has the mean weight of its targets.
    panel : Panel
    windows : WindowIndex
        Of training, in order of series.
    shape : WindowShape

    Returns
    -------
    ndarray of float64, shape (rows,)
        The windows of a series weigh one together. A series without windows, or with none that has a weight, keeps the
        weights that it has: they count nowhere.

    Examples
    --------
    >>> from tsrnn.data.windows import WindowShape, all_windows
    >>> panel = Panel(np.zeros((7, 1), np.float32), np.array([0, 5, 7]), ("a", "b"), np.array([0, 0]))
    >>> shape = WindowShape(lookback=1, horizon=1)
    >>> equal_weights(np.ones(7), panel, all_windows(panel, shape), shape).tolist()
    [0.25, 0.25, 0.25, 0.25, 0.25, 1.0, 1.0]
    """
    sums = np.concatenate(([0.0], np.cumsum(weights, dtype=np.float64)))
    first = windows.origin + shape.gap + 1
    of_windows = (sums[first + shape.horizon] - sums[first]) / shape.horizon
    total = np.bincount(windows.series, of_windows, minlength=panel.n_series)
    return weights / np.repeat(np.where(total > 0, total, 1.0), panel.lengths)


def place_weights(weights: np.ndarray, order: Order, position: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the weights of the rows of a grid; a row that is absent has that of the row before it.

    Parameters
    ----------
    weights : ndarray, shape (rows of the table,)
    order : Order
        How the table's rows were sorted and merged; merged rows have their mean weight.
    position : ndarray of int64
        The row of the grid for each ordered row of the table, ascending; each series starts with one.
    n_rows : int
        Rows of the grid.
    """
    source = np.zeros(n_rows, np.int64)
    source[position] = np.arange(len(position))
    return order.gather(weights)[np.maximum.accumulate(source)]
