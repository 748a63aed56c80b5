"""Values and slopes of all activations against the NumPy oracles."""

import numpy as np
import pytest
from reference.activations import DERIVATIVES, FUNCTIONS, KINKS

from tsrnn._jit import kernel
from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.simd import LANES, load, store


@kernel
def value_and_slope(activation, x, value, slope):
    """Of every x; the slope comes from the value."""
    for at in range(0, x.size, LANES):
        y = activation.value(load(x, at, 1))
        store(value, at, y)
        store(slope, at, activation.slope(y))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_slope(name, dtype):
    x = np.linspace(-6, 6, 64 * LANES).astype(dtype)
    for kink in KINKS[name]:
        x = np.where(np.abs(x - kink) < 1e-3, dtype(kink + 1e-3), x)  # there the slope is a matter of taste
    value, slope = np.empty_like(x), np.empty_like(x)
    value_and_slope(ACTIVATIONS[name], x, value, slope)
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    np.testing.assert_allclose(value, FUNCTIONS[name](x.astype(np.float64)), rtol=0, atol=tolerance)
    np.testing.assert_allclose(slope, DERIVATIVES[name](x.astype(np.float64)), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_nan_stays_a_nan(name):
    x = np.zeros(LANES, np.float32)
    x[3] = np.nan
    value, slope = np.empty_like(x), np.empty_like(x)
    value_and_slope(ACTIVATIONS[name], x, value, slope)
    assert np.isnan(value[3])
    assert np.isfinite(np.delete(value, 3)).all()
