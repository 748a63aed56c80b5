"""One vector, at every step of a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn._errors import Integer, check_fields
from tsrnn._jit import kernel, prepare
from tsrnn.kernels.contractions import QUAD, step_size, tile_step
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import LANES, load, store, zeros
from tsrnn.nn.layer import Arrays, Bound, BoundSingle, Layer, LayerSpec, Rows, Setting, Shape, aligned, tile


@kernel
def sum_steps(steps, features, d_y, d_x):
    """d_y [step][feature][lane] -> d_x [feature][lane]"""
    d_step = tile_step(features) - LANES
    for quad in range((features + QUAD - 1) // QUAD):
        total = zeros(d_y, QUAD)
        for step in range(steps):
            total = total + load(d_y, step * d_step + quad * QUAD * LANES, QUAD)
        store(d_x, quad * QUAD * LANES, total)


@dataclass(frozen=True)
class RepeatVector(LayerSpec):
    """One vector, ``n`` times: ``(features,)`` becomes ``(n, features)``, for one-to-many and for decoders.

    Its output has no mask: all ``n`` steps count.

    Parameters
    ----------
    n : int
        Steps of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GRU, Dense, RepeatVector, Sequential
    >>> layers = [GRU(8), RepeatVector(5), GRU(8, return_sequences=True), Dense(2)]
    >>> net = Sequential(layers).build(input_shape=(12, 3))
    >>> net(np.zeros((4, 12, 3), np.float32)).shape
    (4, 5, 2)
    """

    n: int

    def __post_init__(self) -> None:
        check_fields(self, {"n": Integer(1)})

    def refusal(self, shape: Shape) -> str:
        return "" if shape.steps == 1 else "one step, such as the last state of a recurrent layer"

    def layer(self, shape: Shape) -> RepeatVectorLayer:
        """The layer on inputs of this shape."""
        return RepeatVectorLayer(self, shape)


class RepeatVectorLayer(Layer):
    """The only step of the input at each step of the output."""

    makes_time = True

    def __init__(self, spec: RepeatVector, shape: Shape) -> None:
        self.spec, self.input, self.output = spec, shape, Shape(spec.n, shape.features)

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        steps, features = self.output
        y, step = tile(self.output, setting.dtype), step_size(features)
        forward = prepare(copy_rows, steps, features * LANES, arrays.x, LANES, 0, y, LANES, step)
        back = (prepare(sum_steps, steps, features, arrays.d_y, arrays.d_x),) if arrays.d_x.size else ()
        return Bound((forward,), back, y)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        steps, features = self.output
        y = Rows(aligned(steps * features, x.values.dtype), features)
        return BoundSingle(y, (prepare(copy_rows, steps, features, x.values, 0, 0, y.values, 0, features),))
