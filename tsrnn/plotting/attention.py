"""What a network looks at: the weights of an attention layer, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from tsrnn.nn import BuiltNetwork
from tsrnn.plotting._display import Display

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class AttentionDisplay(Display):
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

    def _draw(self, ax: Axes) -> None:
        image = ax.imshow(self.weights, aspect="auto", cmap="Greys", vmin=0, interpolation="nearest")
        ax.figure.colorbar(image, ax=ax, label="weight")
        ax.set(xlabel="step", ylabel="sequence", title="Attention")
