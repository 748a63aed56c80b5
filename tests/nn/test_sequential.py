"""Stacks of layers against composed oracles, and what `BuiltNetwork` says when it is used wrongly."""

import copy

import numpy as np
import pytest
from reference import layers as oracle_layers
from reference import recurrent as oracle

from tsrnn.kernels.simd import LANES
from tsrnn.nn import (
    GRU,
    LSTM,
    ActivityPenalty,
    Attention,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePool1D,
    LayerNorm,
    Residual,
    Sequential,
    SimpleRNN,
)

BATCH, STEPS, FEATURES = LANES + 3, 6, 3


def build(*layers, dtype=np.float64):
    net = Sequential(layers).build((STEPS, FEATURES), random_state=1, dtype=dtype)
    net.theta = net.theta + 0.1 * np.random.default_rng(0).standard_normal(net.theta.size)
    return net


def inputs():
    return np.random.default_rng(1).standard_normal((BATCH, STEPS, FEATURES))


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-11 * max(1.0, np.abs(expected).max()))


def check_stack(kinds, *, backwards, mask=None):
    """Two recurrent layers and a dense one: outputs and all gradients, against the oracles one after another."""
    classes = {"rnn": SimpleRNN, "lstm": LSTM, "gru": GRU}
    first, second = (classes[kind](hidden, return_sequences=True, go_backwards=backward)
                     for kind, hidden, backward in zip(kinds, (5, 4), backwards, strict=True))  # fmt: skip
    net, x = build(first, second, Dense(2, activation="tanh")), inputs()
    weights = net.get_weights()
    w1, w2, (kernel, bias) = weights[:3], weights[3:6], weights[6:]
    options = [{"return_sequences": True, "go_backwards": backward} for backward in backwards]
    # What comes out of a backward layer is in the order of processing, and so is the mask for the next.
    turned = mask[:, ::-1] if mask is not None and backwards[0] else mask
    h1, _ = oracle.forward(kinds[0], x, w1, mask=mask, **options[0])
    h2, _ = oracle.forward(kinds[1], h1, w2, mask=turned, **options[1])
    y = net.forward(x, training=True, mask=mask)
    close(y, oracle_layers.dense_forward(h2, kernel, bias, "tanh"))
    d_y = np.random.default_rng(2).standard_normal(y.shape)
    d_h2, *d_dense = oracle_layers.dense_backward(h2, kernel, bias, d_y, "tanh")
    second_back = oracle.backward(kinds[1], h1, w2, d_h2, mask=turned, **options[1])
    first_back = oracle.backward(kinds[0], x, w1, second_back.x, mask=mask, **options[0])
    close(net.backward(d_y), first_back.x)
    for got, expected in zip(net.grads(), [*first_back.weights, *second_back.weights, *d_dense], strict=True):
        close(got, expected)


@pytest.mark.parametrize("kinds", [("rnn", "lstm"), ("lstm", "gru"), ("gru", "rnn")], ids="-".join)
def test_stack(kinds):
    check_stack(kinds, backwards=(False, False))


@pytest.mark.parametrize("backwards", [(True, False), (False, True), (True, True)])
def test_stack_with_mask_and_layers_that_go_backwards(backwards):
    mask = np.random.default_rng(3).random((BATCH, STEPS)) < 0.6
    check_stack(("gru", "lstm"), backwards=backwards, mask=mask)


def test_initial_states_of_one_layer_only():
    net, x = build(GRU(5, return_sequences=True), LSTM(4)), inputs()
    rng = np.random.default_rng(4)
    states = tuple(rng.standard_normal((2, BATCH, 4)))
    weights = net.get_weights()
    h1, _ = oracle.forward("gru", x, weights[:3], return_sequences=True)
    expected, _ = oracle.forward("lstm", h1, weights[3:], initial_state=states)
    y = net.forward(x, training=True, initial_state=[None, states])
    close(y, expected)
    net.backward(np.ones_like(y))
    assert net.d_initial_state[0] is None
    wanted = oracle.backward("lstm", h1, weights[3:], np.ones_like(y), initial_state=states).initial_state
    for got, gradient in zip(net.d_initial_state[1], wanted, strict=True):
        close(got, gradient)
    net.forward(x, training=True)
    net.backward(np.ones_like(y))
    assert net.d_initial_state == [None, None]


def test_gradients_are_those_of_the_last_backward():
    net, x = build(SimpleRNN(3)), inputs()
    for _ in range(2):
        y = net.forward(x, training=True)
        net.backward(np.ones_like(y))
        close(net.grads()[2], oracle.backward("rnn", x, net.get_weights(), np.ones_like(y)).weights[2])


