"""The only time loop, forward and backward, for every recurrent cell.

A tile is [step][1 + feature][lane]: row 0 of each step is ones, so a bias is one more weight and its gradient one more
column. A block is the UNITS units that go through one contraction. The cell's equations come in as ``spec.forward`` and
``spec.backward`` (see ``cells/cell.py``).

Forward, for each step and block:   gates = W [1 x] + U [1 h];   h', saved = cell(gates, h)
Backward, from the last step:       d_gates = cell'(saved, h, d_h');   d_h = U^T d_gates + what the cell hands through
and every CHUNK steps, while they are in cache, the d_gates become gradients of W and U.
"""

from typing import NamedTuple

import numpy as np

from tsrnn._jit import helper, kernel, when
from tsrnn.kernels.contractions import QUAD, add_outer, tile_step
from tsrnn.kernels.copies import copy_where
from tsrnn.kernels.simd import (
    LANES,
    Strided,
    add_lane_sums,
    contract,
    contract_groups,
    load,
    load_lanes,
    load_rows,
    prefetch,
    select_rows,
    split_rows,
    spread_rows,
    store,
    store_rows,
    zero_rows,
    zeros,
)

SPREAD = 2048  # elements; 8 kB of float32
CHUNK = 16  # steps of gate gradients that become weight gradients together


class Weights(NamedTuple):
    """Parameters as the contractions read them (see ``kernels.contractions.pack``)."""

    input: np.ndarray  # [block][1 + feature][gate, unit]
    input_back: np.ndarray  # [feature / QUAD][block][gate, unit][QUAD]
    recurrent: np.ndarray  # [block][bias + hidden][gate, unit]
    recurrent_back: np.ndarray  # [hidden / QUAD][block][gate, unit][QUAD]
    second: np.ndarray  # [block][hidden][gate, unit], of the gates that see the reset state
    second_back: np.ndarray
    own: np.ndarray  # [block][own][unit]


class Tape(NamedTuple):
    """What one tile keeps from forward to backward. With input dropout ``x``, with state dropout ``fed`` are copies."""

    x: np.ndarray  # [step][1 + feature][lane], what the input product saw
    state: np.ndarray  # [kept][1 + hidden][lane]
    fed: np.ndarray  # [kept][1 + hidden][lane], what the recurrent product saw
    reset: np.ndarray  # [saved][hidden][lane], what the second product saw
    carry: np.ndarray  # [kept][block][carried][unit][lane]
    saved: np.ndarray  # [saved][block][N_SAVED][unit][lane]: activations, then gate gradients
    d_state: np.ndarray  # [hidden][lane]: after backward, the gradient of the initial h
    d_carry: np.ndarray  # [block][carried][unit][lane]: likewise of the carried state
    d_reset: np.ndarray  # [hidden][lane]
    flow: np.ndarray  # [step][hidden][lane]: where asked for, the gradient of h after each step


class Drops(NamedTuple):
    """Multipliers of one tile, the same at every step; empty where there is no dropout."""

    input: np.ndarray  # [feature][lane]
    state: np.ndarray  # [hidden][lane]


class Run(NamedTuple):
    """What differs from call to call."""

    steps: int
    kept: int  # states on the tape: steps + 1, or 2 to forget
    saved: int  # steps of activations on the tape: steps, or 1 to forget
    masked: bool
    continues: bool  # slot 0 of the tape holds the initial state; else it is zero
    drops_input: bool
    drops_state: bool
    wants_d_x: bool
    wants_d_state: bool
    keeps_flow: bool
    given_d_state: bool  # d_state and d_carry hold the gradient of the last state; else it is zero
    adds_d_x: bool  # to what is there
    shared: bool  # outputs go to a tile of two layers too; there they are zero where masked


class Place(NamedTuple):
    """Where one step of the forward pass reads and writes. Found once a step: a division for each block would show."""

    time: int  # the step of x and mask
    before: int  # slots of the state before and after
    after: int
    saved_at: int  # places on the tape
    reset_at: int


class Layout(NamedTuple):
    """Sizes that follow from a spec, in elements."""

    blocks: int
    inputs: int  # rows of the input product: 1 + features
    fed: int  # rows of the recurrent product: bias + hidden
    x_step: int  # one step of x, of the state (also the reset one), of the carry, of what is saved
    h_step: int
    carry_step: int
    saved_step: int


