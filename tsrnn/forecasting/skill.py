"""How good forecasts are: mean absolute errors by series and target, and the skill against the naive forecasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tsrnn.data import Panel, WindowIndex, WindowShape
from tsrnn.forecasting.naive import naive_forecast
from tsrnn.forecasting.state import FitState, History, Model

NAIVE = ("last", "seasonal")  # what every forecast is measured against
MOST_WINDOWS, MOST_NUMBERS = 4096, 1 << 21  # that are forecast at a time: memory does not grow with the rows
IN_CACHE = 1 << 17  # of these numbers so many are compared at a time, several times faster than all at once


def actual_values(panel: Panel, windows: WindowIndex, shape: WindowShape, n_targets: int) -> np.ndarray:
    """What came: (windows, horizon, targets), in data units."""
    rows = windows.origin[:, None] + shape.gap + 1 + np.arange(shape.horizon)
    return panel.values[rows, :n_targets]


def windows_at_a_time(numbers: int, most: int = MOST_NUMBERS) -> int:
    """So many that at ``numbers`` for each of them there are ``most``."""
    return min(MOST_WINDOWS, max(1, most // numbers))


def chunks(windows: WindowIndex, numbers: int, most: int = MOST_NUMBERS) -> Iterator[WindowIndex]:
    """The windows, ``windows_at_a_time``."""
    size = windows_at_a_time(numbers, most)
    for start in range(0, len(windows), size):
        part = slice(start, start + size)
        yield WindowIndex(windows.series[part], windows.origin[part])


def mae_by_series(
    history: History, windows: WindowIndex, forecast: Callable[[WindowIndex], np.ndarray], most: int
) -> np.ndarray:
    """Mean absolute error of a forecast, of ``most`` numbers at a time: (series, targets), NaN without a window."""
    panel, numbers = history.panel, history.shape.horizon * history.n_targets
    total = np.zeros((panel.n_series, history.n_targets))
    for part in chunks(windows, numbers, most):
        _add_errors(total, history, part, forecast(part))  # no name for it here: the next would be made beside it
    count = np.bincount(windows.series, minlength=panel.n_series)
    with np.errstate(invalid="ignore"):
        return total / count[:, None] / history.shape.horizon


def _add_errors(total: np.ndarray, history: History, windows: WindowIndex, forecast: np.ndarray) -> None:
    """Add the absolute errors of all rows of the horizon to those of each series; windows are in order of series."""
    done = 0
    for few in chunks(windows, forecast[0].size, IN_CACHE):
        actual = actual_values(history.panel, few, history.shape, history.n_targets)
        errors = np.subtract(forecast[done : done + len(few)], actual, dtype=np.float64)
        np.abs(errors, out=errors)
        first = np.flatnonzero(np.append(True, np.diff(few.series) != 0))
        sums = np.add.reduceat(errors.reshape(len(few), -1), first, axis=0)  # long rows: contiguous additions
        total[few.series[first]] += sums.reshape(len(first), *errors.shape[1:]).sum(axis=1)
        done += len(few)


def model_mae(model: Model, history: History, windows: WindowIndex) -> np.ndarray:
    """Mean absolute error of a model: (series, targets)."""
    return mae_by_series(history, windows, lambda part: model.predict(history, part), MOST_NUMBERS)


def naive_mae(kind: str, season: int, history: History, windows: WindowIndex) -> np.ndarray:
    """Mean absolute error of one of the ``NAIVE`` forecasts: (series, targets)."""
    before = season if kind == "seasonal" else 0

    def forecast(part: WindowIndex) -> np.ndarray:
        return naive_forecast(history.panel, part, history.shape, history.n_targets, before)

    return mae_by_series(history, windows, forecast, IN_CACHE)


def naive_scale(panel: Panel, n_targets: int, season: int, ends: np.ndarray) -> np.ndarray:
    """What MASE and RMSSE divide by: (2, series, targets), NaN where a series is constant or no longer than a season.

    The mean absolute and the mean squared difference of rows a season apart, in the rows of each series before the row
    ``ends``. No more than some thousand rows are looked at together.
    """
    total, count = np.zeros((2, panel.n_series, n_targets)), np.zeros(panel.n_series)
    at_once = max(1, IN_CACHE // (8 * n_targets))  # half a dozen arrays as long
    for start in range(0, panel.n_rows, at_once):
        rows = np.arange(start, min(start + at_once, panel.n_rows))
        series = panel.series_of(rows)
        kept = (rows - season >= panel.indptr[series]) & (rows < ends[series])
        rows, series = rows[kept], series[kept]
        if not len(rows):
            continue
        first = np.flatnonzero(np.append(True, np.diff(series) != 0))
        late, early = panel.values[rows, :n_targets], panel.values[rows - season, :n_targets]
        change = np.subtract(late, early, dtype=np.float64)
        for kind, size in enumerate((np.abs(change), change**2)):
            total[kind, series[first]] += np.add.reduceat(size, first, axis=0)
        count += np.bincount(series, minlength=panel.n_series)
    counts = np.broadcast_to(count[:, None], total.shape)
    return np.divide(total, counts, out=np.full(total.shape, np.nan), where=total > 0)


def rounding(history: History) -> np.ndarray:
    """Errors that float32 makes on its own, for each target."""
    largest = np.abs(history.panel.values[:, : history.n_targets]).max(axis=0)
    return largest.astype(np.float64) * np.finfo(np.float32).eps


def mean_skill(mae: np.ndarray, reference: np.ndarray, small: np.ndarray | float = 0.0) -> float:
    """``1 - mae / reference``, averaged over series and targets.

    Where the naive forecast makes no error (none greater than ``small``) there is nothing to gain: that is a skill of 0
    for a forecast that makes none either, and -1 for one that does.

    Examples
    --------
    >>> mean_skill(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]]))
    0.25
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        skill = 1 - mae / reference
    skill = np.where(reference <= small, np.where(mae <= small, 0.0, -1.0), skill)
    return float(np.nanmean(np.where(np.isnan(mae), np.nan, skill)))


def baseline_skill(model: Model, season: int, history: History, windows: WindowIndex) -> dict[str, float] | None:
    """Skill against each of the ``NAIVE`` forecasts; None where there are no windows."""
    if not len(windows):
        return None
    mae, small = model_mae(model, history, windows), rounding(history)
    return {kind: mean_skill(mae, naive_mae(kind, season, history, windows), small) for kind in NAIVE}


def score(state: FitState, history: History, windows: WindowIndex) -> float:
    """Skill against whichever naive forecast had the lower training error, target by target."""
    last, seasonal = (naive_mae(kind, state.season, history, windows) for kind in NAIVE)
    better = np.where(state.naive_mae[0] <= state.naive_mae[1], last, seasonal)
    return mean_skill(model_mae(state.model, history, windows), better, rounding(history))
