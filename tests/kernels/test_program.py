"""Programs make the calls that Python would make, with the arguments that Python would give."""

import gc
import tracemalloc
import weakref
from typing import NamedTuple

import numpy as np
import pytest
from numba import config

from tsrnn._jit import Spec, kernel, prepare
from tsrnn.kernels.copies import add_to, copy_rows
from tsrnn.kernels.program import Loop, Program
from tsrnn.kernels.turn import PIECE, TILE, new_turn


class _Fields(NamedTuple):
    factor: float
    shift: int


class Line(Spec, _Fields):
    __slots__ = ()


class Settings(NamedTuple):
    negative: int
    flag: bool
    line: Line
    column: np.ndarray  # not contiguous
    single: np.ndarray  # float32


@kernel
def everything(settings, real, small, unsigned, flag, matrix, out):
    """One number from each argument."""
    out[0] = settings.negative
    out[1] = 1 if settings.flag else 2
    out[2] = settings.line.factor
    out[3] = settings.line.shift
    for i in range(settings.column.size):
        out[4] += settings.column[i]
    out[5] = settings.single[1]
    out[6] = real
    out[7] = small
    out[8] = unsigned
    out[9] = 1 if flag else 2
    for row in range(matrix.shape[0]):
        out[10] += matrix[row, 1] * (row + 1)


@kernel
def append(turn, log, piece):
    """Which tile this is, and a sign of it in its piece."""
    log[turn[TILE]] += 100 * turn[PIECE] + turn[TILE]
    piece[turn[TILE] % 2] += turn[TILE]


@kernel
def fail(turn, at):
    """Raises for one tile."""
    if turn[TILE] == at:
        raise ValueError("on purpose")


def test_arguments_of_every_kind():
    grid = np.arange(12.0).reshape(4, 3)
    settings = Settings(-3, True, Line(0.1, -(2**40)), grid[:, 1], np.array([1.5, 2.5], np.float32))
    arguments = settings, np.float32(0.7), np.int8(-5), np.uint64(2**63 + 1024), False, grid
    wanted, found = np.zeros(11), np.zeros(11)
    everything(*arguments, wanted)
    assert wanted[2] == 0.1 and wanted[3] == -(2**40) and wanted[10] == 1 + 2 * 4 + 3 * 7 + 4 * 10
    Program([prepare(everything, *arguments, found)], new_turn()).run(range(1))
    np.testing.assert_array_equal(found, wanted)


def test_a_program_may_be_empty():
    turn = new_turn()
    Program([], turn).run(range(3), 3)
    assert turn[TILE] == 2


def test_arrays_may_change_between_runs():
    grid, out = np.zeros((1, 2)), np.zeros(11)
    settings = Settings(0, True, Line(1.0, 1), grid[:, 1], np.zeros(2, np.float32))
    program = Program([prepare(everything, settings, 0.0, 0, 0, True, grid, out)], new_turn())
    for value in (5, 7):
        grid[:], out[:] = value, 0
        program.run(range(1))
        assert out[4] == out[10] == value


@pytest.mark.parametrize(("tiles", "pieces"), [(5, 5), (5, 2), (7, 3), (1, 1)])
def test_each_tile_finds_its_piece(tiles, pieces):
    log, home, turn = np.zeros(tiles), np.zeros(4), new_turn()
    program = Program([prepare(append, turn, log, home[1:3]), prepare(append, turn, log, home[2:])], turn, home)
    partial = np.zeros((pieces, 4))
    cut = tiles // 2
    program.run(range(cut), tiles, partial)
    program.run(range(cut, tiles), tiles, partial)
    wanted = np.zeros((pieces, 4))
    for tile in range(tiles):
        piece = tile * pieces // tiles
        assert log[tile] == 2 * (100 * piece + tile)
        wanted[piece, 1 + tile % 2] += tile
        wanted[piece, 2 + tile % 2] += tile
    np.testing.assert_array_equal(partial, wanted)


def test_a_failure_stops_the_program():
    log, turn = np.zeros(4), new_turn()
    program = Program([prepare(fail, turn, 2), prepare(append, turn, log, np.zeros(2))], turn)
    with pytest.raises(ValueError if config.DISABLE_JIT else RuntimeError):
        program.run(range(4), 4)
    np.testing.assert_array_equal(log, [0, 1, 0, 0])


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="Python takes everything")
def test_text_is_refused():
    with pytest.raises(TypeError, match="arrays, numbers and tuples of them; got .* unicode_type"):
        Program([prepare(length, "abc", np.zeros(1))], new_turn())


@kernel
def length(text, out):
    """Of a text."""
    out[0] = len(text)


