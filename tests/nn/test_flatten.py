"""All steps side by side, time first."""

import numpy as np
import pytest
from reference import layers as oracle

from tsrnn.kernels.simd import LANES
from tsrnn.nn import Dense, Flatten, Sequential
from tsrnn.testing import check_gradient, check_layer


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 4)])
def test_oracle(shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((LANES + 2, *shape)).astype(np.float32)
    net = Sequential([Flatten()]).build(shape)
    y = net.forward(x, training=True)
    np.testing.assert_array_equal(y, oracle.flatten_forward(x))
    d_y = rng.standard_normal(y.shape).astype(np.float32)
    np.testing.assert_array_equal(net.backward(d_y), oracle.flatten_backward(x, d_y))
    assert net.count_params() == 0


def test_between_dense_layers():
    net = Sequential([Dense(3, activation="tanh"), Flatten(), Dense(2)]).build((5, 2), dtype=np.float64)
    x = np.random.default_rng(0).standard_normal((3, 5, 2))
    inner, outer = net.get_weights()[:2], net.get_weights()[2:]
    hidden = oracle.flatten_forward(oracle.dense_forward(x, *inner, "tanh"))
    np.testing.assert_allclose(net(x), oracle.dense_forward(hidden, *outer), rtol=1e-12)
    assert check_gradient(net, x) < 1e-6


def test_conformance():
    assert check_layer(Flatten) < 1e-6
