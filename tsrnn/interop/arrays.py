"""What both directions and both libraries need: arrays from tensors, and checks of what a user gave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from tsrnn._errors import Instance, check_parameter
from tsrnn.nn.built import BuiltNetwork
from tsrnn.nn.layer import LayerSpec
from tsrnn.nn.params import Parameter

_NETWORK = Instance(BuiltNetwork, "a network such as Sequential([GRU(32)]).build((120, 14))")


@runtime_checkable
class Tensor(Protocol):
    """An array of another library's, perhaps on another device and part of a graph of derivatives."""

    def detach(self) -> Any: ...
    def cpu(self) -> Any: ...


class Weighted(NamedTuple):
    """A layer of a network that has weights."""

    name: str  # "gru_0", as in the names of parameters
    spec: LayerSpec
    parameters: tuple[Parameter, ...]

    def __str__(self) -> str:
        return f"'{self.name}' ({self.spec})"


def as_array(value: Any) -> np.ndarray:
    """What is given, without a copy where that can be."""
    return np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)


def weighted_layers(function: str, net: BuiltNetwork) -> list[Weighted]:
    """The layers of ``net`` that have weights, in order."""
    check_parameter(function, "net", net, _NETWORK)
    layers = zip(net.network.layout.layers, net.network.layers, strict=True)
    return [Weighted(name, layer.spec, parameters) for (name, parameters), layer in layers if parameters]


def per_layer(weights: list[np.ndarray], layers: list[Weighted]) -> Iterator[list[np.ndarray]]:
    """The arrays of ``net.get_weights()`` for each layer in turn."""
    rest = iter(weights)
    for layer in layers:
        yield [next(rest) for _ in layer.parameters]


def checked_shape(array: np.ndarray, shape: tuple[int, ...], what: str, layer: Weighted) -> np.ndarray:
    """The array, if it has the shape that the layer needs."""
    if array.shape != shape:
        raise ValueError(
            f"{what} must have the shape {shape} for {layer}; got {array.shape}. Build the network with the sizes and "
            "the cell of the model that the weights come from."
        )
    return array
