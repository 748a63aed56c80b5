"""Learning rates over steps (or epochs), counted from 0."""

import math


def constant(learning_rate, t):
    return learning_rate


def step(learning_rate, t, every, factor):
    """Multiplied by ``factor`` after each ``every`` steps."""
    return learning_rate * factor ** (t // every)


def cosine(learning_rate, t, total, minimum=0.0):
    """Half a cosine wave from ``learning_rate`` at 0 to ``minimum`` at ``total`` and after (Loshchilov 2017)."""
    if t >= total:
        return minimum
    return minimum + (learning_rate - minimum) * (1.0 + math.cos(math.pi * t / total)) / 2.0
