"""How sure forecasts from many origins are: quantiles and the ends of intervals, all in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np

from tsrnn._errors import AnyOf, Boolean, ListOf, NoneOr, Real, check_parameter, quoted
from tsrnn.data import WindowIndex, all_windows
from tsrnn.forecasting.adaptive import RATE, track
from tsrnn.forecasting.calibration import Calibration, Outlook
from tsrnn.forecasting.skill import MOST_NUMBERS, actual_values
from tsrnn.forecasting.state import FitState, History

INSIDE = Real(0, 1, closed="neither")
COVERAGE = AnyOf(INSIDE, ListOf(INSIDE))
ADAPTIVE = AnyOf(Boolean(), Real(0, None, closed="neither"))
Part: TypeAlias = tuple[slice, Outlook]  # some windows, and what a model says of them
DIGITS = 10  # of levels: 1 - 0.9 is not 0.1


@final
@dataclass(frozen=True)
class Spread:
    """Which quantiles and intervals are asked for.

    Attributes
    ----------
    quantiles, coverages : tuple of float
        In order.
    own : bool
        Whether they come from the model's own distribution, where it has one.
    rate : float
        Of intervals that adapt; 0 for those that do not.
    """

    quantiles: tuple[float, ...] = ()
    coverages: tuple[float, ...] = ()
    own: bool = True
    rate: float = 0.0

    @classmethod
    def asked(
        cls, owner: str, quantiles: Sequence[float] | None, coverage: Any, adaptive: bool | float, own: bool
    ) -> Spread | None:
        """What a user asked for, checked; None for nothing."""
        check_parameter(owner, "quantiles", quantiles, NoneOr(ListOf(INSIDE)))
        check_parameter(owner, "coverage", coverage, NoneOr(COVERAGE))
        check_parameter(owner, "adaptive", adaptive, ADAPTIVE)
        if quantiles is None and coverage is None:
            if adaptive:
                raise ValueError(
                    f"`adaptive={adaptive}` of {owner} is about quantiles and intervals, and none are asked for. Give "
                    "`coverage=` or `quantiles=`, or leave it out."
                )
            return None
        rate = RATE if adaptive is True else float(adaptive)
        return cls(_sorted(quantiles), _sorted(None if coverage is None else np.atleast_1d(coverage)), own, rate)

    @cached_property
    def levels(self) -> np.ndarray:
        """Of all quantiles that it takes, in order."""
        ends = [end for nominal in self.coverages for end in _ends(nominal)]
        return np.unique(np.round([*self.quantiles, *ends], DIGITS))

    def columns(self, targets: Sequence[Any]) -> dict[str, tuple[int, int]]:
        """Names of columns, and the place of the target and of the level that each of them holds."""
        found: dict[str, tuple[int, int]] = {}
        for target, name in enumerate(targets):
            own = {f"{name}_q{level:g}": level for level in self.quantiles}
            for nominal in self.coverages:
                own |= zip((f"{name}_lower_{nominal:g}", f"{name}_upper_{nominal:g}"), _ends(nominal), strict=True)
            if taken := own.keys() & {*targets, *found}:
                raise ValueError(
                    f"{quoted(sorted(taken))} would be the names of two columns: of a target, and of quantiles or "
                    f"intervals of {name!r}. Rename one of the targets."
                )
            found |= {column: (target, self._place(level)) for column, level in own.items()}
        return found

    def _place(self, level: float) -> int:
        return int(np.searchsorted(self.levels, round(level, DIGITS)))


def _sorted(values: Any) -> tuple[float, ...]:
    return () if values is None else tuple(np.unique(np.asarray(values, np.float64)).tolist())


def _ends(nominal: float) -> tuple[float, float]:
    return (1 - nominal) / 2, (1 + nominal) / 2


# ---- of one model ----------------------------------------------------------------------------------------------------
def outlook_of(state: FitState, history: History, windows: WindowIndex) -> Outlook:
    """What a fitted model says of some windows."""
    units = state.scaling if state.calibration is None else state.calibration.units
    return Outlook.of(state.model, history, windows, units)


def calibration_of(state: FitState, what: str, why: str) -> Calibration:
    """How far the model was off on validation rows, or an error that says what it is needed for."""
    if state.calibration is None:
        raise ValueError(
            f"`{what}` needs validation rows, which say {why}; the forecaster was fitted with none. Fit it with "
            "`validation_fraction` greater than 0, or with `X_val=`."
        )
    return state.calibration


def bounds_of(state: FitState, outlook: Outlook, levels: np.ndarray, own: bool) -> np.ndarray:
    """Scores at some levels: (levels, horizon, targets); of the model's own distribution, if it has one and ``own``."""
    from scipy.special import ndtri

    if own and outlook.distribution is not None:
        return np.broadcast_to(ndtri(levels)[:, None, None], (len(levels), *outlook.point.shape[1:]))
    return calibration_of(state, "intervals", "how far forecasts are off").quantiles(levels)


