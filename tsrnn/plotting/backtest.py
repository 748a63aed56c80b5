"""A backtest as a picture: errors by step of the horizon, and over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from tsrnn._errors import did_you_mean, quoted
from tsrnn.forecasting.backtest import Backtest
from tsrnn.forecasting.comparison import check_target
from tsrnn.plotting._display import (
    BLACK,
    BLUE,
    ORANGE,
    PartsDisplay,
    along,
    in_whole_numbers,
    legend,
    lighter,
    positions,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY = 100  # cutoffs from which on a moving mean is drawn
SMOOTHED = 20  # of them in all as wide as this share of the cutoffs


class BacktestDisplay(PartsDisplay):
    """A metric by step of the horizon and by origin, with the naive forecast beside it.

    With more than some hundred origins their metric is drawn pale, with a moving mean.

    Parameters
    ----------
    by_step, by_cutoff : Series
        The metric, indexed by step and by moment.
    naive_by_step, naive_by_cutoff : Series, optional
        That of the naive forecasts.
    metric : str
        What it is.
    name : str
        Of the forecaster.
    target : str, optional
        Of what.

    Attributes
    ----------
    axes_, figure_ : ndarray of Axes, Figure
        After ``plot``, to go on with.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import LinearForecaster
    >>> from tsrnn.plotting import BacktestDisplay
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400) / 4
    >>> frame = pd.DataFrame({"load": wave + noise}, index=pd.date_range("2024-01-01", periods=400, freq="h"))
    >>> backtest = LinearForecaster(lookback=24, horizon=6).fit(frame[:300]).backtest(frame)
    >>> display = BacktestDisplay.from_backtest(backtest)
    >>> [ax.get_xlabel() for ax in display.axes_]
    ['rows ahead', 'origin']
    """

    def __init__(
        self,
        by_step: pd.Series,
        by_cutoff: pd.Series,
        *,
        naive_by_step: pd.Series | None = None,
        naive_by_cutoff: pd.Series | None = None,
        metric: str = "mae",
        name: str = "forecaster",
        target: Any = None,
    ) -> None:
        self.by_step, self.by_cutoff = by_step, by_cutoff
        self.naive_by_step, self.naive_by_cutoff = naive_by_step, naive_by_cutoff
        self.metric, self.name, self.target = metric, name, target

    @classmethod
    def from_backtest(
        cls,
        backtest: Backtest,
        *,
        metric: str | None = None,
        target: Any = None,
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> Self:
        """Plot a backtest.

        Parameters
        ----------
        backtest : Backtest
            From ``backtest`` of a forecaster.
        metric : str, optional
            A column of ``backtest.metrics``; default: the first.
        target : optional
            Default: the first.
        ax : sequence of two matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        BacktestDisplay
            With ``axes_`` and ``figure_``.
        """
        columns = list(backtest.metrics.columns)
        metric = columns[0] if metric is None else metric
        if metric not in columns:
            raise ValueError(
                f"`metric` must be one of those of the backtest, {quoted(columns, len(columns))}; got {metric!r}."
                f"{did_you_mean(metric, columns)}"
            )
        target = backtest.schema.targets[0] if target is None else target
        check_target(target, backtest.schema.targets)
        found = [table[metric].xs(target, level="target") for table in (backtest.by_step(), backtest.by_cutoff())]
        naive: list[pd.Series | None] = [None, None]
        if metric in backtest.naive.metric_names:
            tables = backtest.naive.by_step(), backtest.naive.by_cutoff()
            naive = [table[metric].xs(target, level="target") for table in tables]
        given: dict[str, Any] = {
            "naive_by_step": naive[0],
            "naive_by_cutoff": naive[1],
            "metric": metric,
            "name": backtest.name,
        }
        return cls(found[0], found[1], **given, target=target).plot(ax=ax)

    @property
    def _n_parts(self) -> int:
        return 2

    def _draw(self, axes: list[Axes]) -> None:
        steps, origins = axes
        of = self.metric if self.target is None else f"{self.metric} of {self.target}"
        for values, look in self._lines(self.by_step, self.naive_by_step):
            steps.plot(values.index, values, **look, marker="o" if len(values) == 1 else None)
        steps.set(xlabel="rows ahead", ylabel=of, title="By step")
        in_whole_numbers(steps.xaxis)
        for values, look in self._lines(self.by_cutoff, self.naive_by_cutoff):
            self._draw_over_time(origins, values, look)
        origins.set(xlabel="origin", ylabel=of, title="By origin")
        along(origins, self.by_cutoff.index)
        for ax in axes:
            self._mark(ax)
        legend(origins, self._own_figure)

    def _lines(self, values: pd.Series, naive: pd.Series | None) -> list[tuple[pd.Series, dict[str, Any]]]:
        found = [(values, {"color": BLUE, "ls": "-", "label": self.name})]
        return found if naive is None else [(naive, {"color": ORANGE, "ls": "--", "label": "naive"}), *found]

    def _draw_over_time(self, ax: Axes, values: pd.Series, look: dict[str, Any]) -> None:
        at = positions(values.index)
        if len(values) <= MANY:
            ax.plot(at, values, **look, marker="o" if len(values) == 1 else None)
            return
        pale = look | {"color": lighter(look["color"], 0.35), "lw": 0.5, "zorder": 1.5, "ls": "-", "label": None}
        ax.plot(at, values, **pale)
        width = len(values) // SMOOTHED
        mean = values.rolling(width, center=True, min_periods=1).mean()
        ax.plot(at, mean, **look | {"label": f"{look['label']}, mean of {width}"})

    def _mark(self, ax: Axes) -> None:
        """What coverage is to be; zero, as a line or as where the axis begins."""
        kind, _, nominal = self.metric.partition("_")
        if kind == "coverage" and nominal:
            ax.axhline(float(nominal), color=BLACK, lw=0.8, ls=":", label="nominal")
        if ax.dataLim.ymin < 0:
            ax.axhline(0, color=BLACK, lw=0.5)
        else:
            ax.set_ylim(bottom=0)
