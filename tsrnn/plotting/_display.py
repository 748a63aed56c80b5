"""What all displays share: where they draw, what they keep of it, colours, dates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from tsrnn._errors import check_import

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Of Okabe and Ito, told apart by colour-blind people too. No two lines differ by colour alone: dashes, marks and
# lightness tell them apart in grey.
BLACK, GREY, BLUE, ORANGE = "#000000", "#777777", "#0072B2", "#D55E00"


class Display(ABC):
    """A picture, as scikit-learn's displays; abstract: a subclass draws it."""

    ax_: Axes
    figure_: Figure
    SIZE: ClassVar[tuple[float, float] | None] = None  # inches; None: as matplotlib has it

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
        self._own_figure = ax is None
        self.ax_ = pyplot.subplots(figsize=self.SIZE, layout="constrained")[1] if ax is None else ax
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        self._draw(self.ax_)
        return self


class PartsDisplay(ABC):
    """A picture of several parts, each on axes of its own; abstract: a subclass draws it."""

    axes_: np.ndarray
    figure_: Figure
    ACROSS: ClassVar[bool] = True  # parts side by side; else one below the other
    SIZE: ClassVar[tuple[float, float]] = (5.0, 4.0)  # inches of a part

    @property
    @abstractmethod
    def _n_parts(self) -> int:
        """How many there are."""

    @abstractmethod
    def _draw(self, axes: list[Axes]) -> None:
        """The parts."""

    def plot(self, ax: Axes | Sequence[Axes] | np.ndarray | None = None) -> Self:
        """Draw on ``ax``, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, or a sequence of them, optional
            Where to draw, one for each part.

        Returns
        -------
        self
            With ``axes_``, an array of Axes, and ``figure_``.
        """
        pyplot: Any = check_import("matplotlib.pyplot", "plot", type(self).__name__)
        self._own_figure, count = ax is None, self._n_parts
        if ax is None:
            rows, columns = (1, count) if self.ACROSS else (count, 1)
            size = self.SIZE[0] * columns, self.SIZE[1] * rows
            ax = pyplot.subplots(rows, columns, squeeze=False, figsize=size, layout="constrained")[1]
        self.axes_ = np.atleast_1d(np.asarray(ax, object)).ravel()
        if len(self.axes_) != count:
            raise ValueError(
                f"`ax` of {type(self).__name__} must hold {count} axes, one for each part; got {len(self.axes_)}. Make "
                f"them with `plt.subplots({'1, ' if self.ACROSS else ''}{count})[1]`."
            )
        self.figure_ = self.axes_[0].figure
        self._draw(list(self.axes_))
        return self


def in_whole_numbers(axis: Axis) -> None:
    """No ticks between steps."""
    locator: Any = axis.get_major_locator()
    locator.set_params(integer=True)


def legend(ax: Axes, own_figure: bool) -> None:
    """Beside the axes on a figure of ours, which makes room for it; on one of the user's where it hides least."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1, 1)} if own_figure else {"loc": "best"}
    ax.legend(**place, frameon=not own_figure, fontsize="small")


def positions(index: pd.Index) -> pd.Index:
    """Stamps as matplotlib takes them."""
    return index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index


def along(ax: Axes, index: pd.Index) -> None:
    """Ticks for these stamps: short dates that do not overlap, or whole numbers."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    stamps = positions(index)
    if isinstance(stamps, pd.DatetimeIndex):
        locator = AutoDateLocator(tz=stamps.tz, minticks=3, maxticks=7)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=stamps.tz))
    else:
        in_whole_numbers(ax.xaxis)


def lighter(color: str, share: float) -> tuple[float, float, float]:
    """A colour with a share of it left, the rest white: no transparency, so that a legend shows what is drawn."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - share * (1 - part) for part in to_rgb(color))
    return red, green, blue


def linestyles(count: int) -> list[Any]:
    """That many that can be told apart, then again."""
    styles = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1))]
    return [styles[place % len(styles)] for place in range(count)]
