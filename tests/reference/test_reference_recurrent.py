"""The recurrent oracle: its gradients against central differences, and its conventions by hand."""

import itertools

import numpy as np
import pytest

from reference.activations import KINKS
from reference.cells import STEPS, random_states, weight_shapes
from reference.differences import numerical_gradient, worst_error
from reference.recurrent import backward, forward

B, T, F, H = 3, 5, 2, 4
KINDS = tuple(STEPS)
TOLERANCE = 1e-7  # central differences with a step of 1e-5 are good for about 1e-9 of the largest element here

# The last row of the first mask never takes a step, its first row starts masked, its second ends so.
MASK = np.array([[0, 1, 1, 0, 1], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
OPTIONS = [
    dict(zip(("go_backwards", "return_sequences", "masked", "stateful", "dropout"), flags, strict=True))
    for flags in itertools.product((False, True), repeat=5)
]
PAIRS = list(itertools.product(KINKS, repeat=2))


def every_two(options):
    """A quarter of all combinations, in which any two options still meet in all four ways."""
    backwards, sequences, masked, stateful, dropout = options.values()
    return stateful == (backwards ^ sequences) and dropout == (backwards ^ masked)


def every_one(pair):
    """A sixth of all pairs, in which every activation is once on either side, never beside itself."""
    names = list(KINKS)
    return names.index(pair[1]) == (names.index(pair[0]) + 1) % len(names)


def words(options):
    return "-".join(name for name, on in options.items() if on) or "plain"


def others_slow(values, quick, ids):
    return [pytest.param(value, id=ids(value), marks=() if quick(value) else pytest.mark.slow) for value in values]


def random_case(kind, seed, masked=False, stateful=False, dropout=False, **options):
    """x, weights and keyword arguments of one layer with everything drawn at random."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(B, T, F))
    weights = [rng.normal(scale=0.7, size=shape) for shape in weight_shapes(kind, F, H)]
    if masked:
        options["mask"] = MASK
    if stateful:
        options["initial_state"] = random_states(kind, rng, B, H)
    if dropout:
        options["input_mask"] = rng.choice([0.0, 1.0, 1.5], size=(B, F))
        options["state_mask"] = rng.choice([0.0, 1.0, 2.0], size=(B, H))
    return rng, x, weights, options


def assert_gradients_match(kind, rng, x, weights, options):
    outputs, states = forward(kind, x, weights, **options)
    d_outputs = rng.normal(size=outputs.shape)
    d_final_states = tuple(rng.normal(size=state.shape) for state in states)

    def loss():
        outputs, states = forward(kind, x, weights, **options)
        return np.sum(outputs * d_outputs) + sum(np.sum(a * b) for a, b in zip(states, d_final_states, strict=True))

    found = backward(kind, x, weights, d_outputs, d_final_states=d_final_states, **options)
    assert worst_error(found.x, numerical_gradient(loss, x)) < TOLERANCE
    for d_weight, weight in zip(found.weights, weights, strict=True):
        assert worst_error(d_weight, numerical_gradient(loss, weight)) < TOLERANCE
    if "initial_state" in options:
        for d_state, state in zip(found.initial_state, options["initial_state"], strict=True):
            assert worst_error(d_state, numerical_gradient(loss, state)) < TOLERANCE


@pytest.mark.parametrize("options", others_slow(OPTIONS, every_two, words))
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_every_combination_of_options(kind, options):
    assert_gradients_match(kind, *random_case(kind, seed=1, **options))


@pytest.mark.parametrize("pair", others_slow(PAIRS, every_one, "-".join))
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_every_pair_of_activations(kind, pair):
    names = dict(zip(("activation", "recurrent_activation"), pair, strict=True))
    rng, x, weights, options = random_case(kind, seed=7, stateful=True, **names)
    # Weights of a fifth keep unbounded activations from blowing up.
    weights = [0.2 * weight for weight in weights]
    assert_gradients_match(kind, rng, x, weights, options)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_where_hard_sigmoid_and_relu_are_on_both_sides_of_their_kinks(kind):
    case = random_case(kind, seed=3, stateful=True, activation="relu", recurrent_activation="hard_sigmoid")
    rng, x, weights, options = case
    weights[2][...] = rng.choice([-4.0, -1.0, 0.5, 4.0], size=weights[2].shape)
    assert_gradients_match(kind, rng, x, weights, options)


def one_unit(kind, *, initial_state=None, x=(1.0,), state_mask=None, recurrent=0.5, bias=0.0):
    """One unit, one input, linear activations of state and gates: everything can be worked out by hand."""
    kernel_shape, recurrent_shape, *other_shapes = weight_shapes(kind, 1, 1)
    weights = (np.ones(kernel_shape), np.full(recurrent_shape, recurrent), *(np.full(s, bias) for s in other_shapes))
    linear = {"activation": "linear", "recurrent_activation": "linear"}
    x = np.array(x).reshape(1, -1, 1)
    return forward(kind, x, weights, initial_state=initial_state, state_mask=state_mask, **linear)


def test_simple_cell_by_hand():
    y, (h,) = one_unit("rnn", initial_state=([[2.0]],), bias=0.25)
    assert y == h == 1.0 + 0.5 * 2.0 + 0.25


def test_lstm_by_hand():
    # Every gate is a = 1 + 0.5 * 2 = 2; c = a * c + a * a; h = a * c.
    y, (h, c) = one_unit("lstm", initial_state=([[2.0]], [[3.0]]))
    assert c == 2.0 * 3.0 + 2.0 * 2.0
    assert y == h == 2.0 * 10.0


def test_lstm_gate_order_is_i_f_c_o():
    bias = np.array([2.0, 3.0, 5.0, 7.0])
    linear = {"activation": "linear", "recurrent_activation": "linear"}
    weights = (np.zeros((1, 4)), np.zeros((1, 4)), bias)
    _, (h, c) = forward("lstm", np.zeros((1, 1, 1)), weights, initial_state=([[1.0]], [[11.0]]), **linear)
    assert c == 3.0 * 11.0 + 2.0 * 5.0
    assert h == 7.0 * c


def test_gru_by_hand_and_gate_order_is_z_r_h():
    weights = (np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]]), np.array([[2.0, 3.0, 5.0], [10.0, 20.0, 30.0]]))
    linear = {"activation": "linear", "recurrent_activation": "linear"}
    y, _ = forward("gru", np.zeros((1, 1, 1)), weights, initial_state=([[7.0]],), **linear)
    z, r, candidate = 12.0, 23.0, 5.0 + 23.0 * (7.0 + 30.0)
    assert r == 23.0
    assert y == z * 7.0 + (1.0 - z) * candidate


def test_gru_before_by_hand_and_gate_order_is_z_r_h():
    weights = (np.zeros((1, 3)), np.array([[0.0, 0.0, 0.5]]), np.array([2.0, 3.0, 5.0]))
    linear = {"activation": "linear", "recurrent_activation": "linear"}
    y, _ = forward("gru_before", np.zeros((1, 1, 1)), weights, initial_state=([[7.0]],), **linear)
    candidate = 5.0 + (3.0 * 7.0) * 0.5
    assert y == 2.0 * 7.0 + (1.0 - 2.0) * candidate


def test_jordan_by_hand_and_matrices_are_from_the_output_and_to_it():
    weights = (np.array([[1.0]]), np.array([[0.5, 10.0]]), np.array([3.0]), np.array([[7.0]]))
    linear = {"activation": "linear", "recurrent_activation": "linear"}
    y, (state,) = forward("jordan", np.ones((1, 2, 1)), weights, initial_state=([[2.0]],), **linear)
    first = 10.0 * (1.0 + 0.5 * 2.0 + 3.0) + 7.0
    assert y == state == 10.0 * (1.0 + 0.5 * first + 3.0) + 7.0


def test_peepholes_by_hand_and_their_order_is_i_f_o():
    own = np.array([[10.0], [100.0], [1000.0]])
    linear = {"activation": "linear", "recurrent_activation": "linear"}
    weights = (np.zeros((1, 4)), np.zeros((1, 4)), np.array([2.0, 3.0, 5.0, 7.0]), own)
    _, (h, c) = forward("peephole_lstm", np.zeros((1, 1, 1)), weights, initial_state=([[1.0]], [[11.0]]), **linear)
    assert c == (3.0 + 100.0 * 11.0) * 11.0 + (2.0 + 10.0 * 11.0) * 5.0
    assert h == (7.0 + 1000.0 * c) * c


def test_minimal_gru_by_hand_and_gate_order_is_f_h():
    weights = (np.zeros((1, 2)), np.array([[0.0, 0.5]]), np.array([3.0, 5.0]))
    linear = {"activation": "linear", "recurrent_activation": "linear"}
    y, _ = forward("minimal_gru", np.zeros((1, 1, 1)), weights, initial_state=([[7.0]],), **linear)
    assert y == (1.0 - 3.0) * 7.0 + 3.0 * (5.0 + (3.0 * 7.0) * 0.5)


@pytest.mark.parametrize("stored", [False, True])
def test_slstm_is_a_ratio_of_two_sums_and_gate_order_is_i_f_z_o(stored):
    """Without scales: the plain sums, which the scales must not change."""
    rng = np.random.default_rng(7)
    kernel, (b_i, b_f, b_z, b_o) = rng.normal(size=(1, 4)), rng.normal(size=4)
    x, (c, n, m) = rng.normal(size=(1, 6, 1)), (0.3, 0.7, 2.0) if stored else (0.0, 0.0, 0.0)
    states = [np.full((1, 1), value) for value in (0.4, c, n, m)]
    weights = (kernel, np.zeros((1, 4)), np.array([b_i, b_f, b_z, b_o]))
    _, (h, c_after, n_after, m_after) = forward("slstm", x, weights, initial_state=states)
    big_c, big_n = c * np.exp(m), n * np.exp(m)
    for value in x[0, :, 0]:
        i, f, z, o = value * kernel[0] + [b_i, b_f, b_z, b_o]
        big_c = big_c / (1.0 + np.exp(-f)) + np.exp(i) * np.tanh(z)
        big_n = big_n / (1.0 + np.exp(-f)) + np.exp(i)
    np.testing.assert_allclose(h, big_c / big_n / (1.0 + np.exp(-o)), rtol=1e-13)
    np.testing.assert_allclose([c_after, n_after], np.reshape([big_c, big_n], (2, 1, 1)) / np.exp(m_after), rtol=1e-13)


def test_slstm_stores_at_once_where_nothing_is_stored():
    """However much the forget gate outweighs the input gate: all that could be kept is zero."""
    weights = (np.zeros((1, 4)), np.zeros((1, 4)), np.array([-1000.0, 1000.0, 0.5, 0.0]))
    _, (h, c, n, m) = forward("slstm", np.zeros((1, 1, 1)), weights)
    assert (h, c, n, m) == (0.5 * np.tanh(0.5), np.tanh(0.5), 1.0, -1000.0)


def test_state_mask_does_not_touch_the_h_that_is_interpolated():
    # With the recurrent product masked away, every gate is 1 + 0: z = 1 keeps h = 7, whatever the mask.
    for kind in ("gru", "gru_before"):
        y, _ = one_unit(kind, initial_state=([[7.0]],), state_mask=[[0.0]])
        assert y == 7.0


@pytest.mark.parametrize("kind", KINDS)
def test_masked_steps_are_as_if_they_were_not_there(kind):
    _, x, weights, options = random_case(kind, seed=4, stateful=True)
    outputs, states = forward(kind, x, weights, mask=MASK, return_sequences=True, **options)
    for row in range(B):
        initial = tuple(state[[row]] for state in options["initial_state"])
        seen = x[[row]][:, MASK[row]]
        expected, expected_states = forward(kind, seen, weights, initial_state=initial, return_sequences=True)
        # One row alone is multiplied in another order than three: equal to rounding.
        np.testing.assert_allclose(outputs[[row]][:, MASK[row]], expected, rtol=0, atol=1e-13)
        for state, expected_state in zip(states, expected_states, strict=True):
            np.testing.assert_allclose(state[[row]], expected_state, rtol=0, atol=1e-13)
        kept = initial[0]
        for t in range(T):
            kept = outputs[[row], t] if MASK[row, t] else kept
            np.testing.assert_array_equal(outputs[[row], t], kept)


@pytest.mark.parametrize("kind", KINDS)
def test_go_backwards_is_the_reversed_sequence_in_order_of_processing(kind):
    _, x, weights, _ = random_case(kind, seed=5)
    found, _ = forward(kind, x, weights, mask=MASK, go_backwards=True, return_sequences=True)
    expected, _ = forward(kind, x[:, ::-1], weights, mask=MASK[:, ::-1], return_sequences=True)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_no_steps_give_the_initial_state_and_its_gradient(kind):
    rng, x, weights, options = random_case(kind, seed=6, stateful=True)
    x = x[:, :0]
    y, states = forward(kind, x, weights, **options)
    np.testing.assert_array_equal(y, options["initial_state"][0])
    np.testing.assert_array_equal(states, options["initial_state"])
    d_y = rng.normal(size=y.shape)
    found = backward(kind, x, weights, d_y, **options)
    np.testing.assert_array_equal(found.initial_state[0], d_y)
    assert found.x.shape == (B, 0, F)
    assert all(not weight.any() for weight in found.weights)
