"""What all displays share: where they draw, and what they keep of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

from tsrnn._errors import check_import

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure


class Display(ABC):
    """A picture, as scikit-learn's displays; abstract: a subclass draws it."""

    ax_: Axes
    figure_: Figure

    @abstractmethod
    def _draw(self, ax: Axes) -> None:
        """The picture."""

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
        pyplot: Any = check_import("matplotlib.pyplot", "plot", type(self).__name__)
        self.ax_ = pyplot.subplots(layout="constrained")[1] if ax is None else ax
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        self._draw(self.ax_)
        return self


def in_whole_numbers(axis: Axis) -> None:
    """No ticks between steps."""
    locator: Any = axis.get_major_locator()
    locator.set_params(integer=True)