def test_weights_go_out_and_in_as_copies():
    net, other = build(GRU(3), Dense(2)), build(GRU(3), Dense(2))
    weights = net.get_weights()
    before = net.theta.copy()
    weights[0][:] = 7
    np.testing.assert_array_equal(net.theta, before)
    other.set_weights([w.tolist() for w in weights])
    assert (other.get_weights()[0] == 7).all()
    np.testing.assert_array_equal(other.theta[weights[0].size :], before[weights[0].size :])


def test_wrong_weights_change_nothing():
    net = build(GRU(3), Dense(2))
    weights, before = net.get_weights(), net.theta.copy()
    named = "gru_0.kernel, gru_0.recurrent_kernel, gru_0.bias, dense_1.kernel, dense_1.bias"
    with pytest.raises(ValueError) as caught:
        net.set_weights(weights[:4])
    assert str(caught.value) == f"`weights` must hold 5 arrays ({named}); got 4."
    weights[0], weights[4] = weights[0] + 1, np.zeros(3)
    with pytest.raises(ValueError) as caught:
        net.set_weights(weights)
    assert str(caught.value) == "`weights`: 'dense_1.bias' must have the shape (2,); got (3,)."
    np.testing.assert_array_equal(net.theta, before)


def test_summary():
    net = build(LSTM(4, return_sequences=True), Dense(1000))
    lines = str(net.summary()).splitlines()
    assert lines[0].split() == ["layer", "spec", "output", "(steps,", "features)", "parameters"]
    assert lines[2].startswith("lstm_0") and "(6, 4)" in lines[2] and lines[2].endswith(" 128")
    assert lines[3].startswith("dense_1") and "(6, 1000)" in lines[3] and lines[3].endswith(" 5,000")
    assert lines[-1] == "total parameters: 5,128"
    assert net.count_params() == net.summary().n_params == sum(w.size for w in net.get_weights()) == 5128
    html = net.summary()._repr_html_()
    assert html.count("<tr>") == 3 and "<td>5,000</td>" in html and "5,128" in html


X_SHAPE = "`x` must have the shape ('batch', 6, 3) with at least one row; "


def shaped(*shape):
    return np.zeros(shape)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: net(shaped(2, 6)), X_SHAPE + "got (2, 6)."),
        (lambda net: net(shaped(2, 5, 3)), X_SHAPE + "got (2, 5, 3)."),
        (lambda net: net(shaped(0, 6, 3)), X_SHAPE + "got (0, 6, 3)."),
        (lambda net: net(1.0), X_SHAPE + "got ()."),
        (
            lambda net: net(shaped(2, 6, 3), mask=shaped(2, 5)),
            "`mask` must have the shape (2, 6) with at least one row; got (2, 5).",
        ),
        (
            lambda net: net(shaped(2, 6, 3), initial_state=[None]),
            "`initial_state` must have an entry for each of 2 layers; got 1.",
        ),
        (
            lambda net: net(shaped(2, 6, 3), initial_state=[(shaped(2, 4),), None]),
            "`initial_state[0]` must hold 2 arrays for LSTM(4); got 1.",
        ),
        (
            lambda net: net(shaped(2, 6, 3), initial_state=[(shaped(2, 4), shaped(1, 4)), None]),
            "`initial_state[0]` must have the shape (2, 4) with at least one row; got (1, 4).",
        ),
        (
            lambda net: net(shaped(2, 6, 3), initial_state=[None, (shaped(2, 2),)]),
            "`initial_state[1]` must hold 0 arrays for Dense(2); got 1.",
        ),
        (
            lambda net: (net.forward(shaped(2, 6, 3), training=True), net.backward(shaped(2, 6, 2))),
            "`d_y` must have the shape (2, 2) with at least one row; got (2, 6, 2).",
        ),
    ],
)  # fmt: skip
def test_wrong_shapes(call, message):
    with pytest.raises(ValueError) as caught:
        call(build(LSTM(4), Dense(2)))
    assert message in str(caught.value)


MASKED = {
    "recurrent": [GRU(3)],
    "both ways": [Bidirectional(GRU(3, return_sequences=True)), Attention()],
    "additive": [Attention(), Dense(2)],
    "dot": [Attention(kind="dot"), Dense(2)],
    "mean": [GlobalAveragePool1D(), Dense(2)],
    "dense": [Dense(2, activation="tanh"), LayerNorm(), ActivityPenalty(l2=0.1), GRU(3)],
    "residual": [Residual(GRU(FEATURES, return_sequences=True)), GRU(3)],
}


