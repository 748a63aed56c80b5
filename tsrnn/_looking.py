"""What estimators that are networks show of how they learn, and of what they look at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pandas as pd

from tsrnn._errors import Integer, check_parameter
from tsrnn.nn.looking import attention_layer
from tsrnn.training.looking import Look


class LooksInside(ABC):
    """Looks at a fitted network at work; abstract: an estimator says on what."""

    @abstractmethod
    def _look(self, X: Any, y: Any, n_examples: int) -> Look:
        """One pass there and back over at most so many examples, spread evenly over X."""

    @abstractmethod
    def _attended(self, X: Any, y: Any, n_examples: int) -> tuple[dict[str, np.ndarray], pd.Index]:
        """Weights (examples, steps) of each attention layer, and what the examples are called."""

    def gradient_flow(self, X: Any, y: Any = None, *, n_examples: int = 1000) -> pd.DataFrame:
        """How far back in time the network learns: gradients that vanish, or explode, on their way.

        Parameters
        ----------
        X, y : as in ``score``
            What to look at.
        n_examples : int, default=1000
            Windows or sequences to look at, at most; spread evenly over X.

        Returns
        -------
        DataFrame of shape (steps, recurrent layers)
            The norm of the gradient of an example's loss with respect to the state of each layer, by ``steps_back``
            from the last step that it reads; the mean over examples, of sequences that differ in length over those with
            so many steps. Padding is no step. Layers within others have columns of their own: "bidirectional_0 forward"
            and "bidirectional_0 backward", "residual_1 gru". `GradientFlowDisplay` draws it.
        """
        flow = {name: pd.Series(norms) for name, norms in self._checked_look(X, y, n_examples).flow.items()}
        return pd.DataFrame(flow).rename_axis(index="steps_back", columns="layer")  # NaN where a layer has fewer steps

    def saturation(self, X: Any, y: Any = None, *, n_examples: int = 1000) -> pd.Series:
        """How often gates and candidates are where their activations hardly change, so that little is learned.

        Parameters
        ----------
        X, y, n_examples : as in ``gradient_flow``
            What to look at.

        Returns
        -------
        Series
            By layer and gate the share of values with less than a tenth of the activation's steepest slope: a sigmoid
            below 0.026 or above 0.974, a tanh beyond 0.949. Padding does not count. `SaturationDisplay` draws it.
        """
        found = self._checked_look(X, y, n_examples).saturated
        shares = {(layer, gate): share for layer, gates in found.items() for gate, share in gates.items()}
        return pd.Series(shares, name="saturated", dtype=float).rename_axis(index=["layer", "gate"])

    def attention_weights(
        self, X: Any, y: Any = None, *, layer: str | None = None, n_examples: int = 1000
    ) -> pd.DataFrame:
        """What the network looks at: how much each step counts for an `Attention` layer.

        Parameters
        ----------
        X, y : as in ``predict``
            What to look at: for a forecaster all windows of history in X, also those whose forecast lies beyond it.
        layer : str, optional
            Name of the attention layer in ``summary()``, where there are several. Default: the last one.
        n_examples : int, default=1000
            Windows or sequences to look at, at most; spread evenly over X.

        Returns
        -------
        DataFrame of shape (examples, steps)
            A row for each window, under the last stamp of its history (``cutoff``), or for each sequence, under its
            number in X; columns are the steps that the layer reads, the first one first. A row adds up to 1, and is
            zero where a sequence has no step. `AttentionDisplay` draws it.
        """
        check_parameter("attention_weights", "n_examples", n_examples, Integer(1))
        found, examples = self._attended(X, y, n_examples)
        if not found:
            raise ValueError(
                f"`attention_weights` needs a network with an Attention layer, and this {type(self).__name__} has "
                "none. Put `Attention()` into `layers`, behind a recurrent layer with `return_sequences=True`."
            )
        weights = attention_layer(found, layer)
        return pd.DataFrame(weights, index=examples, columns=pd.RangeIndex(weights.shape[1], name="step"))

    def _checked_look(self, X: Any, y: Any, n_examples: int) -> Look:
        check_parameter("gradient_flow", "n_examples", n_examples, Integer(1))
        found = self._look(X, y, n_examples)
        if not found.flow:
            raise ValueError(f"{type(self).__name__} has no recurrent layer to look at.")
        return found


def spread_evenly(count: int, most: int) -> np.ndarray:
    """At most so many of the numbers below ``count``, the first and the last among them."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)
