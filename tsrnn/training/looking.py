"""A network seen at work on examples of its task: how gradients flow back, how far gates are saturated, what counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, WINDOWS
from tsrnn.nn.layer import Layer, RecurrentPart
from tsrnn.nn.looking import flow_norms, saturation, steps_read
from tsrnn.nn.network import Network, in_order
from tsrnn.nn.workspace import Workspace
from tsrnn.training.tasks import Task
from tsrnn.training.tiles import Tile, tile_count


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen, by the name of the recurrent layer and, where it is within another one, that of the part.

    Steps that a mask leaves out are no steps here.

    Attributes
    ----------
    flow : dict of ndarray of shape (steps,)
        The norm of the gradient of an example's loss with respect to the state, 0, 1, ... steps back from the last one
        read; the mean over the examples that have so many.
    saturated : dict of dict
        For each gate and candidate the share of its values where it hardly learns.
    """

    flow: dict[str, np.ndarray]
    saturated: dict[str, dict[str, float]]


class _Seen:
    """Sums over the examples, of one recurrent layer on a tile, or of those that share its steps."""

    def __init__(self, steps: int, parts: list[RecurrentPart], mask: np.ndarray | None) -> None:
        self.steps, self.parts, self.mask = steps, parts, mask
        self.norms = np.zeros(steps)  # by steps back, as all that follows
        self.examples = np.zeros(steps, np.int64)
        self.saturated: Counter[str] = Counter()

    def after_forward(self, lanes: int) -> None:
        self.counts = steps_read(self.steps, self.parts[0].layer.spec.go_backwards, self.mask, lanes)
        for part in self.parts:
            self.saturated.update(saturation(part.layer, part.tape, self.counts[part.steps]))

    def after_backward(self) -> None:
        counts, norms = self.counts, np.empty(self.counts.shape)
        for part in self.parts:
            norms[part.steps] = flow_norms(part.layer, part.tape)[:, : counts.shape[1]]
        back = (np.cumsum(counts[::-1], axis=0)[::-1] - 1)[counts]
        self.norms += np.bincount(back, norms[counts], self.norms.size)
        self.examples += np.bincount(back, minlength=self.norms.size)

    def flow(self, examples: int) -> np.ndarray:
        """Means; the loss is one over all examples: each one's own is so many times as much."""
        seen = self.examples > 0
        return examples * self.norms[seen] / self.examples[seen]

    def shares(self) -> dict[str, float]:
        values = self.examples.sum() * self.parts[0].layer.spec.hidden_size
        return {gate: count / values if values else math.nan for gate, count in self.saturated.items()}


def look(network: Network, task: Task, theta: np.ndarray, examples: np.ndarray) -> Look:
    """One pass there and back over the examples, on one thread and without dropout."""
    tile = Tile(network, task, training=True, keeps_flow=True)
    space, losses = tile.space, np.zeros(tile_count(examples.size))
    layers = _seen(network, space)
    for bound in space.bound:
        for dropped in bound.dropped:
            dropped.mask[:] = 1
    space.turn[WINDOWS], space.turn[TERMS] = examples.size, task.terms(examples)
    weights = task.even_weights(examples).astype(network.dtype)
    forward = tile.forward(examples)
    back = [tile.task.loss(examples, weights, losses), *space.backward]
    network.pack(theta)
    for index in range(losses.size):
        space.is_tile(index)
        in_order(forward)
        for seen in layers.values():
            seen.after_forward(min(LANES, examples.size - index * LANES))
        in_order(back)
        for seen in layers.values():
            seen.after_backward()
    flow = {name: seen.flow(examples.size) for name, seen in layers.items()}
    return Look(flow, {name: seen.shares() for name, seen in layers.items()})


def _seen(network: Network, space: Workspace) -> dict[str, _Seen]:
    """All recurrent layers, those within others too, by name."""
    masks = [space.mask, *(bound.mask for bound in space.bound[:-1])]  # of what each layer reads
    found: dict[str, _Seen] = {}
    for (layer_name, layer, tape), mask in zip(_with_tapes(network, space), masks, strict=True):
        for part in layer.recurrent_parts(tape):
            name = f"{layer_name} {part.name}".rstrip()
            found.setdefault(name, _Seen(layer.input.steps, [], mask)).parts.append(part)
    return found


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
