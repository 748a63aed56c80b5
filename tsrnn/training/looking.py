"""A network seen at work on examples of its task: how gradients flow back, how far gates are saturated, what counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, WINDOWS
from tsrnn.nn.layer import Layer
from tsrnn.nn.looking import flow_norms, saturation
from tsrnn.nn.network import Network, in_order
from tsrnn.nn.workspace import Workspace
from tsrnn.training.tasks import Task
from tsrnn.training.tiles import Tile, tile_count


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen, by the name of the recurrent layer and, where it is within another one, that of the part.

    Attributes
    ----------
    flow : dict of ndarray of shape (steps,)
        The norm of the gradient of an example's loss with respect to the state, 0, 1, ... steps back from the last one
        read; the mean over examples.
    saturated : dict of dict
        For each gate and candidate the share of its values where it hardly learns.
    """

    flow: dict[str, np.ndarray]
    saturated: dict[str, dict[str, float]]


def look(network: Network, task: Task, theta: np.ndarray, examples: np.ndarray) -> Look:
    """One pass there and back over the examples, on one thread and without dropout."""
    tile = Tile(network, task, training=True, keeps_flow=True)
    space, losses = tile.space, np.zeros(tile_count(examples.size))
    for bound in space.bound:
        for dropped in bound.dropped:
            dropped.mask[:] = 1
    space.turn[WINDOWS], space.turn[TERMS] = examples.size, task.terms(examples)
    forward = tile.forward(examples)
    back = [tile.task.loss(examples, np.zeros(0, network.dtype), losses), *space.backward]
    parts = [
        (f"{name} {part.name}".rstrip(), layer.input.steps, part)
        for name, layer, tape in _with_tapes(network, space)
        for part in layer.recurrent_parts(tape)
    ]
    network.pack(theta)
    flow = {name: np.zeros(steps) for name, steps, _ in parts}
    saturated: dict[str, dict[str, float]] = {name: {} for name in flow}
    for index in range(losses.size):
        lanes = min(LANES, examples.size - index * LANES)
        space.is_tile(index)
        in_order(forward)
        for name, steps, part in parts:
            weight = lanes / examples.size * part.layer.input.steps / steps
            for gate, share in saturation(part.layer, part.tape, lanes).items():
                saturated[name][gate] = saturated[name].get(gate, 0.0) + share * weight
        in_order(back)
        for name, _, part in parts:
            # The loss is the mean over examples: each one's own is so many times as much.
            flow[name][part.steps] += flow_norms(part.layer, part.tape)[:, :lanes].sum(axis=1)
    return Look({name: norms[::-1] for name, norms in flow.items()}, saturated)


def attended(network: Network, task: Task, theta: np.ndarray, examples: np.ndarray) -> dict[str, np.ndarray]:
    """The weights (examples, steps) of each attention layer, by its name; none where there is no such layer."""
    tile = Tile(network, task, training=False)
    layers = [seen for seen in _with_tapes(network, tile.space) if seen[1].attention(seen[2]) is not None]
    if not layers:
        return {}
    tile.space.turn[WINDOWS] = examples.size
    forward = tile.forward(examples)
    found: dict[str, list[Any]] = {name: [] for name, *_ in layers}
    network.pack(theta)
    for index in range(tile_count(examples.size)):
        tile.space.is_tile(index)
        in_order(forward)
        for name, layer, tape in layers:
            found[name].append(layer.attention(tape))
    return {name: np.concatenate(parts)[: examples.size] for name, parts in found.items()}


def _with_tapes(network: Network, space: Workspace) -> Iterator[tuple[str, Layer, Any]]:
    """The name of each layer, the layer and its tape."""
    for (name, _), layer, bound in zip(network.layout.layers, network.layers, space.bound, strict=True):
        yield name, layer, bound.tape
