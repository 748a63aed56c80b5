"""A batch on tiles: from inputs to outputs and states, and from their gradients back to those of inputs and weights."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, WINDOWS
from tsrnn.nn.arguments import State, States
from tsrnn.nn.carried import States as Rows
from tsrnn.nn.carried import last_states
from tsrnn.nn.layer import fill_tile, read_tile
from tsrnn.nn.layers.activity import activity_penalty
from tsrnn.nn.network import Network, in_order


class Batch:
    """Sequences on as many tiles as they need, after their way up.

    Parameters
    ----------
    network : Network
        With its weights packed.
    x : ndarray of shape (batch, steps, features)
        The inputs.
    marks : ndarray of shape (batch, steps) or None
        One where a step counts and zero elsewhere.
    states : dict
        For layers that do not start from zero, an array (batch, hidden) for each row of their state.
    step, seed : int
        Of dropout.
    training, d_states : bool
        As in `Workspace`.

    Attributes
    ----------
    size : int
        Sequences.
    tiles : list of Workspace
        In order.
    """

    def __init__(
        self,
        network: Network,
        x: np.ndarray,
        marks: np.ndarray | None,
        states: Rows,
        *,
        step: int = 0,
        seed: int = 0,
        training: bool = False,
        d_states: bool = False,
    ) -> None:
        self.network, self.size = network, len(x)
        setting = {"training": training, "wants_d_x": training, "d_states": d_states}
        setting |= {"masked": marks is not None, "continues": bool(states)}
        self.tiles = [network.workspace(**setting) for _ in range(-(-len(x) // LANES))]
        for index, (part, space) in enumerate(zip(self._parts(), self.tiles, strict=True)):
            fill_tile(space.x, x[part], ones=1)
            if marks is not None:
                fill_tile(space.mask, marks[part, :, None])
            for layer, values in states.items():
                network.layers[layer].set_state(space.bound[layer].tape, [value[part] for value in values])
            space.is_tile(index, step, seed)
            space.turn[WINDOWS] = space.turn[TERMS] = len(x)
            in_order((*space.draws, *space.forward))

    def outputs(self) -> np.ndarray:
        """Of shape (batch, features), or (batch, steps, features) where the network gives steps."""
        network = self.network
        out = np.concatenate([read_tile(space.y, network.output, ones=1) for space in self.tiles])[: self.size]
        return out if network.has_time else out[:, 0]

    def last_states(self, wanted: Collection[int]) -> States:
        """Where each sequence ended, in these layers."""
        found: States = [None] * len(self.network.layers)
        for i in wanted:
            tapes = [space.bound[i].tape for space in self.tiles]
            found[i] = tuple(last_states(self.network.layers[i], tapes, self.size))
        return found

    def attention(self) -> dict[str, np.ndarray]:
        """The weights (batch, steps) of each attention layer, by its name."""
        found = {}
        for i, ((name, _), layer) in enumerate(zip(self.network.layout.layers, self.network.layers, strict=True)):
            parts = [layer.attention(space.bound[i].tape) for space in self.tiles]
            if parts[0] is not None:
                found[name] = np.concatenate([part for part in parts if part is not None])[: self.size]
        return found

    def penalty(self) -> float:
        """What the numbers that layers penalise add to the loss."""
        losses = np.zeros(len(self.tiles))
        for space in self.tiles:
            for part in space.penalised:
                activity_penalty(part, space.turn, losses)
        return float(losses.sum()) / self.size

    def backward(self, d_y: np.ndarray, d_states: Rows) -> np.ndarray:
        """d_y (batch, steps, features) and gradients of last states -> d_x; once, for it overwrites the tape."""
        for part, space in zip(self._parts(), self.tiles, strict=True):
            space.d_y[:] = 0
            fill_tile(space.d_y, d_y[part])
            for layer, values in d_states.items():
                self.network.layers[layer].set_d_state(space.bound[layer].tape, [value[part] for value in values])
            in_order(space.backward)
        return np.concatenate([read_tile(space.d_x, self.network.input) for space in self.tiles])[: self.size]

    def write_gradient(self, gradient: np.ndarray) -> None:
        """That of the weights, after ``backward``."""
        self.network.unpack(sum(space.gradient for space in self.tiles), gradient)

    def d_initial_states(self, given: Collection[int]) -> States:
        """Gradients of the first states of the layers that were ``given`` one, after ``backward``."""
        return [self._d_state(i) if i in given else None for i in range(len(self.network.layers))]

    def _d_state(self, index: int) -> State:
        parts = [self.network.layers[index].d_state(space.bound[index].tape) for space in self.tiles]
        return tuple(np.concatenate(rows)[: self.size] for rows in zip(*parts, strict=True))

    def _parts(self) -> list[slice]:
        """Which sequences each tile has."""
        return [slice(first, first + LANES) for first in range(0, self.size, LANES)]
