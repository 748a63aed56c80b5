"""Convolution over time.

    y[t] = activation(b + sum over k of x[t * strides + k * dilation_rate - left] W[k])

with zeros where x has no step; ``left`` is how many of them stand before the first. A tap is one k: a contraction over
the features of one step, as in a dense layer, and the sums stay in registers from tap to tap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tsrnn._errors import Constraint, Integer, Options, Real, check_fields
from tsrnn._jit import Call, kernel, prepare
from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.contractions import QUAD, Matrix, add_outer, pack, padded, pieces, tile_step, unpack
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import (
    LANES,
    OUTER_ROOM,
    Strided,
    add_lane_sums,
    contract,
    contract_groups,
    contract_units,
    load,
    load_rows,
    spread_rows,
    store,
    zeros,
)
from tsrnn.nn.layer import Arrays, Bound, BoundSingle, Layer, LayerSpec, Rows, Setting, Shape, aligned, tile
from tsrnn.nn.params import Parameter, Penalty
from tsrnn.nn.single import pack_units, padded_units

CHUNK = 16  # steps whose gradients become those of weights together, while they are in cache
_WIDE = OUTER_ROOM // QUAD
_HALF = _WIDE // 2
_ORDER = np.zeros(1, np.int64)


class Sizes(NamedTuple):
    """What the kernels need to know."""

    steps: int
    features: int
    outputs: int  # steps of the output
    filters: int
    taps: int
    stride: int
    dilation: int
    left: int


class Weights(NamedTuple):
    """Parameters as the contractions read them (see ``kernels.contractions.pack``), one tap after the other."""

    forward: np.ndarray  # [tap][filter / QUAD][feature][QUAD]
    back: np.ndarray  # [tap][feature / QUAD][filter][QUAD]
    bias: np.ndarray


@kernel
def forward(sizes, activation, weights, x, y):
    """x [step][1 + feature][lane] -> y [step][1 + filter][lane]"""
    x_step, y_step = tile_step(sizes.features), tile_step(sizes.filters)
    quads = (sizes.filters + QUAD - 1) // QUAD
    for step in range(sizes.outputs):
        for quad in range(quads):
            rows = spread_rows(weights.bias, quad * QUAD, 1, QUAD)
            for tap in range(sizes.taps):
                source = step * sizes.stride + tap * sizes.dilation - sizes.left
                if source >= 0 and source < sizes.steps:
                    rows = contract(
                        rows, 0, 1, weights.forward, (tap * quads + quad) * sizes.features * QUAD,
                        x, source * x_step + LANES, sizes.features,
                    )  # fmt: skip
            store(y, step * y_step + (1 + quad * QUAD) * LANES, activation.value(rows[0]))


@kernel
def backward(sizes, activation, weights, x, y, d_y, d_weights, d_bias):
    """d_y [step][filter][lane] becomes the gradient before the activation; d_weights and d_bias accumulate

    d_weights [tap][filter][feature]
    """
    x_step, y_step = tile_step(sizes.features), tile_step(sizes.filters)
    quads, d_step = (sizes.filters + QUAD - 1) // QUAD, y_step - LANES
    for first in range(0, sizes.outputs, CHUNK):
        last = min(first + CHUNK, sizes.outputs)
        for step in range(first, last):
            for quad in range(quads):
                at = step * d_step + quad * QUAD * LANES
                slope = activation.slope(load(y, step * y_step + (1 + quad * QUAD) * LANES, QUAD))
                d_sums = load(d_y, at, QUAD) * slope
                store(d_y, at, d_sums)
                add_lane_sums(d_bias, quad * QUAD, (d_sums,))
        for tap in range(sizes.taps):
            source = tap * sizes.dilation - sizes.left  # of the output's first step; those outside are left out
            begin = max(first, (max(0, -source) + sizes.stride - 1) // sizes.stride)
            count = min(last, (max(0, sizes.steps - source) + sizes.stride - 1) // sizes.stride) - begin
            if count > 0:
                add_outer(
                    d_weights[tap * quads * QUAD * sizes.features :], quads, QUAD, sizes.features, _WIDE, _HALF,
                    Strided(d_y, begin * d_step, d_step), QUAD,
                    Strided(x, (begin * sizes.stride + source) * x_step + LANES, sizes.stride * x_step), count,
                )  # fmt: skip


@kernel
def input_gradient(sizes, weights, d_y, d_x):
    """After ``backward``: d_y [step][filter][lane] -> d_x [step][feature][lane]"""
    x_step, d_step = tile_step(sizes.features) - LANES, tile_step(sizes.filters) - LANES
    quads, rows = (sizes.features + QUAD - 1) // QUAD, d_step // LANES
    for source in range(sizes.steps):
        for quad in range(quads):
            sums = zeros(d_x, QUAD)
            for tap in range(sizes.taps):
                place = source + sizes.left - tap * sizes.dilation
                if place >= 0 and place % sizes.stride == 0 and place < sizes.outputs * sizes.stride:
                    sums = contract_groups(
                        sums, weights.back, (tap * quads + quad) * QUAD * rows,
                        d_y, place // sizes.stride * d_step, rows, 1, 0, 1,
                    )  # fmt: skip
            store(d_x, source * x_step + quad * QUAD * LANES, sums)


@kernel
def forward_single(sizes, activation, weights, x, x_step, y):
    """x [step][feature] -> y [step][block][lane], with filters along the lanes

    weights [block][bias, then for each tap a row of zeros and its features][lane]: a contraction begins by adding a row
    """
    blocks, width = (sizes.filters + LANES - 1) // LANES, (1 + sizes.features) * LANES
    for step in range(sizes.outputs):
        for block in range(blocks):
            at = block * (LANES + sizes.taps * width)
            rows = load_rows(weights, at, 1, 1)
            for tap in range(sizes.taps):
                source = step * sizes.stride + tap * sizes.dilation - sizes.left
                if source >= 0 and source < sizes.steps:
                    rows = contract_units(
                        rows, 0, 1, weights, at + LANES + tap * width, x, source * x_step, sizes.features
                    )
            store(y, (step * blocks + block) * LANES, activation.value(rows[0]))


@dataclass(frozen=True)
class Conv1D(LayerSpec):
    """A convolution over time: each output step is a dense layer on ``kernel_size`` steps of the input.

    Its output has no mask, as in Keras: what follows takes every step to count.

    Parameters
    ----------
    filters : int
        Width of the output.
    kernel_size : int
        Steps that an output step is made of.
    strides : int, default=1
        Distance of the output steps, in steps of the input.
    padding : {"valid", "causal", "same"}, default="valid"
        "valid": only where all steps are there, so the output is shorter. "causal": zeros stand before the first step,
        and no output sees a later step. "same": zeros on both sides, as many steps as come in (divided by ``strides``).
    dilation_rate : int, default=1
        Distance of the ``kernel_size`` steps.
    activation : {"linear", "tanh", "sigmoid", "hard_sigmoid", "relu", "softsign"}, default="linear"
        What the sums go through.
    kernel_l1, kernel_l2 : float, default=0.0
        Penalties on the kernel that are part of the loss in training: so much times the sum of its magnitudes, and of
        its squares.

    Examples
    --------
    >>> from tsrnn.nn import GRU, Conv1D, Sequential
    >>> net = Sequential([Conv1D(8, 5, strides=2, activation="relu"), GRU(4)]).build(input_shape=(30, 2))
    >>> print(net.summary())
    layer     spec                                        output (steps, features)  parameters
    ------------------------------------------------------------------------------------------
    conv1d_0  Conv1D(8, 5, strides=2, activation='relu')  (13, 8)                   88
    gru_1     GRU(4)                                      (1, 4)                    168
    total parameters: 256
    """

    filters: int
    kernel_size: int
    strides: int = field(default=1, kw_only=True)
    padding: str = field(default="valid", kw_only=True)
    dilation_rate: int = field(default=1, kw_only=True)
    activation: str = field(default="linear", kw_only=True)
    kernel_l1: float = field(default=0.0, kw_only=True)
    kernel_l2: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        constraints: dict[str, Constraint] = {
            **dict.fromkeys(("filters", "kernel_size", "strides", "dilation_rate"), Integer(1)),
            "padding": Options("valid", "causal", "same"),
            "activation": Options(*ACTIVATIONS),
        }
        check_fields(self, {**constraints, "kernel_l1": Real(0), "kernel_l2": Real(0)})

    @property
    def span(self) -> int:
        """Steps from the first to the last that an output step sees."""
        return (self.kernel_size - 1) * self.dilation_rate + 1

    def refusal(self, shape: Shape) -> str:
        if self.padding == "valid" and shape.steps < self.span:
            return f"at least {self.span} steps: lower `kernel_size` or `dilation_rate`, or take `padding='causal'`"
        return ""

    def layer(self, shape: Shape) -> Conv1DLayer:
        """The layer on inputs of this shape."""
        return Conv1DLayer(self, shape)


def _placed(spec: Conv1D, steps: int) -> tuple[int, int]:
    """Steps of the output, and zeros before the first step of the input."""
    if spec.padding == "same":
        outputs = -(-steps // spec.strides)
        return outputs, max((outputs - 1) * spec.strides + spec.span - steps, 0) // 2
    left = spec.span - 1 if spec.padding == "causal" else 0
    return (steps + left - spec.span) // spec.strides + 1, left


class Conv1DLayer(Layer):
    """Parameters ``kernel`` (kernel_size, features, filters) and ``bias`` (filters,)."""

    def __init__(self, spec: Conv1D, shape: Shape) -> None:
        outputs, left = _placed(spec, shape.steps)
        self.spec, self.input, self.output = spec, shape, Shape(outputs, spec.filters)
        self.sizes = Sizes(*shape, *self.output, spec.kernel_size, spec.strides, spec.dilation_rate, left)
        kernel_shape, penalty = (spec.kernel_size, *shape[1:], spec.filters), Penalty(spec.kernel_l1, spec.kernel_l2)
        self.parameters = (
            Parameter("kernel", kernel_shape, "glorot_uniform", penalty=penalty),
            Parameter("bias", (spec.filters,), "zeros"),
        )

    @property
    def gradient_size(self) -> int:
        return padded(self.spec.filters) * (1 + self.spec.kernel_size * self.input.features)

    def make_weights(self, dtype: np.dtype) -> Weights:
        filters, features, taps = padded(self.spec.filters), self.input.features, self.spec.kernel_size
        counts = taps * filters * features, taps * filters * padded(features), filters
        return Weights(*(aligned(count, dtype) for count in counts))

    def _taps(self, kernel: np.ndarray, *packed: np.ndarray) -> list[tuple[Matrix, list[np.ndarray]]]:
        """Pieces of each tap's matrix, and where they are when packed."""
        none = kernel.reshape(-1)[:0]
        return [
            (matrix, [array.reshape(len(kernel), -1)[tap] for array in packed])
            for tap in range(len(kernel))
            for matrix in pieces(kernel[tap], none, _ORDER, self.spec.filters, QUAD)
        ]

    def packing(self, arrays: list[np.ndarray], weights: Weights) -> list[Call]:
        kernel, bias = arrays
        calls = [prepare(pack, matrix, *places) for matrix, places in self._taps(kernel, weights.forward, weights.back)]
        return [*calls, prepare(copy_rows, 1, bias.size, bias, 0, 0, weights.bias, 0, 0)]

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        (kernel, bias), (d_kernel, d_bias) = arrays, self._gradients(flat)
        calls = [prepare(unpack, *places, matrix) for matrix, places in self._taps(kernel, d_kernel)]
        return [*calls, prepare(copy_rows, 1, bias.size, d_bias, 0, 0, bias, 0, 0)]

    def _gradients(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the kernel [tap][filter][feature] and the bias."""
        end = flat.size - padded(self.spec.filters)
        return flat[:end], flat[end:]

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        y, sizes, activation = tile(self.output, setting.dtype), self.sizes, ACTIVATIONS[self.spec.activation]
        back: list[Call] = []
        if setting.training:
            gradients = self._gradients(arrays.gradient)
            back.append(prepare(backward, sizes, activation, weights, arrays.x, y, arrays.d_y, *gradients))
            if arrays.d_x.size:
                back.append(prepare(input_gradient, sizes, weights, arrays.d_y, arrays.d_x))
        return Bound((prepare(forward, sizes, activation, weights, arrays.x, y),), tuple(back), y)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        dtype, width = x.values.dtype, padded_units(self.spec.filters)
        rows = 1 + self.spec.kernel_size * (1 + self.input.features)
        weights, y = aligned(rows * width, dtype), aligned(self.output.steps * width, dtype)
        activation = ACTIVATIONS[self.spec.activation]
        forward = prepare(forward_single, self.sizes, activation, weights, x.values, x.step, y)
        return BoundSingle(Rows(y, width), (forward,), partial(self._pack_single, arrays, weights))

    def _pack_single(self, arrays: list[np.ndarray], weights: np.ndarray) -> None:
        kernel, bias = arrays
        taps = np.pad(kernel, [(0, 0), (1, 0), (0, 0)]).reshape(-1, bias.size)
        pack_units(np.vstack([bias, taps])[:, None], weights)
