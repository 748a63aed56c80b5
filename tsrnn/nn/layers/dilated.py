"""Dilation over time (Chang 2017): the state that a step goes on from is that of ``dilation`` steps before.

The steps fall into ``dilation`` sequences that do not see each other, each a plain recurrent layer with the same
weights. So they are run one after the other by the time loop as it is, on copies of their steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tsrnn._errors import Instance, Integer, check_fields
from tsrnn._jit import Call, kernel, prepare
from tsrnn.kernels.contractions import padded, step_size
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import LANES
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
    SingleState,
    aligned,
    gradient_tile,
    tile,
)
from tsrnn.nn.layers.activity import with_penalty
from tsrnn.nn.layers.recurrent import Recurrent, RecurrentLayer


@kernel
def copy_blocks(source, target):
    """source [block][lane] -> target, wherever the blocks of each lie"""
    for block in range(source.shape[0]):
        for lane in range(source.shape[1]):
            target[block, lane] = source[block, lane]


@dataclass(frozen=True)
class Dilated(LayerSpec):
    """A recurrent layer whose state skips steps: each goes on from the state of ``dilation`` steps before (Chang 2017).

    Gradients take fewer steps to the same distance; stacked with dilations of 1, 2, 4, ... layers see far at little
    cost. Weights are those of the wrapped layer. A state is that of the last ``dilation`` steps, the oldest first:
    ``(h, h)`` for a GRU with ``dilation=2``, ``(h, c, h, c)`` for an LSTM.

    Parameters
    ----------
    wrapped : recurrent layer spec
        Of any cell, such as ``GRU(32)``.
    dilation : int
        How many steps back the state comes from; at most the number of steps.

    Examples
    --------
    >>> from tsrnn.nn import GRU, Dilated, Sequential
    >>> layers = [Dilated(GRU(8, return_sequences=True), 2 ** i) for i in range(3)]
    >>> Sequential([*layers, GRU(8)]).build(input_shape=(24, 1), random_state=0).count_params()
    1560
    """

    wrapped: Recurrent
    dilation: int

    def __post_init__(self) -> None:
        wrapped = Instance(Recurrent, "a recurrent layer such as GRU(32)")
        check_fields(self, {"wrapped": wrapped, "dilation": Integer(1)})

    def refusal(self, shape: Shape) -> str:
        if shape.steps < self.dilation:
            return f"at least {self.dilation} steps, or none goes on from another one: lower `dilation`"
        return ""

    def layer(self, shape: Shape) -> DilatedLayer:
        """The layer on inputs of this shape."""
        return DilatedLayer(self, shape)


class DilatedLayer(Layer):
    """Sequence i has the steps i, i + dilation, ... in the order of reading."""

    def __init__(self, spec: Dilated, shape: Shape) -> None:
        wrapped, self.dilation = spec.wrapped, spec.dilation
        self.spec, self.input = spec, shape
        counts = [len(range(i, shape.steps, self.dilation)) for i in range(self.dilation)]
        forwards = replace(wrapped, go_backwards=False, activity_l1=0.0, activity_l2=0.0)  # of the whole, see `bind`
        self.parts: list[RecurrentLayer] = [forwards.layer(Shape(count, shape.features)) for count in counts]
        one, self.hidden, self.sequences = self.parts[0], wrapped.hidden_size, wrapped.return_sequences
        self.output = Shape(shape.steps if self.sequences else 1, self.hidden)
        self.keeps_time, self.stateful, self.parameters = one.keeps_time, one.stateful, one.parameters
        self.returns_state = one.returns_state
        self.state_rows, self.state_size = self.dilation * one.state_rows, self.hidden
        # What the state after the last step is to the step that would follow, and to those after it.
        self.last = [(shape.steps + i) % self.dilation for i in range(self.dilation)]

    @property
    def gradient_size(self) -> int:
        return self.parts[0].gradient_size

    def make_weights(self, dtype: np.dtype) -> Any:
        return self.parts[0].make_weights(dtype)

    def packing(self, arrays: list[np.ndarray], weights: Any) -> list[Call]:
        return self.parts[0].packing(arrays, weights)

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        return self.parts[0].unpacking(flat, arrays)

    def _read(self, i: int, step: int) -> tuple[int, int]:
        """Where the steps of sequence i lie among those of the input, each of ``step`` numbers: the first, the next."""
        if self.spec.wrapped.go_backwards:
            return (self.input.steps - 1 - i) * step, -self.dilation * step
        return i * step, self.dilation * step

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        bind = partial(self._bind, setting, weights)
        return with_penalty(self.spec.wrapped.activity, self.output, bind, setting, arrays)

    def _bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        y, turned = tile(self.output, setting.dtype), setting.mask
        forward: list[Call] = []
        if turned is not None and self.spec.wrapped.go_backwards:
            turned, last = np.zeros_like(turned), (self.input.steps - 1) * LANES
            forward.append(prepare(copy_rows, self.input.steps, LANES, setting.mask, last, -LANES, turned, 0, LANES))
        backward: list[Call] = []
        bounds: list[Bound] = []
        for i in range(self.dilation):
            there, bound, back = self._bind_part(i, setting, weights, arrays, y)
            for of, to in zip(bounds[0].dropped if bounds else (), bound.dropped, strict=False):
                there.insert(0, prepare(copy_rows, 1, of.mask.size, of.mask, 0, 0, to.mask, 0, 0))
            forward += there
            backward += back
            bounds.append(bound)
        mask = turned if self.sequences else None
        tapes = tuple(bound.tape for bound in bounds)
        return Bound(tuple(forward), tuple(backward), y, bounds[0].dropped, tape=tapes, mask=mask)

    def _bind_part(
        self, i: int, setting: Setting, weights: Any, arrays: Arrays, y: np.ndarray
    ) -> tuple[list[Call], Bound, list[Call]]:
        """Sequence i: its steps to a tile of its own, the layer, its outputs to their places; and back."""
        part, dtype, (features, hidden) = self.parts[i], setting.dtype, (self.input.features, self.hidden)
        steps, x_step, h_step = part.input.steps, step_size(features), step_size(hidden)
        x, mask = tile(part.input, dtype), None
        first, next_ = self._read(i, x_step)
        there = [prepare(copy_rows, steps, features * LANES, arrays.x, LANES + first, next_, x, LANES, x_step)]
        if setting.mask is not None:
            mask = np.zeros(steps * LANES, dtype)
            there.append(prepare(copy_rows, steps, LANES, setting.mask, *self._read(i, LANES), mask, 0, LANES))
        d_y = gradient_tile(part.output, dtype) if setting.training else arrays.d_y
        d_x = gradient_tile(part.input, dtype) if arrays.d_x.size else arrays.d_x
        bound = part.bind(replace(setting, mask=mask), weights, Arrays(x, d_y, d_x, arrays.gradient))
        there += bound.forward
        back = list(bound.backward)
        # Outputs are in the order of reading; without sequences only the last step has one.
        gives = self.sequences or i == self.last[-1]
        place, apart = (i, self.dilation) if self.sequences else (0, 0)
        count, d_step = part.output.steps, padded(hidden) * LANES
        if gives:
            to = LANES + place * h_step, apart * h_step
            there.append(prepare(copy_rows, count, hidden * LANES, bound.y, LANES, h_step, y, *to))
        if gives and setting.training:
            of = place * d_step, apart * d_step
            back.insert(0, prepare(copy_rows, count, hidden * LANES, arrays.d_y, *of, d_y, 0, d_step))
        if arrays.d_x.size:
            width = padded(features) * LANES
            back.append(prepare(copy_rows, steps, width, d_x, 0, width, arrays.d_x, *self._read(i, width)))
        return there, bound, back

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        (total, features), dtype, turned = self.input, x.values.dtype, mask
        calls: list[Call] = []
        if self.sequences and self.spec.wrapped.go_backwards:
            turned = np.ones_like(mask)
            calls.append(prepare(copy_rows, total, 1, mask, total - 1, -1, turned, 0, 1))
        bounds, held, y = [], [], Rows(np.zeros(0, dtype), 0)
        for i, part in enumerate(self.parts):
            steps = part.input.steps
            own, own_mask = Rows(aligned(steps * features, dtype), features), np.ones(steps, dtype)
            calls.append(prepare(copy_rows, steps, features, x.values, *self._read(i, x.step), own.values, 0, features))
            calls.append(prepare(copy_rows, steps, 1, mask, *self._read(i, 1), own_mask, 0, 1))
            bound = part.bind_single(arrays, own, own_mask)
            rows = bound.state.rows if bound.state is not None else []
            held.append([np.zeros_like(row) for row in rows])
            calls += [prepare(copy_blocks, *pair) for pair in zip(held[i], rows, strict=True)]
            calls += bound.forward
            bounds.append((bound, rows))
        width = bounds[0][0].y.step
        if self.sequences:
            y = Rows(aligned(total * width, dtype), width)
            for i, (bound, _) in enumerate(bounds):
                to = i * width, self.dilation * width
                calls.append(
                    prepare(copy_rows, self.parts[i].input.steps, width, bound.y.values, 0, width, y.values, *to)
                )
        else:
            y = bounds[self.last[-1]][0].y
        for i, place in enumerate(self.last):
            calls += [prepare(copy_blocks, *pair) for pair in zip(bounds[place][1], held[i], strict=True)]
        packs = [bound.pack for bound, _ in bounds if bound.pack is not None]

        def pack() -> None:
            for each in packs:
                each()

        state = SingleState([row for rows in held for row in rows], self.hidden)
        return BoundSingle(y, tuple(calls), pack, state, turned if self.sequences else None)

    def _groups(self, values: list[np.ndarray]) -> list[list[np.ndarray]]:
        rows = self.parts[0].state_rows
        return [values[i * rows : (i + 1) * rows] for i in range(self.dilation)]

    def set_state(self, tape: tuple[Any, ...], values: list[np.ndarray]) -> None:
        for part, own, rows in zip(self.parts, tape, self._groups(values), strict=True):
            part.set_state(own, rows)

    def last_state(self, tape: tuple[Any, ...]) -> list[np.ndarray]:
        return [row for i in self.last for row in self.parts[i].last_state(tape[i])]

    def set_d_state(self, tape: tuple[Any, ...], values: list[np.ndarray]) -> None:
        for i, rows in zip(self.last, self._groups(values), strict=True):
            self.parts[i].set_d_state(tape[i], rows)

    def d_state(self, tape: tuple[Any, ...]) -> tuple[np.ndarray, ...]:
        return tuple(row for part, own in zip(self.parts, tape, strict=True) for row in part.d_state(own))

    def recurrent_parts(self, tape: tuple[Any, ...]) -> list[RecurrentPart]:
        each = enumerate(zip(self.parts, tape, strict=True))
        return [RecurrentPart("", part, own, slice(i, None, self.dilation)) for i, (part, own) in each]
