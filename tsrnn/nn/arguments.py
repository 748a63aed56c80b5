"""What users give a network on a batch, checked: arrays, masks and states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tsrnn.nn.carried import States as Rows
from tsrnn.nn.network import Network

State = tuple[np.ndarray, ...]
States = list[State | None]  # an entry for each layer


def checked_array(values: Any, name: str, shape: tuple[int | None, ...], dtype: np.dtype) -> np.ndarray:
    """An array of this shape, in which None stands for any number of rows but none."""
    array = np.asarray(values)
    found = array.shape
    if not found or found[0] == 0 or found[1:] != shape[1:] or shape[0] not in (None, found[0]):
        expected = tuple("batch" if size is None else size for size in shape)
        raise ValueError(f"`{name}` must have the shape {expected} with at least one row; got {found}.")
    return array.astype(dtype, copy=False)


def checked_inputs(x: Any, mask: Any, network: Network) -> tuple[np.ndarray, np.ndarray | None]:
    """A batch (batch, steps, features) that the network takes, and ones where steps count and zeros elsewhere; a mask
    of numbers means what one of bools does.

    Where a step does not count, what no layer could work with becomes zero: no product with zero would undo it.
    """
    array, first = checked_array(x, "x", (None, *network.input), network.dtype), network.layers[0]
    marks = None
    if mask is not None:
        marks = (checked_array(mask, "mask", array.shape[:2], network.dtype) > 0).astype(network.dtype)
        array = np.where(first.usable(array) | (marks[..., None] > 0), array, array.dtype.type(0))
    first.check_values(array)
    return array, marks


def checked_states(given: Sequence[Any] | None, batch: int, name: str, network: Network) -> Rows:
    """The states, or their gradients, of the layers that were given any."""
    if given is None:
        return {}
    layers = network.layers
    if len(given) != len(layers):
        raise ValueError(f"`{name}` must have an entry for each of {len(layers)} layers; got {len(given)}.")
    states = {}
    for i, (layer, values) in enumerate(zip(layers, given, strict=True)):
        if values is not None:
            rows = layer.state_rows
            if len(values) != rows:
                raise ValueError(f"`{name}[{i}]` must hold {rows} arrays for {layer.spec}; got {len(values)}.")
            shape = (batch, layer.state_size)
            states[i] = [checked_array(value, f"{name}[{i}]", shape, network.dtype) for value in values]
    return states
