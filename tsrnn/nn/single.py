"""One sequence at a time: the time loop with units along the lanes, where tiles have windows.

The equations of a cell are written for lane vectors and do not ask what a lane is, so they serve here as they are. A
block is LANES units; its lanes beyond the last unit have weights of zero, and nothing reads them. Sums are taken in the
order of the tile kernels: the bias, the inputs, the bias of the recurrent product, the state.

For each step and block:   gates = [b W] [1 x] + [b' U] [1 h];   h' = cell(gates, h)
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tsrnn._jit import helper, kernel, prepare, when
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import LANES, contract_units, load, load_rows, store, store_rows, zero_rows
from tsrnn.nn.layer import BoundSingle, Rows, SingleState, aligned

Matrix = tuple[np.ndarray, np.ndarray, np.ndarray]  # (column, gate * unit), its bias or none, the order of its gates


class UnitLayout(NamedTuple):
    """Sizes and places that follow from a spec, in elements: a call with few arrays is a quick one.

    weights   input [block][1 + feature][gate][lane], recurrent and second [block][1 + hidden][gate][lane], own
              [block][own][lane]; row 0 of each product is its bias
    state     carry [block][carried][lane]; gates [block][gate][lane] and reset [block][lane], which wait between the
              two stages of a step; then slots of h [block][lane]
    """

    blocks: int
    input: int  # weights of one block
    recurrent: int
    second: int
    recurrent_at: int  # places in the weights
    second_at: int
    own_at: int
    weights: int
    gates_at: int  # places in the state
    reset_at: int
    h_at: int


def layout_of(spec):
    """The layout of a cell's arrays."""
    blocks = (spec.hidden + LANES - 1) // LANES
    block_input = (1 + spec.features) * (spec.INPUT_LAST - spec.INPUT_FIRST) * LANES
    block_recurrent = (1 + spec.hidden) * (spec.RECURRENT_LAST - spec.RECURRENT_FIRST) * LANES
    block_second = (1 + spec.hidden) * (spec.SECOND_LAST - spec.SECOND_FIRST) * LANES
    recurrent_at = blocks * block_input
    second_at = recurrent_at + blocks * block_recurrent
    own_at = second_at + blocks * block_second
    gates_at = blocks * spec.N_CARRIED * LANES
    reset_at = gates_at + spec.TWO_STAGES * blocks * spec.N_GATES * LANES
    return UnitLayout(
        blocks, block_input, block_recurrent, block_second, recurrent_at, second_at, own_at,
        own_at + blocks * spec.N_OWN * LANES, gates_at, reset_at, reset_at + spec.TWO_STAGES * blocks * LANES,
    )  # fmt: skip


unit_layout = helper(layout_of)  # the same for kernels


@helper
def fed_gates(spec, size, weights, x, x_at, state, before, block):
    """Pre-activations of one block: the input product and the recurrent product."""
    gates = zero_rows(x, spec.N_GATES, 1)
    gates = contract_units(
        gates, spec.INPUT_FIRST, spec.INPUT_LAST, weights, block * size.input, x, x_at, spec.features
    )
    return contract_units(
        gates, spec.RECURRENT_FIRST, spec.RECURRENT_LAST,
        weights, size.recurrent_at + block * size.recurrent, state, before, spec.hidden,
    )  # fmt: skip


@when("TWO_STAGES")
def first_stage(spec, size, weights, x, x_at, state, before):
    """For cells with ``reset``: the gates of every block wait, and the reset state is made from them."""
    for block in range(size.blocks):
        gates = fed_gates(spec, size, weights, x, x_at, state, before, block)
        store_rows(state, size.gates_at + block * spec.N_GATES * LANES, gates)
        store(state, size.reset_at + block * LANES, spec.reset(gates, load(state, before + block * LANES, 1)))


@when("TWO_STAGES", otherwise=fed_gates)
def all_gates(spec, size, weights, x, x_at, state, before, block):
    """For cells with ``reset``: what ``first_stage`` left, and the product over the reset state."""
    gates = load_rows(state, size.gates_at + block * spec.N_GATES * LANES, spec.N_GATES, 1)
    return contract_units(
        gates, spec.SECOND_FIRST, spec.SECOND_LAST,
        weights, size.second_at + block * size.second, state, size.reset_at, spec.hidden,
    )  # fmt: skip


