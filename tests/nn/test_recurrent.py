"""The recurrent kernels against the NumPy oracles, Keras and central differences."""

import numpy as np
import pytest
from cell_kinds import ACTIVATION_PAIRS, COMPILED_WITH_OTHERS, KINDS, OTHER_PAIR, options_of
from reference import keras_fixture
from reference import recurrent as oracle
from reference.cells import random_states

from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, LSTM, SLSTM, Dense, Jordan, MinimalGRU, PeepholeLSTM, Sequential, SimpleRNN
from tsrnn.nn.recurrent import spread_step
from tsrnn.testing import check_gradient, check_layer

OPTIONS = {
    "plain": {},
    "sequences": {"return_sequences": True},
    "backwards": {"go_backwards": True},
    "backwards, sequences": {"go_backwards": True, "return_sequences": True},
    "dropout": {"dropout": 0.3, "return_sequences": True},
    "recurrent dropout": {"recurrent_dropout": 0.4},
    "both dropouts, backwards": {"dropout": 0.2, "recurrent_dropout": 0.5, "go_backwards": True},
}
SIZES = [(50, 7, 3, 19), (64, 20, 14, 32), (33, 18, 1, 5), (1, 1, 2, 1), (3, 2, 5, 2)]  # B, T, F, H


def problem(kind, size, dtype, **options):
    """A network of one layer with random weights, inputs, and the gradient of its outputs."""
    batch, steps, features, hidden = size
    net = Sequential([KINDS[kind](hidden, **options)]).build((steps, features), random_state=3, dtype=dtype)
    rng = np.random.default_rng(1)
    net.theta = rng.standard_normal(net.theta.size) * min(0.3, hidden**-0.5)  # chaos would amplify rounding
    x = rng.standard_normal((batch, steps, features)).astype(dtype)
    shape = (batch, steps, hidden) if options.get("return_sequences") else (batch, hidden)
    return net, x, rng.standard_normal(shape).astype(dtype)


def masks_drawn(net, batch):
    """The dropout masks of the last training pass, (B, F) and (B, H), as the oracle takes them."""
    masks = {}
    for i, dropped in enumerate(net._taped.tiles[0].bound[0].dropped):
        parts = [space.bound[0].dropped[i].mask.reshape(-1, LANES)[: dropped.count].T for space in net._taped.tiles]
        masks[f"{dropped.what}_mask"] = np.concatenate(parts)[:batch]
    return masks


def relative(got, expected):
    return np.abs(np.asarray(got) - expected).max() / max(np.abs(expected).max(), 1e-3)


def oracle_options(kind, options):
    kept = {name: options[name] for name in ("go_backwards", "return_sequences", "activation") if name in options}
    if "recurrent_activation" in options and kind != "rnn":
        kept["recurrent_activation"] = options["recurrent_activation"]
    return kept


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_oracle(kind, size, option, dtype):
    check_oracle(kind, size, dtype, OPTIONS[option])


@pytest.mark.parametrize(("kind", "pair"), ACTIVATION_PAIRS)
def test_oracle_with_other_activations(kind, pair):
    check_oracle(kind, (33, 5, 3, 6), np.float32, options_of(kind, pair))


def check_oracle(kind, size, dtype, options):
    net, x, d_y = problem(kind, size, dtype, **options)
    y = net.forward(x, training=True)
    known = oracle_options(kind, options) | masks_drawn(net, len(x))
    expected, _ = oracle.forward(kind, x, net.get_weights(), **known)
    d_x = net.backward(d_y)
    gradients = oracle.backward(kind, x, net.get_weights(), d_y, **known)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert relative(y, expected) < tolerance
    assert relative(d_x, gradients.x) < tolerance
    for got, wanted in zip(net.grads(), gradients.weights, strict=True):
        assert relative(got, wanted) < tolerance


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_mask_and_initial_state(kind, backwards):
    size = (37, 6, 3, 5)
    net, x, d_y = problem(kind, size, np.float64, go_backwards=backwards, return_sequences=True)
    rng = np.random.default_rng(5)
    mask = rng.random(x.shape[:2]) < 0.6
    states = random_states(kind, rng, size[0], size[3])
    y = net.forward(x, training=True, mask=mask, initial_state=[states])
    known = {"mask": mask, "initial_state": states, "go_backwards": backwards, "return_sequences": True}
    expected, _ = oracle.forward(kind, x, net.get_weights(), **known)
    d_x = net.backward(d_y)
    gradients = oracle.backward(kind, x, net.get_weights(), d_y, **known)
    assert relative(y, expected) < 1e-12
    assert relative(d_x, gradients.x) < 1e-12
    for got, wanted in zip(net.grads(), gradients.weights, strict=True):
        assert relative(got, wanted) < 1e-12
    for got, wanted in zip(net.d_initial_state[0], gradients.initial_state, strict=True):
        assert relative(got, wanted) < 1e-12


