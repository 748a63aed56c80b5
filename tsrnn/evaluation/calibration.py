"""Whether quantiles hold what they say: how often intervals cover what came, and where in the forecasts it lay."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from tsrnn._errors import NoneOr, Options, check_parameter
from tsrnn.evaluation._arrays import Floats
from tsrnn.evaluation.probabilistic import central_intervals, checked_quantiles

ByStep: TypeAlias = Literal["horizon"] | None


def coverage_by_level(
    y_true: ArrayLike, quantiles: ArrayLike, levels: ArrayLike, *, by: ByStep = None
) -> tuple[Floats, Floats]:
    """Share of what came that lies within each central interval, ends included, beside the share that it is to hold.

    Parameters
    ----------
    y_true : array-like of shape (n_windows, horizon, C), or of any shape without `by`
        What came; NaN counts nowhere.
    quantiles : array-like of shape (..., n_levels)
        The forecasts.
    levels : array-like of shape (n_levels,)
        The level of each quantile. Two of them, such as 0.1 and 0.9, are the ends of an interval.
    by : {"horizon"} or None, default None
        Each step ahead by itself.

    Returns
    -------
    nominal : array of shape (n_intervals,)
        From narrow to wide.
    covered : array of shape (n_intervals,), or (n_intervals, horizon)
        NaN where nothing came.

    Raises
    ------
    ValueError
        If the shapes do not fit, a level is not between 0 and 1, or no two levels are the ends of an interval.

    Examples
    --------
    >>> nominal, covered = coverage_by_level([1.0, 2.0, 3.0, 9.0], [[0.0, 2.0, 2.5, 5.0]] * 4, [0.1, 0.25, 0.75, 0.9])
    >>> nominal, covered
    (array([0.5, 0.8]), array([0.25, 0.75]))
    """
    true, forecasts, at = _checked("coverage_by_level", y_true, quantiles, levels, by)
    intervals = sorted(central_intervals(at).items())
    if not intervals:
        raise ValueError(
            "coverage_by_level needs `levels` of which two are the ends of an interval, such as 0.1 and 0.9; got "
            f"{at.tolist()}."
        )
    axis, known = _rest(true, by), ~np.isnan(true)
    count = known.sum(axis=axis)
    covered = np.full((len(intervals), *np.shape(count)), np.nan)
    for place, (_, (low, high)) in enumerate(intervals):
        inside = (forecasts[..., low] <= true) & (true <= forecasts[..., high])
        np.divide(inside.sum(axis=axis), count, out=covered[place, ...], where=count > 0)
    return np.array([nominal for nominal, _ in intervals]), covered


def pit_histogram(
    y_true: ArrayLike, quantiles: ArrayLike, levels: ArrayLike, *, by: ByStep = None
) -> tuple[Floats, Floats]:
    """Where in its forecast what came lay: the histogram of the probability integral transform.

    The bins are those between two neighbouring levels. A height of one is what calibrated forecasts have everywhere; a
    valley says that they are too narrow, a hill that they are too wide, a slope that they are off to one side. What
    equals one or several quantiles, as counts do, is spread over the bins that meet there (the histogram of Czado,
    Gneiting and Held that is not randomized, between levels).

    Parameters
    ----------
    y_true, quantiles, levels, by
        As for `coverage_by_level`; the levels in order.

    Returns
    -------
    edges : array of shape (n_levels + 2,)
        From 0 to 1.
    density : array of shape (n_levels + 1,), or (n_levels + 1, horizon)
        NaN where nothing came.

    Raises
    ------
    ValueError
        If the shapes do not fit, or the levels are not in order between 0 and 1.

    References
    ----------
    C. Czado, T. Gneiting, L. Held, "Predictive model assessment for count data", Biometrics 65 (2009).

    Examples
    --------
    >>> edges, density = pit_histogram([1.0, 2.0, 3.0, 9.0], [[1.5, 2.5, 8.0]] * 4, [0.25, 0.5, 0.75])
    >>> edges, density
    (array([0.  , 0.25, 0.5 , 0.75, 1.  ]), array([1., 1., 1., 1.]))
    """
    true, forecasts, at = _checked("pit_histogram", y_true, quantiles, levels, by)
    if not len(at) or (np.diff(at) <= 0).any():
        raise ValueError(f"`levels` of pit_histogram must be in order, and one at least; got {at.tolist()}.")
    edges = np.concatenate(([0.0], at, [1.0]))
    bins = len(edges) - 1
    first, last = (_below(forecasts, true, equal) for equal in (False, True))
    codes = np.where(np.isnan(true), bins * bins, first * bins + last)  # the last code: nothing came
    groups = [codes] if by is None else np.moveaxis(codes, 1, 0)
    counts = np.stack([np.bincount(group.ravel(), minlength=bins * bins + 1)[:-1] for group in groups])
    met = np.flatnonzero(counts.any(axis=0))
    shares = np.stack([_spread_over(code // bins, code % bins, edges) for code in met.tolist()] or [edges[:0]])
    total = counts.sum(axis=1, keepdims=True)
    density = np.full((len(groups), bins), np.nan)
    if len(met):
        np.divide(counts[:, met] @ shares, total * np.diff(edges), out=density, where=total > 0)
    return edges, density[0] if by is None else density.T


def _checked(
    owner: str, y_true: ArrayLike, quantiles: ArrayLike, levels: ArrayLike, by: str | None
) -> tuple[Floats, Floats, Floats]:
    check_parameter(owner, "by", by, NoneOr(Options("horizon")))
    true, forecasts, at = checked_quantiles(owner, y_true, quantiles, levels)
    if by is not None and true.ndim != 3:
        raise ValueError(f"{owner} needs y_true of shape (n_windows, horizon, C) for `by={by!r}`; got {true.shape}.")
    return true, forecasts, at


def _rest(true: Floats, by: str | None) -> tuple[int, ...]:
    """The axes to add up over."""
    return tuple(range(true.ndim)) if by is None else (0, 2)


def _below(quantiles: Floats, true: Floats, equal: bool) -> np.ndarray:
    """How many quantiles lie below what came, or at it too."""
    found = np.zeros(true.shape, np.int64)
    for place in range(quantiles.shape[-1]):  # level by level: no array of all comparisons
        found += quantiles[..., place] <= true if equal else quantiles[..., place] < true
    return found


def _spread_over(first: int, last: int, edges: Floats) -> Floats:
    """The share of each bin in what lies between two: by their widths, of which half counts at both ends.

    What equals the lowest quantile has hardly anything below it, as zeros among counts: the first bin counts in full.
    """
    part = np.zeros(len(edges) - 1)
    part[first : last + 1] = np.diff(edges)[first : last + 1]
    if last > first:
        part[last] /= 2
        part[first] /= 2 if first else 1
    return part / part.sum()
