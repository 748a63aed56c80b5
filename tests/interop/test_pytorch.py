"""Weights of PyTorch: outputs and gradients are those that PyTorch gave, both ways, and what is refused."""

import numpy as np
import pytest
from reference import bidirectional
from reference.peers_fixture import load_cases, load_versions

from tsrnn.interop import from_torch, to_torch
from tsrnn.interop.arrays import Weighted
from tsrnn.interop.pytorch_layers import Stacked
from tsrnn.interop.state_dicts import Place, read_layer
from tsrnn.nn import GRU, LSTM, Dense, Dropout, Sequential, SimpleRNN
from tsrnn.nn.params import Parameter

KINDS = {
    "rnn": SimpleRNN,
    "rnn_relu": lambda hidden, **options: SimpleRNN(hidden, activation="relu", **options),
    "lstm": LSTM,
    "gru": GRU,
}
CASES = [case for case in load_cases("pytorch") if not case["bidirectional"]]
BIDIRECTIONAL = [case for case in load_cases("pytorch") if case["bidirectional"]]


def stack(kind, layers, *more, dtype=np.float32, hidden=3):
    recurrent = [KINDS[kind](hidden, return_sequences=True) for _ in range(layers)]
    return Sequential([*recurrent, *more]).build((4, 2), random_state=1, dtype=dtype)


def relative(got, expected):
    return np.abs(np.asarray(got) - expected).max() / max(np.abs(expected).max(), 1e-3)


def random_weights(net, seed=0):
    """Biases of all kinds among them."""
    rng = np.random.default_rng(seed)
    net.set_weights([rng.standard_normal(array.shape) for array in net.get_weights()])
    return net


