"""L1 and L2 penalties on the weights of layers, against oracles and central differences."""

import copy

import numpy as np
import pytest
from reference import losses

from tsrnn.nn import GRU, LSTM, TDNN, Attention, Conv1D, Dense, Sequential, SimpleRNN
from tsrnn.nn.penalties import Penalties
from tsrnn.testing import check_gradient

KINDS = {
    "rnn": SimpleRNN,
    "lstm": LSTM,
    "gru": GRU,
    "gru_before": lambda hidden, **options: GRU(hidden, reset_after=False, **options),
}
RATES = {"kernel_l1": 0.3, "kernel_l2": 0.2, "recurrent_l1": 0.05, "recurrent_l2": 0.7}
ALONE = [{name: rate} for name, rate in RATES.items()] + [RATES]


def built(kind, rates, dense=(0.0, 0.0), dtype=np.float64):
    layers = [Dense(2), KINDS[kind](3, **rates), Dense(2, kernel_l1=dense[0], kernel_l2=dense[1])]
    net = Sequential(layers).build((4, 3), random_state=1, dtype=dtype)
    net.theta = net.theta + 0.1 * np.random.default_rng(0).standard_normal(net.theta.size)  # biases that are not zero
    return net


def expected(net, rates, dense):
    """The sum of the penalties, and the gradient of each array: only kernels have them."""
    of_arrays = [{} for _ in net.get_weights()]
    of_arrays[2] = {"l1": rates.get("kernel_l1", 0), "l2": rates.get("kernel_l2", 0)}
    of_arrays[3] = {"l1": rates.get("recurrent_l1", 0), "l2": rates.get("recurrent_l2", 0)}
    of_arrays[5] = {"l1": dense[0], "l2": dense[1]}
    pairs = list(zip(net.get_weights(), of_arrays, strict=True))
    return sum(losses.penalty(w, **r) for w, r in pairs), [losses.d_penalty(w, **r) for w, r in pairs]


@pytest.mark.parametrize("rates", ALONE, ids=lambda rates: ", ".join(rates))
@pytest.mark.parametrize("kind", KINDS)
def test_value_and_gradient(kind, rates):
    dense = (0.4, 0.1)
    net, plain = built(kind, rates, dense), built(kind, {})
    value, gradients = expected(net, rates, dense)
    assert net.penalty == pytest.approx(value, rel=1e-13)
    x = np.random.default_rng(1).standard_normal((3, 4, 3))
    for one in (net, plain):
        one.backward(np.cos(one.forward(x, training=True)))
    for found, without, wanted in zip(net.grads(), plain.grads(), gradients, strict=True):
        np.testing.assert_allclose(found, without + wanted, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_check_counts_them(kind):
    net, x = built(kind, RATES, (0.4, 0.1)), np.random.default_rng(1).standard_normal((2, 4, 3))
    assert check_gradient(net, x) < 1e-6
    net._penalties.add_gradient = lambda theta, gradient: None
    with pytest.raises(AssertionError, match="gradient of"):
        check_gradient(net, x)


def test_kernels_of_convolutions_and_attention():
    """The query of attention is no kernel, and biases never are."""
    rates = {"kernel_l1": 0.3, "kernel_l2": 0.2}
    with_, without = (
        Sequential([Conv1D(3, 2, **some), TDNN(3, 2, **some), Attention(units=2, **some)]).build(
            (6, 2), dtype=np.float64
        )
        for some in (rates, {})
    )
    strengths = {"l1": 0.3, "l2": 0.2}
    wanted = sum(losses.penalty(with_.get_weights()[i], **strengths) for i in (0, 2, 4))
    assert with_.penalty == pytest.approx(wanted, rel=1e-13) and without.penalty == 0
    x = np.random.default_rng(1).standard_normal((3, 6, 2))
    for one in (with_, without):
        one.backward(np.cos(one.forward(x, training=True)))
    for i, (found, plain) in enumerate(zip(with_.grads(), without.grads(), strict=True)):
        extra = losses.d_penalty(with_.get_weights()[i], **strengths) if i in (0, 2, 4) else 0
        np.testing.assert_allclose(found, plain + extra, rtol=1e-13, atol=1e-14)
    for kind in (lambda **some: Conv1D(3, 2, **some), lambda **some: Attention(**some)):
        with pytest.raises(ValueError, match="`kernel_l1` of .* must be a finite number of at least 0; got -1"):
            kind(kernel_l1=-1)
    with pytest.raises(ValueError, match=r"Attention\(kind='dot'\) must be 0: it has no weights; got 0.0 and 0.5"):
        Attention(kind="dot", kernel_l2=0.5)


def test_outputs_do_not_change():
    x = np.random.default_rng(1).standard_normal((3, 4, 3))
    np.testing.assert_array_equal(built("gru", RATES, (1.0, 1.0))(x), built("gru", {})(x))


def test_without_any_nothing_is_computed():
    net = built("lstm", {})
    assert net.penalty == 0
    Penalties(net.network.layout).add_gradient(net.theta, np.zeros(0))  # would not find its place


def test_it_follows_the_weights():
    net = built("rnn", {"kernel_l2": 0.5}, dtype=np.float32)
    net.theta = np.full(net.theta.size, 2.0)
    assert net.penalty == 0.5 * 4 * 6
    assert copy.deepcopy(net).penalty == net.penalty


@pytest.mark.parametrize("name", RATES)
def test_they_are_part_of_the_spec(name):
    assert str(GRU(3, **{name: 0.5})) == f"GRU(3, {name}=0.5)"
    with pytest.raises(ValueError, match=f"`{name}` of GRU must be a finite number of at least 0; got -1"):
        GRU(3, **{name: -1})
    if name.startswith("kernel"):
        with pytest.raises(TypeError, match=f"`{name}` of Dense must be a finite number"):
            Dense(3, **{name: "l2"})
