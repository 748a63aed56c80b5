"""What a network looks at: the weights of an attention layer, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from tsrnn.nn import BuiltNetwork
from tsrnn.plotting._axes import axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class AttentionDisplay:
    """How much each step of each sequence counts, darker for more.

    Parameters
    ----------
    weights : ndarray of shape (batch, steps)
        Of one layer, from ``net.attention_weights``.

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

    ax_: Axes
    figure_: Figure

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights

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
        found = net.attention_weights(x, mask)
        name = list(found)[-1] if layer is None else layer
        if name not in found:
            raise ValueError(f"`layer` must be an attention layer of the network ({', '.join(found)}); got {layer!r}.")
        return cls(found[name]).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on ``ax``, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        self
            With ``ax_`` and ``figure_``.
        """
        self.ax_ = axes_or_new(ax, "AttentionDisplay")
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        image = self.ax_.imshow(self.weights, aspect="auto", cmap="Greys", vmin=0, interpolation="nearest")
        self.ax_.figure.colorbar(image, ax=self.ax_, label="weight")
        self.ax_.set(xlabel="step", ylabel="sequence", title="Attention")
        return self
