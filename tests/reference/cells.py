"""One step of each recurrent cell, forward and backward, on a batch of rows.

Weights are in Keras' order and shapes: ``kernel (F, G*H)``, ``recurrent_kernel (H, G*H)`` and ``bias (G*H,)``, where
G is 1 for the simple cell, 4 for the LSTM (gates i, f, c, o) and 3 for the GRU (gates z, r, h). The GRU with
``reset_after=True`` has a ``bias (2, 3H)``: the first row goes with the input, the second with the recurrent product.
Cells that Keras has not (in ``other_cells``) follow its style; what else they learn is an array ``own (rows, H)``.

Each ``*_forward(x, hm, states, weights, f, g)`` takes the input ``x (B, F)`` and the state ``hm (B, H)`` that enters
the recurrent product, both already multiplied by their dropout masks, the states ``(h,)``, ``(h, c)`` or ``(h, c, n,
m)`` as they are carried, and the activation ``f`` of the state and ``g`` of the gates. It gives the new states.

Each ``*_backward(x, hm, states, weights, f, g, df, dg, d_new)`` takes the same, the derivatives of the activations, and
the gradients of the new states. It computes the step again and gives the gradients of ``x``, of ``hm``, of the carried
states (without the part that comes through ``hm``) and of the weights.
"""

import numpy as np

from reference import other_cells as others


def rnn_forward(x, hm, states, weights, f, g):
    kernel, recurrent_kernel, bias = weights
    return (f(x @ kernel + hm @ recurrent_kernel + bias),)


def rnn_backward(x, hm, states, weights, f, g, df, dg, d_new):
    kernel, recurrent_kernel, bias = weights
    (d_h_new,) = d_new

    a = x @ kernel + hm @ recurrent_kernel + bias
    d_a = d_h_new * df(a)

    d_x = d_a @ kernel.T
    d_hm = d_a @ recurrent_kernel.T
    d_h = np.zeros_like(hm)
    d_weights = (x.T @ d_a, hm.T @ d_a, d_a.sum(axis=0))
    return d_x, d_hm, (d_h,), d_weights


def lstm_forward(x, hm, states, weights, f, g):
    kernel, recurrent_kernel, bias = weights
    _, c = states

    a_i, a_f, a_c, a_o = np.split(x @ kernel + hm @ recurrent_kernel + bias, 4, axis=1)
    c_new = g(a_f) * c + g(a_i) * f(a_c)
    h_new = g(a_o) * f(c_new)
    return h_new, c_new


def lstm_backward(x, hm, states, weights, f, g, df, dg, d_new):
    kernel, recurrent_kernel, bias = weights
    h, c = states
    d_h_new, d_c_new = d_new

    a_i, a_f, a_c, a_o = np.split(x @ kernel + hm @ recurrent_kernel + bias, 4, axis=1)
    c_new = g(a_f) * c + g(a_i) * f(a_c)

    # h_new = g(a_o) * f(c_new)
    d_a_o = d_h_new * f(c_new) * dg(a_o)
    d_c_new = d_c_new + d_h_new * g(a_o) * df(c_new)
    # c_new = g(a_f) * c + g(a_i) * f(a_c)
    d_a_f = d_c_new * c * dg(a_f)
    d_a_i = d_c_new * f(a_c) * dg(a_i)
    d_a_c = d_c_new * g(a_i) * df(a_c)
    d_c = d_c_new * g(a_f)

    d_a = np.concatenate([d_a_i, d_a_f, d_a_c, d_a_o], axis=1)
    d_x = d_a @ kernel.T
    d_hm = d_a @ recurrent_kernel.T
    d_h = np.zeros_like(h)
    d_weights = (x.T @ d_a, hm.T @ d_a, d_a.sum(axis=0))
    return d_x, d_hm, (d_h, d_c), d_weights


def gru_forward(x, hm, states, weights, f, g):
    """The reset gate acts after the recurrent product (``reset_after=True``)."""
    kernel, recurrent_kernel, (input_bias, recurrent_bias) = weights
    (h,) = states

    x_z, x_r, x_h = np.split(x @ kernel + input_bias, 3, axis=1)
    h_z, h_r, h_h = np.split(hm @ recurrent_kernel + recurrent_bias, 3, axis=1)
    z = g(x_z + h_z)
    r = g(x_r + h_r)
    candidate = f(x_h + r * h_h)
    return (z * h + (1.0 - z) * candidate,)


