"""A history that goes on: with new rows, and with the series that they bring."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsrnn.data import Panel, WindowIndex, WindowShape, completed_windows, end_windows
from tsrnn.data.following import first_new_rows
from tsrnn.forecasting.assemble import last_rows
from tsrnn.forecasting.declared import WindowParameters
from tsrnn.forecasting.prepare import Prepared, Split
from tsrnn.forecasting.state import NEVER, FitState, Fitted


def moved_on(state: FitState, panel: Panel) -> FitState:
    """The state with the history of ``panel``, which goes on that of the state; nothing is learned.

    Series that are new keep, from now on, the scale of the rows that they came with. To backtests they are as series
    that the fit has not seen: scales that errors are divided by are of the rows that it had.
    """
    end_windows(panel, state.shape)  # says how much history a series needs
    calibration = state.calibration
    if calibration is not None:
        calibration = replace(calibration, units=calibration.units.rows_for(panel)[0])
    return replace(
        state,
        tail=last_rows(panel, state.shape, state.model),
        scaling=state.scaling.rows_for(panel)[0],
        calibration=calibration,
    )


def retrained(state: FitState, fitted: Fitted, training: Split) -> FitState:
    """The state, which has moved on, with the model of a later training.

    No validation rows say how good it is; how far it is off is still what those of the last fit said of the model
    before.
    """
    how = {name: getattr(fitted, name) for name in ("history", "best_epoch", "stopped", "seed")}
    train_end = np.full(training.panel.n_series, NEVER)
    train_end[: len(state.train_end)] = state.train_end
    learned = np.unique(training.windows.series)
    train_end[learned] = training.panel.end_ticks[learned]
    return replace(state, model=fitted.model, skill=None, train_end=train_end, **how)


def refuse_other_windows(settings: WindowParameters, shape: WindowShape) -> None:
    """Refuse parameters that ask for other windows than those that were learned."""
    for name in ("lookback", "horizon", "gap", "sampling_rate"):
        given, learned = getattr(settings, name), getattr(shape, name)
        if given not in ("auto", learned):
            raise ValueError(
                f"`partial_fit` goes on with the windows of the last `fit`, which has `{name}={learned}`; got {given}. "
                "Set it back, or call `fit`."
            )


def newly_complete(state: FitState, panel: Panel, shape: WindowShape, stride: int) -> Prepared:
    """What there is to learn from rows that were put behind the state's history: windows that they complete.

    ``shape`` is that of the windows that the model is trained on.
    """
    windows = completed_windows(panel, shape, first_new_rows(state.tail, panel), stride)
    if not len(windows):
        raise ValueError(
            f"The rows complete no window to learn from: a series that is new must have {shape.total} rows; got "
            f"{panel.lengths.min()}. Give more of them, or call `update`, which learns nothing."
        )
    none = WindowIndex(np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Prepared(
        schema=state.schema,
        shape=state.shape,
        scaling=state.scaling.rows_for(panel)[0],
        season=state.season,
        training=Split(panel, windows),
        validation=Split(panel, none),
        train_end=panel.indptr[1:],
        weights=np.zeros(0, np.float32),
        report=state.report,
    )
