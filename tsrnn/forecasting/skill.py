"""How good forecasts are: mean absolute errors by series and target, and the skill against the naive forecasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tsrnn.data import Panel, WindowIndex, WindowShape
from tsrnn.forecasting.naive import naive_forecast
from tsrnn.forecasting.state import FitState, History, Model

NAIVE = ("last", "seasonal")  # what every forecast is measured against
CHUNK = 4096  # windows that are forecast at a time


def actual_values(panel: Panel, windows: WindowIndex, shape: WindowShape, n_targets: int) -> np.ndarray:
    """What came: (windows, horizon, targets), in data units."""
    rows = windows.origin[:, None] + shape.gap + 1 + np.arange(shape.horizon)
    return panel.values[rows, :n_targets]


def chunks(windows: WindowIndex, size: int = CHUNK) -> Iterator[WindowIndex]:
    """The windows, some at a time."""
    for start in range(0, len(windows), size):
        part = slice(start, start + size)
        yield WindowIndex(windows.series[part], windows.origin[part])


def mae_by_series(history: History, windows: WindowIndex, forecast: Callable[[WindowIndex], np.ndarray]) -> np.ndarray:
    """Mean absolute error of a forecast: (series, targets), NaN for series without a window."""
    panel, shape, n_targets = history.panel, history.shape, history.n_targets
    total, count = np.zeros((panel.n_series, n_targets)), np.zeros(panel.n_series)
    for part in chunks(windows):
        errors = np.abs(np.asarray(forecast(part), np.float64) - actual_values(panel, part, shape, n_targets))
        np.add.at(total, part.series, errors.mean(axis=1))
        np.add.at(count, part.series, 1)
    with np.errstate(invalid="ignore"):
        return total / count[:, None]


def model_mae(model: Model, history: History, windows: WindowIndex) -> np.ndarray:
    """Mean absolute error of a model: (series, targets)."""
    return mae_by_series(history, windows, lambda part: model.predict(history, part))


def naive_mae(kind: str, season: int, history: History, windows: WindowIndex) -> np.ndarray:
    """Mean absolute error of one of the ``NAIVE`` forecasts: (series, targets)."""
    before = season if kind == "seasonal" else 0

    def forecast(part: WindowIndex) -> np.ndarray:
        return naive_forecast(history.panel, part, history.shape, history.n_targets, before)

    return mae_by_series(history, windows, forecast)


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
