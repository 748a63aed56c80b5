"""Where the layers of a network are in a state dict of PyTorch, by the names of its keys."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn._errors import quoted
from tsrnn.interop.arrays import Weighted, as_array, checked_shape
from tsrnn.interop.pytorch_layers import Counterpart, Stacked

_KEY = re.compile(r"(?:(?P<module>.+)\.)?(?:weight|bias)(?:_(?:ih|hh|hr)_l(?P<index>\d+)(?:_reverse)?)?")


@dataclass(frozen=True)
class Place:
    """The module that a layer is in, and its number there."""

    module: str
    index: int

    @property
    def prefix(self) -> str:
        """What the module's keys begin with."""
        return f"{self.module}." if self.module else ""


def module_of(key: str) -> str | None:
    """The module that a weight belongs to; None for what is no weight of the modules that are known here."""
    match = _KEY.fullmatch(key)
    return match and (match["module"] or "")


def places_named(names: Sequence[str], layers: list[Weighted], kinds: list[Counterpart]) -> list[Place]:
    """By the user's names; the same name again is the next layer of a stacked module."""
    if len(names) != len(layers):
        listed = ", ".join(layer.name for layer in layers)
        raise ValueError(f"`names` must name the module of each layer, {len(layers)} ({listed}); got {list(names)}.")
    for i, name in enumerate(names):
        stacked = name == names[i - 1] and isinstance(kinds[i], Stacked) and kinds[i] == kinds[i - 1]
        if name in names[:i] and not stacked:
            module = f"the module '{name}'" if name else "the one module without a name"
            raise ValueError(
                f"{layers[i]} cannot be in {module} as well: only recurrent layers of one kind and width that follow "
                "one another are a stack in PyTorch. Name the module of each layer with `names=`."
            )
    return [Place(name, names[:i].count(name)) for i, name in enumerate(names)]


def places_in(state_dict: Mapping[str, Any], layers: list[Weighted]) -> list[Place]:
    """All that a state dict holds, in its order."""
    places: dict[Place, None] = {}
    for key in state_dict:
        match = _KEY.fullmatch(key)
        if match is None:
            raise ValueError(
                f"`state_dict` holds '{key}', which is no weight of RNN, LSTM, GRU or Linear. Say which modules to "
                "read, one for each layer, with `names=`."
            )
        places[Place(match["module"] or "", int(match["index"] or 0))] = None
    if len(places) != len(layers):
        listed = ", ".join(layer.name for layer in layers)
        found = ", ".join(f"layer {place.index} of '{place.module}'" for place in places)
        raise ValueError(
            f"`state_dict` must hold as many layers as the network, {len(layers)} ({listed}); got {len(places)} "
            f"({found}). Say which modules to read, one for each layer, with `names=`."
        )
    return list(places)


def read_layer(
    state_dict: Mapping[str, Any], place: Place, layer: Weighted, kind: Counterpart
) -> dict[str, np.ndarray]:
    """The arrays of one layer by their keys, in the order of ``kind.names``."""
    own = [key for key in state_dict if module_of(key) == place.module]
    projected = [key for key in own if key.removeprefix(place.prefix).startswith("weight_hr_")]
    if projected:
        raise ValueError(
            f"`state_dict` holds {quoted(projected)}, of an LSTM with `proj_size`, for which tsrnn has no layer. Train "
            "the module without it, with a Linear behind it where the outputs have to be fewer."
        )
    has_bias = any(key.removeprefix(place.prefix).startswith("bias") for key in own)
    shapes = [array.shape for array in kind.to_torch([np.zeros(parameter.shape) for parameter in layer.parameters])]
    found = {}
    for name, shape in zip(kind.names(place.index), shapes, strict=True):
        key = place.prefix + name
        if key in state_dict:
            found[key] = checked_shape(as_array(state_dict[key]), shape, f"`state_dict['{key}']`", layer)
        elif name.startswith("bias") and not has_bias:
            found[key] = np.zeros(shape, np.float32)
        else:
            raise ValueError(f"`state_dict` has no '{key}', which {layer} needs; it has {quoted(own or state_dict)}.")
    return found
