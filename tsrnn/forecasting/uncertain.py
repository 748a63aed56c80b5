"""How sure a forecast is: quantiles, intervals and sample paths of every forecaster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pandas as pd

from tsrnn._errors import AnyOf, Instance, Integer, ListOf, NoneOr, Options, check_parameter
from tsrnn.data import Panel, WindowIndex, all_windows, columns_frame, end_windows
from tsrnn.forecasting.adaptive import RATE, track
from tsrnn.forecasting.beyond import PATHS, SEED, paths_beyond
from tsrnn.forecasting.calibration import Outlook
from tsrnn.forecasting.spread import ADAPTIVE, COVERAGE, INSIDE, bounds_of, calibration_of, outlook_of
from tsrnn.forecasting.state import FitState, History

if TYPE_CHECKING:
    from tsrnn.forecasting.base import Forecaster

LEVELS = (0.1, 0.5, 0.9)  # where neither the user nor the model has any
LEARNED_FROM = 1000  # origins of a series that adaptive intervals look back on
_LAYOUT = Options("wide", "tidy")


class Uncertain:
    """The methods, for a `Forecaster`."""

    def predict_quantiles(
        self,
        X: Any = None,
        y: Any = None,
        *,
        quantiles: Sequence[float] | None = None,
        layout: Literal["wide", "tidy"] = "wide",
        horizon: int | None = None,
    ) -> Any:
        """Forecast quantiles of the rows that follow.

        They come from the distribution that the forecaster learned (``loss``), or from its errors on validation rows
        (split conformal prediction), as ``intervals`` says; for each row of the horizon and each target by itself.
        Beyond the horizon that it was fitted for they are those of 500 paths that are drawn and fed back, always the
        same ones.

        Parameters
        ----------
        X, y, horizon : as in ``predict``
        quantiles : sequence of float, optional
            Between 0 and 1. Default: those that were trained, else 0.1, 0.5 and 0.9.
        layout : {"wide", "tidy"}, default="wide"
            A column for each (target, quantile), or a row.

        Returns
        -------
        DataFrame
            Indexed as that of ``predict``; or tidy, with the columns "target", "quantile" and "forecast".

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from tsrnn import NaiveForecaster
        >>> index = pd.date_range("2024-01-01", periods=200, freq="D")
        >>> frame = pd.DataFrame({"sales": np.random.default_rng(0).normal(20, 2, 200)}, index=index)
        >>> NaiveForecaster(method="mean", horizon=2).fit(frame).predict_quantiles(quantiles=[0.05, 0.95]).round(1)
        target     sales
        quantile    0.05  0.95
        2024-07-19  16.1  23.8
        2024-07-20  16.1  23.6
        """
        self._check("predict_quantiles", quantiles=(quantiles, NoneOr(ListOf(INSIDE))), layout=(layout, _LAYOUT))
        state, panel, outlook = self._outlook(X, y)
        levels = np.sort(np.asarray(_trained_levels(state) if quantiles is None else quantiles, np.float64))
        values = outlook.at(self._bounds(state, outlook, levels)[:, None])
        values = self._continued(state, panel, outlook, values, levels, horizon)
        names = [(target, float(level)) for target in state.schema.targets for level in levels]
        return self._laid_out(state, panel, values, horizon, names, ("target", "quantile"), layout)

    def predict_interval(
        self,
        X: Any = None,
        y: Any = None,
        *,
        coverage: float | Sequence[float] = 0.9,
        adaptive: bool | float = False,
        layout: Literal["wide", "tidy"] = "wide",
        horizon: int | None = None,
    ) -> Any:
        """Forecast intervals that hold what comes with a given probability, the same on both sides.

        They lie between quantiles, which come about as in ``predict_quantiles``.

        Parameters
        ----------
        X, y, horizon : as in ``predict``
        coverage : float or sequence of float, default=0.9
            Between 0 and 1.
        adaptive : bool or float, default=False
            Let the intervals follow how often their like failed on the rows of X up to now, where the series is no
            longer what it was (quantile tracking; a number is its rate, True is 0.05). X must then hold more rows than
            one window: some hundred or, for high coverages, thousand. No rows beyond the horizon that the forecaster
            was fitted for.
        layout : {"wide", "tidy"}, default="wide"
            Columns for each (target, coverage, bound), or rows.

        Returns
        -------
        DataFrame
            Indexed as that of ``predict``; or tidy, with the columns "target", "coverage", "bound" and "forecast".

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from tsrnn import NaiveForecaster
        >>> index = pd.date_range("2024-01-01", periods=200, freq="D")
        >>> frame = pd.DataFrame({"sales": np.random.default_rng(0).normal(20, 2, 200)}, index=index)
        >>> NaiveForecaster(method="mean", horizon=2).fit(frame).predict_interval(coverage=0.8).round(1)
        target     sales
        coverage     0.8
        bound      lower upper
        2024-07-19  17.1  22.9
        2024-07-20  17.5  22.7
        """
        self._check(
            "predict_interval",
            coverage=(coverage, COVERAGE),
            adaptive=(adaptive, ADAPTIVE),
            layout=(layout, _LAYOUT),
        )
        coverages = np.sort(np.atleast_1d(np.asarray(coverage, np.float64)))
        levels = np.column_stack(((1 - coverages) / 2, (1 + coverages) / 2)).ravel()
        state, panel, outlook = self._outlook(X, y)
        scores = self._bounds(state, outlook, levels)[:, None]
        if adaptive:
            self._refuse_beyond(state, horizon)
            scores = self._tracked(state, panel, levels, RATE if adaptive is True else float(adaptive))
        values = self._continued(state, panel, outlook, outlook.at(scores), levels, horizon)
        pairs = [(float(each), bound) for each in coverages for bound in ("lower", "upper")]
        names = [(target, *pair) for target in state.schema.targets for pair in pairs]
        return self._laid_out(state, panel, values, horizon, names, ("target", "coverage", "bound"), layout)

    def sample(
        self,
        X: Any = None,
        y: Any = None,
        *,
        n: int = 100,
        random_state: Any = None,
        layout: Literal["wide", "tidy"] = "wide",
        horizon: int | None = None,
    ) -> Any:
        """Draw paths of the rows that follow, whose rows and targets hang together as they did in validation rows.

        Each path takes the place that a validation window had in its forecasts, row by row, to that place in the
        forecasts made here (the Schaake shuffle of Clark 2004, on windows). Beyond the horizon that the forecaster was
        fitted for each path goes on from its own rows, with the place of another validation window. Where a network's
        point forecasts are spread by dropout (``mc_samples``, and ``intervals="auto"``), a path up to that horizon is
        what one network with masks drawn anew forecasts, the same one for all series, and validation rows are not
        needed.

        Parameters
        ----------
        X, y, horizon : as in ``predict``
        n : int, default=100
            Paths of each series.
        random_state : int, RandomState or None
            The same seed draws the same paths.
        layout : {"wide", "tidy"}, default="wide"
            A column for each (target, path), or a row.

        Returns
        -------
        DataFrame
            Indexed as that of ``predict``; or tidy, with the columns "target", "path" and "forecast".
        """
        seeds = NoneOr(AnyOf(Integer(0, 2**32 - 1), Instance(np.random.RandomState, "a RandomState")))
        self._check("sample", n=(n, Integer(1)), random_state=(random_state, seeds), layout=(layout, _LAYOUT))
        if isinstance(random_state, np.random.RandomState):
            random_state = random_state.randint(2**31)
        state, panel, history, windows = self._ends(X, y)
        rows, values = cast("Forecaster", self)._checked_horizon(horizon, state), None
        if rows <= state.shape.horizon:
            values = self._drawn_anew(state, history, windows, n, random_state)
        if values is None:
            values = self._rearranged(state, history, windows, rows, n, np.random.default_rng(random_state))
        names = [(target, path) for target in state.schema.targets for path in range(n)]
        return self._laid_out(state, panel, values, horizon, names, ("target", "path"), layout)

    # ---- inside ------------------------------------------------------------------------------------------------
    def _check(self, method: str, **given: tuple[Any, Any]) -> None:
        for name, (value, constraint) in given.items():
            check_parameter(f"{type(self).__name__}.{method}", name, value, constraint)

    def _outlook(self, X: Any, y: Any) -> tuple[FitState, Panel, Outlook]:
        """What the model says of the rows that follow."""
        forecaster = cast("Forecaster", self)
        state, panel, history, windows = self._ends(X, y)
        with forecaster._noticing():
            return state, panel, outlook_of(state, history, windows)

    def _ends(self, X: Any, y: Any) -> tuple[FitState, Panel, History, WindowIndex]:
        """What there is to go on from."""
        forecaster = cast("Forecaster", self)
        state = forecaster._fitted()
        panel = forecaster._history_panel(X, y, state)
        return state, panel, forecaster._history(panel, state), end_windows(panel, state.shape)

    def _drawn_anew(
        self, state: FitState, history: History, windows: WindowIndex, n: int, seed: int | None
    ) -> np.ndarray | None:
        """Paths (n, series, horizon, targets) of networks drawn anew, where the model draws any and they count."""
        forecaster = cast("Forecaster", self)
        if forecaster.intervals != "auto":
            return None
        with forecaster._noticing():
            return state.model.paths(history, windows, n, int(np.random.default_rng(seed).integers(2**32)))

    def _rearranged(
        self, state: FitState, history: History, windows: WindowIndex, rows: int, n: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Paths (n, series, rows, targets) that hang together as validation windows did."""
        calibration = calibration_of(state, "sample", "how rows of the horizon hang together")
        panel = history.panel
        with cast("Forecaster", self)._noticing():
            outlook = outlook_of(state, history, windows)
        if rows <= state.shape.horizon:
            ranks = self._own(outlook)
            return outlook.at(np.stack([calibration.draw(rng, n, ranks) for _ in range(panel.n_series)], axis=1))
        values = np.empty((n, panel.n_series, rows, history.n_targets))
        for series, paths in self._paths(state, panel, outlook, rows, n, rng):
            values[:, series] = paths
        return values

    def _own(self, outlook: Outlook) -> bool:
        """Whether the spread is the model's own."""
        return outlook.distribution is not None and cast("Forecaster", self).intervals == "auto"

    def _bounds(self, state: FitState, outlook: Outlook, levels: np.ndarray) -> np.ndarray:
        """Scores at some levels: (levels, horizon, targets)."""
        return bounds_of(state, outlook, levels, cast("Forecaster", self).intervals == "auto")

    def _tracked(self, state: FitState, panel: Panel, levels: np.ndarray, rate: float) -> np.ndarray:
        """Scores at some levels for the forecast of each series, by how their like did before: (levels, series,
        horizon, targets)."""
        forecaster = cast("Forecaster", self)
        calibration = calibration_of(state, "adaptive intervals", "what they begin with")
        history = forecaster._history(panel, state)
        windows = _latest(all_windows(panel, replace(state.shape, horizon=1)), LEARNED_FROM)
        with forecaster._noticing():
            outlook = outlook_of(state, history, windows)
        ahead = windows.origin[:, None] + state.shape.gap + 1 + np.arange(state.shape.horizon)
        come = np.minimum(
            ahead, panel.indptr[windows.series + 1, None] - 1
        )  # none learns of rows beyond before they do
        scores = outlook.scores(panel.values[come, : history.n_targets])
        first = self._bounds(state, outlook, levels)
        found = np.empty((len(levels), panel.n_series, *first.shape[1:]))
        for series in range(panel.n_series):
            own = np.flatnonzero(windows.series == series)
            origins = np.append(windows.origin[own], panel.indptr[series + 1] - 1)
            tracked = track(scores[own], origins, state.shape.gap, levels, first, calibration.width * rate)
            found[:, series] = tracked[-1]
        return found

    def _continued(
        self,
        state: FitState,
        panel: Panel,
        outlook: Outlook,
        values: np.ndarray,
        levels: np.ndarray,
        horizon: int | None,
    ) -> np.ndarray:
        """Quantiles (levels, series, horizon, targets) with those of the rows beyond the trained horizon, if any."""
        rows = cast("Forecaster", self)._checked_horizon(horizon, state)
        trained = values.shape[2]
        if rows <= trained:
            return values
        found = np.empty((len(levels), panel.n_series, rows, values.shape[3]))
        found[:, :, :trained] = values
        for series, paths in self._paths(state, panel, outlook, rows, PATHS, np.random.default_rng(SEED)):
            found[:, series, trained:] = np.quantile(paths[:, :, trained:], levels, axis=0, method="weibull")
        return found

    def _paths(
        self, state: FitState, panel: Panel, outlook: Outlook, rows: int, count: int, rng: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Those that go beyond the trained horizon, of some series after the others."""
        forecaster = cast("Forecaster", self)
        calibration = calibration_of(state, "intervals beyond the trained horizon", "how rows of it hang together")
        history = forecaster._history(panel, state)
        with forecaster._noticing():
            yield from paths_beyond(state, history, calibration, rows, count, rng, self._own(outlook))

    def _refuse_beyond(self, state: FitState, horizon: int | None) -> None:
        rows = cast("Forecaster", self)._checked_horizon(horizon, state)
        if rows > state.shape.horizon:
            raise ValueError(
                f"`horizon` must be at most {state.shape.horizon}, which the forecaster was fitted for, with "
                f"`adaptive`: misses are counted for these rows alone; got {rows}. Leave `adaptive` out, or fit with "
                f"`horizon={rows}`."
            )

    def _laid_out(
        self,
        state: FitState,
        panel: Panel,
        values: np.ndarray,
        horizon: int | None,
        names: list[tuple],
        levels: tuple[str, ...],
        layout: str,
    ) -> Any:
        """Values (columns of a target, series, horizon, targets) as a frame."""
        rows = cast("Forecaster", self)._checked_horizon(horizon, state)
        flat = np.moveaxis(values[:, :, :rows], 0, -1).reshape(panel.n_series, rows, -1)
        columns = pd.MultiIndex.from_tuples(names, names=levels)
        return columns_frame(state.schema, panel, flat, columns, state.shape.gap, tidy=layout == "tidy")


def _trained_levels(state: FitState) -> Sequence[float]:
    return state.model.levels or LEVELS


def _latest(windows: WindowIndex, most: int) -> WindowIndex:
    """The last ``most`` of each series."""
    count = np.bincount(windows.series)
    behind = np.repeat(np.cumsum(count), count) - np.arange(len(windows))
    return WindowIndex(windows.series[behind <= most], windows.origin[behind <= most])
