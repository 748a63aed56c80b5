"""Two recurrent layers on the same sequence, one of which reads it from its end (Schuster and Paliwal 1997).

Both run as they are, on the same input; what is written here is how their outputs become one, and its gradient two.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tsrnn._errors import Instance, Options, check_fields
from tsrnn._jit import Call, kernel, prepare
from tsrnn.kernels.contractions import padded, step_size
from tsrnn.kernels.simd import LANES, Strided
from tsrnn.nn.layer import (
    Arrays,
    Bound,
    BoundSingle,
    Layer,
    LayerSpec,
    Rows,
    Setting,
    Shape,
    SingleState,
    aligned,
    gradient_tile,
    tile,
)
from tsrnn.nn.layers.recurrent import Recurrent, RecurrentLayer

_MERGES = {"concat": 0, "sum": 1, "mul": 2, "ave": 3}
_CONCAT, _SUM, _MUL = 0, 1, 2


@kernel
def merge(mode, steps, count, one, other, y):
    """``count`` numbers of each step of two layers -> y, where ``other`` has the last step first"""
    share = 1.0 if mode == _SUM else 0.5
    for step in range(steps):
        a, b, c = one.at + step * one.step, other.at + (steps - 1 - step) * other.step, y.at + step * y.step
        if mode == _CONCAT:
            for i in range(count):
                y.array[c + i] = one.array[a + i]
                y.array[c + count + i] = other.array[b + i]
        elif mode == _MUL:
            for i in range(count):
                y.array[c + i] = one.array[a + i] * other.array[b + i]
        else:
            for i in range(count):
                y.array[c + i] = (one.array[a + i] + other.array[b + i]) * share


@kernel
def merge_back(mode, steps, count, one, other, d_y, d_one, d_other):
    """d_y -> the gradients of both layers' outputs"""
    share = 1.0 if mode == _SUM else 0.5
    for step in range(steps):
        back, c = steps - 1 - step, d_y.at + step * d_y.step
        d_a, d_b = d_one.at + step * d_one.step, d_other.at + back * d_other.step
        if mode == _CONCAT:
            for i in range(count):
                d_one.array[d_a + i] = d_y.array[c + i]
                d_other.array[d_b + i] = d_y.array[c + count + i]
        elif mode == _MUL:
            a, b = one.at + step * one.step, other.at + back * other.step
            for i in range(count):
                d_one.array[d_a + i] = d_y.array[c + i] * other.array[b + i]
                d_other.array[d_b + i] = d_y.array[c + i] * one.array[a + i]
        else:
            for i in range(count):
                d_one.array[d_a + i] = d_other.array[d_b + i] = d_y.array[c + i] * share


@kernel
def clear_masked(steps, rows, lanes, mask, values):
    """values [step][row][lane] = 0 where mask [step][lane] is not above 0"""
    for step in range(steps):
        for row in range(rows):
            at = values.at + step * values.step + row * lanes
            for lane in range(lanes):
                if not mask[step * lanes + lane] > 0:
                    values.array[at + lane] = 0


@kernel
def add_to(total, others):
    """total += others"""
    for i in range(total.size):
        total[i] += others[i]


@dataclass(frozen=True)
class Bidirectional(LayerSpec):
    """A recurrent layer in both directions: a second one like it reads each sequence from its end.

    With ``return_sequences`` in the wrapped layer, the outputs of both belong to the same step when they are merged,
    and those of masked steps are zero, as in Keras. A first state is that of the wrapped layer followed by that of the
    second one: ``(h, h)`` for a GRU, ``(h, c, h, c)`` for an LSTM. With ``stateful`` both go on from their own last
    state.

    Weights, as in Keras: those of the wrapped layer, then those of the second one.

    Parameters
    ----------
    wrapped : recurrent layer spec
        Of any cell, such as ``GRU(32)``; without ``go_backwards``.
    merge_mode : {"concat", "sum", "mul", "ave"}, default="concat"
        What becomes of the two outputs: side by side, their sum, their product, their mean.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GRU, Bidirectional, Dense, Sequential
    >>> layers = [Bidirectional(GRU(8, return_sequences=True)), Bidirectional(GRU(8), merge_mode="sum"), Dense(1)]
    >>> net = Sequential(layers).build(input_shape=(10, 2), random_state=0)
    >>> net(np.zeros((5, 10, 2), np.float32)).shape
    (5, 1)
    >>> print(layers[1])
    Bidirectional(GRU(8), merge_mode='sum')
    """

    wrapped: Recurrent
    merge_mode: str = field(default="concat", kw_only=True)

    def __post_init__(self) -> None:
        wrapped = Instance(Recurrent, "a recurrent layer such as GRU(32)")
        check_fields(self, {"wrapped": wrapped, "merge_mode": Options(*_MERGES)})
        if self.wrapped.go_backwards:
            raise ValueError(
                f"`wrapped` of Bidirectional must be a layer that reads forwards; got {self.wrapped}. Leave "
                "`go_backwards` out: a second layer that goes backwards is added."
            )

    def layer(self, shape: Shape) -> BidirectionalLayer:
        """The layer on inputs of this shape."""
        return BidirectionalLayer(self, shape)


