"""Dropout between layers: what it drops, and that the gradient takes the same way."""

import numpy as np
import pytest
from reference import layers as oracle

from tsrnn.kernels.simd import LANES
from tsrnn.nn import Dropout, Sequential, SimpleRNN
from tsrnn.testing import check_layer

SHAPE = (4, 3)


def build(rate, seed=0):
    return Sequential([Dropout(rate)]).build(SHAPE, random_state=seed)


def drawn(net, batch=2 * LANES + 3):
    """The mask of a training pass: what becomes of ones."""
    return net.forward(np.ones((batch, *SHAPE)), training=True)


def test_oracle():
    rng = np.random.default_rng(0)
    x, d_y = rng.standard_normal((2, LANES + 5, *SHAPE)).astype(np.float32)
    mask = drawn(build(0.3), len(x))
    net = build(0.3)
    np.testing.assert_allclose(net.forward(x, training=True), oracle.dropout_forward(x, mask), rtol=1e-6)
    np.testing.assert_allclose(net.backward(d_y), oracle.dropout_backward(mask, d_y), rtol=1e-6)


def test_rate_and_scaling():
    mask = drawn(build(0.3), 5000)
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((mask == 0).mean() - 0.3) < 0.01
    assert (mask != mask[:1]).any(axis=(1, 2))[1:].mean() > 0.9  # windows have masks of their own
    assert (mask[:, 1:] != mask[:, :1]).any(axis=(0, 2)).all()  # and so have their steps


def test_prediction_drops_nothing():
    x = np.random.default_rng(0).standard_normal((3, *SHAPE)).astype(np.float32)
    np.testing.assert_array_equal(build(0.9)(x), x)
    np.testing.assert_array_equal(build(0.0).forward(x, training=True), x)


def test_every_step_and_seed_draws_anew():
    net = build(0.5)
    first, second = drawn(net), drawn(net)
    assert (first != second).any()
    np.testing.assert_array_equal(drawn(build(0.5)), first)
    assert (drawn(build(0.5, seed=1)) != first).any()


def test_two_layers_draw_apart():
    twice = Sequential([Dropout(0.5), Dropout(0.5)]).build(SHAPE)
    assert set(np.unique(drawn(twice))) == {0.0, 4.0}
    assert abs((drawn(twice, 5000) > 0).mean() - 0.25) < 0.01  # 0.5 if both had the same mask


def test_input_and_state_of_a_recurrent_layer_are_dropped_apart():
    net = Sequential([SimpleRNN(50, dropout=0.5, recurrent_dropout=0.5)]).build((2, 50))
    net.forward(np.ones((LANES, 2, 50)), training=True)
    given, state = (dropped.mask[: 50 * LANES] for dropped in net._taped.tiles[0].bound[0].dropped)
    assert abs((given == state).mean() - 0.5) < 0.1


def test_conformance():
    assert check_layer(lambda: Dropout(0.3)) < 1e-6


@pytest.mark.parametrize("rate", [1.0, -0.1, float("nan")])
def test_bad_rate(rate):
    with pytest.raises(ValueError, match="`rate` of Dropout must be"):
        Dropout(rate)
