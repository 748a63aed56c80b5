"""The conformance suite of layers: what holds for every layer spec, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tsrnn.nn.built import BuiltNetwork
from tsrnn.nn.layer import LayerSpec
from tsrnn.nn.sequential import Sequential
from tsrnn.testing.gradcheck import check_gradient

SHAPES = [(1, 1), (2, 3), (5, 4), (17, 1)]  # steps, features: one, odd, a multiple of four, longer than a chunk
SHAPE = (4, 3)  # of the other checks
BATCHES = [1, 33]  # less and more than one tile


def check_layer(
    make: Callable[[], LayerSpec],
    *,
    tolerance: float = 1e-6,
    shapes: Sequence[tuple[int, int]] = SHAPES,
    shape: tuple[int, int] = SHAPE,
) -> float:
    """Run the conformance suite on a layer.

    It checks: gradients against central differences; float32 against float64; that windows do not see each other; that
    gradients add up over the batch; that the same seed gives the same bits; that weights survive ``get_weights`` and
    ``set_weights``; that inputs are left alone; that NaN goes to the outputs of its own window and to no other.

    Parameters
    ----------
    make : callable
        Gives the spec, e.g. ``lambda: GRU(5)``.
    tolerance : float, default=1e-6
        Of the gradient check.
    shapes, shape : optional
        (steps, features) of the inputs of the gradient check, and of those of the other checks, for layers that do not
        take every shape.

    Returns
    -------
    float
        The worst relative difference of the gradient check.

    Raises
    ------
    AssertionError
        Saying which check failed.

    Examples
    --------
    >>> from tsrnn.nn import Dense
    >>> from tsrnn.testing import check_layer
    >>> bool(check_layer(lambda: Dense(3, activation="tanh")) < 1e-6)
    True
    """
    worst = 0.0
    for size in shapes:
        net, x = _build(make, size, np.float64, batch=2)
        worst = max(worst, check_gradient(net, x, tolerance=tolerance))
    for batch in BATCHES:
        for check in (_same_in_float32, _windows_apart, _same_bits, _weights_survive, _gradients_add, _nan_stays):
            check(make, batch, shape)
    return worst


def _build(
    make: Callable[[], LayerSpec], shape: tuple[int, int], dtype: type, batch: int
) -> tuple[BuiltNetwork, np.ndarray]:
    net = Sequential([make()]).build(shape, random_state=1, dtype=dtype)
    rng = np.random.default_rng(2)
    net.theta = net.theta + 0.1 * rng.standard_normal(net.theta.size)  # biases that are not zero
    return net, rng.standard_normal((batch, *shape)).astype(dtype)


def _same_in_float32(make: Callable[[], LayerSpec], batch: int, shape: tuple[int, int] = SHAPE) -> None:
    wide, x = _build(make, shape, np.float64, batch)
    narrow, _ = _build(make, shape, np.float32, batch)
    narrow.theta = wide.theta
    results = []
    for net in (wide, narrow):
        y = net.forward(x, training=True)
        results.append([y, net.backward(np.cos(y)), *net.grads()])
    for exact, rounded in zip(*results, strict=True):
        error = np.abs(exact - rounded).max() / max(1.0, np.abs(exact).max())
        assert error < 1e-5, f"float32 is {error:.1e} away from float64"


def _windows_apart(make: Callable[[], LayerSpec], batch: int, shape: tuple[int, int] = SHAPE) -> None:
    net, x = _build(make, shape, np.float32, batch)
    before, y = x.copy(), net(x)
    assert np.array_equal(x, before), "the layer changed its input"
    for i in (0, batch - 1):
        assert np.array_equal(net(x[i : i + 1])[0], y[i]), "a window's output depends on the others in its batch"


def _same_bits(make: Callable[[], LayerSpec], batch: int, shape: tuple[int, int] = SHAPE) -> None:
    def run() -> bytes:
        net, x = _build(make, shape, np.float32, batch)
        y = net.forward(x, training=True)
        return y.tobytes() + net.backward(y).tobytes() + net.gradient.tobytes()

    assert run() == run(), "the same seed gave other bits"


def _weights_survive(make: Callable[[], LayerSpec], batch: int, shape: tuple[int, int] = SHAPE) -> None:
    net, x = _build(make, shape, np.float32, batch)
    other, _ = _build(make, shape, np.float32, batch)
    other.theta = np.zeros_like(other.theta)
    other.set_weights(net.get_weights())
    assert np.array_equal(net(x), other(x)), "set_weights(get_weights()) is another network"


def _gradients_add(make: Callable[[], LayerSpec], batch: int, shape: tuple[int, int] = SHAPE) -> None:
    net, x = _build(make, shape, np.float64, batch)
    d_y = np.ones_like(net.forward(x, training=True))
    net.backward(d_y)
    whole = net.gradient.copy()
    net.training_steps = 0
    y = net.forward(np.concatenate([x, np.zeros_like(x)]), training=True)  # lanes of no weight follow
    net.backward(np.concatenate([d_y, np.zeros_like(y[batch:])]))
    assert np.allclose(net.gradient, whole, rtol=1e-12, atol=1e-12), "windows with a zero gradient changed the sum"


def _nan_stays(make: Callable[[], LayerSpec], batch: int, shape: tuple[int, int] = SHAPE) -> None:
    net, x = _build(make, shape, np.float32, batch)
    clean = net(x)
    x[0] = np.nan
    y = net(x)
    assert np.isnan(y[0]).any(), "NaN in a window's input did not reach its output"
    assert np.array_equal(y[1:], clean[1:]), "NaN in one window reached another"
