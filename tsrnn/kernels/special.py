"""Functions of one number that likelihoods need, in double precision; scalar, since a likelihood is a small part."""

import numpy as np

from tsrnn._jit import kernel

_LARGE = 6.0  # from here on the series of digamma is exact to 1e-12


@kernel
def softplus(x):
    """log(1 + exp(x)): positive, with slope `logistic`; exact where exp would overflow or vanish."""
    return max(x, 0.0) + np.log1p(np.exp(-abs(x)))


@kernel
def logistic(x):
    """1 / (1 + exp(-x))"""
    small = np.exp(-abs(x))
    return (1.0 if x >= 0 else small) / (1.0 + small)


@kernel
def digamma(x):
    """The slope of the logarithm of the gamma function, for x > 0 (Abramowitz and Stegun 6.3.5 and 6.3.18)."""
    total = 0.0
    while x < _LARGE:
        total -= 1.0 / x
        x += 1.0
    inverse = 1.0 / (x * x)
    series = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse / 132))))
    return total + np.log(x) - 0.5 / x - series
