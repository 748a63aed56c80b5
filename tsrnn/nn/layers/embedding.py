"""A vector for each token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tsrnn._errors import Boolean, Integer, check_fields
from tsrnn._jit import Call, kernel, prepare
from tsrnn.kernels.contractions import step_size
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import LANES
from tsrnn.nn.layer import Arrays, Bound, BoundSingle, Layer, LayerSpec, Rows, Setting, Shape, aligned, tile
from tsrnn.nn.params import Parameter

MOST_TOKENS = 1 << 24  # float32, in which tokens come to the kernels, has every whole number up to here


@kernel
def forward(steps, lanes, n_tokens, width, table, x, x_first, x_step, y, y_first, y_step):
    """x [step][lane] -> y [step][feature][lane], NaN for what is no token; table [token][feature]

    ``lanes`` is 1 for a single sequence.
    """
    for step in range(steps):
        for lane in range(lanes):
            token, at = x[x_first + step * x_step + lane], y_first + step * y_step + lane
            known = token >= 0 and token < n_tokens
            row = int(token) * width if known else 0
            for feature in range(width):
                y[at + feature * lanes] = table[row + feature] if known else np.nan


@kernel
def backward(steps, n_tokens, width, x, x_step, d_y, d_step, d_table):
    """d_table accumulates"""
    for step in range(steps):
        for lane in range(LANES):
            token = x[LANES + step * x_step + lane]
            if token >= 0 and token < n_tokens:
                row = int(token) * width
                for feature in range(width):
                    d_table[row + feature] += d_y[step * d_step + feature * LANES + lane]


@kernel
def mark_zeros(steps, lanes, x, x_first, x_step, mask, marked):
    """mask [step][lane], and not where x is zero"""
    for step in range(steps):
        for lane in range(lanes):
            at = step * lanes + lane
            marked[at] = 0 if x[x_first + step * x_step + lane] == 0 else mask[at]


@dataclass(frozen=True)
class Embedding(LayerSpec):
    """A vector of ``width`` numbers for each of ``n_tokens`` tokens; the first layer on integer sequences.

    The input has one feature, the token: (batch, steps, 1), whole numbers from 0 to ``n_tokens - 1``; others are
    refused. Its gradient is zero. A mask goes on to the next layer.

    Parameters
    ----------
    n_tokens : int
        Size of the vocabulary, at most 2**24.
    width : int
        Numbers in a vector.
    mask_zero : bool, default=False
        Token 0 is padding: the layers above do not count its steps.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GRU, Dense, Embedding, Sequential
    >>> net = Sequential([Embedding(100, 8, mask_zero=True), GRU(16), Dense(2)]).build(input_shape=(5, 1))
    >>> tokens = np.array([[3, 14, 15, 92, 65], [3, 14, 0, 0, 0]])
    >>> net(tokens[:, :, None]).shape
    (2, 2)
    """

    reads_tokens: ClassVar[bool] = True

    n_tokens: int
    width: int
    mask_zero: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_fields(self, {"n_tokens": Integer(1, MOST_TOKENS), "width": Integer(1), "mask_zero": Boolean()})

    def refusal(self, shape: Shape) -> str:
        return "" if shape.features == 1 else "one feature, the token"

    def layer(self, shape: Shape) -> EmbeddingLayer:
        """The layer on inputs of this shape."""
        return EmbeddingLayer(self, shape)


class EmbeddingLayer(Layer):
    """Parameter ``embeddings`` (n_tokens, width)."""

    def __init__(self, spec: Embedding, shape: Shape) -> None:
        self.spec, self.input, self.output = spec, shape, Shape(shape.steps, spec.width)
        self.parameters = (Parameter("embeddings", (spec.n_tokens, spec.width), "small_uniform"),)

    @property
    def gradient_size(self) -> int:
        return self.spec.n_tokens * self.spec.width

    def usable(self, x: np.ndarray) -> np.ndarray:
        return (x >= 0) & (x < self.spec.n_tokens) & (x == np.floor(x))

    def check_values(self, x: np.ndarray) -> None:
        """Refuse what is no token, with the first place where it stands."""
        wrong = ~self.usable(x)
        if wrong.any():
            row, step, _ = np.argwhere(wrong)[0]
            raise ValueError(
                f"`x` must hold tokens for {self.spec}, whole numbers from 0 to {self.spec.n_tokens - 1}; got "
                f"{x[row, step, 0]:g} in row {row} at step {step}. Give unknown tokens a number of their own."
            )

    def make_weights(self, dtype: np.dtype) -> np.ndarray:
        return aligned(self.gradient_size, dtype)

    def packing(self, arrays: list[np.ndarray], weights: np.ndarray) -> list[Call]:
        return [prepare(copy_rows, 1, weights.size, arrays[0].reshape(-1), 0, 0, weights, 0, 0)]

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        return [prepare(copy_rows, 1, flat.size, flat, 0, 0, arrays[0].reshape(-1), 0, 0)]

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        steps, spec, y, x_step = self.input.steps, self.spec, tile(self.output, setting.dtype), step_size(1)
        sizes, y_step = (spec.n_tokens, spec.width), step_size(spec.width)
        calls = [prepare(forward, steps, LANES, *sizes, weights, arrays.x, LANES, x_step, y, LANES, y_step)]
        back: tuple[Call, ...] = ()
        if setting.training:
            d_step = y_step - LANES
            back = (prepare(backward, steps, *sizes, arrays.x, x_step, arrays.d_y, d_step, arrays.gradient),)
        mask = setting.mask
        if spec.mask_zero:
            given = np.ones(steps * LANES, setting.dtype) if mask is None else mask
            mask = np.ones_like(given)
            calls.append(prepare(mark_zeros, steps, LANES, arrays.x, LANES, x_step, given, mask))
        return Bound(tuple(calls), back, y, mask=mask)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        steps, spec, table = self.input.steps, self.spec, arrays[0].reshape(-1)
        y = Rows(aligned(steps * spec.width, x.values.dtype), spec.width)
        sizes = 1, spec.n_tokens, spec.width
        calls = [prepare(forward, steps, *sizes, table, x.values, 0, x.step, y.values, 0, y.step)]
        if spec.mask_zero:
            given, mask = mask, np.ones_like(mask)
            calls.append(prepare(mark_zeros, steps, 1, x.values, 0, x.step, given, mask))
        return BoundSingle(y, tuple(calls), mask=mask)
