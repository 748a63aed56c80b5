"""Sequence to sequence (Sutskever 2014): recurrent layers read a sequence, others like them go on where those ended.

At each step the decoder reads the value of the step before: the true one (teacher forcing, Williams and Zipser 1989),
or its own output. In training either may happen, as chance decides for each window and step (scheduled sampling, Bengio
2015); what was fed is a constant to the gradient, also where it was an output. Otherwise it is always its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from tsrnn._jit import Call, prepare
from tsrnn.kernels.contractions import step_size
from tsrnn.kernels.copies import copy_rows
from tsrnn.kernels.feeding import feed_step
from tsrnn.kernels.program import Loop, Work
from tsrnn.kernels.rng import draw_choices
from tsrnn.kernels.simd import LANES
from tsrnn.nn.layer import NOTHING, Bound, Layer, LayerSpec, Setting, Shape, aligned, gradient_tile, tile
from tsrnn.nn.layers.decoder import DecoderLayer, StepwiseDense
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.layers.recurrent import Recurrent, RecurrentLayer
from tsrnn.nn.network import Network, chained
from tsrnn.nn.single_workspace import SingleWorkspace
from tsrnn.nn.workspace import Workspace

Feed = Callable[[int], Call]


class EncoderDecoder(Network):
    """An encoder as its layers are written, and for each recurrent one of them a layer of a decoder.

    The output is one vector [step][target] for each window. The first ``targets`` features of the input are what is
    forecast; the decoder's first input is their last value.

    Parameters
    ----------
    specs : sequence of LayerSpec
        The encoder, whose last layer is recurrent, and the Dense that gives the targets of a step.
    shape : Shape
        Steps and features of the encoder's input.
    steps : int
        That the decoder makes.
    dtype : dtype
        As in `Network`.

    Attributes
    ----------
    teacher_forcing : ndarray of shape (1,)
        Share of the steps in which training feeds the true value; to be set at any time.
    """

    def __init__(
        self, specs: Sequence[LayerSpec], shape: Shape, steps: int, dtype: np.dtype | type = np.float32
    ) -> None:
        *hidden, output = specs
        if not isinstance(output, Dense):
            raise TypeError(f"The last spec must be a Dense, which gives the targets of a step; got {output}.")
        if not hidden or not isinstance(hidden[-1], Recurrent):
            raise ValueError(
                "The last layer of an encoder must be recurrent, e.g. GRU(32): the decoder goes on from its state; got "
                f"{hidden[-1] if hidden else 'no layer'}."
            )
        self.steps, self.targets, self.teacher_forcing = steps, output.outputs, np.ones(1)
        super().__init__(specs, shape, dtype)
        self.output, self.has_time = Shape(1, steps * self.targets), False

    def _make_layers(self) -> list[Layer]:
        self.encoder = chained(self.specs[:-1], self.input)
        self.sources = [i for i, layer in enumerate(self.encoder) if isinstance(layer, RecurrentLayer)]
        self.decoder, output = self.decoder_layers(self.steps)
        self.stepwise = [*self.decoder, output]
        return [*self.encoder, *self.stepwise]

    def decoder_layers(self, steps: int) -> tuple[list[DecoderLayer], StepwiseDense]:
        """The decoder's recurrent layers and the one that gives its outputs, for so many steps."""
        specs: list[Any] = [self.encoder[i].spec for i in self.sources]
        widths = [self.targets, *(spec.hidden_size for spec in specs)]
        shapes = [Shape(steps, width) for width in widths]
        output: Any = self.specs[-1]
        return [DecoderLayer(*pair) for pair in zip(specs, shapes, strict=False)], StepwiseDense(output, shapes[-1])

    def workspace(  # type: ignore[override]
        self, *, training: bool, masked: bool = False, keeps_flow: bool = False
    ) -> DecodingWorkspace:
        """Arrays for one tile."""
        if masked:
            raise ValueError("A decoder begins with the last step of its input, so no step may be masked.")
        return DecodingWorkspace(self, training, keeps_flow)

    def single(self, theta: np.ndarray) -> SingleWorkspace:
        """Arrays for one sequence."""
        return DecodingSingle(self, self.layout.views(theta))


