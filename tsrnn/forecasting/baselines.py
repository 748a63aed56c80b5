"""Forecasts that need no learning."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from tsrnn._errors import AnyOf, Integer, Options
from tsrnn._parameters import fixed, param
from tsrnn.data import WindowIndex
from tsrnn.forecasting.base import Forecaster
from tsrnn.forecasting.memory import ModelMemory, means_memory
from tsrnn.forecasting.naive import naive_forecast
from tsrnn.forecasting.prepare import Prepared
from tsrnn.forecasting.skill import chunks
from tsrnn.forecasting.state import Fitted, History, Model
from tsrnn.nn.summary import Table

METHODS = ("last", "seasonal", "drift", "mean")


class NaiveModel(Model):
    """A rule that reads the window and nothing else."""

    n_params = 0
    reads_covariates = False

    def __init__(self, method: str, season: int) -> None:
        self.method, self.season = method, season

    def predict(self, history: History, windows: WindowIndex) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in data units."""
        shape, values = history.shape, history.panel.values
        if self.method in ("last", "seasonal"):
            season = self.season if self.method == "seasonal" else 0
            return naive_forecast(history.panel, windows, shape, history.n_targets, season)
        if self.method == "mean":
            return np.repeat(self._means(history, windows)[:, None], shape.horizon, axis=1)
        first, last = (
            values[rows, : history.n_targets].astype(np.float64)
            for rows in (windows.origin - (shape.span - 1), windows.origin)
        )
        slope = (last - first) / max(1, shape.span - 1)
        ahead = shape.gap + 1 + np.arange(shape.horizon)
        return last[:, None] + slope[:, None] * ahead[:, None]

    def _means(self, history: History, windows: WindowIndex) -> np.ndarray:
        """Of the points of each window: (windows, targets)."""
        shape, values, means = history.shape, history.panel.values, []
        points = np.arange(1 - shape.lookback, 1) * shape.sampling_rate
        for part in chunks(windows, shape.lookback * history.n_targets):
            read = values[part.origin[:, None] + points, : history.n_targets]
            means.append(read.mean(axis=1, dtype=np.float64))
        return np.concatenate(means)

    @property
    def memory(self) -> int:
        """A season, for the seasonal rule."""
        return self.season if self.method == "seasonal" else 0

    def arrays(self) -> dict[str, np.ndarray]:
        """None."""
        return {}

    def document(self) -> dict[str, Any]:
        """Rule and season."""
        return {"method": self.method, "season": self.season}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> NaiveModel:
        """The model again."""
        return cls(document["method"], document["season"])

    def tables(self) -> tuple[Table, ...]:
        """One line."""
        return (Table(("method", "season"), ((self.method, str(self.season)),)),)


class NaiveForecaster(Forecaster):
    """Forecasts without learning: what any other forecast has to beat.

    {parameters}

    Examples
    --------
    >>> import pandas as pd
    >>> from tsrnn import NaiveForecaster
    >>> index = pd.date_range("2024-01-01", periods=21, freq="D")
    >>> frame = pd.DataFrame({"sales": [1.0, 2, 3, 4, 5, 6, 7] * 3}, index=index)
    >>> NaiveForecaster(method="seasonal").fit(frame).predict(horizon=2)
                sales
    2024-01-22    1.0
    2024-01-23    2.0
    """

    method: Literal["last", "seasonal", "drift", "mean"] = param(
        default="last",
        constraint=Options(*METHODS),
        doc='The "last" value; the value one season before ("seasonal"); the line through the first and the last point '
        'of the window ("drift"); or the "mean" of the window.',
    )
    season_length: int | Literal["auto"] = param(
        default="auto",
        constraint=AnyOf(Integer(1), Options("auto")),
        doc='Rows of a season. "auto": from the frequency.',
    )

    model_class = NaiveModel
    scaler = fixed(None)
    scaler_scope = fixed("global")

    def _fit_model(self, prepared: Prepared, seed: int) -> Fitted:
        season = prepared.season if self.season_length == "auto" else int(self.season_length)
        return Fitted(NaiveModel(self.method, season))

    def _model_memory(self, prepared: Prepared) -> ModelMemory:
        return means_memory(prepared) if self.method == "mean" else super()._model_memory(prepared)
