"""One step of each optimizer: from parameters, gradients and state (at first zeros) to new parameters and new state."""

import numpy as np


def sgd(p, g, buffer, *, learning_rate, momentum=0.0, nesterov=False):
    """PyTorch's formula (the learning rate is outside of the buffer). Gives p and buffer.

    ``buffer = momentum * buffer + g``; the step is ``buffer``, or with Nesterov ``g + momentum * buffer``.
    """
    buffer = momentum * buffer + g
    step = g + momentum * buffer if nesterov else buffer
    return p - learning_rate * step, buffer


def rmsprop(p, g, v, *, learning_rate, rho=0.9, eps=1e-7):
    """PyTorch's formula (eps outside of the root; Keras 3 has it inside) with Keras' defaults. Gives p and v."""
    v = rho * v + (1.0 - rho) * g**2
    return p - learning_rate * g / (np.sqrt(v) + eps), v


def adam(p, g, m, v, t, *, learning_rate, beta_1=0.9, beta_2=0.999, eps=1e-8):
    """Kingma and Ba 2015, algorithm 1, as PyTorch; step t counts from 1. Gives p, m and v."""
    m = beta_1 * m + (1.0 - beta_1) * g
    v = beta_2 * v + (1.0 - beta_2) * g**2
    m_hat = m / (1.0 - beta_1**t)
    v_hat = v / (1.0 - beta_2**t)
    return p - learning_rate * m_hat / (np.sqrt(v_hat) + eps), m, v


def adamw(p, g, m, v, t, *, learning_rate, weight_decay, **rates):
    """Adam, with the parameters shrunk by ``learning_rate * weight_decay`` first (Loshchilov and Hutter 2019)."""
    return adam(p - learning_rate * weight_decay * p, g, m, v, t, learning_rate=learning_rate, **rates)


def with_l2(p, g, weight_decay):
    """The gradient with that of ``weight_decay / 2 * sum(p**2)`` added: PyTorch's weight decay for all but AdamW."""
    return g + weight_decay * p


def clip_by_global_norm(gradients, max_norm):
    """All gradients scaled by one factor, so that their joint Euclidean norm is ``max_norm`` at most."""
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
    factor = min(1.0, max_norm / norm) if norm > 0.0 else 1.0
    return [factor * g for g in gradients]