# Without the cases of dropout, whose masks were given to Keras: the oracle is held against those, and the kernels,
# which draw their own, against the oracle.
KERAS_CASES = [case for case in keras_fixture.load_cases() if case["input_mask"] is None and case["state_mask"] is None]


def quick(case):
    """Whether its machine code is made for other tests as well."""
    other = options_of(case["kind"], OTHER_PAIR)
    compiled = case["kind"] in COMPILED_WITH_OTHERS and case["options"].items() >= other.items()
    return compiled or "activation" not in case["options"]


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case["name"], marks=() if quick(case) else pytest.mark.slow) for case in KERAS_CASES],
)
def test_keras(case):
    """Equal outputs and gradients with weights given in Keras' order and shapes."""
    hidden = case["weights"][1].shape[0]
    net = Sequential([KINDS[case["kind"]](hidden, **case["options"])]).build(case["x"].shape[1:])
    net.set_weights(case["weights"])
    states = case["initial_state"]
    given = None if states is None else [tuple(states)]
    y = net.forward(case["x"], training=True, mask=case["mask"], initial_state=given)
    assert relative(y, case["y"]) < 1e-5
    assert relative(net.backward(case["d_y"]), case["d_x"]) < 1e-5
    for got, wanted in zip(net.grads(), case["d_weights"], strict=True):
        assert relative(got, wanted) < 1e-5
    if states is not None:
        for got, wanted in zip(net.d_initial_state[0], case["d_initial_state"], strict=True):
            assert relative(got, wanted) < 1e-5


GRADIENT_CASES = {
    "dropouts": {"dropout": 0.3, "recurrent_dropout": 0.4},
    "backwards": {"go_backwards": True, "return_sequences": True},
}


@pytest.mark.parametrize("case", GRADIENT_CASES)
@pytest.mark.parametrize("kind", KINDS)
def test_gradient(kind, case):
    check_with_initial_state(kind, **GRADIENT_CASES[case])


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "pair"), ACTIVATION_PAIRS)
def test_gradient_with_other_activations(kind, pair):
    check_with_initial_state(kind, **options_of(kind, pair))


def check_with_initial_state(kind, **options):
    net, x, _ = problem(kind, (2, 5, 3, 4), np.float64, **options)
    net.theta = 0.5 * net.theta  # linear gates would let the state explode
    states = random_states(kind, np.random.default_rng(6), 2, 4)
    assert check_gradient(net, x, initial_state=[states]) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_of_a_stack(kind):
    cell = KINDS[kind]
    layers = [cell(4, return_sequences=True, recurrent_dropout=0.2), cell(3, go_backwards=True), Dense(2)]
    net = Sequential(layers).build((5, 2), random_state=1, dtype=np.float64)
    mask = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]], bool)
    assert check_gradient(net, np.random.default_rng(0).standard_normal((2, 5, 2)), mask=mask) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_conformance(kind):
    assert check_layer(lambda: KINDS[kind](5)) < 1e-6


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (SimpleRNN(32), 2080),
        (LSTM(32), 8320),
        (GRU(32), 6336),
        (GRU(32, reset_after=False), 6240),
        (Jordan(32), 3 * 32 * 32 + 2 * 32),
        (PeepholeLSTM(32), 8320 + 3 * 32),
        (MinimalGRU(32), 4160),
        (SLSTM(32), 8320),
    ],
    ids=str,
)
def test_count_params(layer, count):
    assert Sequential([layer]).build((10, 32)).count_params() == count


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 1), (2048, 2048), (2049, 6144), (4096, 6144), (6144, 6144), (6145, 10240)]
)
def test_steps_of_the_tape_are_an_odd_number_of_parts_apart(count, expected):
    assert spread_step(count) == expected