@pytest.mark.parametrize("layers", MASKED.values(), ids=MASKED)
def test_steps_that_do_not_count_may_hold_anything(layers):
    """There and back it makes no difference to a bit, in a tile and alone."""
    mask = np.random.default_rng(4).random((BATCH, STEPS)) < 0.7
    net, x = build(*layers), np.where(mask[..., None], inputs(), 0)
    wild = np.where(mask[..., None], x, np.resize([np.nan, np.inf, -np.inf], x.shape))
    attends = any(isinstance(layer, Attention) for layer in layers)
    expected, found = (everything(net, given, mask, attends) for given in (x, wild))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(other, one)
        assert np.isfinite(one).all()
    assert np.isnan(net(wild)).any()  # where they count, they still show


def everything(net, x, mask, attends):
    y = net.forward(x, training=True, mask=mask)
    penalty, d_x = net.penalty, net.backward(np.cos(y))
    weights = net.attention_weights(x, mask).values() if attends else ()
    return [y, net(x[:1], mask[:1]), penalty, d_x, *net.grads(), *weights]


def test_no_token_where_no_step_counts():
    net = Sequential([Embedding(6, 3), GRU(4)]).build((3, 1))
    mask = np.array([[1, 1, 0]] * 2)
    given = [np.array([[[1], [5], [last]]] * 2) for last in (0, -1, 6, np.nan)]
    for x in given[1:]:
        np.testing.assert_array_equal(net(x, mask), net(given[0], mask))
        with pytest.raises(ValueError, match="must hold tokens"):
            net(x)


SHAPE = "`input_shape` must be (steps, features), e.g. (120, 14); "


def test_backward_needs_a_forward_in_training():
    net = build(SimpleRNN(3))
    message = r"`backward` needs the tape of a call of `forward\(x, training=True\)` just before; there is none."
    for prepare in (lambda: None, lambda: net(inputs()), lambda: net.backward(net.forward(inputs(), training=True))):
        prepare()
        with pytest.raises(RuntimeError, match=message):
            net.backward(shaped(BATCH, 3))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Sequential([]), ValueError, "`layers` of Sequential must"),
        (lambda: Sequential([3]), TypeError, "`layers` of Sequential must"),
        (lambda: Sequential([Dense(2)]).build((5,)), ValueError, SHAPE + "got (5,)."),
        (lambda: Sequential([Dense(2)]).build(5), ValueError, SHAPE + "got 5."),
        (lambda: Sequential([Dense(2)]).build((0, 5)), ValueError, "`input_shape (steps)` of Sequential.build must be"),
        (lambda: Sequential([Dense(2)]).build((5, 2), random_state=-1), ValueError, "`random_state` of Sequential"),
        (lambda: GRU(0), ValueError, "`hidden_size` of GRU must be an integer of at least 1; got 0."),
        (lambda: LSTM(2, dropout=1.0), ValueError, "`dropout` of LSTM must be"),
        (lambda: SimpleRNN(2, activation="gelu"), ValueError, "`activation` of SimpleRNN must be"),
        (lambda: GRU(2, go_backwards=1), TypeError, "`go_backwards` of GRU must be"),
        (lambda: GRU(2, reset_after="yes"), TypeError, "`reset_after` of GRU must be"),
    ],
)  # fmt: skip
def test_wrong_parameters(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)


def test_weights_that_are_no_numbers_change_nothing():
    net = Sequential([Dense(2)]).build((1, 3))
    before, x = net.get_weights(), np.ones((1, 1, 3), np.float32)
    y = net(x)
    with pytest.raises(ValueError, match="could not convert"):
        net.set_weights([before[0] + 1, np.array(["a", "b"])])
    np.testing.assert_array_equal(net.get_weights()[0], before[0])
    np.testing.assert_array_equal(net(x), y)


def test_a_shallow_copy_has_weights_of_its_own():
    net = Sequential([GRU(3), Dense(2)]).build((4, 3))
    x = np.ones((2, 4, 3), np.float32)
    other = copy.copy(net)
    y = other(x[:1])
    net.theta = np.zeros(net.count_params())
    np.testing.assert_array_equal(other(x[:1]), y)
    np.testing.assert_array_equal(other(x)[:1], y)


@pytest.mark.parametrize("seed", [2**63, 2**64 + 3])
def test_large_seeds(seed):
    y = Sequential([Dropout(0.5)]).build((1, 30), random_state=seed).forward(np.ones((2, 1, 30)), training=True)
    assert set(y.ravel().tolist()) == {0, 2}
