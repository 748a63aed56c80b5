"""The lane operations: the LLVM ones and their NumPy twins, against each other and against what they stand for.

A test function runs twice: compiled, and as the same source with the names of ``numpy_twin``.
"""

from types import FunctionType

import numpy as np
import pytest

from tsrnn._jit import kernel
from tsrnn.kernels.simd import (
    LANES,
    Strided,
    absolute,
    add_lane_sums,
    at_least,
    clip,
    contract,
    contract_groups,
    contract_units,
    lane_sum,
    load,
    load_lanes,
    load_rows,
    numpy_twin,
    outer,
    positive,
    select_rows,
    sigmoid,
    split_rows,
    spread_rows,
    square_root,
    store,
    store_rows,
    tanh,
    zero_rows,
    zeros,
    zeros_like,
)
from tsrnn.kernels.simd.host import TILE, TILES

DTYPES = [np.float32, np.float64]
UNITS = 2
ROOM = 7  # elements before and behind, which must stay as they are


def twin(function):
    """The function with the operations of the NumPy twin."""
    python = getattr(function, "py_func", function)  # already plain under NUMBA_DISABLE_JIT
    return FunctionType(python.__code__, {**globals(), **vars(numpy_twin)})


def both(function, *arguments):
    """Run the function compiled and as the twin; give the last argument, which it writes, of both."""
    results = []
    for run in (function, twin(function)):
        copies = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        run(*copies)
        results.append(copies[-1])
    return results


def close(got, expected, dtype):
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(got, expected, rtol=0, atol=scale * (4e-6 if dtype == np.float32 else 1e-14))


def random(*shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


FUNCTIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(0.5 * x),
    "absolute": np.abs,
    "clip": lambda x: np.where(np.isnan(x), x, np.clip(x, -1, 2)),
    "at_least": lambda x: np.where(np.isnan(x), x, np.maximum(x, -1)),
    "positive": lambda x: np.where(x > 0, 1.0, 0.0),
    "zeros_like": np.zeros_like,
    "1 - x * x / 3 + x": lambda x: 1 - x * x / 3 + x,
    "square_root": np.sqrt,
}


@kernel
def apply_functions(x, out):
    """out [function][x]"""
    for at in range(0, x.size, LANES):
        v = load(x, at, 1)
        store(out, at, tanh(v))
        store(out, x.size + at, sigmoid(v))
        store(out, 2 * x.size + at, absolute(v))
        store(out, 3 * x.size + at, clip(v, -1, 2))
        store(out, 4 * x.size + at, at_least(v, -1))
        store(out, 5 * x.size + at, positive(v))
        store(out, 6 * x.size + at, zeros_like(v))
        store(out, 7 * x.size + at, 1 - v * v / 3 + v)
        store(out, 8 * x.size + at, square_root(v))


