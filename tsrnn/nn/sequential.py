"""Layers for those who build their own network: ``Sequential([...]).build(...)`` on arrays (batch, steps, features)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsrnn._errors import Instance, Integer, ListOf, check_parameter
from tsrnn.nn.built import BuiltNetwork
from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.network import Network


class Sequential:
    """A list of layers, each fed by the one before.

    Parameters
    ----------
    layers : list of layer specs
        From the input up.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GRU, Dense, Sequential
    >>> net = Sequential([GRU(32, return_sequences=True), GRU(32), Dense(1)]).build((120, 14), random_state=0)
    >>> net(np.zeros((5, 120, 14), np.float32)).shape
    (5, 1)
    >>> net.count_params()
    10977
    """

    def __init__(self, layers: Sequence[LayerSpec]) -> None:
        check_parameter("Sequential", "layers", layers, ListOf(Instance(LayerSpec, "a layer such as GRU(32)")))
        self.layers = tuple(layers)

    def build(
        self, input_shape: tuple[int, int], random_state: int = 0, dtype: np.dtype | type = np.float32
    ) -> BuiltNetwork:
        """The network on inputs of ``(steps, features)``, with first values drawn from ``random_state``."""
        if not isinstance(input_shape, tuple | list) or len(input_shape) != 2:
            raise ValueError(f"`input_shape` must be (steps, features), e.g. (120, 14); got {input_shape!r}.")
        for name, value in zip(("steps", "features"), input_shape, strict=True):
            check_parameter("Sequential.build", f"input_shape ({name})", value, Integer(1))
        check_parameter("Sequential.build", "random_state", random_state, Integer(0))
        return BuiltNetwork(Network(self.layers, Shape(*input_shape), dtype), random_state)