class BidirectionalLayer(Layer):
    """Parameters of the wrapped layer with ``forward_`` before their names, then of the second one, ``backward_``."""

    def __init__(self, spec: Bidirectional, shape: Shape) -> None:
        wrapped = spec.wrapped
        self.spec, self.input = spec, shape
        self.one: RecurrentLayer = wrapped.layer(shape)
        self.other: RecurrentLayer = replace(wrapped, go_backwards=True).layer(shape)
        self.mode, self.hidden = _MERGES[spec.merge_mode], wrapped.hidden_size
        self.output = Shape(self.one.output.steps, self.hidden * (2 if self.mode == _CONCAT else 1))
        self.keeps_time, self.stateful = self.one.keeps_time, self.one.stateful
        self.state_rows, self.state_size = 2 * self.one.state_rows, self.hidden
        self.streams = self.one.streams + self.other.streams
        self.parameters = tuple(
            replace(parameter, name=f"{direction}_{parameter.name}")
            for direction, layer in (("forward", self.one), ("backward", self.other))
            for parameter in layer.parameters
        )

    @property
    def gradient_size(self) -> int:
        return self.one.gradient_size + self.other.gradient_size

    def make_weights(self, dtype: np.dtype) -> tuple[Any, Any]:
        return self.one.make_weights(dtype), self.other.make_weights(dtype)

    def packing(self, arrays: list[np.ndarray], weights: tuple[Any, Any]) -> list[Call]:
        first, second = self._halves(arrays)
        return [*self.one.packing(first, weights[0]), *self.other.packing(second, weights[1])]

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        size, (first, second) = self.one.gradient_size, self._halves(arrays)
        return [*self.one.unpacking(flat[:size], first), *self.other.unpacking(flat[size:], second)]

    def bind(self, setting: Setting, weights: tuple[Any, Any], arrays: Arrays) -> Bound:
        dtype, size = setting.dtype, self.one.gradient_size
        training, wants_d_x = setting.training, arrays.d_x.size > 0
        d_outputs = [gradient_tile(layer.output, dtype) if training else arrays.d_y for layer in (self.one, self.other)]
        d_x = gradient_tile(self.input, dtype) if wants_d_x else arrays.d_x  # of the second layer
        flat = arrays.gradient[:size], arrays.gradient[size:]
        one = self.one.bind(setting, weights[0], Arrays(arrays.x, d_outputs[0], arrays.d_x, flat[0]))
        other = self.other.bind(setting, weights[1], Arrays(arrays.x, d_outputs[1], d_x, flat[1]))
        y = tile(self.output, dtype)
        sizes = self.mode, self.output.steps, self.hidden * LANES
        outputs = [Strided(bound.y, LANES, step_size(self.hidden)) for bound in (one, other)]
        merged = Strided(y, LANES, step_size(self.output.features))
        forward = [*one.forward, *other.forward, prepare(merge, *sizes, *outputs, merged)]
        d_merged = Strided(arrays.d_y, 0, padded(self.output.features) * LANES)
        backward: list[Call] = []
        if training:
            step = padded(self.hidden) * LANES
            d_each = [Strided(d_output, 0, step) for d_output in d_outputs]
            backward = [prepare(merge_back, *sizes, *outputs, d_merged, *d_each), *one.backward, *other.backward]
            backward += [prepare(add_to, arrays.d_x, d_x)] if wants_d_x else []
        if one.mask is not None:
            clearing = self.output.steps, self.output.features, LANES, one.mask
            forward.append(prepare(clear_masked, *clearing, merged))
            backward[:0] = [prepare(clear_masked, *clearing, d_merged)] if training else []
        tapes, dropped = (one.tape, other.tape), (*one.dropped, *other.dropped)
        return Bound(tuple(forward), tuple(backward), y, dropped, tape=tapes, mask=one.mask)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        first, second = self._halves(arrays)
        one, other = self.one.bind_single(first, x, mask), self.other.bind_single(second, x, mask)
        (steps, features), dtype = self.output, x.values.dtype
        y = Rows(aligned(steps * features, dtype), features)
        outputs = [Strided(bound.y.values, 0, bound.y.step) for bound in (one, other)]
        merged = Strided(y.values, 0, features)
        forward = [*one.forward, *other.forward, prepare(merge, self.mode, steps, self.hidden, *outputs, merged)]
        if one.mask is not None:
            forward.append(prepare(clear_masked, steps, features, 1, one.mask, merged))
        states = [bound.state.rows for bound in (one, other) if bound.state is not None]
        state = SingleState([row for rows in states for row in rows], self.hidden)
        packs = [bound.pack for bound in (one, other) if bound.pack is not None]

        def pack() -> None:
            for each in packs:
                each()

        return BoundSingle(y, tuple(forward), pack, state, one.mask)

    def set_state(self, tape: tuple[Any, Any], values: list[np.ndarray]) -> None:
        first, second = self._halves(values)
        self.one.set_state(tape[0], first)
        self.other.set_state(tape[1], second)

    def last_state(self, tape: tuple[Any, Any]) -> list[np.ndarray]:
        return [*self.one.last_state(tape[0]), *self.other.last_state(tape[1])]

    def d_state(self, tape: tuple[Any, Any]) -> tuple[np.ndarray, ...]:
        return (*self.one.d_state(tape[0]), *self.other.d_state(tape[1]))

    @staticmethod
    def _halves(items: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """What belongs to the wrapped layer, and to the second one."""
        half = len(items) // 2
        return items[:half], items[half:]