def functions_of(x):
    """For each function what LLVM, the twin and plain NumPy in float64 make of x, whose length is padded."""
    padded = np.zeros(-(-x.size // LANES) * LANES, x.dtype)
    padded[: x.size] = x
    out = np.zeros(len(FUNCTIONS) * padded.size, x.dtype)
    with np.errstate(all="ignore"):  # overflows and NaN, in NumPy
        wide = x.astype(np.float64)
        compiled, twins = (rows.reshape(len(FUNCTIONS), -1)[:, : x.size] for rows in both(apply_functions, padded, out))
        return {name: (compiled[i], twins[i], f(wide)) for i, (name, f) in enumerate(FUNCTIONS.items())}


@pytest.mark.parametrize("dtype", DTYPES)
def test_functions_of_a_vector(dtype):
    x = random(5 * LANES + 3, dtype=dtype)
    x[:4] = 0.0, -1.0, 2.0, -0.0
    for compiled, twins, expected in functions_of(x).values():
        close(compiled, expected, dtype)
        close(twins, expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_and_infinity_keep_their_meaning(dtype):
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30], dtype)
    results = functions_of(x)
    for name in ("tanh", "sigmoid", "absolute", "clip", "at_least", "positive", "zeros_like", "square_root"):
        compiled, twins, expected = results[name]
        np.testing.assert_allclose(compiled, expected, rtol=1e-6, err_msg=name, atol=3e-7)
        np.testing.assert_allclose(twins, expected, rtol=1e-6, err_msg=name, atol=3e-7)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_and_sigmoid_at_the_ends_and_about_zero(dtype):
    """Exactly one, zero and minus one at infinity; signs of zero; numbers below the normal ones; NaN of any bits."""
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([np.inf, -np.inf, 1e30, -1e30, 0.0, -0.0, tiny, -tiny], dtype)
    tanh_of, sigmoid_of = functions_of(x)["tanh"][0], functions_of(x)["sigmoid"][0]
    np.testing.assert_array_equal(tanh_of[:6], [1, -1, 1, -1, 0, 0])
    np.testing.assert_array_equal(np.signbit(tanh_of), [False, True] * 4)
    np.testing.assert_allclose(tanh_of[6:], x[6:], rtol=0, atol=tiny)
    np.testing.assert_array_equal(sigmoid_of, [1, 0, 1, 0, 0.5, 0.5, 0.5, 0.5])


def test_a_nan_of_any_bits_stays_one():
    bits = np.array([0x7FC00000, 0xFFC00000, 0x7FC00FFF, 0xFFFFFFFF, 0x7F800001, 0x7FC0013F], np.uint32)
    results = functions_of(bits.view(np.float32))
    for name in ("tanh", "sigmoid", "absolute", "clip", "at_least"):
        assert np.isnan(results[name][0]).all(), name


# As the activations' docstrings say; without fused multiply-add tanh has some more to round.
LARGEST_ERRORS = {"tanh": 4e-7 if TILES["xmm"] == TILE else 2.9e-7, "sigmoid": 1.1e-7}


@pytest.mark.parametrize("name", LARGEST_ERRORS)
def test_float32_error(name):
    spread = np.arange(0, 2**31, 9973, dtype=np.uint32).view(np.float32)  # over all magnitudes
    spread = spread[~np.isnan(spread)]
    x = np.sort(np.concatenate([-spread, spread, np.linspace(-20, 20, 400_001, dtype=np.float32)]))
    compiled, _, exact = functions_of(x)[name]
    assert np.abs(compiled - exact).max() < LARGEST_ERRORS[name]
    assert compiled.min() == (-1 if name == "tanh" else 0)
    assert compiled.max() == 1
    assert np.diff(compiled).min() > -6e-7  # rising, but for the last digits


def test_relative_error_of_tanh_near_zero_and_of_sigmoid_far_below():
    tiny = np.float32(10) ** np.linspace(-30, -2, 1000, dtype=np.float32)
    np.testing.assert_allclose(functions_of(tiny)["tanh"][0], np.tanh(tiny.astype(np.float64)), rtol=1e-6)
    low = np.linspace(-87, 0, 1000, dtype=np.float32)
    np.testing.assert_allclose(functions_of(low)["sigmoid"][0], 1 / (1 + np.exp(-low.astype(np.float64))), rtol=6e-6)


@kernel
def move(x, mask, scalars, out):
    """Loads and stores of every kind, from odd places, one after another."""
    width = UNITS * LANES
    store(out, ROOM, load(x, 3, UNITS))
    store(out, ROOM + width, load_lanes(x, 5, UNITS))
    rows = load_rows(x, 1, 3, UNITS)
    store_rows(out, ROOM + 2 * width, rows)
    first, rest = split_rows(rows, 1)
    store_rows(out, ROOM + 5 * width, rest)
    store_rows(out, ROOM + 7 * width, first + zero_rows(x, 1, UNITS))
    keep = load(mask, 0, UNITS)
    store_rows(out, ROOM + 9 * width, select_rows(keep, rows, zero_rows(x, 3, UNITS)))
    store_rows(out, ROOM + 12 * width, spread_rows(scalars, 1, 3, UNITS))
    store(out, ROOM + 15 * width, zeros(x, UNITS))
    add_lane_sums(out, ROOM + 16 * width, rows)
    out[ROOM + 16 * width + 3 * UNITS] = lane_sum(rows[2])


@pytest.mark.parametrize("dtype", DTYPES)
def test_memory(dtype):
    width = UNITS * LANES
    x, scalars = random(4 * width, dtype=dtype), random(9, dtype=dtype, seed=1)
    mask = (random(width, dtype=dtype, seed=2) > 0).astype(dtype)
    out = np.full(2 * ROOM + 16 * width + 3 * UNITS + 1, 0.5, dtype)
    rows = x[1 : 1 + 3 * width].reshape(3, width)
    none = np.zeros((1, width))
    sums = rows.reshape(3 * UNITS, LANES).sum(axis=1, dtype=np.float64)
    expected = [
        np.full(ROOM, 0.5), x[3 : 3 + width], x[5 : 5 + LANES], x[5 : 5 + LANES], rows, rows[1:], rows[:1], none,
        rows * mask, np.repeat(scalars[1 : 1 + 3 * UNITS], LANES), none, 0.5 + sums,
        rows[2:].sum(axis=1), np.full(ROOM, 0.5),
    ]  # fmt: skip
    expected = np.concatenate([np.ravel(part) for part in expected])
    compiled, twins = both(move, x, mask, scalars, out)
    moved = ROOM + 16 * width
    np.testing.assert_array_equal(compiled[:moved], expected[:moved])
    np.testing.assert_array_equal(twins[:moved], expected[:moved])
    close(compiled, expected, dtype)
    close(twins, expected, dtype)


@kernel
def multiply(rows_in, weights, inputs, count, groups, out):
    """Contractions of three rows of two units: all rows, the last two, and groups of three of which two are used."""
    width = UNITS * LANES
    rows = load_rows(rows_in, 0, 3, UNITS)
    store_rows(out, 0, contract(rows, 0, 3, weights, 1, inputs, 2, count))
    store_rows(out, 3 * width, contract(rows, 1, 3, weights, 1, inputs, 2, count))
    store(out, 6 * width, contract_groups(rows[0], weights, 3, inputs, 1, groups, 3, 1, 3))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_contractions(dtype, count):
    width, groups = UNITS * LANES, count
    rows, inputs = random(3, width, dtype=dtype), random(30 * LANES, dtype=dtype, seed=1)
    weights = random(100, dtype=dtype, seed=2)
    x = inputs[2 : 2 + count * LANES].reshape(count, LANES).astype(np.float64)
    parts = []
    for first in (0, 1):
        used = weights[1 : 1 + count * (3 - first) * UNITS].reshape(count, 3 - first, UNITS)
        product = np.einsum("kru,kl->rul", used, x).reshape(3 - first, width)
        parts.append(rows + np.concatenate([np.zeros((first, width)), product]))
    used = weights[3 : 3 + groups * 2 * UNITS].reshape(groups, 2, UNITS)
    grouped = inputs[1 : 1 + groups * 3 * LANES].reshape(groups, 3, LANES)[:, 1:].astype(np.float64)
    parts.append(rows[:1] + np.einsum("gqu,gql->ul", used, grouped).reshape(1, width))
    out = np.zeros(7 * width, dtype)
    for got in both(multiply, rows.ravel(), weights, inputs, count, groups, out):
        close(got, np.concatenate(parts).ravel(), dtype)


@kernel
def multiply_units(rows_in, weights, inputs, count, out):
    """Three rows of which all are used, then the last two."""
    rows = load_rows(rows_in, 0, 3, 1)
    store_rows(out, 0, contract_units(rows, 0, 3, weights, 1, inputs, 2, count))
    store_rows(out, 3 * LANES, contract_units(rows, 1, 3, weights, 1, inputs, 2, count))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_contraction_of_one_sequence(dtype, count):
    rows, inputs = random(3, LANES, dtype=dtype), random(20, dtype=dtype, seed=1)
    weights = random(1 + 8 * 3 * LANES, dtype=dtype, seed=2)
    x = np.append(1.0, inputs[2 : 2 + count])  # the first row of weights is the bias
    parts = []
    for first in (0, 1):
        used = weights[1 : 1 + (1 + count) * (3 - first) * LANES].reshape(1 + count, 3 - first, LANES)
        product = np.einsum("krl,k->rl", used, x)
        parts.append(rows + np.concatenate([np.zeros((first, LANES)), product]))
    out = np.zeros(6 * LANES, dtype)
    for got in both(multiply_units, rows.ravel(), weights, inputs, count, out):
        close(got, np.concatenate(parts).ravel(), dtype)


@kernel
def add_products(left, right, steps, out):
    """``outer`` with more rows than columns and the other way round, forwards and backwards in time."""
    outer(Strided(out, 3, 7), Strided(left, 1, 5 * LANES), 3, Strided(right, 2, 6 * LANES), 2, steps)
    last = 1 + (steps - 1) * 5 * LANES
    outer(Strided(out, 40, 5), Strided(left, last, -5 * LANES), 1, Strided(right, 2, 6 * LANES), 4, steps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("steps", [1, 3])
def test_outer(dtype, steps):
    left, right = random(20 * LANES, dtype=dtype), random(20 * LANES, dtype=dtype, seed=1)
    out = random(50, dtype=dtype, seed=2)

    def rows(array, at, stride, count):
        return np.stack([array[at + s * stride * LANES :][: count * LANES].reshape(count, LANES) for s in range(steps)])

    expected = out.astype(np.float64)
    wide = rows(left, 1, 5, 3).astype(np.float64), rows(right, 2, 6, 2)
    expected[3 : 3 + 21].reshape(3, 7)[:, :2] += np.einsum("srl,scl->rc", *wide)
    turned = rows(left, 1, 5, 1)[::-1].astype(np.float64), rows(right, 2, 6, 4)
    expected[40:44] += np.einsum("srl,scl->rc", *turned)[0]
    for got in both(add_products, left, right, steps, out):
        close(got, expected, dtype)
