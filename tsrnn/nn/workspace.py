"""The arrays of one tile: tapes, scratch, dropout masks, and every layer's kernels bound to them; one a thread."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from tsrnn._jit import Call, prepare
from tsrnn.kernels.rng import draw_dropout
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import SEED, STEP, TILE, new_turn
from tsrnn.nn.layer import NOTHING, Arrays, Bound, Layer, Setting, aligned, gradient_tile, tile


class Workspace:
    """One tile's way through the layers of a network, forward and backward.

    Parameters
    ----------
    layers, weights : list
        The layers and their packed weights.
    training : bool
        Keep a tape for the way back, and drop units.
    wants_d_x : bool
        Whether the gradient of the input is wanted.
    masked : bool
        Whether ``mask`` is used.
    continues : bool
        Whether recurrent layers start from the states on their tapes instead of zero.
    keeps_flow : bool
        Whether recurrent layers keep the gradient of their state after each step.
    d_states : bool
        Whether their backward pass starts from gradients on their tapes instead of zero.

    Attributes
    ----------
    turn : ndarray
        Which tile it is and which training step, for dropout (see ``kernels.turn``).
    forward, backward : tuple of Call
        x -> y; then d_y -> d_x and what the parameters' gradients, all in ``gradient``, grow by.
    draws : tuple of Call
        New dropout masks; before ``forward``.
    penalised : tuple of Penalised
        Numbers whose size is part of the loss.
    """

    def __init__(
        self,
        layers: list[Layer],
        weights: list[Any],
        dtype: np.dtype,
        *,
        training: bool,
        wants_d_x: bool = False,
        masked: bool = False,
        continues: bool = False,
        keeps_flow: bool = False,
        d_states: bool = False,
    ) -> None:
        shapes = [layer.input for layer in layers] + [layers[-1].output]
        self.x = tile(shapes[0], dtype)
        self.mask = np.ones(shapes[0].steps * LANES, dtype) if masked else None
        self.turn = new_turn()
        self._unsigned = self.turn.view(np.uint64)
        nothing = NOTHING.astype(dtype)
        self.d_arrays = [
            gradient_tile(shape, dtype) if training and (i > 0 or wants_d_x) else nothing
            for i, shape in enumerate(shapes)
        ]
        sizes = [layer.gradient_size if training else 0 for layer in layers]
        self.gradient = aligned(sum(sizes), dtype)
        parts = np.split(self.gradient, np.cumsum(sizes[:-1]))
        self.bound: list[Bound] = []
        y, mask = self.x, self.mask
        for i, layer in enumerate(layers):
            arrays = Arrays(y, self.d_arrays[i + 1], self.d_arrays[i], parts[i])
            setting = Setting(dtype, training, self.turn, mask, continues, keeps_flow, d_states)
            bound = layer.bind(setting, weights[i], arrays)
            y, mask = bound.y, bound.mask
            self.bound.append(bound)
        self.y, self.d_x, self.d_y = y, self.d_arrays[0], self.d_arrays[-1]
        self.forward = tuple(call for bound in self.bound for call in bound.forward)
        self.backward = tuple(call for bound in reversed(self.bound) for call in bound.backward)
        self.penalised = tuple(part for bound in self.bound for part in bound.penalised)
        streams = accumulate((layer.streams for layer in layers), initial=0)  # the first one of each layer
        self.draws: tuple[Call, ...] = tuple(
            prepare(draw_dropout, first + k, self.turn, dropped.count, dropped.rate, dropped.mask)
            for first, bound in zip(streams, self.bound, strict=False)
            for k, dropped in enumerate(bound.dropped)
        )

    def is_tile(self, index: int, step: int = 0, seed: int = 0) -> None:
        """Say which windows the lanes stand for, and for dropout which training step and seed."""
        self.turn[TILE], self.turn[STEP] = index, step
        self._unsigned[SEED] = seed % 2**64
