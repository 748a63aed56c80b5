"""One forecast of one series with all that is around it, as pictures show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from tsrnn._errors import Integer, NoneOr, check_parameter, did_you_mean, quoted
from tsrnn.data import Panel, Schema, TimeAxis, WindowIndex, end_windows, stamp_of
from tsrnn.forecasting.comparison import check_target
from tsrnn.forecasting.origins import forecast_windows
from tsrnn.forecasting.spread import Spread, calibration_of, outlook_of, spread_windows
from tsrnn.forecasting.state import FitState, History

if TYPE_CHECKING:
    from tsrnn.forecasting.base import Forecaster


@final
@dataclass(frozen=True, eq=False)
class ForecastView:
    """A forecast of one target of one series; all of it indexed by stamps.

    Attributes
    ----------
    series : str or None
        Its name, in a panel.
    history, forecast : Series
        The rows up to the forecast, and the point forecast.
    truth : Series or None
        What came, where it is known.
    quantiles, paths : DataFrame or None
        A column for each level, and for each path.
    """

    series: str | None
    history: pd.Series
    forecast: pd.Series
    truth: pd.Series | None
    quantiles: pd.DataFrame | None
    paths: pd.DataFrame | None


def view_forecast(
    forecaster: Forecaster,
    X: Any = None,
    y: Any = None,
    *,
    owner: str,
    series: Any = None,
    target: Any = None,
    cutoff: Any = None,
    coverage: Any = None,
    n_paths: int = 0,
    n_history: int | None = None,
    seed: int | None = None,
) -> ForecastView:
    """Forecast one series from its end, or from a moment before."""
    check_parameter(owner, "n_history", n_history, NoneOr(Integer(1)))
    check_parameter(owner, "n_paths", n_paths, Integer(0))
    check_parameter(owner, "random_state", seed, NoneOr(Integer(0)))
    state = forecaster._fitted()
    panel = forecaster._history_panel(X, y, state)
    place = _place_of(series, panel)
    panel = panel.select(np.array([place]))
    targets, shape = state.schema.targets, state.shape
    if target is not None:
        check_target(target, targets)
    column = 0 if target is None else targets.index(target)
    windows = end_windows(panel, shape) if cutoff is None else _window_at(cutoff, state, panel)
    history, origin = forecaster._history(panel, state), int(windows.origin[0])
    spread = Spread.asked(owner, None, coverage, False, forecaster.intervals == "auto")
    with forecaster._noticing():
        point, values = _forecast(state, history, windows, spread)
        paths = _paths(state, history, windows, n_paths, seed, forecaster.intervals == "auto")
    stamps = _stamps(state.schema, panel, origin + shape.gap + 1 + np.arange(shape.horizon))
    before = max(shape.span, 3 * shape.horizon) if n_history is None else n_history
    past = np.arange(max(0, origin + 1 - before), origin + 1)
    name = targets[column]

    def column_of(rows: np.ndarray) -> pd.Series:
        values = panel.values[rows, column].astype(np.float64)
        return pd.Series(values, _stamps(state.schema, panel, rows), name=name)

    come = np.arange(origin + shape.gap + 1, min(origin + shape.reach + 1, panel.n_rows))
    return ForecastView(
        series=None if panel.ids[0] is None else str(panel.ids[0]),
        history=column_of(past),
        forecast=pd.Series(point[0, :, column], stamps, name=name),
        truth=column_of(come) if len(come) else None,
        quantiles=None
        if values is None or spread is None
        else pd.DataFrame(values[0, :, column], stamps, spread.levels),
        paths=None if paths is None else pd.DataFrame(paths[:, 0, :, column].T, stamps),
    )


def _place_of(series: Any, panel: Panel) -> int:
    if series is None:
        return 0
    if series not in panel.ids:
        raise ValueError(
            f"`series` must be one of {quoted(panel.ids)}; got {series!r}.{did_you_mean(series, panel.ids)}"
        )
    return panel.ids.index(series)


def _window_at(cutoff: Any, state: FitState, panel: Panel) -> WindowIndex:
    """That whose last row of history is the cutoff."""
    row = int(state.schema.axis.ticks(_index_of(cutoff, state.schema.axis))[0] - panel.offsets[0])
    least = state.shape.span - 1
    if not least <= row < panel.n_rows:
        span = [stamp_of(state.schema, panel, end) for end in (min(least, panel.n_rows - 1), panel.n_rows - 1)]
        raise ValueError(
            f"`cutoff` must be a row of the series that has {state.shape.span} rows of history (`lookback`), from "
            f"{span[0]} to {span[1]}; got {cutoff}. Choose another, or give X more rows."
        )
    return WindowIndex(np.zeros(1, np.int64), np.array([row]))


def _index_of(cutoff: Any, axis: TimeAxis) -> pd.Index:
    """The cutoff as a stamp of the axis' kind; without a zone it is of the axis' own."""
    if axis.kind == "integer":
        return pd.Index([cutoff])
    if axis.kind == "period":
        return pd.PeriodIndex([cutoff], freq=axis.freq)
    stamp = pd.Timestamp(cutoff)
    return pd.DatetimeIndex([stamp.tz_localize(axis.tz) if stamp.tz is None and axis.tz is not None else stamp])


def _forecast(
    state: FitState, history: History, windows: WindowIndex, spread: Spread | None
) -> tuple[np.ndarray, np.ndarray | None]:
    if spread is None:
        return forecast_windows(state, history, windows), None
    return spread_windows(state, history, windows, spread)


def _paths(
    state: FitState, history: History, windows: WindowIndex, count: int, seed: int | None, own: bool
) -> np.ndarray | None:
    """As ``sample`` draws them: (paths, 1, horizon, targets)."""
    if not count:
        return None
    outlook = outlook_of(state, history, windows)
    calibration = calibration_of(state, "n_paths", "how rows of the horizon hang together")
    ranks = own and outlook.distribution is not None
    return outlook.at(calibration.draw(np.random.default_rng(seed), count, ranks)[:, None])


def _stamps(schema: Schema, panel: Panel, rows: np.ndarray) -> pd.Index:
    """Of rows of the one series, those beyond its end included."""
    return schema.axis.stamps(panel.offsets[0] + rows).rename(schema.time_name)
