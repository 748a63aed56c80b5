"""Recurrent forecasters: the face of the package."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tsrnn._parameters import fixed
from tsrnn.forecasting.declared import RecurrentParameters, StrategyParameters
from tsrnn.forecasting.networks import NetworkForecaster
from tsrnn.nn.cells import CELLS
from tsrnn.nn.layer import LayerSpec

PER_LAYER = ("hidden_size", "activation", "dropout", "recurrent_dropout")
_ATTRIBUTES = """\
Attributes
----------
history_ : DataFrame
    A row for each epoch: epoch, loss, val_loss, val_mae (data units), learning_rate, seconds; with `n_members` greater
    than 1 first the member, from 0.
best_epoch_ : int, or list of int
    The epoch whose weights were kept; with `n_members` greater than 1 that of each member, as in `stopped_`.
stopped_ : str, or list of str
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
    kind: Any = CELLS[given.cell]
    depth = _depth(given)
    names = [field.name for field in fields(kind) if field.name in given.PARAMETERS]
    names = [name for name in names if name != "return_sequences"]
    settings = [{name: _of_layer(getattr(given, name), i) for name in names} for i in range(depth)]
    return [kind(**own, return_sequences=i < depth - 1 or return_sequences) for i, own in enumerate(settings)]


def _depth(given: RecurrentParameters) -> int:
    """How many layers: ``n_layers``, or as many as one of the parameters has values for."""
    values = {name: getattr(given, name) for name in PER_LAYER}
    lists = {name: value for name, value in values.items() if isinstance(value, list | tuple)}
    if not lists:
        return given.n_layers
    first, one = next(iter(lists.items()))
    said_by = f"{first}={one}" if given.n_layers == 1 else f"n_layers={given.n_layers}"
    depth = len(one) if given.n_layers == 1 else given.n_layers
    for name, value in lists.items():
        if len(value) != depth:
            raise ValueError(
                f"`{name}` must be one value, or one for each layer, of which `{said_by}` makes {depth}; got {value}."
            )
    return depth


def _of_layer(value: Any, layer: int) -> Any:
    """One value for all layers, or one for each."""
    return value[layer] if isinstance(value, list | tuple) else value


class RNNForecaster(NetworkForecaster, RecurrentParameters, StrategyParameters):
    """Forecast with a recurrent network, of any cell.

    One global model is trained on all series. A window of history goes through the recurrent layers, and a dense layer
    on the last state gives all rows of the horizon at once; ``strategy`` has other ways. The last part of the time is
    held out: training stops when it is no longer forecast better, and the skill against the naive forecasts is measured
    on it.

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
    >>> RNNForecaster(strategy="seq2seq", max_epochs=2, random_state=0).fit(frame).predict().shape
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
