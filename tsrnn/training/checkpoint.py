"""Where training may leave its state at the end of an epoch, to be taken up again after the process has died."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from tsrnn.training.events import EpochEnd


@dataclass(frozen=True, eq=False)
class TrainState:
    """All that decides how training goes on after an epoch, beside settings and data.

    The order of windows, dropout and teacher forcing are functions of the seed and of ``steps``; schedules and early
    stopping are functions of ``history``.

    Attributes
    ----------
    theta, best_theta : ndarray of shape (weights,)
        The weights, and those of the best epoch.
    moments : ndarray of shape (moments, weights)
        The optimizer's.
    steps, first_step : int
        Steps made, those of earlier trainings included, and how many there were when this one began.
    history : tuple of EpochEnd
        The epochs so far.
    best_loss, best_epoch : float, int
        Of the best epoch.
    stopped : str or None
        Why training ended, if it has.
    """

    theta: np.ndarray
    best_theta: np.ndarray
    moments: np.ndarray
    steps: int
    first_step: int
    history: tuple[EpochEnd, ...]
    best_loss: float
    best_epoch: int
    stopped: str | None = None


class Checkpoint(ABC):
    """Keeps the state of one training; abstract: a subclass reads and writes.

    Parameters
    ----------
    every : int
        Epochs from one writing to the next. The last epoch is always written.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._kept: TrainState | None = None  # that is not written

    @abstractmethod
    def read(self, fresh: TrainState) -> TrainState | None:
        """The state of a training that was cut short; None where there is none. ``fresh`` has the sizes expected."""

    @abstractmethod
    def write(self, state: TrainState) -> None:
        """Replace what was written before, whole or not at all."""

    def begin(self, fresh: TrainState) -> TrainState:
        """Where training begins: at ``fresh``, or where it was cut short.

        It is written at once: what cannot be written is better known before training than after.
        """
        state = self.read(fresh) or fresh
        self.write(state)
        return state

    def keep(self, state: TrainState) -> None:
        """The state after an epoch; its arrays must not change any more."""
        self._kept = state
        if state.stopped or len(state.history) % self.every == 0:
            self.flush()

    def flush(self) -> None:
        """Write what was kept last, if it is not yet written."""
        if self._kept is not None:
            self.write(self._kept)
            self._kept = None
