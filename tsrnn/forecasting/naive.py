"""The last-value and the seasonal naive forecast: what every other forecast is measured against."""

from __future__ import annotations

import numpy as np

from tsrnn.data import Panel, WindowIndex, WindowShape


def naive_forecast(panel: Panel, windows: WindowIndex, shape: WindowShape, n_targets: int, season: int) -> np.ndarray:
    """The value one season before, or with ``season=0`` the last value.

    Where the last season is not yet over, the value of the season before that is taken. Where a series does not reach
    back so far, its last value stands in.

    Returns
    -------
    ndarray of shape (windows, horizon, targets)
        In data units.
    """
    origin = windows.origin[:, None]
    if not season:
        last = panel.values[origin, :n_targets]
        return np.broadcast_to(last, (len(windows), shape.horizon, n_targets))
    ahead = shape.gap + 1 + np.arange(shape.horizon)
    before = origin + ahead - season * -(-ahead // season)
    rows = np.where(before >= panel.indptr[windows.series][:, None], before, origin)
    return panel.values[rows, :n_targets]
