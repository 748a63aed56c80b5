"""Metrics of many windows by groups of them: by series, by origin, by step ahead, all at once and without a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from tsrnn._errors import did_you_mean, quoted
from tsrnn.evaluation._arrays import Floats
from tsrnn.evaluation.probabilistic import central_intervals, coverage, crps_from_quantiles, pinball, winkler_score

IN_CACHE = 1 << 14  # numbers that are measured at a time, some times faster than all at once


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
    def of_windows(self) -> dict[str, tuple[Floats, Floats]]:
        """Sums over the horizon, and of how many numbers: (windows, targets) each. RMSSE takes a window's root here."""
        parts: dict[str, list[tuple[Floats, Floats]]] = {}
        for part in self._parts():
            for kind, values in _measures(part):
                parts.setdefault(kind, []).append(add_up(values, axis=1))
        sums = {
            kind: (np.concatenate([total for total, _ in found]), np.concatenate([count for _, count in found]))
            for kind, found in parts.items()
        }
        root = np.sqrt(ratio(*sums.pop("squared and scaled")))
        return sums | {"root": add_up(root[:, None], axis=1)}

    @cached_property
    def of_steps(self) -> dict[str, tuple[Floats, Floats]]:
        """Sums over the windows, and of how many numbers: (horizon, targets) each. RMSSE takes a root of each step."""
        sums: dict[str, tuple[Floats, Floats]] = {}
        for part in self._parts():
            for kind, values in _measures(part):
                total, count = add_up(values, axis=0)
                before = sums.get(kind, (0.0, 0.0))
                sums[kind] = before[0] + total, before[1] + count
        root = np.sqrt(ratio(*sums.pop("squared and scaled")))
        return sums | {"root": (root, np.ones(root.shape))}

    def _parts(self) -> Iterator[Outcomes]:
        """Some windows at a time, which stay in the cache."""
        size = max(1, IN_CACHE // self.forecast[0].size)
        for start in range(0, len(self.forecast), size):
            part = slice(start, start + size)
            yield Outcomes(
                self.truth[part], self.forecast[part], self.naive[part], self.scale[:, part], self.levels, None
            )

    @property
    def intervals(self) -> dict[float, tuple[int, int]]:
        """The central intervals among the quantiles: what they are meant to cover -> places of their ends."""
        return central_intervals(self.levels)


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

    def means(self, outcomes: Outcomes) -> dict[str, Floats]:
        """Means of what the point metrics are made of: (groups or horizon, targets) each."""
        sums = outcomes.of_windows if self.codes is not None else outcomes.of_steps
        return {kind: self._ratio(total, count) for kind, (total, count) in sums.items()}

    def mean(self, values: Floats) -> Floats:
        """Means of (windows, horizon, targets) without NaN: (groups or horizon, targets); NaN of nothing."""
        return self._ratio(*add_up(values, axis=0 if self.codes is None else 1))

    def _ratio(self, total: Floats, count: Floats) -> Floats:
        if self.codes is not None:
            total, count = self._added(total, self.codes), self._added(count, self.codes)
        return ratio(total, count)

    def _added(self, of_windows: Floats, codes: np.ndarray) -> Floats:
        return np.stack([np.bincount(codes, column, self.n) for column in of_windows.T], axis=1)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """NaN where the denominator is zero."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator != 0)


def add_up(values: Floats, axis: int) -> tuple[Floats, Floats]:
    """Sums without NaN, and of how many numbers."""
    total = np.einsum("whc->hc" if axis == 0 else "whc->wc", values)  # many times faster over short axes than a sum
    if not np.isnan(total).any():
        return total, np.full(total.shape, float(values.shape[axis]))
    known = ~np.isnan(values)
    return np.where(known, values, 0).sum(axis=axis), known.sum(axis=axis, dtype=np.float64)


def _measures(part: Outcomes) -> Iterator[tuple[str, Floats]]:
    """What the point metrics are made of, one after the other: (windows, horizon, targets) each."""
    error = np.subtract(part.forecast, part.truth, dtype=np.float64)
    yield "error", error
    size = np.abs(part.truth, dtype=np.float64)
    yield "size", size
    yield "naive", np.abs(np.subtract(part.truth, part.naive, dtype=np.float64))
    absolute, both = np.abs(error), size + np.abs(part.forecast)
    yield "absolute", absolute
    yield "scaled", absolute / part.scale[0][:, None]
    both[both == 0] = 1  # no error either
    yield "percentage", 200 * absolute / both
    squared = error**2
    yield "squared", squared
    yield "squared and scaled", squared / part.scale[1][:, None]


POINT: dict[str, Callable[[dict[str, Floats]], Floats]] = {
    "mae": lambda mean: mean["absolute"],
    "rmse": lambda mean: np.sqrt(mean["squared"]),
    "bias": lambda mean: mean["error"],
    "mase": lambda mean: mean["scaled"],
    "rmsse": lambda mean: mean["root"],
    "smape": lambda mean: mean["percentage"],
    "wape": lambda mean: ratio(mean["absolute"], mean["size"]),
    "skill": lambda mean: 1 - ratio(mean["absolute"], mean["naive"]),
}
QUANTILE: dict[str, Callable[[Any, Any, Any], Floats]] = {
    "pinball": lambda true, quantiles, levels: pinball(true, quantiles, levels).mean(axis=-1),
    "crps": crps_from_quantiles,
}
INTERVAL: dict[str, Callable[[Any, Any, Any, float], Floats]] = {
    "coverage": lambda true, low, high, nominal: coverage(true, low, high),
    "width": lambda true, low, high, nominal: np.where(np.isnan(true), np.nan, high - low),
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
    names, found = tuple(names), {}
    means = groups.means(outcomes) if set(names) & set(POINT) else {}
    for name in names:
        if name in POINT:
            found[name] = POINT[name](means)
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
