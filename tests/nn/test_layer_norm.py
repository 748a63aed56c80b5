"""Layer normalisation against the oracle and Keras."""

import numpy as np
import pytest
from reference import layers as oracle
from reference.keras_layers_fixture import load_cases

from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, LayerNorm, Sequential
from tsrnn.testing import check_gradient, check_layer

SIZES = [(1, 1, 1), (3, 5, 7), (LANES + 1, 2, 14), (2, 20, 33)]  # B, T, F


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("epsilon", [1e-3, 0.5])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_oracle(size, epsilon, dtype):
    rng = np.random.default_rng(0)
    net = Sequential([LayerNorm(epsilon)]).build(size[1:], dtype=dtype)
    net.theta = net.theta + 0.4 * rng.standard_normal(net.theta.size)
    x = (3 + 2 * rng.standard_normal(size)).astype(dtype)
    y = net.forward(x, training=True)
    d_y = rng.standard_normal(size).astype(dtype)
    expected = [oracle.layer_norm_forward(x, *net.get_weights(), epsilon)]
    expected += oracle.layer_norm_backward(x, *net.get_weights(), d_y, epsilon)
    for got, wanted in zip([y, net.backward(d_y), *net.grads()], expected, strict=True):
        assert got.dtype == dtype and got.shape == wanted.shape
        tolerance = 2e-5 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * max(1.0, np.abs(wanted).max()))
    for i in (0, size[0] - 1):  # one sequence alone: the same bits
        np.testing.assert_array_equal(net(x[i : i + 1])[0], net(x)[i])


@pytest.mark.parametrize("case", load_cases("LayerNorm"), ids=lambda case: case["name"])
def test_keras(case):
    net = Sequential([LayerNorm(**case["options"])]).build(case["x"].shape[1:], dtype=np.float64)
    net.set_weights(case["weights"])
    y = net.forward(case["x"], training=True, mask=case["mask"])
    found, expected = [y, net.backward(case["d_y"]), *net.grads()], [case["y"], case["d_x"], *case["d_weights"]]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12 * max(1, np.abs(other).max()))
    if case["mask"] is not None:
        np.testing.assert_array_equal(case["output_mask"], case["mask"])


def test_first_weights():
    gamma, beta = Sequential([LayerNorm()]).build((2, 3)).get_weights()
    np.testing.assert_array_equal(gamma, np.ones(3))
    np.testing.assert_array_equal(beta, np.zeros(3))


def test_conformance():
    assert check_layer(LayerNorm) < 1e-6


def test_the_mask_goes_on():
    net = Sequential([LayerNorm(), GRU(3)]).build((5, 2), random_state=1, dtype=np.float64)
    x, mask = np.random.default_rng(0).standard_normal((3, 5, 2)), np.ones((3, 5), bool)
    mask[:, 3:] = False
    assert check_gradient(net, x, mask=mask) < 1e-6
    for batch in (1, 3):
        changed = x[:batch].copy()
        changed[:, 3:] += 1
        np.testing.assert_array_equal(net(changed, mask[:batch]), net(x[:batch], mask[:batch]))


def test_bad_epsilon():
    with pytest.raises(ValueError, match="`epsilon` of LayerNorm must be"):
        LayerNorm(0.0)
