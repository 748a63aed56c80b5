"""Recurrent forecasters: the face of the package."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tsrnn._parameters import fixed
from tsrnn.forecasting.declared import RecurrentParameters
from tsrnn.forecasting.networks import NetworkForecaster
from tsrnn.nn.cells import CELLS
from tsrnn.nn.layer import LayerSpec

_ATTRIBUTES = """\
Attributes
----------
history_ : DataFrame
    A row for each epoch: epoch, loss, val_loss, val_mae (data units), learning_rate, seconds.
best_epoch_ : int
    The epoch whose weights were kept.
stopped_ : str
    Why training ended: "max_epochs", "max_steps", "early_stopping", "callback" or "interrupt".
baseline_skill_ : dict
    Skill on the validation rows against the "last" and the "seasonal" naive forecast.
lookback_, horizon_ : int
    The window, with "auto" resolved.
cutoff_ : list of str
    Where validation begins.
data_report_ : dict
    What was sorted, merged, filled and left out.
"""


def recurrent_layers(given: RecurrentParameters, return_sequences: bool) -> list[LayerSpec]:
    """All layers but the output; the last gives its state after each step, or the last one only."""
    if given.layers is not None:
        return list(given.layers)
    sizes = given.hidden_size if isinstance(given.hidden_size, list | tuple) else [given.hidden_size] * given.n_layers
    if given.n_layers not in (1, len(sizes)):
        raise ValueError(
            f"`hidden_size` must give one width, or one for each of n_layers={given.n_layers} layers; got {sizes}."
        )
    kind: Any = CELLS[given.cell]
    settings = {field.name: getattr(given, field.name) for field in fields(kind) if field.name in given.PARAMETERS}
    settings = {name: value for name, value in settings.items() if name not in ("hidden_size", "return_sequences")}
    last = len(sizes) - 1
    return [kind(size, return_sequences=i < last or return_sequences, **settings) for i, size in enumerate(sizes)]


class RNNForecaster(NetworkForecaster, RecurrentParameters):
    """Forecast with a recurrent network, of any cell.

    One global model is trained on all series; a window of history goes through the recurrent layers, and a dense layer
    on the last state gives all rows of the horizon at once. The last part of the time is held out: training stops when
    it is no longer forecast better, and the skill against the naive forecasts is measured on it.

    {parameters}

    {attributes}

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import RNNForecaster
    >>> index = pd.date_range("2024-01-01", periods=400, freq="h")
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400)
    >>> frame = pd.DataFrame({"load": wave + noise}, index=index)
    >>> forecaster = RNNForecaster(max_epochs=2, random_state=0).fit(frame)
    >>> forecaster.predict().shape
    (24, 1)
    """

    ATTRIBUTES = _ATTRIBUTES

    def _hidden_layers(self) -> list[LayerSpec]:
        return recurrent_layers(self, return_sequences=False)


class SimpleRNNForecaster(RNNForecaster):
    """``RNNForecaster`` with Elman's cell.

    {parameters}

    {attributes}

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import SimpleRNNForecaster
    >>> index = pd.date_range("2024-01-01", periods=400, freq="h")
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400)
    >>> frame = pd.DataFrame({"load": wave + noise}, index=index)
    >>> SimpleRNNForecaster(hidden_size=16, max_epochs=2, random_state=0).fit(frame).predict().shape
    (24, 1)
    """

    cell = fixed("rnn")
    recurrent_activation = fixed("sigmoid")  # no gates
    reset_after = fixed(True)


class LSTMForecaster(RNNForecaster):
    """``RNNForecaster`` with long short-term memory.

    {parameters}

    {attributes}

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import LSTMForecaster
    >>> index = pd.date_range("2024-01-01", periods=400, freq="h")
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400)
    >>> frame = pd.DataFrame({"load": wave + noise}, index=index)
    >>> LSTMForecaster(hidden_size=16, max_epochs=2, random_state=0).fit(frame).predict().shape
    (24, 1)
    """

    cell = fixed("lstm")
    reset_after = fixed(True)  # the reset gate is the GRU's


class GRUForecaster(RNNForecaster):
    """``RNNForecaster`` with gated recurrent units.

    {parameters}

    {attributes}

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import GRUForecaster
    >>> index = pd.date_range("2024-01-01", periods=400, freq="h")
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400)
    >>> frame = pd.DataFrame({"load": wave + noise}, index=index)
    >>> GRUForecaster(hidden_size=[16, 8], max_epochs=2, random_state=0).fit(frame).predict().shape
    (24, 1)
    """

    cell = fixed("gru")
