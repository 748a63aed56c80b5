"""What is to be learned from which examples: scales, layers, and the task that a network is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn.estimators.inputs import SequenceRows, rows_of
from tsrnn.estimators.state import Scale
from tsrnn.estimators.targets import TargetRows
from tsrnn.kernels.sequences import Sequences
from tsrnn.nn.heads.targets import Targets
from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.network import Network
from tsrnn.training.sequences import SequenceTask


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
    codes : ndarray of shape (rows, targets)
        Scaled numbers, or codes of classes.
    outputs : int
        Numbers that the network gives for a row.
    head : Numbers or Classes
        How the two are compared.
    scale : Scale
        Of the targets.
    classes : list of ndarray
        Of each target, for a classifier.
    weights : ndarray of shape (rows,) or (0,)
        What rows count for beside the weights that users give.
    """

    codes: np.ndarray
    outputs: int
    head: Any
    scale: Scale
    classes: list[np.ndarray]
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """Examples, what they are to a network, and its layers."""

    examples: Examples
    goal: Goal
    inputs: Scale
    specs: tuple[LayerSpec, ...]

    def network(self) -> Network:
        """The layers on the longest of the sequences."""
        sequences = self.examples.sequences
        return Network(self.specs, Shape(int(sequences.lengths.max()), sequences.features))

    def task(self, network: Network) -> SequenceTask:
        """The examples as the trainer takes them."""
        sequences, targets = self.examples.sequences, self.examples.targets
        codes = np.ascontiguousarray(self.goal.codes, np.float32).reshape(-1)
        columns, outputs, steps = self.goal.codes.shape[1], self.goal.outputs, network.output.steps
        return SequenceTask(
            for_kernels(sequences, self.inputs, network.input.steps),
            Targets(codes, targets.starts, targets.lengths, columns, outputs, steps),
            self.goal.head,
        )

    def weights(self, train: np.ndarray) -> np.ndarray:
        """What rows of targets count for: 1 on average over the training part. Empty where all count the same."""
        given = [weights for weights in (self.examples.weights, self.goal.weights) if weights.size]
        if not given:
            return np.zeros(0, np.float32)
        product = np.prod(given, axis=0)
        mean = product[rows_of(self.examples.targets.lengths, train)].mean()
        if not mean > 0:
            raise ValueError("`sample_weight` is zero for every training sequence: some must count.")
        return np.asarray(product / mean, np.float32)


def for_kernels(sequences: SequenceRows, scale: Scale, steps: int) -> Sequences:
    """Scaled sequences as kernels take them, on tiles of so many steps."""
    flat = np.ascontiguousarray(scale.of(sequences.rows), np.float32).reshape(-1)
    return Sequences(flat, sequences.starts, sequences.lengths, sequences.features, steps)
