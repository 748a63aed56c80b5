"""Two recurrent layers on the same sequence, one of which reads it from its end (Schuster and Paliwal 1997).

Both run as they are, on the same input. Side by side, they write every step where it lies in the common output, and
read their part of its gradient there where they can. What else becomes of two outputs, and of the gradient, is written
here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tsrnn._errors import Instance, Options, check_fields
from tsrnn._jit import Call, kernel, prepare
from tsrnn.kernels.contractions import padded, step_size
from tsrnn.kernels.simd import LANES, Strided, load, select_rows, store, zeros, zeros_like
from tsrnn.nn.layer import (
    NOTHING,
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
from tsrnn.nn.layers.recurrent import Recurrent, RecurrentLayer, Shared

_MERGES = {"concat": 0, "sum": 1, "mul": 2, "ave": 3}
_CONCAT, _SUM, _MUL, _AVE = _MERGES.values()
_DIRECTIONS = "forward", "backward"


@kernel
def merge(mode, joins, steps, count, masked, mask, source, y):
    """``count`` vectors of each step of one direction -> y: by themselves, or with what it ``joins`` there

    Masked steps give zero. One direction after the other: what one of them has written is still in the cache.
    """
    for step in range(steps):
        at, to = source.at + step * source.step, y.at + step * y.step
        for i in range(0, count * LANES, LANES):
            value = load(source.array, at + i, 1)
            if masked:
                value = select_rows(load(mask, step * LANES, 1), (value,), (zeros_like(value),))[0]
            if joins:
                merged = load(y.array, to + i, 1)
                if mode == _SUM:
                    value = merged + value
                elif mode == _MUL:
                    value = merged * value
                elif mode == _AVE:
                    value = (merged + value) * 0.5
            store(y.array, to + i, value)


@kernel
def merge_back(mode, steps, count, masked, mask, partner, d_y, d_source):
    """d_y -> the gradient of the outputs of one direction; ``partner`` are those of the other"""
    for step in range(steps):
        at, to, beside = d_y.at + step * d_y.step, d_source.at + step * d_source.step, partner.at + step * partner.step
        for i in range(0, count * LANES, LANES):
            value = load(d_y.array, at + i, 1)
            if mode == _MUL:
                value = value * load(partner.array, beside + i, 1)
            elif mode == _AVE:
                value = value * 0.5
            if masked:
                value = select_rows(load(mask, step * LANES, 1), (value,), (zeros_like(value),))[0]
            store(d_source.array, to + i, value)


@kernel
def clear_steps(steps, count, mask, y):
    """y [step] = 0 in ``count`` vectors where mask [step] is not above 0: for one sequence"""
    for step in range(steps):
        if not mask[step] > 0:
            for i in range(0, count * LANES, LANES):
                store(y.array, y.at + step * y.step + i, zeros(y.array, 1))


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
        self.returns_state = self.one.returns_state
        self.state_rows, self.state_size = 2 * self.one.state_rows, self.hidden
        self.streams = self.one.streams + self.other.streams
        self.parameters = tuple(
            replace(parameter, name=f"{direction}_{parameter.name}")
            for direction, layer in zip(_DIRECTIONS, (self.one, self.other), strict=True)
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
        dtype, size, (steps, features) = setting.dtype, self.one.gradient_size, self.output
        y, sequences = tile(self.output, dtype), self.spec.wrapped.return_sequences
        merged = [Strided(y, LANES + at * LANES, step_size(features)) for at in self._places]
        d_merged = [Strided(arrays.d_y, at * LANES, padded(features) * LANES) for at in self._places]
        penalty = self.spec.wrapped.activity  # of outputs that are each direction's own
        shares = self.mode == _CONCAT and sequences and not (penalty.l1 or penalty.l2)
        # Gradients of masked steps have to become zero, and blocks that are not full would reach across the border.
        direct = shares and setting.mask is None and self.hidden % self.spec.wrapped.cell.UNITS == 0
        # Each direction is done with it before the other one's is written.
        d_output = gradient_tile(self.one.output, dtype) if setting.training and not direct else arrays.d_y
        d_own = Strided(d_output, 0, padded(self.hidden) * LANES)
        d_places = _in_order_of_reading(d_merged, steps) if direct else [d_own, d_own]
        places = zip(_in_order_of_reading(merged, steps), d_places, strict=True)
        shared = [Shared(*place) if shares else None for place in places]
        own = [arrays._replace(d_y=d_output, gradient=flat) for flat in np.split(arrays.gradient, [size])]
        # The second direction goes back first.
        one = self.one.bind(replace(setting, adds_d_x=True), weights[0], own[0], shared[0])
        other = self.other.bind(setting, weights[1], own[1], shared[1])
        outputs = _in_order_of_time(one.y, other.y, LANES, step_size(self.hidden), steps)
        masked, mask = sequences and setting.mask is not None, setting.mask if sequences else None
        sizes = steps, self.hidden, masked, NOTHING.astype(dtype) if mask is None else mask
        forward, backward = [*one.forward, *other.forward], [*other.backward, *one.backward]
        if not shares:
            forward = [
                *one.forward, prepare(merge, self.mode, False, *sizes, outputs[0], merged[0]),
                *other.forward, prepare(merge, self.mode, self.mode != _CONCAT, *sizes, outputs[1], merged[1]),
            ]  # fmt: skip
        if setting.training and not direct:
            d_each = _in_order_of_reading([d_own, d_own], steps)
            split = [prepare(merge_back, self.mode, *sizes, outputs[1 - i], d_merged[i], d_each[i]) for i in (0, 1)]
            backward = [split[1], *other.backward, split[0], *one.backward]
        tapes, dropped = (one.tape, other.tape), (*one.dropped, *other.dropped)
        penalised = one.penalised + other.penalised
        return Bound(tuple(forward), tuple(backward), y, dropped, penalised, tapes, mask)

    @property
    def _places(self) -> tuple[int, int]:
        """Which feature of the output is the first one of each direction."""
        return (0, self.hidden) if self.mode == _CONCAT else (0, 0)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        first, second = self._halves(arrays)
        one, other = self.one.bind_single(first, x, mask), self.other.bind_single(second, x, mask)
        steps, blocks = self.output.steps, one.y.step // LANES
        # Whole blocks are written, of the second direction over what lies behind the units of the first.
        width = self._places[1] + blocks * LANES
        y = Rows(aligned(steps * width, x.values.dtype), width)
        sizes = steps, blocks, False, mask
        outputs = _in_order_of_time(one.y.values, other.y.values, 0, one.y.step, steps)
        merged = [Strided(y.values, at, width) for at in self._places]
        joins = False, self.mode != _CONCAT
        forward = [*one.forward, *other.forward]
        forward += [prepare(merge, self.mode, joins[i], *sizes, outputs[i], merged[i]) for i in (0, 1)]
        if one.mask is not None:
            forward += [prepare(clear_steps, steps, blocks, one.mask, place) for place in merged]
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

    def set_d_state(self, tape: tuple[Any, Any], values: list[np.ndarray]) -> None:
        first, second = self._halves(values)
        self.one.set_d_state(tape[0], first)
        self.other.set_d_state(tape[1], second)

    def d_state(self, tape: tuple[Any, Any]) -> tuple[np.ndarray, ...]:
        return (*self.one.d_state(tape[0]), *self.other.d_state(tape[1]))

    def recurrent_parts(self, tape: tuple[Any, Any]) -> list[RecurrentPart]:
        each = zip(_DIRECTIONS, (self.one, self.other), tape, strict=True)
        return [RecurrentPart(direction, layer, own, slice(None)) for direction, layer, own in each]

    @staticmethod
    def _halves(items: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """What belongs to the wrapped layer, and to the second one."""
        half = len(items) // 2
        return items[:half], items[half:]


def _in_order_of_time(one: np.ndarray, other: np.ndarray, at: int, step: int, steps: int) -> list[Strided]:
    """Where the steps of both directions lie; the second one has the last step first."""
    return _in_order_of_reading([Strided(one, at, step), Strided(other, at, step)], steps)


def _in_order_of_reading(places: list[Strided], steps: int) -> list[Strided]:
    """The same places, those of the second direction from the last one on."""
    (one, (array, at, step)) = places
    return [one, Strided(array, at + (steps - 1) * step, -step)]
