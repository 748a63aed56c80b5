"""Weights from and to PyTorch, which has other names, matrices the other way round, and other gates first.

==================  ==================================================================================
``tsrnn.nn``        PyTorch
==================  ==================================================================================
kernel              ``weight_ih_l0``, transposed
recurrent_kernel    ``weight_hh_l0``, transposed
bias                ``bias_ih_l0`` and ``bias_hh_l0``: their sum, but for the GRU, which has two rows
gates i, f, c, o    i, f, g, o
gates z, r, h       r, z, n
==================  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tsrnn._errors import Instance, ListOf, check_parameter, quoted
from tsrnn.interop.arrays import per_layer, weighted_layers
from tsrnn.interop.pytorch_layers import counterpart
from tsrnn.interop.state_dicts import module_of, places_in, places_named, read_layer
from tsrnn.nn.built import BuiltNetwork

_STATE_DICT = Instance(Mapping, "a mapping of names to arrays such as module.state_dict()")
_NAMES = ListOf(Instance(str, "the name of a module"))


def from_torch(
    state_dict: Mapping[str, Any], net: BuiltNetwork, *, names: Sequence[str] | None = None
) -> list[np.ndarray]:
    """Weights of PyTorch's ``nn.RNN``, ``nn.LSTM``, ``nn.GRU`` and ``nn.Linear``, for ``net.set_weights``.

    Parameters
    ----------
    state_dict : mapping of str to array or tensor
        ``module.state_dict()``.
    net : BuiltNetwork
        The same layers in ``tsrnn.nn``, one for each layer of a stacked module.
    names : list of str, optional
        For each layer of ``net`` that has weights the module that it is in, such as ``["lstm", "lstm", "head"]`` for an
        LSTM of two layers and a Linear. Other modules are left alone. Default: all, in the order of ``state_dict``.

    Returns
    -------
    list of ndarray
        In the order and shapes of ``net.get_weights()``. The two biases of RNN and LSTM are added; modules with
        ``bias=False`` get zeros.

    Raises
    ------
    ValueError
        Where something is missing, left over or of another shape, and for layers that PyTorch computes otherwise or
        not at all.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.interop import from_torch
    >>> from tsrnn.nn import LSTM, Dense, Sequential
    >>> net = Sequential([LSTM(3), Dense(1)]).build(input_shape=(10, 2))
    >>> state_dict = {  # module.state_dict()
    ...     "lstm.weight_ih_l0": np.ones((12, 2)), "lstm.weight_hh_l0": np.ones((12, 3)),
    ...     "lstm.bias_ih_l0": np.ones(12), "lstm.bias_hh_l0": np.ones(12),
    ...     "head.weight": np.ones((1, 3)), "head.bias": np.ones(1),
    ... }
    >>> net.set_weights(from_torch(state_dict, net))
    >>> net.get_weights()[2][0]
    np.float32(2.0)
    """
    layers = weighted_layers("from_torch", net)
    kinds = [counterpart(layer) for layer in layers]
    check_parameter("from_torch", "state_dict", state_dict, _STATE_DICT)
    if names is None:
        places = places_in(state_dict, layers)
    else:
        check_parameter("from_torch", "names", names, _NAMES)
        places = places_named(names, layers, kinds)
    weights: list[np.ndarray] = []
    left = {key for key in state_dict if names is None or module_of(key) in names}
    for layer, kind, place in zip(layers, kinds, places, strict=True):
        found = read_layer(state_dict, place, layer, kind)
        weights += kind.from_torch(list(found.values()))
        left -= set(found)
    if left:
        raise ValueError(
            f"`state_dict` holds {quoted(key for key in state_dict if key in left)}, which no layer of the network "
            f"takes: {', '.join(map(str, layers))}. Build the network with all layers and directions of the module; "
            "if it is other modules that are left over, say with `names=` which to read."
        )
    return weights


def to_torch(net: BuiltNetwork, *, names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Weights of a network under PyTorch's names and in its layout.

    Parameters
    ----------
    net : BuiltNetwork
        Made by ``Sequential.build``, of `SimpleRNN`, `LSTM`, `GRU` and `Dense`.
    names : list of str, optional
        For each layer that has weights the module that it goes into, such as ``["lstm", "lstm", "head"]`` for an LSTM
        of two layers and a Linear. Default: one module without a name, the stack of all layers.

    Returns
    -------
    dict of str to ndarray
        For ``module.load_state_dict({name: torch.as_tensor(array) for name, array in ...})``. The second bias of RNN
        and LSTM is zero.

    Raises
    ------
    ValueError
        For layers that PyTorch computes otherwise or not at all, and where modules must be named.

    Examples
    --------
    >>> from tsrnn.interop import to_torch
    >>> from tsrnn.nn import GRU, Dense, Sequential
    >>> net = Sequential([GRU(3), Dense(1)]).build(input_shape=(10, 2))
    >>> for name, array in to_torch(net, names=["gru", "head"]).items():
    ...     print(name, array.shape)
    gru.weight_ih_l0 (9, 2)
    gru.weight_hh_l0 (9, 3)
    gru.bias_ih_l0 (9,)
    gru.bias_hh_l0 (9,)
    head.weight (1, 3)
    head.bias (1,)
    """
    layers = weighted_layers("to_torch", net)
    kinds = [counterpart(layer) for layer in layers]
    if names is not None:
        check_parameter("to_torch", "names", names, _NAMES)
    places = places_named([""] * len(layers) if names is None else names, layers, kinds)
    found: dict[str, np.ndarray] = {}
    for kind, place, arrays in zip(kinds, places, per_layer(net.get_weights(), layers), strict=True):
        keys = (place.prefix + name for name in kind.names(place.index))
        found |= {key: np.ascontiguousarray(array) for key, array in zip(keys, kind.to_torch(arrays), strict=True)}
    return found
