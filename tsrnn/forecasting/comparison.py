"""What a comparison of forecasters found: a leaderboard, and whether they beat the best baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd

from tsrnn._errors import Options, check_parameter, did_you_mean, quoted
from tsrnn.evaluation.comparison import DieboldMariano, diebold_mariano, mean_interval
from tsrnn.evaluation.grouped import Groups
from tsrnn.forecasting.backtest import Backtest
from tsrnn.nn.summary import Table

MEANS = ("mae", "rmse", "bias", "mase", "rmsse", "smape")  # over cutoffs; of "rmse", the squares


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """Backtests of several forecasters from the same origins. ``print`` it for the leaderboard.

    Attributes
    ----------
    backtests : dict of str to Backtest
        In the order in which the forecasters were given.
    baselines : tuple of str
        The names of those that others are tested against.
    lags : int
        Origins apart from which on errors do not overlap, less one: lags of the Diebold-Mariano test.
    seconds : dict of str to float
        For fitting and forecasting.
    """

    backtests: dict[str, Backtest]
    baselines: tuple[str, ...]
    lags: int
    seconds: dict[str, float]

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """A row for each target and forecaster, best first by the first metric.

        Columns: the metrics; "against baseline", the skill ``1 - MAE / MAE`` of the baseline with the least mean
        absolute error; "DM" and "p", statistic and two-sided p-value of the Diebold-Mariano test against it, negative
        where the forecaster is better; and "seconds". The losses that are compared are absolute errors, averaged over
        horizon and series for each cutoff. No allowance is made for testing several forecasters.
        """
        targets = next(iter(self.backtests.values())).schema.targets
        parts = [self._of_target(place) for place in range(len(targets))]
        keys = pd.Index(targets, tupleize_cols=False)
        names = [name for part in parts for name in part.index]
        index = pd.MultiIndex.from_arrays(
            [keys.repeat(len(self.backtests)), pd.Index(names)], names=["target", "forecaster"]
        )
        return pd.concat(parts, ignore_index=True).set_axis(index, axis=0)

    def intervals(self, metric: str, *, confidence: float = 0.95) -> pd.DataFrame:
        """How sure a metric is: intervals about the leaderboard's values, from how they vary over the cutoffs.

        Autocovariances count as in the Diebold-Mariano test (`tsrnn.evaluation.mean_interval`). Two forecasters whose
        intervals overlap may differ all the same: they are tested from the same origins, and the test knows that.

        Parameters
        ----------
        metric : {"mae", "rmse", "bias", "mase", "rmsse", "smape"}
            One that was asked for; those that are no means over cutoffs have none.
        confidence : float, default=0.95

        Returns
        -------
        DataFrame
            A row for each target and forecaster, in the order of the leaderboard, with the columns "lower" and "upper".
        """
        asked = next(iter(self.backtests.values())).metric_names
        check_parameter("Comparison.intervals", "metric", metric, Options(*[name for name in MEANS if name in asked]))
        square = metric == "rmse"
        rows = []
        for (target, name), value in zip(self.leaderboard.index.tolist(), self.leaderboard[metric], strict=True):
            cutoffs = self.backtests[name].by_cutoff()[metric].xs(target, level="target").dropna().to_numpy()
            lower, upper = mean_interval(cutoffs**2 if square else cutoffs, lags=self.lags, confidence=confidence)
            ends = (value**2 if square else value) + np.array([-0.5, 0.5]) * (upper - lower)
            rows.append(np.sqrt(np.maximum(ends, 0)) if square else ends)
        return pd.DataFrame(rows, self.leaderboard.index, columns=["lower", "upper"])

    def best_baseline(self, target: Any) -> str:
        """The baseline with the least mean absolute error."""
        targets = next(iter(self.backtests.values())).schema.targets
        check_target(target, targets)
        losses = self._losses
        place = targets.index(target)
        return min(self.baselines, key=lambda name: losses[name][1][place])

    @cached_property
    def _losses(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Mean absolute errors of each forecaster: (cutoffs, targets), and (targets,)."""
        found = {}
        for name, test in self.backtests.items():
            ticks, codes = np.unique(test.cutoff_ticks, return_inverse=True)
            groups = Groups(codes, len(ticks)), Groups.whole(len(test))
            by_cutoff, whole = (each.means(test.outcomes)["absolute"] for each in groups)
            found[name] = by_cutoff, whole[0]
        return found

    def _of_target(self, place: int) -> pd.DataFrame:
        some = next(iter(self.backtests.values()))
        best = self.best_baseline(some.schema.targets[place])
        rows = {name: self._row(name, best, place) for name in self.backtests}
        frame = pd.DataFrame.from_dict(rows, orient="index")
        first = frame.columns[0]
        by = frame[first].abs() if first == "bias" else frame[first]
        return frame.loc[by.sort_values(ascending=first != "skill", kind="stable").index]

    def _row(self, name: str, best: str, place: int) -> dict[str, float]:
        losses, whole = self._losses[name]
        reference, reference_whole = self._losses[best]
        test = DieboldMariano(np.nan, np.nan)
        if name != best:
            both = np.column_stack([losses[:, place], reference[:, place]])
            known = both[~np.isnan(both).any(axis=1)]
            test = diebold_mariano(known[:, 0], known[:, 1], lags=self.lags)
        skill = 1 - whole[place] / reference_whole[place] if reference_whole[place] else np.nan
        found = self.backtests[name].metrics
        return dict(zip(found.columns, found.iloc[place].tolist(), strict=True)) | {
            "against baseline": float(skill),
            "DM": test.statistic,
            "p": test.p_value,
            "seconds": self.seconds[name],
        }

    @property
    def tables(self) -> tuple[Table, ...]:
        """The leaderboard of each target, for people."""
        found, some = [], next(iter(self.backtests.values()))
        for target in some.schema.targets:
            best = self.best_baseline(target)
            part = self.leaderboard.xs(target, level="target")
            rows = tuple(
                (f"{name} *" if name == best else str(name), *map(_shown, values))
                for name, values in zip(part.index, part.to_numpy(), strict=True)
            )
            cutoffs = len(self._losses[best][0])
            title = f"{target}: {len(some):,} origins, {cutoffs:,} cutoffs; DM tests against the best baseline (*)"
            found.append(Table(("forecaster", *part.columns), rows, title))
        return tuple(found)

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.tables))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(table._repr_html_() for table in self.tables)


def check_target(target: Any, targets: Sequence[Any]) -> None:
    """Refuse what is no target."""
    if target not in targets:
        raise ValueError(f"`target` must be one of {quoted(targets)}; got {target!r}.{did_you_mean(target, targets)}")


def _shown(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4g}"