def test_the_fixture_holds_every_kind():
    assert load_versions()["torch"].startswith("2.")
    assert {(case["kind"], case["layers"]) for case in BIDIRECTIONAL} == {(k, n) for k in KINDS for n in (1, 2)}
    assert len({case["name"] for case in CASES}) == len(CASES) == 8
    assert {(case["kind"], case["initial_state"] is None) for case in CASES} == {(k, s) for k in KINDS for s in (0, 1)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_outputs_and_gradients_are_those_of_pytorch(case):
    net = stack(case["kind"], case["layers"])
    net.set_weights(from_torch(case["state_dict"], net))
    states = case["initial_state"]
    given = None if states is None else [tuple(rows) for rows in zip(*states, strict=True)]
    y = net.forward(case["x"], training=True, initial_state=given)
    assert relative(y, case["y"]) < 1e-5
    assert relative(net.backward(case["d_y"]), case["d_x"]) < 1e-5
    gradients = net.grads()
    net.set_weights(gradients)
    found = to_torch(net)
    assert found.keys() == case["d_state_dict"].keys()
    for name, expected in case["d_state_dict"].items():
        if not name.startswith("bias_hh") or case["kind"] == "gru":  # elsewhere our one bias stands for both of theirs
            assert relative(found[name], expected) < 1e-5


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back_is_exact(kind, layers):
    net = random_weights(stack(kind, layers, Dropout(0.1), Dense(5)))
    names = ["recurrent"] * layers + ["head"]
    state_dict = to_torch(net, names=names)
    for given in (from_torch(state_dict, net), from_torch(state_dict, net, names=names)):
        for found, expected in zip(given, net.get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_layout_by_hand():
    """GRU(1): the gates z, r, h of Keras are 1, 2, 3, and 7, 8, 9 of the recurrent bias."""
    net = Sequential([GRU(1), Dense(2)]).build((3, 2))
    net.set_weights([
        [[1, 2, 3], [10, 20, 30]], [[4, 5, 6]], [[-1, -2, -3], [7, 8, 9]], [[5, 6]], [7, 8],
    ])  # fmt: skip
    found = to_torch(net, names=["rnn", "output.1"])
    expected = {
        "rnn.weight_ih_l0": [[2, 20], [1, 10], [3, 30]],
        "rnn.weight_hh_l0": [[5], [4], [6]],
        "rnn.bias_ih_l0": [-2, -1, -3],
        "rnn.bias_hh_l0": [8, 7, 9],
        "output.1.weight": [[5], [6]],
        "output.1.bias": [7, 8],
    }
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].flags.c_contiguous and found[name].dtype == np.float32


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_two_biases_are_added_on_the_way_in(kind):
    net = random_weights(stack(kind, 1))
    state_dict = to_torch(net)
    assert not state_dict["bias_hh_l0"].any()
    state_dict["bias_hh_l0"] = np.arange(state_dict["bias_ih_l0"].size)
    np.testing.assert_array_equal(
        from_torch(state_dict, net)[2], state_dict["bias_ih_l0"] + np.arange(state_dict["bias_ih_l0"].size)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_modules_without_biases_get_zeros(kind):
    net = random_weights(stack(kind, 2, Dense(2)))
    state_dict = to_torch(net, names=["rnn", "rnn", "bias.head"])
    without = {name: array for name, array in state_dict.items() if ".bias" not in name}
    weights = from_torch(without, net)
    for index, (found, expected) in enumerate(zip(weights, net.get_weights(), strict=True)):
        np.testing.assert_array_equal(found, np.zeros_like(expected) if index in (2, 5, 7) else expected)


class OnADevice:
    """A tensor that must be detached and fetched before NumPy sees it."""

    def __init__(self, array, steps=()):
        self._array, self._steps = array, steps

    def detach(self):
        return OnADevice(self._array, (*self._steps, "detach"))

    def cpu(self):
        assert self._steps == ("detach",)
        return self._array

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


def test_tensors_are_detached_and_fetched():
    net = random_weights(stack("lstm", 1))
    state_dict = {name: OnADevice(array) for name, array in to_torch(net).items()}
    for found, expected in zip(from_torch(state_dict, net), net.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_named_modules_are_read_and_others_left_alone():
    net = random_weights(stack("gru", 2, Dense(2)))
    state_dict = to_torch(net, names=["encoder.gru", "encoder.gru", "head"])
    other = {f"decoder.{name}": np.zeros(1) for name in state_dict} | {"norm.running_mean": np.zeros(3)}
    mixed = dict(reversed((state_dict | other).items()))  # by name, in whatever order
    for found, expected in zip(
        from_torch(mixed, net, names=["encoder.gru", "encoder.gru", "head"]), net.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def state_dict_of(kind="lstm", layers=1, hidden=3, **changes):
    made = to_torch(stack(kind, layers, hidden=hidden)) | changes
    return {name: array for name, array in made.items() if array is not None}


REVERSE = {f"{name}_reverse": array for name, array in state_dict_of().items()}
REFUSED = {
    "a module in place of its state dict": (
        Sequential([LSTM(3)]), "lstm", None, TypeError, "`state_dict` of from_torch must be a mapping of names to"
    ),
    "a missing array": (
        state_dict_of(weight_hh_l0=None), "lstm", None, ValueError,
        r"`state_dict` has no 'weight_hh_l0', which 'lstm_0' \(LSTM\(3, return_sequences=True\)\) needs; it has "
        "'weight_ih_l0', 'bias_ih_l0', 'bias_hh_l0'.",
    ),
    "one bias of two": (
        state_dict_of(bias_hh_l0=None), "lstm", None, ValueError, "`state_dict` has no 'bias_hh_l0'"
    ),
    "another width": (
        state_dict_of(hidden=5), "lstm", None, ValueError,
        r"`state_dict\['weight_ih_l0'\]` must have the shape \(12, 2\) for 'lstm_0' .*; got \(20, 2\)\.",
    ),
    "another cell": (
        state_dict_of("gru"), "lstm", None, ValueError, r"must have the shape \(12, 2\) .*; got \(9, 2\)"
    ),
    "more layers": (
        state_dict_of(layers=2), "lstm", None, ValueError,
        r"must hold as many layers as the network, 1 \(lstm_0\); got 2 \(layer 0 of '', layer 1 of ''\)",
    ),
    "more layers of a named module": (
        state_dict_of(layers=2), "lstm", [""], ValueError, "holds 'weight_ih_l1', .* which no layer of the network"
    ),
    "both directions": (
        state_dict_of(**REVERSE), "lstm", None, ValueError, "holds 'weight_ih_l0_reverse', .* all layers and directions"
    ),
    "something else": (
        state_dict_of(running_mean=np.zeros(3)), "lstm", None, ValueError, "holds 'running_mean', which is no weight"
    ),
    "a projection": (
        state_dict_of(weight_hr_l0=np.zeros((2, 3))), "lstm", None, ValueError,
        "`state_dict` holds 'weight_hr_l0', of an LSTM with `proj_size`",
    ),
    "too many names": (
        state_dict_of(), "lstm", ["a", "b"], ValueError, r"the module of each layer, 1 \(lstm_0\); got \['a', 'b'\]"
    ),
    "an unknown name": (
        state_dict_of(), "lstm", ["lstm"], ValueError, "has no 'lstm.weight_ih_l0'.*; it has 'weight_ih_l0', "
    ),
    "a name in place of a list": (
        state_dict_of(), "lstm", "lstm", TypeError, "`names` of from_torch must be a list"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_state_dicts_that_do_not_fit_are_refused(case):
    state_dict, kind, names, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        from_torch(state_dict, stack(kind, 1), names=names)


OTHERS = {
    "reset_after=False": GRU(3, reset_after=False),
    "go_backwards=True": LSTM(3, go_backwards=True),
    "activation='relu'": LSTM(3, activation="relu"),
    "activation='sigmoid' and go_backwards=True": SimpleRNN(3, activation="sigmoid", go_backwards=True),
    "recurrent_activation='hard_sigmoid'": GRU(3, recurrent_activation="hard_sigmoid"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_pytorch_computes_otherwise_is_refused_both_ways(what):
    net = Sequential([OTHERS[what]]).build((4, 2))
    message = f"cannot be exchanged with PyTorch, which does not compute {what}: the same weights would give other"
    with pytest.raises(ValueError, match=message):
        to_torch(net)
    with pytest.raises(ValueError, match=message):
        from_torch({}, net)


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ([GRU(3), Dense(2)], None),
        ([GRU(3, return_sequences=True), GRU(4)], None),
        ([GRU(3, return_sequences=True), LSTM(3)], ["one", "one"]),
        ([SimpleRNN(3, return_sequences=True), SimpleRNN(3, activation="relu")], ["one", "one"]),
        ([GRU(3, return_sequences=True), Dense(3), GRU(3)], ["one", "two", "one"]),
        ([Dense(3), Dense(3)], ["one", "one"]),
    ],
)
def test_only_equal_recurrent_layers_are_a_stack(layers, names):
    net = Sequential(layers).build((4, 2))
    with pytest.raises(ValueError, match="as well: only recurrent layers of one kind and width that follow one"):
        to_torch(net, names=names)


def test_no_built_network():
    with pytest.raises(TypeError, match="`net` of to_torch must be a network such as Sequential"):
        to_torch(Sequential([GRU(3)]))


@pytest.mark.parametrize(("kind", "order"), [("lstm", None), ("gru", (1, 0, 2))])
def test_both_directions_of_a_layer(kind, order):
    """Arrays alone: forward weights, then backward weights, in each library's order."""
    forward, backward = (random_weights(stack(kind, 1), seed) for seed in (1, 2))
    both = [*forward.get_weights(), *backward.get_weights()]
    counterpart = Stacked(kind, 3, order, two_biases=kind == "gru", suffixes=("", "_reverse"))
    expected = to_torch(forward) | {f"{name}_reverse": array for name, array in to_torch(backward).items()}
    assert counterpart.names(0) == list(expected)
    for found, wanted in zip(counterpart.to_torch(both), expected.values(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    parameters = tuple(Parameter(f"array {i}", array.shape, "zeros") for i, array in enumerate(both))
    layer = Weighted("bidirectional_0", forward.network.layers[0].spec, parameters)
    read = read_layer(expected, Place("", 0), layer, counterpart)
    for found, wanted in zip(counterpart.from_torch(list(read.values())), both, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("case", BIDIRECTIONAL, ids=lambda case: case["name"])
def test_bidirectional_modules_by_the_oracle(case):
    """The oracle on converted arrays gives PyTorch's outputs and gradients."""
    kind = "rnn" if case["kind"] == "rnn_relu" else case["kind"]
    counterpart = Stacked(kind, 3, (1, 0, 2) if kind == "gru" else None, kind == "gru", ("", "_reverse"))
    options = {"activation": "relu" if case["kind"] == "rnn_relu" else "tanh", "return_sequences": True}
    inputs, calls = case["x"], []
    for layer in range(case["layers"]):
        weights = counterpart.from_torch([case["state_dict"][name] for name in counterpart.names(layer)])
        states = case["initial_state"]
        given = None if states is None else [rows[2 * layer + way] for way in (0, 1) for rows in states]
        calls.append(((kind, inputs, weights, "concat"), {"initial_state": given, **options}))
        inputs = bidirectional.forward(*calls[-1][0], **calls[-1][1])
    assert relative(inputs, case["y"]) < 1e-7
    d_y = case["d_y"]
    for layer in reversed(range(case["layers"])):
        arguments, keywords = calls[layer]
        d_y, d_weights, _ = bidirectional.backward(*arguments, d_y, **keywords)
        for name, found in zip(counterpart.names(layer), counterpart.to_torch(d_weights), strict=True):
            if not name.startswith("bias_hh") or kind == "gru":
                assert relative(found, case["d_state_dict"][name]) < 3e-7  # theirs are float32
    assert relative(d_y, case["d_x"]) < 1e-7
