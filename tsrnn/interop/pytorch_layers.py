"""What layers are in PyTorch: the names of their arrays, and the arrays one way and the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsrnn.interop.arrays import Weighted
from tsrnn.nn.cells import GRU, LSTM, SimpleRNN
from tsrnn.nn.layer import LayerSpec
from tsrnn.nn.layers.bidirectional import Bidirectional
from tsrnn.nn.layers.dense import Dense

_SAME, _GRU = None, (1, 0, 2)  # the order of the gates in the other library; each its own inverse


class Counterpart(ABC):
    """A layer as PyTorch has it; abstract."""

    @abstractmethod
    def names(self, index: int) -> list[str]:
        """Of the arrays, behind the name of the module; ``index`` counts the layers of the module."""

    @abstractmethod
    def to_torch(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """A layer's arrays, in the order of its parameters -> PyTorch's, in the order of ``names``."""

    @abstractmethod
    def from_torch(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The way back."""


class Linear(Counterpart):
    """``nn.Linear``."""

    def names(self, index: int) -> list[str]:
        return ["weight", "bias"]

    def to_torch(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        kernel, bias = arrays
        return [kernel.T, bias]

    from_torch = to_torch


@dataclass(frozen=True)
class Stacked(Counterpart):
    """One layer of ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``; all layers of a module are equal.

    ``suffixes`` are those of the directions, forward first, each of which has all arrays of a cell.
    """

    kind: str
    hidden_size: int
    order: tuple[int, ...] | None
    two_biases: bool
    suffixes: tuple[str, ...] = ("",)

    def names(self, index: int) -> list[str]:
        arrays = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [f"{array}_l{index}{suffix}" for suffix in self.suffixes for array in arrays]

    def to_torch(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        found = []
        for at in range(0, len(arrays), 3):
            kernel, recurrent_kernel, bias = arrays[at : at + 3]
            biases = bias if self.two_biases else (bias, np.zeros_like(bias))
            found += [self._reordered(rows) for rows in (kernel.T, recurrent_kernel.T, *biases)]
        return found

    def from_torch(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        found = []
        for at in range(0, len(arrays), 4):
            kernel, recurrent_kernel, *biases = (self._reordered(rows) for rows in arrays[at : at + 4])
            found += [kernel.T, recurrent_kernel.T, np.stack(biases) if self.two_biases else biases[0] + biases[1]]
        return found

    def _reordered(self, rows: np.ndarray) -> np.ndarray:
        if self.order is None:
            return rows
        gates = np.split(rows, len(self.order))
        return np.concatenate([gates[gate] for gate in self.order])


def counterpart(layer: Weighted) -> Counterpart:
    """What a layer is in PyTorch, if its weights mean the same there."""
    return _of_spec(layer, layer.spec)


def _of_spec(layer: Weighted, spec: LayerSpec) -> Counterpart:
    """The same for ``layer`` itself or for the layer that it wraps."""
    if type(spec) is Dense:
        return Linear()
    if type(spec) is Bidirectional:
        return _both_directions(layer, spec)
    if type(spec) is SimpleRNN:
        other = {"activation": spec.activation not in ("tanh", "relu")}
        made = Stacked(f"rnn, {spec.activation}", spec.hidden_size, _SAME, two_biases=False)
    elif type(spec) is LSTM:
        other = _other_gates(spec)
        made = Stacked("lstm", spec.hidden_size, _SAME, two_biases=False)
    elif type(spec) is GRU:
        other = _other_gates(spec) | {"reset_after": not spec.reset_after}
        made = Stacked("gru", spec.hidden_size, _GRU, two_biases=True)
    else:
        raise ValueError(f"Weights of {layer} cannot be exchanged with PyTorch, which has no such layer.")
    other["go_backwards"] = spec.go_backwards
    wrong = [f"{name}={getattr(spec, name)!r}" for name, is_other in other.items() if is_other]
    if wrong:
        raise ValueError(
            f"Weights of {layer} cannot be exchanged with PyTorch, which does not compute {' and '.join(wrong)}: the "
            "same weights would give other outputs. Leave that out."
        )
    return made


def _both_directions(layer: Weighted, spec: Bidirectional) -> Counterpart:
    """Of a wrapped layer; PyTorch sets the two outputs side by side."""
    kind = _of_spec(layer, spec.wrapped)
    if spec.merge_mode != "concat" or not isinstance(kind, Stacked):
        raise ValueError(
            f"Weights of {layer} cannot be exchanged with PyTorch, which does not compute "
            f"merge_mode={spec.merge_mode!r}: the same weights would give other outputs. Use 'concat'."
        )
    return replace(kind, suffixes=("", "_reverse"))


def _other_gates(spec: LSTM | GRU) -> dict[str, bool]:
    """Which settings are not those that PyTorch's cells always have."""
    return {
        "activation": spec.activation != "tanh",
        "recurrent_activation": spec.recurrent_activation != "sigmoid",
    }
