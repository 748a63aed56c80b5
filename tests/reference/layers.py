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


def conv1d_padding(steps, size, strides=1, padding="valid", dilation_rate=1):
    """Zeros before the first step and after the last."""
    span = (size - 1) * dilation_rate + 1
    if padding == "causal":
        return span - 1, 0
    if padding == "valid":
        return 0, 0
    missing = span - strides if steps % strides == 0 else span - steps % strides
    return max(missing, 0) // 2, max(missing, 0) - max(missing, 0) // 2


def _conv1d_patches(x, size, strides, padding, dilation_rate):
    """(B, T', K, F): what each output step sees; and which steps of the padded input that is, (T', K)."""
    before_after = conv1d_padding(x.shape[1], size, strides, padding, dilation_rate)
    whole = np.pad(np.asarray(x, dtype=np.float64), [(0, 0), before_after, (0, 0)])
    starts = np.arange(0, whole.shape[1] - (size - 1) * dilation_rate, strides)
    seen = starts[:, None] + np.arange(size) * dilation_rate
    return whole[:, seen], seen, before_after[0]


def conv1d_forward(x, kernel, bias, strides=1, padding="valid", dilation_rate=1, activation="linear"):
    """x (B, T, F), kernel (K, F, C), bias (C,) -> (B, T', C)."""
    patches, _, _ = _conv1d_patches(x, len(kernel), strides, padding, dilation_rate)
    return FUNCTIONS[activation](np.einsum("btkf,kfc->btc", patches, kernel) + bias)


def conv1d_backward(x, kernel, bias, d_y, strides=1, padding="valid", dilation_rate=1, activation="linear"):
    """Gradients of x, kernel and bias."""
    patches, seen, before = _conv1d_patches(x, len(kernel), strides, padding, dilation_rate)
    d_a = d_y * DERIVATIVES[activation](np.einsum("btkf,kfc->btc", patches, kernel) + bias)
    d_whole = np.zeros((len(x), before + x.shape[1] + seen.max() + 1, x.shape[2]))
    for t, steps in enumerate(seen):
        for k, step in enumerate(steps):
            d_whole[:, step] += d_a[:, t] @ np.transpose(kernel[k])
    d_x = d_whole[:, before : before + x.shape[1]]
    return d_x, np.einsum("btkf,btc->kfc", patches, d_a), d_a.sum(axis=(0, 1))


def _pools(x, size, strides):
    """(B, T', size, F)."""
    starts = np.arange(0, x.shape[1] - size + 1, strides or size)
    return starts, np.asarray(x, dtype=np.float64)[:, starts[:, None] + np.arange(size)]


def max_pool_forward(x, size, strides=None):
    """(B, T, F) -> (B, T', F)."""
    return _pools(x, size, strides)[1].max(axis=2)


def max_pool_backward(x, d_y, size, strides=None):
    starts, pools = _pools(x, size, strides)
    d_x, places = np.zeros(x.shape), pools.argmax(axis=2)
    for (b, t, f), place in np.ndenumerate(places):
        d_x[b, starts[t] + place, f] += d_y[b, t, f]
    return d_x


def average_pool_forward(x, size, strides=None):
    """(B, T, F) -> (B, T', F)."""
    return _pools(x, size, strides)[1].mean(axis=2)


def average_pool_backward(x, d_y, size, strides=None):
    d_x = np.zeros(x.shape)
    for t, start in enumerate(_pools(x, size, strides)[0]):
        d_x[:, start : start + size] += d_y[:, t, None] / size
    return d_x


def global_average_forward(x, mask=None):
    """(B, T, F) -> (B, F), over the steps where ``mask`` (B, T) is True; zero where there is none."""
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    means = np.zeros((len(x), x.shape[2]))
    for mean, row, seen in zip(means, x, mask, strict=True):
        if seen.any():
            mean[:] = row[seen].mean(axis=0, dtype=np.float64)
    return means


def global_average_backward(x, d_y, mask=None):
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    d_x = np.zeros(x.shape)
    for row, seen, d_row in zip(d_x, mask, d_y, strict=True):
        row[seen] = d_row / max(seen.sum(), 1)
    return d_x


def layer_norm_forward(x, gamma, beta, epsilon=1e-3):
    """x (..., F), gamma (F,), beta (F,) -> (..., F)."""
    x = np.asarray(x, dtype=np.float64)
    return gamma * (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + epsilon) + beta


def layer_norm_backward(x, gamma, beta, d_y, epsilon=1e-3):
    """Gradients of x, gamma and beta: through the whole Jacobian of each step."""
    x, F = np.asarray(x, dtype=np.float64), x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    normal, centring = centred / deviation, np.eye(F) - 1 / F
    d_normal = d_y * gamma
    jacobian = (
        centring / deviation[..., None] - centred[..., :, None] * centred[..., None, :] / deviation[..., None] ** 3 / F
    )
    d_x = np.einsum("...i,...ij->...j", d_normal, jacobian)
    axes = tuple(range(x.ndim - 1))
    return d_x, (d_y * normal).sum(axis=axes), d_y.sum(axis=axes)


def repeat_forward(x, n):
    """(B, 1, F) -> (B, n, F)."""
    return np.repeat(x, n, axis=1)


def repeat_backward(d_y):
    return d_y.sum(axis=1, keepdims=True)


def embedding_forward(tokens, table):
    """tokens (B, T), table (N, F) -> (B, T, F)."""
    return np.asarray(table, dtype=np.float64)[np.asarray(tokens, dtype=int)]


def embedding_backward(tokens, table, d_y):
    """Gradient of the table."""
    d_table = np.zeros(table.shape)
    for token, row in zip(np.asarray(tokens, dtype=int).ravel(), d_y.reshape(-1, d_y.shape[-1]), strict=True):
        d_table[token] += row
    return d_table
