"""Origins to forecast from, and the model that forecasts each: as it was fitted, or fitted anew on the rows before."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from tsrnn._errors import AnyOf, BelowNaiveWarning, Boolean, Integer, NoneOr, Options, check_fields
from tsrnn._networks import NetworkTraining, was_interrupted
from tsrnn.data import Panel, Schema, WindowIndex, WindowShape, all_windows, locate_rows, read_training
from tsrnn.data.names import count_rows
from tsrnn.forecasting.prepare import resolve_shape, roles_of, rules_of
from tsrnn.forecasting.skill import MOST_NUMBERS
from tsrnn.forecasting.spread import Spread, spread_windows
from tsrnn.forecasting.state import FitState, History

if TYPE_CHECKING:
    from tsrnn.forecasting.base import Forecaster

ALL = slice(None)
Refit: TypeAlias = bool | int | Literal["never", "always"]


@final
@dataclass(frozen=True)
class Schedule:
    """Where origins are, and when a model is fitted anew.

    Attributes
    ----------
    every : int
        Distance of the origins in rows.
    refit : bool, int, "never" or "always"
        Never; at every origin; at every k-th.
    window : {"expanding", "rolling"}
        All rows up to the origin, or the last ``train_length`` of them.
    train_length : int or None
        Rows before the first origin; None: half of them all.
    owner : str
        Whose parameters these are, for messages.
    """

    every: int = 1
    refit: Refit = False
    window: Literal["expanding", "rolling"] = "expanding"
    train_length: int | None = None
    owner: str = "a backtest"

    def __post_init__(self) -> None:
        constraints = {
            "every": Integer(1),
            "refit": AnyOf(Boolean(), Integer(1), Options("never", "always")),
            "window": Options("expanding", "rolling"),
            "train_length": NoneOr(Integer(1)),
        }
        check_fields(self, constraints, self.owner)

    @property
    def period(self) -> int:
        """Origins from one fit to the next; 0 for none."""
        return {"never": 0, "always": 1}[self.refit] if isinstance(self.refit, str) else int(self.refit)

    def refuse_unused(self) -> None:
        """Parameters of fits, where nothing is fitted."""
        if self.train_length is not None or self.window != "expanding":
            raise ValueError(
                f"`train_length` and `window` of {self.owner} say what is fitted on, but nothing is fitted with "
                f"`refit={self.refit!r}`. Give `refit=True`, or leave them out."
            )


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model, and the places of the origins that it forecasts."""

    state: FitState
    places: np.ndarray | slice


@final
@dataclass(frozen=True, eq=False)
class Origins:
    """Origins on the rows of a panel, with the models that forecast them; each is fitted when it is asked for."""

    schema: Schema
    panel: Panel
    shape: WindowShape
    windows: WindowIndex
    fits: Callable[[], Iterator[Fit]]
    n_jobs: int | None
    refitted: bool
    fold: np.ndarray | None = None
    doubts: list[str] = field(default_factory=list)  # signs of leakage

    def of(self, fit: Fit) -> tuple[History, WindowIndex]:
        """What one model forecasts from."""
        history = History(self.panel, self.shape, len(self.schema.targets), fit.state.scaling, self.n_jobs)
        return history, self.at(fit.places)

    def at(self, places: np.ndarray | slice) -> WindowIndex:
        """Some of the windows."""
        return WindowIndex(self.windows.series[places], self.windows.origin[places])

    def forecast(self, spread: Spread | None = None) -> tuple[np.ndarray, np.ndarray | None]:
        """Forecasts from all origins, (origins, horizon, targets), in data units, and quantiles with an axis of levels
        where they are asked for."""
        found = [(fit.places, *self.forecast_with(fit, spread)) for fit in self.fits()]
        places = [place for place, _, _ in found]
        quantiles = [values for _, _, values in found if values is not None]
        return in_order(places, [values for _, values, _ in found]), in_order(places, quantiles) if quantiles else None

    def forecast_with(self, fit: Fit, spread: Spread | None) -> tuple[np.ndarray, np.ndarray | None]:
        """One model's forecasts, and quantiles."""
        history, windows = self.of(fit)
        if spread is None:
            return forecast_windows(fit.state, history, windows), None
        return spread_windows(fit.state, history, windows, spread)


def in_order(places: list[np.ndarray | slice], parts: list[np.ndarray], axis: int = 0) -> np.ndarray:
    """Arrays of the origins of each fit as one array of all origins; a copy only where there are several."""
    if len(parts) == 1:
        return parts[0]
    order = np.concatenate([place for place in places if not isinstance(place, slice)])  # a slice is all, and alone
    return np.take(np.concatenate(parts, axis), np.argsort(order), axis)


