"""How a network learns, in pictures: gradients on their way back in time, and saturated gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from tsrnn.plotting._display import Display, in_whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class GradientFlowDisplay(Display):
    """The norm of the gradient by steps back in time, on a logarithmic scale: a falling line is a vanishing gradient.

    Steps that no gradient reaches are left out of a line.

    Parameters
    ----------
    flow : DataFrame
        From ``gradient_flow``.

    Attributes
    ----------
    ax_, figure_ : Axes, Figure
        After ``plot``, to go on with.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import GRUForecaster
    >>> from tsrnn.plotting import GradientFlowDisplay
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400)
    >>> frame = pd.DataFrame({"load": wave + noise}, index=pd.date_range("2024-01-01", periods=400, freq="h"))
    >>> forecaster = GRUForecaster(max_epochs=2, random_state=0).fit(frame)
    >>> display = GradientFlowDisplay.from_estimator(forecaster, frame)
    >>> display.ax_.get_xlabel()
    'steps back'
    """

    def __init__(self, flow: pd.DataFrame) -> None:
        self.flow = flow

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any = None, *, ax: Axes | None = None) -> Self:
        """Look at a fitted network on X, and plot it; arguments as in its ``gradient_flow``."""
        return cls(estimator.gradient_flow(X, y)).plot(ax=ax)

    def _draw(self, ax: Axes) -> None:
        for layer, norms in self.flow.items():
            shown = norms[norms > 0]  # a logarithm of the others there is not
            ax.semilogy(shown.index, shown, label=str(layer))
        ax.invert_xaxis()  # time goes to the right
        in_whole_numbers(ax.xaxis)
        ax.set(xlabel="steps back", ylabel="norm of the gradient", title="Gradient of the state")
        ax.legend()


class SaturationDisplay(Display):
    """The share of values of each gate and candidate where its activation is so flat that little is learned.

    Parameters
    ----------
    shares : Series
        From ``saturation``.

    Attributes
    ----------
    ax_, figure_ : Axes, Figure
        After ``plot``, to go on with.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import GRUForecaster
    >>> from tsrnn.plotting import SaturationDisplay
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400)
    >>> frame = pd.DataFrame({"load": wave + noise}, index=pd.date_range("2024-01-01", periods=400, freq="h"))
    >>> forecaster = GRUForecaster(max_epochs=2, random_state=0).fit(frame)
    >>> display = SaturationDisplay.from_estimator(forecaster, frame)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['gru_0 n', 'gru_0 r', 'gru_0 z']
    """

    def __init__(self, shares: pd.Series) -> None:
        self.shares = shares

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any = None, *, ax: Axes | None = None) -> Self:
        """Look at a fitted network on X, and plot it; arguments as in its ``saturation``."""
        return cls(estimator.saturation(X, y)).plot(ax=ax)

    def _draw(self, ax: Axes) -> None:
        names = [f"{layer} {gate}" for layer, gate in self.shares.index]
        ax.barh(names, self.shares.to_numpy() * 100)
        ax.invert_yaxis()  # the first on top
        ax.set(xlim=(0, 100), xlabel="saturated (%)", title="Saturation of gates")
