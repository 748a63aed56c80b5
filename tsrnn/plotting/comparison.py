"""A leaderboard as a picture: bars of a metric, how sure they are, and whether they beat the best baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from tsrnn._errors import Real, check_parameter, did_you_mean, quoted
from tsrnn.forecasting.comparison import MEANS, Comparison, check_target
from tsrnn.plotting._display import BLACK, BLUE, GREY, ORANGE, Display, lighter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = {"better": BLUE, "worse": ORANGE, "": GREY}
HATCHES = {"better": "", "worse": "//", "": ""}


class CompareDisplay(Display):
    """The leaderboard of `tsrnn.compare` as bars, best on top.

    The whiskers are intervals of 95 % from how the metric varies over the cutoffs. Beside each bar is its value, and
    whether the Diebold-Mariano test tells the forecaster from the best baseline.

    Parameters
    ----------
    leaderboard : DataFrame
        Of one target: a row for each forecaster, best first, with the metric and the columns "DM" and "p".
    metric : str
        What the bars show.
    baseline : str
        The best baseline.
    intervals : DataFrame, optional
        With the columns "lower" and "upper".
    target : optional
        Of what.
    alpha : float, default=0.05
        The p-value below which two forecasters are told apart.

    Attributes
    ----------
    ax_, figure_ : Axes, Figure
        After ``plot``, to go on with.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import LinearForecaster, NaiveForecaster, compare
    >>> from tsrnn.plotting import CompareDisplay
    >>> hours = pd.date_range("2024-01-01", periods=600, freq="h")
    >>> noise = np.random.default_rng(0).normal(size=600) / 4
    >>> frame = pd.DataFrame({"load": np.sin(np.arange(600) * 2 * np.pi / 24) + noise}, index=hours)
    >>> chosen = {"ridge": LinearForecaster(lookback=24), "daily": NaiveForecaster(method="seasonal")}
    >>> found = compare(frame, chosen, horizon=6, every=6, baselines=["daily"])
    >>> display = CompareDisplay.from_comparison(found)
    >>> [text.get_text() for text in display.ax_.texts]
    ['0.213  better, p < 0.001', '0.265  best baseline']
    """

    SIZE = (8.0, 4.0)

    def __init__(
        self,
        leaderboard: pd.DataFrame,
        metric: str,
        baseline: str,
        *,
        intervals: pd.DataFrame | None = None,
        target: Any = None,
        alpha: float = 0.05,
    ) -> None:
        self.leaderboard, self.metric, self.baseline = leaderboard, metric, baseline
        self.intervals, self.target, self.alpha = intervals, target, alpha

    @classmethod
    def from_comparison(
        cls,
        comparison: Comparison,
        *,
        metric: str | None = None,
        target: Any = None,
        alpha: float = 0.05,
        ax: Axes | None = None,
    ) -> Self:
        """Plot a comparison.

        Parameters
        ----------
        comparison : Comparison
            From `tsrnn.compare`.
        metric : str, optional
            One that was asked for; default: the first. Those that are no means over cutoffs ("wape", "skill") have no
            whiskers. The order and the test are those of the leaderboard, whatever is shown.
        target : optional
            Default: the first.
        alpha : float, default=0.05
            The p-value below which two forecasters are told apart.
        ax : matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        CompareDisplay
            With ``ax_`` and ``figure_``.
        """
        check_parameter(f"{cls.__name__}.from_comparison", "alpha", alpha, Real(0, 1, closed="neither"))
        some = next(iter(comparison.backtests.values()))
        names, targets = some.metric_names, some.schema.targets
        metric, target = metric or names[0], targets[0] if target is None else target
        if metric not in names:
            raise ValueError(
                f"`metric` must be one of those of the comparison, {quoted(names, len(names))}; got {metric!r}."
                f"{did_you_mean(metric, names)}"
            )
        check_target(target, targets)
        board = _of_target(comparison.leaderboard, target)
        intervals = _of_target(comparison.intervals(metric), target) if metric in MEANS else None
        baseline = comparison.best_baseline(target)
        return cls(board, metric, baseline, intervals=intervals, target=target, alpha=alpha).plot(ax=ax)

    def _draw(self, ax: Axes) -> None:
        values = self.leaderboard[self.metric]
        places = np.arange(len(values))
        verdicts = [self._verdict(name) for name in values.index]
        bars = ax.barh(places, values, height=0.7, edgecolor=BLACK, linewidth=0.8)
        for bar, name, (verdict, _) in zip(bars, values.index, verdicts, strict=True):
            bar.set_facecolor("white" if name == self.baseline else lighter(COLORS[verdict], 0.5))
            bar.set_hatch(HATCHES[verdict])
        begins, ends = values.to_numpy(), np.maximum(values.to_numpy(), 0)
        if self.intervals is not None:
            lower, upper = (self.intervals.loc[values.index, end].to_numpy() for end in ("lower", "upper"))
            ax.hlines(places, lower, upper, color=BLACK, linewidth=1.2)
            begins, ends = np.fmin(begins, lower), np.fmax(ends, upper)
        for place, end, value, (_, said) in zip(places, ends, values, verdicts, strict=True):
            text = f"{value:.3g}  {said}"
            at = (1, place) if self._own_figure else (end, place)
            where = ax.get_yaxis_transform() if self._own_figure else ax.transData
            ax.annotate(text, at, (5, 0), where, "offset points", va="center", fontsize="small", annotation_clip=False)
        ax.set_yticks(places, [str(name) for name in values.index])
        ax.invert_yaxis()  # the best on top
        low = min(0.0, float(np.nanmin(begins)) * 1.05)
        room = 1.05 if self._own_figure else 1.6  # for what is said: beside the axes of ours, in those of the user
        ax.set_xlim(low, low + (float(np.nanmax(ends)) - low) * room)
        of = self.metric if self.target is None else f"{self.metric} of {self.target}"
        ax.set(xlabel=of, title="Absolute errors tested against the best baseline")
        if low < 0:
            ax.axvline(0, color=BLACK, linewidth=0.8)

    def _verdict(self, name: Any) -> tuple[str, str]:
        """Better, worse or neither, and how that is said."""
        if name == self.baseline:
            return "", "best baseline"
        statistic, p = self.leaderboard.loc[name, ["DM", "p"]]
        if np.isnan(p):
            return "", "not tested"
        said = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
        if p >= self.alpha:
            return "", f"not told apart, {said}"
        verdict = "better" if statistic < 0 else "worse"
        return verdict, f"{verdict}, {said}"


def _of_target(table: pd.DataFrame, target: Any) -> pd.DataFrame:
    rows = table.index.get_level_values("target") == target
    return table[rows].droplevel("target")