def spread_windows(
    state: FitState, history: History, windows: WindowIndex, spread: Spread
) -> tuple[np.ndarray, np.ndarray]:
    """Point forecasts (windows, horizon, targets) of one model, and quantiles with an axis of levels.

    Those that adapt begin anew at the first of the windows of each series, and learn from all rows in between,
    whatever the distance of the windows.
    """
    read, places = windows, np.arange(len(windows))
    if spread.rate:
        read = _through(all_windows(history.panel, history.shape), windows, history.panel.n_series)
        places = np.searchsorted(read.origin, windows.origin)
    point = np.empty((len(windows), history.shape.horizon, history.n_targets))
    values = np.empty((*point.shape, len(spread.levels)))
    parts: Iterable[Part] = _outlooks(state, history, read, max(len(spread.levels), len(state.model.levels)))
    bounds = None
    if spread.rate:
        parts = list(parts)  # what adapts has to know how each was off before it says how the next is
        bounds = _tracked(state, history, read, parts, spread)
    for part, outlook in parts:
        here = np.flatnonzero((places >= part.start) & (places < part.stop))
        if not len(here):
            continue
        own = places[here] - part.start
        scores = bounds_of(state, outlook, spread.levels, spread.own)[:, None] if bounds is None else bounds[:, part]
        point[here] = outlook.point[own]
        values[here] = np.moveaxis(outlook.at(scores), 0, -1)[own]
    return point, values


def _outlooks(state: FitState, history: History, windows: WindowIndex, width: int) -> Iterator[Part]:
    """What the model says of so many windows at a time that memory is bounded, ``width`` numbers for each forecast."""
    at_once = max(1, MOST_NUMBERS // (history.shape.horizon * history.n_targets * width))
    for start in range(0, len(windows), at_once):
        part = slice(start, min(start + at_once, len(windows)))
        yield part, outlook_of(state, history, WindowIndex(windows.series[part], windows.origin[part]))


def _through(every: WindowIndex, windows: WindowIndex, n_series: int) -> WindowIndex:
    """Of all windows those from the first to the last given one of each series."""
    first, last = np.full(n_series, np.iinfo(np.int64).max), np.full(n_series, -1)
    np.minimum.at(first, windows.series, windows.origin)
    np.maximum.at(last, windows.series, windows.origin)
    kept = (every.origin >= first[every.series]) & (every.origin <= last[every.series])
    return WindowIndex(every.series[kept], every.origin[kept])


def _tracked(
    state: FitState, history: History, windows: WindowIndex, parts: Sequence[Part], spread: Spread
) -> np.ndarray:
    """Scores at the levels as they are known at each origin: (levels, windows, horizon, targets)."""
    calibration = calibration_of(state, "adaptive intervals", "what they begin with")
    actual = actual_values(history.panel, windows, history.shape, history.n_targets)
    scores = np.concatenate([outlook.scores(actual[part]) for part, outlook in parts])
    first = bounds_of(state, parts[0][1], spread.levels, spread.own)
    found = np.empty((len(windows), *first.shape))
    step = calibration.width * spread.rate
    borders = np.flatnonzero(np.diff(windows.series, prepend=-1, append=-1))
    for begin, end in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        origins = windows.origin[begin:end]
        found[begin:end] = track(scores[begin : end - 1], origins, history.shape.gap, spread.levels, first, step)
    return np.moveaxis(found, 1, 0)
