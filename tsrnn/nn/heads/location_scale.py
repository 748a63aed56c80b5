"""Distributions with a place and a width: Gaussian, Laplace and Student's t. The loss is the negative logarithm of
their density."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tsrnn.kernels.special import digamma, logistic, softplus
from tsrnn.nn.heads.distribution import DistributionHead

_NARROWEST = 1e-4  # width in scaled units: a series that repeats itself would drive it to 0, and the loss to -infinity
_FEWEST = 2.0  # degrees of freedom: with fewer there is no variance


class _NoFields(NamedTuple):
    pass


class Gaussian(DistributionHead, _NoFields):
    """The normal distribution, by its mean and standard deviation.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> forecaster = GRUForecaster(loss="gaussian")
    """

    __slots__ = ()
    width = 2  # mean; standard deviation, before softplus

    def loss_of(self, raw, wanted, unit, slopes):
        """Loss of one number; ``slopes`` [width] get its gradient."""
        deviation = softplus(raw[1]) + _NARROWEST
        z = (wanted - raw[0]) / deviation
        slopes[0] = -z / deviation
        slopes[1] = (1 - z * z) / deviation * logistic(raw[1])
        return 0.5 * math.log(2 * math.pi) + np.log(deviation * unit) + 0.5 * z * z

    def center_of(self, raw):
        """The point forecast."""
        return raw[0]

    def parameters(self, raw, center, scale):
        """What is given becomes the parameters."""
        raw[0] = raw[0] * scale + center
        raw[1] = (softplus(raw[1]) + _NARROWEST) * scale


class Laplace(DistributionHead, _NoFields):
    """The Laplace distribution, by its median and scale: as ``MAE``, with a width.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> forecaster = GRUForecaster(loss="laplace")
    """

    __slots__ = ()
    width = 2  # median; scale, before softplus

    def loss_of(self, raw, wanted, unit, slopes):
        """Loss of one number; ``slopes`` [width] get its gradient."""
        scale, error = softplus(raw[1]) + _NARROWEST, raw[0] - wanted
        slopes[0] = ((error > 0) * 1.0 - (error < 0) * 1.0) / scale
        slopes[1] = (1 - abs(error) / scale) / scale * logistic(raw[1])
        return np.log(2 * scale * unit) + abs(error) / scale

    def center_of(self, raw):
        """The point forecast."""
        return raw[0]

    def parameters(self, raw, center, scale):
        """What is given becomes the parameters."""
        raw[0] = raw[0] * scale + center
        raw[1] = (softplus(raw[1]) + _NARROWEST) * scale


class StudentT(DistributionHead, _NoFields):
    """Student's t distribution, by its location, scale and degrees of freedom: heavy tails, as far as they are needed.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> forecaster = GRUForecaster(loss="student_t")
    """

    __slots__ = ()
    width = 3  # location; scale and degrees of freedom above 2, before softplus

    def loss_of(self, raw, wanted, unit, slopes):
        """Loss of one number; ``slopes`` [width] get its gradient."""
        scale, freedom = softplus(raw[1]) + _NARROWEST, softplus(raw[2]) + _FEWEST
        z = (wanted - raw[0]) / scale
        heavy, half = z * z / freedom, 0.5 * (freedom + 1)
        pull = 2 * half * z / (freedom * (1 + heavy))
        slopes[0] = -pull / scale
        slopes[1] = (1 - pull * z) / scale * logistic(raw[1])
        by_freedom = 0.5 * (digamma(0.5 * freedom) - digamma(half) + 1 / freedom + np.log1p(heavy))
        slopes[2] = (by_freedom - half * heavy / (freedom * (1 + heavy))) * logistic(raw[2])
        constant = math.lgamma(0.5 * freedom) - math.lgamma(half) + 0.5 * np.log(math.pi * freedom)
        return constant + np.log(scale * unit) + half * np.log1p(heavy)

    def center_of(self, raw):
        """The point forecast."""
        return raw[0]

    def parameters(self, raw, center, scale):
        """What is given becomes the parameters."""
        raw[0] = raw[0] * scale + center
        raw[1] = (softplus(raw[1]) + _NARROWEST) * scale
        raw[2] = softplus(raw[2]) + _FEWEST
