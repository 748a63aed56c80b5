"""Two recurrent layers on the same sequences, one of which reads them from the end, and their outputs merged.

The outputs of the backward layer are turned round in time before they are merged, so that both belong to the same step.
As in Keras (and in PyTorch's padded sequences), sequences of outputs are zero at the steps that are masked; the layers
alone give the state that was kept.

kind, x, mask, return_sequences, activations : as ``recurrent`` has them; x and mask are in the order of time.
weights, initial_state : of the forward layer, then of the backward layer, in one list; ``initial_state`` may be None.
merge_mode : "concat" (forward first), "sum", "mul" or "ave".
"""

import numpy as np

from reference import recurrent


def forward(kind, x, weights, merge_mode, *, initial_state=None, **options):
    """The merged outputs."""
    first, second = _directions(kind, x, weights, initial_state, options)
    seen = _seen(options)
    if merge_mode == "concat":
        return seen * np.concatenate([first, second], axis=-1)
    if merge_mode == "mul":
        return seen * first * second
    return seen * (first + second) * (0.5 if merge_mode == "ave" else 1.0)


def backward(kind, x, weights, merge_mode, d_outputs, *, initial_state=None, **options):
    """Gradients of x, of all weights, and of all initial states."""
    first, second = _directions(kind, x, weights, initial_state, options)
    d_outputs = d_outputs * _seen(options)
    if merge_mode == "concat":
        d_first, d_second = np.split(d_outputs, 2, axis=-1)
    elif merge_mode == "mul":
        d_first, d_second = d_outputs * second, d_outputs * first
    else:
        d_first = d_second = d_outputs * (0.5 if merge_mode == "ave" else 1.0)
    if options.get("return_sequences"):
        d_second = d_second[:, ::-1]
    (one, other), (state, other_state) = _halves(weights), _halves(initial_state)
    found = recurrent.backward(kind, x, one, d_first, initial_state=state, **options)
    back = recurrent.backward(kind, x, other, d_second, initial_state=other_state, go_backwards=True, **options)
    return found.x + back.x, [*found.weights, *back.weights], [*found.initial_state, *back.initial_state]


def _directions(kind, x, weights, initial_state, options):
    """The outputs of both layers, in the order of time."""
    (one, other), (state, other_state) = _halves(weights), _halves(initial_state)
    first, _ = recurrent.forward(kind, x, one, initial_state=state, **options)
    second, _ = recurrent.forward(kind, x, other, initial_state=other_state, go_backwards=True, **options)
    return first, second[:, ::-1] if options.get("return_sequences") else second


def _seen(options):
    """What sequences of outputs are multiplied by: 0 at masked steps."""
    if options.get("mask") is None or not options.get("return_sequences"):
        return 1.0
    return options["mask"][:, :, None]


def _halves(items):
    if items is None:
        return None, None
    return items[: len(items) // 2], items[len(items) // 2 :]
