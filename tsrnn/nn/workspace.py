"""The arrays of one tile: tapes, scratch, dropout masks, and every layer's kernels bound to them; one a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from tsrnn._jit import Call, prepare
from tsrnn.kernels.program import Work
from tsrnn.kernels.rng import draw_dropout
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import SEED, STEP, TILE, new_turn
from tsrnn.nn.layer import NOTHING, Arrays, Bound, Layer, Penalised, Setting, aligned, gradient_tile, tile


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
    forward, backward : tuple of Call or Loop
        x -> y; then d_y -> d_x and what the parameters' gradients, all in ``gradient``, grow by.
    drops : tuple of Call
        New dropout masks.
    draws : tuple of Call
        Those, and whatever else training draws for a tile; before ``forward``.
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
        self._make(layers, dtype, training, masked)
        setting = Setting(dtype, training, self.turn, None, continues, keeps_flow, d_states)
        chain = [(layer, own, setting) for layer, own in zip(layers, weights, strict=True)]
        self.y, self.d_x, self.d_y = self._bind(chain, self.x, self.mask, wants_d_x)
        self.forward: tuple[Work, ...] = tuple(call for bound in self.bound for call in bound.forward)
        self.backward: tuple[Call, ...] = tuple(call for bound in reversed(self.bound) for call in bound.backward)
        self.draws = self.drops = self._draw()

    def _make(self, layers: Sequence[Layer], dtype: np.dtype, training: bool, masked: bool) -> None:
        """What all layers share: the input, the turn, and one gradient, of which each has a part."""
        shape = layers[0].input
        self.x = tile(shape, dtype)
        self.mask = np.ones(shape.steps * LANES, dtype) if masked else None
        self.turn = new_turn()
        self._unsigned = self.turn.view(np.uint64)
        sizes = [layer.gradient_size if training else 0 for layer in layers]
        self.gradient = aligned(sum(sizes), dtype)
        self._parts = np.split(self.gradient, np.cumsum(sizes[:-1]))
        self._streams = list(accumulate((layer.streams for layer in layers), initial=0))  # the first one of each
        self.bound: list[Bound] = []
        self.penalised: tuple[Penalised, ...] = ()
        self.d_arrays: list[np.ndarray] = []

    def _bind(
        self, chain: Sequence[tuple[Layer, Any, Setting]], x: np.ndarray, mask: np.ndarray | None, wants_d_x: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Bind the layers that follow, each with its weights and fed by the one before; (y, d_x, d_y) of all."""
        layers, training, dtype = [layer for layer, *_ in chain], chain[0][2].training, x.dtype
        shapes, nothing = [layers[0].input, *(layer.output for layer in layers)], NOTHING.astype(dtype)
        d_arrays = [
            gradient_tile(shape, dtype) if training and (i > 0 or wants_d_x) else nothing
            for i, shape in enumerate(shapes)
        ]
        y = x
        for (layer, weights, setting), (d_x, d_y) in zip(chain, pairwise(d_arrays), strict=True):
            arrays = Arrays(y, d_y, d_x, self._parts[len(self.bound)])
            bound = layer.bind(replace(setting, mask=mask), weights, arrays)
            y, mask = bound.y, bound.mask
            self.bound.append(bound)
            self.penalised += bound.penalised
        self.d_arrays += d_arrays
        return y, d_arrays[0], d_arrays[-1]

    def _draw(self) -> tuple[Call, ...]:
        """New dropout masks for all layers."""
        return tuple(
            prepare(draw_dropout, first + k, self.turn, dropped.count, dropped.rate, dropped.mask)
            for first, bound in zip(self._streams, self.bound, strict=False)
            for k, dropped in enumerate(bound.dropped)
        )

    def hold_masks(self) -> None:
        """Give all lanes the dropout masks of the first."""
        for bound in self.bound:
            for dropped in bound.dropped:
                lanes = dropped.mask[: dropped.count * LANES].reshape(-1, LANES)
                lanes[:] = lanes[:, :1].copy()

    def is_tile(self, index: int, step: int = 0, seed: int = 0) -> None:
        """Say which windows the lanes stand for, and for dropout which training step and seed."""
        self.turn[TILE], self.turn[STEP] = index, step
        self._unsigned[SEED] = seed % 2**64
