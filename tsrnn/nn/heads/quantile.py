"""Quantiles: any set of them, learned together so that none crosses another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tsrnn.kernels.special import logistic, softplus
from tsrnn.nn.heads.distribution import DistributionHead

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)  # where nothing else is asked for


class _QuantileFields(NamedTuple):
    levels: np.ndarray  # in order; the one in the middle of `middle` is 0.5
    middle: int


class Quantile(DistributionHead, _QuantileFields):
    """The pinball loss (Koenker and Bassett 1978), twice its mean over the levels: at 0.5 alone that is ``MAE``.

    The network gives the median, and how far each other quantile lies from the one next to it. That distance is
    positive, so quantiles cannot cross.

    Parameters
    ----------
    levels : sequence of float, default=(0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
        Between 0 and 1. The median is learned in any case: it is the point forecast.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> forecaster = GRUForecaster(loss="quantile", quantiles=[0.1, 0.9])
    """

    __slots__ = ()

    def __new__(cls, levels=LEVELS, middle=None):
        levels = np.unique(np.append(np.asarray(levels, np.float64), 0.5))
        return super().__new__(cls, levels, int(np.searchsorted(levels, 0.5)))

    @property
    def width(self) -> int:  # type: ignore[override]
        """Numbers that the network gives for one."""
        return self.levels.size

    def loss_of(self, raw, wanted, unit, slopes):
        """Loss of one number; ``slopes`` [width] get its gradient."""
        total, count, quantile = 0.0, self.levels.size, raw[self.middle]
        for above in range(self.middle, count):  # up from the median
            if above > self.middle:
                quantile += softplus(raw[above])
            error, level = wanted - quantile, self.levels[above]
            total += error * (level if error > 0 else level - 1)
            slopes[above] = (error < 0) * (1 - level) - (error > 0) * level
        quantile = raw[self.middle]
        for up in range(self.middle):  # down from it
            below = self.middle - 1 - up
            quantile -= softplus(raw[below])
            error, level = wanted - quantile, self.levels[below]
            total += error * (level if error > 0 else level - 1)
            slopes[below] = (error < 0) * (1 - level) - (error > 0) * level
        factor, beyond = 2 * unit / count, 0.0
        for up in range(count - 1 - self.middle):  # a distance moves all quantiles beyond it
            above = count - 1 - up
            beyond += slopes[above]
            slopes[above] = factor * beyond * logistic(raw[above])
        upper, beyond = beyond, 0.0
        for below in range(self.middle):
            beyond += slopes[below]
            slopes[below] = -factor * beyond * logistic(raw[below])
        slopes[self.middle] = factor * (slopes[self.middle] + upper + beyond)
        return factor * total

    def center_of(self, raw):
        """The point forecast."""
        return raw[self.middle]

    def parameters(self, raw, center, scale):
        """What is given becomes the quantiles."""
        for above in range(self.middle + 1, self.levels.size):
            raw[above] = raw[above - 1] + softplus(raw[above])
        for up in range(self.middle):
            below = self.middle - 1 - up
            raw[below] = raw[below + 1] - softplus(raw[below])
        for k in range(self.levels.size):
            raw[k] = raw[k] * scale + center
