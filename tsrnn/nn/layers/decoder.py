"""Layers whose steps are calls of their own, so that what came out of one step can be fed to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tsrnn._jit import Call, prepare
from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.contractions import step_size
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.simd import Strided
from tsrnn.nn.layer import Arrays, Bound, Layer, RecurrentPart, Setting, Shape
from tsrnn.nn.layers import dense
from tsrnn.nn.layers.dense import DenseLayer, Sizes
from tsrnn.nn.layers.recurrent import Recurrent, RecurrentLayer
from tsrnn.nn.recurrent import Drops, Run, Tape, Weights, forward


class DecoderLayer(RecurrentLayer):
    """A recurrent layer that goes on from the state in which another of its kind ended.

    ``forward`` of what it binds is the call for the first step, and ``at`` gives the others; ``backward`` is one call
    for all, which leaves the gradient of the first state with the tape of the other layer.
    """

    def __init__(self, spec: Recurrent, shape: Shape) -> None:
        super().__init__(replace(spec, return_sequences=True, go_backwards=False), shape)

    @property
    def name(self) -> str:
        return f"{super().name}_decoder"

    def _forward(
        self, run: Run, weights: Weights, x: np.ndarray, mask: np.ndarray, drops: Drops, tape: Tape, y: Strided
    ) -> list[Call]:
        return [prepare(forward, self.sizes, run._replace(steps=1), weights, x, mask, drops, tape, y)]

    def at(self, step: int, first: Call) -> Call:
        """The call for this step, made of that for the first one."""
        sizes, once, weights, x, *others, tape, y = first.args
        x = x[step * step_size(self.input.features) :]
        return first.again(sizes, once, weights, x, *others, _from_step(tape, once, self.input.steps, step), y)

    def recurrent_parts(self, tape: Tape) -> list[RecurrentPart]:
        return []  # its steps are those of the forecast, not those that are read

    def take_over(self, encoder: Layer, ended: Tape, begins: Tape) -> list[Call]:
        """The last state on the tape of the encoder becomes the first one here."""
        step = step_size(self.spec.hidden_size)
        kept = ended.state.size // step
        slot, carried = encoder.input.steps % kept, ended.carry.size // kept
        return [
            prepare(copy_rows, 1, step, ended.state, slot * step, 0, begins.state, 0, 0),
            prepare(copy_rows, 1, carried, ended.carry, slot * carried, 0, begins.carry, 0, 0),
        ]


def _from_step(tape: Tape, run: Run, steps: int, step: int) -> Tape:
    """The tape as seen by a call that makes this step as its first."""

    def rest(array: np.ndarray, kept: int) -> np.ndarray:
        return array[array.size // kept * step :]

    saved = step if run.saved > 1 else 0
    return tape._replace(
        x=rest(tape.x, steps),
        state=rest(tape.state, run.kept),
        fed=rest(tape.fed, run.kept),
        carry=rest(tape.carry, run.kept),
        reset=tape.reset[tape.reset.size // run.saved * saved :],
        saved=tape.saved[tape.saved.size // run.saved * saved :],
    )


class StepwiseDense(DenseLayer):
    """A fully connected layer; ``forward`` of what it binds is the call for the first step, ``at`` gives the others."""

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        bound = super().bind(setting, weights, arrays)
        once = Sizes(1, self.input.features, self.spec.outputs, False), ACTIVATIONS[self.spec.activation]
        return replace(bound, forward=(prepare(dense.forward, *once, weights, arrays.x, bound.y),))

    def at(self, step: int, first: Call) -> Call:
        """The call for this step, made of that for the first one."""
        *same, x, y = first.args
        x, y = x[step * step_size(self.input.features) :], y[step * step_size(self.spec.outputs) :]
        return first.again(*same, x, y)
