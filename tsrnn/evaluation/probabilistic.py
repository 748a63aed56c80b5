"""Scores of quantiles, intervals and samples, on arrays of any shape; most of them from ``scoringrules``.

Each gives one number for each element of `y_true`: average them as needed. NaN in `y_true` (nothing was observed) gives
NaN. All but `coverage` are proper scores, of which less is better.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike

from tsrnn._errors import Real, check_import, check_parameter
from tsrnn.evaluation._arrays import Floats


def pinball(y_true: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> Floats:
    """Pinball loss of quantiles: ``level * (y - q)`` where y lies above, ``(1 - level) * (q - y)`` where it lies below.

    Parameters
    ----------
    y_true : array-like of shape (...)
        What came.
    quantiles : array-like of shape (..., n_levels)
        The forecasts.
    levels : array-like of shape (n_levels,)
        The level of each quantile, 0 to 1, both ends excluded.

    Returns
    -------
    array of shape (..., n_levels)

    Raises
    ------
    ValueError
        If the shapes do not fit, or a level is not between 0 and 1.
    ImportError
        If ``scoringrules`` is not installed.

    References
    ----------
    R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46 (1978).

    Examples
    --------
    >>> pinball([2.0, 5.0], [[1.0, 4.0], [1.0, 4.0]], [0.1, 0.9])
    array([[0.1, 0.2],
           [0.4, 0.9]])
    """
    true, forecasts, at = checked_quantiles("pinball", y_true, quantiles, levels)
    return np.asarray(_scoringrules("pinball").quantile_score(true[..., None], forecasts, at, backend="numpy"))


def crps_from_quantiles(y_true: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> Floats:
    """Continuous ranked probability score, approximated by twice the mean pinball loss over the levels.

    Levels in equal distances, ``(i + 0.5) / n``, come nearest to the integral.

    Parameters
    ----------
    y_true, quantiles, levels
        As for `pinball`.

    Returns
    -------
    array of shape (...)
        In the units of the target.

    References
    ----------
    F. Laio, S. Tamea, "Verification tools for probabilistic forecasts of continuous hydrological variables", Hydrology
    and Earth System Sciences 11 (2007).

    Examples
    --------
    >>> crps_from_quantiles([2.0], [[1.0, 2.0, 4.0]], [0.25, 0.5, 0.75])
    array([0.5])
    """
    true, forecasts, at = checked_quantiles("crps_from_quantiles", y_true, quantiles, levels)
    return np.asarray(_scoringrules("crps_from_quantiles").crps_quantile(true, forecasts, at, backend="numpy"))


def crps_from_samples(y_true: ArrayLike, samples: ArrayLike) -> Floats:
    """Continuous ranked probability score of samples: ``mean |x - y| - mean |x - x'| / 2``.

    Parameters
    ----------
    y_true : array-like of shape (...)
        What came.
    samples : array-like of shape (..., n_samples)
        Draws from the forecast.

    Returns
    -------
    array of shape (...)
        In the units of the target; of one sample it is the absolute error.

    References
    ----------
    T. Gneiting, A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation", Journal of the American
    Statistical Association 102 (2007).

    Examples
    --------
    >>> crps_from_samples([3.0, 0.0], [[1.0, 2.0], [0.0, 2.0]])
    array([1.25, 0.5 ])
    """
    true, draws = np.asarray(y_true, np.float64), np.asarray(samples, np.float64)
    if draws.ndim != true.ndim + 1 or draws.shape[:-1] != true.shape or not draws.shape[-1]:
        raise ValueError(
            f"crps_from_samples needs `samples` of shape {(*true.shape, 'n_samples')}, one vector for each element of "
            f"`y_true`; got {draws.shape}."
        )
    return np.asarray(_scoringrules("crps_from_samples").crps_ensemble(true, draws, backend="numpy"))


def energy_score(y_true: ArrayLike, samples: ArrayLike) -> Floats:
    """Energy score of vectors, such as whole paths: `crps_from_samples` with Euclidean distances.

    Parameters
    ----------
    y_true : array-like of shape (..., n)
        What came: vectors of n numbers.
    samples : array-like of shape (..., n_samples, n)
        Draws of such vectors.

    Returns
    -------
    array of shape (...)

    References
    ----------
    T. Gneiting, A. E. Raftery, as for `crps_from_samples`.

    Examples
    --------
    >>> energy_score([[3.0, 4.0]], [[[0.0, 0.0], [0.0, 0.0]]])
    array([5.])
    """
    true, draws = np.asarray(y_true, np.float64), np.asarray(samples, np.float64)
    fits = true.ndim >= 1 and draws.ndim == true.ndim + 1
    if not fits or draws.shape[:-2] != true.shape[:-1] or draws.shape[-1] != true.shape[-1] or not draws.shape[-2]:
        raise ValueError(
            "energy_score needs `y_true` of shape (..., n) and `samples` of shape (..., n_samples, n); got "
            f"{true.shape} and {draws.shape}."
        )
    return np.asarray(_scoringrules("energy_score").es_ensemble(true, draws))


def coverage(y_true: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Floats:
    """Whether what came lies within an interval, ends included: 1 or 0. Its mean is the share that is covered.

    Parameters
    ----------
    y_true, lower, upper : array-like of shape (...)
        What came, and the ends of the interval.

    Returns
    -------
    array of shape (...)

    Examples
    --------
    >>> coverage([1.0, 2.0, 5.0], 1.0, 3.0)
    array([1., 1., 0.])
    """
    true, low, high = (np.asarray(values, np.float64) for values in (y_true, lower, upper))
    return np.where(np.isnan(true), np.nan, (low <= true) & (true <= high))


def winkler_score(y_true: ArrayLike, lower: ArrayLike, upper: ArrayLike, nominal: float) -> Floats:
    """Winkler's score of an interval: its width, and ``2 / (1 - nominal)`` times the distance of what lies outside.

    Parameters
    ----------
    y_true, lower, upper : array-like of shape (...)
        What came, and the ends of the interval.
    nominal : float
        What share the interval is meant to cover, 0 to 1, both ends excluded.

    Returns
    -------
    array of shape (...)
        In the units of the target.

    References
    ----------
    R. L. Winkler, "A decision-theoretic approach to interval estimation", Journal of the American Statistical
    Association 67 (1972).

    Examples
    --------
    >>> winkler_score([2.0, 5.0], 1.0, 3.0, 0.8).round(9)
    array([ 2., 22.])
    """
    check_parameter("winkler_score", "nominal", nominal, Real(0, 1, closed="neither"))
    true, low, high = (np.asarray(values, np.float64) for values in (y_true, lower, upper))
    score = _scoringrules("winkler_score").interval_score(true, low, high, 1 - nominal, backend="numpy")
    return np.asarray(score).reshape(np.broadcast_shapes(true.shape, low.shape, high.shape))  # it drops axes of one


def checked_levels(owner: str, levels: ArrayLike) -> Floats:
    """Levels of quantiles, refused unless they lie between 0 and 1."""
    at = np.asarray(levels, np.float64)
    outside = ~((at > 0) & (at < 1))
    if at.ndim != 1 or outside.any():
        got = f"{at[outside][0]:g}" if at.ndim == 1 else f"an array of shape {at.shape}"
        raise ValueError(f"`levels` of {owner} must be a vector of numbers in (0, 1); got {got}.")
    return at


def central_intervals(levels: ArrayLike) -> dict[float, tuple[int, int]]:
    """The central intervals among quantiles at these levels: what they are meant to cover -> places of their ends."""
    at = np.asarray(levels, np.float64).round(10).tolist()
    pairs = {round(1 - 2 * low, 10): (low, round(1 - low, 10)) for low in at if low < 0.5}
    return {nominal: (at.index(low), at.index(high)) for nominal, (low, high) in pairs.items() if high in at}


def checked_quantiles(
    owner: str, y_true: ArrayLike, quantiles: ArrayLike, levels: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """What came, quantiles and levels in float64, refused where their shapes do not fit."""
    at = checked_levels(owner, levels)
    true, forecasts = np.asarray(y_true, np.float64), np.asarray(quantiles, np.float64)
    if forecasts.shape != (*true.shape, len(at)):
        raise ValueError(
            f"{owner} needs `quantiles` of shape {(*true.shape, len(at))}, the levels last; got {forecasts.shape}."
        )
    return true, forecasts, at


def _scoringrules(owner: str) -> ModuleType:
    return check_import("scoringrules", "scores", owner)
