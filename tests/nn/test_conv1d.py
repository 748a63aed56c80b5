"""Convolutions against the oracle and Keras: strides, dilation, every padding, odd sizes."""

import numpy as np
import pytest
from reference import layers as oracle
from reference.keras_layers_fixture import load_cases

from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, Conv1D, Flatten, Sequential
from tsrnn.testing import check_gradient, check_layer

PADDINGS = ["valid", "causal", "same"]
SIZES = [(1, 1, 1, 1, 1), (3, 9, 1, 3, 2), (LANES - 1, 7, 3, 5, 7), (LANES + 1, 20, 14, 9, 4), (2, 40, 5, 33, 3)]
OPTIONS = [{}, {"strides": 2}, {"strides": 5}, {"dilation_rate": 2}, {"dilation_rate": 3, "strides": 2}]


def close(got, expected, dtype):
    assert got.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * max(1.0, np.abs(expected).max()))


def check(size, dtype, **options):
    """B, T, F, filters, kernel_size"""
    batch, steps, features, filters, taps = size
    rng = np.random.default_rng(0)
    net = Sequential([Conv1D(filters, taps, **options)]).build((steps, features), dtype=dtype)
    net.theta = 0.4 * rng.standard_normal(net.theta.size)
    kernel, bias = net.get_weights()
    x = rng.standard_normal((batch, steps, features)).astype(dtype)
    expected = oracle.conv1d_forward(x, kernel, bias, **options)
    assert net.network.output == expected.shape[1:]
    y = net.forward(x, training=True)
    close(y, expected, dtype)
    for i in (0, batch - 1):  # one sequence alone: the same bits
        np.testing.assert_array_equal(net(x[i : i + 1])[0], net(x)[i])
    d_y = rng.standard_normal(y.shape).astype(dtype)
    d_x, d_kernel, d_bias = oracle.conv1d_backward(x, kernel, bias, d_y, **options)
    net.forward(x, training=True)
    close(net.backward(d_y), d_x, dtype)
    for got, wanted in zip(net.grads(), (d_kernel, d_bias), strict=True):
        close(got, wanted, dtype)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_oracle(size, padding, options):
    spec = Conv1D(size[3], size[4], padding=padding, **options)
    if spec.padding == "valid" and spec.span > size[1]:
        with pytest.raises(ValueError, match=f"needs at least {spec.span} steps"):
            Sequential([spec]).build(size[1:3])
        return
    check(size, np.float32, padding=padding, **options)
    check(size, np.float64, padding=padding, **options)


@pytest.mark.parametrize("padding", ["causal", "same"])
def test_a_kernel_that_is_longer_than_the_input(padding):
    check((3, 2, 3, 5, 9), np.float64, padding=padding, dilation_rate=2)
    check((3, 4, 3, 5, 6), np.float64, padding=padding, strides=3)


@pytest.mark.slow  # other tests here have three of them
@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"linear"}))
def test_activations(activation):
    check((3, 6, 3, 5, 2), np.float64, activation=activation)


@pytest.mark.parametrize("case", load_cases("Conv1D"), ids=lambda case: case["name"])
def test_keras(case):
    net = Sequential([Conv1D(**case["options"])]).build(case["x"].shape[1:], dtype=np.float64)
    net.set_weights(case["weights"])
    np.testing.assert_allclose(net.forward(case["x"], training=True), case["y"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(net.backward(case["d_y"]), case["d_x"], rtol=0, atol=1e-6)
    for got, expected in zip(net.grads(), case["d_weights"], strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 * max(1, np.abs(expected).max()))


def test_causal_outputs_see_no_later_step():
    net = Sequential([Conv1D(3, 4, padding="causal", dilation_rate=2)]).build((12, 2))
    x = np.random.default_rng(0).standard_normal((2, 12, 2)).astype(np.float32)
    before = net(x)
    x[:, 7:] += 1
    np.testing.assert_array_equal(net(x)[:, :7], before[:, :7])
    assert (net(x)[:, 7:] != before[:, 7:]).any(axis=(0, 2)).all()


@pytest.mark.parametrize("options", [{"padding": "causal"}, {"padding": "same", "dilation_rate": 2}], ids=str)
def test_conformance(options):
    assert check_layer(lambda: Conv1D(5, 3, activation="tanh", **options)) < 1e-6


def test_conformance_of_valid():
    make = lambda: Conv1D(5, 3, strides=2, activation="sigmoid")  # noqa: E731
    assert check_layer(make, shapes=[(3, 1), (4, 2), (9, 3), (37, 2)], shape=(7, 3)) < 1e-6


def test_in_a_stack():
    stack = [Conv1D(3, 2, activation="softsign"), GRU(4, return_sequences=True), Conv1D(2, 3), Flatten()]
    net = Sequential(stack).build((7, 2), random_state=1, dtype=np.float64)
    assert check_gradient(net, np.random.default_rng(0).standard_normal((3, 7, 2))) < 1e-6


def test_the_mask_ends_here():
    """As in Keras: a recurrent layer above takes every step to count."""
    net = Sequential([Conv1D(3, 2), GRU(4)]).build((5, 2))
    x = np.random.default_rng(0).standard_normal((3, 5, 2)).astype(np.float32)
    np.testing.assert_array_equal(net(x, np.zeros((3, 5), bool)), net(x))
    np.testing.assert_array_equal(net(x[:1], np.zeros((1, 5), bool)), net(x)[:1])


def test_first_weights():
    """Glorot's limit counts the taps."""
    kernel = Sequential([Conv1D(30, 5)]).build((9, 20), random_state=0).get_weights()[0]
    limit = np.sqrt(6 / (5 * 20 + 5 * 30))
    assert 0.99 * limit < np.abs(kernel).max() <= limit


def test_layers_that_do_not_fit():
    with pytest.raises(ValueError) as caught:
        Sequential([GRU(8, return_sequences=True), Conv1D(4, 5, dilation_rate=2)]).build((8, 3))
    assert str(caught.value) == (
        "Layer 1, Conv1D(4, 5, dilation_rate=2), needs at least 9 steps: lower `kernel_size` or `dilation_rate`, or "
        "take `padding='causal'`; got 8 steps of 8 features."
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"filters": 0}, ValueError, "`filters` of Conv1D must be an integer of at least 1; got 0."),
        ({"strides": 1.5}, TypeError, "`strides` of Conv1D must be an integer"),
        ({"padding": "casual"}, ValueError, "Did you mean 'causal'?"),
        ({"activation": "tan"}, ValueError, "Did you mean 'tanh'?"),
    ],
)
def test_bad_parameters(options, error, message):
    with pytest.raises(error) as caught:
        Conv1D(**{"filters": 2, "kernel_size": 3} | options)
    assert message in str(caught.value)
