"""Forecasts of series that are never negative: whatever a model says below zero becomes zero."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from tsrnn.data import WindowIndex
from tsrnn.forecasting.distributions import Distribution
from tsrnn.forecasting.state import History, Model
from tsrnn.forecasting.stepping import Stepper
from tsrnn.nn.summary import Table

_POINTS = 200  # at which the part of a distribution below zero is added up


@final
class NonNegativeModel(Model):
    """Another model, whose forecasts below zero are zero.

    Parameters
    ----------
    inner : Model
        The other one.
    """

    non_negative = True

    def __init__(self, inner: Model) -> None:
        self.inner = inner

    @property
    def core(self) -> Model:
        """The model without what is done to its forecasts."""
        return self.inner.core

    @property
    def reads_covariates(self) -> bool:
        """As the other model."""
        return self.inner.reads_covariates

    @property
    def levels(self) -> tuple[float, ...]:
        """As the other model."""
        return self.inner.levels

    @property
    def memory(self) -> int:
        """As the other model."""
        return self.inner.memory

    @property
    def n_params(self) -> int:
        """As the other model."""
        return self.inner.n_params

    def tables(self) -> tuple[Table, ...]:
        """As the other model."""
        return self.inner.tables()

    def predict(self, history: History, windows: WindowIndex) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in data units."""
        return np.maximum(self.inner.predict(history, windows), 0)

    def distribution(self, history: History, windows: WindowIndex) -> Distribution | None:
        """Of each number that is forecast, all that lies below zero at zero."""
        found = self.inner.distribution(history, windows)
        return None if found is None else Censored(found)

    def paths(self, history: History, windows: WindowIndex, n: int, seed: int) -> np.ndarray | None:
        """Those that the other model draws, all that lies below zero at zero."""
        found = self.inner.paths(history, windows, n, seed)
        return None if found is None else np.maximum(found, 0)

    def stepper(self, history: History) -> Stepper:
        """Forecasts of the series of ``history`` as they go on."""
        return _NonNegativeStepper(self.inner.stepper(history))

    def arrays(self) -> dict[str, np.ndarray]:
        """Those of the other model."""
        return self.inner.arrays()

    def document(self) -> dict[str, Any]:
        """That of the other model, within one of its own."""
        return {"non_negative": self.inner.document()}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> NonNegativeModel:
        """Of what class the other model is the document does not say: see `tsrnn.forecasting.fitting`."""
        raise TypeError("A NonNegativeModel is restored around another model, by `restored_model`.")


@final
class Censored(Distribution):
    """Another distribution, with all that lies below zero at zero.

    ``cdf`` of zero is the middle of the step there, so that what comes is spread evenly over 0 to 1.
    """

    def __init__(self, inner: Distribution) -> None:
        self.inner, self.shape = inner, inner.shape

    def at(self, u: np.ndarray) -> np.ndarray:
        return np.maximum(self.inner.at(u), 0)

    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        return np.maximum(self.inner.at_scores(scores), 0)

    def scores(self, values: np.ndarray) -> np.ndarray:
        # Those of the other one, which may tell places apart that probabilities do not; of zero the middle of the step.
        found = self.inner.scores(np.maximum(values, 0))
        return np.where(values > 0, found, np.minimum(found, super().scores(values)))

    def cdf(self, values: np.ndarray) -> np.ndarray:
        values = np.asarray(values)
        found = self.inner.cdf(np.maximum(values, 0))
        return np.where(values > 0, found, np.where(values == 0, found / 2, 0.0))

    def mean(self) -> np.ndarray:
        # That of the other one, less what its part below zero adds to it.
        below = self.inner.cdf(np.zeros(self.shape))
        inside = (np.arange(_POINTS) + 0.5) / _POINTS
        tiny = np.finfo(np.float64).tiny
        quantiles = sum(np.minimum(self.inner.at(np.maximum(below * share, tiny)), 0) for share in inside.tolist())
        return self.inner.mean() - below * quantiles / _POINTS

    def point(self) -> np.ndarray:
        return np.maximum(self.inner.point(), 0)


class _NonNegativeStepper(Stepper):
    """Another stepper, whose forecasts below zero are zero."""

    def __init__(self, inner: Stepper) -> None:
        self.inner = inner

    def step(self, row: np.ndarray) -> np.ndarray:
        return np.maximum(self.inner.step(row), 0)
