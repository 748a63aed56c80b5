"""The flow that all forecasters share: fit, predict, score, summary, save and load."""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from tsrnn._errors import BelowNaiveWarning, Integer, NoneOr, check_parameter
from tsrnn.data import Panel, RowRules, WindowIndex, all_windows, end_windows, forecast_frame, read_history, stamp_of
from tsrnn.forecasting.declared import Columns, Rows, WindowParameters
from tsrnn.forecasting.naive import mae_by_series, mean_skill, naive_forecast
from tsrnn.forecasting.prepare import Prepared, Split, prepare, rules_of
from tsrnn.forecasting.saving import decode_parameters, encode_parameters
from tsrnn.forecasting.state import FitState, History, Model
from tsrnn.forecasting.summary import ForecasterSummary
from tsrnn.persistence import ModelFileError, read_file, save_file

FORECASTERS: dict[str, type[Forecaster]] = {}  # every public forecaster by its name, for ``load``
NAIVE = ("last", "seasonal")


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model and how its training went."""

    model: Model
    history: tuple[dict[str, float], ...] = ()
    best_epoch: int | None = None
    stopped: str | None = None


class Forecaster(Columns, Rows, WindowParameters):
    """Base of all forecasters; abstract."""

    model_class: ClassVar[type[Model]]
    random_state: Any = None
    n_jobs: int | None = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not cls.__name__.startswith("_"):
            FORECASTERS[cls.__name__] = cls

    @abstractmethod
    def _fit_model(self, prepared: Prepared, seed: int) -> Fitted:
        """Fit on the prepared windows."""

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
            How much an error on each row counts in training.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For rows, columns or parameters that cannot be used; the forecaster is then as it was before.
        """
        self.check_parameters()
        prepared = prepare(self, X, y, X_val, sample_weight)
        seed = self._seed()
        fitted = self._fit_model(prepared, seed)
        self._adopt(self._state_of(prepared, fitted, seed))
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
            Fewer rows than the forecaster was fitted for.

        Returns
        -------
        DataFrame
            In the layout of the input, indexed by the stamps that follow, one column for each target.
        """
        state = self._fitted()
        horizon = self._checked_horizon(horizon, state)
        panel = state.tail if X is None and y is None else self._read(X, y, keep_all=True)
        forecasts = state.model.predict(self._history(panel, state), end_windows(panel, state.shape))
        return forecast_frame(state.schema, panel, np.asarray(forecasts[:, :horizon], np.float64), state.shape.gap)

    def score(self, X: Any, y: Any = None) -> float:
        """Skill over all origins whose windows lie within X.

        For each target and series ``1 - MAE / MAE_naive``, then the mean; the naive forecast is whichever of last value
        and seasonal naive had the lower training error for that target. Greater is better, 0 is naive, 1 is perfect.
        """
        state = self._fitted()
        panel = self._read(X, y)
        split = Split(panel, all_windows(panel, state.shape))
        naive = [self._naive_mae(split, state, kind) for kind in NAIVE]
        better = np.where(state.naive_mae[0] <= state.naive_mae[1], naive[0], naive[1])
        return mean_skill(self._mae(split, state), better)

    # ---- looking, saving ---------------------------------------------------------------------------------------
    def summary(self) -> ForecasterSummary:
        """Layers, parameter counts, roles of columns, windows, and the skill against the naive forecasts."""
        return ForecasterSummary(type(self).__name__, self._fitted())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted forecaster to a file: arrays and JSON, no pickle. Callbacks are not saved."""
        state = self._fitted()
        document = {"forecaster": type(self).__name__, "parameters": encode_parameters(self), "state": state.document()}
        save_file(path, state.arrays(), document)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a forecaster that ``save`` wrote.

        Raises
        ------
        ModelFileError
            For a file that is missing, damaged, foreign, of a newer format, or of another forecaster.
        """
        arrays, document = read_file(path)
        try:
            name = document["forecaster"]
            kind = FORECASTERS.get(name)
            if kind is None or not issubclass(kind, cls):
                raise ModelFileError(f"'{path}' holds a {name}, not a {cls.__name__}. Read it with tsrnn.load(path).")
            loaded = kind(**decode_parameters(document["parameters"]))
            loaded._adopt(FitState.restore(kind.model_class, arrays, document["state"]))
        except (KeyError, TypeError, IndexError) as error:
            raise ModelFileError(f"'{path}' is a tsrnn file, but lacks part of a forecaster ({error!r}).") from error
        return loaded  # type: ignore[return-value]

    @property
    def baseline_skill_(self) -> dict[str, float]:
        """Skill on the validation rows against the "last" and the "seasonal" naive forecast."""
        skill = self._fitted().skill
        if skill is None:
            raise AttributeError("`baseline_skill_` needs validation rows; there were none (`validation_fraction=0`).")
        return skill

    # ---- inside ------------------------------------------------------------------------------------------------
    def _seed(self) -> int:
        given = self.random_state
        return int(given) if isinstance(given, int | np.integer) else int(check_random_state(given).randint(2**31 - 1))

    def _fitted(self) -> FitState:
        if "state_" not in vars(self):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet: call `fit` first.")
        return self.state_

    def _adopt(self, state: FitState) -> None:
        """Become fitted; nothing before this changes the estimator."""
        self.state_ = state
        self.lookback_, self.horizon_ = state.shape.lookback, state.shape.horizon
        self.data_report_, self.cutoff_ = state.report, state.cutoff
        self.n_features_in_ = len(state.schema.channels) - (len(state.schema.targets) if state.schema.has_y else 0)
        inputs = state.schema.past_covariates if state.schema.has_y else state.schema.channels
        if all(isinstance(name, str) for name in inputs):
            self.feature_names_in_ = np.array(inputs, dtype=object)
        if state.history:
            self.history_: pd.DataFrame = state.history_frame()
            self.best_epoch_, self.stopped_ = state.best_epoch, state.stopped

    def _state_of(self, prepared: Prepared, fitted: Fitted, seed: int) -> FitState:
        training, shape = prepared.training, prepared.shape
        panel = training.panel
        rows = max(shape.span, prepared.season + shape.reach)
        state = FitState(
            schema=prepared.schema,
            shape=shape,
            scaling=prepared.scaling,
            model=fitted.model,
            tail=panel.tail(rows),
            season=prepared.season,
            naive_mae=np.zeros((len(NAIVE), prepared.n_targets)),
            skill=None,
            history=fitted.history,
            best_epoch=fitted.best_epoch,
            stopped=fitted.stopped,
            report=prepared.report,
            cutoff=_cutoff(prepared),
            seed=seed,
        )
        naive_mae = np.array([np.nanmean(self._naive_mae(training, state, kind), axis=0) for kind in NAIVE])
        return state.replace(naive_mae=naive_mae, skill=self._skill(prepared.validation, state))

    def _skill(self, validation: Split, state: FitState) -> dict[str, float] | None:
        if not len(validation.windows):
            return None
        mae = self._mae(validation, state)
        return {kind: mean_skill(mae, self._naive_mae(validation, state, kind)) for kind in NAIVE}

    def _mae(self, split: Split, state: FitState) -> np.ndarray:
        history = self._history(split.panel, state)

        def forecast(windows: WindowIndex) -> np.ndarray:
            return state.model.predict(history, windows)

        return mae_by_series(split.panel, split.windows, state.shape, len(state.schema.targets), forecast)

    def _naive_mae(self, split: Split, state: FitState, kind: str) -> np.ndarray:
        n_targets, season = len(state.schema.targets), state.season if kind == "seasonal" else 0

        def forecast(windows: WindowIndex) -> np.ndarray:
            return naive_forecast(split.panel, windows, state.shape, n_targets, season)

        return mae_by_series(split.panel, split.windows, state.shape, n_targets, forecast)

    def _history(self, panel: Panel, state: FitState) -> History:
        return History(panel, state.shape, len(state.schema.targets), state.scaling, self.n_jobs)

    def _read(self, X: Any, y: Any, keep_all: bool = False) -> Panel:
        rules = rules_of(self)
        if keep_all:
            rules = RowRules(rules.missing, rules.duplicates, rules.na_values)
        return read_history(X, y, self._fitted().schema, rules)[0]

    def _checked_horizon(self, horizon: int | None, state: FitState) -> int:
        check_parameter(f"{type(self).__name__}.predict", "horizon", horizon, NoneOr(Integer(1)))
        trained = state.shape.horizon
        if horizon is not None and horizon > trained:
            raise ValueError(
                f"`horizon` must be at most {trained}, which the forecaster was fitted for; got {horizon}. "
                f"Fit it with `horizon={horizon}`."
            )
        return trained if horizon is None else horizon

    def _warn_about_fit(self) -> None:
        skill = self.state_.skill
        if skill is not None and min(skill.values()) < 0 and self._learns:
            worst = min(skill, key=lambda kind: skill[kind])
            name = {"last": "last-value", "seasonal": "seasonal naive"}[worst]
            warnings.warn(
                f"{type(self).__name__} forecasts the validation rows worse than the {name} forecast does (skill "
                f'{skill[worst]:.2f}; 0 is naive). Try `instance_norm="last"`, more epochs or more data; '
                "LinearForecaster is the next thing to compare with.",
                BelowNaiveWarning,
                stacklevel=3,
            )

    _learns: ClassVar[bool] = True


def _cutoff(prepared: Prepared) -> list[str]:
    """First validation stamp of the series, or of all where it is the same."""
    panel, ends = prepared.training.panel, prepared.train_end
    inside = np.flatnonzero((ends > panel.indptr[:-1]) & (ends < panel.indptr[1:]))
    stamps = [str(stamp_of(prepared.schema, panel, int(ends[series]))) for series in inside[:1000]]
    return sorted(set(stamps)) if len(set(stamps)) == 1 else stamps


def load(path: str | os.PathLike[str]) -> Forecaster:
    """Read any forecaster that ``save`` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    Forecaster
        Fitted: ``load(path).predict()`` goes on from the last rows of the training data.

    Raises
    ------
    ModelFileError
        For a file that is missing, damaged, foreign or of a newer format.
    """
    from tsrnn.forecasting import baselines, recurrent, regressors  # noqa: F401  (they enter FORECASTERS)

    return Forecaster.load(path)
