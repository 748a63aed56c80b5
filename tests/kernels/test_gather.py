"""Windows read into tiles against plain indexing."""

import numpy as np
import pytest

from tsrnn.kernels.gather import NORMS, Place, Series, gather, gather_one
from tsrnn.kernels.simd import LANES, SQUARE
from tsrnn.kernels.turn import TILE, WINDOWS, new_turn
from tsrnn.nn.layer import Shape, read_tile, tile

ROWS, CHANNELS, TARGETS = 90, 3, 2


def series(dtype, lookback, sampling_rate=1, gap=0, norm=None):
    values = 3 + np.random.default_rng(0).standard_normal((ROWS, CHANNELS)).astype(dtype)
    return values, Series(values.ravel(), CHANNELS, TARGETS, lookback, sampling_rate, gap, 2, NORMS[norm])


def turn_of(windows, tile=0):
    turn = new_turn()
    turn[TILE], turn[WINDOWS] = tile, windows
    return turn


def gathered(known, origins, first, dtype):
    """(LANES, steps, channels), and center and scale as (LANES, targets)."""
    shape = Shape(known.lookback, CHANNELS)
    x = tile(shape, dtype)
    ones = x.reshape(known.lookback, -1, LANES)[:, 0].copy()
    place = Place(np.zeros(LANES, np.int64), np.zeros(TARGETS * LANES, dtype), np.ones(TARGETS * LANES, dtype))
    gather(known, origins, turn_of(len(origins), first // LANES), x, place)
    np.testing.assert_array_equal(
        x.reshape(known.lookback, -1, LANES)[:, 0], ones
    )  # the row of ones of each step stays
    rows = (place.center, place.scale)
    return read_tile(x, shape, ones=1), *(row.reshape(TARGETS, LANES).T for row in rows), place.origin


def expected_windows(values, known, origins, first):
    """Plain indexing; lanes beyond the last window repeat it."""
    used = [origins[min(first + lane, len(origins) - 1)] for lane in range(LANES)]
    back = np.arange(known.lookback - 1, -1, -1) * known.sampling_rate
    return values[np.array(used)[:, None] - back], np.array(used)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("sampling_rate", "gap"), [(1, 0), (3, 0), (2, 5)])
def test_windows(dtype, sampling_rate, gap):
    values, known = series(dtype, 7, sampling_rate, gap)
    origins = np.random.default_rng(1).integers(6 * sampling_rate, ROWS, LANES + 5)
    for first in (0, LANES):  # a full tile, and one of five windows
        x, center, scale, origin = gathered(known, origins, first, dtype)
        windows, used = expected_windows(values, known, origins, first)
        np.testing.assert_array_equal(x, windows)
        np.testing.assert_array_equal(origin, used)
        assert (center == 0).all() and (scale == 1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sampling_rate", [1, 3])
@pytest.mark.parametrize(("channels", "lookback"), [(1, SQUARE), (1, SQUARE - 1), (SQUARE, 2), (SQUARE + 3, 5)])
def test_runs_of_numbers_that_squares_do_not_divide(channels, lookback, sampling_rate, dtype):
    """Windows end with the last number of the array: nothing may be read behind it."""
    values = np.random.default_rng(0).standard_normal((ROWS, channels)).astype(dtype)
    known = Series(values.ravel(), channels, 1, lookback, sampling_rate, 0, 1, NORMS[None])
    origins = np.arange(ROWS - LANES, ROWS)
    x = tile(Shape(lookback, channels), dtype)
    place = Place(np.zeros(LANES, np.int64), np.zeros(LANES, dtype), np.ones(LANES, dtype))
    gather(known, origins, turn_of(LANES), x, place)
    windows, _ = expected_windows(values, known, origins, 0)
    np.testing.assert_array_equal(read_tile(x, Shape(lookback, channels), ones=1), windows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("norm", ["last", "mean", "standard"])
def test_instance_norm(norm, dtype):
    values, known = series(dtype, 6, norm=norm)
    origins = np.arange(5, ROWS)
    x, center, scale, _ = gathered(known, origins, 0, dtype)
    windows, _ = expected_windows(values, known, origins, 0)
    targets = windows[:, :, :TARGETS].astype(np.float64)
    level = targets[:, -1] if norm == "last" else targets.mean(axis=1)
    spread = np.sqrt(targets.var(axis=1) + 1e-5) if norm == "standard" else np.ones_like(level)
    tolerance = {"rtol": 0, "atol": 3e-6 if dtype == np.float32 else 1e-13}
    np.testing.assert_allclose(center, level, **tolerance)
    np.testing.assert_allclose(scale, spread, **tolerance)
    np.testing.assert_allclose(x[:, :, :TARGETS], (targets - level[:, None]) / spread[:, None], **tolerance)
    np.testing.assert_array_equal(x[:, :, TARGETS:], windows[:, :, TARGETS:])  # covariates are left alone


def test_a_flat_window_is_not_blown_up():
    _, known = series(np.float32, 6, norm="standard")
    flat = known._replace(values=np.full(ROWS * CHANNELS, 2, np.float32))
    x, center, scale, _ = gathered(flat, np.array([20]), 0, np.float32)
    assert (x[:, :, :TARGETS] == 0).all()
    assert (center == 2).all() and (scale > 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("sampling_rate", [1, 3])
def test_one_window_is_as_in_a_tile(norm, sampling_rate, dtype):
    """To the bit."""
    _, known = series(dtype, 6, sampling_rate, norm=norm)
    origins = np.arange(ROWS - LANES, ROWS)
    x, center, scale, _ = gathered(known, origins, 0, dtype)
    for lane in (0, LANES - 1):
        one = np.full(6 * CHANNELS, np.nan, dtype)
        own_center, own_scale = np.zeros(TARGETS, dtype), np.ones(TARGETS, dtype)
        gather_one(known, origins[lane:], one, own_center, own_scale)
        np.testing.assert_array_equal(one.reshape(6, CHANNELS), x[lane])
        np.testing.assert_array_equal(own_center, center[lane])
        np.testing.assert_array_equal(own_scale, scale[lane])
