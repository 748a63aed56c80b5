"""Vectors of tokens against the oracle and Keras; what is no token is refused before kernels run."""

import numpy as np
import pytest
from reference import layers as oracle
from reference.keras_layers_fixture import load_cases

from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, Dense, Embedding, Sequential
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network, in_order

SIZES = [(1, 1, 1, 1), (3, 5, 7, 4), (LANES - 1, 9, 3, 5), (LANES + 1, 4, 40, 9)]  # B, T, tokens, width


def tokens_of(size, seed=0):
    return np.random.default_rng(seed).integers(0, size[2], size[:2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_oracle(size, dtype):
    batch, steps, n_tokens, width = size
    tokens, net = tokens_of(size), Sequential([Embedding(n_tokens, width)]).build((steps, 1), dtype=dtype)
    (table,) = net.get_weights()
    assert table.shape == (n_tokens, width) and 0 < np.abs(table).max() <= 0.05
    y = net.forward(tokens[..., None], training=True)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, oracle.embedding_forward(tokens, table))
    d_y = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
    np.testing.assert_array_equal(net.backward(d_y), np.zeros((batch, steps, 1)))
    tolerance = 1e-5 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(net.grads()[0], oracle.embedding_backward(tokens, table, d_y), rtol=0, atol=tolerance)
    np.testing.assert_array_equal(net(tokens[:1, :, None])[0], y[0])


@pytest.mark.parametrize("case", load_cases("Embedding"), ids=lambda case: case["name"])
def test_keras(case):
    net = Sequential([Embedding(**case["options"])]).build((case["x"].shape[1], 1), dtype=np.float64)
    net.set_weights(case["weights"])
    np.testing.assert_array_equal(net.forward(case["x"][..., None], training=True), case["y"])
    net.backward(case["d_y"])
    np.testing.assert_allclose(net.grads()[0], case["d_weights"][0], rtol=0, atol=1e-12)
    if case["options"].get("mask_zero"):
        np.testing.assert_array_equal(case["output_mask"], case["x"] != 0)


def check_theta(net, tokens, mask=None):
    """The gradient of the weights against central differences: ``check_gradient`` would change the tokens too."""
    theta, x = net.theta.copy(), tokens[..., None]
    d_y = np.random.default_rng(0).standard_normal(net.forward(x, training=True, mask=mask).shape)
    net.backward(d_y)
    gradient, expected = net.gradient.copy(), np.zeros(theta.size)
    for i in range(theta.size):
        sums = []
        for step in (1e-5, -1e-5):
            net.theta = theta + step * (np.arange(theta.size) == i)
            sums.append((net.forward(x, training=True, mask=mask) * d_y).sum())
        expected[i] = (sums[0] - sums[1]) / 2e-5
    net.theta = theta
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-8)
    assert np.abs(expected).max() > 1e-3


@pytest.mark.parametrize("mask_zero", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_of_a_stack(mask_zero, masked):
    layers = [Embedding(6, 3, mask_zero=mask_zero), GRU(4, return_sequences=True), GRU(2), Dense(2)]
    net = Sequential(layers).build((5, 1), random_state=1, dtype=np.float64)
    tokens = tokens_of((4, 5, 6))
    check_theta(net, tokens, mask=np.arange(5) < 4 + np.zeros((4, 1)) if masked else None)


@pytest.mark.parametrize("batch", [1, LANES + 1])
def test_padding_does_not_count(batch):
    """Padded sequences give what short ones give; a mask excludes more."""
    layers = [Embedding(6, 3, mask_zero=True), GRU(4)]
    net = Sequential(layers).build((7, 1), random_state=1)
    short = Sequential(layers).build((4, 1), random_state=1)
    tokens = np.random.default_rng(0).integers(1, 6, (batch, 4, 1))
    padded = np.pad(tokens, [(0, 0), (0, 3), (0, 0)])
    np.testing.assert_array_equal(net(padded), short(tokens))
    mask = np.ones((batch, 7), bool)
    mask[:, 3] = False
    np.testing.assert_array_equal(net(padded, mask), net(np.pad(tokens[:, :3], [(0, 0), (0, 4), (0, 0)])))
    plain = Sequential([Embedding(6, 3), GRU(4)]).build((7, 1), random_state=1)
    assert (plain(padded) != net(padded)).any(axis=1).all()


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    ("wrong", "shown"),
    [(-1, "-1"), (7, "7"), (1.5, "1.5"), (np.nan, "nan"), (np.inf, "inf"), (1 << 60, r"1.15292e\+18")],
)
def test_what_is_no_token(wrong, shown, batch):
    net = Sequential([Embedding(7, 2)]).build((3, 1))
    x = np.zeros((batch, 3, 1))
    x[batch - 1, 2] = wrong
    for training in (False, True):
        with pytest.raises(ValueError, match=f"from 0 to 6; got {shown} in row {batch - 1} at step 2. Give unknown"):
            net.forward(x, training=training)


def test_the_kernels_give_nan_where_nobody_has_checked():
    """No memory is read or written outside of the table."""
    network = Network([Embedding(7, 2)], Shape(3, 1))
    network.pack(network.initial(0))
    space = network.workspace(training=True)
    x = space.x.reshape(3, -1, LANES)
    x[:, 1], x[1, 1, :4], space.d_y[:] = 3, (-1, 7, 1e30, np.nan), 1
    in_order((*space.forward, *space.backward))
    assert np.isnan(space.y.reshape(3, -1, LANES)[1, 1:3, :4]).all()
    assert np.isnan(space.y).sum() == 8
    np.testing.assert_array_equal(space.gradient.reshape(7, 2)[:, 0], [0, 0, 0, 3 * LANES - 4, 0, 0, 0])


def test_large_vocabularies():
    """Tokens next to each other are told apart up to the last one."""
    with pytest.raises(ValueError, match=r"`n_tokens` of Embedding must be an integer from 1 to 16777216"):
        Embedding((1 << 24) + 1, 1)
    net = Sequential([Embedding(1 << 24, 1)]).build((3, 1))
    table, last = net.theta, (1 << 24) - 1
    x = np.array([[last - 1, last, 0]])[..., None]
    np.testing.assert_array_equal(net(x).ravel(), table[x.ravel()])
    np.testing.assert_array_equal(net(np.concatenate([x, x]))[1].ravel(), table[x.ravel()])


def test_where_it_may_stand():
    with pytest.raises(ValueError, match=r"Layer 0, Embedding\(5, 2\), needs one feature, the token; got 3 steps of 2"):
        Sequential([Embedding(5, 2)]).build((3, 2))
    with pytest.raises(ValueError, match=r"Layer 1, Embedding\(5, 2\), must be the first one: it reads tokens"):
        Sequential([Dense(1), Embedding(5, 2)]).build((3, 2))
