"""The states that stateful layers carry from one call of a network to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tsrnn.nn.layer import Layer
from tsrnn.nn.single_workspace import SingleWorkspace
from tsrnn.nn.workspace import Workspace

States = dict[int, list[np.ndarray]]  # of the layers that have one: an array (batch, hidden) for each state row


def last_states(layer: Layer, tapes: Iterable[Any], batch: int) -> list[np.ndarray]:
    """Where each sequence of a batch ended, from the tapes of its tiles."""
    parts = [layer.last_state(tape) for tape in tapes]
    return [np.concatenate(rows)[:batch] for rows in zip(*parts, strict=True)]


class CarriedStates:
    """Where each sequence of a batch ended, for the layers that are stateful.

    Parameters
    ----------
    layers : sequence of Layer
        Of the network.

    Attributes
    ----------
    layers : list of int
        The stateful ones.
    batch : int
        Sequences whose states are held; 0 before the first call.
    states : dict
        By layer; empty where ``single`` has them.
    single : SingleWorkspace or None
        In whose arrays the states of a batch of one have stayed.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._all = layers
        self.layers = [i for i, layer in enumerate(layers) if layer.stateful]
        self.batch, self.states = 0, States()
        self.single: SingleWorkspace | None = None

    def check(self, batch: int) -> None:
        """Refuse a batch whose sequences cannot be those of the calls before."""
        if self.batch not in (0, batch):
            raise ValueError(
                f"`x` must be a batch of {self.batch}, as in the calls before: {self._all[self.layers[0]].spec} goes "
                f"on from the states of their sequences; got {batch}. Call `net.reset_states()` to start new ones."
            )

    def current(self) -> States:
        """The states, to start tiles from."""
        return self.states if self.single is None else {i: self.single.states[i].read() for i in self.layers}

    def keep(self, tiles: list[Workspace], batch: int) -> list[SingleWorkspace]:
        """Take the last states off the tapes of a batch; gives back the arrays that are needed no more."""
        freed = self.reset()
        for i in self.layers:
            self.states[i] = last_states(self._all[i], (space.bound[i].tape for space in tiles), batch)
            self.batch = batch
        return freed

    def keep_in(self, single: SingleWorkspace) -> None:
        """Leave the states of a batch of one where they are."""
        self.batch, self.states, self.single = 1, {}, single

    def reset(self) -> list[SingleWorkspace]:
        """Forget them; gives back the arrays that are needed no more."""
        freed = [] if self.single is None else [self.single]
        self.batch, self.states, self.single = 0, {}, None
        return freed
