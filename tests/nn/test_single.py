"""A batch of one goes through kernels of its own: the same bits as in a tile, for every layer."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from cell_kinds import ACTIVATION_PAIRS, KINDS, options_of
from reference import recurrent as oracle
from reference.cells import random_states

from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.simd import LANES, absolute, sigmoid, tanh
from tsrnn.nn import GRU, LSTM, Dense, Dropout, Flatten, Sequential, SimpleRNN
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent

OPTIONS = {
    "last": {},
    "sequences": {"return_sequences": True},
    "backwards": {"go_backwards": True},
    "backwards, sequences": {"go_backwards": True, "return_sequences": True},
    "dropouts": {"dropout": 0.3, "recurrent_dropout": 0.4},
}
STEPS, FEATURES = 7, 3


class OwnCell(Cell):
    """Own rows and two carried ones, and a quotient that is 0 / 0 where weights are zero."""

    __slots__ = ()
    GATES = "a b"
    CARRIED = "m k"
    OWN = "p q"

    def forward(self, gates, state):
        a, b, p, q = gates
        h, m, k = state
        m = sigmoid(a + p * m) * m + tanh(b) * (1 - q)
        k = k * q + b / absolute(b)
        return (tanh(m + p * h) + k, m, k), (a, b)


@dataclass(frozen=True)
class Own(Recurrent):
    cell = OwnCell


def build(*layers, shape=(STEPS, FEATURES), dtype=np.float32):
    net = Sequential(layers).build(shape, random_state=1, dtype=dtype)
    net.theta = net.theta + 0.1 * np.random.default_rng(0).standard_normal(net.theta.size)
    return net


def inputs(batch, shape=(STEPS, FEATURES), dtype=np.float32):
    return np.random.default_rng(1).standard_normal((batch, *shape)).astype(dtype)


def check_bits(net, *, mask=None, states=None):
    """Each window of a batch alone, against the batch, which goes through tiles."""
    x = inputs(4, tuple(net.network.input), net.theta.dtype)
    together = net(x, mask, states)
    assert np.isfinite(together).all()
    for i in range(4):
        one = slice(i, i + 1)
        own_states = states and [s and tuple(row[one] for row in s) for s in states]
        alone = net(x[one], None if mask is None else mask[one], own_states)
        assert alone.dtype == together.dtype and alone.shape == together[one].shape
        np.testing.assert_array_equal(alone, together[one])


@pytest.mark.parametrize(
    ("hidden", "dtype"), [*((hidden, np.float32) for hidden in (1, 5, LANES, LANES + 1, 70)), (LANES + 1, np.float64)]
)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_as_in_a_tile(kind, option, hidden, dtype):
    check_bits(build(KINDS[kind](hidden, **OPTIONS[option]), dtype=dtype))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_with_masks_and_states(kind, backwards):
    """The mask goes on to a second layer, turned where the first one goes backwards."""
    first = KINDS[kind](33, return_sequences=True, go_backwards=backwards)
    net = build(first, Dropout(0.5), Dense(4), KINDS[kind](5, return_sequences=True))
    rng = np.random.default_rng(3)
    mask = rng.random((4, STEPS)) < 0.6
    mask[2] = False
    states = [random_states(kind, rng, 4, 33), None, None, None]
    check_bits(net, mask=mask, states=states)
    check_bits(net, states=states)
    check_bits(net)  # neither is left behind


@pytest.mark.parametrize("hidden", [3, LANES + 7])
def test_same_bits_for_a_cell_of_ones_own(hidden):
    check_bits(build(Own(hidden, return_sequences=True), Own(5)))


@pytest.mark.parametrize(("kind", "pair"), ACTIVATION_PAIRS)
def test_same_bits_with_other_activations(kind, pair):
    check_bits(build(KINDS[kind](6, **options_of(kind, pair)), shape=(2, FEATURES)))  # some explode


@pytest.mark.parametrize(
    "layers",
    [
        *([Dense(outputs, activation=name)] for name in ACTIVATIONS for outputs in (1, LANES + 5)),
        [Flatten(), Dense(3)],
        [Dropout(0.5)],
        [GRU(5, return_sequences=True), Flatten(), Dense(40, activation="tanh"), Dense(2)],
        [GRU(LANES, return_sequences=True), Flatten()],
        [Flatten(), GRU(3)],
        [Dense(7), LSTM(5, return_sequences=True), SimpleRNN(6, go_backwards=True), Dense(2)],
    ],
    ids=lambda layers: ", ".join(map(str, layers)),
)
@pytest.mark.parametrize("shape", [(STEPS, FEATURES), (1, 1), (3, LANES)], ids=str)
def test_same_bits_for_other_layers_and_stacks(layers, shape):
    check_bits(build(*layers, shape=shape))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_oracle(kind, backwards, dtype):
    net = build(KINDS[kind](35, go_backwards=backwards, return_sequences=True), dtype=dtype)
    rng = np.random.default_rng(5)
    x, mask = inputs(1, dtype=dtype), rng.random((1, STEPS)) < 0.6
    states = random_states(kind, rng, 1, 35)
    known = {"mask": mask, "initial_state": states, "go_backwards": backwards, "return_sequences": True}
    expected, _ = oracle.forward(kind, x, net.get_weights(), **known)
    tolerance = 2e-6 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(net(x, mask, [states]), expected, rtol=0, atol=tolerance)


def test_changed_weights_are_seen():
    net, x = build(GRU(5), Dense(2)), inputs(2)
    for change in (
        lambda: setattr(net, "theta", 0.5 * net.theta),
        lambda: net.set_weights([weight + 0.1 for weight in net.get_weights()]),
    ):
        before = net(x[:1])
        change()
        assert not np.array_equal(net(x[:1]), before)
        np.testing.assert_array_equal(net(x[:1]), net(x)[:1])


def test_unchanged_weights_are_not_packed_again(monkeypatch):
    net, x = build(GRU(5), Dense(2)), inputs(1)
    first = net(x)
    for bound in net._one.idle[0].bound:
        monkeypatch.setattr(bound, "pack", lambda: pytest.fail("packed again"))
    np.testing.assert_array_equal(net(x), first)


def test_parameters_cannot_be_written_into_unseen():
    net = build(Dense(2))
    before = net.get_weights()
    with pytest.raises(ValueError, match="read-only"):
        net.theta[:] = 0
    with pytest.raises(ValueError, match="read-only"):
        net.theta += 1
    with pytest.raises(ValueError, match=r"`theta` must have the shape \(8,\); got \(7,\)."):
        net.theta = np.zeros(7)
    for array, kept in zip(net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_inputs_are_read_in_any_layout_and_outputs_are_copies():
    net, x = build(GRU(5)), inputs(1)
    y = net(x)
    kept = y.copy()
    for other in (np.asfortranarray(x), x.astype(np.float64), np.repeat(x, 2, axis=2)[:, :, ::2], x.tolist()):
        np.testing.assert_array_equal(net(other), kept)
    net(2 * x)
    np.testing.assert_array_equal(y, kept)
    whole = x.astype(np.int64)
    np.testing.assert_array_equal(net(whole), net(whole.astype(np.float32)))


def test_threads_that_share_a_network_do_not_meet():
    net, x = build(GRU(40, return_sequences=True), LSTM(9)), inputs(64)
    expected = net(x)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: net(x[i % 64][None])[0], range(2000)))
    np.testing.assert_array_equal(found, np.tile(expected, (32, 1))[:2000])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "pickle"])
def test_a_copy_is_a_network_of_its_own(copied):
    net, x = build(GRU(5, stateful=True), Dense(2)), inputs(1)
    first = net(x)
    other = copied(net)
    second = net(x)
    assert not np.array_equal(second, first)
    np.testing.assert_array_equal(other(x), second)  # the states are copied with it
    other.reset_states()
    np.testing.assert_array_equal(other(x), first)
    other.theta = np.zeros_like(other.theta)
    net.reset_states()
    np.testing.assert_array_equal(net(x), first)
    assert not other(x).any()
