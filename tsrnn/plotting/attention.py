"""What a network looks at: the weights of an attention layer, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from tsrnn.nn import BuiltNetwork
from tsrnn.nn.looking import attention_layer
from tsrnn.plotting._display import Display, in_whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LABELS = 10


class AttentionDisplay(Display):
    """How much each step of each sequence counts, darker for more.

    Parameters
    ----------
    weights : DataFrame or ndarray of shape (sequences, steps)
        Of one layer, from ``attention_weights`` of an estimator or of a network of `Sequential`.

    Attributes
    ----------
    ax_, figure_ : Axes, Figure
        After ``plot``, to go on with.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GRU, Attention, Sequential
    >>> from tsrnn.plotting import AttentionDisplay
    >>> net = Sequential([GRU(4, return_sequences=True), Attention(units=4)]).build(input_shape=(10, 2))
    >>> display = AttentionDisplay.from_network(net, np.ones((3, 10, 2), np.float32))
    >>> display.ax_.get_ylabel()
    'sequence'
    """

    def __init__(self, weights: pd.DataFrame | np.ndarray) -> None:
        self.weights = weights

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        layer: str | None = None,
        n_examples: int = 1000,
        ax: Axes | None = None,
    ) -> Self:
        """Look at a fitted forecaster, regressor or classifier at work on X, and plot it.

        Parameters
        ----------
        estimator : NetworkForecaster, RNNRegressor or RNNClassifier
            With an `Attention` in ``layers``.
        X, y, layer, n_examples : as in its ``attention_weights``
            What to look at.
        ax : matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        AttentionDisplay
            With ``ax_`` and ``figure_``.
        """
        return cls(estimator.attention_weights(X, y, layer=layer, n_examples=n_examples)).plot(ax=ax)

    @classmethod
    def from_network(
        cls,
        net: BuiltNetwork,
        x: np.ndarray,
        mask: np.ndarray | None = None,
        *,
        layer: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Look at a network at work on a batch, and plot it.

        Parameters
        ----------
        net : BuiltNetwork
            With an `Attention` layer.
        x, mask : as in a call of the network
            The batch.
        layer : str, optional
            Its name in ``net.summary()``. Default: the last attention layer.
        ax : matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        AttentionDisplay
            With ``ax_`` and ``figure_``.
        """
        return cls(attention_layer(net.attention_weights(x, mask), layer)).plot(ax=ax)

    def _draw(self, ax: Axes) -> None:
        image = ax.imshow(np.asarray(self.weights), aspect="auto", cmap="Greys", vmin=0, interpolation="nearest")
        ax.figure.colorbar(image, ax=ax, label="weight")
        ax.set(xlabel="step", ylabel="sequence", title="Attention")
        in_whole_numbers(ax.xaxis)
        in_whole_numbers(ax.yaxis)
        if isinstance(self.weights, pd.DataFrame):
            names = self.weights.index
            rows = np.unique(np.linspace(0, len(names) - 1, min(len(names), MOST_LABELS)).round().astype(int))
            ax.set_yticks(rows, [_label(name) for name in names[rows]])
            ax.set_ylabel(_label(tuple(names.names)))


def _label(name: Any) -> str:
    """One of an index, or a tuple of several levels."""
    return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)
