"""Packing of parameter matrices, and unpacking of their gradients."""

import numpy as np
import pytest

from tsrnn.kernels.contractions import QUAD, pack, padded, pieces, step_size, unpack
from tsrnn.kernels.simd import LANES

SIZES = [(1, 1, 1), (3, 5, 1), (4, 4, 4), (6, 7, 2), (5, 9, 4), (37, 700, 1)]  # columns, hidden, units of a block
ORDER = np.array([2, 0, 1])  # where the gates of the pack lie in the matrix
WIDER = 3  # the matrix has one gate more than are packed


@pytest.mark.parametrize(("count", "expected"), [(1, 4), (4, 4), (5, 8), (8, 8)])
def test_padded(count, expected):
    assert padded(count) == expected
    assert step_size(count) == (1 + expected) * LANES


def problem(columns, hidden):
    rng = np.random.default_rng(0)
    return rng.standard_normal((columns, (WIDER + 1) * hidden)), rng.standard_normal((WIDER + 1) * hidden)


def blocked(matrix, bias, hidden, units):
    """[gate][block][unit][1 + column], zero where a block has more units than there are."""
    rows = np.concatenate([bias[None], matrix]).reshape(len(matrix) + 1, WIDER + 1, hidden)[:, ORDER]
    blocks = -(-hidden // units)
    full = np.zeros((len(rows), len(ORDER), blocks * units))
    full[:, :, :hidden] = rows
    return full.reshape(len(rows), len(ORDER), blocks, units).transpose(1, 2, 3, 0)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pack(size, with_bias):
    columns, hidden, units = size
    matrix, bias = problem(columns, hidden)
    blocks, rows = -(-hidden // units), len(ORDER) * units
    forward_pack = np.zeros(blocks * (with_bias + columns) * rows)
    backward_pack = np.zeros(blocks * rows * padded(columns))
    given = bias if with_bias else bias[:0]
    for piece in pieces(matrix, given, ORDER, hidden, units):
        pack(piece, forward_pack, backward_pack)

    expected = blocked(matrix, bias, hidden, units)
    wanted = expected.transpose(1, 3, 0, 2)[:, 0 if with_bias else 1 :]  # [block][bias + column][gate][unit]
    np.testing.assert_array_equal(forward_pack, wanted.ravel())

    full = np.zeros((*expected.shape[:3], padded(columns)))
    full[..., :columns] = expected[..., 1:]
    quads = full.reshape(*full.shape[:3], -1, QUAD).transpose(3, 1, 0, 2, 4)  # [quad][block][gate][unit][QUAD]
    np.testing.assert_array_equal(backward_pack, quads.ravel())


def test_large_matrices_come_in_pieces_that_leave_nothing_out():
    matrix, bias = problem(37, 700)
    cuts = [(piece.first, piece.last) for piece in pieces(matrix, bias, ORDER, 700, 1)]
    assert cuts == [(0, 20), (20, 37)]
    assert all(first % QUAD == 0 for first, _ in cuts)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_unpack_writes_its_own_gates_and_no_others(size, with_bias):
    columns, hidden, units = size
    matrix, bias = problem(columns, hidden)
    d_pack = blocked(matrix, bias, hidden, units).transpose(1, 0, 2, 3)[..., 0 if with_bias else 1 :]
    d_matrix, d_bias = np.full_like(matrix, 9), np.full_like(bias, 9)
    given = d_bias if with_bias else d_bias[:0]
    for piece in pieces(d_matrix, given, ORDER, hidden, units):
        unpack(d_pack.ravel(), piece)
    packed = np.isin(np.arange(WIDER + 1), ORDER).repeat(hidden)
    np.testing.assert_array_equal(d_matrix, np.where(packed, matrix, 9))
    np.testing.assert_array_equal(d_bias, np.where(packed & with_bias, bias, 9))
