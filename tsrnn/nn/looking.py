"""What can be seen in layers after a pass: how gradients flow back, how far gates are saturated, what steps count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsrnn.kernels.activations import activate, slopes
from tsrnn.kernels.contractions import padded
from tsrnn.kernels.simd import LANES
from tsrnn.nn.layers.recurrent import RecurrentLayer
from tsrnn.nn.recurrent import Tape, spread_step

SATURATED = 0.1  # of the steepest slope: a sigmoid below 0.026 or above 0.974, a tanh beyond 0.949


def steps_read(steps: int, backwards: bool, mask: np.ndarray | None, lanes: int) -> np.ndarray:
    """Whether each step counts, (steps, lanes), in the order in which a layer reads them; ``mask`` is its input's."""
    if mask is None:
        return np.ones((steps, lanes), bool)
    counts = mask.reshape(steps, LANES)[:, :lanes] > 0
    return counts[::-1] if backwards else counts


def flow_norms(layer: RecurrentLayer, tape: Tape) -> np.ndarray:
    """The norm of the loss's gradient with respect to h after each step read, (steps, LANES); after ``backward``."""
    hidden, steps = layer.spec.hidden_size, layer.input.steps
    rows = tape.flow.reshape(steps, padded(hidden), LANES)[:, :hidden]
    return np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1))


def saturation(layer: RecurrentLayer, tape: Tape, counts: np.ndarray) -> dict[str, int]:
    """For each activated row of the cell how many of its values are saturated; before ``backward``.

    ``counts`` (steps, lanes) are the steps to look at, as ``steps_read`` gives them.
    """
    cell, steps, blocks = layer.spec.cell, layer.input.steps, layer.blocks
    block = cell.N_SAVED * cell.UNITS * LANES
    rows = tape.saved.reshape(steps, spread_step(blocks * block))[:, : blocks * block]
    rows = rows.reshape(steps, blocks, cell.N_SAVED, cell.UNITS, LANES)
    found = {}
    for names, activation in ((cell.ACTIVATED, layer.activations[0]), (cell.GATED, layer.activations[1])):
        steepest = _on_lanes(slopes, activation, _on_lanes(activate, activation, np.linspace(-4, 4, 257))).max()
        for name in names.split():
            values = rows[:, :, cell.SAVED.split().index(name)]
            values = values.transpose(0, 3, 1, 2).reshape(steps, LANES, -1)[:, : counts.shape[1]]
            values = values[counts][:, : layer.spec.hidden_size]
            found[name] = int((_on_lanes(slopes, activation, values) < SATURATED * steepest).sum())
    return found


def attention_layer(found: dict[str, np.ndarray], layer: str | None) -> np.ndarray:
    """The weights of one of the attention layers of a network: that of this name, or the last one."""
    name = list(found)[-1] if layer is None else layer
    if name not in found:
        raise ValueError(f"`layer` must be an attention layer of the network ({', '.join(found)}); got {layer!r}.")
    return found[name]


def _on_lanes(kernel: Callable, activation: Any, numbers: np.ndarray) -> np.ndarray:
    """What the kernel makes of numbers of any shape."""
    lanes = np.zeros(-(-numbers.size // LANES) * LANES, numbers.dtype)
    lanes[: numbers.size] = numbers.ravel()
    kernel(activation, lanes)
    return lanes[: numbers.size].reshape(numbers.shape)
