"""The protocol of layers: what a spec becomes once the size of its input is known, and what a network asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tsrnn._jit import Call
from tsrnn.kernels.contractions import padded
from tsrnn.kernels.simd import LANES
from tsrnn.nn.params import Parameter

NOTHING = np.zeros(0)


class Shape(NamedTuple):
    """What flows between two layers: ``steps`` of ``features`` each; one step where there is no time axis."""

    steps: int
    features: int


def aligned(count: int, dtype: np.dtype) -> np.ndarray:
    """Zeros that start on a cache line, with one line of room behind."""
    size = np.dtype(dtype).itemsize
    raw = np.zeros(count * size + 128, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + count * size].view(dtype)


def tile(shape: Shape, dtype: np.dtype) -> np.ndarray:
    """[step][1 + feature][lane], flat, with the row of ones of each step."""
    values = aligned(shape.steps * (1 + padded(shape.features)) * LANES, dtype)
    values.reshape(shape.steps, -1, LANES)[:, 0] = 1
    return values


def gradient_tile(shape: Shape, dtype: np.dtype) -> np.ndarray:
    """[step][feature][lane], flat: gradients have no row of ones."""
    return aligned(shape.steps * padded(shape.features) * LANES, dtype)


def fill_tile(target: np.ndarray, values: np.ndarray, ones: int = 0) -> None:
    """(windows, steps, features) -> [step][ones + feature][lane]; ``ones`` is 1 for tiles, 0 for gradients."""
    steps, features = values.shape[1:]
    target.reshape(steps, -1, LANES)[:, ones : ones + features, : len(values)] = values.transpose(1, 2, 0)


def read_tile(source: np.ndarray, shape: Shape, ones: int = 0) -> np.ndarray:
    """[step][ones + feature][lane] -> (LANES, steps, features)"""
    rows = source[: shape.steps * (ones + padded(shape.features)) * LANES].reshape(shape.steps, -1, LANES)
    return rows[:, ones : ones + shape.features].transpose(2, 0, 1)


@dataclass
class Dropped:
    """A mask that has to be drawn for each tile: ``count`` numbers a window, each ``rate`` likely to be zero."""

    what: str  # "input" or "state"
    mask: np.ndarray  # [count][lane]
    count: int
    rate: float


class Penalised(NamedTuple):
    """Numbers whose size is part of the loss: ``l1`` times their magnitudes and ``l2`` times their squares."""

    x: np.ndarray  # [step][1 + feature][lane]
    mask: np.ndarray  # [step][lane], or empty
    steps: int
    features: int
    l1: float
    l2: float


@dataclass(frozen=True)
class Setting:
    """How a layer's kernels are to run on one tile."""

    dtype: np.dtype
    training: bool  # keeps a tape; draws dropout
    turn: np.ndarray  # which tile it is (see ``kernels.turn``)
    mask: np.ndarray | None = None  # [step][lane], 1 where a step counts
    continues: bool = False  # recurrent layers start from the state that the caller puts on the tape
    keeps_flow: bool = False  # recurrent layers keep the gradient of their state after each step
    d_states: bool = False  # their backward pass, from the gradient of the last state that is put there
    adds_d_x: bool = False  # they add the gradient of the input to what is there
    before: Any = None  # tape of the layer that hands its state on to this one; the first state's gradient goes there


class Arrays(NamedTuple):
    """What a layer finds on its tile. Without training there are no gradients: the last three are empty."""

    x: np.ndarray  # [step][1 + feature][lane]
    d_y: np.ndarray  # [step][feature][lane]
    d_x: np.ndarray  # likewise; empty where nobody asks for it
    gradient: np.ndarray  # ``gradient_size`` numbers, in the layer's own order


@dataclass
class Bound:
    """A layer's kernels, bound to the arrays of one tile."""

    forward: tuple[Call, ...]
    backward: tuple[Call, ...]  # none without training
    y: np.ndarray  # [step][1 + feature][lane]
    dropped: tuple[Dropped, ...] = ()
    penalised: tuple[Penalised, ...] = ()
    tape: Any = None  # of recurrent layers, whose states it holds
    mask: np.ndarray | None = None  # of the output


class Rows(NamedTuple):
    """One sequence between two layers, flat: the features of step t begin at ``t * step``."""

    values: np.ndarray
    step: int


@dataclass
class SingleState:
    """The state of a recurrent layer on one sequence: views [block][lane], one for each state row."""

    rows: list[np.ndarray]
    hidden: int

    def clear(self) -> None:
        """Start from zero."""
        for row in self.rows:
            row.fill(0)

    def read(self) -> list[np.ndarray]:
        """Copies, each (1, hidden)."""
        return [row.reshape(1, -1)[:, : self.hidden].copy() for row in self.rows]

    def write(self, values: list[np.ndarray]) -> None:
        """Start from these, each (1, hidden)."""
        for row, value in zip(self.rows, values, strict=True):
            flat = np.zeros(row.size, row.dtype)
            flat[: self.hidden] = value[0]
            row[...] = flat.reshape(row.shape)