def test_a_call_made_again_has_arguments_of_its_own():
    turn, logs, piece = new_turn(), np.zeros((2, 4), np.int64), np.zeros(2, np.float32)
    first = prepare(append, turn, logs[0], piece)
    second = first.again(turn, logs[1, 1:], piece)
    Program([first, second, first], turn).run(range(2), tiles=2)
    assert logs.tolist() == [[0, 2, 0, 0], [0, 0, 1, 0]]
    assert piece.tolist() == [0, 3]
    second()  # from Python, for the last tile
    assert logs[1].tolist() == [0, 0, 2, 0]


# Loops


def adding(x, total, copied):
    """Step t adds x[t:] to total[t:], and copies x[t] to place 2 t: views begin and end, and numbers grow, by step."""
    first, other = prepare(add_to, total, x), prepare(copy_rows, 1, 1, x, 0, 0, copied, 0, 0)
    return lambda step: [first.again(total[step:], x[step:]), other.again(1, 1, x[step:], 0, 0, copied, 2 * step, 0)]


@pytest.mark.parametrize("steps", [range(0), range(2, 3), range(1, 3), range(5)])
def test_a_loop_goes_from_step_to_step(steps):
    x, wanted = np.arange(1, 8, dtype=np.float32), np.zeros(7, np.float32)
    total, copied = np.zeros(7, np.float32), np.zeros(14, np.float32)
    for step in steps:
        wanted[step:] += x[step:]
    loop = Loop(adding(x, total, copied), steps)
    loop()
    np.testing.assert_array_equal(total, wanted)
    program = Program([loop, prepare(add_to, total, x)], new_turn())
    for _ in range(2):
        total[:], copied[:] = 0, 0
        program.run(range(3), 3)  # for each tile from the first step on
        np.testing.assert_array_equal(total, 3 * (wanted + x))
        np.testing.assert_array_equal(np.flatnonzero(copied), 2 * np.array(steps, np.intp))
        np.testing.assert_array_equal(copied[::2][steps.start : steps.stop], x[steps.start : steps.stop])


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="Python makes each call as it is")
def test_a_loop_that_cannot_be_written_down_is_refused():
    x, total = np.ones(20, np.float32), np.zeros(20, np.float32)
    first, other = prepare(add_to, total, x), prepare(copy_rows, 1, 1, x, 0, 0, total, 0, 0)
    uneven = Loop(lambda step: [first.again(total[step * step :], x)], range(4))
    changing = Loop(lambda step: [first if step else other], range(4))
    for loop in (uneven, changing):
        with pytest.raises(ValueError, match="same kernels at every step, and arguments that change by as much"):
            Program([loop], new_turn())
    with pytest.raises(ValueError, match="Views of `home` must be the same at each step"):
        Program([Loop(lambda step: [first.again(total[step:], x)], range(4))], new_turn(), total)


@pytest.mark.parametrize("steps", [range(1), range(6)])
def test_a_loop_finds_its_piece(steps):
    home, x, turn = np.zeros(4, np.float32), np.ones(8, np.float32), new_turn()
    first = prepare(add_to, home[1:3], x)
    program = Program([Loop(lambda step: [first.again(home[1:3], x[step:])], steps)], turn, home)
    partial = np.zeros((2, 4), np.float32)
    program.run(range(4), 4, partial)
    np.testing.assert_array_equal(partial, np.tile([0, 2 * len(steps), 2 * len(steps), 0], (2, 1)))


# What programs hold


def test_arrays_live_as_long_as_their_program():
    def written():
        x, total = np.ones(8, np.float32), np.zeros(8, np.float32)
        first, other = prepare(add_to, total, x), prepare(add_to, total, x.copy())
        loop = Loop(lambda step: [first.again(total[step:], x[step:])], range(3))
        return Program([other, loop], new_turn()), [weakref.ref(array) for array in (total, x, other.args[1])]

    gc.disable()  # nor does a program hold itself
    try:
        program, arrays = written()
        program.run(range(1))
        np.testing.assert_array_equal(arrays[0](), [2, 3, 4, 4, 4, 4, 4, 4])
        assert all(array() is not None for array in arrays)
        del program
        assert not any(array() is not None for array in arrays)
    finally:
        gc.enable()


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is written down")
def test_calls_take_little_more_than_their_words():
    """Once in the program and once with the call, which other programs share; a few objects for each call."""
    count, x, turn = 500, np.zeros(8, np.float32), new_turn()
    first = prepare(copy_rows, 1, 1, x, 0, 0, x, 0, 0)
    Program([first], turn)
    calls = [first.again(1, 1, x, 0, 0, x, 0, 0) for _ in range(count)]
    tracemalloc.start()
    try:
        program = Program(calls, turn)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    words = 8 * (6 + 2 * 7)
    assert 2 * count * words < program.nbytes < 2 * count * (words + 40)
    assert program.nbytes < taken < program.nbytes + 600 * count
