"""Compile the kernels that forecasters commonly need, by fitting small ones: what is compiled is then what users need.

One signature serves all sizes, so small is as good as large.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tsrnn._cache import on_compile
from tsrnn._errors import BelowNaiveWarning
from tsrnn.forecasting.networks import NetworkForecaster
from tsrnn.forecasting.recurrent import GRUForecaster, LSTMForecaster, SimpleRNNForecaster
from tsrnn.forecasting.regressors import DenseForecaster
from tsrnn.nn.heads.point import LOSSES
from tsrnn.training.optimizers import OPTIMIZERS

_SMALL: dict[str, Any] = {"hidden_size": 4, "lookback": 8, "horizon": 2, "max_epochs": 1, "random_state": 0}
_SMALL |= {"n_jobs": 1, "clip_norm": 1e-9}  # a norm that every gradient exceeds


def common_forecasters() -> list[NetworkForecaster]:
    """Small ones that together use each cell, loss and optimizer, dropout, and one and two layers."""
    cells = (SimpleRNNForecaster, LSTMForecaster, GRUForecaster)
    found: list[NetworkForecaster] = [cell(n_layers=n_layers, **_SMALL) for cell in cells for n_layers in (1, 2)]
    found.append(GRUForecaster(dropout=0.1, recurrent_dropout=0.1, **_SMALL))
    found.append(DenseForecaster(dropout=0.1, **_SMALL))
    found += [DenseForecaster(loss=loss, **_SMALL) for loss in LOSSES]
    found += [DenseForecaster(optimizer=optimizer, weight_decay=0.1, **_SMALL) for optimizer in OPTIMIZERS]
    return found


def warm_up(report: Callable[[str], None]) -> int:
    """Compile what is not in the cache yet, telling ``report`` the name of each kernel before; how many there were."""
    compiled: list[str] = []

    def listener(kernel: str) -> None:
        compiled.append(kernel)
        report(kernel)

    frame = pd.DataFrame(np.random.default_rng(0).standard_normal((80, 2)), columns=["a", "b"])
    with on_compile(listener), warnings.catch_warnings():
        warnings.simplefilter("ignore", BelowNaiveWarning)
        for forecaster in common_forecasters():
            forecaster.fit(frame).predict()
            forecaster.stream()
    return len(compiled)
