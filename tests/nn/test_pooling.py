"""Pools of steps against the oracle and Keras."""

import numpy as np
import pytest
from reference import layers as oracle
from reference.keras_layers_fixture import load_cases

from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, AveragePool1D, Conv1D, Dense, MaxPool1D, Sequential
from tsrnn.testing import check_gradient, check_layer

KINDS = {
    MaxPool1D: (oracle.max_pool_forward, oracle.max_pool_backward),
    AveragePool1D: (oracle.average_pool_forward, oracle.average_pool_backward),
}
SIZES = [(1, 1, 1), (3, 9, 5), (LANES - 1, 7, 4), (LANES + 2, 10, 14)]  # B, T, F
POOLS = [(1, None), (2, None), (3, None), (3, 1), (2, 3), (5, 2)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("pool", "strides"), POOLS)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_oracle(kind, size, pool, strides, dtype):
    (forward, backward), x = KINDS[kind], np.random.default_rng(0).standard_normal(size).astype(dtype)
    spec = kind(pool, strides=strides)
    if size[1] < pool:
        with pytest.raises(
            ValueError, match=f"needs at least {pool} steps: lower `pool_size`; got 1 step of 1 feature"
        ):
            Sequential([spec]).build(size[1:])
        return
    net = Sequential([spec]).build(size[1:], dtype=dtype)
    tolerance = 2e-6 if dtype == np.float32 else 1e-14
    y = net.forward(x, training=True)
    np.testing.assert_allclose(y, forward(x, pool, strides), rtol=0, atol=tolerance)
    d_y = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
    np.testing.assert_allclose(net.backward(d_y), backward(x, d_y, pool, strides), rtol=0, atol=tolerance)
    assert y.dtype == dtype and net.count_params() == 0
    for i in (0, size[0] - 1):  # one sequence alone: the same bits
        np.testing.assert_array_equal(net(x[i : i + 1])[0], net(x)[i])


@pytest.mark.parametrize(
    "case", [*load_cases("MaxPool1D"), *load_cases("AveragePool1D")], ids=lambda case: case["name"]
)
def test_keras(case):
    spec = {kind.__name__: kind for kind in KINDS}[case["kind"]](**case["options"])
    net = Sequential([spec]).build(case["x"].shape[1:], dtype=np.float64)
    np.testing.assert_allclose(net.forward(case["x"], training=True), case["y"], rtol=0, atol=1e-14)
    np.testing.assert_allclose(net.backward(case["d_y"]), case["d_x"], rtol=0, atol=1e-14)


def test_of_equal_steps_the_first_gets_the_gradient():
    net = Sequential([MaxPool1D(3)]).build((3, 1))
    net.forward(np.ones((2, 3, 1), np.float32), training=True)
    np.testing.assert_array_equal(net.backward(np.ones((2, 1, 1)))[0], [[1], [0], [0]])


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_nan_and_infinity(place, batch):
    """A NaN makes its pool NaN wherever it stands; infinities are numbers like others."""
    net = Sequential([MaxPool1D(3)]).build((6, 1))
    x = np.array([1, 3, 2, -np.inf, np.inf, np.inf], np.float32)
    x[place] = np.nan
    y = net(np.tile(x[None, :, None], (batch, 1, 1)))
    np.testing.assert_array_equal(y[0, :, 0], [np.nan, np.inf])
    x[:] = -np.inf
    assert (net(np.tile(x[None, :, None], (batch, 1, 1))) == -np.inf).all()


@pytest.mark.parametrize("kind", KINDS)
def test_conformance(kind):
    make = lambda: kind(3, strides=2)  # noqa: E731
    assert check_layer(make, shapes=[(3, 1), (5, 4), (17, 3)], shape=(6, 3)) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_stack(kind):
    """The mask ends at the pool, as in Keras."""
    stack = [Conv1D(3, 2, activation="tanh"), kind(2), GRU(4), Dense(2)]
    net = Sequential(stack).build((7, 2), random_state=1, dtype=np.float64)
    x, mask = np.random.default_rng(0).standard_normal((3, 7, 2)), np.zeros((3, 7), bool)
    assert check_gradient(net, x, mask=mask) < 1e-6
    np.testing.assert_array_equal(net(x, mask), net(x))


def test_bad_parameters():
    with pytest.raises(ValueError, match="`pool_size` of MaxPool1D must be an integer of at least 1; got 0"):
        MaxPool1D(0)
    with pytest.raises(TypeError, match="`strides` of AveragePool1D must be"):
        AveragePool1D(2, strides=1.5)
