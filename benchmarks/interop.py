"""How far outputs and gradients are from PyTorch's and Keras', with weights exchanged through ``tsrnn.interop``.

The largest difference, relative to the largest number of its array: in float32, where sums are taken in another order,
and in float64, where nothing but the equations is left to differ. Gradients are those of a random weighted sum of all
outputs, by the input, initial states and all weights. A difference beyond rounding ends the run. Measures no time.
Usage: python benchmarks/interop.py [--quick]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import measure
import numpy as np
from agreement import difference
from ours import CELLS
from peer_keras import KINDS as KERAS_LAYERS
from peer_keras import Bidirectional as KerasBidirectional
from peer_keras import tf
from peer_pytorch import KINDS as TORCH_MODULES
from peer_pytorch import torch

from tsrnn.interop import from_keras, from_torch, to_keras, to_torch
from tsrnn.nn import Bidirectional, Sequential
from tsrnn.nn.built import BuiltNetwork

BATCH, STEPS, FEATURES, HIDDEN = 40, 50, 14, 32
LIMITS = {"float32": 3e-5, "float64": 1e-12}
Found = tuple[np.ndarray, list[np.ndarray]]  # outputs, gradients


@dataclass(frozen=True)
class Case:
    """A network and what it is fed; the last layer gives all steps unless sequences are padded."""

    cell: str
    dtype: str
    layers: int = 1
    states: bool = False
    mask: str | None = None
    merge: str | None = None  # of two directions

    @property
    def sequences(self) -> bool:
        """Whether the last layer gives all steps: PyTorch's are zero behind the end of a sequence, ours are not."""
        return self.mask != "right-padded"

    @property
    def net(self) -> BuiltNetwork:
        """With biases that are not zero."""
        flags = [True] * (self.layers - 1) + [self.sequences]
        layers: list[Any] = [CELLS[self.cell](HIDDEN, return_sequences=flag) for flag in flags]
        if self.merge:
            layers = [Bidirectional(layer, merge_mode=self.merge) for layer in layers]
        net = Sequential(layers).build((STEPS, FEATURES), random_state=0, dtype=np.dtype(self.dtype))
        net.theta = net.theta + 0.1 * self.draw(1, net.theta.size)
        return net

    def draw(self, seed: int, *shape: int) -> np.ndarray:
        """Normal numbers, the same for both precisions."""
        return np.random.default_rng(seed).standard_normal(shape).astype(np.float32).astype(self.dtype)

    @property
    def x(self) -> np.ndarray:
        """(batch, steps, features)"""
        return self.draw(2, BATCH, STEPS, FEATURES)

    @property
    def d_y(self) -> np.ndarray:
        """The weights of the sum."""
        width = HIDDEN * (2 if self.merge == "concat" else 1)
        return self.draw(3, BATCH, STEPS, width) if self.sequences else self.draw(3, BATCH, width)

    @property
    def lengths(self) -> np.ndarray:
        """Of the padded sequences."""
        return np.random.default_rng(4).integers(1, STEPS + 1, BATCH)

    @property
    def marks(self) -> np.ndarray | None:
        """(batch, steps) of bool; the first step is always seen."""
        if self.mask == "right-padded":
            return np.arange(STEPS) < self.lengths[:, None]
        return (
            np.random.default_rng(5).random((BATCH, STEPS)) < np.r_[1, np.full(STEPS - 1, 0.6)] if self.mask else None
        )

    @property
    def initial_state(self) -> list[tuple[np.ndarray, ...]] | None:
        """(h,) or (h, c) of each layer."""
        count = (2 if self.cell == "LSTM" else 1) * (2 if self.merge else 1)
        drawn = [self.draw(6 + i, count, BATCH, HIDDEN) for i in range(self.layers)]
        return [tuple(rows) for rows in drawn] if self.states else None

    def __str__(self) -> str:
        parts = [f"{self.cell}({HIDDEN})", f"{self.layers} layers" if self.layers > 1 else ""]
        parts += [f"both directions: {self.merge}" if self.merge else ""]
        parts += ["initial states" if self.states else "", f"mask: {self.mask}" if self.mask else ""]
        return ", ".join(part for part in parts if part)


def ours(case: Case, net: BuiltNetwork) -> Found:
    """What this package gives."""
    y = net.forward(case.x, training=True, mask=case.marks, initial_state=case.initial_state)
    d_x = net.backward(case.d_y)
    return y, [d_x, *(d_state for states in net.d_initial_state for d_state in states or ()), *net.grads()]


