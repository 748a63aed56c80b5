"""Forecasts that are fed back: each window of a tile has rows of its own, to which what was forecast is added."""

from tsrnn._jit import kernel
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TILE, WINDOWS


@kernel
def copy_histories(series, examples, turn, place, own, origins):
    """The rows up to the last one of windows ``examples[turn[TILE] * LANES :]`` -> own.values [lane][row][channel]

    ``origins`` [lane] get their last rows there, ``place.origin`` those in ``series``. Of ``examples`` the first
    ``turn[WINDOWS]`` count; lanes beyond the last repeat it.
    """
    first, last = turn[TILE] * LANES, turn[WINDOWS] - 1
    span, rows = (series.lookback - 1) * series.sampling_rate + 1, own.values.size // (LANES * own.channels)
    for lane in range(LANES):
        place.origin[lane] = examples[min(first + lane, last)]
        source, target = (place.origin[lane] + 1 - span) * series.channels, lane * rows * series.channels
        for i in range(span * series.channels):
            own.values[target + i] = series.values[source + i]
        origins[lane] = lane * rows + span - 1


@kernel
def feed_back(own, place, y, origins):
    """The forecast of one row, y [1 + target][lane], with what ``gather`` took off put back, becomes the next row."""
    for lane in range(LANES):
        row = place.origin[lane] + 1
        for target in range(own.targets):
            at = target * LANES + lane
            own.values[row * own.channels + target] = y[LANES + at] * place.scale[at] + place.center[at]
        origins[lane] = row


@kernel
def collect_rows(series, own, origins, y):
    """The last ``series.horizon`` rows that were fed back -> y [1 + output][lane], outputs [horizon][target]"""
    for lane in range(LANES):
        for step in range(series.horizon):
            row = (origins[lane] + 1 - series.horizon + step) * own.channels
            for target in range(series.targets):
                y[(1 + step * series.targets + target) * LANES + lane] = own.values[row + target]
