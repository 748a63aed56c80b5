"""Negative log-likelihoods by scipy.stats, and the pinball loss: of the numbers that a network gives for one value."""

import numpy as np
from scipy import stats

NARROWEST = SMALLEST = 1e-4


def softplus(x):
    return np.logaddexp(0.0, x)


def quantiles(raw, levels):
    """The median, and distances from quantile to quantile."""
    middle = list(levels).index(0.5)
    steps = softplus(np.asarray(raw))
    above = raw[middle] + np.concatenate(([0.0], np.cumsum(steps[middle + 1 :])))
    below = raw[middle] - np.cumsum(steps[:middle][::-1])
    return np.concatenate((below[::-1], above))


def pinball(raw, wanted, unit, levels):
    error = wanted - quantiles(raw, levels)
    levels = np.asarray(levels)
    return 2 * unit * np.mean(np.maximum(levels * error, (levels - 1) * error))


def gaussian(raw, wanted, unit):
    return -stats.norm(raw[0] * unit, (softplus(raw[1]) + NARROWEST) * unit).logpdf(wanted * unit)


def laplace(raw, wanted, unit):
    return -stats.laplace(raw[0] * unit, (softplus(raw[1]) + NARROWEST) * unit).logpdf(wanted * unit)


def student_t(raw, wanted, unit):
    scale = (softplus(raw[1]) + NARROWEST) * unit
    return -stats.t(softplus(raw[2]) + 2, raw[0] * unit, scale).logpdf(wanted * unit)


def poisson(raw, wanted, unit):
    return -stats.poisson((softplus(raw[0]) + SMALLEST) * unit).logpmf(np.round(wanted * unit))


def negative_binomial(raw, wanted, unit):
    mean, dispersion = (softplus(raw[0]) + SMALLEST) * unit, softplus(raw[1]) + SMALLEST
    return -stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean)).logpmf(np.round(wanted * unit))
