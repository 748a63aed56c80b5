"""The dense kernels against the oracle, odd sizes and all."""

import numpy as np
import pytest
from reference import layers as oracle

from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.simd import LANES
from tsrnn.nn import Dense, Sequential
from tsrnn.testing import check_layer

SIZES = [(1, 1, 1, 1), (3, 5, 7, 9), (LANES + 1, 2, 14, 5), (2, 20, 4, 33)]  # B, T, F, outputs


def close(got, expected, dtype):
    assert got.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * max(1.0, np.abs(expected).max()))


def check(size, activation, dtype):
    batch, steps, features, outputs = size
    rng = np.random.default_rng(0)
    net = Sequential([Dense(outputs, activation=activation)]).build((steps, features), dtype=dtype)
    net.theta = 0.4 * rng.standard_normal(net.theta.size)
    x, d_y = (rng.standard_normal((batch, steps, count)).astype(dtype) for count in (features, outputs))
    kernel, bias = net.get_weights()
    close(net.forward(x, training=True), oracle.dense_forward(x, kernel, bias, activation), dtype)
    d_x, d_kernel, d_bias = oracle.dense_backward(x, kernel, bias, d_y, activation)
    close(net.backward(d_y), d_x, dtype)
    close(net.grads()[0], d_kernel, dtype)
    close(net.grads()[1], d_bias, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_oracle(size, dtype):
    check(size, "linear", dtype)


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"linear"}))
def test_activations(activation):
    check((3, 2, 3, 5), activation, np.float64)


def test_conformance():
    assert check_layer(lambda: Dense(5, activation="tanh")) < 1e-6


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"outputs": 0}, ValueError, "`outputs` of Dense must be an integer of at least 1; got 0."),
        ({"outputs": 2.0}, TypeError, "`outputs` of Dense must be an integer"),
        ({"outputs": 2, "activation": "tan"}, ValueError, "Did you mean 'tanh'?"),
    ],
)
def test_bad_parameters(options, error, message):
    with pytest.raises(error) as caught:
        Dense(**options)
    assert message in str(caught.value)
