"""A residual connection (He 2016): what a layer gives, added to what it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsrnn._errors import Instance, check_fields
from tsrnn._jit import Call, kernel, prepare
from tsrnn.kernels.contractions import QUAD, padded, tile_step
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import LANES, load, store
from tsrnn.nn.layer import (
    Arrays,
    Bound,
    BoundSingle,
    Layer,
    LayerSpec,
    RecurrentPart,
    Rows,
    Setting,
    Shape,
    aligned,
    tile,
)
from tsrnn.nn.layers.dilated import Dilated
from tsrnn.nn.layers.recurrent import Recurrent


@kernel
def add(steps, features, ones, first, second, total):
    """total [step][ones + feature][lane] = first + second; ``ones`` is 1 for tiles, 0 for gradients"""
    step_length = tile_step(features) - (1 - ones) * LANES
    for step in range(steps):
        for quad in range((features + QUAD - 1) // QUAD):
            at = step * step_length + (ones + quad * QUAD) * LANES
            store(total, at, load(first, at, QUAD) + load(second, at, QUAD))


@kernel
def add_single(steps, features, first, first_step, second, second_step, total):
    """total [step][feature] = first + second"""
    for step in range(steps):
        for feature in range(features):
            value = first[step * first_step + feature] + second[step * second_step + feature]
            total[step * features + feature] = value


@dataclass(frozen=True)
class Residual(LayerSpec):
    """A layer around which its input goes as well: ``x + layer(x)``, so that deep stacks learn as easily as flat ones.

    The mask of the output, states and weights are those of the layer.

    Parameters
    ----------
    wrapped : layer spec
        One that gives as many steps and features as it takes: for recurrent layers ``return_sequences=True`` and a
        ``hidden_size`` of the width of the input.

    Examples
    --------
    >>> from tsrnn.nn import GRU, Residual, Sequential
    >>> layers = [GRU(8, return_sequences=True), Residual(GRU(8, return_sequences=True)), Residual(GRU(8))]
    >>> Sequential(layers[:2]).build(input_shape=(30, 3)).count_params()
    744
    >>> Sequential(layers).build(input_shape=(30, 3))
    Traceback (most recent call last):
    ValueError: Layer 2, Residual(GRU(8)), needs a layer that gives as many steps and features as it takes (30 and 8),
    where this one gives 1 and 8; got 30 steps of 8 features.
    """

    wrapped: LayerSpec

    def __post_init__(self) -> None:
        check_fields(self, {"wrapped": Instance(LayerSpec, "a layer such as GRU(32, return_sequences=True)")})
        inner = self.wrapped.wrapped if isinstance(self.wrapped, Dilated) else self.wrapped
        if isinstance(inner, Recurrent) and inner.go_backwards:
            raise ValueError(
                f"`wrapped` of Residual must give its outputs in the order of its inputs; got {self.wrapped}, "
                "which gives them from the last step to the first."
            )

    def refusal(self, shape: Shape) -> str:
        needed = self.wrapped.refusal(shape)
        if needed:
            return needed
        layer = self.wrapped.layer(shape)
        if layer.output == shape and layer.keeps_time:
            return ""
        return (
            f"a layer that gives as many steps and features as it takes ({shape.steps} and {shape.features}), where "
            f"this one gives {layer.output.steps} and {layer.output.features}"
        )

    def layer(self, shape: Shape) -> ResidualLayer:
        """The layer on inputs of this shape."""
        return ResidualLayer(self, self.wrapped.layer(shape))


class ResidualLayer(Layer):
    """Another layer, and a sum; parameters and states are that layer's."""

    def __init__(self, spec: Residual, inner: Layer) -> None:
        self.spec, self.inner, self.input, self.output = spec, inner, inner.input, inner.output
        self.parameters, self.streams, self.stateful = inner.parameters, inner.streams, inner.stateful
        self.state_rows, self.state_size = inner.state_rows, inner.state_size
        self.returns_state = inner.returns_state

    @property
    def gradient_size(self) -> int:
        return self.inner.gradient_size

    def usable(self, x: np.ndarray) -> np.ndarray:
        return self.inner.usable(x)

    def check_values(self, x: np.ndarray) -> None:
        self.inner.check_values(x)

    def make_weights(self, dtype: np.dtype) -> Any:
        return self.inner.make_weights(dtype)

    def packing(self, arrays: list[np.ndarray], weights: Any) -> list[Call]:
        return self.inner.packing(arrays, weights)

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        return self.inner.unpacking(flat, arrays)

    def set_state(self, tape: Any, values: list[np.ndarray]) -> None:
        self.inner.set_state(tape, values)

    def last_state(self, tape: Any) -> list[np.ndarray]:
        return self.inner.last_state(tape)

    def set_d_state(self, tape: Any, values: list[np.ndarray]) -> None:
        self.inner.set_d_state(tape, values)

    def d_state(self, tape: Any) -> tuple[np.ndarray, ...]:
        return self.inner.d_state(tape)

    def recurrent_parts(self, tape: Any) -> list[RecurrentPart]:
        parts = self.inner.recurrent_parts(tape)
        return [part._replace(name=f"{self.inner.name} {part.name}".rstrip()) for part in parts]

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        steps, features = self.input
        bound, y = self.inner.bind(setting, weights, arrays), tile(self.output, setting.dtype)
        forward = (*bound.forward, prepare(add, steps, features, 1, arrays.x, bound.y, y))
        back = bound.backward
        if arrays.d_x.size:
            # The layer may write into d_y, and overwrites d_x: what goes around it waits in a copy.
            count = steps * padded(features) * LANES
            around = aligned(count, setting.dtype)
            keep = prepare(copy_rows, 1, count, arrays.d_y, 0, 0, around, 0, 0)
            back = (keep, *back, prepare(add, steps, features, 0, around, arrays.d_x, arrays.d_x))
        return replace(bound, forward=forward, backward=back, y=y)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        (steps, features), bound = self.input, self.inner.bind_single(arrays, x, mask)
        y = Rows(aligned(steps * features, x.values.dtype), features)
        total = prepare(add_single, steps, features, x.values, x.step, bound.y.values, bound.y.step, y.values)
        return replace(bound, y=y, forward=(*bound.forward, total))
