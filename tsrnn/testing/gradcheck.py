"""Gradients against central differences, in float64, of every weight, of the input and of the initial states."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tsrnn.nn.arguments import State
from tsrnn.nn.built import BuiltNetwork

STEP = 1e-5  # the truncation error of central differences is of the order of its square


def check_gradient(
    net: BuiltNetwork,
    x: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    initial_state: list[State | None] | None = None,
    tolerance: float = 1e-6,
    random_state: int = 0,
) -> float:
    """Compare ``net.backward`` with central differences of a random weighted sum of the outputs, and penalties.

    Dropout is on; all evaluations see the same masks.

    Parameters
    ----------
    net : BuiltNetwork
        Built with ``dtype=numpy.float64``.
    x : ndarray of shape (batch, steps, features)
        Inputs; the check takes two forward passes for each of their numbers and for each weight, so keep them few.
    mask, initial_state : optional
        As in ``net.forward``.
    tolerance : float, default=1e-6
        The largest difference allowed, relative to the largest entry of the gradient array that it is in.
    random_state : int, default=0
        Draws the weights of the sum.

    Returns
    -------
    float
        The worst relative difference.

    Raises
    ------
    AssertionError
        Naming the array, the place, and both numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GRU, Sequential
    >>> from tsrnn.testing import check_gradient
    >>> net = Sequential([GRU(3)]).build((4, 2), dtype=np.float64)
    >>> bool(check_gradient(net, np.random.default_rng(0).standard_normal((2, 4, 2))) < 1e-6)
    True
    """
    if net.theta.dtype != np.float64:
        raise TypeError(f"`net` must be built with dtype=numpy.float64; got {net.theta.dtype}.")
    x = np.array(x, np.float64)
    states = [None if s is None else tuple(np.array(a, np.float64) for a in s) for s in initial_state or []] or None
    step, theta = net.training_steps, net.theta.copy()

    def outputs() -> np.ndarray:
        net.training_steps, net.theta = step, theta
        net.reset_states()
        return net.forward(x, training=True, mask=mask, initial_state=states)

    weights = np.random.default_rng(random_state).standard_normal(outputs().shape)

    def loss() -> float:
        return float((outputs() * weights).sum()) + net.penalty

    d_x = net.backward(weights)
    exact = [("x", x, d_x), ("theta", theta, net.gradient.copy())]
    exact += [(f"initial_state of layer {i}", *pair) for i, pair in _pairs(states, net.d_initial_state)]
    worst = 0.0
    for name, values, gradient in exact:
        if not values.size:
            continue  # a network without parameters
        try:
            found = _compare(net, name, values, gradient, loss, tolerance)
        finally:
            net.theta = theta
        worst = max(worst, found)
    return worst


def _pairs(
    states: list[State | None] | None, gradients: list[State | None]
) -> Iterator[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    for i, (values, d_values) in enumerate(zip(states or [], gradients, strict=False)):
        if values is not None and d_values is not None:
            yield from ((i, pair) for pair in zip(values, d_values, strict=True))


def _compare(
    net: BuiltNetwork, name: str, values: np.ndarray, gradient: np.ndarray, loss: Callable[[], float], tolerance: float
) -> float:
    """Worst relative difference over the numbers of one array, which is changed in place and put back."""
    flat, expected = values.reshape(-1), np.zeros(values.size)
    for i in range(flat.size):
        kept = flat[i]
        flat[i] = kept + STEP
        above = loss()
        flat[i] = kept - STEP
        below = loss()
        flat[i] = kept
        expected[i] = (above - below) / (2 * STEP)
    difference = np.abs(gradient.reshape(-1) - expected)
    worst = float(difference.max() / max(np.abs(expected).max(), 1e-3))
    if not worst < tolerance:
        place = int(np.argmax(difference))
        where = name if name != "theta" else _parameter_at(net, place)
        raise AssertionError(
            f"gradient of {where}: backward gives {gradient.reshape(-1)[place]:.12g}, central differences "
            f"{expected[place]:.12g}; relative difference {worst:.1e}, allowed {tolerance:.0e}."
        )
    return worst


def _parameter_at(net: BuiltNetwork, place: int) -> str:
    for name, parameter, part in net.network.layout:
        if part.start <= place < part.stop:
            index = np.unravel_index(place - part.start, parameter.shape)
            return f"{name}[{', '.join(map(str, index))}]"
    raise IndexError(place)
