"""Fully connected layer, on every step of its input."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tsrnn._errors import Integer, Options, Real, check_fields
from tsrnn._jit import Call, kernel, prepare
from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.contractions import QUAD, add_outer, pack, padded, pieces, tile_step, unpack
from tsrnn.kernels.simd import (
    LANES,
    OUTER_ROOM,
    Strided,
    contract,
    contract_groups,
    contract_units,
    load,
    store,
    zero_rows,
    zeros,
)
from tsrnn.nn.layer import Arrays, Bound, BoundSingle, Layer, LayerSpec, Rows, Setting, Shape, aligned, tile
from tsrnn.nn.params import Parameter, Penalty
from tsrnn.nn.single import pack_units, padded_units

_WIDE = OUTER_ROOM // QUAD
_HALF = _WIDE // 2
_ORDER = np.zeros(1, np.int64)


class Sizes(NamedTuple):
    """What the kernels need to know."""

    steps: int
    features: int
    outputs: int
    wants_d_x: bool


class Weights(NamedTuple):
    """Parameters as the contractions read them (see ``kernels.contractions.pack``)."""

    forward: np.ndarray  # [output / QUAD][1 + feature][QUAD]
    back: np.ndarray  # [feature / QUAD][output][QUAD]


@kernel
def forward(sizes, activation, weights, x, y):
    """x [step][1 + feature][lane] -> y [step][1 + output][lane]"""
    x_step, y_step, inputs = tile_step(sizes.features), tile_step(sizes.outputs), 1 + sizes.features
    for step in range(sizes.steps):
        for quad in range((sizes.outputs + QUAD - 1) // QUAD):
            rows = zero_rows(x, 1, QUAD)
            rows = contract(rows, 0, 1, weights.forward, quad * inputs * QUAD, x, step * x_step, inputs)
            store(y, step * y_step + (1 + quad * QUAD) * LANES, activation.value(rows[0]))


@kernel
def backward(sizes, activation, weights, x, y, d_y, d_x, d_weights):
    """d_y [step][output][lane] becomes the gradient before the activation, then d_x; d_weights accumulates"""
    x_step, y_step, inputs = tile_step(sizes.features), tile_step(sizes.outputs), 1 + sizes.features
    quads = (sizes.outputs + QUAD - 1) // QUAD
    for step in range(sizes.steps):
        for quad in range(quads):
            at = step * (y_step - LANES) + quad * QUAD * LANES
            slope = activation.slope(load(y, step * y_step + (1 + quad * QUAD) * LANES, QUAD))
            store(d_y, at, load(d_y, at, QUAD) * slope)
        if sizes.wants_d_x:
            for quad in range((sizes.features + QUAD - 1) // QUAD):
                rows = contract_groups(
                    zeros(x, QUAD), weights.back, quad * QUAD * quads * QUAD, d_y, step * (y_step - LANES),
                    quads * QUAD, 1, 0, 1,
                )  # fmt: skip
                store(d_x, step * (x_step - LANES) + quad * QUAD * LANES, rows)
    add_outer(
        d_weights, quads, QUAD, inputs, _WIDE, _HALF,
        Strided(d_y, 0, y_step - LANES), QUAD, Strided(x, 0, x_step), sizes.steps,
    )  # fmt: skip


@kernel
def forward_single(steps, features, outputs, activation, weights, x, x_step, y):
    """x [step][feature] -> y [step][block][lane], with outputs along the lanes"""
    blocks = (outputs + LANES - 1) // LANES
    for step in range(steps):
        for block in range(blocks):
            rows = zero_rows(x, 1, 1)
            at = block * (1 + features) * LANES
            rows = contract_units(rows, 0, 1, weights, at, x, step * x_step, features)
            store(y, (step * blocks + block) * LANES, activation.value(rows[0]))


@dataclass(frozen=True)
class Dense(LayerSpec):
    """A fully connected layer, ``activation(x W + b)``, applied to each step alike.

    Parameters
    ----------
    outputs : int
        Width of the output.
    activation : {"linear", "tanh", "sigmoid", "hard_sigmoid", "relu", "softsign"}, default="linear"
        What the sums go through.
    kernel_l1, kernel_l2 : float, default=0.0
        Penalties on W that are part of the loss in training: so much times the sum of its magnitudes, and of its
        squares.

    Examples
    --------
    >>> from tsrnn.nn import Dense, Sequential
    >>> Sequential([Dense(3)]).build(input_shape=(5, 2), random_state=0).count_params()
    9
    """

    outputs: int
    activation: str = field(default="linear", kw_only=True)
    kernel_l1: float = field(default=0.0, kw_only=True)
    kernel_l2: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        constraints = {"outputs": Integer(1), "activation": Options(*ACTIVATIONS)}
        check_fields(self, {**constraints, "kernel_l1": Real(0), "kernel_l2": Real(0)})

    def layer(self, shape: Shape) -> DenseLayer:
        """The layer on inputs of this shape."""
        return DenseLayer(self, shape)


class DenseLayer(Layer):
    """Parameters ``kernel`` (features, outputs) and ``bias`` (outputs,)."""

    def __init__(self, spec: Dense, shape: Shape) -> None:
        self.spec, self.input, self.output = spec, shape, Shape(shape.steps, spec.outputs)
        kernel_shape = (shape.features, spec.outputs)
        self.parameters = (
            Parameter("kernel", kernel_shape, "glorot_uniform", penalty=Penalty(spec.kernel_l1, spec.kernel_l2)),
            Parameter("bias", kernel_shape[1:], "zeros"),
        )

    @property
    def gradient_size(self) -> int:
        return padded(self.spec.outputs) * (1 + self.input.features)

    def make_weights(self, dtype: np.dtype) -> Weights:
        outputs, features = padded(self.spec.outputs), self.input.features
        return Weights(aligned(outputs * (1 + features), dtype), aligned(outputs * padded(features), dtype))

    def packing(self, arrays: list[np.ndarray], weights: Weights) -> list[Call]:
        kernel, bias = arrays
        return [prepare(pack, matrix, *weights) for matrix in pieces(kernel, bias, _ORDER, bias.size, QUAD)]

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        kernel, bias = arrays
        return [prepare(unpack, flat, matrix) for matrix in pieces(kernel, bias, _ORDER, bias.size, QUAD)]

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        y, (x, *back) = tile(self.output, setting.dtype), arrays
        sizes = Sizes(*self.input, self.spec.outputs, arrays.d_x.size > 0), ACTIVATIONS[self.spec.activation]
        call = prepare(forward, *sizes, weights, x, y)
        return Bound(
            (call,), (prepare(backward, *sizes, weights, x, y, *back),) if setting.training else (), y,
            mask=setting.mask,
        )  # fmt: skip

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        (steps, features), dtype, width = self.input, x.values.dtype, padded_units(self.spec.outputs)
        weights, y = aligned((1 + features) * width, dtype), aligned(steps * width, dtype)
        sizes = steps, features, self.spec.outputs, ACTIVATIONS[self.spec.activation]
        forward = prepare(forward_single, *sizes, weights, x.values, x.step, y)
        return BoundSingle(Rows(y, width), (forward,), partial(self._pack_single, arrays, weights), mask=mask)

    def _pack_single(self, arrays: list[np.ndarray], weights: np.ndarray) -> None:
        kernel, bias = arrays
        pack_units(np.vstack([bias, kernel])[:, None], weights)
