"""Layers without time, forward and backward."""

import numpy as np

from reference.activations import DERIVATIVES, FUNCTIONS


def dense_forward(x, kernel, bias, activation="linear"):
    """x (..., F), kernel (F, C), bias (C,) -> (..., C)."""
    return FUNCTIONS[activation](np.asarray(x, dtype=np.float64) @ kernel + bias)


def dense_backward(x, kernel, bias, d_y, activation="linear"):
    """Gradients of x, kernel and bias."""
    x = np.asarray(x, dtype=np.float64)
    d_a = d_y * DERIVATIVES[activation](x @ kernel + bias)
    d_x = d_a @ np.transpose(kernel)
    rows, d_rows = x.reshape(-1, x.shape[-1]), d_a.reshape(-1, d_a.shape[-1])
    return d_x, rows.T @ d_rows, d_rows.sum(axis=0)


def dropout_forward(x, mask):
    """``mask`` is 0 where an element is dropped and 1 / keep elsewhere."""
    return x * mask


def dropout_backward(mask, d_y):
    return d_y * mask


def flatten_forward(x):
    """(B, T, F) -> (B, T * F), time outermost."""
    B = x.shape[0]
    return x.reshape(B, int(np.prod(x.shape[1:])))


def flatten_backward(x, d_y):
    return d_y.reshape(x.shape)
