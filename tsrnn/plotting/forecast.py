"""A forecast as a picture: history, what came, and how sure the forecast is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from tsrnn.evaluation.probabilistic import central_intervals
from tsrnn.forecasting.view import view_forecast
from tsrnn.plotting._display import BLACK, BLUE, Display, along, legend, lighter, positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COVERAGES = (0.5, 0.8, 0.95)
SHARES = (0.15, 0.5)  # of the fan's colour in the widest interval and in the narrowest


class ForecastDisplay(Display):
    """A forecast of one series: history, point forecast, a fan of intervals, and what came where it is known.

    Parameters
    ----------
    forecast : Series
        Indexed by stamps, as all others; its name is that of the target.
    history, truth : Series, optional
        The rows before, and what came.
    quantiles : DataFrame, optional
        A column for each level. Two such as 0.1 and 0.9 are drawn as the interval of 80 %, others as lines.
    paths : DataFrame, optional
        A column for each sample path.
    title : str, optional
        Such as the name of the series.

    Attributes
    ----------
    ax_, figure_ : Axes, Figure
        After ``plot``, to go on with.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import NaiveForecaster
    >>> from tsrnn.plotting import ForecastDisplay
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400) / 4
    >>> frame = pd.DataFrame({"load": wave + noise}, index=pd.date_range("2024-01-01", periods=400, freq="h"))
    >>> forecaster = NaiveForecaster(method="seasonal", horizon=24).fit(frame[:350])
    >>> display = ForecastDisplay.from_estimator(forecaster, frame, cutoff="2024-01-16 06:00", coverage=[0.5, 0.9])
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['history', 'forecast', '50 %', '90 %', 'truth']
    """

    SIZE = (8.0, 4.0)

    def __init__(
        self,
        forecast: pd.Series,
        *,
        history: pd.Series | None = None,
        truth: pd.Series | None = None,
        quantiles: pd.DataFrame | None = None,
        paths: pd.DataFrame | None = None,
        title: str | None = None,
    ) -> None:
        self.forecast, self.history, self.truth = forecast, history, truth
        self.quantiles, self.paths, self.title = quantiles, paths, title

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        series: Any = None,
        target: Any = None,
        cutoff: Any = None,
        coverage: Any = COVERAGES,
        n_paths: int = 0,
        n_history: int | None = None,
        random_state: int | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Forecast, and plot it.

        Parameters
        ----------
        estimator : Forecaster
            Fitted.
        X, y : as in its ``predict``
            History; default: the last rows of the training data.
        series, target : optional
            Which series of a panel, and which target; default: the first.
        cutoff : stamp, optional
            The last row of history, as if it were the present: rows of X that follow are shown as what came. Default:
            the last one there is.
        coverage : float, sequence of float or None, default=(0.5, 0.8, 0.95)
            Of the intervals; None for a point forecast alone, which needs no validation rows.
        n_paths : int, default=0
            Sample paths to draw.
        n_history : int, optional
            Rows of history to show. Default: what the forecaster reads, and three horizons at least.
        random_state : int, optional
            The same seed draws the same paths.
        ax : matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        ForecastDisplay
            With ``ax_`` and ``figure_``.
        """
        found = view_forecast(
            estimator,
            X,
            y,
            owner=f"{cls.__name__}.from_estimator",
            series=series,
            target=target,
            cutoff=cutoff,
            coverage=coverage,
            n_paths=n_paths,
            n_history=n_history,
            seed=random_state,
        )
        parts = {name: getattr(found, name) for name in ("history", "truth", "quantiles", "paths")}
        return cls(found.forecast, **parts, title=found.series).plot(ax=ax)

    def _draw(self, ax: Axes) -> None:
        if self.history is not None:
            ax.plot(positions(self.history.index), self.history, color=BLACK, linewidth=1, label="history")
            ax.axvline(positions(self.history.index)[-1], color=BLACK, linewidth=0.5, linestyle=":")
        at = positions(self.forecast.index)
        marker = "o" if len(at) == 1 else None
        ax.plot(at, self.forecast, color=BLUE, linewidth=2, marker=marker, label="forecast", zorder=3)
        if self.quantiles is not None:
            self._draw_fan(ax, self.quantiles)
        if self.paths is not None:
            lines = ax.plot(at, self.paths, color=BLACK, linewidth=0.5, alpha=0.5, marker=marker, zorder=2.5)
            lines[0].set_label("paths")
        if self.truth is not None:
            style: dict[str, Any] = {"linestyle": "--", "linewidth": 1, "marker": "o", "markersize": 3}
            ax.plot(positions(self.truth.index), self.truth, color=BLACK, **style, label="truth", zorder=4)
        named = self.forecast.index.name
        ax.set(xlabel="" if named is None else str(named), ylabel=str(self.forecast.name), title=self.title or "")
        whole = self.forecast.index if self.history is None else self.history.index.append(self.forecast.index)
        along(ax, whole)
        ax.margins(x=0.02)
        legend(ax, self._own_figure)

    def _draw_fan(self, ax: Axes, quantiles: pd.DataFrame) -> None:
        at, values = positions(quantiles.index), quantiles.to_numpy()
        intervals = sorted(central_intervals(quantiles.columns).items())
        shares = np.linspace(SHARES[1], SHARES[0], len(intervals)) if len(intervals) > 1 else [0.3]
        for place, ((nominal, (low, high)), share) in enumerate(zip(intervals, shares, strict=True)):
            look: dict[str, Any] = {"color": lighter(BLUE, share), "label": f"{100 * nominal:g} %"}
            look["zorder"] = 2 - place / len(intervals)  # narrow ones above wide ones
            if len(at) == 1:  # an area of no width
                ax.vlines(at, values[:, low], values[:, high], linewidth=8, **look)
            else:
                ax.fill_between(at, values[:, low], values[:, high], linewidth=0, **look)
        alone = set(range(values.shape[1])) - {end for _, ends in intervals for end in ends}
        for place in sorted(alone):
            level = float(quantiles.columns[place])
            if level != 0.5 or not np.array_equal(values[:, place], self.forecast):
                ax.plot(at, values[:, place], color=BLUE, linewidth=0.8, linestyle=":", label=f"quantile {level:g}")
