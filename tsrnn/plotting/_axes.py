"""Where displays draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tsrnn._errors import check_import

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axes_or_new(ax: Axes | None, what: str) -> Axes:
    """The axes given, or those of a new figure."""
    pyplot: Any = check_import("matplotlib.pyplot", "plot", what)
    return pyplot.subplots(layout="constrained")[1] if ax is None else ax
