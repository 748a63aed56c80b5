"""An encoder and a decoder of recurrent layers, forward and backward, step by step.

Arguments
---------
kind : as in ``recurrent``.
x : (B, T, F), of which the first C features are what is forecast.
encoder, decoder : a list with the weights of each layer; both have the same cells and widths.
dense : kernel (H, C) and bias (C,).
options : for the encoder's recurrent layers, e.g. ``go_backwards``.
"""

import numpy as np

from reference import layers, recurrent


def encode(kind, x, encoder, **options):
    """What each layer reads, and the states that it ends with."""
    inputs, ends = [], []
    for weights in encoder:
        inputs.append(x)
        x, end = recurrent.forward(kind, x, weights, return_sequences=True, **options)
        ends.append(end)
    return inputs, ends


def forward(kind, x, encoder, decoder, dense, steps, truth=None, chosen=None, **options):
    """Outputs and what was fed, (B, steps, C): of ``truth`` where ``chosen`` (B, steps), else the output before."""
    _, states = encode(kind, x, encoder, **options)
    fed, outputs = [np.asarray(x, np.float64)[:, -1, : len(dense[1])]], []
    for step in range(steps):
        y = fed[-1][:, None]
        for i, weights in enumerate(decoder):
            y, states[i] = recurrent.forward(kind, y, weights, initial_state=states[i], return_sequences=True)
        outputs.append(layers.dense_forward(y[:, 0], *dense))
        fed.append(outputs[-1] if chosen is None else np.where(chosen[:, step, None], truth[:, step], outputs[-1]))
    return np.stack(outputs, 1), np.stack(fed[:-1], 1)


def of_fed(kind, x, encoder, decoder, dense, fed, **options):
    """The outputs where ``fed`` is given, and what each of the decoder's layers and the dense one reads."""
    _, states = encode(kind, x, encoder, **options)
    inputs = [fed]
    for weights, state in zip(decoder, states, strict=True):
        y, _ = recurrent.forward(kind, inputs[-1], weights, initial_state=state, return_sequences=True)
        inputs.append(y)
    return layers.dense_forward(inputs[-1], *dense), inputs


def backward(kind, x, encoder, decoder, dense, fed, d_outputs, **options):
    """Gradients of all weights, encoder first; ``fed`` is a constant."""
    read, states = encode(kind, x, encoder, **options)
    _, inputs = of_fed(kind, x, encoder, decoder, dense, fed, **options)
    d_y, *d_dense = layers.dense_backward(inputs[-1], *dense, d_outputs)
    d_decoder, d_ends = [], []
    for weights, given, state in reversed(list(zip(decoder, inputs[:-1], states, strict=True))):
        found = recurrent.backward(kind, given, weights, d_y, initial_state=state, return_sequences=True)
        d_y = found.x
        d_decoder.insert(0, found.weights)
        d_ends.insert(0, found.initial_state)
    d_encoder, d_y = [], np.zeros((*np.shape(x)[:2], np.shape(encoder[-1][1])[0]))
    for weights, given, d_end in reversed(list(zip(encoder, read, d_ends, strict=True))):
        found = recurrent.backward(kind, given, weights, d_y, d_final_states=d_end, return_sequences=True, **options)
        d_y = found.x
        d_encoder.insert(0, found.weights)
    return [*sum(d_encoder, ()), *sum(d_decoder, ()), *d_dense]
