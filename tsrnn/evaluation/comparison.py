"""Whether one forecast is better than another by more than chance: the test of Diebold and Mariano."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tsrnn._errors import Integer, Real, check_parameter


class DieboldMariano(NamedTuple):
    """What the test found.

    Attributes
    ----------
    statistic : float
        Positive where the first loss is the greater one; NaN where the test is not defined.
    p_value : float
        Of both sides.
    """

    statistic: float
    p_value: float


def diebold_mariano(loss: ArrayLike, other: ArrayLike, *, lags: int = 0) -> DieboldMariano:
    """Test whether two forecasts have the same expected loss.

    The differences of the losses are averaged and divided by their standard error, in which the autocovariances up to
    `lags` count in full. The statistic is corrected for small samples and compared with Student's t (Harvey, Leybourne
    and Newbold). Without lags this is the paired t test.

    Parameters
    ----------
    loss, other : array-like of shape (n,)
        The losses of both forecasts at the same origins, in order of time.
    lags : int, default=0
        Up to which distance of origins the differences may be correlated: one less than the rows ahead for forecasts
        from every row, since errors of forecasts that do not overlap are taken to be independent.

    Returns
    -------
    DieboldMariano
        NaN where there are no more than ``lags + 1`` origins, or where the estimated variance is not positive, as it
        may be with few origins and many lags, and is for two equal forecasts.

    Raises
    ------
    ValueError
        If the losses are not two vectors of one length, or not finite.

    References
    ----------
    F. X. Diebold, R. S. Mariano, "Comparing predictive accuracy", Journal of Business & Economic Statistics 13 (1995).
    D. Harvey, S. Leybourne, P. Newbold, "Testing the equality of prediction mean squared errors", International Journal
    of Forecasting 13 (1997).

    Examples
    --------
    >>> test = diebold_mariano([1.0, 3.0, 2.0, 4.0], [1.5, 3.5, 3.0, 5.0])
    >>> round(test.statistic, 3), round(test.p_value, 3)
    (-5.196, 0.014)
    """
    check_parameter("diebold_mariano", "lags", lags, Integer(0))
    one, two = (np.asarray(values, np.float64) for values in (loss, other))
    if one.ndim != 1 or one.shape != two.shape:
        raise ValueError(f"diebold_mariano needs two vectors of one length; got {one.shape} and {two.shape}.")
    difference = one - two
    if not np.isfinite(difference).all():
        row = int(np.argmin(np.isfinite(difference)))
        raise ValueError(f"diebold_mariano needs finite losses; got {one[row]} and {two[row]} at position {row}.")
    deviation = standard_error(difference, lags)
    if np.isnan(deviation):
        return DieboldMariano(np.nan, np.nan)
    from scipy.stats import t  # takes longer to import than all else here

    statistic = float(difference.mean() / deviation)
    return DieboldMariano(statistic, float(2 * t.sf(abs(statistic), len(difference) - 1)))


def mean_interval(values: ArrayLike, *, lags: int = 0, confidence: float = 0.95) -> tuple[float, float]:
    """The interval that holds the expected value of numbers that hang together over time, such as losses.

    It is where the test of `diebold_mariano` against a constant has a p-value of at least ``1 - confidence``.

    Parameters
    ----------
    values : array-like of shape (n,)
        In order of time.
    lags : int, default=0
        As for `diebold_mariano`.
    confidence : float, default=0.95
        Between 0 and 1.

    Returns
    -------
    lower, upper : float
        NaN where `diebold_mariano` is.

    Examples
    --------
    >>> lower, upper = mean_interval([1.0, 3.0, 2.0, 4.0])
    >>> round(lower, 2), round(upper, 2)
    (0.45, 4.55)
    """
    check_parameter("mean_interval", "lags", lags, Integer(0))
    check_parameter("mean_interval", "confidence", confidence, Real(0, 1, closed="neither"))
    given = np.asarray(values, np.float64)
    if given.ndim != 1 or not np.isfinite(given).all():
        raise ValueError(f"mean_interval needs a vector of finite numbers; got {given}.")
    from scipy.stats import t

    half = float(t.ppf((1 + confidence) / 2, len(given) - 1) * standard_error(given, lags))
    return float(given.mean()) - half, float(given.mean()) + half


def standard_error(values: np.ndarray, lags: int) -> float:
    """Of the mean, with the autocovariances up to ``lags`` and the correction for small samples; NaN for none."""
    n, ahead = len(values), lags + 1
    if n <= ahead:
        return np.nan
    centred = values - values.mean()
    covariances = [float(centred[lag:] @ centred[: n - lag]) / n for lag in range(ahead)]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / n
    rounding = (np.finfo(np.float64).eps * np.abs(values).max()) ** 2
    if variance <= rounding:
        return np.nan
    correction = (n + 1 - 2 * ahead + ahead * (ahead - 1) / n) / n
    return float(np.sqrt(variance / correction))
