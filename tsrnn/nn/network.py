"""Layers in order, their parameters in one flat vector, and summaries of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tsrnn.nn.layer import Layer, LayerSpec, Shape
from tsrnn.nn.params import ParamLayout
from tsrnn.nn.workspace import Workspace


class Network:
    """Layers at given sizes. It holds no parameters: ``theta`` is the caller's, ``pack`` puts it where kernels read.

    Parameters
    ----------
    specs : sequence of LayerSpec
        From the input up.
    shape : Shape
        Steps and features of the input.
    dtype : dtype
        float32 for work, float64 for gradient checks.
    """

    def __init__(self, specs: Sequence[LayerSpec], shape: Shape, dtype: np.dtype | type = np.float32) -> None:
        self.specs, self.input, self.dtype = tuple(specs), shape, np.dtype(dtype)
        self.layers: list[Layer] = []
        for spec in specs:
            layer = spec.layer(shape)
            self.layers.append(layer)
            shape = layer.output
        self.output = shape
        self.has_time = all(layer.keeps_time for layer in self.layers)
        names = [f"{layer.name}_{i}" for i, layer in enumerate(self.layers)]
        self.layout = ParamLayout([(name, layer.parameters) for name, layer in zip(names, self.layers, strict=True)])
        self.weights = [layer.make_weights(self.dtype) for layer in self.layers]
        ends = np.cumsum([layer.gradient_size for layer in self.layers]).tolist()
        self._places = [slice(end - layer.gradient_size, end) for end, layer in zip(ends, self.layers, strict=True)]
        self.gradient_size = ends[-1]

    def initial(self, seed: int) -> np.ndarray:
        """First values of all parameters."""
        return self.layout.initial(seed, self.dtype)

    def pack(self, theta: np.ndarray) -> None:
        """Parameters -> the order in which kernels read them."""
        for layer, arrays, weights in zip(self.layers, self.layout.views(theta), self.weights, strict=True):
            layer.pack(arrays, weights)

    def gradient_views(self, flat: np.ndarray) -> list[Any]:
        """``gradient_size`` numbers as what ``Workspace.backward`` takes."""
        return [layer.gradient_views(flat[place]) for layer, place in zip(self.layers, self._places, strict=True)]

    def unpack(self, flat: np.ndarray, gradient: np.ndarray) -> None:
        """The gradient as the kernels wrote it -> ``gradient``, laid out as the parameters."""
        for layer, place, arrays in zip(self.layers, self._places, self.layout.views(gradient), strict=True):
            layer.unpack(flat[place], arrays)

    def workspace(self, **setting: bool) -> Workspace:
        """Arrays for one tile; see ``Workspace``."""
        return Workspace(self.layers, self.weights, self.dtype, **setting)
