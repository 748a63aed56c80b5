"""Central differences of a scalar function of arrays."""

import numpy as np

STEP = 1e-5  # for values near 1: truncation about 1e-10, rounding about 1e-11


def numerical_gradient(loss, array, step=STEP):
    """The gradient of ``loss()``, which reads ``array``, by its elements; each is changed and put back."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = loss()
        array[index] = kept - step
        below = loss()
        array[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient


def worst_error(found, expected):
    """The greatest difference, relative to the greatest expected magnitude (or to 1e-3, where that is less)."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    if expected.size == 0:
        return 0.0
    return np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-3)
