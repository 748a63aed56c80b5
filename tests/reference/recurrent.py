"""A recurrent layer over whole sequences: forward, and backpropagation through time.

Arguments of both functions
---------------------------
kind : a name in ``cells.STEPS``; "gru" has ``reset_after=True``, "gru_before" has not.
x : (B, T, F).
weights : kernel, recurrent_kernel, bias and for some cells own, as ``cells`` describes them.
initial_state : tuple of (B, H) arrays, ``(h,)``, for LSTMs ``(h, c)``, for "slstm" ``(h, c, n, m)``; None is zeros.
mask : (B, T) of bool. A step that is False keeps all states of its row, and its output is the h that was kept.
activation, recurrent_activation : names in ``activations``, of the state and of the gates ("rnn" has no gates).
go_backwards : x (and its mask) are reversed in time on entry; the outputs stay in the order of processing.
return_sequences : whether the outputs are (B, T, H), or the last one, (B, H).
input_mask : (B, F), multiplies x at every step (dropout).
state_mask : (B, H), multiplies the h that enters the recurrent product (recurrent dropout). The h that is carried, and
    that the GRU interpolates with, stays whole.

Everything is computed in float64.
"""

from typing import NamedTuple

import numpy as np

from reference.activations import DERIVATIVES, FUNCTIONS
from reference.cells import N_STATES, STEPS


class Gradients(NamedTuple):
    weights: tuple  # of kernel, recurrent_kernel, bias, own
    x: np.ndarray  # (B, T, F)
    initial_state: tuple  # of (B, H) arrays, one per state


class Sequences(NamedTuple):
    """The arguments in float64, in the order of processing, with what was left out filled in."""

    x: np.ndarray
    weights: tuple
    states: tuple
    mask: np.ndarray
    input_mask: np.ndarray
    state_mask: np.ndarray


def forward(
    kind,
    x,
    weights,
    *,
    initial_state=None,
    mask=None,
    activation="tanh",
    recurrent_activation="sigmoid",
    go_backwards=False,
    return_sequences=False,
    input_mask=None,
    state_mask=None,
):
    """Outputs, and the tuple of final states."""
    given = _prepare(kind, x, weights, initial_state, mask, go_backwards, input_mask, state_mask)
    history = _states_over_time(kind, given, FUNCTIONS[activation], FUNCTIONS[recurrent_activation])
    final_states = history[-1]
    if not return_sequences:
        return final_states[0], final_states
    B, T, _ = given.x.shape
    outputs = np.zeros((B, T, given.state_mask.shape[1]))
    for t in range(T):
        outputs[:, t] = history[t + 1][0]
    return outputs, final_states


def backward(
    kind,
    x,
    weights,
    d_outputs,
    *,
    d_final_states=None,
    initial_state=None,
    mask=None,
    activation="tanh",
    recurrent_activation="sigmoid",
    go_backwards=False,
    return_sequences=False,
    input_mask=None,
    state_mask=None,
):
    """Gradients of a loss whose gradients at the outputs (and at the final states, if given) are ``d_outputs``."""
    given = _prepare(kind, x, weights, initial_state, mask, go_backwards, input_mask, state_mask)
    f, df = FUNCTIONS[activation], DERIVATIVES[activation]
    g, dg = FUNCTIONS[recurrent_activation], DERIVATIVES[recurrent_activation]
    step_backward = STEPS[kind][1]
    history = _states_over_time(kind, given, f, g)

    d_weights = [np.zeros_like(weight) for weight in given.weights]
    d_x = np.zeros_like(given.x)
    d_states = [np.zeros_like(state) for state in given.states]
    if d_final_states is not None:
        d_states = [np.array(d_state, dtype=np.float64) for d_state in d_final_states]
    if not return_sequences:
        d_states[0] = d_states[0] + d_outputs

    T = given.x.shape[1]
    for t in reversed(range(T)):
        if return_sequences:
            d_states[0] = d_states[0] + d_outputs[:, t]
        # A masked row did not take the step: its gradient goes past it, to the states before.
        active = given.mask[:, t, None]
        d_through_step = tuple(np.where(active, d_state, 0.0) for d_state in d_states)
        d_past_step = tuple(np.where(active, 0.0, d_state) for d_state in d_states)

        states = history[t]
        xm, hm = given.x[:, t] * given.input_mask, states[0] * given.state_mask
        d_xm, d_hm, d_previous, d_weights_here = step_backward(
            xm, hm, states, given.weights, f, g, df, dg, d_through_step
        )
        d_x[:, t] = d_xm * given.input_mask
        d_states = [before + past for before, past in zip(d_previous, d_past_step, strict=True)]
        d_states[0] = d_states[0] + d_hm * given.state_mask
        d_weights = [total + part for total, part in zip(d_weights, d_weights_here, strict=True)]

    if go_backwards:
        d_x = d_x[:, ::-1]
    return Gradients(tuple(d_weights), d_x, tuple(d_states))


def _states_over_time(kind, given, f, g):
    """The states before the first step and after each step: T + 1 tuples."""
    step_forward = STEPS[kind][0]
    history = [given.states]
    for t in range(given.x.shape[1]):
        before = history[-1]
        xm, hm = given.x[:, t] * given.input_mask, before[0] * given.state_mask
        after = step_forward(xm, hm, before, given.weights, f, g)
        active = given.mask[:, t, None]
        history.append(tuple(np.where(active, new, old) for new, old in zip(after, before, strict=True)))
    return history


def _prepare(kind, x, weights, initial_state, mask, go_backwards, input_mask, state_mask):
    x = np.asarray(x, dtype=np.float64)
    weights = tuple(np.asarray(weight, dtype=np.float64) for weight in weights)
    B, T, F = x.shape
    H = weights[1].shape[0]
    if initial_state is None:
        initial_state = tuple(np.zeros((B, H)) for _ in range(N_STATES[kind]))
    states = tuple(np.asarray(state, dtype=np.float64) for state in initial_state)
    mask = np.ones((B, T), dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if go_backwards:
        x, mask = x[:, ::-1], mask[:, ::-1]
    input_mask = np.ones((B, F)) if input_mask is None else np.asarray(input_mask, dtype=np.float64)
    state_mask = np.ones((B, H)) if state_mask is None else np.asarray(state_mask, dtype=np.float64)
    assert len(states) == N_STATES[kind]
    assert all(state.shape == (B, H) for state in states)
    assert mask.shape == (B, T) and input_mask.shape == (B, F) and state_mask.shape == (B, H)
    return Sequences(x, weights, states, mask, input_mask, state_mask)
