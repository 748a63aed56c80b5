"""Intervals that learn from each miss: where the weather changes, their bounds follow.

After each row that came, a bound of the scores moves outwards if it was passed, and a little inwards if not, in such
proportion that it is passed as often as it should be: quantile tracking, the first part of conformal PID control
(Angelopoulos, Candès and Tibshirani 2023), which goes back to adaptive conformal inference (Gibbs and Candès 2021). The
share of misses goes to the one asked for whatever the series does. Each row of the horizon has bounds of its own, and
a miss counts once its row has come, not before.
"""

from __future__ import annotations

import numpy as np

RATE = 0.05  # of a bound's steps, in widths of the scores' middle 95 %


def track(
    scores: np.ndarray, origins: np.ndarray, gap: int, levels: np.ndarray, first: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """Bounds of the scores as they are known at each origin of one series, and after the last.

    Parameters
    ----------
    scores : ndarray of shape (origins, horizon, targets)
        Of what came.
    origins : ndarray of shape (origins + 1,)
        Rows, in order; the last one is of the forecast to come.
    gap : int
        Rows between an origin and its first forecast, less one.
    levels : ndarray of shape (levels,)
        Share of the scores that are to fall below each bound.
    first : ndarray of shape (levels, horizon, targets)
        Bounds to begin with.
    step : ndarray of shape (horizon, targets)
        How far a bound moves after a miss, at most.

    Returns
    -------
    ndarray of shape (origins + 1, levels, horizon, targets)
        In the order of the levels: where bounds that learn one by one have crossed, they change places.
    """
    bounds = first.astype(np.float64)
    found = np.empty((len(origins), *first.shape))
    arrived = np.zeros(first.shape[1], np.int64)  # of each row of the horizon: how many have come, and been learned of
    due = gap + 1 + np.arange(first.shape[1])
    wanted = np.asarray(levels, np.float64)[:, None, None]
    for index, origin in enumerate(origins.tolist()):
        while True:
            rows = np.flatnonzero((arrived < index) & (origins[np.minimum(arrived, index)] + due <= origin))
            if not len(rows):
                break
            came = scores[arrived[rows], rows]  # (rows, targets)
            below = came[None] < bounds[:, rows]
            bounds[:, rows] += step[rows] * (wanted - below)
            arrived[rows] += 1
        found[index] = bounds
    found[:, np.argsort(levels)] = np.sort(found, axis=1)
    return found
