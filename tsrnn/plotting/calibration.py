"""Whether intervals hold what they say, as a picture: observed against nominal coverage, and the PIT histogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from tsrnn.evaluation.calibration import coverage_by_level, pit_histogram
from tsrnn.forecasting.comparison import check_target
from tsrnn.plotting._display import BLACK, BLUE, PartsDisplay, lighter, linestyles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = tuple(round(0.025 * step, 3) for step in range(1, 40))
MOST_BINS, MOST_STEPS = 20, 5  # of the histogram, and of lines in one picture


class CalibrationDisplay(PartsDisplay):
    """Observed against nominal coverage of central intervals, and the histogram of what came in its forecast (PIT).

    Intervals that hold what they say lie on the diagonal, below it they are too narrow; their histogram is flat. A
    valley says that forecasts are too narrow, a hill that they are too wide, a slope that they are off to one side.

    Parameters
    ----------
    nominal, covered : ndarray of shape (intervals,)
        From `tsrnn.evaluation.coverage_by_level`; ``covered`` may have a column for each step ahead.
    edges, density : ndarray of shape (bins + 1,) and (bins,)
        From `tsrnn.evaluation.pit_histogram`.
    title : str, optional
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
    >>> from tsrnn.plotting import CalibrationDisplay
    >>> wave, noise = np.sin(np.arange(900) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=900) / 4
    >>> frame = pd.DataFrame({"load": wave + noise}, index=pd.date_range("2024-01-01", periods=900, freq="h"))
    >>> forecaster = LinearForecaster(lookback=24, horizon=6).fit(frame[:600])
    >>> display = CalibrationDisplay.from_estimator(forecaster, frame)
    >>> [ax.get_ylabel() for ax in display.axes_]
    ['observed coverage (%)', 'density']
    """

    SIZE = (4.2, 4.0)

    def __init__(
        self, nominal: np.ndarray, covered: np.ndarray, edges: np.ndarray, density: np.ndarray, title: str | None = None
    ) -> None:
        self.nominal, self.covered, self.edges, self.density, self.title = nominal, covered, edges, density, title

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        target: Any = None,
        levels: Sequence[float] = LEVELS,
        adaptive: bool | float = False,
        by_step: bool = False,
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> Self:
        """Forecast quantiles from all origins in X that the forecaster was not trained on, and plot how they did.

        Parameters
        ----------
        estimator : Forecaster
            Fitted.
        X, y : as in its ``backtest``
            Rows with their history. Those that it was validated on count, and its intervals were learned from them:
            give rows that come after.
        target : optional
            Default: the first.
        levels : sequence of float
            Of the quantiles, in order; default: 0.025, 0.05 and so on to 0.975.
        adaptive : bool or float, default=False
            As in ``backtest``.
        by_step : bool, default=False
            Coverage of steps ahead by themselves, five of them at most.
        ax : sequence of two matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        CalibrationDisplay
            With ``axes_`` and ``figure_``.
        """
        backtest = estimator.backtest(X, y, metrics=["mae"], quantiles=list(levels), adaptive=adaptive)
        targets, found = backtest.schema.targets, backtest.outcomes
        if target is not None:
            check_target(target, targets)
        one = [0 if target is None else targets.index(target)]
        quantiles = found.quantiles[:, :, one]
        title = str(targets[one[0]])
        return cls.from_predictions(
            found.truth[:, :, one], quantiles, found.levels, by_step=by_step, title=title, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        quantiles: ArrayLike,
        levels: ArrayLike,
        *,
        by_step: bool = False,
        title: str | None = None,
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> Self:
        """Plot how quantiles did.

        Parameters
        ----------
        y_true : array-like of shape (n_windows, horizon, C), or of any shape without ``by_step``
            What came; NaN counts nowhere.
        quantiles : array-like of shape (..., n_levels)
            The forecasts.
        levels : array-like of shape (n_levels,)
            In order.
        by_step : bool, default=False
            Coverage of steps ahead by themselves.
        title : str, optional
            Of what.
        ax : sequence of two matplotlib Axes, optional
            Where to draw.

        Returns
        -------
        CalibrationDisplay
            With ``axes_`` and ``figure_``.
        """
        at, forecasts = np.asarray(levels, np.float64), np.asarray(quantiles)
        nominal, covered = coverage_by_level(y_true, forecasts, at, by="horizon" if by_step else None)
        every = -(-(len(at) + 1) // MOST_BINS)  # levels from one edge of a bin to the next
        edges, density = pit_histogram(y_true, forecasts[..., every - 1 :: every], at[every - 1 :: every])
        return cls(nominal, covered, edges, density, title).plot(ax=ax)

    @property
    def _n_parts(self) -> int:
        return 2

    def _draw(self, axes: list[Axes]) -> None:
        coverage, histogram = axes
        coverage.plot([0, 100], [0, 100], color=BLACK, lw=0.8, ls=":", label="as they say", zorder=1)
        for values, look in self._lines():
            coverage.plot(100 * self.nominal, 100 * values, **look)
        coverage.set(xlim=(0, 100), ylim=(0, 100), xlabel="nominal coverage (%)", ylabel="observed coverage (%)")
        coverage.set_aspect("equal", adjustable="box")
        coverage.set_title("Coverage of intervals")
        coverage.legend(loc="upper left", fontsize="small")  # the curve goes from corner to corner below it
        histogram.stairs(self.density, self.edges, fill=True, facecolor=lighter(BLUE, 0.5), edgecolor=BLUE, lw=0.8)
        histogram.axhline(1, color=BLACK, lw=0.8, ls=":")
        histogram.set(xlim=(0, 1), ylim=(0, max(1.5, 1.1 * float(np.nanmax(self.density, initial=1)))))
        histogram.set(xlabel="probability of what came, or less", ylabel="density", title="PIT histogram")
        if self.title is not None and self._own_figure:
            self.figure_.suptitle(self.title)

    def _lines(self) -> list[tuple[np.ndarray, dict[str, Any]]]:
        if self.covered.ndim == 1:
            return [(self.covered, {"color": BLUE, "marker": "o", "ms": 3, "label": "observed"})]
        horizon = self.covered.shape[1]
        shown = np.unique(np.linspace(0, horizon - 1, min(horizon, MOST_STEPS)).round().astype(int))
        shares, styles = np.linspace(1, 0.4, len(shown)), linestyles(len(shown))
        return [
            (self.covered[:, step], {"color": lighter(BLUE, share), "ls": style, "label": f"step {step + 1}"})
            for step, share, style in zip(shown.tolist(), shares, styles, strict=True)
        ]
