"""Weights from and to Keras, whose order and shapes are those of ``tsrnn.nn``; so this checks more than it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tsrnn.interop.arrays import Weighted, as_array, checked_shape, weighted_layers
from tsrnn.nn.built import BuiltNetwork


def from_keras(weights: Sequence[Any], net: BuiltNetwork) -> list[np.ndarray]:
    """Weights of a Keras model, for ``net.set_weights``.

    Parameters
    ----------
    weights : list of arrays, or list of lists of arrays
        ``model.get_weights()``; or ``[layer.get_weights() for layer in model.layers]``, where layers without a bias
        (``use_bias=False``) get one of zeros. Layers without weights may be among them.
    net : BuiltNetwork
        The same layers in ``tsrnn.nn``; `Bidirectional` has its forward weights first in both.

    Returns
    -------
    list of ndarray
        In the order and shapes of ``net.get_weights()``.

    Raises
    ------
    ValueError
        Where there are more or fewer arrays than the network has, or one has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.interop import from_keras
    >>> from tsrnn.nn import GRU, Dense, Sequential
    >>> net = Sequential([GRU(32), Dense(1)]).build(input_shape=(120, 14))
    >>> ones = [np.ones(shape) for shape in [(14, 96), (32, 96), (2, 96), (32, 1), (1,)]]  # model.get_weights()
    >>> net.set_weights(from_keras(ones, net))
    """
    layers = weighted_layers("from_keras", net)
    given = list(weights)
    if any(isinstance(item, list | tuple) for item in given):
        return _from_layers([item for item in given if len(item)], layers)
    wanted = [(layer, parameter) for layer in layers for parameter in layer.parameters]
    if len(given) != len(wanted):
        names = ", ".join(f"{layer.name}.{parameter.name}" for layer, parameter in wanted)
        raise ValueError(
            f"`weights` must hold {len(wanted)} arrays ({names}); got {len(given)}. If the model has layers without a "
            "bias, give a list for each layer: [layer.get_weights() for layer in model.layers]."
        )
    pairs = zip(given, wanted, strict=True)
    return [
        checked_shape(as_array(array), parameter.shape, f"`weights[{i}]` ({parameter.name})", layer)
        for i, (array, (layer, parameter)) in enumerate(pairs)
    ]


def to_keras(net: BuiltNetwork) -> list[np.ndarray]:
    """Weights of a network as ``model.set_weights`` of the same layers in Keras takes them.

    Parameters
    ----------
    net : BuiltNetwork
        Made by ``Sequential.build``.

    Returns
    -------
    list of ndarray
        Copies, in Keras' order and shapes.

    Examples
    --------
    >>> from tsrnn.interop import to_keras
    >>> from tsrnn.nn import LSTM, Sequential
    >>> [array.shape for array in to_keras(Sequential([LSTM(32)]).build(input_shape=(120, 14)))]
    [(14, 128), (32, 128), (128,)]
    """
    weighted_layers("to_keras", net)
    return net.get_weights()


def _from_layers(given: list[Sequence[Any]], layers: list[Weighted]) -> list[np.ndarray]:
    """From a list of arrays for each layer that has weights."""
    if len(given) != len(layers):
        names = ", ".join(layer.name for layer in layers)
        raise ValueError(f"`weights` must hold {len(layers)} layers with weights ({names}); got {len(given)}.")
    return [array for arrays, layer in zip(given, layers, strict=True) for array in _from_layer(arrays, layer)]


def _from_layer(arrays: Sequence[Any], layer: Weighted) -> list[np.ndarray]:
    biases = [parameter.name.endswith("bias") for parameter in layer.parameters]
    if len(arrays) not in (len(biases), len(biases) - sum(biases)):
        names = ", ".join(parameter.name for parameter in layer.parameters)
        raise ValueError(
            f"`weights` must hold {len(biases)} arrays ({names}), or {len(biases) - sum(biases)} without biases, for "
            f"{layer}; got {len(arrays)}."
        )
    has_biases, rest, found = len(arrays) == len(biases), iter(arrays), []
    for parameter, is_bias in zip(layer.parameters, biases, strict=True):
        array = as_array(next(rest)) if has_biases or not is_bias else np.zeros(parameter.shape, np.float32)
        found.append(checked_shape(array, parameter.shape, f"`weights`: {parameter.name}", layer))
    return found