def pytorch(case: Case, net: BuiltNetwork) -> Found:
    """The same by ``torch.nn``; padded sequences as packed ones."""
    options = {"num_layers": case.layers, "batch_first": True, "dtype": getattr(torch, case.dtype)}
    options |= {"bidirectional": bool(case.merge)}
    module = TORCH_MODULES[case.cell](FEATURES, HIDDEN, **options)
    module.load_state_dict({name: torch.as_tensor(array) for name, array in to_torch(net).items()})
    unchanged("PyTorch", from_torch(module.state_dict(), net), net)
    x = torch.tensor(case.x, requires_grad=True)
    rows = [of_way for of_layer in case.initial_state or [] for of_way in ways(case, of_layer)]
    states = [torch.tensor(np.stack(each), requires_grad=True) for each in zip(*rows, strict=True)]
    given: Any = x
    if case.mask:
        given = torch.nn.utils.rnn.pack_padded_sequence(x, case.lengths, batch_first=True, enforce_sorted=False)
    y, last = module(given, (tuple(states) if case.cell == "LSTM" else states[0]) if states else None)
    if case.mask:
        ends = last[0] if case.cell == "LSTM" else last
        y = torch.cat([ends[-2], ends[-1]], dim=1) if case.merge else ends[-1]
    (y * torch.tensor(case.d_y)).sum().backward()
    gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
    if case.cell != "GRU":  # our one bias stands for both of theirs, whose gradients are equal
        gradients |= {name: torch.zeros_like(array) for name, array in gradients.items() if name.startswith("bias_hh")}
    d_states = [state.grad[i].numpy() for i in range(len(rows)) for state in states]
    return y.detach().numpy(), [x.grad.numpy(), *d_states, *from_torch(gradients, net)]


def ways(case: Case, states: tuple[np.ndarray, ...]) -> list[tuple[np.ndarray, ...]]:
    """The states of each direction."""
    half = len(states) // 2
    return [states[:half], states[half:]] if case.merge else [states]


def keras(case: Case, net: BuiltNetwork) -> Found:
    """The same by Keras on TensorFlow."""
    flags = [True] * (case.layers - 1) + [case.sequences]
    layers: list[Any] = [KERAS_LAYERS[case.cell](HIDDEN, return_sequences=flag, dtype=case.dtype) for flag in flags]
    if case.merge:
        layers = [KerasBidirectional(layer, merge_mode=case.merge, dtype=case.dtype) for layer in layers]
    x, marks = tf.Variable(case.x), None if case.marks is None else tf.constant(case.marks)
    weights = iter(to_keras(net))
    width = HIDDEN * (2 if case.merge == "concat" else 1)
    for layer, features in zip(layers, [FEATURES] + [width] * case.layers, strict=False):
        layer.build((BATCH, STEPS, features))
        layer.set_weights([next(weights) for _ in layer.weights])
    unchanged("Keras", from_keras([layer.get_weights() for layer in layers], net), net)
    states = [[tf.Variable(state) for state in of_layer] for of_layer in case.initial_state or [()] * case.layers]
    with tf.GradientTape() as tape:
        y: Any = x
        for layer, of_layer in zip(layers, states, strict=True):
            given = [tf.convert_to_tensor(state) for state in of_layer] or None
            y = layer(tf.convert_to_tensor(y), mask=marks, initial_state=given)
        loss = tf.reduce_sum(y * case.d_y)
    wanted = [
        x,
        *(state for of_layer in states for state in of_layer),
        *(weight.value for layer in layers for weight in layer.weights),
    ]
    return y.numpy(), [gradient.numpy() for gradient in tape.gradient(loss, wanted)]


def unchanged(peer: str, weights: list[np.ndarray], net: BuiltNetwork) -> None:
    """Weights went there and came back."""
    for array, expected in zip(weights, net.get_weights(), strict=True):
        if not np.array_equal(array, expected):
            raise AssertionError(f"Weights that went to {peer} and back are not the same.")


def compare(peer: str, compute: Callable[[Case, BuiltNetwork], Found], case: Case) -> dict[str, float]:
    """The largest differences in one precision."""
    net = case.net
    (y, gradients), (peer_y, peer_gradients) = ours(case, net), compute(case, net)
    pairs = zip(gradients, peer_gradients, strict=True)
    found = {"outputs": difference(y, peer_y), "gradients": max(difference(*pair) for pair in pairs)}
    for what, worst in found.items():
        if not worst < LIMITS[case.dtype]:
            raise AssertionError(f"{case} in {case.dtype}: {what} differ from {peer}'s by {worst:.1e} of the largest.")
    return {f"{what}, {case.dtype}": worst for what, worst in found.items()}


def lines(quick: bool) -> Iterator[dict[str, Any]]:
    """Rows of the table."""
    variants: list[dict[str, Any]] = [{}, {"layers": 2}, {"layers": 2, "states": True}, {"mask": "right-padded"}]
    variants += [{"layers": 2, "mask": "gaps"}, {"layers": 2, "merge": "concat", "states": True}]
    variants += [{"merge": "concat", "mask": "right-padded"}]
    variants += [{"merge": merge, "mask": "gaps"} for merge in ("concat", "sum", "mul", "ave")]
    for variant in variants[2:3] if quick else variants:
        for cell in CELLS:
            for peer, compute in (("PyTorch", pytorch), ("Keras", keras)):
                if peer == "PyTorch" and variant.get("mask") == "gaps":
                    continue  # which it does not have
                cases = [Case(cell, dtype, **variant) for dtype in LIMITS]
                row: dict[str, Any] = {"layers": str(cases[0]), "peer": peer}
                for case in cases:
                    row |= compare(peer, compute, case)
                yield row


def main() -> None:
    quick = measure.is_quick(__doc__)
    rows = []
    for row in lines(quick):
        rows.append(row)
        measure.report(row)
    if not quick:
        measure.write("interop", "Largest differences from PyTorch and Keras, relative to the largest number", rows)


if __name__ == "__main__":
    main()
