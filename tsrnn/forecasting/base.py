"""The flow that all forecasters share: fit, predict, score, summary, save and load."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from sklearn.utils import Tags

from tsrnn._checkpoints import conclude
from tsrnn._errors import BelowNaiveWarning, Integer, NoneOr, check_parameter
from tsrnn._networks import warn_if_interrupted
from tsrnn._parameters import seed_of
from tsrnn._saving import Saved
from tsrnn.data import Panel, RowRules, all_windows, end_windows, forecast_frame, read_history, tidy_frame
from tsrnn.forecasting.assemble import fit_state
from tsrnn.forecasting.backtest import Backtest
from tsrnn.forecasting.backtesting import backtest, find_origins
from tsrnn.forecasting.beyond import points_beyond
from tsrnn.forecasting.declared import DataParameters
from tsrnn.forecasting.fitting import fit_model, model_memory, restored_model
from tsrnn.forecasting.following import moved_on
from tsrnn.forecasting.memory import MemoryEstimate, ModelMemory, estimate
from tsrnn.forecasting.origins import Refit, Schedule
from tsrnn.forecasting.prepare import Prepared, prepare, rules_of
from tsrnn.forecasting.skill import score
from tsrnn.forecasting.spread import Spread
from tsrnn.forecasting.state import FitState, Fitted, History, Model, history_frame
from tsrnn.forecasting.stream import Stream
from tsrnn.forecasting.summary import ForecasterSummary
from tsrnn.forecasting.uncertain import Uncertain

NAMES = {"last": "last-value", "seasonal": "seasonal naive"}


class Forecaster(Saved, Uncertain, DataParameters):
    """Base of all forecasters; abstract: a subclass gives ``model_class`` and ``_fit_model``.

    Attributes
    ----------
    lookback_, horizon_ : int
        The window, with "auto" resolved.
    cutoff_ : list of str
        Where validation begins: one stamp, or one for each series where they differ; empty without validation rows.
    baseline_skill_ : dict
        Skill on the validation rows against the "last" and the "seasonal" naive forecast.
    data_report_ : dict
        What was sorted, merged, filled and left out.
    n_features_in_, feature_names_in_ : int, ndarray of str
        The columns of X that are read.
    """

    # The target's history goes with X through scikit-learn's metadata routing, in which `y` of `predict` is not known.
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"y": True}

    model_class: ClassVar[type[Model]]
    advice: ClassVar[str | None] = None  # what to try where forecasts do not beat naive; None: nothing is learned
    random_state: Any = None
    n_jobs: int | None = None

    @abstractmethod
    def _fit_model(self, prepared: Prepared, seed: int) -> Fitted:
        """Fit on the prepared windows. Nothing of the estimator may change."""

    def _model_memory(self, prepared: Prepared) -> ModelMemory:
        """What ``_fit_model`` and the model's ``predict`` take; nothing worth counting, where not overridden."""
        return ModelMemory()

    # ---- fit, predict, score -----------------------------------------------------------------------------------
    def fit(self, X: Any, y: Any = None, *, X_val: Any = None, sample_weight: Any = None) -> Self:
        """Learn from the rows of a frame.

        Parameters
        ----------
        X : DataFrame, Series, ndarray or polars frame
            Wide with a time index; long with ``id_col`` and ``time_col``; or with an ``(id, time)`` MultiIndex.
        y : the same kinds, optional
            The target, where X holds covariates alone.
        X_val : the same kinds, optional
            Rows to validate on, in place of the last ``validation_fraction`` of X; a pair (X, y) where there is a y.
        sample_weight : array of shape (rows of X,), optional
            How much an error on each row counts in training; only the proportions matter. Validation weighs all alike.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For rows, columns or parameters that cannot be used; the forecaster is then as it was before.
        DivergedError
            If the loss stops being finite; likewise.
        """
        self.check_parameters()
        prepared = prepare(self, X, y, X_val, sample_weight)
        seed = seed_of(self.random_state)
        fitted = fit_model(self, prepared, seed)
        self._adopt(fit_state(prepared, fitted, seed, self.n_jobs))
        conclude(fitted.checkpoint, fitted.stopped)
        self._warn_about_fit()
        return self

    def predict(self, X: Any = None, y: Any = None, *, horizon: int | None = None) -> Any:
        """Forecast the rows that follow.

        Parameters
        ----------
        X : DataFrame, Series, ndarray or polars frame, optional
            History, in the layout of ``fit``; at least ``lookback`` points of each series. Default: the training data.
        y : the same kinds, optional
            The target's history, where ``fit`` had a ``y``.
        horizon : int, optional
            Rows to forecast, if not as many as the forecaster was fitted for. For more it goes on from its own
            forecasts, in data units: all columns that it reads must then be targets, and with a ``gap`` it reads as
            many more rows of history.

        Returns
        -------
        DataFrame
            In the layout of the input, indexed by the stamps that follow, one column for each target.
        """
        state = self._fitted()
        horizon = self._checked_horizon(horizon, state)
        panel = self._history_panel(X, y, state)
        history = self._history(panel, state)
        with self._noticing():
            if horizon > state.shape.horizon:
                forecasts = points_beyond(state, history, horizon)
            else:
                forecasts = state.model.predict(history, end_windows(panel, state.shape))
        return forecast_frame(state.schema, panel, np.asarray(forecasts[:, :horizon], np.float64), state.shape.gap)

    def update(self, X: Any, y: Any = None) -> Self:
        """Move the history forward, without learning: ``predict()`` then goes on from these rows.

        Parameters
        ----------
        X : the same kinds as in ``fit``
            The rows that follow, of some or all series; those of an array follow by themselves. A series that is new
            needs as much history as a forecast reads, and is scaled by these rows.
        y : the same kinds, optional
            The target of these rows, where ``fit`` had a ``y``.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For rows that do not follow or cannot be used; the forecaster is then as it was before. Stamps that are
            absent, since the last row too, are what ``missing`` says.

        Notes
        -----
        Scales and what was learned stay, and so do the calibration of intervals and what backtests divide errors by.
        Networks learn from new rows with ``partial_fit``; a baseline that learns would have to keep more than its
        coefficients for that, and is quick to fit again.

        Examples
        --------
        >>> import pandas as pd
        >>> from tsrnn import NaiveForecaster
        >>> sales = pd.DataFrame({"sales": [3.0, 1, 2, 4]}, index=pd.date_range("2024-01-01", periods=4))
        >>> NaiveForecaster(horizon=1, lookback=1).fit(sales[:3]).update(sales[3:]).predict()
                    sales
        2024-01-05    4.0
        """
        state = self._fitted()
        self._adopt(moved_on(state, self._read(X, y, keep_all=True, before=state.tail)))
        return self

    def stream(self, X: Any = None, y: Any = None) -> Stream:
        """Follow a series row by row, or several side by side.

        Parameters
        ----------
        X, y : as in ``predict``
            History to go on from.

        Returns
        -------
        Stream
            Its ``step(row)`` takes one new observation and gives the forecast as an array, in microseconds; of several
            series, one of each.
        """
        state = self._fitted()
        panel = self._history_panel(X, y, state)
        with self._noticing():
            return Stream(state, self._history(panel, state), rules_of(self), type(self).__name__)

    def historical_forecasts(
        self,
        X: Any,
        y: Any = None,
        *,
        every: int = 1,
        refit: Refit = False,
        window: Literal["expanding", "rolling"] = "expanding",
        train_length: int | None = None,
        quantiles: Sequence[float] | None = None,
        coverage: float | Sequence[float] | None = None,
        adaptive: bool | float = False,
    ) -> Any:
        """Forecast from origins within X, as if each had been the present; the forecaster stays as it is.

        Parameters
        ----------
        X, y : as in ``predict``
            Rows with their history; at least ``lookback + gap + horizon`` of each series.
        every : int, default=1
            Distance of the origins in rows, counted back from the last one whose forecast rows lie within X.
        refit, window, train_length
            As in ``backtest``.
        quantiles : sequence of float, optional
            Forecast these quantiles too, as ``predict_quantiles`` does.
        coverage : float or sequence of float, optional
            Forecast these intervals too, as ``predict_interval`` does.
        adaptive : bool or float, default=False
            Let quantiles and intervals follow how often their like failed, as in ``predict_interval``. They begin anew
            at the first origin of each series and with each refit, and know at each origin what had come by then.

        Returns
        -------
        DataFrame
            A row for each origin and row of its horizon. Columns: the series (in a panel), "cutoff" (the last stamp of
            history), the stamp of the row, the targets, and for a target "sales" "sales_q0.1" and the like for
            quantiles, "sales_lower_0.9" and "sales_upper_0.9" for intervals.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from tsrnn import NaiveForecaster
        >>> days = pd.date_range("2024-01-01", periods=200, freq="D", name="day")
        >>> frame = pd.DataFrame({"sales": np.random.default_rng(0).normal(20, 2, 200)}, index=days)
        >>> forecaster = NaiveForecaster(method="mean").fit(frame[:150])
        >>> forecaster.historical_forecasts(frame, every=20, coverage=0.8).columns.tolist()
        ['cutoff', 'day', 'sales', 'sales_lower_0.8', 'sales_upper_0.8']
        """
        name = f"{type(self).__name__}.historical_forecasts"
        schedule = Schedule(every, refit, window, train_length, name)
        spread = Spread.asked(name, quantiles, coverage, adaptive, self.intervals == "auto")
        with self._noticing():
            origins = find_origins(self, X, y, schedule)
            columns = {} if spread is None else spread.columns(origins.schema.targets)
            values, found = origins.forecast(spread)
        if found is not None:
            values = np.concatenate([values, *(found[..., target, [level]] for target, level in columns.values())], -1)
        gap = origins.shape.gap
        return tidy_frame(origins.schema, origins.panel, origins.windows, values, gap, columns=list(columns))

    def backtest(
        self,
        X: Any,
        y: Any = None,
        *,
        metrics: Iterable[str] | None = None,
        every: int = 1,
        folds: Any = None,
        refit: Refit | None = None,
        window: Literal["expanding", "rolling"] = "expanding",
        train_length: int | None = None,
        in_sample: bool = False,
        quantiles: Sequence[float] | None = None,
        coverage: float | Sequence[float] | None = None,
        adaptive: bool | float = False,
    ) -> Backtest:
        """Measure forecasts from origins within X, as if each had been the present; the forecaster stays as it is.

        Without ``refit`` the forecaster must be fitted, and all origins are forecast in one pass. Origins whose rows it
        was trained on say nothing about forecasts and are left out; those in its validation part count. The result says
        how many there are of either.
        With ``refit`` it is clones that are fitted, each on the rows up to an origin and nothing else.

        Parameters
        ----------
        X, y : as in ``predict``
            Rows with their history; at least ``lookback + gap + horizon`` of each series.
        metrics : list of str, optional
            Some of "mae", "rmse", "bias", "mase", "rmsse", "smape", "wape" and "skill", and with ``quantiles`` or
            ``coverage`` of "pinball", "crps", "coverage", "width" and "winkler"; by default all. See `Backtest`.
        every : int, default=1
            Distance of the origins in rows, counted back from the last one whose forecast rows lie within X.
        folds : splitter, int, or iterable of pairs of training and test rows, optional
            Origins are those whose forecast rows all lie in the test part of a fold; a number is that of the folds of
            `PanelTimeSeriesSplit`.
        refit : bool, int, "never" or "always", optional
            Fit anew never, at every origin, or at every k-th; of folds, in every k-th. Default: never, but for folds
            always.
        window : {"expanding", "rolling"}, default="expanding"
            Refits learn from all rows up to their origin, or from the last ``train_length`` of them.
        train_length : int, optional
            Rows of time before the first origin, with ``refit``; default: half of all.
        in_sample : bool, default=False
            Count origins whose rows the forecaster was trained on.
        quantiles, coverage, adaptive
            Quantiles and intervals to forecast and measure, as in ``historical_forecasts``.

        Returns
        -------
        Backtest
            Metrics over all, by series, step and origin, and the forecasts.

        Raises
        ------
        ValueError, TypeError
            For rows that cannot be used, too few rows (it says how many it takes), unknown metrics, folds that do not
            fit.

        Warns
        -----
        LeakageWarning
            Where the test knows what it should not: origins that were trained on and count, folds that overlap, a scale
            learned from rows that are tested, a past covariate that equals the target of later rows.
        """
        name = type(self).__name__
        chosen = folds is not None if refit is None else refit
        schedule = Schedule(every, chosen, window, train_length, f"{name}.backtest")
        spread = Spread.asked(f"{name}.backtest", quantiles, coverage, adaptive, self.intervals == "auto")
        with self._noticing():
            origins = find_origins(self, X, y, schedule, folds)
            return backtest(self, origins, metrics, name, in_sample, spread)

    def score(self, X: Any, y: Any = None) -> float:
        """Skill over all origins whose windows lie within X.

        For each target and series ``1 - MAE / MAE_naive``, then the mean; the naive forecast is whichever of last value
        and seasonal naive had the lower training error for that target. Greater is better, 0 is naive, 1 is perfect.

        Parameters
        ----------
        X, y : as in ``predict``
            Rows with their history; at least ``lookback + gap + horizon`` of each series.

        Returns
        -------
        float
        """
        state = self._fitted()
        panel = self._read(X, y)
        with self._noticing():
            return score(state, self._history(panel, state), all_windows(panel, state.shape))

    def memory_estimate(self, X: Any, y: Any = None, *, X_val: Any = None, sample_weight: Any = None) -> MemoryEstimate:
        """How much memory ``fit`` on these rows takes, above what the process and the frame hold already.

        The rows are read and split as in ``fit``, which also finds all that ``fit`` would refuse about them. Nothing is
        trained, and the forecaster stays as it is.

        Parameters
        ----------
        X, y, X_val, sample_weight : as in ``fit``

        Returns
        -------
        MemoryEstimate
            ``total`` is the peak in bytes, ``phases`` has its parts; printed, it is a table in MB.
        """
        self.check_parameters()
        prepared = prepare(self, X, y, X_val, sample_weight)
        with self._noticing():
            return estimate(prepared, model_memory(self, prepared))

    # ---- looking, saving ---------------------------------------------------------------------------------------
    def summary(self) -> ForecasterSummary:
        """Layers, parameter counts, roles of columns, windows, and the skill against the naive forecasts."""
        return ForecasterSummary(type(self).__name__, self._fitted())

    @property
    def baseline_skill_(self) -> dict[str, float]:
        """Skill on the validation rows against the "last" and the "seasonal" naive forecast."""
        skill = self._fitted().skill
        if skill is None:
            raise AttributeError(
                "`baseline_skill_` needs validation rows; the last training had none (`validation_fraction=0`, or "
                "`partial_fit`)."
            )
        return skill

    # ---- inside ------------------------------------------------------------------------------------------------
    def _noticing(self) -> AbstractContextManager[None]:
        """Around forecasts; networks say there that they compile, where that is asked for."""
        return nullcontext()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing == "ffill"
        tags.target_tags.multi_output = True
        return tags

    @classmethod
    def _restored(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> FitState:
        return FitState.restore(partial(restored_model, cls.model_class), arrays, document)

    def _fitted(self) -> FitState:
        state: FitState = super()._fitted()
        return state

    def _adopt(self, state: FitState) -> None:
        """Become fitted; nothing before this changes the estimator."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)  # of an earlier fit, which may have learned more
        self.state_: FitState = state
        self.lookback_, self.horizon_ = state.shape.lookback, state.shape.horizon
        self.data_report_, self.cutoff_ = state.report, state.cutoff
        inputs = state.schema.past_covariates if state.schema.has_y else state.schema.channels
        self.n_features_in_ = len(inputs)
        if all(isinstance(name, str) for name in inputs):
            self.feature_names_in_ = np.array(inputs, dtype=object)
        if state.stopped is not None:
            self.history_: pd.DataFrame = history_frame(state.history)
            self.best_epoch_, self.stopped_ = state.best_epoch, state.stopped

    def _history_panel(self, X: Any, y: Any, state: FitState) -> Panel:
        """What ``predict`` and ``stream`` go on from."""
        if X is None and y is not None:
            raise TypeError("`y` is the target's history beside that of the covariates: give both X and y, or neither.")
        return state.tail if X is None else self._read(X, y, keep_all=True)

    def _history(self, panel: Panel, state: FitState) -> History:
        return History(panel, state.shape, len(state.schema.targets), state.scaling, self.n_jobs)

    def _read(self, X: Any, y: Any, keep_all: bool = False, before: Panel | None = None) -> Panel:
        rules = rules_of(self)
        if keep_all:
            rules = RowRules(rules.missing, rules.duplicates, rules.na_values)
        return read_history(X, y, self._fitted().schema, rules, reader=type(self).__name__, before=before)[0]

    def _checked_horizon(self, horizon: int | None, state: FitState) -> int:
        check_parameter(f"{type(self).__name__}.predict", "horizon", horizon, NoneOr(Integer(1)))
        return state.shape.horizon if horizon is None else int(horizon)

    def _warn_about_fit(self) -> None:
        """Say what a user who does not look at the attributes should know."""
        name, state = type(self).__name__, self.state_
        warn_if_interrupted(name, state.stopped, len(state.history), state.best_epoch)
        if self.advice is None or state.skill is None or min(state.skill.values()) > 0:
            return
        worst = min(state.skill, key=state.skill.__getitem__)
        warnings.warn(
            f"{name} forecasts the validation rows no better than the {NAMES[worst]} forecast does (skill "
            f"{state.skill[worst]:.2f}; 0 is naive, 1 is perfect). {self.advice}",
            BelowNaiveWarning,
            stacklevel=3,
        )
