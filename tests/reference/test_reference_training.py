"""The small oracles: gradients against central differences, steps and vectors against numbers worked out elsewhere."""

import math

import numpy as np
import pytest

from reference import initializers, layers, losses, optimizers, schedules
from reference.activations import KINKS
from reference.differences import numerical_gradient, worst_error
from reference.philox import philox4x32


@pytest.mark.parametrize("activation", KINKS)
@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3)])
def test_dense_gradients(shape, activation):
    rng = np.random.default_rng(0)
    x, kernel, bias = rng.normal(size=shape), rng.normal(size=(3, 2)), rng.normal(size=2)
    d_y = rng.normal(size=(*shape[:-1], 2))

    def loss():
        return np.sum(layers.dense_forward(x, kernel, bias, activation) * d_y)

    found = layers.dense_backward(x, kernel, bias, d_y, activation)
    for gradient, array in zip(found, (x, kernel, bias), strict=True):
        assert worst_error(gradient, numerical_gradient(loss, array)) < 1e-8


def test_flatten_keeps_time_outermost_and_its_gradient_goes_back():
    x = np.arange(24.0).reshape(2, 3, 4)
    y = layers.flatten_forward(x)
    assert y.shape == (2, 12)
    assert y[1, 2 * 4 + 3] == x[1, 2, 3]
    np.testing.assert_array_equal(layers.flatten_backward(x, y), x)


def test_dropout_multiplies_both_ways():
    mask = np.array([[0.0, 2.0]])
    np.testing.assert_array_equal(layers.dropout_forward(np.array([[3.0, 5.0]]), mask), [[0.0, 10.0]])
    np.testing.assert_array_equal(layers.dropout_backward(mask, np.array([[7.0, 11.0]])), [[0.0, 22.0]])


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        (losses.mse, losses.d_mse),
        (losses.mae, losses.d_mae),
        (losses.huber, losses.d_huber),
        (lambda y, p: losses.huber(y, p, 0.3), lambda y, p: losses.d_huber(y, p, 0.3)),
    ],
)
def test_loss_gradients(loss, gradient):
    rng = np.random.default_rng(1)
    target, prediction = rng.normal(size=(2, 5, 3, 2))
    expected = numerical_gradient(lambda: loss(target, prediction), prediction)
    assert worst_error(gradient(target, prediction), expected) < 1e-8


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.2), (0.3, 0.2)])
def test_penalty_gradients(l1, l2):
    weights = np.random.default_rng(1).normal(size=(4, 3))
    expected = numerical_gradient(lambda: losses.penalty(weights, l1, l2), weights)
    assert worst_error(losses.d_penalty(weights, l1, l2), expected) < 1e-8


def test_penalties_by_hand():
    assert losses.penalty([[1.0, -2.0], [0.0, 3.0]], l1=0.5) == 3.0
    assert losses.penalty([[1.0, -2.0], [0.0, 3.0]], l2=0.5) == 7.0
    np.testing.assert_array_equal(losses.d_penalty([1.0, -2.0, 0.0], l1=0.5, l2=0.25), [1.0, -1.5, 0.0])


def test_losses_by_hand():
    target, prediction = np.array([1.0, 2.0, -1.0, 0.0]), np.array([1.5, 2.0, 3.0, -1.0])  # errors 0.5, 0, 4, -1
    assert losses.mse(target, prediction) == (0.25 + 0 + 16 + 1) / 4
    assert losses.mae(target, prediction) == (0.5 + 0 + 4 + 1) / 4
    assert losses.huber(target, prediction) == (0.125 + 0 + 3.5 + 0.5) / 4
    assert losses.huber(target, prediction, delta=2.0) == (0.125 + 0 + 2 * (4 - 1) + 0.5) / 4
    np.testing.assert_array_equal(losses.d_mae(target, prediction), [0.25, 0.0, 0.25, -0.25])


# The parameter after each of three steps from 1, with these gradients and a learning rate of 0.1, as PyTorch 2.13 gives
# it in float64 (RMSprop with alpha=0.9 and eps=1e-7, the others with their defaults).
GRADIENTS = (0.5, -0.25, 2.0)
TRAJECTORIES = {
    "sgd": (optimizers.sgd, {}, [0.95, 0.975, 0.775]),
    "momentum": (optimizers.sgd, {"momentum": 0.9}, [0.95, 0.93, 0.712]),
    "nesterov": (optimizers.sgd, {"momentum": 0.9, "nesterov": True}, [0.905, 0.912, 0.5158]),
    "rmsprop": (optimizers.rmsprop, {}, [0.6837724339830356, 0.8312143031814623, 0.5247436769064178]),
    "adam": (optimizers.adam, {}, [0.900000002, 0.8733662987078463, 0.8063015345291531]),
    "adamw": (optimizers.adamw, {"weight_decay": 0.3}, [0.870000002, 0.8172662986478463, 0.7256835455097177]),
}


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_optimizer_trajectories(name):
    rule, options, expected = TRAJECTORIES[name]
    n_moments = 2 if rule in (optimizers.adam, optimizers.adamw) else 1
    p, state, found = 1.0, (0.0,) * n_moments, []
    for t, g in enumerate(GRADIENTS, start=1):
        count = (t,) if n_moments == 2 else ()
        p, *state = rule(p, g, *state, *count, learning_rate=0.1, **options)
        found.append(p)
    assert found == pytest.approx(expected, rel=1e-13)


def test_l2_adds_to_the_gradient():
    p, found = 1.0, []
    for g in GRADIENTS:
        p, _ = optimizers.sgd(p, optimizers.with_l2(p, g, 0.3), 0.0, learning_rate=0.1)
        found.append(p)
    assert found == pytest.approx([0.92, 0.9174, 0.689878], rel=1e-13)


def test_clip_by_global_norm():
    clipped = optimizers.clip_by_global_norm([np.array([3.0]), np.array([[0.0, 4.0]])], 1.0)
    np.testing.assert_allclose(clipped[0], [0.6], rtol=1e-15)
    np.testing.assert_allclose(clipped[1], [[0.0, 0.8]], rtol=1e-15)
    for max_norm, g in ((5.0, [3.0, 4.0]), (1.0, [0.0, 0.0])):
        np.testing.assert_array_equal(optimizers.clip_by_global_norm([np.array(g)], max_norm), [g])


def test_schedules():
    assert [schedules.constant(0.5, t) for t in (0, 7)] == [0.5, 0.5]
    assert [schedules.step(0.8, t, every=2, factor=0.5) for t in range(5)] == [0.8, 0.8, 0.4, 0.4, 0.2]
    found = [schedules.cosine(1.0, t, total=4, minimum=0.2) for t in range(6)]
    root = math.sqrt(0.5)
    assert found == pytest.approx([1.0, 0.2 + 0.4 * (1 + root), 0.6, 0.2 + 0.4 * (1 - root), 0.2, 0.2], abs=1e-15)


def test_initializers():
    assert initializers.glorot_uniform_limit(2, 4) == 1.0
    root = math.sqrt(0.5)
    assert initializers.orthogonality_error([[root, root, 0.0], [root, -root, 0.0]]) < 1e-15
    assert initializers.orthogonality_error([[1.0], [0.0]]) == 0.0
    assert initializers.orthogonality_error([[1.0, 0.0], [0.5, 1.0]]) == 0.5
    np.testing.assert_array_equal(initializers.lstm_bias(2), [0, 0, 1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_known_answers(counter, key, expected):
    """The vectors of Random123's ``kat_vectors``."""
    assert philox4x32(counter, key) == expected
