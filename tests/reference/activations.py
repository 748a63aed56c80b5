"""The activation functions and their derivatives, both in terms of the input (the value before the activation)."""

import numpy as np


def tanh(a):
    return np.tanh(a)


def d_tanh(a):
    return 1.0 - np.tanh(a) ** 2


def sigmoid(a):
    decay = np.exp(-np.abs(a))  # never overflows
    return np.where(a >= 0, 1.0 / (1.0 + decay), decay / (1.0 + decay))


def d_sigmoid(a):
    return sigmoid(a) * (1.0 - sigmoid(a))


def hard_sigmoid(a):
    """Keras 3: ``relu6(a + 3) / 6``; Keras 2 had ``clip(0.2 * a + 0.5, 0, 1)``."""
    return np.clip(a + 3.0, 0.0, 6.0) / 6.0


def d_hard_sigmoid(a):
    return np.where((a > -3.0) & (a < 3.0), 1.0 / 6.0, 0.0)


def relu(a):
    return np.maximum(a, 0.0)


def d_relu(a):
    return np.where(a > 0.0, 1.0, 0.0)


def softsign(a):
    return a / (1.0 + np.abs(a))


def d_softsign(a):
    return 1.0 / (1.0 + np.abs(a)) ** 2


def linear(a):
    return np.asarray(a)


def d_linear(a):
    return np.ones_like(a)


FUNCTIONS = {
    "tanh": tanh,
    "sigmoid": sigmoid,
    "hard_sigmoid": hard_sigmoid,
    "relu": relu,
    "softsign": softsign,
    "linear": linear,
}

DERIVATIVES = {
    "tanh": d_tanh,
    "sigmoid": d_sigmoid,
    "hard_sigmoid": d_hard_sigmoid,
    "relu": d_relu,
    "softsign": d_softsign,
    "linear": d_linear,
}

# Where the derivative jumps: a difference quotient means nothing within its own step of these inputs.
KINKS = {"tanh": (), "sigmoid": (), "hard_sigmoid": (-3.0, 3.0), "relu": (0.0,), "softsign": (), "linear": ()}