def forecast_windows(state: FitState, history: History, windows: WindowIndex) -> np.ndarray:
    """Forecasts (windows, horizon, targets) of one model, so many at a time that memory does not grow with them."""
    at_once = max(1, MOST_NUMBERS // (history.shape.horizon * history.n_targets))  # each call has to make its threads
    parts = []
    for start in range(0, len(windows), at_once):
        part = slice(start, start + at_once)
        found = state.model.predict(history, WindowIndex(windows.series[part], windows.origin[part]))
        parts.append(np.asarray(found, np.float64))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def as_fitted(forecaster: Forecaster, X: Any, y: Any, schedule: Schedule) -> Origins:
    """Every origin in X, with the forecaster as it is."""
    schedule.refuse_unused()
    state = forecaster._fitted()
    panel = forecaster._read(X, y)
    windows = all_windows(panel, state.shape, schedule.every)
    return Origins(
        state.schema,
        panel,
        state.shape,
        windows,
        lambda: iter([Fit(state, ALL)]),
        forecaster.n_jobs,
        refitted=False,
    )


def refitted(forecaster: Forecaster, X: Any, y: Any, schedule: Schedule, reads: int = 1, once: bool = False) -> Origins:
    """Origins after the first training part; at each, the model was fitted on rows up to it or an earlier one.

    ``reads`` is how many rows of history there must be at least, where others read more than this forecaster does;
    with ``once`` there is one fit, before the first origin.
    """
    schema, panel, _ = read_training(X, y, roles_of(forecaster), rules_of(forecaster))
    first, rows = int(panel.offsets.min()), int(panel.end_ticks.max() - panel.offsets.min())
    train_length = max(1, rows // 2) if schedule.train_length is None else schedule.train_length
    shape = shape_of(forecaster, panel, schema, train_length)
    _refuse_little(schedule, shape, rows, train_length)
    windows = all_windows(panel, WindowShape(max(reads, shape.span), shape.horizon, shape.gap), schedule.every)
    ticks = panel.ticks(windows.origin)
    kept = ticks >= first + train_length - 1
    windows, ticks = WindowIndex(windows.series[kept], windows.origin[kept]), ticks[kept]
    begin = int(ticks.min())
    turn = np.zeros(len(ticks), np.int64) if once else (ticks - begin) // (schedule.every * schedule.period)
    located = locate_rows(X, y, schema, panel)
    moments = np.where(located >= 0, panel.ticks(np.maximum(located, 0)), np.iinfo(np.int64).max)

    def fits() -> Iterator[Fit]:
        for number in np.unique(turn).tolist():
            last = begin + number * schedule.every * schedule.period
            inside = moments <= last
            if schedule.window == "rolling":
                inside &= moments > last - train_length
            what = f"the {train_length if schedule.window == 'rolling' else last - first + 1} rows of time up to "
            what += str(schema.axis.stamps([last])[0])
            yield Fit(
                fit_on(forecaster, X, y, np.flatnonzero(inside), schema, shape, what), np.flatnonzero(turn == number)
            )

    return Origins(schema, panel, shape, windows, fits, forecaster.n_jobs, refitted=True)


def shape_of(forecaster: Forecaster, panel: Panel, schema: Schema, train_length: int) -> WindowShape:
    """Windows of all fits: "auto" is what the forecaster was fitted with, or what its first fit will find."""
    resolved = resolve_shape(forecaster, panel.tail(train_length), schema.axis.season(), forecaster.validation_fraction)
    if "state_" not in vars(forecaster):
        return resolved
    before = forecaster.state_.shape
    lookback = before.lookback if forecaster.lookback == "auto" else resolved.lookback
    horizon = before.horizon if forecaster.horizon == "auto" else resolved.horizon
    return WindowShape(lookback, horizon, resolved.gap, resolved.sampling_rate)


def _refuse_little(schedule: Schedule, shape: WindowShape, rows: int, train_length: int) -> None:
    least = max(train_length, shape.total)
    if train_length >= shape.total and rows >= train_length + shape.reach:
        return
    default = " (by default half of the rows)" if schedule.train_length is None else ""
    raise ValueError(
        f"{schedule.owner} with refits needs at least {least} rows to train on before the first origin (one window "
        f"takes {shape.span} of history and {shape.reach} to the end of the horizon) and {shape.reach} after it: "
        f"{least + shape.reach} in all. Got {count_rows(rows)} and `train_length={train_length}`{default}. Give more "
        "history, or another `train_length`, or shorten `lookback` or `horizon`."
    )


def fit_on(
    forecaster: Forecaster, X: Any, y: Any, rows: np.ndarray, schema: Schema, shape: WindowShape, what: str
) -> FitState:
    """What a clone learns from some rows of the table, and from nothing else.

    Windows and frequency are those of the whole table, so that all fits forecast alike; series that are still shorter
    than a window take no part.
    """
    model = clone(forecaster).set_params(lookback=shape.lookback, horizon=shape.horizon)
    if isinstance(model, NetworkTraining):
        model.set_params(checkpoint=None)  # which is of one fit, and these are many, each on rows of its own
    if model.freq is None:
        model.set_params(freq=schema.axis.step if schema.axis.kind == "integer" else schema.axis.label)
    if schema.is_panel:
        model.set_params(min_length=max(shape.total, model.min_length or 0))
    some_y = None if y is None else _safe_indexing(y, rows)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BelowNaiveWarning)  # the metrics say it
            state = model.fit(_safe_indexing(X, rows), some_y).state_
    except ValueError as error:
        raise ValueError(f"The fit on {what} failed: {error}") from error
    if was_interrupted(state.stopped):
        raise KeyboardInterrupt
    if state.schema.channels != schema.channels:
        raise ValueError(
            f"The fit on {what} read the columns {list(state.schema.channels)}, the whole table has "
            f"{list(schema.channels)}. Name them with `target=` and `past_covariates=`."
        )
    return state
