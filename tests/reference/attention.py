"""Attention over the steps of a sequence, forward and backward, in float64.

x (B, T, F), mask (B, T) of bool or None. ``additive`` has kernel (F, U), bias (U,) and query (U,); ``dot`` has none,
its query is the last step that counts. A sequence of which no step counts gives zeros.
"""

import numpy as np


def weights_of(kind, x, parameters=(), mask=None):
    """(B, T): the softmax of the scores over the steps that count."""
    scores, counts = np.zeros(x.shape[:2]), np.ones(x.shape[:2], bool) if mask is None else mask
    for b in range(len(x)):
        for t in range(x.shape[1]):
            if kind == "additive":
                kernel, bias, query = parameters
                scores[b, t] = query @ np.tanh(x[b, t] @ kernel + bias)
            else:
                scores[b, t] = x[b, t] @ x[b, last_of(counts[b])] / np.sqrt(x.shape[2])
    weights = np.zeros_like(scores)
    for b in range(len(x)):
        if counts[b].any():
            powers = np.exp(scores[b, counts[b]] - scores[b, counts[b]].max())
            weights[b, counts[b]] = powers / powers.sum()
    return weights


def last_of(counts):
    """The last step that counts."""
    return np.flatnonzero(counts)[-1] if counts.any() else 0


def forward(kind, x, parameters=(), mask=None):
    """(B, F)"""
    return np.einsum("bt,btf->bf", weights_of(kind, x, parameters, mask), x)


def backward(kind, x, d_y, parameters=(), mask=None):
    """Gradients of x and of the parameters."""
    weights = weights_of(kind, x, parameters, mask)
    d_weights = np.einsum("bf,btf->bt", d_y, x)
    d_scores = weights * (d_weights - (weights * d_weights).sum(axis=1, keepdims=True))
    d_x = weights[:, :, None] * d_y[:, None]
    if kind == "additive":
        kernel, bias, query = parameters
        keys = np.tanh(x @ kernel + bias)
        d_sums = d_scores[:, :, None] * query * (1 - keys**2)
        d_kernel, d_bias = np.einsum("btf,btu->fu", x, d_sums), d_sums.sum(axis=(0, 1))
        return d_x + d_sums @ kernel.T, (d_kernel, d_bias, np.einsum("bt,btu->u", d_scores, keys))
    scale = 1 / np.sqrt(x.shape[2])
    for b in range(len(x)):
        last = last_of(np.ones(x.shape[1], bool) if mask is None else mask[b])
        query = x[b, last]
        d_x[b] += scale * d_scores[b, :, None] * query
        d_x[b, last] += scale * d_scores[b] @ x[b]
    return d_x, ()
