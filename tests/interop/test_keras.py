"""Weights of Keras: outputs and gradients are those that Keras gave, for masks, initial states and stateful layers."""

import numpy as np
import pytest
from reference.peers_fixture import load_cases, load_versions

from tsrnn.interop import from_keras, to_keras
from tsrnn.nn import GRU, LSTM, Dense, Dropout, Sequential, SimpleRNN

KINDS = {
    "rnn": SimpleRNN,
    "lstm": LSTM,
    "gru": GRU,
    "gru_before": lambda hidden, **options: GRU(hidden, reset_after=False, **options),
}
STATEFUL, MASKS = load_cases("keras-stateful"), load_cases("keras-masks")


def built(case, **more):
    hidden, features = case["weights"][1].shape[0], case["weights"][0].shape[0]
    net = Sequential([KINDS[case["kind"]](hidden, **case["options"], **more)]).build((4, features), random_state=1)
    net.set_weights(from_keras(case["weights"], net))
    return net


def relative(got, expected):
    return np.abs(np.asarray(got) - expected).max() / max(np.abs(expected).max(), 1e-3)


def test_the_fixture_holds_every_kind():
    assert load_versions()["keras"].startswith("3.")
    for cases, count in ((STATEFUL, 24), (MASKS, 24)):
        assert len({case["name"] for case in cases}) == len(cases) == count
        assert {case["kind"] for case in cases} == set(KINDS)
        assert {case["options"]["return_sequences"] for case in cases} == {False, True}
    of_batches = [[batch["mask"] is not None for batch in case["batches"]] for case in STATEFUL]
    assert [False, False] in of_batches and [True, True] in of_batches
    assert any(not case["mask"].any(axis=1).all() for case in MASKS)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("case", STATEFUL, ids=lambda case: case["name"])
def test_stateful_layers(case, training):
    """Two batches in a row, the first from initial states where they are given; and again from the start."""
    net = built(case, stateful=True)
    for _ in range(2):
        for number, batch in enumerate(case["batches"]):
            given = [tuple(case["initial_state"])] if case["initial_state"] and not number else None
            y = net.forward(batch["x"], training=training, mask=batch["mask"], initial_state=given)
            assert relative(y, batch["y"]) < 1e-5
        net.reset_states()


@pytest.mark.parametrize("case", STATEFUL, ids=lambda case: case["name"])
def test_one_sequence_at_a_time(case):
    """Batches of one have kernels of their own."""
    for row in range(len(case["batches"][0]["x"])):
        net = built(case, stateful=True)
        for number, batch in enumerate(case["batches"]):
            states = case["initial_state"] if not number else None
            given = states and [tuple(state[row : row + 1] for state in states)]
            mask = None if batch["mask"] is None else batch["mask"][row : row + 1]
            y = net(batch["x"][row : row + 1], mask, given)
            assert relative(y, batch["y"][row : row + 1]) < 1e-5


@pytest.mark.parametrize("case", MASKS, ids=lambda case: case["name"])
def test_masks(case):
    net = built(case)
    assert relative(net.forward(case["x"], training=True, mask=case["mask"]), case["y"]) < 1e-5
    assert relative(net.backward(case["d_y"]), case["d_x"]) < 1e-5
    for got, expected in zip(net.grads(), case["d_weights"], strict=True):
        assert relative(got, expected) < 1e-5


def network(*more):
    net = Sequential([GRU(3, return_sequences=True), Dropout(0.1), LSTM(2), Dense(4), *more]).build((5, 2))
    net.set_weights([np.random.default_rng(0).standard_normal(array.shape) for array in net.get_weights()])
    return net


def by_layer(weights):
    """As ``[layer.get_weights() for layer in model.layers]`` with a layer of Dropout."""
    return [weights[:3], [], weights[3:6], weights[6:]]


def test_there_and_back_is_exact():
    net = network()
    weights = to_keras(net)
    for given in (weights, tuple(weights), by_layer(weights)):
        for found, expected in zip(from_keras(given, net), net.get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_what_is_given_away_is_a_copy():
    net = network()
    before = net.get_weights()
    for array in to_keras(net):
        array[...] = 0
    for found, expected in zip(net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_layers_without_biases_get_zeros():
    net = network()
    weights = to_keras(net)
    found = from_keras([weights[:2], [], weights[3:6], weights[6:7]], net)
    for index, (got, expected) in enumerate(zip(found, weights, strict=True)):
        np.testing.assert_array_equal(got, np.zeros_like(expected) if index in (2, 7) else expected)


WEIGHTS = to_keras(network())
REFUSED = {
    "an array too few": (
        WEIGHTS[:-1],
        r"`weights` must hold 8 arrays \(gru_0.kernel, .*, dense_3.bias\); got 7. If the model has layers without a",
    ),
    "another shape": (
        [*WEIGHTS[:3], WEIGHTS[3].T, *WEIGHTS[4:]],
        r"`weights\[3\]` \(kernel\) must have the shape \(3, 8\) for 'lstm_2' \(LSTM\(2\)\); got \(8, 3\)",
    ),
    "a layer too few": (
        by_layer(WEIGHTS)[:3], r"must hold 3 layers with weights \(gru_0, lstm_2, dense_3\); got 2"
    ),
    "an array too few in a layer": (
        [WEIGHTS[:1], WEIGHTS[3:6], WEIGHTS[6:]],
        r"must hold 3 arrays \(kernel, recurrent_kernel, bias\), or 2 without biases, for 'gru_0' .*; got 1",
    ),
    "another shape in a layer": (
        [[WEIGHTS[0], WEIGHTS[1], WEIGHTS[2][0]], WEIGHTS[3:6], WEIGHTS[6:]],
        r"`weights`: bias must have the shape \(2, 9\) for 'gru_0' .*; got \(9,\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_weights_that_do_not_fit_are_refused(case):
    weights, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        from_keras(weights, network())


def test_no_built_network():
    with pytest.raises(TypeError, match="`net` of from_keras must be a network such as Sequential"):
        from_keras([], Sequential([GRU(3)]))
