"""Distributions of counts, zeros included: Poisson and negative binomial. The loss is the negative logarithm of their
probability.

As in DeepAR (Salinas 2020) the network sees counts divided by their mean in the training rows of the series, and what
it gives is multiplied by it: ``unit`` is that mean.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tsrnn.kernels.special import digamma, logistic, softplus
from tsrnn.nn.heads.distribution import DistributionHead

_SMALLEST = 1e-4  # mean in units, and dispersion: logarithms and differences of gamma functions stay exact


class _NoFields(NamedTuple):
    pass


class Poisson(DistributionHead, _NoFields):
    """The Poisson distribution, by its mean, which is its variance too.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> forecaster = GRUForecaster(loss="poisson")
    """

    __slots__ = ()
    width = 1  # mean in units, before softplus

    def loss_of(self, raw, wanted, unit, slopes):
        """Loss of one number; ``slopes`` [width] get its gradient."""
        count, mean = wanted * unit, softplus(raw[0]) + _SMALLEST
        slopes[0] = (unit - count / mean) * logistic(raw[0])
        return mean * unit - count * np.log(mean * unit) + math.lgamma(count + 1)

    def center_of(self, raw):
        """The point forecast."""
        return softplus(raw[0]) + _SMALLEST

    def parameters(self, raw, center, scale):
        """What is given becomes the parameters, in units."""
        raw[0] = softplus(raw[0]) + _SMALLEST


class NegativeBinomial(DistributionHead, _NoFields):
    """The negative binomial distribution, by its mean m and dispersion a: its variance is m + a m**2.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> forecaster = GRUForecaster(loss="negative_binomial")
    """

    __slots__ = ()
    width = 2  # mean in units, and dispersion, before softplus

    def loss_of(self, raw, wanted, unit, slopes):
        """Loss of one number; ``slopes`` [width] get its gradient."""
        count, mean, dispersion = wanted * unit, (softplus(raw[0]) + _SMALLEST) * unit, softplus(raw[1]) + _SMALLEST
        shape, spread = 1 / dispersion, 1 + dispersion * mean
        slopes[0] = (mean - count) / (mean * spread) * unit * logistic(raw[0])
        by_shape = digamma(shape) - digamma(count + shape) + np.log(spread)
        by_dispersion = (count + shape) * mean / spread - count / dispersion - by_shape * shape * shape
        slopes[1] = by_dispersion * logistic(raw[1])
        constant = math.lgamma(shape) + math.lgamma(count + 1) - math.lgamma(count + shape)
        return constant + (count + shape) * np.log(spread) - count * np.log(dispersion * mean)

    def center_of(self, raw):
        """The point forecast."""
        return softplus(raw[0]) + _SMALLEST

    def parameters(self, raw, center, scale):
        """What is given becomes the parameters, the mean in units."""
        raw[0], raw[1] = softplus(raw[0]) + _SMALLEST, softplus(raw[1]) + _SMALLEST
