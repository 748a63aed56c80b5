"""All steps side by side, as one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn._jit import prepare
from tsrnn.kernels.contractions import padded, step_size
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import LANES
from tsrnn.nn.layer import Arrays, Bound, BoundSingle, Layer, LayerSpec, Rows, Setting, Shape, aligned, tile


@dataclass(frozen=True)
class Flatten(LayerSpec):
    """All steps side by side: ``(steps, features)`` becomes one step of ``steps * features``, time first.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import Flatten, Sequential
    >>> net = Sequential([Flatten()]).build(input_shape=(3, 2))
    >>> net(np.arange(6, dtype=np.float32).reshape(1, 3, 2))
    array([[0., 1., 2., 3., 4., 5.]], dtype=float32)
    """

    def layer(self, shape: Shape) -> FlattenLayer:
        """The layer on inputs of this shape."""
        return FlattenLayer(self, shape)


class FlattenLayer(Layer):
    """Feature f of step t goes to place t * features + f."""

    keeps_time = False

    def __init__(self, spec: Flatten, shape: Shape) -> None:
        self.spec, self.input, self.output = spec, shape, Shape(1, shape.steps * shape.features)

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        steps, features = self.input
        y, count, back_step = tile(self.output, setting.dtype), features * LANES, padded(features) * LANES
        forward = prepare(copy_rows, steps, count, arrays.x, LANES, step_size(features), y, LANES, count)
        backward = prepare(copy_rows, steps, count, arrays.d_y, 0, count, arrays.d_x, 0, back_step)
        return Bound((forward,), (backward,) if arrays.d_x.size else (), y)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        steps, features = self.input
        if x.step == features:
            return BoundSingle(Rows(x.values, self.output.features))
        y = Rows(aligned(self.output.features, x.values.dtype), self.output.features)
        forward = prepare(copy_rows, steps, features, x.values, 0, x.step, y.values, 0, features)
        return BoundSingle(y, (forward,))
