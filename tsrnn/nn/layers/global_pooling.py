"""The greatest or the mean over all steps, feature by feature: a vector for each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn._jit import kernel, prepare
from tsrnn.kernels.contractions import QUAD, tile_step
from tsrnn.kernels.simd import LANES, at_least, load, load_lanes, select_rows, store, zero_rows, zeros
from tsrnn.nn.layer import Arrays, Bound, BoundSingle, Layer, LayerSpec, Rows, Setting, Shape, aligned, tile
from tsrnn.nn.layers.pooling import MaxPoolLayer, Sizes


@kernel
def mean(steps, features, mask, x, y, counted):
    """x [step][1 + feature][lane] -> y [1 + feature][lane]; counted [lane] is how many steps count, at least 1"""
    x_step, count = tile_step(features), zeros(x, 1)
    for step in range(steps):
        count = count + load(mask, step * LANES, 1)
    store(counted, 0, at_least(count, 1))
    for quad in range((features + QUAD - 1) // QUAD):
        at = (1 + quad * QUAD) * LANES
        total = zero_rows(x, 1, QUAD)
        for step in range(steps):
            following = total[0] + load(x, step * x_step + at, QUAD)
            total = select_rows(load_lanes(mask, step * LANES, QUAD), (following,), total)
        store(y, at, total[0] / load_lanes(counted, 0, QUAD))


@kernel
def mean_back(steps, features, mask, counted, d_y, d_x):
    """d_y [feature][lane] -> d_x [step][feature][lane]"""
    d_step = tile_step(features) - LANES
    for quad in range((features + QUAD - 1) // QUAD):
        at = quad * QUAD * LANES
        d_each = (load(d_y, at, QUAD) / load_lanes(counted, 0, QUAD),)
        for step in range(steps):
            rows = select_rows(load_lanes(mask, step * LANES, QUAD), d_each, zero_rows(d_y, 1, QUAD))
            store(d_x, step * d_step + at, rows[0])


@kernel
def mean_single(steps, features, least, mask, x, x_step, y):
    """x [step][feature] -> y [feature]; ``least`` is 1 in the type of x, which keeps the quotient in it"""
    y[:] = 0
    count = mask[0]
    for step in range(1, steps):
        count += mask[step]
    count = max(count, least)
    for feature in range(features):
        for step in range(steps):
            if mask[step] > 0:
                y[feature] += x[step * x_step + feature]
        y[feature] /= count


@dataclass(frozen=True)
class GlobalAveragePool1D(LayerSpec):
    """The mean over all steps that count, feature by feature: ``(steps, features)`` becomes ``(features,)``.

    Steps that the mask excludes are left out of sum and count; where none counts the mean is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GlobalAveragePool1D, Sequential
    >>> net = Sequential([GlobalAveragePool1D()]).build(input_shape=(3, 1))
    >>> x = np.array([[[1], [2], [6]]], np.float32)
    >>> net(x), net(x, mask=np.array([[True, True, False]]))
    (array([[3.]], dtype=float32), array([[1.5]], dtype=float32))
    """

    def layer(self, shape: Shape) -> GlobalAveragePoolLayer:
        """The layer on inputs of this shape."""
        return GlobalAveragePoolLayer(self, shape)


@dataclass(frozen=True)
class GlobalMaxPool1D(LayerSpec):
    """The greatest over all steps, feature by feature: ``(steps, features)`` becomes ``(features,)``.

    It sees every step, whatever the mask says, as in Keras.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GlobalMaxPool1D, Sequential
    >>> net = Sequential([GlobalMaxPool1D()]).build(input_shape=(3, 1))
    >>> net(np.array([[[1], [6], [2]]], np.float32))
    array([[6.]], dtype=float32)
    """

    def layer(self, shape: Shape) -> MaxPoolLayer:
        """The layer on inputs of this shape: one pool of all steps."""
        return MaxPoolLayer(self, Sizes(*shape, 1, shape.steps, 1), keeps_time=False)


class GlobalAveragePoolLayer(Layer):
    """The mean over the steps that count."""

    keeps_time = False

    def __init__(self, spec: GlobalAveragePool1D, shape: Shape) -> None:
        self.spec, self.input, self.output = spec, shape, Shape(1, shape.features)

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        y, counted = tile(self.output, setting.dtype), aligned(LANES, setting.dtype)
        mask = np.ones(self.input.steps * LANES, setting.dtype) if setting.mask is None else setting.mask
        forward = prepare(mean, *self.input, mask, arrays.x, y, counted)
        back = (prepare(mean_back, *self.input, mask, counted, arrays.d_y, arrays.d_x),) if arrays.d_x.size else ()
        return Bound((forward,), back, y)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        dtype = x.values.dtype
        y = Rows(aligned(self.output.features, dtype), self.output.features)
        return BoundSingle(y, (prepare(mean_single, *self.input, dtype.type(1), mask, x.values, x.step, y.values),))
