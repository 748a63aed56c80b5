"""Training on sequences with targets of their own: one for each sequence, or one for each of its steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsrnn._jit import Call, prepare
from tsrnn.kernels.sequences import Sequences, gather_sequences
from tsrnn.nn.heads.targets import Targets, target_loss, target_outputs, target_score
from tsrnn.nn.workspace import Workspace
from tsrnn.training.tasks import Task, TaskTile


class SequenceTask(Task):
    """Sequences, named by their numbers, with targets.

    Weights are of rows of the targets and may be empty; what others call units are the weights of validation losses
    here. Errors are in units of the head's own, without weights. Rows that do not count are in no loss and no error.

    Parameters
    ----------
    sequences : Sequences
        The inputs.
    targets : Targets
        What the outputs are to be.
    head : Numbers or Classes
        How outputs and targets are compared.
    """

    def __init__(self, sequences: Sequences, targets: Targets, head: Any) -> None:
        self.sequences, self.targets, self.head = sequences, targets, head
        self.n_errors = targets.columns
        self.masked = bool((sequences.lengths < sequences.steps).any())
        counts = targets.counts.astype(np.int64)
        self._counted = np.add.reduceat(counts, targets.starts) if counts.size else targets.lengths  # of each example

    def tile(self, space: Workspace, dtype: np.dtype) -> TaskTile:
        return SequenceTile(self, space)

    def terms(self, examples: np.ndarray) -> int:
        return max(1, int(self._counted[examples].sum()) * self.targets.columns)  # a batch may be padding alone

    def even_weights(self, examples: np.ndarray) -> np.ndarray:
        own = self._counted[examples]
        if (own == own[0]).all():
            return np.zeros(0)
        return np.repeat(own.mean() / np.maximum(self._counted, 1), self.targets.lengths)

    def output_shape(self, count: int) -> tuple[int, ...]:
        return count, self.targets.steps, self.targets.outputs


class SequenceTile(TaskTile):
    """Sequences on one tile."""

    def __init__(self, task: SequenceTask, space: Workspace) -> None:
        self.task, self.space = task, space

    def gather(self, examples: np.ndarray) -> Call:
        mask = self.space.x[:0] if self.space.mask is None else self.space.mask
        return prepare(gather_sequences, self.task.sequences, examples, self.space.turn, self.space.x, mask)

    def loss(self, examples: np.ndarray, weights: np.ndarray, losses: np.ndarray) -> Call:
        arrays = examples, self.space.turn, weights, self.space.y, self.space.d_y, losses
        return prepare(target_loss, self.task.head, self.task.targets, *arrays)

    def score(self, examples: np.ndarray, units: np.ndarray, losses: np.ndarray, errors: np.ndarray) -> Call:
        arrays = examples, self.space.turn, units, self.space.y, losses, errors
        return prepare(target_score, self.task.head, self.task.targets, *arrays)

    def write(self, out: np.ndarray) -> Call:
        return prepare(target_outputs, self.task.head, self.task.targets, self.space.turn, self.space.y, out)
