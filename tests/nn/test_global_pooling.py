"""Means and maxima over all steps against the oracle and Keras, with masks."""

import numpy as np
import pytest
from reference import layers as oracle
from reference.keras_layers_fixture import load_cases

from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, Dense, GlobalAveragePool1D, GlobalMaxPool1D, Sequential
from tsrnn.testing import check_gradient, check_layer

SIZES = [(2, 1, 1), (3, 9, 5), (LANES - 1, 7, 4), (LANES + 2, 10, 14)]  # B, T, F


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_mean(size, masked, dtype):
    rng = np.random.default_rng(0)
    x, mask = rng.standard_normal(size).astype(dtype), rng.random(size[:2]) < 0.5 if masked else None
    if masked:
        mask[0] = False
        x[~mask] = np.nan  # what does not count is not looked at
    net = Sequential([GlobalAveragePool1D()]).build(size[1:], dtype=dtype)
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    y = net.forward(x, training=True, mask=mask)
    assert y.shape == (size[0], size[2]) and y.dtype == dtype
    np.testing.assert_allclose(y, oracle.global_average_forward(x, mask), rtol=0, atol=tolerance)
    d_y = rng.standard_normal(y.shape).astype(dtype)
    np.testing.assert_allclose(net.backward(d_y), oracle.global_average_backward(x, d_y, mask), rtol=0, atol=tolerance)
    for i in range(2):
        alone = net(x[i : i + 1], None if mask is None else mask[i : i + 1])
        np.testing.assert_array_equal(alone[0], net(x, mask)[i])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_greatest(size):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(size).astype(np.float32)
    net = Sequential([GlobalMaxPool1D()]).build(size[1:])
    y = net.forward(x, training=True)
    np.testing.assert_array_equal(y, x.max(axis=1))
    d_y = rng.standard_normal(y.shape).astype(np.float32)
    np.testing.assert_array_equal(net.backward(d_y), np.where(x == x.max(axis=1, keepdims=True), d_y[:, None], 0))
    np.testing.assert_array_equal(net(x[:1]), y[:1])
    np.testing.assert_array_equal(net(x, np.zeros(size[:2], bool)), y)  # as in Keras


@pytest.mark.parametrize(
    "case", [*load_cases("GlobalAveragePool1D"), *load_cases("GlobalMaxPool1D")], ids=lambda case: case["name"]
)
def test_keras(case):
    spec = {"GlobalAveragePool1D": GlobalAveragePool1D, "GlobalMaxPool1D": GlobalMaxPool1D}[case["kind"]]()
    net = Sequential([spec]).build(case["x"].shape[1:], dtype=np.float64)
    y = net.forward(case["x"], training=True, mask=case["mask"])
    np.testing.assert_allclose(y, case["y"], rtol=0, atol=1e-14)
    np.testing.assert_allclose(net.backward(case["d_y"]), case["d_x"], rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", [GlobalAveragePool1D, GlobalMaxPool1D])
def test_conformance(kind):
    assert check_layer(kind) < 1e-6


def test_the_mask_of_a_recurrent_layer_below_is_used():
    net = Sequential([GRU(3, return_sequences=True), GlobalAveragePool1D(), Dense(2)]).build((5, 2), dtype=np.float64)
    rng = np.random.default_rng(0)
    x, mask = rng.standard_normal((3, 5, 2)), np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]], bool)
    assert check_gradient(net, x, mask=mask) < 1e-6
    shorter = Sequential(net.network.specs).build((3, 2), dtype=np.float64)
    shorter.theta = net.theta
    np.testing.assert_allclose(net(x[:1], mask[:1]), shorter(x[:1, :3]), rtol=1e-12)


def test_a_mask_of_numbers_only_says_which_steps_count():
    net = Sequential([GlobalAveragePool1D()]).build((3, 1))
    x = np.array([[[1.0], [2.0], [5.0]], [[4.0], [8.0], [3.0]]], np.float32)
    mask = np.array([[2, 2, 0], [0, 3, 1]])
    np.testing.assert_array_equal(net(x, mask), net(x, mask > 0))
    np.testing.assert_array_equal(net(x, mask)[:, 0], [1.5, 5.5])
    np.testing.assert_array_equal(net(x[:1], mask[:1])[:, 0], [1.5])
