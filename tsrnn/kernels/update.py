"""Parameter updates, element by element, on flat vectors. Bytes rule: one read and one write of each vector."""

import numpy as np

from tsrnn._jit import helper, kernel
from tsrnn.kernels.turn import PIECE, PIECES, TILE, TILES


@kernel
def start_piece(turn, piece):
    """Zeros, if this tile is the first to add to the piece."""
    if turn[TILE] == 0 or (turn[TILE] - 1) * turn[PIECES] // turn[TILES] != turn[PIECE]:
        for i in range(piece.size):
            piece[i] = 0


@kernel
def add_partials(partials, count, first, last, total):
    """total = partials[0] + partials[1] + ..., from ``first`` to ``last``, in this order; partials [count][size]"""
    for i in range(first, last):
        total[i] = partials[i]
    for part in range(1, count):
        for i in range(first, last):
            total[i] += partials[part * total.size + i]


@kernel
def squared_norm(gradient):
    """The sum of squares, in float64 and in one order: four sums side by side, as one alone waits for each addition."""
    a = b = c = d = 0.0
    whole = gradient.size // 4 * 4
    for i in range(0, whole, 4):
        a += np.float64(gradient[i]) ** 2
        b += np.float64(gradient[i + 1]) ** 2
        c += np.float64(gradient[i + 2]) ** 2
        d += np.float64(gradient[i + 3]) ** 2
    for i in range(whole, gradient.size):
        a += np.float64(gradient[i]) ** 2
    return (a + b) + (c + d)


@kernel
def scale(gradient, factor):
    """gradient *= factor"""
    for i in range(gradient.size):
        gradient[i] *= factor


@kernel
def add_scaled(target, source, factor):
    """target += factor * source"""
    for i in range(target.size):
        target[i] += factor * source[i]


@kernel
def clip(gradient, limit):
    """Each number to between -limit and limit; NaN stays"""
    for i in range(gradient.size):
        if gradient[i] > limit:
            gradient[i] = limit
        elif gradient[i] < -limit:
            gradient[i] = -limit


@helper
def _penalty_of(value, l1, l2):
    size = abs(np.float64(value))
    return size * (l1 + l2 * size)


@kernel
def penalty(parameters, l1, l2):
    """l1 sum |p| + l2 sum p^2, in float64 and in one order, as ``squared_norm``"""
    a = b = c = d = 0.0
    whole = parameters.size // 4 * 4
    for i in range(0, whole, 4):
        a += _penalty_of(parameters[i], l1, l2)
        b += _penalty_of(parameters[i + 1], l1, l2)
        c += _penalty_of(parameters[i + 2], l1, l2)
        d += _penalty_of(parameters[i + 3], l1, l2)
    for i in range(whole, parameters.size):
        a += _penalty_of(parameters[i], l1, l2)
    return (a + b) + (c + d)


@kernel
def d_penalty(parameters, l1, l2, gradient):
    """gradient += l1 sign(p) + 2 l2 p, with the sign of zero zero"""
    for i in range(parameters.size):
        p = parameters[i]
        gradient[i] += l1 * np.sign(p) + 2 * l2 * p


@kernel
def sgd(parameters, gradient, velocity, rate, momentum, nesterov):
    """v = momentum v + g;  p -= rate v, with Nesterov rate (g + momentum v)"""
    for i in range(parameters.size):
        velocity[i] = momentum * velocity[i] + gradient[i]
        step = gradient[i] + momentum * velocity[i] if nesterov else velocity[i]
        parameters[i] -= rate * step


@kernel
def rmsprop(parameters, gradient, square, rate, rho, epsilon):
    """s = rho s + (1 - rho) g^2;  p -= rate g / (sqrt(s) + epsilon)"""
    for i in range(parameters.size):
        square[i] = rho * square[i] + (1 - rho) * gradient[i] * gradient[i]
        parameters[i] -= rate * gradient[i] / (np.sqrt(square[i]) + epsilon)


@kernel
def adam(parameters, gradient, mean, square, rate, beta_1, beta_2, epsilon, step, decay):
    """Adam with bias correction; ``decay`` shrinks the parameters by rate * decay first (AdamW)"""
    correct_mean, correct_square = 1 - beta_1**step, 1 - beta_2**step
    for i in range(parameters.size):
        g = gradient[i]
        mean[i] = beta_1 * mean[i] + (1 - beta_1) * g
        square[i] = beta_2 * square[i] + (1 - beta_2) * g * g
        change = (mean[i] / correct_mean) / (np.sqrt(square[i] / correct_square) + epsilon)
        parameters[i] -= rate * (change + decay * parameters[i])