@helper
def copy_lanes(state, target, source, blocks):
    """By lanes: slices would count references"""
    for block in range(blocks):
        store(state, target + block * LANES, load(state, source + block * LANES, 1))


@kernel
def forward_single(spec, steps, kept, weights, x, x_step, mask, state):
    """x [step][feature] -> state, whose slot 0 of h is the state before, and at the end the state after.

    There are ``kept`` slots: 2, or steps + 1 to have the output of each step in the slots from 1 on.
    """
    size = unit_layout(spec)
    units = size.blocks * LANES
    for step in range(steps):
        time = steps - 1 - step if spec.go_backwards else step
        before, after = size.h_at + step % kept * units, size.h_at + (step + 1) % kept * units
        if not mask[time] > 0:
            copy_lanes(state, after, before, size.blocks)
            continue
        first_stage(spec, size, weights, x, time * x_step, state, before)
        for block in range(size.blocks):
            gates = all_gates(spec, size, weights, x, time * x_step, state, before, block)
            # In the order of the tile kernel: LLVM goes by it when it makes one of a product and a sum.
            carry_at = block * spec.N_CARRIED * LANES
            previous = (load(state, before + block * LANES, 1),) + load_rows(state, carry_at, spec.N_CARRIED, 1)
            own = load_rows(weights, size.own_at + block * spec.N_OWN * LANES, spec.N_OWN, 1)
            following, _ = spec.forward(gates + own, previous)
            store(state, after + block * LANES, following[0])
            store_rows(state, carry_at, following[1:])
    copy_lanes(state, size.h_at, size.h_at + steps % kept * units, size.blocks)


def padded_units(count: int) -> int:
    """``count`` rounded up to whole blocks."""
    return -(-count // LANES) * LANES


def pack_units(rows: np.ndarray, packed: np.ndarray) -> None:
    """rows [row][gate][unit] -> packed [block][row][gate][lane]; lanes beyond the last unit are left alone"""
    for block, target in enumerate(packed.reshape(-1, *rows.shape[:2], LANES)):
        part = rows[..., block * LANES : (block + 1) * LANES]
        target[..., : part.shape[-1]] = part


def pack_sequence(spec: Any, matrices: list[Matrix], own: list[np.ndarray], weights: np.ndarray) -> None:
    """The input, recurrent and second product, and the cell's own parameters -> ``weights`` (see ``UnitLayout``)."""
    size = layout_of(spec)
    *products, packed_own = np.split(weights, [size.recurrent_at, size.second_at, size.own_at])
    for (matrix, bias, order), packed in zip(matrices, products, strict=True):
        if packed.size:
            first = bias if bias.size else np.zeros(matrix.shape[1], matrix.dtype)
            pack_units(np.vstack([first, matrix]).reshape(len(matrix) + 1, -1, spec.hidden)[:, order], packed)
    for rows in own:
        pack_units(rows[:, None], packed_own)


def bind_sequence(spec: Any, steps: int, fill: Callable[[np.ndarray], None], x: Rows, mask: np.ndarray) -> BoundSingle:
    """The time loop on arrays of its own; ``fill`` packs the parameters."""
    size, dtype = layout_of(spec), x.values.dtype
    units, kept = size.blocks * LANES, steps + 1 if spec.return_sequences else 2
    weights, state = aligned(size.weights, dtype), aligned(size.h_at + kept * units, dtype)
    calls = [prepare(forward_single, spec, steps, kept, weights, x.values, x.step, mask, state)]
    after = mask if spec.return_sequences else None
    if after is not None and spec.go_backwards:
        after = np.ones_like(mask)
        calls.append(prepare(copy_rows, steps, 1, mask, steps - 1, -1, after, 0, 1))
    h = state[size.h_at :].reshape(kept, size.blocks, LANES)
    carry = state[: size.gates_at].reshape(size.blocks, spec.N_CARRIED, LANES)
    y = Rows((h[1:] if spec.return_sequences else h[0]).reshape(-1), units)
    return BoundSingle(
        y, tuple(calls), partial(fill, weights), SingleState([h[0], *carry.swapaxes(0, 1)], spec.hidden), after
    )
