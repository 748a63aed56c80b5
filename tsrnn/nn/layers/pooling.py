"""The greatest or the mean of some steps, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tsrnn._errors import Integer, NoneOr, check_fields
from tsrnn._jit import kernel, prepare
from tsrnn.kernels.contractions import QUAD, padded, tile_step
from tsrnn.kernels.simd import LANES, absolute, load, positive, select_rows, store, zero_rows, zeros
from tsrnn.nn.layer import Arrays, Bound, BoundSingle, Layer, LayerSpec, Rows, Setting, Shape, aligned, tile


class Sizes(NamedTuple):
    """What the kernels need to know."""

    steps: int
    features: int
    outputs: int  # steps of the output
    size: int
    stride: int


@kernel
def greatest(sizes, x, y, place):
    """x [step][1 + feature][lane] -> y [step][1 + feature][lane], and which of ``size`` steps it was; a NaN is greatest

    place [step][feature][lane]; of equals the first
    """
    x_step = tile_step(sizes.features)
    for step in range(sizes.outputs):
        for quad in range((sizes.features + QUAD - 1) // QUAD):
            at = (1 + quad * QUAD) * LANES
            best = load(x, step * sizes.stride * x_step + at, QUAD), zeros(x, QUAD)
            for i in range(1, sizes.size):
                value = load(x, (step * sizes.stride + i) * x_step + at, QUAD)
                other = value, zeros(x, QUAD) + i
                best = select_rows(positive(value - best[0]), other, best)
                best = select_rows(positive(absolute(value) + 1), best, other)
            store(y, step * x_step + at, best[0])
            store(place, step * (x_step - LANES) + quad * QUAD * LANES, best[1])


@kernel
def greatest_back(sizes, place, d_y, d_x):
    """d_y [step][feature][lane] -> d_x likewise, at the step that was the greatest"""
    d_step = tile_step(sizes.features) - LANES
    d_x[:] = 0
    for step in range(sizes.outputs):
        for quad in range((sizes.features + QUAD - 1) // QUAD):
            at = step * d_step + quad * QUAD * LANES
            d_best, best = (load(d_y, at, QUAD),), load(place, at, QUAD)
            for i in range(sizes.size):
                target = (step * sizes.stride + i) * d_step + quad * QUAD * LANES
                added = select_rows(positive(0.5 - absolute(best - i)), d_best, zero_rows(d_y, 1, QUAD))
                store(d_x, target, load(d_x, target, QUAD) + added[0])


@kernel
def greatest_single(sizes, x, x_step, y):
    """x [step][feature] -> y [step][feature]"""
    for step in range(sizes.outputs):
        for feature in range(sizes.features):
            best = x[step * sizes.stride * x_step + feature]
            for i in range(1, sizes.size):
                value = x[(step * sizes.stride + i) * x_step + feature]
                if value > best or value != value:
                    best = value
            y[step * sizes.features + feature] = best


@kernel
def mean(sizes, x, y):
    """x [step][1 + feature][lane] -> y [step][1 + feature][lane]"""
    x_step = tile_step(sizes.features)
    for step in range(sizes.outputs):
        for quad in range((sizes.features + QUAD - 1) // QUAD):
            at = (1 + quad * QUAD) * LANES
            total = zeros(x, QUAD)
            for i in range(sizes.size):
                total = total + load(x, (step * sizes.stride + i) * x_step + at, QUAD)
            store(y, step * x_step + at, total / sizes.size)


@kernel
def mean_back(sizes, d_y, d_x):
    """d_y [step][feature][lane] -> d_x likewise"""
    d_step = tile_step(sizes.features) - LANES
    d_x[:] = 0
    for step in range(sizes.outputs):
        for quad in range((sizes.features + QUAD - 1) // QUAD):
            d_each = load(d_y, step * d_step + quad * QUAD * LANES, QUAD) / sizes.size
            for i in range(sizes.size):
                target = (step * sizes.stride + i) * d_step + quad * QUAD * LANES
                store(d_x, target, load(d_x, target, QUAD) + d_each)


@kernel
def mean_single(sizes, size, x, x_step, y):
    """x [step][feature] -> y [step][feature]; ``size`` in the type of x, which keeps the quotient in it"""
    for step in range(sizes.outputs):
        for feature in range(sizes.features):
            total = x[step * sizes.stride * x_step + feature]
            for i in range(1, sizes.size):
                total += x[(step * sizes.stride + i) * x_step + feature]
            y[step * sizes.features + feature] = total / size


PARAMETERS = """Its output has no mask, as in Keras: what follows takes every step to count.

    Parameters
    ----------
    pool_size : int
        Steps that become one.
    strides : int, optional
        Distance of the output steps, in steps of the input. Default: ``pool_size``. Steps at the end that fill no pool
        are left out."""


@dataclass(frozen=True)
class Pool(LayerSpec):
    """Spec of a layer that makes one step of some; abstract.

    The line ``{parameters}`` in a docstring stands for the parameters that all share.
    """

    pool_size: int
    strides: int | None = field(default=None, kw_only=True)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__doc__:
            cls.__doc__ = cls.__doc__.replace("{parameters}", PARAMETERS)

    def __post_init__(self) -> None:
        check_fields(self, {"pool_size": Integer(1), "strides": NoneOr(Integer(1))})

    def refusal(self, shape: Shape) -> str:
        return "" if shape.steps >= self.pool_size else f"at least {self.pool_size} steps: lower `pool_size`"

    def sizes(self, shape: Shape) -> Sizes:
        """The pools on inputs of this shape."""
        stride = self.strides or self.pool_size
        return Sizes(*shape, (shape.steps - self.pool_size) // stride + 1, self.pool_size, stride)


@dataclass(frozen=True)
class MaxPool1D(Pool):
    """The greatest of each ``pool_size`` steps, feature by feature.

    {parameters}

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import MaxPool1D, Sequential
    >>> net = Sequential([MaxPool1D(2)]).build(input_shape=(5, 1))
    >>> net(np.array([[[3], [1], [4], [1], [5]]], np.float32)).ravel()
    array([3., 4.], dtype=float32)
    """

    def layer(self, shape: Shape) -> MaxPoolLayer:
        """The layer on inputs of this shape."""
        return MaxPoolLayer(self, self.sizes(shape))


@dataclass(frozen=True)
class AveragePool1D(Pool):
    """The mean of each ``pool_size`` steps, feature by feature.

    {parameters}

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import AveragePool1D, Sequential
    >>> net = Sequential([AveragePool1D(2)]).build(input_shape=(5, 1))
    >>> net(np.array([[[3], [1], [4], [1], [5]]], np.float32)).ravel()
    array([2. , 2.5], dtype=float32)
    """

    def layer(self, shape: Shape) -> AveragePoolLayer:
        """The layer on inputs of this shape."""
        return AveragePoolLayer(self, self.sizes(shape))


class MaxPoolLayer(Layer):
    """The greatest of each pool; it has a step even where there is one pool only, unless told otherwise."""

    def __init__(self, spec: LayerSpec, sizes: Sizes, keeps_time: bool = True) -> None:
        self.spec, self.sizes, self.keeps_time = spec, sizes, keeps_time
        self.input, self.output = Shape(sizes.steps, sizes.features), Shape(sizes.outputs, sizes.features)

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        y = tile(self.output, setting.dtype)
        place = aligned(self.output.steps * padded(self.output.features) * LANES, setting.dtype)
        forward = prepare(greatest, self.sizes, arrays.x, y, place)
        back = (prepare(greatest_back, self.sizes, place, arrays.d_y, arrays.d_x),) if arrays.d_x.size else ()
        return Bound((forward,), back, y)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        y = Rows(aligned(self.output.steps * self.output.features, x.values.dtype), self.output.features)
        return BoundSingle(y, (prepare(greatest_single, self.sizes, x.values, x.step, y.values),))


class AveragePoolLayer(Layer):
    """The mean of each pool."""

    def __init__(self, spec: AveragePool1D, sizes: Sizes) -> None:
        self.spec, self.sizes = spec, sizes
        self.input, self.output = Shape(sizes.steps, sizes.features), Shape(sizes.outputs, sizes.features)

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        y = tile(self.output, setting.dtype)
        back = (prepare(mean_back, self.sizes, arrays.d_y, arrays.d_x),) if arrays.d_x.size else ()
        return Bound((prepare(mean, self.sizes, arrays.x, y),), back, y)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        dtype = x.values.dtype
        y = Rows(aligned(self.output.steps * self.output.features, dtype), self.output.features)
        size = dtype.type(self.sizes.size)
        return BoundSingle(y, (prepare(mean_single, self.sizes, size, x.values, x.step, y.values),))
