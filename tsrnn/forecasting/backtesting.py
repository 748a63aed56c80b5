"""How a backtest comes about: forecasts from all origins, what they are measured by, and signs of leakage."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tsrnn._errors import Boolean, LeakageWarning, check_parameter, quoted
from tsrnn.data import Panel, WindowIndex
from tsrnn.evaluation.grouped import Outcomes, check_metrics
from tsrnn.evaluation.leakage import suspicious_covariates
from tsrnn.forecasting.backtest import Backtest
from tsrnn.forecasting.folds import in_folds
from tsrnn.forecasting.naive import naive_forecast
from tsrnn.forecasting.origins import ALL, Fit, Origins, Schedule, as_fitted, in_order, refitted
from tsrnn.forecasting.skill import actual_values, naive_scale
from tsrnn.forecasting.spread import Spread
from tsrnn.forecasting.state import NEVER, FitState, History

if TYPE_CHECKING:
    from tsrnn.forecasting.base import Forecaster

NO_LEVELS = np.empty(0)


def find_origins(forecaster: Forecaster, X: Any, y: Any, schedule: Schedule, folds: Any = None) -> Origins:
    """Those of the schedule, or of folds."""
    if folds is not None:
        return in_folds(forecaster, X, y, folds, schedule, refit=bool(schedule.period))
    return refitted(forecaster, X, y, schedule) if schedule.period else as_fitted(forecaster, X, y, schedule)


def backtest(
    forecaster: Forecaster,
    origins: Origins,
    metrics: Iterable[str] | None,
    owner: str,
    in_sample: bool = False,
    spread: Spread | None = None,
) -> Backtest:
    """Forecast from the origins, beside what came."""
    check_parameter(f"{owner}.backtest", "in_sample", in_sample, Boolean())
    names = check_metrics(f"{owner}.backtest", metrics, has_quantiles=spread is not None)
    known = Known()
    if not origins.refitted:
        origins, known = _out_of_sample(origins, forecaster._fitted(), owner, in_sample)
    for doubt in origins.doubts + _suspicious(origins):  # before it takes time to fit
        warnings.warn(doubt, LeakageWarning, stacklevel=3)
    outcomes, fits, unseen = _outcomes(origins, spread)
    if unseen:
        warnings.warn(_scaled_by_all(unseen), LeakageWarning, stacklevel=3)
    return Backtest(
        name=owner,
        metric_names=names,
        schema=origins.schema,
        panel=origins.panel,
        windows=origins.windows,
        gap=origins.shape.gap,
        outcomes=outcomes,
        fits=fits if origins.refitted else 0,
        left_out=known.left_out,
        validated=known.validated,
        fold=origins.fold,
    )


def _outcomes(origins: Origins, spread: Spread | None) -> tuple[Outcomes, int, list[Any]]:
    """Of all fits; how many there were, and the series that were scaled by rows after the origins too."""
    places, forecast, naive, scale, quantiles = [], [], [], [], []
    unseen: dict[Any, None] = {}
    for fit in origins.fits():
        history, windows = origins.of(fit)
        values, spread_out = origins.forecast_with(fit, spread)
        places.append(fit.places)
        forecast.append(values)
        quantiles += [] if spread_out is None else [spread_out]
        naive.append(better_naive(fit.state, history, windows))
        scale.append(scale_of(fit.state, origins, fit))
        unseen |= dict.fromkeys(_unseen(fit.state, history, windows))
    outcomes = Outcomes(
        truth=actual_values(origins.panel, origins.windows, origins.shape, len(origins.schema.targets)),
        forecast=in_order(places, forecast),
        naive=in_order(places, naive),
        scale=in_order(places, scale, axis=1),
        levels=NO_LEVELS if spread is None else spread.levels,
        quantiles=in_order(places, quantiles) if quantiles else None,
    )
    return outcomes, len(places), list(unseen)


def better_naive(state: FitState, history: History, windows: WindowIndex) -> np.ndarray:
    """The naive forecast with the lower training error, target by target: (windows, horizon, targets)."""
    last = state.naive_mae[0] <= state.naive_mae[1]

    def forecast(season: int) -> np.ndarray:
        return naive_forecast(history.panel, windows, history.shape, history.n_targets, season)

    if last.all():
        return forecast(0)
    return forecast(state.season) if not last.any() else np.where(last, forecast(0), forecast(state.season))


# ---- scales ------------------------------------------------------------------------------------------------------
def scale_of(state: FitState, origins: Origins, fit: Fit) -> np.ndarray:
    """What MASE and RMSSE divide the errors of each window by: (2, windows, targets).

    From the rows that ``fit`` had, or for what it validated on those before; series that it has not seen have their
    rows up to the first origin.
    """
    panel, windows = origins.panel, origins.at(fit.places)
    places = _places(state, panel, len(state.fit_end))
    known = places >= 0
    of_series = np.full((2, 2, panel.n_series, len(origins.schema.targets)), np.nan)
    of_series[:, :, known] = state.scale[:, :, places[known]]
    if not known.all():
        first = panel.indptr[:-1].copy()  # no rows
        new = ~known[windows.series]
        earliest = np.full(panel.n_series, panel.n_rows)
        np.minimum.at(earliest, windows.series[new], windows.origin[new])
        first[~known] = np.minimum(earliest + 1, panel.indptr[1:])[~known]
        of_series[:, :, ~known] = naive_scale(panel, len(origins.schema.targets), state.season, first)[:, None, ~known]
    if origins.refitted:
        after = np.ones(len(windows), np.int64)
    else:
        after = (_first_targets(origins, windows) >= _ends(state, panel, state.fit_end)[windows.series]).astype(int)
    return of_series[:, after, windows.series]


def _places(state: FitState, panel: Panel, count: int) -> np.ndarray:
    """Where the series of a panel stand among the first ones that the state knows; -1 for those that are not there."""
    known = state.tail.ids[:count]
    if panel.ids == known:
        return np.arange(panel.n_series)
    places = {name: place for place, name in enumerate(known)}
    return np.array([places.get(name, -1) for name in panel.ids], np.int64)


def _ends(state: FitState, panel: Panel, ends: np.ndarray) -> np.ndarray:
    """Ticks of the first series that the state knows, for the series of a panel; before all ticks for others.

    Rows that are merely numbered from zero in each table say when they were only if they are the same rows.
    """
    places = _places(state, panel, len(ends))
    found = np.where(places >= 0, ends[places], NEVER)
    if state.schema.is_numbered and not _holds(panel, state.tail):
        found[:] = NEVER
    return found


def _holds(panel: Panel, tail: Panel) -> bool:
    """Whether the one series of a panel has the last rows that are known where they were known."""
    rows = np.arange(tail.offsets[0], tail.end_ticks[0]) - panel.offsets[0]
    return bool(rows[0] >= 0 and rows[-1] < panel.n_rows and np.array_equal(panel.values[rows], tail.values))


def _first_targets(origins: Origins, windows: WindowIndex) -> np.ndarray:
    """Tick of the first row that each window forecasts."""
    return origins.panel.ticks(windows.origin) + origins.shape.gap + 1


# ---- signs of leakage --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Known:
    """How many origins forecast rows that the forecaster was trained on (and were left out) or validated on."""

    left_out: int = 0
    validated: int = 0


def _out_of_sample(origins: Origins, state: FitState, owner: str, in_sample: bool) -> tuple[Origins, Known]:
    """Leave out origins whose rows the forecaster was trained on, or tell of them."""
    first, series = _first_targets(origins, origins.windows), origins.windows.series
    trained = first < _ends(state, origins.panel, state.train_end)[series]
    had = first < _ends(state, origins.panel, state.fit_end)[series]
    count, total = int(np.count_nonzero(trained)), len(trained)
    validated = int(np.count_nonzero(had & ~trained))
    if not count:
        return origins, Known(0, validated)
    remedy = "Fit on earlier rows, or give `refit=True`, which fits anew on the rows before each origin"
    if in_sample:
        what = f"{count} of {total} origins forecast rows that {owner} was trained on, and count. {remedy}."
        warnings.warn(what, LeakageWarning, stacklevel=4)
        return origins, Known(0, validated)
    if count == total:
        raise ValueError(
            f"All {total} origins in X forecast rows that {owner} was trained on: none is left to test. {remedy}; "
            "`in_sample=True` counts them all the same."
        )
    places = np.flatnonzero(~trained)
    kept = replace(
        origins,
        windows=origins.at(places),
        fits=lambda: iter([Fit(state, ALL)]),
        fold=None if origins.fold is None else origins.fold[places],
    )
    return kept, Known(count, validated)


def _unseen(state: FitState, history: History, windows: WindowIndex) -> list[Any]:
    """Series that have no scale from training, so that rows after origins made it.

    Of series that came with ``update`` those rows did with which they came; of others all rows here.
    """
    panel = history.panel
    if state.scaling.scope == "global" or panel.ids == state.tail.ids[: len(state.fit_end)]:
        return []
    places = _places(state, panel, state.tail.n_series)
    scaled_until = np.where(places < 0, np.iinfo(np.int64).max, state.tail.end_ticks[places])
    scaled_until[(places >= 0) & (places < len(state.fit_end))] = NEVER
    before = panel.ticks(windows.origin) + 1 < scaled_until[windows.series]
    return [panel.ids[s] for s in np.unique(windows.series[before]).tolist()]


def _scaled_by_all(unseen: list[Any]) -> str:
    return (
        f"{len(unseen)} series that the fit has not seen are scaled by rows after the origins too: {quoted(unseen)}. "
        "Fit on their earlier rows, or give `scaler_scope='global'`."
    )


def _suspicious(origins: Origins) -> list[str]:
    schema, n_targets = origins.schema, len(origins.schema.targets)
    channels = range(n_targets, n_targets + len(schema.past_covariates))
    season = schema.axis.season()
    found = suspicious_covariates(origins.panel, n_targets, channels, origins.shape.reach, season)
    names = schema.channels
    return [
        f"The past covariate {names[suspect.channel]!r} is nearly equal to the target {names[suspect.target]!r} "
        f"{suspect.lag} rows later (correlation {suspect.correlation:.4f}; the target with its own past: "
        f"{suspect.own:.4f}). It is read up to the present, but may hold what is to come: check how it was made (a "
        "shift the wrong way, a centred mean), or leave it out of `past_covariates`."
        for suspect in found
    ]
