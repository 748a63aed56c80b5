"""Windows, read straight from the series into a tile: they are never laid out in memory for the whole data set."""

from typing import NamedTuple

import numpy as np

from tsrnn._jit import kernel
from tsrnn.kernels.contractions import tile_step
from tsrnn.kernels.simd import LANES, SQUARE, load, store, transpose
from tsrnn.kernels.turn import TILE, WINDOWS

NORMS = {None: 0, "last": 1, "mean": 2, "standard": 3}
_LAST, _STANDARD = 1, 3
_SMALLEST_VARIANCE = 1e-5  # of scaled data: a flat window is not blown up (as in RevIN, Kim 2022)


class Series(NamedTuple):
    """All series in one array, and what a window of them is. Targets are the first channels."""

    values: np.ndarray  # [row][channel], flat
    channels: int
    targets: int
    lookback: int  # points read, ``sampling_rate`` rows apart
    sampling_rate: int
    gap: int  # rows between the last point read and the first forecast
    horizon: int
    norm: int  # instance_norm, as in NORMS


class Place(NamedTuple):
    """Where the windows of one tile lie, and what their targets were normalised by."""

    origin: np.ndarray  # [lane], row of the last point read
    center: np.ndarray  # [target][lane]
    scale: np.ndarray  # [target][lane]


@kernel
def gather(series, origins, turn, x, place):
    """Windows ``origins[turn[TILE] * LANES :]`` of the series -> x [step][1 + channel][lane]

    Of ``origins`` the first ``turn[WINDOWS]`` count; lanes beyond the last repeat it.

    All by lanes: for a slice that is assigned to, Numba compiles the text of its error, which takes seconds.
    """
    first, last = turn[TILE] * LANES, turn[WINDOWS] - 1
    x_step, starts = tile_step(series.channels), np.empty(LANES, np.int64)
    for lane in range(LANES):
        place.origin[lane] = origins[min(first + lane, last)]
        starts[lane] = (place.origin[lane] - (series.lookback - 1) * series.sampling_rate) * series.channels
    # Numbers that lie side by side in every window go through registers, a square of them at a time.
    together = series.sampling_rate == 1
    run = series.channels * (series.lookback if together else 1)
    if run < SQUARE:
        _gather_singly(series, starts, x)
    else:
        block, places = np.empty(SQUARE * LANES, x.dtype), np.empty(LANES, np.int64)
        for begin in range(0, series.lookback * series.channels, run):
            offset = begin * series.sampling_rate  # of the run in its window
            for some in range(0, run, SQUARE):
                start = min(some, run - SQUARE)  # the last square overlaps the one before
                for lane in range(LANES):
                    places[lane] = starts[lane] + offset + start
                transpose(series.values, places, block)
                step, channel = (begin + start) // series.channels, (begin + start) % series.channels
                for k in range(SQUARE):
                    store(x, step * x_step + (1 + channel) * LANES, load(block, k * LANES, 1))
                    channel += 1
                    if channel == series.channels:
                        step, channel = step + 1, 0
    if series.norm > 0:
        for target in range(series.targets):
            _normalise(series, target, x_step, x, place.center, place.scale)


@kernel
def _gather_singly(series, starts, x):
    """The same number by number, for windows whose rows are short and lie apart."""
    x_step = tile_step(series.channels)
    for step in range(series.lookback):
        for channel in range(series.channels):
            at = step * series.sampling_rate * series.channels + channel
            row = step * x_step + (1 + channel) * LANES
            for lane in range(LANES):  # unsigned: without the check for negative indices this is a gather instruction
                x[row + lane] = series.values[np.uint64(starts[lane] + at)]


@kernel
def _normalise(series, target, x_step, x, center, scale):
    """Take the level (and for "standard" the spread) of each window off one of its targets."""
    row, at = (1 + target) * LANES, target * LANES
    if series.norm == _LAST:
        for lane in range(LANES):
            center[at + lane] = x[(series.lookback - 1) * x_step + row + lane]
    else:
        for lane in range(LANES):
            center[at + lane] = 0
        for step in range(series.lookback):
            for lane in range(LANES):
                center[at + lane] += x[step * x_step + row + lane]
        for lane in range(LANES):
            center[at + lane] /= series.lookback
    if series.norm == _STANDARD:
        for lane in range(LANES):
            scale[at + lane] = 0
        for step in range(series.lookback):
            for lane in range(LANES):
                off = x[step * x_step + row + lane] - center[at + lane]
                scale[at + lane] += off * off
        for lane in range(LANES):
            scale[at + lane] = np.sqrt(scale[at + lane] / series.lookback + _SMALLEST_VARIANCE)
    for step in range(series.lookback):
        for lane in range(LANES):
            i = step * x_step + row + lane
            x[i] = (x[i] - center[at + lane]) / scale[at + lane]


@kernel
def gather_one(series, origins, x, center, scale):
    """The window whose last point is row ``origins[0]`` -> x [step][channel]; as a lane of ``gather`` has it"""
    channels, steps = series.channels, series.lookback
    start = (origins[0] - (steps - 1) * series.sampling_rate) * channels
    for step in range(steps):
        row = start + step * series.sampling_rate * channels
        x[step * channels : (step + 1) * channels] = series.values[row : row + channels]
    if series.norm > 0:
        for target in range(series.targets):
            _normalise_one(series, target, x, center, scale)


@kernel
def _normalise_one(series, target, x, center, scale):
    """``_normalise`` for one window."""
    channels, steps = series.channels, series.lookback
    if series.norm == _LAST:
        center[target] = x[(steps - 1) * channels + target]
    else:
        center[target] = 0
        for step in range(steps):
            center[target] += x[step * channels + target]
        center[target] /= steps
    if series.norm == _STANDARD:
        scale[target] = 0
        for step in range(steps):
            off = x[step * channels + target] - center[target]
            scale[target] += off * off
        scale[target] = np.sqrt(scale[target] / steps + _SMALLEST_VARIANCE)
    for step in range(steps):
        i = step * channels + target
        x[i] = (x[i] - center[target]) / scale[target]
