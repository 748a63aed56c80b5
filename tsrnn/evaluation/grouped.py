"""Metrics of many windows by groups of them: by series, by origin, by step ahead, all at once and without a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from tsrnn._errors import did_you_mean, quoted
from tsrnn.evaluation._arrays import Floats
from tsrnn.evaluation.probabilistic import coverage, crps_from_quantiles, pinball, winkler_score


@final
@dataclass(frozen=True, eq=False)
class Outcomes:
    """What came and what was forecast.

    Attributes
    ----------
    truth, forecast, naive : ndarray of shape (windows, horizon, targets)
        In data units. Where `truth` is NaN, nothing was observed, and nothing counts.
    scale : ndarray of shape (2, windows, targets)
        What MASE divides by, a mean absolute difference, and RMSSE under the root, a mean squared one; NaN where they
        are not defined.
    levels : ndarray of shape (levels,)
        Of the quantiles; empty for forecasts without.
    quantiles : ndarray of shape (windows, horizon, targets, levels), or None
    """

    truth: np.ndarray
    forecast: np.ndarray
    naive: np.ndarray
    scale: Floats
    levels: Floats
    quantiles: Floats | None = None

    @cached_property
    def error(self) -> Floats:
        return np.subtract(self.forecast, self.truth, dtype=np.float64)

    @cached_property
    def absolute(self) -> Floats:
        return np.abs(self.error)

    @cached_property
    def squared(self) -> Floats:
        return self.error**2

    @cached_property
    def percentage(self) -> Floats:
        size = np.abs(self.truth, dtype=np.float64) + np.abs(self.forecast)
        return 200 * self.absolute / np.where(size == 0, 1, size)

    @property
    def intervals(self) -> dict[float, tuple[int, int]]:
        """The central intervals among the quantiles: what they are meant to cover -> places of their ends."""
        levels = self.levels.round(10).tolist()
        pairs = {round(1 - 2 * low, 10): (low, round(1 - low, 10)) for low in levels if low < 0.5}
        return {
            nominal: (levels.index(low), levels.index(high)) for nominal, (low, high) in pairs.items() if high in levels
        }


@final
@dataclass(frozen=True, eq=False)
class Groups:
    """Which numbers are averaged together: those of each group of windows, or of each step ahead.

    Attributes
    ----------
    codes : ndarray of int64, shape (windows,), or None
        The group of each window; None for the steps ahead.
    n : int
        How many groups there are.
    """

    codes: np.ndarray | None = None
    n: int = 0

    @classmethod
    def whole(cls, n_windows: int) -> Groups:
        """All windows in one group."""
        return cls(np.zeros(n_windows, np.int64), 1)

    def mean(self, values: Floats) -> Floats:
        """Means of (windows, horizon, targets) without NaN: (groups or horizon, targets); NaN of nothing."""
        axis = 0 if self.codes is None else 1
        total = values.sum(axis=axis)
        count = np.full(total.shape, values.shape[axis], np.float64)
        if np.isnan(total).any():
            known = ~np.isnan(values)
            total, count = np.where(known, values, 0).sum(axis=axis), known.sum(axis=axis, dtype=np.float64)
        if self.codes is not None:
            total, count = self._added(total, self.codes), self._added(count, self.codes)
        return _ratio(total, count)

    def _added(self, of_windows: Floats, codes: np.ndarray) -> Floats:
        return np.stack([np.bincount(codes, column, self.n) for column in of_windows.T], axis=1)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """NaN where the denominator is zero."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator != 0)


def _rmsse(outcomes: Outcomes, groups: Groups) -> Floats:
    """The root is taken of each window's mean, or of the mean of each step."""
    scaled = outcomes.squared / outcomes.scale[1][:, None]
    if groups.codes is None:
        return np.sqrt(groups.mean(scaled))
    each = Groups(np.arange(len(scaled)), len(scaled)).mean(scaled)
    return groups.mean(np.sqrt(each)[:, None])


POINT: dict[str, Callable[[Outcomes, Groups], Floats]] = {
    "mae": lambda o, g: g.mean(o.absolute),
    "rmse": lambda o, g: np.sqrt(g.mean(o.squared)),
    "bias": lambda o, g: g.mean(o.error),
    "mase": lambda o, g: g.mean(o.absolute / o.scale[0][:, None]),
    "rmsse": _rmsse,
    "smape": lambda o, g: g.mean(o.percentage),
    "wape": lambda o, g: _ratio(g.mean(o.absolute), g.mean(np.abs(o.truth, dtype=np.float64))),
    "skill": lambda o, g: 1 - _ratio(g.mean(o.absolute), g.mean(np.abs(o.truth - o.naive, dtype=np.float64))),
}
QUANTILE: dict[str, Callable[[Any, Any, Any], Floats]] = {
    "pinball": lambda true, quantiles, levels: pinball(true, quantiles, levels).mean(axis=-1),
    "crps": crps_from_quantiles,
}
INTERVAL: dict[str, Callable[[Any, Any, Any, float], Floats]] = {
    "coverage": lambda true, low, high, nominal: coverage(true, low, high),
    "winkler": winkler_score,
}
METRICS = (*POINT, *QUANTILE, *INTERVAL)


def check_metrics(owner: str, names: Iterable[str] | None, has_quantiles: bool) -> tuple[str, ...]:
    """The names of metrics as they were asked for; None for all that are defined for such forecasts.

    Raises
    ------
    ValueError
        For a name that is none, with those that look like it, or one that needs quantiles where there are none.
    """
    if names is None:
        return METRICS if has_quantiles else tuple(POINT)
    chosen = (names,) if isinstance(names, str) else tuple(names)
    if not chosen:
        raise ValueError(f"`metrics` of {owner} must name at least one metric: {quoted(METRICS, len(METRICS))}.")
    for name in chosen:
        if name not in METRICS:
            raise ValueError(
                f"`metrics` of {owner} must be of {quoted(METRICS, len(METRICS))}; got {name!r}."
                f"{did_you_mean(name, METRICS)}"
            )
        if name not in POINT and not has_quantiles:
            raise ValueError(
                f"The metric {name!r} is of quantiles, which these forecasts do not have. Leave it out of `metrics`, "
                "or ask for `quantiles=` or `coverage=`."
            )
    return tuple(dict.fromkeys(chosen))


def metric_table(outcomes: Outcomes, groups: Groups, names: Iterable[str]) -> dict[str, Floats]:
    """Metrics by name, (groups or horizon, targets) each; those of intervals have a column for each interval.

    The point metrics are those of `tsrnn.evaluation`. NaN stands where one is not defined: a scale of zero, all
    observations zero, a naive forecast without error.
    """
    found: dict[str, Floats] = {}
    for name in names:
        if name in POINT:
            found[name] = POINT[name](outcomes, groups)
            continue
        quantiles = outcomes.quantiles
        assert quantiles is not None  # check_metrics
        if name in QUANTILE:
            found[name] = groups.mean(QUANTILE[name](outcomes.truth, quantiles, outcomes.levels))
            continue
        for nominal, (low, high) in outcomes.intervals.items():
            values = INTERVAL[name](outcomes.truth, quantiles[..., low], quantiles[..., high], nominal)
            found[f"{name}_{nominal:g}"] = groups.mean(values)
    return found
