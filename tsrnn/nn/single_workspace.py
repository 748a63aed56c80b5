"""The arrays of one sequence, and every layer's prediction bound to them: what stands where a tile would be wasted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsrnn.nn.layer import BoundSingle, Layer, Rows, SingleState, aligned


class SingleWorkspace:
    """One sequence's way through the layers of a network; prediction only.

    Parameters
    ----------
    layers : sequence of Layer
        From the input up.
    arrays : list of list of ndarray
        The parameters of each layer; ``pack`` reads them.
    dtype : dtype
        Of all arrays.

    Attributes
    ----------
    x : ndarray of shape (steps, features)
        To be filled before ``forward``.
    mask : ndarray of shape (steps,)
        1 where a step counts; ones at first.
    y : ndarray of shape (steps, features)
        The output, until the next ``forward``.
    states : dict
        Of the recurrent layers, by position. They are left as they are after the sequence, to go on from.
    """

    def __init__(self, layers: Sequence[Layer], arrays: list[list[np.ndarray]], dtype: np.dtype) -> None:
        shape, output = layers[0].input, layers[-1].output
        values = aligned(shape.steps * shape.features, dtype)
        self.x, self.mask = values.reshape(shape), np.ones(shape.steps, dtype)
        self.bound: list[BoundSingle] = []
        y, mask = Rows(values, shape.features), self.mask
        for layer, own in zip(layers, arrays, strict=True):
            bound = layer.bind_single(own, y, mask)
            y, mask = bound.y, np.ones(layer.output.steps, dtype) if bound.mask is None else bound.mask
            self.bound.append(bound)
        self.y = y.values[: output.steps * y.step].reshape(output.steps, y.step)[:, : output.features]
        self.states: dict[int, SingleState] = {
            i: bound.state for i, bound in enumerate(self.bound) if bound.state is not None
        }
        self._packed = -1
        self._forward = [call for bound in self.bound for call in bound.forward]

    def pack(self, version: int = 0) -> None:
        """Take over the parameters, unless it was done for this version of them."""
        if self._packed != version:
            for bound in self.bound:
                if bound.pack is not None:
                    bound.pack()
            self._packed = version

    def forward(self) -> None:
        """x -> y, with the states of recurrent layers; after ``pack``."""
        for call in self._forward:
            call()
