"""Baselines that learn: ridge regression and a fully connected network, both on the flattened window."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsrnn._errors import Real
from tsrnn._parameters import param
from tsrnn.data import WindowIndex, WindowShape
from tsrnn.forecasting.base import Forecaster
from tsrnn.forecasting.declared import DenseParameters
from tsrnn.forecasting.memory import ModelMemory, ridge_memory
from tsrnn.forecasting.networks import NetworkForecaster
from tsrnn.forecasting.prepare import Prepared
from tsrnn.forecasting.skill import chunks
from tsrnn.forecasting.state import Fitted, History, Model
from tsrnn.nn.layer import LayerSpec
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.layers.dropout import Dropout
from tsrnn.nn.layers.flatten import Flatten
from tsrnn.nn.summary import Table


def flat_windows(scaled: np.ndarray, windows: WindowIndex, shape: WindowShape) -> np.ndarray:
    """All points of each window side by side: (windows, lookback * channels), float64."""
    points = np.arange(1 - shape.lookback, 1) * shape.sampling_rate
    return scaled[windows.origin[:, None] + points].reshape(len(windows), -1).astype(np.float64)


def differences(scaled: np.ndarray, windows: WindowIndex, shape: WindowShape, n_targets: int) -> np.ndarray:
    """What came, less the last value: (windows, horizon * targets), float64."""
    rows = windows.origin[:, None] + shape.gap + 1 + np.arange(shape.horizon)
    last = scaled[windows.origin, None, :n_targets].astype(np.float64)
    return (scaled[rows, :n_targets] - last).reshape(len(windows), -1)


class LinearModel(Model):
    """Coefficients (lookback * channels, horizon * targets) and an intercept, in scaled units."""

    def __init__(self, coefficients: np.ndarray, intercept: np.ndarray) -> None:
        self.coefficients, self.intercept = coefficients, intercept

    def predict(self, history: History, windows: WindowIndex) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in data units."""
        scaled, parts = history.scaled, []
        for part in chunks(windows, len(self.coefficients)):
            change = flat_windows(scaled, part, history.shape) @ self.coefficients + self.intercept
            last = scaled[part.origin, None, : history.n_targets]
            parts.append(change.reshape(len(part), history.shape.horizon, -1) + last)
        return history.unscaled(np.concatenate(parts), windows)

    def arrays(self) -> dict[str, np.ndarray]:
        """Coefficients and intercept."""
        return {"coefficients": self.coefficients, "intercept": self.intercept}

    def document(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> LinearModel:
        """The model again."""
        return cls(arrays["coefficients"], arrays["intercept"])

    def tables(self) -> tuple[Table, ...]:
        """Sizes."""
        rows, columns = self.coefficients.shape
        return (Table(("ridge regression", "size"), (("inputs", str(rows)), ("outputs", str(columns)))),)

    @property
    def n_params(self) -> int:
        """Number of coefficients and intercepts."""
        return self.coefficients.size + self.intercept.size


class LinearForecaster(Forecaster):
    """Ridge regression on the flattened window, for the difference from the last value.

    The honest baseline: it shames many networks. Each row of the horizon and each target has coefficients of its own.
    The normal equations are summed over the windows some thousand at a time, so memory does not grow with their number.

    {parameters}

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import LinearForecaster
    >>> index = pd.date_range("2024-01-01", periods=400, freq="h")
    >>> frame = pd.DataFrame({"load": np.sin(np.arange(400) * 2 * np.pi / 24) + np.arange(400) / 100}, index=index)
    >>> forecaster = LinearForecaster(horizon=3).fit(frame)
    >>> forecaster.predict().round(2)
                         load
    2024-01-17 16:00:00  3.13
    2024-01-17 17:00:00  3.05
    2024-01-17 18:00:00  3.02
    """

    alpha: float = param(
        default=10.0,
        constraint=Real(0),
        doc="Strength of the L2 penalty on the coefficients, as in scikit-learn's Ridge.",
    )

    model_class = LinearModel
    advice = "Try a longer `lookback`, a greater `alpha` or more data; the naive forecast may be all that there is."

    def _fit_model(self, prepared: Prepared, seed: int) -> Fitted:
        scaled = prepared.scaling.transform(prepared.training.panel)
        shape, windows = prepared.shape, prepared.training.windows
        size, n_outputs = shape.lookback * scaled.shape[1], shape.horizon * prepared.n_targets
        # Moments of [x, 1]: the intercept is one more coefficient, without a penalty.
        squares, products = np.zeros((size + 1, size + 1)), np.zeros((size + 1, n_outputs))
        for part in chunks(windows, size + 1):
            _add_moments(squares, products, scaled, part, prepared)
        squares[np.diag_indices(size)] += max(self.alpha, 1e-8 * np.trace(squares) / size)  # singular without any
        solution = np.linalg.solve(squares, products)
        return Fitted(LinearModel(solution[:size], solution[size]))

    def _model_memory(self, prepared: Prepared) -> ModelMemory:
        return ridge_memory(prepared)


def _add_moments(
    squares: np.ndarray, products: np.ndarray, scaled: np.ndarray, windows: WindowIndex, prepared: Prepared
) -> None:
    """Add those of some windows, weighted."""
    inputs = np.hstack([flat_windows(scaled, windows, prepared.shape), np.ones((len(windows), 1))])
    weights = prepared.window_weights(windows)[:, None]
    squares += inputs.T @ (inputs * weights)
    products += inputs.T @ (differences(scaled, windows, prepared.shape, prepared.n_targets) * weights)


class DenseForecaster(NetworkForecaster, DenseParameters):
    """Forecast with a fully connected network on the flattened window.

    {parameters}

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import DenseForecaster
    >>> index = pd.date_range("2024-01-01", periods=400, freq="h")
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400)
    >>> frame = pd.DataFrame({"load": wave + noise}, index=index)
    >>> DenseForecaster(max_epochs=10, random_state=0).fit(frame).predict().shape
    (24, 1)
    """

    def _hidden_layers(self) -> list[LayerSpec]:
        sizes = self.hidden_size if isinstance(self.hidden_size, list | tuple) else [self.hidden_size]
        layers: list[LayerSpec] = [Flatten()]
        for size in sizes:
            penalties = {"kernel_l1": self.kernel_l1, "kernel_l2": self.kernel_l2}
            layers.append(Dense(size, activation=self.activation, **penalties))
            layers += [Dropout(self.dropout)] if self.dropout else []
        return layers
