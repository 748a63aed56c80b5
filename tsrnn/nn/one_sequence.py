"""A batch of one: with units along the lanes, where a tile would have one window that counts among many."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from tsrnn.nn.arguments import States
from tsrnn.nn.carried import CarriedStates
from tsrnn.nn.carried import States as Rows
from tsrnn.nn.network import Network
from tsrnn.nn.single_workspace import SingleWorkspace


class OneSequence:
    """Predicts for one sequence at a time; several threads may call it, unless layers are stateful.

    Parameters
    ----------
    network : Network
        The layers.
    carried : CarriedStates
        Where stateful layers go on from.
    """

    def __init__(self, network: Network, carried: CarriedStates) -> None:
        self.network, self.carried = network, carried
        self.idle: list[SingleWorkspace] = []  # as many as there were threads at once

    def predict(
        self,
        theta: np.ndarray,
        version: int,
        x: np.ndarray,
        marks: np.ndarray | None,
        given: Rows,
        returning: Collection[int],
    ) -> tuple[np.ndarray, States]:
        """The output (1, ...) for x (steps, features), and the last states of the layers in ``returning``.

        ``version`` is another number whenever the weights ``theta`` have changed.
        """
        carried = self.carried
        single = carried.single or self._take(theta)
        single.pack(version)
        single.x[...] = x
        single.mask[...] = 1 if marks is None else marks
        starts, stay = carried.states | given, carried.layers if carried.single else ()
        for i, state in single.states.items():
            if i in starts:
                state.write(starts[i])
            elif i not in stay:
                state.clear()
        single.forward()
        y = single.y[None].copy() if self.network.has_time else single.y.copy()
        states: States = [None] * len(self.network.layers)
        for i in returning:
            states[i] = tuple(single.states[i].read())
        if carried.layers:
            carried.keep_in(single)
        else:
            self.idle.append(single)
        return y, states

    def give_back(self, freed: Iterable[SingleWorkspace]) -> None:
        """Arrays that held carried states, and no longer do."""
        self.idle += freed

    def _take(self, theta: np.ndarray) -> SingleWorkspace:
        """Arrays that no other thread is using."""
        try:
            return self.idle.pop()
        except IndexError:
            return self.network.single(theta)
