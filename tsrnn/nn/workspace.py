"""The arrays of one tile: tapes, scratch, dropout masks, and every layer's kernels bound to them; one a thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsrnn._jit import machine_code
from tsrnn.kernels.rng import draw_dropout
from tsrnn.kernels.simd import LANES
from tsrnn.nn.layer import NOTHING, Bound, Layer, Setting, gradient_tile, tile


class Workspace:
    """One tile's way through the layers of a network, forward and backward.

    Parameters
    ----------
    layers, weights : list
        The layers and their packed weights.
    training : bool
        Keep a tape for ``backward``, and drop units.
    wants_d_x : bool
        Whether ``backward`` is to give the gradient of the input.
    masked : bool
        Whether ``mask`` is used.
    continues : bool
        Whether recurrent layers start from the states on their tapes instead of zero.
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
    ) -> None:
        shapes = [layer.input for layer in layers] + [layers[-1].output]
        self.x = tile(shapes[0], dtype)
        self.mask = np.ones(shapes[0].steps * LANES, dtype) if masked else None
        nothing = NOTHING.astype(dtype)
        self.d_arrays = [
            gradient_tile(shape, dtype) if training and (i > 0 or wants_d_x) else nothing
            for i, shape in enumerate(shapes)
        ]
        self.bound: list[Bound] = []
        y, mask = self.x, self.mask
        for i, layer in enumerate(layers):
            setting = Setting(dtype, training, i > 0 or wants_d_x, mask, continues)
            bound = layer.bind(setting, weights[i], y, self.d_arrays[i + 1], self.d_arrays[i])
            y, mask = bound.y, bound.mask
            self.bound.append(bound)
        self.y, self.d_x, self.d_y = y, self.d_arrays[0], self.d_arrays[-1]
        self._dropped = [
            (2 * i + k, dropped.count, dropped.rate, dropped.mask)
            for i, bound in enumerate(self.bound)
            for k, dropped in enumerate(bound.dropped)
        ]
        if self._dropped:
            self._draw = machine_code(draw_dropout, np.uint64(0), *self._dropped[0][:1], 0, 0, *self._dropped[0][1:])

    def draw_dropout(self, seed: int, step: int, first: int) -> None:
        """New masks for the tile whose lane 0 is window ``first`` of training step ``step``."""
        for stream, *mask in self._dropped:
            self._draw(np.uint64(seed % 2**64), stream, step, first, *mask)

    def forward(self) -> None:
        """x -> y"""
        for bound in self.bound:
            bound.forward()

    def backward(self, gradients: list[Any]) -> None:
        """d_y -> d_x, and what the parameters' gradients grow by; after ``forward``."""
        for bound, views in zip(reversed(self.bound), reversed(gradients), strict=True):
            bound.backward(views)  # type: ignore[misc]
