"""Losses of distributions on a tile, where the network gives several numbers for each one that is forecast.

A head, which is a spec, says what these numbers mean: ``loss_of`` one number that came, ``center_of`` them (the point
forecast) and the ``parameters`` that they stand for. All see numbers from which instance normalisation took level and
spread; ``unit`` is what one of them is worth.
"""

from __future__ import annotations

import numpy as np

from tsrnn._jit import Spec, kernel, spec_method
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, TILE, WINDOWS


class DistributionHead(Spec):
    """Base of the specs of distributions. ``width`` says how many numbers the network gives for one."""

    __slots__ = ()
    width: int


for _name, _count in (("loss_of", 4), ("center_of", 1), ("parameters", 3)):
    spec_method(_name, _count)


@kernel
def distribution_loss(head, width, series, place, turn, weights, units, y, d_y, losses):
    """losses [tile] gets the sum over the windows of this tile that exist, d_y the gradient of the mean over all.

    y [1 + output][lane] and d_y [output][lane] with outputs [horizon][target][width]; ``weights`` [row] and ``units``
    [row][target] may be empty.
    """
    first, windows, cells = turn[TILE] * LANES, turn[WINDOWS], series.horizon * series.targets
    share, total = 1 / turn[TERMS], 0.0
    raw, slopes = np.empty(width), np.empty(width)
    for cell in range(cells):
        step, target = cell // series.targets, cell % series.targets
        for lane in range(LANES):
            at = cell * width * LANES + lane
            if first + lane < windows:
                row = place.origin[lane] + series.gap + 1 + step
                center, scale = place.center[target * LANES + lane], place.scale[target * LANES + lane]
                wanted = (series.values[row * series.channels + target] - center) / scale
                unit = scale * (units[row * series.targets + target] if units.size else 1.0)
                weight = weights[row] if weights.size else 1.0
                for k in range(width):
                    raw[k] = y[LANES + at + k * LANES]
                total += weight * head.loss_of(raw, wanted, unit, slopes)
                for k in range(width):
                    d_y[at + k * LANES] = weight * slopes[k] * share
            else:
                for k in range(width):
                    d_y[at + k * LANES] = 0
    losses[turn[TILE]] = total


@kernel
def distribution_score(head, width, series, place, turn, units, y, worth, losses, absolute):
    """losses [tile]: their sum; absolute [tile][target]: that of point forecasts' errors times ``worth``
    [window][target]"""
    first, windows, total = turn[TILE] * LANES, turn[WINDOWS], 0.0
    raw, slopes = np.empty(width), np.empty(width)
    for target in range(series.targets):
        absolute[turn[TILE] * series.targets + target] = 0
    for cell in range(series.horizon * series.targets):
        step, target = cell // series.targets, cell % series.targets
        for lane in range(min(LANES, windows - first)):
            row = place.origin[lane] + series.gap + 1 + step
            center, scale = place.center[target * LANES + lane], place.scale[target * LANES + lane]
            wanted = (series.values[row * series.channels + target] - center) / scale
            unit = scale * (units[row * series.targets + target] if units.size else 1.0)
            for k in range(width):
                raw[k] = y[(1 + cell * width + k) * LANES + lane]
            total += head.loss_of(raw, wanted, unit, slopes)
            absolute[turn[TILE] * series.targets + target] += (
                abs(head.center_of(raw) - wanted) * scale * worth[(first + lane) * series.targets + target]
            )
    losses[turn[TILE]] = total


@kernel
def distribution_outputs(head, width, series, place, turn, y, out):
    """The parameters of one tile's windows, with what ``gather`` took off put back -> out [window][output]"""
    first, raw, cells = turn[TILE] * LANES, np.empty(width), series.horizon * series.targets
    for lane in range(min(LANES, turn[WINDOWS] - first)):
        for cell in range(cells):
            at, place_of = cell * width, cell % series.targets * LANES + lane
            for k in range(width):
                raw[k] = y[(1 + at + k) * LANES + lane]
            head.parameters(raw, place.center[place_of], place.scale[place_of])
            for k in range(width):
                out[((first + lane) * cells + cell) * width + k] = raw[k]


@kernel
def distribution_one(head, width, targets, center, scale, y, out):
    """The point forecast of one window, y [output][width], what ``gather_one`` took off put back -> out [output]"""
    raw = np.empty(width)
    for output in range(out.size):
        target = output % targets
        for k in range(width):
            raw[k] = y[output * width + k]
        out[output] = head.center_of(raw) * scale[target] + center[target]
