"""What a backtest found: forecasts from many origins, and metrics of them by series, step and origin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd

from tsrnn.data import Panel, Schema, WindowIndex, long_frame
from tsrnn.evaluation.grouped import POINT, Groups, Outcomes, metric_table
from tsrnn.nn.summary import Table


@final
@dataclass(frozen=True, eq=False)
class Backtest:
    """Forecasts from many origins beside what came. ``print`` it for a summary.

    Metrics are in the units of the data, one row for each target:

    - "mae", "rmse", "bias" (mean of forecast minus truth; positive is too high), "smape" (0 to 200) and "wape" (a
      fraction), as in `tsrnn.evaluation`;
    - "mase" and "rmsse": errors over those of the seasonal naive forecast one season ahead, in the rows that ``fit``
      had (for origins in its validation part: in the rows before that part), so never in rows that are tested;
    - "skill": ``1 - MAE / MAE_naive`` over all that is averaged together. The naive forecast is whichever of last
      value and seasonal naive had the lower training error for the target;
    - with quantiles "pinball" (mean over the levels) and "crps" (twice that: an approximation for many levels in equal
      distances), and for each central interval "coverage" (a fraction), "width" (mean) and "winkler", as in
      `tsrnn.evaluation`.

    All origins count alike; NaN stands where a metric is not defined, and origins whose scale is not defined, as of a
    constant series, are left out of "mase" and "rmsse".

    Attributes
    ----------
    name : str
        The forecaster.
    metric_names : tuple of str
        The metrics that were asked for.
    schema, panel, windows : Schema, Panel, WindowIndex
        The rows, and the last row of history of each origin.
    gap : int
        Rows between it and the first forecast.
    outcomes : Outcomes
        Truth, forecasts and naive forecasts, (origins, horizon, targets) each.
    fits : int
        How many models were fitted for it; 0 where the forecaster was as it came.
    left_out : int
        Origins that were left out because the forecaster was trained on the rows to be forecast.
    validated : int
        Origins that count although the forecaster was validated on their rows: its best epoch was chosen by them.
    fold : ndarray of int64, shape (origins,), or None
        The fold of each origin.

    Examples
    --------
    Each week is like the one before, but for one day:

    >>> from tsrnn import NaiveForecaster
    >>> days = pd.date_range("2024-01-01", periods=42, freq="D", name="day")
    >>> frame = pd.DataFrame({"sales": [1.0, 2, 3, 4, 5, 6, 7] * 6}, index=days)
    >>> frame.loc["2024-02-05", "sales"] += 3
    >>> forecaster = NaiveForecaster(method="seasonal", lookback=7, horizon=2).fit(frame[:28])
    >>> backtest = forecaster.backtest(frame, metrics=["mae", "bias"])
    >>> print(backtest.title)
    NaiveForecaster: 19 origins, 2024-01-22 to 2024-02-09, 2 rows ahead, not refitted; 6 of them in its validation part;
    15 more in its training part left out
    >>> backtest.metrics.round(2)
             mae  bias
    target
    sales   0.16 -0.16
    >>> backtest.forecasts.head(2)
          cutoff        day  step target  forecast  truth  naive
    0 2024-01-22 2024-01-23     1  sales       2.0    2.0    2.0
    1 2024-01-22 2024-01-24     2  sales       3.0    3.0    3.0
    """

    name: str
    metric_names: tuple[str, ...]
    schema: Schema
    panel: Panel
    windows: WindowIndex
    gap: int
    outcomes: Outcomes
    fits: int = 0
    left_out: int = 0
    validated: int = 0
    fold: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.windows)

    @cached_property
    def forecasts(self) -> Any:
        """A row for each origin, step ahead and target, in a frame of the kind that was given.

        Columns: the series (in a panel), "cutoff" (the last stamp of history), the stamp of the row, "step", "target",
        "forecast", "truth", "naive", and "q0.1" and the like for quantiles, "fold" where there were folds.
        """
        found = self.outcomes
        columns: dict[str, np.ndarray] = {"forecast": found.forecast, "truth": found.truth, "naive": found.naive}
        if found.quantiles is not None:
            columns |= {f"q{level:g}": found.quantiles[..., place] for place, level in enumerate(found.levels)}
        if self.fold is not None:
            columns["fold"] = np.broadcast_to(self.fold[:, None, None], found.forecast.shape)
        return long_frame(self.schema, self.panel, self.windows, columns, self.gap)

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Over all origins and steps: a row for each target."""
        return self._table(Groups.whole(len(self)), None)

    @cached_property
    def naive(self) -> Backtest:
        """The naive forecasts from the same origins, with those of the metrics that are of points."""
        outcomes = replace(self.outcomes, forecast=self.outcomes.naive, levels=np.empty(0), quantiles=None)
        names = tuple(name for name in self.metric_names if name in POINT)
        return replace(self, name="naive", metric_names=names, outcomes=outcomes)

    def by_series(self) -> pd.DataFrame:
        """For each series and target."""
        series, codes = np.unique(self.windows.series, return_inverse=True)
        names = pd.Index(self.panel.ids, tupleize_cols=False).take(series)
        return self._table(Groups(codes, len(series)), names.rename(self.schema.id_name or "id"))

    def by_step(self) -> pd.DataFrame:
        """For each step ahead, from 1, and target; of "rmsse", the root of the mean of the step."""
        horizon = self.outcomes.forecast.shape[1]
        return self._table(Groups(), pd.RangeIndex(1, horizon + 1, name="step"))

    def by_cutoff(self) -> pd.DataFrame:
        """For each moment that forecasts were made at, over all series, and target."""
        ticks, codes = np.unique(self.cutoff_ticks, return_inverse=True)
        return self._table(Groups(codes, len(ticks)), self.schema.axis.stamps(ticks).rename("cutoff"))

    def by_fold(self) -> pd.DataFrame:
        """For each fold, where there were folds, and target."""
        if self.fold is None:
            raise ValueError("This backtest had no folds: give `folds=` to `backtest`, or use `by_cutoff()`.")
        numbers, codes = np.unique(self.fold, return_inverse=True)
        return self._table(Groups(codes, len(numbers)), pd.Index(numbers, name="fold"))

    @property
    def cutoff_ticks(self) -> np.ndarray:
        """When each origin is, on the grid of the rows."""
        return self.panel.ticks(self.windows.origin)

    def _table(self, groups: Groups, keys: pd.Index | None) -> pd.DataFrame:
        found = metric_table(self.outcomes, groups, self.metric_names)
        targets = pd.Index(self.schema.targets, tupleize_cols=False, name="target")
        index = targets if keys is None else _product(keys, targets)
        return pd.DataFrame({name: values.ravel() for name, values in found.items()}, index)

    @property
    def table(self) -> Table:
        """The metrics over all, for people."""
        rows = [
            (str(target), *(f"{value:.4g}" for value in values))
            for target, values in zip(self.metrics.index, self.metrics.to_numpy(), strict=True)
        ]
        return Table(("target", *self.metrics.columns), tuple(rows), self.title)

    @property
    def title(self) -> str:
        """What was tested."""
        ticks = self.cutoff_ticks
        first, last = self.schema.axis.stamps([ticks.min(), ticks.max()]).astype(str)
        series = len(np.unique(self.windows.series))
        of = f" of {series:,} series" if series > 1 else ""
        horizon = self.outcomes.forecast.shape[1]
        return f"{self.name}: {len(self):,} origins{of}, {first} to {last}, {horizon} rows ahead, {self._fitting}"

    @property
    def _fitting(self) -> str:
        fits = {0: "not refitted", 1: "fitted once"}.get(self.fits, f"fitted {self.fits:,} times")
        validated = f"; {self.validated:,} of them in its validation part" if self.validated else ""
        left_out = f"; {self.left_out:,} more in its training part left out" if self.left_out else ""
        return fits + validated + left_out

    def __str__(self) -> str:
        return str(self.table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def _product(keys: pd.Index, targets: pd.Index) -> pd.MultiIndex:
    """Each key with each target, the targets running faster; keys may be tuples themselves."""
    return pd.MultiIndex.from_arrays(
        [keys.repeat(len(targets)), targets.take(np.tile(np.arange(len(targets)), len(keys)))],
        names=[keys.name, targets.name],
    )
