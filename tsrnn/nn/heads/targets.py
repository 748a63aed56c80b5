"""Targets of examples, one row for each or one for each step: losses, their gradient on a tile, and outputs."""

from typing import Any, NamedTuple

import numpy as np

from tsrnn._jit import Spec, kernel, spec_method
from tsrnn.kernels.contractions import tile_step
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, TILE, WINDOWS


class Targets(NamedTuple):
    """What the outputs are to be, in rows."""

    values: np.ndarray  # [row][target], flat: numbers, or codes of classes
    starts: np.ndarray  # [example], its first row
    lengths: np.ndarray  # [example], how many there are
    counts: np.ndarray  # [row], whether it counts; empty where all do
    columns: int  # targets in a row
    outputs: int  # numbers that the network gives for a row
    steps: int  # rows of the output of a tile


class _NumbersFields(NamedTuple):
    loss: Any  # of one number against another, see ``heads.point``
    units: np.ndarray  # [target], what errors are multiplied by


class Numbers(Spec, _NumbersFields):
    """Each output is the forecast of one target."""

    __slots__ = ()

    def compare(self, outputs, wanted, slopes):
        """Loss of one row; ``slopes`` [output] get its gradient."""
        total = 0.0
        for target in range(outputs.size):
            error = outputs[target] - wanted[target]
            slopes[target] = self.loss.slope(error)
            total += self.loss.value(error)
        return total

    def measure(self, outputs, wanted, errors):
        """Add absolute errors in units."""
        for target in range(outputs.size):
            errors[target] += abs(outputs[target] - wanted[target]) * self.units[target]

    def finish(self, outputs):
        """Outputs are what they are."""


class _ClassesFields(NamedTuple):
    groups: np.ndarray  # [target + 1]: its classes' outputs begin and end there


class Classes(Spec, _ClassesFields):
    """Each target is one of several classes, whose outputs are the logarithms of their odds (softmax)."""

    __slots__ = ()

    def compare(self, outputs, wanted, slopes):
        """Cross-entropy of one row, added up over targets."""
        total = 0.0
        for target in range(self.groups.size - 1):
            first, last = self.groups[target], self.groups[target + 1]
            top = outputs[first]
            for k in range(first, last):
                top = max(top, outputs[k])
            odds = 0.0
            for k in range(first, last):
                odds += np.exp(outputs[k] - top)
            code = first + np.int64(wanted[target])
            for k in range(first, last):
                slopes[k] = np.exp(outputs[k] - top) / odds
            slopes[code] -= 1
            total += np.log(odds) + top - outputs[code]
        return total

    def measure(self, outputs, wanted, errors):
        """Add 1 for each target whose class is not the likeliest."""
        for target in range(self.groups.size - 1):
            first, best = self.groups[target], self.groups[target]
            for k in range(first, self.groups[target + 1]):
                if outputs[k] > outputs[best]:
                    best = k
            errors[target] += best - first != np.int64(wanted[target])

    def finish(self, outputs):
        """Outputs become probabilities."""
        for target in range(self.groups.size - 1):
            first, last = self.groups[target], self.groups[target + 1]
            top = outputs[first]
            for k in range(first, last):
                top = max(top, outputs[k])
            odds = 0.0
            for k in range(first, last):
                outputs[k] = np.exp(outputs[k] - top)
                odds += outputs[k]
            for k in range(first, last):
                outputs[k] /= odds


for _name, _count in (("compare", 3), ("measure", 3), ("finish", 1)):
    spec_method(_name, _count)


@kernel
def target_loss(head, targets, examples, turn, weights, y, d_y, losses):
    """losses [tile] gets the sum over the rows of this tile's examples, d_y the gradient of the mean over all rows.

    Rows that do not count are no rows here, whatever their targets are.

    y [step][1 + output][lane], d_y [step][output][lane]; ``weights`` [row] and may be empty.
    """
    first, count, total = turn[TILE] * LANES, turn[WINDOWS], 0.0
    y_step, share, all_count = tile_step(targets.outputs), 1 / turn[TERMS], targets.counts.size == 0
    d_step = y_step - LANES
    outputs, slopes = np.empty(targets.outputs), np.empty(targets.outputs)
    for lane in range(LANES):
        example = examples[min(first + lane, count - 1)]
        length = targets.lengths[example] if first + lane < count else 0
        for step in range(targets.steps):
            row = targets.starts[example] + step
            if not (step < length and (all_count or targets.counts[row])):
                for k in range(targets.outputs):
                    d_y[step * d_step + k * LANES + lane] = 0
                continue
            for k in range(targets.outputs):
                outputs[k] = y[step * y_step + (1 + k) * LANES + lane]
            wanted = targets.values[row * targets.columns : (row + 1) * targets.columns]
            weight = weights[row] if weights.size else 1.0
            total += weight * head.compare(outputs, wanted, slopes)
            for k in range(targets.outputs):
                d_y[step * d_step + k * LANES + lane] = weight * slopes[k] * share
    losses[turn[TILE]] = total


@kernel
def target_score(head, targets, examples, turn, weights, y, losses, errors):
    """losses [tile] and errors [tile][target]: sums over the rows of this tile's examples; losses with ``weights``"""
    first, count, total, tile = turn[TILE] * LANES, turn[WINDOWS], 0.0, turn[TILE]
    y_step, all_count = tile_step(targets.outputs), targets.counts.size == 0
    outputs, slopes = np.empty(targets.outputs), np.empty(targets.outputs)
    own = errors[tile * targets.columns : (tile + 1) * targets.columns]
    for target in range(targets.columns):
        own[target] = 0
    for lane in range(min(LANES, count - first)):
        example = examples[first + lane]
        for step in range(targets.lengths[example]):
            row = targets.starts[example] + step
            if not (all_count or targets.counts[row]):
                continue
            for k in range(targets.outputs):
                outputs[k] = y[step * y_step + (1 + k) * LANES + lane]
            wanted = targets.values[row * targets.columns : (row + 1) * targets.columns]
            weight = weights[row] if weights.size else 1.0
            total += weight * head.compare(outputs, wanted, slopes)
            head.measure(outputs, wanted, own)
    losses[tile] = total


@kernel
def target_outputs(head, targets, turn, y, out):
    """The outputs of this tile's examples -> out [example in turn][step][output]"""
    first, y_step = turn[TILE] * LANES, tile_step(targets.outputs)
    outputs = np.empty(targets.outputs)
    for lane in range(min(LANES, turn[WINDOWS] - first)):
        for step in range(targets.steps):
            for k in range(targets.outputs):
                outputs[k] = y[step * y_step + (1 + k) * LANES + lane]
            head.finish(outputs)
            for k in range(targets.outputs):
                out[((first + lane) * targets.steps + step) * targets.outputs + k] = outputs[k]
