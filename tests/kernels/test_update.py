"""Sums of gradients and parameter updates, element by element."""

import numpy as np
import pytest
from reference import losses
from reference import optimizers as oracle

from tsrnn.kernels import update

SIZE, STEPS, RATE = 37, 50, 0.01


def trajectory(apply, rule, n_moments, **options):
    """(parameters from the kernel, from the oracle) after many steps in float64."""
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(SIZE)
    expected, states = theta.copy(), [np.zeros(SIZE)] * n_moments
    moments = np.zeros((n_moments, SIZE))
    for step in range(1, STEPS + 1):
        gradient = rng.standard_normal(SIZE) * 10.0 ** rng.uniform(-3, 1)
        apply(theta, gradient.copy(), moments, step)
        count = (step,) if n_moments == 2 else ()
        expected, *states = rule(expected, gradient, *states, *count, learning_rate=RATE, **options)
    return theta, expected


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd(momentum, nesterov):
    def apply(theta, gradient, moments, step):
        update.sgd(theta, gradient, moments[0], RATE, momentum, nesterov)

    got, expected = trajectory(apply, oracle.sgd, 1, momentum=momentum, nesterov=nesterov)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


def test_rmsprop():
    def apply(theta, gradient, moments, step):
        update.rmsprop(theta, gradient, moments[0], RATE, 0.8, 1e-6)

    got, expected = trajectory(apply, oracle.rmsprop, 1, rho=0.8, eps=1e-6)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_adam(decay):
    def apply(theta, gradient, moments, step):
        update.adam(theta, gradient, moments[0], moments[1], RATE, 0.8, 0.99, 1e-6, step, decay)

    rates = {"beta_1": 0.8, "beta_2": 0.99, "eps": 1e-6}
    rule, extra = (oracle.adamw, {"weight_decay": decay}) if decay else (oracle.adam, {})
    got, expected = trajectory(apply, rule, 2, **rates, **extra)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


def test_partials_are_added_in_order():
    """In float32 any other order gives other bits: 1e8 swallows the small ones that are added to it."""
    partials = np.array([[1e8], [3.0], [-1e8], [3.0]], np.float32).repeat(5, axis=1)
    partials[:, 1] = [3, 3, 1e8, -1e8]
    total = np.full(5, 7, np.float32)
    for first, last in ((0, 2), (2, 5)):
        update.add_partials(partials.ravel(), 4, first, last, total)
    expected = ((partials[0] + partials[1]) + partials[2]) + partials[3]
    assert expected[0] == 3 and expected[1] == 8  # in float64 both would be 6
    np.testing.assert_array_equal(total, expected)


def test_squared_norm_is_added_up_in_float64():
    gradient = np.full(10_001, 1e-3, np.float32)
    gradient[0] = 1e4
    exact = float((gradient.astype(np.float64) ** 2).sum())
    assert update.squared_norm(gradient) == pytest.approx(exact, rel=1e-12)


def test_scale_and_add_scaled():
    values, other = np.arange(5.0), np.ones(5)
    update.scale(values, 3.0)
    update.add_scaled(values, other, 0.5)
    np.testing.assert_array_equal(values, 3 * np.arange(5.0) + 0.5)


def test_clip():
    values = np.array([-3.0, -0.5, -0.2, 0.0, 0.5, 7.0, np.inf, -np.inf, np.nan])
    update.clip(values, 0.5)
    np.testing.assert_array_equal(values, [-0.5, -0.5, -0.2, 0.0, 0.5, 0.5, 0.5, -0.5, np.nan])


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.2), (0.3, 0.2)])
@pytest.mark.parametrize("size", [1, 3, 4, 37])
def test_penalty(size, l1, l2):
    rng = np.random.default_rng(size)
    parameters, gradient = rng.standard_normal((2, size))
    parameters[-1:] = 0 if size > 1 else -2
    assert update.penalty(parameters, l1, l2) == pytest.approx(losses.penalty(parameters, l1, l2), rel=1e-14)
    expected = gradient + losses.d_penalty(parameters, l1, l2)
    update.d_penalty(parameters, l1, l2, gradient)
    np.testing.assert_allclose(gradient, expected, rtol=1e-14)


def test_penalty_is_added_up_in_float64():
    parameters = np.full(10_001, 1e-3, np.float32)
    parameters[0] = -1e4
    exact = losses.penalty(parameters.astype(np.float64), 0.5, 1e-3)
    assert update.penalty(parameters, 0.5, 1e-3) == pytest.approx(exact, rel=1e-12)
