"""Bidirectional layers against what Keras and PyTorch gave, with weights through ``tsrnn.interop``."""

import numpy as np
import pytest
from reference.peers_fixture import load_cases

from tsrnn.interop import from_keras, from_torch, to_keras, to_torch
from tsrnn.nn import GRU, LSTM, Bidirectional, Dense, Sequential, SimpleRNN

KINDS = {
    "rnn": SimpleRNN,
    "rnn_relu": lambda hidden, **options: SimpleRNN(hidden, activation="relu", **options),
    "lstm": LSTM,
    "gru": GRU,
    "gru_before": lambda hidden, **options: GRU(hidden, reset_after=False, **options),
}
KERAS = load_cases("keras-bidirectional")
PYTORCH = [case for case in load_cases("pytorch") if case["bidirectional"]]


def relative(got, expected):
    return np.abs(np.asarray(got) - expected).max() / max(np.abs(expected).max(), 1e-3)


def of_keras(case):
    layer = Bidirectional(KINDS[case["kind"]](3, **case["options"]), merge_mode=case["merge_mode"])
    net = Sequential([layer]).build((4, 2), random_state=1)
    net.set_weights(from_keras(case["weights"], net))
    return net, None if case["initial_state"] is None else [tuple(case["initial_state"])]


@pytest.mark.parametrize("case", KERAS, ids=lambda case: case["name"])
def test_keras(case):
    net, states = of_keras(case)
    y = net.forward(case["x"], training=True, mask=case["mask"], initial_state=states)
    assert relative(y, case["y"]) < 1e-5
    assert relative(net.backward(case["d_y"]), case["d_x"]) < 1e-5
    for got, expected in zip(net.grads(), case["d_weights"], strict=True):
        assert relative(got, expected) < 1e-5
    for got, expected in zip(to_keras(net), case["weights"], strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("case", KERAS, ids=lambda case: case["name"])
def test_one_sequence_at_a_time(case):
    """Batches of one have kernels of their own."""
    net, states = of_keras(case)
    for row in range(len(case["x"])):
        given = states and [tuple(state[row : row + 1] for state in states[0])]
        mask = None if case["mask"] is None else case["mask"][row : row + 1]
        assert relative(net(case["x"][row : row + 1], mask, given), case["y"][row : row + 1]) < 1e-5


def stack(kind, layers, *more):
    both = [Bidirectional(KINDS[kind](3, return_sequences=True), merge_mode="concat") for _ in range(layers)]
    return Sequential([*both, *more]).build((4, 2), random_state=1)


@pytest.mark.parametrize("case", PYTORCH, ids=lambda case: case["name"])
def test_pytorch(case):
    net, states = stack(case["kind"], case["layers"]), case["initial_state"]
    net.set_weights(from_torch(case["state_dict"], net))
    given = None
    if states is not None:  # PyTorch has the directions of a layer one after the other, and h apart from c
        given = [tuple(rows[2 * i + way] for way in (0, 1) for rows in states) for i in range(case["layers"])]
    y = net.forward(case["x"], training=True, initial_state=given)
    assert relative(y, case["y"]) < 1e-5
    assert relative(net.backward(case["d_y"]), case["d_x"]) < 1e-5
    net.set_weights(net.grads())
    found = to_torch(net)
    assert found.keys() == case["d_state_dict"].keys()
    for name, expected in case["d_state_dict"].items():
        if not name.startswith("bias_hh") or case["kind"] == "gru":  # elsewhere our one bias stands for both of theirs
            assert relative(found[name], expected) < 1e-5


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_there_and_back_is_exact(kind):
    net, rng = stack(kind, 2, Dense(2)), np.random.default_rng(0)
    net.set_weights([rng.standard_normal(array.shape) for array in net.get_weights()])
    for found, expected in zip(
        from_torch(to_torch(net, names=["rnn", "rnn", "head"]), net), net.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("merge_mode", ["sum", "mul", "ave"])
def test_merges_that_pytorch_does_not_have_are_refused(merge_mode):
    net = Sequential([Bidirectional(GRU(3), merge_mode=merge_mode)]).build((4, 2))
    with pytest.raises(ValueError, match=f"PyTorch, which does not compute merge_mode='{merge_mode}'"):
        to_torch(net)


def test_what_pytorch_computes_otherwise_inside_is_refused():
    net = Sequential([Bidirectional(GRU(3, reset_after=False))]).build((4, 2))
    with pytest.raises(ValueError, match="which does not compute reset_after=False"):
        to_torch(net)


@pytest.mark.parametrize("both", [False, True])
def test_directions_that_are_missing_or_left_over_are_refused(both):
    one, two = Sequential([GRU(3)]).build((4, 2)), Sequential([Bidirectional(GRU(3))]).build((4, 2))
    if both:
        with pytest.raises(ValueError, match="`state_dict` has no 'weight_ih_l0_reverse'"):
            from_torch(to_torch(one), two)
    else:
        with pytest.raises(ValueError, match="holds 'weight_ih_l0_reverse', .* all layers and directions"):
            from_torch(to_torch(two), one)