def gru_backward(x, hm, states, weights, f, g, df, dg, d_new):
    kernel, recurrent_kernel, (input_bias, recurrent_bias) = weights
    (h,) = states
    (d_h_new,) = d_new

    x_z, x_r, x_h = np.split(x @ kernel + input_bias, 3, axis=1)
    h_z, h_r, h_h = np.split(hm @ recurrent_kernel + recurrent_bias, 3, axis=1)
    z = g(x_z + h_z)
    r = g(x_r + h_r)
    candidate = f(x_h + r * h_h)

    # h_new = z * h + (1 - z) * candidate
    d_h = d_h_new * z
    d_z = d_h_new * (h - candidate)
    d_candidate = d_h_new * (1.0 - z)
    # candidate = f(x_h + r * h_h)
    d_x_h = d_candidate * df(x_h + r * h_h)
    d_r = d_x_h * h_h
    d_h_h = d_x_h * r
    # r = g(x_r + h_r) and z = g(x_z + h_z)
    d_a_r = d_r * dg(x_r + h_r)
    d_a_z = d_z * dg(x_z + h_z)

    d_from_input = np.concatenate([d_a_z, d_a_r, d_x_h], axis=1)
    d_from_state = np.concatenate([d_a_z, d_a_r, d_h_h], axis=1)
    d_x = d_from_input @ kernel.T
    d_hm = d_from_state @ recurrent_kernel.T
    d_bias = np.stack([d_from_input.sum(axis=0), d_from_state.sum(axis=0)])
    return d_x, d_hm, (d_h,), (x.T @ d_from_input, hm.T @ d_from_state, d_bias)


def gru_before_forward(x, hm, states, weights, f, g):
    """The reset gate acts on the state, before the recurrent product (``reset_after=False``)."""
    kernel, recurrent_kernel, bias = weights
    (h,) = states
    u_z, u_r, u_h = np.split(recurrent_kernel, 3, axis=1)

    x_z, x_r, x_h = np.split(x @ kernel + bias, 3, axis=1)
    z = g(x_z + hm @ u_z)
    r = g(x_r + hm @ u_r)
    candidate = f(x_h + (r * hm) @ u_h)
    return (z * h + (1.0 - z) * candidate,)


def gru_before_backward(x, hm, states, weights, f, g, df, dg, d_new):
    kernel, recurrent_kernel, bias = weights
    (h,) = states
    (d_h_new,) = d_new
    u_z, u_r, u_h = np.split(recurrent_kernel, 3, axis=1)

    x_z, x_r, x_h = np.split(x @ kernel + bias, 3, axis=1)
    z = g(x_z + hm @ u_z)
    r = g(x_r + hm @ u_r)
    a_h = x_h + (r * hm) @ u_h
    candidate = f(a_h)

    # h_new = z * h + (1 - z) * candidate
    d_h = d_h_new * z
    d_z = d_h_new * (h - candidate)
    d_a_h = d_h_new * (1.0 - z) * df(a_h)
    # a_h = x_h + (r * hm) @ u_h
    d_reset_state = d_a_h @ u_h.T
    d_r = d_reset_state * hm
    # r = g(x_r + hm @ u_r) and z = g(x_z + hm @ u_z)
    d_a_r = d_r * dg(x_r + hm @ u_r)
    d_a_z = d_z * dg(x_z + hm @ u_z)

    d_a = np.concatenate([d_a_z, d_a_r, d_a_h], axis=1)
    d_x = d_a @ kernel.T
    d_hm = d_reset_state * r + d_a_z @ u_z.T + d_a_r @ u_r.T
    d_recurrent_kernel = np.concatenate([hm.T @ d_a_z, hm.T @ d_a_r, (r * hm).T @ d_a_h], axis=1)
    return d_x, d_hm, (d_h,), (x.T @ d_a, d_recurrent_kernel, d_a.sum(axis=0))


STEPS = {
    "rnn": (rnn_forward, rnn_backward),
    "lstm": (lstm_forward, lstm_backward),
    "gru": (gru_forward, gru_backward),
    "gru_before": (gru_before_forward, gru_before_backward),
    "jordan": (others.jordan_forward, others.jordan_backward),
    "peephole_lstm": (others.peephole_lstm_forward, others.peephole_lstm_backward),
    "minimal_gru": (others.minimal_gru_forward, others.minimal_gru_backward),
    "slstm": (others.slstm_forward, others.slstm_backward),
}

N_GATES = {
    "rnn": 1,
    "lstm": 4,
    "gru": 3,
    "gru_before": 3,
    "jordan": 1,
    "peephole_lstm": 4,
    "minimal_gru": 2,
    "slstm": 4,
}
N_RECURRENT = N_GATES | {"jordan": 2}
N_OWN = {"jordan": 1, "peephole_lstm": 3}
N_STATES = dict.fromkeys(STEPS, 1) | {"lstm": 2, "peephole_lstm": 2, "slstm": 4}


def weight_shapes(kind, F, H):
    """Shapes of kernel, recurrent kernel, bias and, for cells that have it, own, for F inputs and H units."""
    width = N_GATES[kind] * H
    own = ((N_OWN[kind], H),) if kind in N_OWN else ()
    return (F, width), (H, N_RECURRENT[kind] * H), ((2, width) if kind == "gru" else (width,)), *own


def random_states(kind, rng, *shape):
    """States that a sequence can start from: what a normaliser holds is above zero."""
    states = [rng.normal(size=shape) for _ in range(N_STATES[kind])]
    return tuple(np.abs(state) + 0.5 if kind == "slstm" and row == 2 else state for row, state in enumerate(states))