@dataclass
class BoundSingle:
    """A layer's prediction, bound to the arrays of one sequence."""

    y: Rows
    forward: tuple[Call, ...] = ()  # none where y is x
    pack: Callable[[], None] | None = None  # parameters -> what ``forward`` reads, whenever they have changed
    state: SingleState | None = None  # of recurrent layers: before and after a call
    mask: np.ndarray | None = None  # [step] of the output, 1 where a step counts


class RecurrentPart(NamedTuple):
    """A recurrent layer on a tile: a layer of the network, or one of those within it."""

    name: str  # within the layer of the network; empty for that layer itself
    layer: Any  # a RecurrentLayer
    tape: Any
    steps: slice  # which steps of the layer of the network are its own, in the order of reading


class Layer(ABC):
    """A spec at a given input: sizes, parameters, packing, kernels. It owns no arrays; abstract."""

    spec: Any
    input: Shape
    output: Shape
    parameters: tuple[Parameter, ...] = ()
    keeps_time: bool = True  # whether the output has steps where the input has
    makes_time: bool = False  # whether the output has steps where the input has none
    state_rows: int = 0  # arrays of a recurrent layer's state
    state_size: int = 0  # numbers of a sequence in each of them
    streams: int = 2  # of random numbers that are its own: no fewer than the masks that it drops with
    stateful: bool = False  # recurrent layers: whether the state goes on from call to call
    returns_state: bool = False  # recurrent layers: whether a network gives the last state beside its output

    @property
    def name(self) -> str:
        """What files and summaries call layers of this kind."""
        return type(self.spec).__name__.lower()

    @property
    def gradient_size(self) -> int:
        """Numbers in the gradient as the kernels write it."""
        return 0

    def usable(self, x: np.ndarray) -> np.ndarray:
        """Which inputs (batch, steps, features) the layer can work with; asked of a network's first layer."""
        return np.isfinite(x)

    def check_values(self, x: np.ndarray) -> None:
        """Refuse inputs (batch, steps, features) that the layer cannot take; asked of a network's first layer."""

    def make_weights(self, dtype: np.dtype) -> Any:
        """Room for the parameters in the order that the kernels read."""
        return None

    def packing(self, arrays: list[np.ndarray], weights: Any) -> list[Call]:
        """What to call whenever the parameters have changed: parameters -> ``weights``."""
        return []

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        """What to call after a backward pass: the gradient as kernels wrote it -> arrays shaped like the parameters."""
        return []

    def set_state(self, tape: Any, values: list[np.ndarray]) -> None:
        """Recurrent layers: put the first state, an array (windows, hidden) for each state row, on the tape."""

    def last_state(self, tape: Any) -> list[np.ndarray]:
        """Recurrent layers: the state after the last step, an array (LANES, hidden) for each state row."""
        return []

    def set_d_state(self, tape: Any, values: list[np.ndarray]) -> None:
        """Recurrent layers: put the gradient of the last state, arrays as of ``set_state``, on the tape."""

    def d_state(self, tape: Any) -> tuple[np.ndarray, ...]:
        """Recurrent layers: the gradient of the first state after ``backward``, each (LANES, hidden)."""
        return ()

    def recurrent_parts(self, tape: Any) -> list[RecurrentPart]:
        """The recurrent layers that this layer is, or is made of; parts of one name share its steps."""
        return []

    def attention(self, tape: Any) -> np.ndarray | None:
        """Attention layers: how much each step counted in the last forward pass, (LANES, steps)."""
        return None

    @abstractmethod
    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        """The kernels on these arrays: forward reads x, backward reads d_y, writes d_x and adds to the gradient."""

    @abstractmethod
    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        """The prediction of one sequence, with the parameters in ``arrays``; mask [step] is 1 where a step counts."""


class LayerSpec(ABC):
    """A layer as the user writes it: a small frozen dataclass; abstract. ``str()`` of it leaves defaults out."""

    reads_tokens: ClassVar[bool] = False  # whole numbers, which no layer gives and no scaling may change

    def __str__(self) -> str:
        shown = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if value != field.default:
                text = str(value) if isinstance(value, LayerSpec) else repr(value)
                shown.append(f"{field.name}={text}" if field.kw_only else text)
        return f"{type(self).__name__}({', '.join(shown)})"

    def refusal(self, shape: Shape) -> str:
        """What the layer would need where it cannot take inputs of this shape; "" where it can."""
        return ""

    @abstractmethod
    def layer(self, shape: Shape) -> Layer:
        """The layer on inputs of this shape."""
