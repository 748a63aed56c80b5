"""What is to be learned from which examples: scales, layers, and the task that a network is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn.estimators.inputs import SequenceRows
from tsrnn.estimators.state import Scale
from tsrnn.estimators.targets import TargetRows
from tsrnn.kernels.sequences import Sequences
from tsrnn.nn.heads.targets import Targets
from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.network import Network
from tsrnn.training.sequences import SequenceTask

NO_WEIGHTS = np.zeros(0)


@dataclass(frozen=True, eq=False)
class Examples:
    """Sequences with their targets; ``weights`` are of rows of the targets, or none."""

    sequences: SequenceRows
    targets: TargetRows
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Goal:
    """What targets are to a network.

    Attributes
    ----------
    outputs : int
        Numbers that the network gives for a row.
    head : Numbers or Classes
        How outputs and targets are compared.
    scale : Scale
        Of the targets.
    classes, class_weights : list of ndarray
        Of each target, for a classifier; no weights where all count the same.
    """

    outputs: int
    head: Any
    scale: Scale
    classes: list[np.ndarray]
    class_weights: list[np.ndarray]


@dataclass(frozen=True, eq=False)
class Plan:
    """Examples, what they are to a network, and its layers.

    ``codes`` (rows, targets) are scaled targets, or the places of their classes; ``weights`` (rows,) what rows count
    for, of users and of classes together, and may be empty.
    """

    examples: Examples
    goal: Goal
    inputs: Scale
    specs: tuple[LayerSpec, ...]
    codes: np.ndarray
    weights: np.ndarray

    def network(self) -> Network:
        """The layers on the longest of the sequences."""
        sequences = self.examples.sequences
        return Network(self.specs, Shape(sequences.longest, sequences.features))

    def task(self, network: Network) -> SequenceTask:
        """The examples as the trainer takes them."""
        sequences, targets = self.examples.sequences, self.examples.targets
        codes = np.ascontiguousarray(self.codes, np.float32).reshape(-1)
        columns, outputs, steps = self.codes.shape[1], self.goal.outputs, network.output.steps
        counts = targets.counts[:0] if targets.counts.all() else targets.counts
        return SequenceTask(
            for_kernels(sequences, self.inputs, network.input.steps),
            Targets(codes, targets.starts, targets.lengths, counts, columns, outputs, steps),
            self.goal.head,
        )

    def weights_of(self, chosen: np.ndarray, part: str) -> np.ndarray:
        """What rows of targets count for: 1 on average over the chosen sequences. Empty where all count the same."""
        counted = self.examples.targets.counted(chosen, part)
        if not self.weights.size:
            return NO_WEIGHTS.astype(np.float32)
        mean = self.weights[counted].mean()
        if not mean > 0:
            raise ValueError(
                f"`sample_weight`, times `class_weight`, is zero for every {part} sequence: some must count. Leave the "
                "weights out, or sequences that are not to count."
            )
        return np.asarray(self.weights / mean, np.float32)


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the examples of a plan."""

    plan: Plan
    chosen: np.ndarray


def for_kernels(sequences: SequenceRows, scale: Scale, steps: int) -> Sequences:
    """Scaled sequences as kernels take them, on tiles of so many steps."""
    with np.errstate(over="ignore"):
        flat = np.ascontiguousarray(scale.of(sequences.rows), np.float32).reshape(-1)
    if not np.isfinite(flat).all():
        row, feature = divmod(int(np.argmin(np.isfinite(flat))), sequences.features)
        raise ValueError(
            f"X holds values that float32 cannot, first {sequences.rows[row, feature]:g} in feature {feature}, counted "
            'from 0. Divide them by a power of ten, or scale them (`scaler="standard"`).'
        )
    return Sequences(flat, sequences.starts, sequences.lengths, sequences.features, steps)
