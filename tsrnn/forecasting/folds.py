"""Folds of a splitter as origins: the model of each is fitted on its training rows and forecasts its test rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import check_cv

from tsrnn._errors import Integer
from tsrnn.data import Panel, WindowIndex, WindowShape, all_windows, locate_rows, read_training
from tsrnn.data.names import count_rows
from tsrnn.evaluation.leakage import overlapping_folds
from tsrnn.evaluation.split import Fold, PanelTimeSeriesSplit
from tsrnn.forecasting.origins import ALL, Fit, Origins, Schedule, fit_on, shape_of
from tsrnn.forecasting.prepare import roles_of, rules_of

if TYPE_CHECKING:
    from tsrnn.forecasting.base import Forecaster


def in_folds(
    forecaster: Forecaster, X: Any, y: Any, folds: Any, schedule: Schedule, refit: bool, reads: int = 1
) -> Origins:
    """Origins whose forecast rows all lie in the test part of a fold; their history may lie before it.

    Without ``refit`` the forecaster forecasts as it is. ``reads`` as in `refitted`.
    """
    if schedule.train_length is not None or schedule.window == "rolling":
        raise ValueError(
            f"`train_length` and `window` of {schedule.owner} are not for folds, which say themselves what is trained "
            "on. Leave them out; splitters have `max_train_size=`."
        )
    pairs = _pairs(forecaster, X, y, folds, schedule.owner)
    if refit:
        schema, panel, _ = read_training(X, y, roles_of(forecaster), rules_of(forecaster))
    else:
        schema, panel = forecaster._fitted().schema, forecaster._read(X, y)
    located = locate_rows(X, y, schema, panel)
    moments = panel.ticks(np.maximum(located, 0))
    train = [part[located[part] >= 0] for part, _ in pairs]
    shape = shape_of(forecaster, panel, schema, _length(moments, train[0])) if refit else forecaster._fitted().shape
    window = WindowShape(max(reads, shape.span), shape.horizon, shape.gap)
    found = [
        _tested(panel, window, located[test], schedule, number, count_rows(len(test)))
        for number, (_, test) in enumerate(pairs)
    ]
    period = max(1, schedule.period)
    fold = np.repeat(np.arange(len(found)), [len(windows) for windows in found])
    windows = WindowIndex(*(np.concatenate([getattr(w, part) for w in found]) for part in ("series", "origin")))

    def fits() -> Iterator[Fit]:
        if not refit:
            yield Fit(forecaster._fitted(), ALL)
            return
        for number in range(0, len(pairs), period):
            state = fit_on(forecaster, X, y, pairs[number][0], schema, shape, f"the training part of fold {number}")
            yield Fit(state, np.flatnonzero(fold // period == number // period))

    tested = [(part, test[located[test] >= 0]) for part, (_, test) in zip(train, pairs, strict=True)]
    signs = overlapping_folds(tested, moments)
    remedy = "Use a splitter that goes forward in time, such as TimeSeriesSplit or (many series) PanelTimeSeriesSplit."
    doubts = [f"The folds overlap: {'; '.join(signs)}. {remedy}"] if signs else []
    return Origins(schema, panel, shape, windows, fits, forecaster.n_jobs, refit, fold, doubts)


def _pairs(forecaster: Forecaster, X: Any, y: Any, folds: Any, owner: str) -> list[Fold]:
    """Training and test rows of each fold."""
    if Integer().accepts(folds):
        folds = PanelTimeSeriesSplit(n_splits=folds, id_col=forecaster.id_col, time_col=forecaster.time_col)
    try:
        splitter = check_cv(folds)
    except ValueError as error:
        raise TypeError(
            f"`folds` of {owner} must be a splitter such as PanelTimeSeriesSplit(5), a number of folds, or pairs of "
            f"training and test rows; got {type(folds).__name__}."
        ) from error
    pairs = [(np.sort(np.asarray(train)), np.sort(np.asarray(test))) for train, test in splitter.split(X, y)]
    if not pairs:
        raise ValueError(f"`folds` of {owner} must hold at least one fold; got none.")
    rows = len(X)
    for number, pair in enumerate(pairs):
        for part, positions in zip(("trains on", "tests"), pair, strict=True):
            if not len(positions) or positions[0] < 0 or positions[-1] >= rows:
                got = f"{positions[0]} to {positions[-1]}" if len(positions) else "none"
                raise ValueError(
                    f"Fold {number} must hold positions of the {rows} rows of X; those that it {part} are {got}. Split "
                    "the same X that is tested."
                )
    return pairs


def _tested(
    panel: Panel, shape: WindowShape, rows: np.ndarray, schedule: Schedule, number: int, size: str
) -> WindowIndex:
    """The windows of a fold, ``every`` so many rows back from its last one."""
    is_tested = np.zeros(panel.n_rows + 1, np.int64)
    is_tested[1:][rows[rows >= 0]] = 1
    before = np.cumsum(is_tested)  # tested rows before each row
    windows = all_windows(panel, shape)
    first = windows.origin + shape.gap + 1
    kept = np.flatnonzero(before[first + shape.horizon] - before[first] == shape.horizon)
    if not len(kept):
        raise ValueError(
            f"Fold {number} tests {size}, in which no forecast fits: it takes {count_rows(shape.horizon)} in a row "
            f"(`horizon`), with {shape.span} of history (`lookback`) and a gap of {shape.gap} before them in X. Give "
            "the folds more rows (`test_size=`), or shorten `horizon` or `lookback`."
        )
    ticks = panel.ticks(windows.origin[kept])
    kept = kept[(ticks.max() - ticks) % schedule.every == 0]
    return WindowIndex(windows.series[kept], windows.origin[kept])


def _length(moments: np.ndarray, rows: np.ndarray) -> int:
    """How many rows of time these stretch over; a fold may hold none that can be read."""
    return int(np.ptp(moments[rows])) + 1 if len(rows) else 1
