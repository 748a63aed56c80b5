"""Penalties on what a layer gives: numbers go through as they are, and their size is part of the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsrnn._errors import Real, check_fields
from tsrnn._jit import kernel, prepare
from tsrnn.kernels.contractions import tile_step
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, TILE, WINDOWS
from tsrnn.nn.layer import (
    NOTHING,
    Arrays,
    Bound,
    BoundSingle,
    Layer,
    LayerSpec,
    Penalised,
    Rows,
    Setting,
    Shape,
    gradient_tile,
)


@kernel
def activity_penalty(penalised, turn, losses):
    """losses [tile] grows by what the numbers of this tile's windows cost, for one window of all on average."""
    x_step, total = tile_step(penalised.features), 0.0
    for lane in range(min(LANES, turn[WINDOWS] - turn[TILE] * LANES)):
        for step in range(penalised.steps):
            if penalised.mask.size and not penalised.mask[step * LANES + lane] > 0:
                continue
            for feature in range(penalised.features):
                size = abs(np.float64(penalised.x[step * x_step + (1 + feature) * LANES + lane]))
                total += size * (penalised.l1 + penalised.l2 * size)
    losses[turn[TILE]] += total * turn[TERMS] / turn[WINDOWS]  # sums of losses are divided by TERMS in the end


@kernel
def activity_backward(penalised, turn, d_y, d_x):
    """d_x = d_y + the gradient of the penalty; both [step][feature][lane]"""
    x_step, share = tile_step(penalised.features), 1 / turn[WINDOWS]
    d_step, windows = x_step - LANES, turn[WINDOWS] - turn[TILE] * LANES
    for step in range(penalised.steps):
        for feature in range(penalised.features):
            for lane in range(LANES):
                at = step * d_step + feature * LANES + lane
                x = penalised.x[step * x_step + (1 + feature) * LANES + lane]
                slope = penalised.l1 * np.sign(x) + 2 * penalised.l2 * x
                counts = lane < windows and not (penalised.mask.size and not penalised.mask[step * LANES + lane] > 0)
                # The product outside of the condition: with or without vectors it is contracted, to the same bits.
                d_x[at] = d_y[at] + slope * (share if counts else 0.0)


@dataclass(frozen=True)
class ActivityPenalty(LayerSpec):
    """Adds ``l1`` times the magnitudes and ``l2`` times the squares of its inputs to the loss; they go on unchanged.

    They are added up over steps and features of a sequence, and averaged over the sequences of a batch, as Keras'
    ``ActivityRegularization`` does; steps that a mask leaves out do not count. Put behind a recurrent layer, it keeps
    states small (l2) or sparse (l1).

    Recurrent layers have it as ``activity_l1`` and ``activity_l2``.

    Parameters
    ----------
    l1, l2 : float, default=0.0
        Strengths, at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import ActivityPenalty, Sequential
    >>> net = Sequential([ActivityPenalty(l2=0.1)]).build(input_shape=(1, 2))
    >>> y = net.forward(np.array([[[1.0, -2.0]]], np.float32), training=True)
    >>> float(round(net.penalty, 3))
    0.5
    >>> net.backward(np.zeros_like(y))
    array([[[ 0.2, -0.4]]], dtype=float32)
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self, {"l1": Real(0), "l2": Real(0)})

    def layer(self, shape: Shape) -> ActivityPenaltyLayer:
        """The layer on inputs of this shape."""
        return ActivityPenaltyLayer(self, shape)


class ActivityPenaltyLayer(Layer):
    """Its output is its input, the same array."""

    def __init__(self, spec: ActivityPenalty, shape: Shape) -> None:
        self.spec, self.input, self.output = spec, shape, shape

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        mask = NOTHING.astype(setting.dtype) if setting.mask is None else setting.mask
        penalised = Penalised(arrays.x, mask, *self.input, float(self.spec.l1), float(self.spec.l2))
        wanted = arrays.d_x.size > 0
        back = (prepare(activity_backward, penalised, setting.turn, arrays.d_y, arrays.d_x),) if wanted else ()
        return Bound((), back, arrays.x, mask=setting.mask, penalised=(penalised,))

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        return BoundSingle(x, mask=mask)


def with_penalty(
    penalty: ActivityPenalty, output: Shape, bind: Callable[[Arrays], Bound], setting: Setting, arrays: Arrays
) -> Bound:
    """What ``bind`` makes of a layer that gives this output, with the penalty as a layer behind it."""
    if not (penalty.l1 or penalty.l2):
        return bind(arrays)
    d_inner = gradient_tile(output, setting.dtype) if setting.training else arrays.d_y
    bound = bind(arrays._replace(d_y=d_inner))
    own = Arrays(bound.y, arrays.d_y, d_inner, arrays.gradient[:0])
    behind = penalty.layer(output).bind(replace(setting, mask=bound.mask), None, own)
    return replace(bound, backward=behind.backward + bound.backward, penalised=bound.penalised + behind.penalised)
