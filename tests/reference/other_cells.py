"""Cells that Keras has not, with the arguments and results that ``cells`` describes."""

import numpy as np


def jordan_forward(x, hm, states, weights, f, g):
    """The state is the output y; ``recurrent_kernel`` is [U, V]: from the last y to the hidden layer, and on."""
    kernel, recurrent_kernel, bias, (output_bias,) = weights
    u, v = np.split(recurrent_kernel, 2, axis=1)
    return (g(f(x @ kernel + hm @ u + bias) @ v + output_bias),)


def jordan_backward(x, hm, states, weights, f, g, df, dg, d_new):
    kernel, recurrent_kernel, bias, (output_bias,) = weights
    u, v = np.split(recurrent_kernel, 2, axis=1)
    (d_y,) = d_new

    a_hidden = x @ kernel + hm @ u + bias
    hidden = f(a_hidden)
    d_a_output = d_y * dg(hidden @ v + output_bias)
    d_a_hidden = (d_a_output @ v.T) * df(a_hidden)

    d_recurrent_kernel = np.concatenate([hm.T @ d_a_hidden, hidden.T @ d_a_output], axis=1)
    d_weights = (x.T @ d_a_hidden, d_recurrent_kernel, d_a_hidden.sum(axis=0), d_a_output.sum(axis=0)[None])
    return d_a_hidden @ kernel.T, d_a_hidden @ u.T, (np.zeros_like(hm),), d_weights


def peephole_lstm_forward(x, hm, states, weights, f, g):
    """``own`` holds the peepholes of i, f and o; o sees the new cell, the others the old one."""
    kernel, recurrent_kernel, bias, (p_i, p_f, p_o) = weights
    _, c = states

    a_i, a_f, a_c, a_o = np.split(x @ kernel + hm @ recurrent_kernel + bias, 4, axis=1)
    c_new = g(a_f + p_f * c) * c + g(a_i + p_i * c) * f(a_c)
    return g(a_o + p_o * c_new) * f(c_new), c_new


def peephole_lstm_backward(x, hm, states, weights, f, g, df, dg, d_new):
    kernel, recurrent_kernel, bias, (p_i, p_f, p_o) = weights
    h, c = states
    d_h_new, d_c_new = d_new

    a_i, a_f, a_c, a_o = np.split(x @ kernel + hm @ recurrent_kernel + bias, 4, axis=1)
    a_i, a_f = a_i + p_i * c, a_f + p_f * c
    c_new = g(a_f) * c + g(a_i) * f(a_c)
    a_o = a_o + p_o * c_new

    # h_new = g(a_o) * f(c_new)
    d_a_o = d_h_new * f(c_new) * dg(a_o)
    d_c_new = d_c_new + d_h_new * g(a_o) * df(c_new) + d_a_o * p_o
    # c_new = g(a_f) * c + g(a_i) * f(a_c)
    d_a_f = d_c_new * c * dg(a_f)
    d_a_i = d_c_new * f(a_c) * dg(a_i)
    d_a_c = d_c_new * g(a_i) * df(a_c)
    d_c = d_c_new * g(a_f) + d_a_i * p_i + d_a_f * p_f

    d_a = np.concatenate([d_a_i, d_a_f, d_a_c, d_a_o], axis=1)
    d_own = np.stack([(d_a_i * c).sum(axis=0), (d_a_f * c).sum(axis=0), (d_a_o * c_new).sum(axis=0)])
    d_weights = (x.T @ d_a, hm.T @ d_a, d_a.sum(axis=0), d_own)
    return d_a @ kernel.T, d_a @ recurrent_kernel.T, (np.zeros_like(h), d_c), d_weights


def minimal_gru_forward(x, hm, states, weights, f, g):
    """One gate in the place of both of the GRU; gates f, h."""
    kernel, recurrent_kernel, bias = weights
    (h,) = states
    u_f, u_h = np.split(recurrent_kernel, 2, axis=1)

    x_f, x_h = np.split(x @ kernel + bias, 2, axis=1)
    gate = g(x_f + hm @ u_f)
    return ((1.0 - gate) * h + gate * f(x_h + (gate * hm) @ u_h),)


