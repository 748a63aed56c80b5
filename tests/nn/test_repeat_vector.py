"""One vector at every step."""

import numpy as np
import pytest
from reference import layers as oracle
from reference.keras_layers_fixture import load_cases

from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, Dense, Flatten, RepeatVector, Sequential
from tsrnn.testing import check_gradient, check_layer


@pytest.mark.parametrize("size", [(1, 1, 1), (3, 5, 4), (LANES + 1, 9, 7)], ids=str)
def test_oracle(size):
    batch, n, features = size
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, 1, features)).astype(np.float32)
    net = Sequential([RepeatVector(n)]).build((1, features))
    y = net.forward(x, training=True)
    np.testing.assert_array_equal(y, oracle.repeat_forward(x, n))
    d_y = rng.standard_normal(y.shape).astype(np.float32)
    np.testing.assert_allclose(net.backward(d_y), oracle.repeat_backward(d_y), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(net(x[:1]), y[:1])


@pytest.mark.parametrize("case", load_cases("RepeatVector"), ids=lambda case: case["name"])
def test_keras(case):
    net = Sequential([RepeatVector(**case["options"])]).build(case["x"].shape[1:], dtype=np.float64)
    np.testing.assert_array_equal(net.forward(case["x"], training=True), case["y"])
    np.testing.assert_allclose(net.backward(case["d_y"]), case["d_x"], rtol=1e-14)


def test_conformance():
    assert check_layer(lambda: RepeatVector(3), shapes=[(1, 1), (1, 5)], shape=(1, 3)) < 1e-6


@pytest.mark.parametrize("top", [[Dense(2)], [GRU(2)], [Flatten()]], ids=str)
@pytest.mark.parametrize("batch", [1, 3])
def test_from_one_vector_to_a_sequence(top, batch):
    """The output has a time axis again, whatever came before."""
    net = Sequential([GRU(3), RepeatVector(4), GRU(3, return_sequences=True), *top]).build((5, 2), dtype=np.float64)
    x, mask = np.random.default_rng(0).standard_normal((batch, 5, 2)), np.ones((batch, 5), bool)
    mask[:, 2] = False
    expected = {Dense: (batch, 4, 2), GRU: (batch, 2), Flatten: (batch, 12)}[type(top[0])]
    assert net(x, mask).shape == net.forward(x, training=True).shape == expected
    assert check_gradient(net, x, mask=mask) < 1e-6


def test_several_steps_are_refused():
    with pytest.raises(ValueError) as caught:
        Sequential([GRU(3, return_sequences=True), RepeatVector(4)]).build((5, 2))
    assert str(caught.value) == (
        "Layer 1, RepeatVector(4), needs one step, such as the last state of a recurrent layer; "
        "got 5 steps of 3 features."
    )
    with pytest.raises(ValueError, match="`n` of RepeatVector must be an integer of at least 1; got 0"):
        RepeatVector(0)
