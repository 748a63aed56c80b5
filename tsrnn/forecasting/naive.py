"""The last-value and seasonal naive forecasts: what every other forecast is measured against."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tsrnn.data import Panel, WindowIndex, WindowShape

CHUNK = 4096  # windows that are forecast at a time


def naive_forecast(panel: Panel, windows: WindowIndex, shape: WindowShape, n_targets: int, season: int) -> np.ndarray:
    """The value one season before, or with ``season=0`` the last value.

    Where a series does not reach back a whole season before the first forecast row, its last value stands in.

    Returns
    -------
    ndarray of shape (windows, horizon, targets)
        In data units.
    """
    origin = windows.origin[:, None]
    rows = np.broadcast_to(origin, (len(windows), shape.horizon))
    if season:
        ahead = shape.gap + 1 + np.arange(shape.horizon)
        before = origin + ahead - season * -(-ahead // season)
        rows = np.where(before >= panel.indptr[windows.series][:, None], before, rows)
    return panel.values[rows, :n_targets]


def actual_values(panel: Panel, windows: WindowIndex, shape: WindowShape, n_targets: int) -> np.ndarray:
    """What came: (windows, horizon, targets), in data units."""
    rows = windows.origin[:, None] + shape.gap + 1 + np.arange(shape.horizon)
    return panel.values[rows, :n_targets]


def chunks(windows: WindowIndex, size: int = CHUNK) -> Iterator[WindowIndex]:
    """The windows, some at a time."""
    for start in range(0, len(windows), size):
        part = slice(start, start + size)
        yield WindowIndex(windows.series[part], windows.origin[part])


def mae_by_series(
    panel: Panel,
    windows: WindowIndex,
    shape: WindowShape,
    n_targets: int,
    forecast: Callable[[WindowIndex], np.ndarray],
) -> np.ndarray:
    """Mean absolute error of a forecast: (series, targets), NaN for series without a window."""
    total, count = np.zeros((panel.n_series, n_targets)), np.zeros(panel.n_series)
    for part in chunks(windows):
        errors = np.abs(np.asarray(forecast(part), np.float64) - actual_values(panel, part, shape, n_targets))
        np.add.at(total, part.series, errors.mean(axis=1))
        np.add.at(count, part.series, 1)
    with np.errstate(invalid="ignore"):
        return total / count[:, None]


def mean_skill(mae: np.ndarray, naive_mae: np.ndarray) -> float:
    """``1 - mae / naive_mae``, averaged over series and targets.

    Where the naive forecast makes no error there is nothing to gain: that is a skill of 0 for a forecast that makes
    none either, and -1 for one that does.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        skill = 1 - mae / naive_mae
    skill = np.where(naive_mae == 0, np.where(mae == 0, 0.0, -1.0), skill)
    return float(np.nanmean(np.where(np.isnan(mae), np.nan, skill)))
