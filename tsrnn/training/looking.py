"""A network seen at work on examples of its task: how gradients flow back in time, and how far gates are saturated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, WINDOWS
from tsrnn.nn.layers.recurrent import RecurrentLayer
from tsrnn.nn.looking import flow_norms, saturation
from tsrnn.nn.network import Network, in_order
from tsrnn.training.tasks import Task
from tsrnn.training.tiles import Tile, tile_count


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen, by the name of the recurrent layer.

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
    layers = {
        name: (i, layer)
        for i, ((name, _), layer) in enumerate(zip(network.layout.layers, network.layers, strict=True))
        if type(layer) is RecurrentLayer  # not those of a decoder, which are fed by themselves
    }
    tile = Tile(network, task, training=True, keeps_flow=True)
    space, losses = tile.space, np.zeros(tile_count(examples.size))
    for bound in space.bound:
        for dropped in bound.dropped:
            dropped.mask[:] = 1
    space.turn[WINDOWS], space.turn[TERMS] = examples.size, task.terms(examples)
    forward = tile.forward(examples)
    back = [tile.task.loss(examples, np.zeros(0, network.dtype), losses), *space.backward]
    network.pack(theta)
    flow = {name: np.zeros(layer.input.steps) for name, (_, layer) in layers.items()}
    saturated: dict[str, dict[str, float]] = {name: {} for name in layers}
    for index in range(losses.size):
        lanes = min(LANES, examples.size - index * LANES)
        space.is_tile(index)
        in_order(forward)
        for name, (i, layer) in layers.items():
            for gate, share in saturation(layer, space.bound[i].tape, lanes).items():
                saturated[name][gate] = saturated[name].get(gate, 0.0) + share * lanes / examples.size
        in_order(back)
        for name, (i, layer) in layers.items():
            # The loss is the mean over examples: each one's own is so many times as much.
            flow[name] += flow_norms(layer, space.bound[i].tape)[::-1, :lanes].sum(axis=1)
    return Look(flow, saturated)
