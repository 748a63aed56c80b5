"""Recurrent layers: the spec that all cells share, and the layer that runs the time loop on it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tsrnn._errors import Boolean, Integer, Options, Real, check_fields
from tsrnn._jit import Call, prepare
from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.contractions import Matrix, pack, pack_own, padded, pieces, step_size, unpack, unpack_own
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import LANES, Strided
from tsrnn.nn.layer import (
    NOTHING,
    Arrays,
    Bound,
    BoundSingle,
    Dropped,
    Layer,
    LayerSpec,
    RecurrentPart,
    Rows,
    Setting,
    Shape,
    aligned,
    fill_tile,
    read_tile,
    tile,
)
from tsrnn.nn.layers.activity import ActivityPenalty, with_penalty
from tsrnn.nn.params import Parameter, Penalty
from tsrnn.nn.recurrent import Drops, Gradients, Run, Tape, Weights, backward, forward, spread_step
from tsrnn.nn.single import bind_sequence, pack_sequence

_RATE = Real(0, 1, closed="left")
CONSTRAINTS = {
    "hidden_size": Integer(1),
    "activation": Options(*ACTIVATIONS),
    "recurrent_activation": Options(*ACTIVATIONS),
    "dropout": _RATE,
    "recurrent_dropout": _RATE,
    "return_sequences": Boolean(),
    "return_state": Boolean(),
    "go_backwards": Boolean(),
    "stateful": Boolean(),
    "kernel_l1": Real(0),
    "kernel_l2": Real(0),
    "recurrent_l1": Real(0),
    "recurrent_l2": Real(0),
    "activity_l1": Real(0),
    "activity_l2": Real(0),
}

SHARED_PARAMETERS = """Parameters
    ----------
    hidden_size : int
        Units.
    activation : {"tanh", "sigmoid", "hard_sigmoid", "relu", "softsign", "linear"}, default="tanh"
        Of the state.
    dropout : float, default=0.0
        Share of the inputs dropped in training; one mask for each sequence, the same at every step.
    recurrent_dropout : float, default=0.0
        The same for the state, where it enters the recurrent product (Gal and Ghahramani 2016).
    return_sequences : bool, default=False
        Give the state after each step, (steps, hidden_size), not only the last one.
    return_state : bool, default=False
        Give the last state as well: a network of `Sequential` is called as ``y, states = net(x)`` then. States have the
        form of ``initial_state``.
    go_backwards : bool, default=False
        Read the sequence from its end. With ``return_sequences`` the outputs are in the order of reading.
    stateful : bool, default=False
        Start each sequence of a batch from the state that the same place of the batch before ended with, until
        ``net.reset_states()``; for networks of `Sequential`, called by one thread at a time. Gradients stop at the
        border between batches.
    kernel_l1, kernel_l2 : float, default=0.0
        Penalties on the kernel that are part of the loss in training: so much times the sum of its magnitudes, and of
        its squares.
    recurrent_l1, recurrent_l2 : float, default=0.0
        The same for the recurrent kernel.
    activity_l1, activity_l2 : float, default=0.0
        The same for what the layer gives, added up over its steps and averaged over the sequences of a batch, as with
        an ``ActivityPenalty`` behind the layer."""


@dataclass(frozen=True)
class Recurrent(LayerSpec):
    """Spec of a recurrent layer; abstract: a cell's file gives ``cell``, its equations.

    The line ``{parameters}`` in a cell's docstring stands for the parameters that all cells share.
    """

    hidden_size: int
    activation: str = field(default="tanh", kw_only=True)
    dropout: float = field(default=0.0, kw_only=True)
    recurrent_dropout: float = field(default=0.0, kw_only=True)
    return_sequences: bool = field(default=False, kw_only=True)
    return_state: bool = field(default=False, kw_only=True)
    go_backwards: bool = field(default=False, kw_only=True)
    stateful: bool = field(default=False, kw_only=True)
    kernel_l1: float = field(default=0.0, kw_only=True)
    kernel_l2: float = field(default=0.0, kw_only=True)
    recurrent_l1: float = field(default=0.0, kw_only=True)
    recurrent_l2: float = field(default=0.0, kw_only=True)
    activity_l1: float = field(default=0.0, kw_only=True)
    activity_l2: float = field(default=0.0, kw_only=True)

    cell: ClassVar[Any]
    recurrent_activation: ClassVar[str] = "sigmoid"  # cells with gates make it a field
    unit_bias: ClassVar[tuple[str, ...]] = ()  # gates whose bias starts at one

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__doc__:
            cls.__doc__ = cls.__doc__.replace("{parameters}", SHARED_PARAMETERS)

    def __post_init__(self) -> None:
        constraints = dict(CONSTRAINTS)
        if "recurrent_activation" not in {field.name for field in fields(self)}:
            constraints.pop("recurrent_activation")
        check_fields(self, constraints)
        if not self.cell.RECURRENT:
            for name in ("recurrent_dropout", "recurrent_l1", "recurrent_l2"):
                if getattr(self, name):
                    raise ValueError(
                        f"`{name}` of {type(self).__name__} must be 0: its cell has no recurrent product that it could "
                        f"act on; got {getattr(self, name)}."
                    )

    @property
    def activity(self) -> ActivityPenalty:
        """The penalty on what the layer gives."""
        return ActivityPenalty(self.activity_l1, self.activity_l2)

    def layer(self, shape: Shape) -> RecurrentLayer:
        """The layer on inputs of this shape."""
        return RecurrentLayer(self, shape)


class Shared(NamedTuple):
    """Where the outputs of each step, in the order of reading, lie in a tile of several layers, and their gradients."""

    y: Strided
    d_y: Strided


def _order(cell: Any, columns: str, first: int, last: int) -> np.ndarray:
    """For each gate that a matrix feeds, its place among the columns of the matrix."""
    return np.array([columns.split().index(gate) for gate in cell.GATES.split()[first:last]], np.int64)


class RecurrentLayer(Layer):
    """Any cell on tiles. Parameters are Keras': ``kernel``, ``recurrent_kernel``, ``bias``, and the cell's own."""

    def __init__(self, spec: Recurrent, shape: Shape) -> None:
        cell = spec.cell
        self.spec, self.input = spec, shape
        self.keeps_time, self.stateful, self.returns_state = spec.return_sequences, spec.stateful, spec.return_state
        self.state_rows, self.state_size = 1 + cell.N_CARRIED, spec.hidden_size
        self.output = Shape(shape.steps if spec.return_sequences else 1, spec.hidden_size)
        self.activations = ACTIVATIONS[spec.activation], ACTIVATIONS[spec.recurrent_activation]
        self.sizes = cell(shape.features, spec.hidden_size, spec.return_sequences, spec.go_backwards, *self.activations)
        self.blocks = -(-spec.hidden_size // cell.UNITS)
        self.orders = (
            _order(cell, cell.INPUT, cell.INPUT_FIRST, cell.INPUT_LAST),
            _order(cell, cell.RECURRENT, cell.RECURRENT_FIRST, cell.RECURRENT_LAST),
            _order(cell, cell.RECURRENT, cell.SECOND_FIRST, cell.SECOND_LAST),
        )
        self.parameters = self._parameters()

    def _parameters(self) -> tuple[Parameter, ...]:
        spec, cell, hidden = self.spec, self.spec.cell, self.spec.hidden_size
        gates, recurrent_gates = cell.INPUT.split(), cell.RECURRENT.split()
        width, recurrent_width = len(gates) * hidden, len(recurrent_gates) * hidden
        ones = tuple(slice(g * hidden, (g + 1) * hidden) for g, gate in enumerate(gates) if gate in spec.unit_bias)
        own = (Parameter("own", (cell.N_OWN, hidden), "zeros"),) if cell.N_OWN else ()
        penalties = Penalty(spec.kernel_l1, spec.kernel_l2), Penalty(spec.recurrent_l1, spec.recurrent_l2)
        recurrent = Parameter("recurrent_kernel", (hidden, recurrent_width), "orthogonal", penalty=penalties[1])
        return (
            Parameter("kernel", (self.input.features, width), "glorot_uniform", penalty=penalties[0]),
            *((recurrent,) if recurrent_width else ()),
            Parameter("bias", (2, width) if cell.BIAS else (width,), "zeros", ones),
            *own,
        )

    @property
    def _gradient_sizes(self) -> tuple[int, int, int, int]:
        cell, hidden = self.spec.cell, self.spec.hidden_size
        rows = cell.INPUT_ROWS * (1 + self.input.features), cell.RECURRENT_ROWS * (cell.BIAS + hidden)
        return tuple(self.blocks * n for n in (*rows, cell.SECOND_ROWS * hidden, cell.N_OWN * cell.UNITS))  # type: ignore[return-value]

    @property
    def gradient_size(self) -> int:
        return sum(self._gradient_sizes)

    def _gradients(self, flat: np.ndarray) -> Gradients:
        ends = np.cumsum(self._gradient_sizes).tolist()
        return Gradients(*(flat[end - n : end] for n, end in zip(self._gradient_sizes, ends, strict=True)))

    def make_weights(self, dtype: np.dtype) -> Weights:
        cell, hidden, features = self.spec.cell, self.spec.hidden_size, self.input.features
        rows = cell.INPUT_ROWS, cell.RECURRENT_ROWS, cell.SECOND_ROWS
        sizes = (
            rows[0] * (1 + features), rows[0] * padded(features),
            rows[1] * (cell.BIAS + hidden), rows[1] * padded(hidden),
            rows[2] * hidden, rows[2] * padded(hidden), cell.N_OWN * cell.UNITS,
        )  # fmt: skip
        return Weights(*(aligned(self.blocks * size, dtype) for size in sizes))

    def _sides(self, arrays: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """(matrix, bias, order of the gates) of the input, the recurrent and the second product."""
        kernel, *recurrent, bias = arrays[: 3 if self.spec.cell.RECURRENT else 2]
        recurrent_kernel = recurrent[0] if recurrent else kernel[:0]
        none = bias.ravel()[:0]
        biases = (bias[0], bias[1]) if self.spec.cell.BIAS else (bias, none)
        matrices = (kernel, recurrent_kernel, recurrent_kernel)
        return list(zip(matrices, (*biases, none), self.orders, strict=True))

    def _own(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The cell's own parameters in one array, if it has any."""
        return arrays[-1:] if self.spec.cell.N_OWN else []

    def _matrices(self, arrays: list[np.ndarray]) -> list[list[Matrix]]:
        """The same in pieces; none of a product that there is not."""
        sizes = self.spec.hidden_size, self.spec.cell.UNITS
        return [pieces(*side, *sizes) if side[-1].size else [] for side in self._sides(arrays)]

    def packing(self, arrays: list[np.ndarray], weights: Weights) -> list[Call]:
        pairs = (
            (weights.input, weights.input_back),
            (weights.recurrent, weights.recurrent_back),
            (weights.second, weights.second_back),
        )
        matrices = zip(self._matrices(arrays), pairs, strict=True)
        calls: list[Call] = [prepare(pack, matrix, *pair) for some, pair in matrices for matrix in some]
        sizes = self.spec.hidden_size, self.spec.cell.UNITS
        return [*calls, *(prepare(pack_own, own.reshape(-1), *sizes, weights.own) for own in self._own(arrays))]

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        gradients = self._gradients(flat)
        matrices = zip(self._matrices(arrays), gradients, strict=False)
        calls: list[Call] = [prepare(unpack, gradient, matrix) for some, gradient in matrices for matrix in some]
        sizes = self.spec.hidden_size, self.spec.cell.UNITS
        return [*calls, *(prepare(unpack_own, gradients.own, *sizes, own.reshape(-1)) for own in self._own(arrays))]

    def bind(self, setting: Setting, weights: Weights, arrays: Arrays, shared: Shared | None = None) -> Bound:
        """As every layer; with ``shared`` each output goes there too, and its gradient comes from there."""
        bind = partial(self._bind, setting, weights, shared)
        return with_penalty(self.spec.activity, self.output, bind, setting, arrays)

    def _bind(self, setting: Setting, weights: Weights, shared: Shared | None, arrays: Arrays) -> Bound:
        spec, steps, (x, d_y, d_x, flat) = self.spec, self.input.steps, arrays
        gives_tape = spec.return_sequences and shared is None  # as its output
        kept = steps + 1 if setting.training or gives_tape else 2
        drops, dropped = self._drops(setting)
        tape = self._tape(setting, drops, x, kept)
        stored = steps if setting.training else 1
        masked = setting.mask is not None
        dropping = drops.input.size > 0, drops.state.size > 0
        way_back = d_x.size > 0, setting.continues, setting.keeps_flow, setting.d_states, setting.adds_d_x
        run = Run(steps, kept, stored, masked, setting.continues, *dropping, *way_back, shared is not None)
        mask = setting.mask
        if mask is None:
            mask = np.ones(0 if shared is None else steps * LANES, setting.dtype)
        if shared is None:
            d_step = padded(spec.hidden_size) * LANES if spec.return_sequences else 0
            shared = Shared(Strided(NOTHING.astype(setting.dtype), 0, 0), Strided(d_y, 0, d_step))
        stride = (1 + padded(spec.hidden_size)) * LANES
        last = tape.state[steps % kept * stride :][:stride]
        calls = self._forward(run, weights, x, mask, drops, tape, shared.y)
        back = []
        if setting.training:
            gradients = self._gradients(flat)
            back = [prepare(backward, self.sizes, run, weights, mask, drops, tape, *shared.d_y, d_x, gradients)]
        output_mask = mask if masked and gives_tape else None
        if output_mask is not None and spec.go_backwards:
            output_mask = np.zeros_like(mask)
            last_step = (steps - 1) * LANES
            calls.append(prepare(copy_rows, steps, LANES, mask, last_step, -LANES, output_mask, 0, LANES))
        return Bound(
            tuple(calls),
            tuple(back),
            tape.state[stride:] if gives_tape else last,
            dropped,
            tape=tape,
            mask=output_mask,
        )

    def _forward(
        self, run: Run, weights: Weights, x: np.ndarray, mask: np.ndarray, drops: Drops, tape: Tape, y: Strided
    ) -> list[Call]:
        return [prepare(forward, self.sizes, run, weights, x, mask, drops, tape, y)]

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        fill = partial(pack_sequence, self.sizes, self._sides(arrays), self._own(arrays))
        return bind_sequence(self.sizes, self.input.steps, fill, x, mask)

    def set_state(self, tape: Tape, values: list[np.ndarray]) -> None:
        fill_tile(tape.state[: step_size(self.spec.hidden_size)], values[0][:, None], ones=1)
        carry = self._carried(tape.carry)
        for row, value in enumerate(values[1:]):
            carry[row, : value.shape[1], : len(value)] = value.T
        tape.carry[: carry.size] = self._blocked(carry)

    def last_state(self, tape: Tape) -> list[np.ndarray]:
        hidden, step = self.spec.hidden_size, step_size(self.spec.hidden_size)
        kept = tape.state.size // step
        slot = self.input.steps % kept
        h = read_tile(tape.state[slot * step :], Shape(1, hidden), ones=1)[:, 0].copy()
        carried = self._carried(tape.carry[slot * (tape.carry.size // kept) :])
        return [h, *(row[:hidden].T.copy() for row in carried)]

    def set_d_state(self, tape: Tape, values: list[np.ndarray]) -> None:
        d_h = tape.d_state.reshape(-1, LANES)
        d_h[: self.spec.hidden_size, : len(values[0])] = values[0].T
        carry = self._carried(tape.d_carry)
        for row, value in enumerate(values[1:]):
            carry[row, : value.shape[1], : len(value)] = value.T
        tape.d_carry[:] = self._blocked(carry)

    def d_state(self, tape: Tape) -> tuple[np.ndarray, ...]:
        hidden = self.spec.hidden_size
        rows = [tape.d_state.reshape(-1, LANES), *self._carried(tape.d_carry)]
        return tuple(row[:hidden].T.copy() for row in rows)

    def recurrent_parts(self, tape: Tape) -> list[RecurrentPart]:
        return [RecurrentPart("", self, tape, slice(None))]

    def _carried(self, carry: np.ndarray) -> np.ndarray:
        """[block][carried][unit][lane] -> (carried, units, LANES), a copy."""
        cell = self.spec.cell
        rows = carry[: self.blocks * cell.N_CARRIED * cell.UNITS * LANES]
        rows = rows.reshape(self.blocks, cell.N_CARRIED, cell.UNITS, LANES)
        return rows.transpose(1, 0, 2, 3).reshape(cell.N_CARRIED, self.blocks * cell.UNITS, LANES)

    def _blocked(self, rows: np.ndarray) -> np.ndarray:
        """The inverse of ``_carried``."""
        cell = self.spec.cell
        return rows.reshape(cell.N_CARRIED, self.blocks, cell.UNITS, LANES).transpose(1, 0, 2, 3).ravel()

    def _drops(self, setting: Setting) -> tuple[Drops, tuple[Dropped, ...]]:
        sides, dropped = [], []
        for what, count, rate in (
            ("input", self.input.features, self.spec.dropout),
            ("state", self.spec.hidden_size, self.spec.recurrent_dropout),
        ):
            used = setting.training and rate > 0
            sides.append(aligned(padded(count) * LANES if used else 0, setting.dtype))
            dropped += [Dropped(what, sides[-1], count, rate)] if used else []
        return Drops(*sides), tuple(dropped)

    def _tape(self, setting: Setting, drops: Drops, x: np.ndarray, kept: int) -> Tape:
        cell, steps, dtype = self.spec.cell, self.input.steps, setting.dtype
        stored = steps if setting.training else 1
        width = padded(self.spec.hidden_size) * LANES
        block = self.blocks * cell.UNITS * LANES  # elements of one row of every unit
        state = tile(Shape(kept, self.spec.hidden_size), dtype)
        carried = aligned(width, dtype), aligned(cell.N_CARRIED * block, dtype)
        d_state, d_carry = carried if setting.before is None else (setting.before.d_state, setting.before.d_carry)
        return Tape(
            x=tile(self.input, dtype) if drops.input.size else x,
            state=state,
            fed=tile(Shape(kept, self.spec.hidden_size), dtype) if drops.state.size else state,
            reset=aligned(stored * (width + LANES) if cell.TWO_STAGES else 0, dtype),
            carry=aligned(kept * cell.N_CARRIED * block, dtype),
            saved=aligned(stored * spread_step(cell.N_SAVED * block), dtype),
            d_state=d_state,
            d_carry=d_carry,
            d_reset=aligned(width if cell.TWO_STAGES else 0, dtype),
            flow=aligned(steps * width if setting.keeps_flow else 0, dtype),
        )