class DecodingWorkspace(Workspace):
    """One tile's way through encoder and decoder.

    Parameters
    ----------
    network : EncoderDecoder
        Its layers and packed weights.
    training, keeps_flow : bool
        As in `Workspace`; of the encoder.

    Attributes
    ----------
    truth : ndarray
        In training, what the decoder may be fed: the true values [step][1 + target][lane].
    chosen : ndarray
        Where it is, [step][lane]: drawn anew for each tile.
    """

    def __init__(self, network: EncoderDecoder, training: bool, keeps_flow: bool = False) -> None:
        layers, dtype, n = network.layers, network.dtype, len(network.encoder)
        self.network, self.training = network, training
        self._make(layers, dtype, training, masked=False)
        links = list(zip(layers, network.weights, strict=True))
        plain = Setting(dtype, training, self.turn)
        settings = [replace(plain, keeps_flow=keeps_flow, d_states=i in network.sources) for i in range(n)]
        self._bind([(*link, setting) for link, setting in zip(links, settings, strict=False)], self.x, None, False)
        tapes = [self.bound[i].tape for i in network.sources]
        settings = [replace(plain, continues=True, before=tape) for tape in tapes]
        settings.append(plain)  # of the layer that gives the outputs
        steps = Shape(network.steps, network.targets)
        self.fed, nothing = tile(steps, dtype), NOTHING.astype(dtype)
        decoder = [(*link, setting) for link, setting in zip(links[n:], settings, strict=True)]
        self._outputs, _, self._d_outputs = self._bind(decoder, self.fed, None, False)
        self.y, self.d_x = tile(network.output, dtype), nothing
        self.d_y = gradient_tile(network.output, dtype) if training else nothing
        self.truth = tile(steps, dtype) if training else nothing
        self.chosen = aligned(network.steps * LANES if training else 0, dtype)
        self.forward = tuple(self._forward_calls(self.bound[:n], self.bound[n:]))
        self.backward = tuple(self._backward_calls()) if training else ()
        self.draws = self.drops = self._draw()
        if training:
            stream, share = self._streams[-1], network.teacher_forcing
            self.draws += (prepare(draw_choices, stream, self.turn, network.steps, share, self.chosen),)

    def _forward_calls(self, encoder: list[Bound], decoder: list[Bound]) -> list[Work]:
        """x -> y"""
        network, targets = self.network, self.network.targets
        calls: list[Work] = [call for bound in encoder for call in bound.forward]
        for layer, source, bound in zip(network.decoder, network.sources, decoder, strict=False):
            calls += layer.take_over(network.encoder[source], encoder[source].tape, bound.tape)
        last = (network.input.steps - 1) * step_size(network.input.features) + LANES
        calls.append(prepare(copy_rows, 1, targets * LANES, self.x, last, 0, self.fed, LANES, 0))
        first = [call for bound in decoder for call in bound.forward]
        calls += [*first, Loop(_steps_of(self._feed(), network.stepwise, first), range(1, network.steps))]
        size, width = step_size(targets), targets * LANES
        calls.append(prepare(copy_rows, network.steps, width, self._outputs, LANES, size, self.y, LANES, width))
        return calls

    def _feed(self) -> Feed:
        """From a step to the call that gives the next one what comes out of it, or should come."""
        targets, outputs, fed = self.network.targets, self._outputs, self.fed
        if self.training:
            taught = prepare(feed_step, 0, targets, self.chosen, self.truth, outputs, fed)
            return lambda step: taught.again(step, *taught.args[1:])
        size, width = step_size(targets), targets * LANES
        own = prepare(copy_rows, 1, width, outputs, LANES, 0, fed, LANES + size, 0)
        return lambda step: own.again(1, width, outputs, LANES + step * size, 0, fed, LANES + (step + 1) * size, 0)

    def _backward_calls(self) -> list[Call]:
        """d_y -> the gradient"""
        width, size = self.network.targets * LANES, step_size(self.network.targets) - LANES
        spread = prepare(copy_rows, self.network.steps, width, self.d_y, 0, width, self._d_outputs, 0, size)
        return [spread, *chain.from_iterable(bound.backward for bound in reversed(self.bound))]


def _steps_of(
    feed: Feed, layers: Sequence[DecoderLayer | StepwiseDense], first: Sequence[Call]
) -> Callable[[int], list[Call]]:
    """From a step to its calls. It knows no workspace: one that held itself would not go when it is needed no more."""
    return lambda step: [feed(step - 1), *(layer.at(step, call) for layer, call in zip(layers, first, strict=True))]


class DecodingSingle(SingleWorkspace):
    """One sequence's way through encoder and decoder; prediction only. ``states`` are the encoder's.

    Parameters
    ----------
    network : EncoderDecoder
        Its layers.
    arrays : list of list of ndarray
        The parameters of each layer.
    """

    def __init__(self, network: EncoderDecoder, arrays: list[list[np.ndarray]]) -> None:
        n = len(network.encoder)
        super().__init__(network.encoder, arrays[:n], network.dtype)
        decoder, output = network.decoder_layers(1)
        self.decoder = SingleWorkspace([*decoder, output], arrays[n:], network.dtype)
        self.pairs = list(zip((self.states[i] for i in network.sources), self.decoder.states.values(), strict=True))
        self.outputs = np.zeros((network.steps, network.targets), network.dtype)
        self.y = self.outputs.reshape(1, -1)

    def pack(self, version: int = 0) -> None:
        super().pack(version)
        self.decoder.pack(version)

    def forward(self) -> None:
        super().forward()
        for ended, begins in self.pairs:
            for source, target in zip(ended.rows, begins.rows, strict=True):
                target[...] = source
        before = self.x[-1, : self.outputs.shape[1]]
        for row in self.outputs:
            self.decoder.x[0] = before
            self.decoder.forward()
            row[...] = self.decoder.y[0]
            before = row