def spread_step(count):
    """Elements from one step of ``count`` to the next: an odd number of 8 kB, where there are several.

    A cache has few lines for addresses that are a power of two apart, and weight gradients read CHUNK steps at once.
    """
    parts = (count + SPREAD - 1) // SPREAD
    return count if parts < 2 else (parts // 2 * 2 + 1) * SPREAD


spread = helper(spread_step)  # the same for kernels


@helper
def layout(spec):
    blocks = (spec.hidden + spec.UNITS - 1) // spec.UNITS
    units = blocks * spec.UNITS * LANES
    return Layout(
        blocks,
        1 + spec.features,
        spec.BIAS + spec.hidden,
        tile_step(spec.features),
        tile_step(spec.hidden),
        spec.N_CARRIED * units,
        spread(blocks * spec.GROUP * LANES),
    )


@helper
def load_state(spec, tape, size, slot, block):
    """(h, carried...) of one block."""
    h = load(tape.state, slot * size.h_step + (1 + block * spec.UNITS) * LANES, spec.UNITS)
    carry_at = slot * size.carry_step + block * spec.N_CARRIED * spec.UNITS * LANES
    return (h,) + load_rows(tape.carry, carry_at, spec.N_CARRIED, spec.UNITS)


@helper
def load_own(spec, weights, block):
    return spread_rows(weights.own, block * spec.N_OWN * spec.UNITS, spec.N_OWN, spec.UNITS)


@helper
def drop(target, source, at, factors, count):
    """target[at:] = source[at:] * factors, for ``count`` features; by lanes: slices would count references"""
    for feature in range(count):
        lanes = feature * LANES
        store(target, at + lanes, load(source, at + lanes, 1) * load(factors, lanes, 1))


@helper
def fed_gates(spec, size, weights, tape, place, block):
    """Pre-activations of one block: the input product and the recurrent product."""
    gates = zero_rows(tape.x, spec.N_GATES, spec.UNITS)
    gates = contract(
        gates, spec.INPUT_FIRST, spec.INPUT_LAST,
        weights.input, block * size.inputs * spec.INPUT_ROWS, tape.x, place.time * size.x_step, size.inputs,
    )  # fmt: skip
    return contract(
        gates, spec.RECURRENT_FIRST, spec.RECURRENT_LAST,
        weights.recurrent, block * size.fed * spec.RECURRENT_ROWS,
        tape.fed, place.before * size.h_step + (1 - spec.BIAS) * LANES, size.fed,
    )  # fmt: skip


@when("TWO_STAGES")
def first_stage(spec, size, weights, tape, place):
    """For cells with ``reset``: the gates of every block wait on the tape, and the reset state is made from them."""
    for block in range(size.blocks):
        gates = fed_gates(spec, size, weights, tape, place, block)
        fed = load(tape.fed, place.before * size.h_step + (1 + block * spec.UNITS) * LANES, spec.UNITS)
        store_rows(tape.saved, place.saved_at + block * spec.GROUP * LANES, gates)
        store(tape.reset, place.reset_at + block * spec.UNITS * LANES, spec.reset(gates, fed))


@when("TWO_STAGES", otherwise=fed_gates)
def all_gates(spec, size, weights, tape, place, block):
    """For cells with ``reset``: what ``first_stage`` left, and the product over the reset state."""
    gates = load_rows(tape.saved, place.saved_at + block * spec.GROUP * LANES, spec.N_GATES, spec.UNITS)
    return contract(
        gates, spec.SECOND_FIRST, spec.SECOND_LAST,
        weights.second, block * spec.hidden * spec.SECOND_ROWS, tape.reset, place.reset_at, spec.hidden,
    )  # fmt: skip


@kernel
def forward(spec, run, weights, x, mask, drops, tape, y):
    """x [step][1 + feature][lane] -> tape.state [step + 1][1 + hidden][lane], and ``y`` where it is shared"""
    size, width = layout(spec), spec.UNITS * LANES
    if not run.continues:
        tape.state[LANES : size.h_step] = 0
        tape.carry[: size.carry_step] = 0
    if run.drops_state:
        drop(tape.fed, tape.state, LANES, drops.state, spec.hidden)
    for step in range(run.steps):
        time = run.steps - 1 - step if spec.go_backwards else step
        stored = step % run.saved
        place = Place(
            time, step % run.kept, (step + 1) % run.kept, stored * size.saved_step, stored * size.h_step
        )  # fmt: skip
        if run.drops_input:
            drop(tape.x, x, time * size.x_step + LANES, drops.input, spec.features)
        first_stage(spec, size, weights, tape, place)
        for block in range(size.blocks):
            # Not a helper: with branches in it, Numba would count references to all these arrays for every block.
            if run.shared:  # what will be written is asked for now, and there by then
                prefetch(y.array, y.at + step * y.step + block * width, 1, spec.UNITS)
            gates = all_gates(spec, size, weights, tape, place, block)
            previous = load_state(spec, tape, size, place.before, block)
            state, saved = spec.forward(gates + load_own(spec, weights, block), previous)
            if run.masked:
                state = select_rows(load_lanes(mask, time * LANES, spec.UNITS), state, previous)
            h_at = place.after * size.h_step + LANES + block * width
            store(tape.state, h_at, state[0])
            store_rows(tape.carry, place.after * size.carry_step + block * spec.N_CARRIED * width, state[1:])
            if run.drops_state:
                store(tape.fed, h_at, state[0] * load(drops.state, block * width, spec.UNITS))
            store_rows(tape.saved, place.saved_at + block * spec.GROUP * LANES, saved)
        if run.shared:  # while it is in the first cache
            after = place.after * size.h_step + LANES
            copy_where(y.array, y.at + step * y.step, tape.state, after, mask, time * LANES, spec.hidden)


@helper
def gates_back(spec, run, size, weights, mask, tape, receives, d_y, d_y_at, d_own, step, time):
    """Activations of one step become gate gradients; d_state and d_carry go one step back but for the product."""
    width = spec.UNITS * LANES
    for block in range(size.blocks):
        h_at, carry_at = block * width, block * spec.N_CARRIED * width
        saved_at = step * size.saved_step + block * spec.GROUP * LANES
        saved = load_rows(tape.saved, saved_at, spec.N_SAVED, spec.UNITS)
        previous = load_state(spec, tape, size, step, block)
        d_h = load(tape.d_state, h_at, spec.UNITS)
        if receives:
            d_h = d_h + load(d_y, d_y_at + h_at, spec.UNITS)
        if run.keeps_flow:
            store(tape.flow, step * (size.h_step - LANES) + h_at, d_h)
        d_state = (d_h,) + load_rows(tape.d_carry, carry_at, spec.N_CARRIED, spec.UNITS)
        d_rows, d_previous = spec.backward(saved + load_own(spec, weights, block), previous, d_state)
        if run.masked:
            lanes = load_lanes(mask, time * LANES, spec.UNITS)
            d_rows = select_rows(lanes, d_rows, zero_rows(d_y, spec.D_ROWS, spec.UNITS))
            d_previous = select_rows(lanes, d_previous, d_state)
        d_gates, d_own_rows = split_rows(d_rows, spec.N_GATES)
        store_rows(tape.saved, saved_at, d_gates)
        add_lane_sums(d_own, block * spec.N_OWN * spec.UNITS, d_own_rows)
        store(tape.d_state, h_at, d_previous[0])
        store_rows(tape.d_carry, carry_at, d_previous[1:])


@when("TWO_STAGES")
def second_stage_back(spec, run, size, weights, drops, tape, step):
    """For cells with ``reset``: through the second product to the reset gate and the state that it scaled."""
    width = spec.UNITS * LANES
    for quad in range((spec.hidden + QUAD - 1) // QUAD):
        d_reset = contract_groups(
            zeros(tape.saved, QUAD), weights.second_back, quad * QUAD * size.blocks * spec.SECOND_ROWS,
            tape.saved, step * size.saved_step, size.blocks, spec.GROUP, spec.SECOND_START, spec.SECOND_STOP,
        )  # fmt: skip
        store(tape.d_reset, quad * QUAD * LANES, d_reset)
    for block in range(size.blocks):
        saved_at = step * size.saved_step + block * spec.GROUP * LANES
        saved = load_rows(tape.saved, saved_at, spec.N_SAVED, spec.UNITS)
        fed = load(tape.fed, step * size.h_step + (1 + block * spec.UNITS) * LANES, spec.UNITS)
        d_gates, d_fed = spec.d_reset(saved, fed, load(tape.d_reset, block * width, spec.UNITS))
        store_rows(tape.saved, saved_at, d_gates)
        if run.drops_state:
            d_fed = d_fed * load(drops.state, block * width, spec.UNITS)
        store(tape.d_state, block * width, load(tape.d_state, block * width, spec.UNITS) + d_fed)


@when("TWO_STAGES")
def second_gradient(spec, size, tape, d_second, step, count):
    add_outer(
        d_second, size.blocks, spec.SECOND_ROWS, spec.hidden, spec.SECOND_COLUMNS, spec.SECOND_HALF,
        Strided(tape.saved, step * size.saved_step + spec.SECOND_START * LANES, size.saved_step), spec.GROUP,
        Strided(tape.reset, step * size.h_step, size.h_step), count,
    )  # fmt: skip


class Gradients(NamedTuple):
    """What ``backward`` adds to, in the order of ``kernels.contractions.unpack``."""

    input: np.ndarray  # [block][gate, unit][1 + feature]
    recurrent: np.ndarray  # [block][gate, unit][bias + hidden]
    second: np.ndarray  # [block][gate, unit][hidden]
    own: np.ndarray  # [block][own][unit]


@kernel
def backward(spec, run, weights, mask, drops, tape, d_y, d_first, d_next, d_x, gradients):
    """d_y [hidden][lane] of each step -> d_x [step][feature][lane], tape.d_state, tape.d_carry; gradients accumulate

    The steps of d_y begin at ``d_first`` and lie ``d_next`` apart.
    """
    size = layout(spec)
    if not run.given_d_state:
        tape.d_state[:] = 0
        tape.d_carry[:] = 0
    for step in range(run.steps - 1, -1, -1):
        time = run.steps - 1 - step if spec.go_backwards else step
        saved_at = step * size.saved_step
        receives = spec.return_sequences or step == run.steps - 1
        d_y_at = d_first + step * d_next
        gates_back(spec, run, size, weights, mask, tape, receives, d_y, d_y_at, gradients.own, step, time)
        second_stage_back(spec, run, size, weights, drops, tape, step)
        if step > 0 or run.wants_d_state:
            for quad in range((spec.hidden + QUAD - 1) // QUAD):
                at = quad * QUAD * LANES
                d_h = contract_groups(
                    zeros(d_x, QUAD), weights.recurrent_back, quad * QUAD * size.blocks * spec.RECURRENT_ROWS,
                    tape.saved, saved_at, size.blocks, spec.GROUP, spec.RECURRENT_START, spec.RECURRENT_STOP,
                )  # fmt: skip
                if run.drops_state:
                    d_h = d_h * load(drops.state, at, QUAD)
                store(tape.d_state, at, load(tape.d_state, at, QUAD) + d_h)
        if run.wants_d_x:
            for quad in range((spec.features + QUAD - 1) // QUAD):
                d_x_quad = contract_groups(
                    zeros(d_x, QUAD), weights.input_back, quad * QUAD * size.blocks * spec.INPUT_ROWS,
                    tape.saved, saved_at, size.blocks, spec.GROUP, spec.INPUT_START, spec.INPUT_STOP,
                )  # fmt: skip
                if run.drops_input:
                    d_x_quad = d_x_quad * load(drops.input, quad * QUAD * LANES, QUAD)
                d_x_at = time * (size.x_step - LANES) + quad * QUAD * LANES
                if run.adds_d_x:
                    d_x_quad = d_x_quad + load(d_x, d_x_at, QUAD)
                store(d_x, d_x_at, d_x_quad)
        if step % CHUNK == 0:
            count = min(CHUNK, run.steps - step)
            x_step = -size.x_step if spec.go_backwards else size.x_step
            add_outer(
                gradients.input, size.blocks, spec.INPUT_ROWS, size.inputs, spec.INPUT_COLUMNS, spec.INPUT_HALF,
                Strided(tape.saved, saved_at + spec.INPUT_START * LANES, size.saved_step), spec.GROUP,
                Strided(tape.x, time * size.x_step, x_step), count,
            )  # fmt: skip
            add_outer(
                gradients.recurrent, size.blocks, spec.RECURRENT_ROWS, size.fed,
                spec.RECURRENT_COLUMNS, spec.RECURRENT_HALF,
                Strided(tape.saved, saved_at + spec.RECURRENT_START * LANES, size.saved_step), spec.GROUP,
                Strided(tape.fed, step * size.h_step + (1 - spec.BIAS) * LANES, size.h_step), count,
            )  # fmt: skip
            second_gradient(spec, size, tape, gradients.second, step, count)
