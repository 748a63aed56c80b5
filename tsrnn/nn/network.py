"""Layers in order, their parameters in one flat vector, and summaries of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tsrnn._jit import Call
from tsrnn.kernels.program import Program, Work
from tsrnn.kernels.turn import new_turn
from tsrnn.nn.layer import Layer, LayerSpec, Shape
from tsrnn.nn.params import ParamLayout
from tsrnn.nn.single_workspace import SingleWorkspace
from tsrnn.nn.workspace import Workspace

Spread = Callable[[list[Call]], None]
ONCE = range(1)


def in_order(calls: Iterable[Work]) -> None:
    """One call after the other."""
    for call in calls:
        call()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def chained(specs: Iterable[LayerSpec], shape: Shape) -> list[Layer]:
    """The layers of specs of which the first gets inputs of this shape and each other what the one before gives."""
    layers: list[Layer] = []
    for i, spec in enumerate(specs):
        if i and spec.reads_tokens:
            raise ValueError(f"Layer {i}, {spec}, must be the first one: it reads tokens, which no layer gives.")
        needed = spec.refusal(shape)
        if needed:
            got = f"{_count(shape.steps, 'step')} of {_count(shape.features, 'feature')}"
            raise ValueError(f"Layer {i}, {spec}, needs {needed}; got {got}.")
        layers.append(spec.layer(shape))
        shape = layers[-1].output
    return layers


class _Together:
    """Calls that do not depend on each other, and the arrays that they were written for."""

    def __init__(self, calls: list[Call], *arrays: np.ndarray) -> None:
        self.calls, self._arrays = calls, arrays
        self._program = Program(calls, new_turn())

    def are_for(self, *arrays: np.ndarray) -> bool:
        """Whether the arrays are these."""
        return all(mine is given for mine, given in zip(self._arrays, arrays, strict=True))

    def run(self, spread: Spread | None) -> None:
        """All of them: by ``spread``, or here."""
        if spread is None:
            self._program.run(ONCE)
        else:
            spread(self.calls)


class Network:
    """Layers at given sizes. It holds no parameters: ``theta`` is the caller's, ``pack`` puts it where kernels read.

    Parameters
    ----------
    specs : sequence of LayerSpec
        From the input up.
    shape : Shape
        Steps and features of the input.
    dtype : dtype
        float32 for work, float64 for gradient checks.
    """

    def __init__(self, specs: Sequence[LayerSpec], shape: Shape, dtype: np.dtype | type = np.float32) -> None:
        self.specs, self.input, self.dtype = tuple(specs), shape, np.dtype(dtype)
        self.layers = self._make_layers()
        self.output, self.has_time = self.layers[-1].output, True
        for layer in self.layers:
            self.has_time = layer.makes_time or (self.has_time and layer.keeps_time)
        names = [f"{layer.name}_{i}" for i, layer in enumerate(self.layers)]
        self.layout = ParamLayout([(name, layer.parameters) for name, layer in zip(names, self.layers, strict=True)])
        self.weights = [layer.make_weights(self.dtype) for layer in self.layers]
        ends = np.cumsum([layer.gradient_size for layer in self.layers]).tolist()
        self._places = [slice(end - layer.gradient_size, end) for end, layer in zip(ends, self.layers, strict=True)]
        self.gradient_size = ends[-1]
        # For the arrays seen last: training packs the same ones in every step.
        self._packing: _Together | None = None
        self._unpacking: _Together | None = None

    def _make_layers(self) -> list[Layer]:
        """The specs at the sizes that they get, one fed by the other."""
        return chained(self.specs, self.input)

    def initial(self, seed: int) -> np.ndarray:
        """First values of all parameters."""
        return self.layout.initial(seed, self.dtype)

    def pack(self, theta: np.ndarray, spread: Spread | None = None) -> None:
        """Parameters -> the order in which kernels read them; ``spread``, if given, makes the calls side by side."""
        if self._packing is None or not self._packing.are_for(theta):
            layers = zip(self.layers, self.layout.views(theta), self.weights, strict=True)
            calls = [call for layer, *arrays in layers for call in layer.packing(*arrays)]
            self._packing = _Together(calls, theta)
        self._packing.run(spread)

    def unpack(self, flat: np.ndarray, gradient: np.ndarray, spread: Spread | None = None) -> None:
        """The gradient as the kernels wrote it -> ``gradient``, laid out as the parameters."""
        if self._unpacking is None or not self._unpacking.are_for(flat, gradient):
            layers = zip(self.layers, self._places, self.layout.views(gradient), strict=True)
            calls = [call for layer, place, arrays in layers for call in layer.unpacking(flat[place], arrays)]
            self._unpacking = _Together(calls, flat, gradient)
        self._unpacking.run(spread)

    def workspace(self, **setting: bool) -> Workspace:
        """Arrays for one tile; see ``Workspace``."""
        return Workspace(self.layers, self.weights, self.dtype, **setting)

    def single(self, theta: np.ndarray) -> SingleWorkspace:
        """Arrays for one sequence; see ``SingleWorkspace``. ``theta`` is read by its ``pack``."""
        return SingleWorkspace(self.layers, self.layout.views(theta), self.dtype)
