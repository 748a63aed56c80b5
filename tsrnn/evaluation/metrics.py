"""Metrics of forecasts, on arrays ``(n_windows, horizon, C)`` of what came and of what was forecast.

Each gives the average over everything, or with ``by="window"``, ``"horizon"`` or ``"target"`` one number for each
window, step ahead or target. Everything is added up in float64. NaN and infinity are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tsrnn._errors import NoneOr, Options, check_parameter
from tsrnn.evaluation._arrays import By, Floats, checked, column_metric, mean, naive_scale


def mae(y_true: ArrayLike, y_pred: ArrayLike, *, by: By = None) -> float | Floats:
    """Mean absolute error, in the units of the target.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_windows, horizon, C)
        What came, and what was forecast.
    by : {"window", "horizon", "target"} or None, default None
        The axis to keep; None averages over everything.

    Returns
    -------
    float, or array of shape (n_windows,), (horizon,) or (C,)

    Raises
    ------
    ValueError
        If the shapes differ or are not three-dimensional, if there is no element, or if a value is not finite.

    Examples
    --------
    >>> mae([[[1.0], [2.0]]], [[[1.5], [4.0]]])
    1.25
    >>> mae([[[1.0], [2.0]]], [[[1.5], [4.0]]], by="horizon")
    array([0.5, 2. ])
    """
    # Imported when used: it takes longer than the rest of this module together.
    from sklearn.metrics import mean_absolute_error

    return column_metric(mean_absolute_error, *checked("mae", by, y_true, y_pred), by)


def rmse(y_true: ArrayLike, y_pred: ArrayLike, *, by: By = None) -> float | Floats:
    """Root of the mean squared error, in the units of the target.

    With `by`, the root is taken of each kept element's mean; without, of the mean over everything.

    Parameters
    ----------
    y_true, y_pred, by
        As for `mae`.

    Returns
    -------
    float, or array of shape (n_windows,), (horizon,) or (C,)

    Examples
    --------
    >>> rmse([[[1.0], [2.0]]], [[[4.0], [6.0]]], by="horizon")
    array([3., 4.])
    """
    from sklearn.metrics import root_mean_squared_error

    return column_metric(root_mean_squared_error, *checked("rmse", by, y_true, y_pred), by)


def bias(y_true: ArrayLike, y_pred: ArrayLike, *, by: By = None) -> float | Floats:
    """Mean of forecast minus what came, in the units of the target: positive where the forecasts are too high.

    Parameters
    ----------
    y_true, y_pred, by
        As for `mae`.

    Returns
    -------
    float, or array of shape (n_windows,), (horizon,) or (C,)

    Examples
    --------
    >>> bias([[[1.0], [2.0]]], [[[2.0], [5.0]]])
    2.0
    """
    true, pred = checked("bias", by, y_true, y_pred)
    return mean(pred - true, by)


def smape(y_true: ArrayLike, y_pred: ArrayLike, *, by: By = None) -> float | Floats:
    """Symmetric mean absolute percentage error, 0 to 200: the mean of ``200 |y - p| / (|y| + |p|)``, where 0 / 0 is 0.

    Parameters
    ----------
    y_true, y_pred, by
        As for `mae`.

    Returns
    -------
    float, or array of shape (n_windows,), (horizon,) or (C,)

    References
    ----------
    S. Makridakis, E. Spiliotis, V. Assimakopoulos, "The M4 Competition: 100,000 time series and 61 forecasting
    methods", International Journal of Forecasting 36 (2020).

    Examples
    --------
    >>> smape([[[1.0], [0.0]]], [[[3.0], [0.0]]])
    50.0
    """
    true, pred = checked("smape", by, y_true, y_pred)
    size = np.abs(true) + np.abs(pred)
    return mean(200.0 * (np.abs(true - pred) / np.where(size == 0.0, 1.0, size)), by)


def wape(y_true: ArrayLike, y_pred: ArrayLike, *, by: By = None) -> float | Floats:
    """Weighted absolute percentage error, as a fraction: the sum of ``|y - p|`` over the sum of ``|y|``.

    Parameters
    ----------
    y_true, y_pred, by
        As for `mae`.

    Returns
    -------
    float, or array of shape (n_windows,), (horizon,) or (C,)

    Raises
    ------
    ValueError
        As `mae`, and where all of `y_true` that is summed is zero.

    References
    ----------
    S. Kolassa, W. Schütz, "Advantages of the MAD/Mean ratio over the MAPE", Foresight 6 (2007).

    Examples
    --------
    >>> wape([[[1.0], [3.0]]], [[[2.0], [3.0]]])
    0.25
    """
    true, pred = checked("wape", by, y_true, y_pred)
    size = mean(np.abs(true), by)
    if not np.all(size):
        where = "" if by is None else f" of {by} {int(np.argmin(size))}"
        raise ValueError(f"wape divides by the sum of |y_true|, but all of y_true{where} is zero. Use mae there.")
    return mean(np.abs(true - pred), by) / size


def mase(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_train: ArrayLike | Sequence[ArrayLike],
    *,
    season: int = 1,
    by: By = None,
) -> float | Floats:
    """Mean absolute scaled error: errors over the training part's mean absolute error of the seasonal naive forecast.

    Parameters
    ----------
    y_true, y_pred, by
        As for `mae`.
    y_train : array-like of shape (T, C) or (T,), or a list of n_windows such arrays
        The training part of the series: one for all windows, or for each window that of its own series. A nested list
        is a list of series.
    season : int, default 1
        Steps in a season; 1 scales by the last-value forecast.

    Returns
    -------
    float, or array of shape (n_windows,), (horizon,) or (C,)

    Raises
    ------
    ValueError
        As `mae`, and where a training part is not longer than a season or repeats itself exactly (a scale of zero).

    References
    ----------
    R. J. Hyndman, A. B. Koehler, "Another look at measures of forecast accuracy", International Journal of Forecasting
    22 (2006).

    Examples
    --------
    >>> mase([[[5.0], [5.0]]], [[[6.0], [8.0]]], [1.0, 3.0, 1.0, 3.0])
    1.0
    """
    true, pred = checked("mase", by, y_true, y_pred)
    scale = naive_scale("mase", y_train, season, true.shape, np.abs)
    return mean(np.abs(true - pred) / scale[:, None, :], by)


def rmsse(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_train: ArrayLike | Sequence[ArrayLike],
    *,
    season: int = 1,
    by: Literal["window", "target"] | None = None,
) -> float | Floats:
    """Root mean squared scaled error: as `mase` with squares, the root taken for each window and target.

    Parameters
    ----------
    y_true, y_pred, y_train, season
        As for `mase`.
    by : {"window", "target"} or None, default None
        The axis to keep; the horizon is under the root.

    Returns
    -------
    float, or array of shape (n_windows,) or (C,)

    References
    ----------
    S. Makridakis, E. Spiliotis, V. Assimakopoulos, "M5 accuracy competition: results, findings, and conclusions",
    International Journal of Forecasting 38 (2022).

    Examples
    --------
    >>> rmsse([[[5.0], [5.0]]], [[[7.0], [7.0]]], [1.0, 3.0, 1.0, 3.0])
    1.0
    """
    check_parameter("rmsse", "by", by, NoneOr(Options("window", "target")))
    true, pred = checked("rmsse", by, y_true, y_pred)
    scale = naive_scale("rmsse", y_train, season, true.shape, np.square)
    each = np.sqrt(np.mean((true - pred) ** 2, axis=1) / scale)
    return mean(each[:, None, :], by)


def skill(y_true: ArrayLike, y_pred: ArrayLike, y_naive: ArrayLike, *, by: By = None) -> float | Floats:
    """Skill against another forecast: ``1 - MAE / MAE of y_naive``. Greater is better, 0 is as good, 1 is perfect.

    Parameters
    ----------
    y_true, y_pred, by
        As for `mae`. With None, the skill is taken for each target (whose units may differ) and then averaged.
    y_naive : array-like of shape (n_windows, horizon, C)
        The forecasts to compare with, mostly naive ones.

    Returns
    -------
    float, or array of shape (n_windows,), (horizon,) or (C,)
        NaN where `y_naive` has no error, as for a constant target: nothing can be better. Such targets are left out of
        the average, which is NaN when no other is left.

    References
    ----------
    A. H. Murphy, "Skill scores based on the mean square error and their relationships to the correlation coefficient",
    Monthly Weather Review 116 (1988), here with absolute errors.

    Examples
    --------
    >>> skill([[[4.0], [8.0]]], [[[5.0], [8.0]]], [[[2.0], [6.0]]])
    0.75
    """
    true, pred = checked("skill", by, y_true, y_pred)
    _, naive = checked("skill", by, y_true, y_naive, name="y_naive")
    kept = "target" if by is None else by
    error, naive_error = (np.asarray(mean(np.abs(true - other), kept)) for other in (pred, naive))
    comparable = naive_error > 0.0
    found = np.full(error.shape, np.nan)
    found[comparable] = 1.0 - error[comparable] / naive_error[comparable]
    if by is not None:
        return found
    return float(np.mean(found[comparable])) if comparable.any() else float("nan")
