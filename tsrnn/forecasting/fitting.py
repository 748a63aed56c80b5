"""How a forecaster's model comes about: one for all series or one for each, and what is done to its forecasts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tsrnn.forecasting.local import LocalModel, fit_local, local_memory
from tsrnn.forecasting.memory import ModelMemory
from tsrnn.forecasting.nonnegative import NonNegativeModel
from tsrnn.forecasting.prepare import Prepared
from tsrnn.forecasting.state import Fitted, Model

if TYPE_CHECKING:
    from tsrnn.forecasting.base import Forecaster


def fit_model(forecaster: Forecaster, prepared: Prepared, seed: int) -> Fitted:
    """Fit on the prepared windows, as ``scope`` and ``non_negative`` say. Nothing of the estimator changes."""
    is_local = forecaster.scope == "local"
    return as_used(
        forecaster, fit_local(forecaster, prepared, seed) if is_local else forecaster._fit_model(prepared, seed)
    )


def as_used(forecaster: Forecaster, fitted: Fitted) -> Fitted:
    """With what ``non_negative`` does to its forecasts."""
    return replace(fitted, model=NonNegativeModel(fitted.model)) if forecaster.non_negative else fitted


def model_memory(forecaster: Forecaster, prepared: Prepared) -> ModelMemory:
    """What ``fit_model`` and the model's ``predict`` take."""
    is_local = forecaster.scope == "local"
    return local_memory(forecaster, prepared) if is_local else forecaster._model_memory(prepared)


def restored_model(kind: type[Model], arrays: dict[str, np.ndarray], document: dict[str, Any]) -> Model:
    """The model again, from what it saved; ``kind`` is that of the forecaster."""
    if "non_negative" in document:
        return NonNegativeModel(restored_model(kind, arrays, document["non_negative"]))
    if "local" in document:
        return LocalModel.of_kind(kind, arrays, document)
    return kind.restore(arrays, document)
