"""Layer normalisation (Ba 2016): each step to mean 0 and variance 1 over its features.

y = gamma (x - mean) / sqrt(variance + epsilon) + beta
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tsrnn._errors import Real, check_fields
from tsrnn._jit import Call, kernel, prepare
from tsrnn.kernels.contractions import tile_step
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import LANES, add_lane_sums, load, square_root, store, zeros
from tsrnn.nn.layer import Arrays, Bound, BoundSingle, Layer, LayerSpec, Rows, Setting, Shape, aligned, tile
from tsrnn.nn.params import Parameter


class Tape(NamedTuple):
    """What the backward pass wants, each [step][lane]."""

    mean: np.ndarray
    inverse: np.ndarray  # of the standard deviation


@kernel
def forward(steps, features, epsilon, gamma, beta, x, y, tape):
    """x [step][1 + feature][lane] -> y [step][1 + feature][lane]"""
    for step in range(steps):
        at = step * tile_step(features) + LANES
        mean, variance = zeros(x, 1), zeros(x, 1)
        for feature in range(features):
            mean = mean + load(x, at + feature * LANES, 1)
        mean = mean / features
        for feature in range(features):
            difference = load(x, at + feature * LANES, 1) - mean
            variance = variance + difference * difference
        inverse = 1 / square_root(variance / features + epsilon)
        for feature in range(features):
            normal = (load(x, at + feature * LANES, 1) - mean) * inverse
            store(y, at + feature * LANES, normal * gamma[feature] + beta[feature])
        store(tape.mean, step * LANES, mean)
        store(tape.inverse, step * LANES, inverse)


@kernel
def backward(steps, features, x, tape, d_y, d_gamma, d_beta):
    """d_gamma and d_beta accumulate"""
    x_step = tile_step(features)
    for feature in range(features):
        gamma, beta = zeros(x, 1), zeros(x, 1)
        for step in range(steps):
            value = load(x, step * x_step + (1 + feature) * LANES, 1) - load(tape.mean, step * LANES, 1)
            d_value = load(d_y, step * (x_step - LANES) + feature * LANES, 1)
            gamma = gamma + d_value * value * load(tape.inverse, step * LANES, 1)
            beta = beta + d_value
        add_lane_sums(d_gamma, feature, (gamma,))
        add_lane_sums(d_beta, feature, (beta,))


@kernel
def input_gradient(steps, features, gamma, x, tape, d_y, d_x):
    """d_x = (d - mean of d - normal * mean of (d * normal)) / deviation, where d = d_y * gamma"""
    x_step = tile_step(features)
    for step in range(steps):
        at, d_at = step * x_step + LANES, step * (x_step - LANES)
        mean, inverse = load(tape.mean, step * LANES, 1), load(tape.inverse, step * LANES, 1)
        plain, normal = zeros(x, 1), zeros(x, 1)
        for feature in range(features):
            d_value = load(d_y, d_at + feature * LANES, 1) * gamma[feature]
            plain = plain + d_value
            normal = normal + d_value * (load(x, at + feature * LANES, 1) - mean)
        plain, normal = plain / features, normal * inverse * inverse / features
        for feature in range(features):
            d_value = load(d_y, d_at + feature * LANES, 1) * gamma[feature]
            value = load(x, at + feature * LANES, 1) - mean
            store(d_x, d_at + feature * LANES, (d_value - plain - value * normal) * inverse)


@kernel
def forward_single(steps, features, numbers, gamma, beta, x, x_step, y):
    """x [step][feature] -> y [step][feature]; ``numbers`` in the type of x, which keeps the others in it"""
    one, count, epsilon = numbers[0], numbers[1], numbers[2]
    for step in range(steps):
        at = step * x_step
        mean = x[at]
        for feature in range(1, features):
            mean += x[at + feature]
        mean /= count
        variance = (x[at] - mean) * (x[at] - mean)
        for feature in range(1, features):
            difference = x[at + feature] - mean
            variance += difference * difference
        inverse = one / np.sqrt(variance / count + epsilon)
        for feature in range(features):
            normal = (x[at + feature] - mean) * inverse
            y[step * features + feature] = normal * gamma[feature] + beta[feature]


@dataclass(frozen=True)
class LayerNorm(LayerSpec):
    """Brings each step to mean 0 and variance 1 over its features, then scales and shifts each feature.

    The mask goes on to the next layer.

    Parameters
    ----------
    epsilon : float, default=0.001
        Added to the variance.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import LayerNorm, Sequential
    >>> net = Sequential([LayerNorm()]).build(input_shape=(2, 3))
    >>> net(np.array([[[1, 2, 3], [40, 50, 60]]], np.float32)).round(2)
    array([[[-1.22,  0.  ,  1.22],
            [-1.22,  0.  ,  1.22]]], dtype=float32)
    """

    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        check_fields(self, {"epsilon": Real(0, None, closed="neither")})

    def layer(self, shape: Shape) -> LayerNormLayer:
        """The layer on inputs of this shape."""
        return LayerNormLayer(self, shape)


class LayerNormLayer(Layer):
    """Parameters ``gamma`` (features,), which starts at one, and ``beta`` (features,)."""

    def __init__(self, spec: LayerNorm, shape: Shape) -> None:
        self.spec, self.input, self.output = spec, shape, shape
        size = (shape.features,)
        self.parameters = Parameter("gamma", size, "zeros", (slice(None),)), Parameter("beta", size, "zeros")

    @property
    def gradient_size(self) -> int:
        return 2 * self.input.features

    def make_weights(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        return aligned(self.input.features, dtype), aligned(self.input.features, dtype)

    def packing(self, arrays: list[np.ndarray], weights: tuple[np.ndarray, np.ndarray]) -> list[Call]:
        return [prepare(copy_rows, 1, array.size, array, 0, 0, place, 0, 0) for array, place in zip(arrays, weights)]

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        parts = np.split(flat, 2)
        return [prepare(copy_rows, 1, array.size, part, 0, 0, array, 0, 0) for array, part in zip(arrays, parts)]

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        x, d_y, d_x, gradient = arrays
        y, dtype, lanes = tile(self.output, setting.dtype), setting.dtype, self.input.steps * LANES
        tape = Tape(aligned(lanes, dtype), aligned(lanes, dtype))
        back: list[Call] = []
        if setting.training:
            back.append(prepare(backward, *self.input, x, tape, d_y, *np.split(gradient, 2)))
            if d_x.size:
                back.append(prepare(input_gradient, *self.input, weights[0], x, tape, d_y, d_x))
        call = prepare(forward, *self.input, self.spec.epsilon, *weights, x, y, tape)
        return Bound((call,), tuple(back), y, mask=setting.mask)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        (steps, features), dtype = self.input, x.values.dtype
        y, numbers = Rows(aligned(steps * features, dtype), features), np.array([1, features, self.spec.epsilon], dtype)
        call = prepare(forward_single, steps, features, numbers, *arrays, x.values, x.step, y.values)
        return BoundSingle(y, (call,), mask=mask)
