"""What ``fit`` learned, put together: the model, the errors of the naive forecasts, the last rows of each series."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsrnn.data import Panel, Scaling, WindowIndex, WindowShape, fit_scaling, stamp_of
from tsrnn.forecasting.calibration import MOST_SCORES, SCORES_AT_ONCE, Calibration, Outlook
from tsrnn.forecasting.prepare import Prepared, Split
from tsrnn.forecasting.skill import NAIVE, actual_values, baseline_skill, chunks, naive_mae, naive_scale
from tsrnn.forecasting.state import FitState, Fitted, History, Model

MOST_CUTOFFS = 1000  # series whose border is told


def fit_state(prepared: Prepared, fitted: Fitted, seed: int, n_jobs: int | None) -> FitState:
    """All that is kept of a fit."""
    model, season, shape = fitted.model, prepared.season, prepared.shape
    training, validation = prepared.training, prepared.validation

    def history(split: Split) -> History:
        return History(split.panel, shape, prepared.n_targets, prepared.scaling, n_jobs)

    own = history(training)
    skill = baseline_skill(model, season, history(validation), validation.windows)
    calibration = calibrate(model, history(validation), validation.windows, _units(prepared))
    return FitState(
        schema=prepared.schema,
        shape=shape,
        scaling=prepared.scaling,
        model=model,
        tail=last_rows(training.panel, shape, model),
        season=season,
        train_end=training.panel.offsets + prepared.train_end - training.panel.indptr[:-1],
        fit_end=training.panel.end_ticks,
        naive_mae=np.array([np.nanmean(naive_mae(kind, season, own, training.windows), axis=0) for kind in NAIVE]),
        scale=np.stack(
            [
                naive_scale(training.panel, prepared.n_targets, season, ends)
                for ends in (prepared.train_end, training.panel.indptr[1:])
            ],
            axis=1,
        ),
        skill=skill,
        calibration=calibration,
        history=fitted.history,
        best_epoch=fitted.best_epoch,
        stopped=fitted.stopped,
        report=prepared.report,
        cutoff=_cutoff(prepared),
        seed=seed if fitted.seed is None else fitted.seed,
    )


def calibrate(model: Model, history: History, windows: WindowIndex, units: Scaling) -> Calibration | None:
    """The scores of validation windows; None where there are none."""
    if not len(windows):
        return None
    some = np.unique(np.linspace(0, len(windows) - 1, min(len(windows), MOST_SCORES)).round().astype(np.int64))
    chosen = WindowIndex(windows.series[some], windows.origin[some])
    scores, done = np.empty((len(chosen), history.shape.horizon, history.n_targets), np.float32), 0
    for part in chunks(chosen, scores[0].size, SCORES_AT_ONCE):
        actual = actual_values(history.panel, part, history.shape, history.n_targets)
        scores[done : done + len(part)] = Outlook.of(model, history, part, units).scores(actual)
        done += len(part)
    return Calibration(scores, units)


def _units(prepared: Prepared) -> Scaling:
    """The spread of each series, that errors of series of different sizes are alike."""
    if prepared.scaling.scope == "series" and not prepared.scaling.counts:
        return prepared.scaling
    return fit_scaling(prepared.training.panel, prepared.train_end, "standard", "series")


def last_rows(panel: Panel, shape: WindowShape, model: Model) -> Panel:
    """What is kept of a panel: the history of every window that one more row completes."""
    return replace(panel.tail(max(shape.total - 1, model.memory)), weights=None)


def _cutoff(prepared: Prepared) -> list[str]:
    """First validation stamp of each series that has training and validation rows; one where it is the same for all."""
    panel, ends = prepared.training.panel, prepared.train_end
    inside = np.flatnonzero((ends > panel.indptr[:-1]) & (ends < panel.indptr[1:]))[:MOST_CUTOFFS]
    stamps = [str(stamp_of(prepared.schema, panel, int(ends[series]))) for series in inside]
    return stamps[:1] if len(set(stamps)) == 1 else stamps