def minimal_gru_backward(x, hm, states, weights, f, g, df, dg, d_new):
    kernel, recurrent_kernel, bias = weights
    (h,) = states
    (d_h_new,) = d_new
    u_f, u_h = np.split(recurrent_kernel, 2, axis=1)

    x_f, x_h = np.split(x @ kernel + bias, 2, axis=1)
    a_f = x_f + hm @ u_f
    gate = g(a_f)
    a_h = x_h + (gate * hm) @ u_h

    d_a_h = d_h_new * gate * df(a_h)
    d_gated = d_a_h @ u_h.T
    d_a_f = (d_h_new * (f(a_h) - h) + d_gated * hm) * dg(a_f)

    d_a = np.concatenate([d_a_f, d_a_h], axis=1)
    d_recurrent_kernel = np.concatenate([hm.T @ d_a_f, (gate * hm).T @ d_a_h], axis=1)
    d_hm = d_a_f @ u_f.T + d_gated * gate
    return d_a @ kernel.T, d_hm, (d_h_new * (1.0 - gate),), (x.T @ d_a, d_recurrent_kernel, d_a.sum(axis=0))


def slstm_forward(x, hm, states, weights, f, g):
    """The input gate is an exponential; c and n are relative to exp(m). Gates i, f, z, o."""
    kernel, recurrent_kernel, bias = weights
    _, c, n, m = states

    a_i, a_f, a_z, a_o = np.split(x @ kernel + hm @ recurrent_kernel + bias, 4, axis=1)
    kept = m - np.logaddexp(0.0, -a_f)  # m + log(sigmoid(a_f))
    m_new = np.where(n == 0.0, a_i, np.maximum(kept, a_i))
    gate_i, gate_f = np.exp(a_i - m_new), np.where(n == 0.0, 0.0, np.exp(np.minimum(kept - m_new, 0.0)))
    c_new = gate_f * c + gate_i * f(a_z)
    n_new = gate_f * n + gate_i
    return g(a_o) * c_new / n_new, c_new, n_new, m_new


def slstm_backward(x, hm, states, weights, f, g, df, dg, d_new):
    kernel, recurrent_kernel, bias = weights
    h, c, n, m = states
    d_h_new, d_c_new, d_n_new, d_m_new = d_new

    a_i, a_f, a_z, a_o = np.split(x @ kernel + hm @ recurrent_kernel + bias, 4, axis=1)
    kept = m - np.logaddexp(0.0, -a_f)
    older = (n != 0.0) & (kept > a_i)  # m_new = kept
    m_new = np.where(older, kept, a_i)
    gate_i, gate_f = np.exp(a_i - m_new), np.where(n == 0.0, 0.0, np.exp(np.minimum(kept - m_new, 0.0)))
    c_new, n_new = gate_f * c + gate_i * f(a_z), gate_f * n + gate_i

    # h_new = g(a_o) * c_new / n_new
    d_a_o = d_h_new * c_new / n_new * dg(a_o)
    d_c_new = d_c_new + d_h_new * g(a_o) / n_new
    d_n_new = d_n_new - d_h_new * g(a_o) * c_new / n_new**2
    # c_new = gate_f * c + gate_i * f(a_z) and n_new = gate_f * n + gate_i
    d_exponent_f = (d_c_new * c + d_n_new * n) * gate_f
    d_exponent_i = (d_c_new * f(a_z) + d_n_new) * gate_i
    d_a_z = d_c_new * gate_i * df(a_z)
    # gate_i = exp(a_i - m_new) and gate_f = exp(kept - m_new)
    d_m_new = d_m_new - d_exponent_i - d_exponent_f
    d_a_i = d_exponent_i + np.where(older, 0.0, d_m_new)
    d_kept = d_exponent_f + np.where(older, d_m_new, 0.0)
    d_a_f = d_kept / (1.0 + np.exp(a_f))

    d_a = np.concatenate([d_a_i, d_a_f, d_a_z, d_a_o], axis=1)
    d_states = (np.zeros_like(h), d_c_new * gate_f, d_n_new * gate_f, d_kept)
    return d_a @ kernel.T, d_a @ recurrent_kernel.T, d_states, (x.T @ d_a, hm.T @ d_a, d_a.sum(axis=0))
