"""Recurrent networks for forecasting, from a DataFrame to a forecast, on Numba kernels.

The public names are imported when they are first used, so that `import tsrnn` itself costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tsrnn._version import __version__

if TYPE_CHECKING:
    from tsrnn import datasets, evaluation, interop, nn, testing, training
    from tsrnn._cache_folder import cache_info
    from tsrnn._errors import BelowNaiveWarning, DataWarning, DivergedError, LeakageWarning
    from tsrnn._saving import load
    from tsrnn.estimators.classifier import RNNClassifier
    from tsrnn.estimators.regressor import RNNRegressor
    from tsrnn.evaluation.split import PanelTimeSeriesSplit
    from tsrnn.forecasting.backtest import Backtest
    from tsrnn.forecasting.baselines import NaiveForecaster
    from tsrnn.forecasting.comparing import compare
    from tsrnn.forecasting.comparison import Comparison
    from tsrnn.forecasting.recurrent import GRUForecaster, LSTMForecaster, RNNForecaster, SimpleRNNForecaster
    from tsrnn.forecasting.regressors import DenseForecaster, LinearForecaster
    from tsrnn.forecasting.stream import Stream
    from tsrnn.persistence import ModelFileError
    from tsrnn.text import TokenSequencer

_HOMES = {
    "RNNForecaster": "tsrnn.forecasting.recurrent",
    "SimpleRNNForecaster": "tsrnn.forecasting.recurrent",
    "LSTMForecaster": "tsrnn.forecasting.recurrent",
    "GRUForecaster": "tsrnn.forecasting.recurrent",
    "NaiveForecaster": "tsrnn.forecasting.baselines",
    "LinearForecaster": "tsrnn.forecasting.regressors",
    "DenseForecaster": "tsrnn.forecasting.regressors",
    "Stream": "tsrnn.forecasting.stream",
    "Backtest": "tsrnn.forecasting.backtest",
    "Comparison": "tsrnn.forecasting.comparison",
    "compare": "tsrnn.forecasting.comparing",
    "PanelTimeSeriesSplit": "tsrnn.evaluation.split",
    "TokenSequencer": "tsrnn.text",
    "RNNRegressor": "tsrnn.estimators.regressor",
    "RNNClassifier": "tsrnn.estimators.classifier",
    "load": "tsrnn._saving",
    "cache_info": "tsrnn._cache_folder",
    "DivergedError": "tsrnn._errors",
    "BelowNaiveWarning": "tsrnn._errors",
    "DataWarning": "tsrnn._errors",
    "LeakageWarning": "tsrnn._errors",
    "ModelFileError": "tsrnn.persistence",
}
_SUBMODULES = ("datasets", "evaluation", "interop", "nn", "plotting", "testing", "training")

__all__ = [
    "Backtest",
    "BelowNaiveWarning",
    "Comparison",
    "DataWarning",
    "DenseForecaster",
    "DivergedError",
    "GRUForecaster",
    "LSTMForecaster",
    "LeakageWarning",
    "LinearForecaster",
    "ModelFileError",
    "NaiveForecaster",
    "PanelTimeSeriesSplit",
    "RNNClassifier",
    "RNNForecaster",
    "RNNRegressor",
    "SimpleRNNForecaster",
    "Stream",
    "TokenSequencer",
    "__version__",
    "cache_info",
    "compare",
    "datasets",
    "evaluation",
    "interop",
    "load",
    "nn",
    "plotting",
    "testing",
    "training",
]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"tsrnn.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tsrnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
