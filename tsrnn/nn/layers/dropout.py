"""Dropout between layers (Srivastava 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn._errors import Real, check_fields
from tsrnn._jit import kernel, prepare
from tsrnn.kernels.contractions import padded, step_size
from tsrnn.kernels.simd import LANES, load, store
from tsrnn.nn.layer import Arrays, Bound, BoundSingle, Dropped, Layer, LayerSpec, Rows, Setting, Shape, aligned, tile


@kernel
def scale(steps, features, factors, source, source_first, source_step, target, target_first, target_step):
    """target [step][feature][lane] = source * factors; ``factors`` is dense, the others have steps of their length"""
    for step in range(steps):
        for feature in range(features):
            at = feature * LANES
            factor = load(factors, (step * features + feature) * LANES, 1)
            row = load(source, source_first + step * source_step + at, 1)
            store(target, target_first + step * target_step + at, row * factor)


@dataclass(frozen=True)
class Dropout(LayerSpec):
    """Sets inputs to zero with probability ``rate`` while training and scales the others by ``1 / (1 - rate)``.

    Parameters
    ----------
    rate : float
        At least 0, below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import Dropout, Sequential
    >>> net = Sequential([Dropout(0.5)]).build(input_shape=(1, 4))
    >>> x = np.ones((1, 1, 4), np.float32)
    >>> net(x)  # a forecast drops nothing
    array([[[1., 1., 1., 1.]]], dtype=float32)
    >>> set(net.forward(x, training=True).ravel().tolist()) <= {0.0, 2.0}
    True
    """

    rate: float

    def __post_init__(self) -> None:
        check_fields(self, {"rate": Real(0, 1, closed="left")})

    def layer(self, shape: Shape) -> DropoutLayer:
        """The layer on inputs of this shape."""
        return DropoutLayer(self, shape)


class DropoutLayer(Layer):
    """A new mask for every number of every window."""

    def __init__(self, spec: Dropout, shape: Shape) -> None:
        self.spec, self.input, self.output = spec, shape, shape

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        steps, features = self.input
        count = steps * features
        factors = aligned(count * LANES, setting.dtype)
        factors[:] = 1
        y, step = tile(self.output, setting.dtype), step_size(features)
        back_step = padded(features) * LANES
        forward = prepare(scale, steps, features, factors, arrays.x, LANES, step, y, LANES, step)
        backward = prepare(scale, steps, features, factors, arrays.d_y, 0, back_step, arrays.d_x, 0, back_step)
        dropped = (Dropped("input", factors, count, self.spec.rate),) if setting.training and self.spec.rate > 0 else ()
        return Bound((forward,), (backward,) if arrays.d_x.size else (), y, dropped, mask=setting.mask)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        return BoundSingle(x, mask=mask)
