"""The trainer: epochs of shuffled mini-batches, validation, early stopping, and what happens when things go wrong."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from tsrnn._errors import DivergedError
from tsrnn.kernels.update import add_scaled, clip, scale, squared_norm
from tsrnn.nn.penalties import Penalties
from tsrnn.training.checkpoint import Checkpoint, TrainState
from tsrnn.training.events import Callback, EpochEnd
from tsrnn.training.optimizers import Adam, Optimizer
from tsrnn.training.schedules import Constant, Schedule
from tsrnn.training.tiles import TileEngine


@dataclass(frozen=True)
class TrainSettings:
    """How to train; the estimators' parameters of the same names say what each means."""

    max_epochs: int = 50
    max_steps: int | None = None
    batch_size: int = 128
    optimizer: Optimizer = field(default_factory=Adam)
    learning_rate: float = 1e-3
    schedule: Schedule = field(default_factory=Constant)
    clip_value: float | None = None
    clip_norm: float | None = None
    weight_decay: float = 0.0
    early_stopping: bool = True
    patience: int = 5
    restore_best_weights: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Windows:
    """What to train and validate on: origins of windows, and how scaled errors become data units.

    ``weights`` [row] weighs the rows of the series and may be empty; ``validation_units`` is (windows, targets).
    """

    train: np.ndarray
    validation: np.ndarray
    validation_units: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class TrainResult:
    """The weights chosen, and how it went. ``stopped`` is "max_epochs", "max_steps", "early_stopping", "callback" or
    "interrupt"; ``moments`` are the optimizer's after the last of all ``steps``."""

    theta: np.ndarray
    history: tuple[EpochEnd, ...]
    best_epoch: int
    stopped: str
    moments: np.ndarray
    steps: int


Start = tuple[np.ndarray, np.ndarray | None, int]
"""Weights, the optimizer's moments (None: it starts afresh), and how often it has moved."""


class Trainer:
    """Trains one network; ``run`` once."""

    def __init__(
        self, engine: TileEngine, windows: Windows, settings: TrainSettings, validation: TileEngine | None = None
    ) -> None:
        self.engine, self.windows, self.settings = engine, windows, settings
        self.validation = validation or engine  # another one where validation rows are not of the same series
        self.penalties = Penalties(engine.network.layout)
        self.history: list[EpochEnd] = []
        self.step = self.first_step = 0
        self.best_loss, self.best_epoch = math.inf, 0

    def run(
        self,
        theta: np.ndarray,
        callbacks: Sequence[Callback] = (),
        moments: np.ndarray | None = None,
        steps: int = 0,
        checkpoint: Checkpoint | None = None,
    ) -> TrainResult:
        """Train from ``theta``, and from where an earlier result left the optimizer; both are left alone.

        Where ``checkpoint`` holds a training that was cut short, this one goes on from there. Callbacks then hear of
        its epochs again: those that hold a state come into the one that they were in.
        """
        shape = self.settings.optimizer.n_moments, theta.size
        zeros = np.zeros(shape, theta.dtype) if moments is None else moments
        start = TrainState(theta, theta, zeros, steps, steps, (), math.inf, 0)
        stopped = self._take_up(start if checkpoint is None else checkpoint.begin(start))
        try:
            for record in self.history:
                _tell(callbacks, record)
            while stopped is None:
                record = self._epoch(len(self.history) + 1)
                self.history.append(record)
                self._keep_best(record)
                stopped = self._reason_to_stop(_tell(callbacks, record))
                if checkpoint is not None:
                    checkpoint.keep(self._state(stopped))
        except KeyboardInterrupt:
            stopped = "interrupt"
        finally:
            if checkpoint is not None:
                checkpoint.flush()
        return self._result(stopped)

    def _take_up(self, state: TrainState) -> str | None:
        """Begin in this state; why training has ended in it already, if it has."""
        self.theta, self.best_theta, self.moments = state.theta.copy(), state.best_theta.copy(), state.moments.copy()
        self.step, self.first_step = state.steps, state.first_step
        self.history = list(state.history)
        self.best_loss, self.best_epoch = state.best_loss, state.best_epoch
        return state.stopped

    def _state(self, stopped: str | None) -> TrainState:
        arrays = self.theta.copy(), self.best_theta.copy(), self.moments.copy()
        epochs = tuple(self.history)
        return TrainState(*arrays, self.step, self.first_step, epochs, self.best_loss, self.best_epoch, stopped)

    def _result(self, stopped: str) -> TrainResult:
        use_best = self.settings.restore_best_weights and self.best_epoch
        if stopped == "interrupt" and not np.isfinite(self.theta).all():
            use_best = True  # the best so far, or where there is none the weights that training began with
        chosen = self.best_theta if use_best else self.theta
        best = self.best_epoch if self.settings.restore_best_weights else len(self.history)
        return TrainResult(chosen, tuple(self.history), best, stopped, self.moments, self.step)

    def _epoch(self, epoch: int) -> EpochEnd:
        settings, start = self.settings, time.perf_counter()
        losses = [self._monitored(record) for record in self.history]
        rate = settings.learning_rate * settings.schedule.factor(epoch - 1, settings.max_epochs, losses)
        gone_on = [self.first_step] if self.first_step else []
        order = np.random.default_rng([settings.seed, epoch, *gone_on]).permutation(self.windows.train.size)
        total, seen = 0.0, 0
        for first in range(0, order.size, settings.batch_size):
            if self._out_of_steps:
                break
            batch = self.windows.train[order[first : first + settings.batch_size]]
            total += self._batch(batch, rate, epoch) * batch.size
            seen += batch.size
        val_loss, val_mae = self._validate()
        seconds = time.perf_counter() - start
        return EpochEnd(epoch, settings.max_epochs, total / seen, val_loss, val_mae, rate, seconds)

    def _batch(self, origins: np.ndarray, rate: float, epoch: int) -> float:
        """One step; the loss before it."""
        settings, gradient = self.settings, self.engine.gradient
        loss = self.engine.loss_and_gradient(self.theta, origins, self.windows.weights, self.step)
        loss += self.penalties.value(self.theta)
        if not math.isfinite(loss):
            raise self._diverged(epoch, rate, f"training loss {loss}")
        self.penalties.add_gradient(self.theta, gradient)
        if settings.clip_value is not None:
            clip(gradient, settings.clip_value)
        if settings.clip_norm is not None:
            norm = math.sqrt(squared_norm(gradient))
            if norm > settings.clip_norm:
                scale(gradient, settings.clip_norm / norm)
        if settings.weight_decay and not settings.optimizer.decouples:
            add_scaled(gradient, self.theta, settings.weight_decay)
        self.step += 1
        self.engine.team.over(gradient.size, partial(self._update, rate))
        return loss

    def _update(self, rate: float, part: slice) -> None:
        """One step of the optimizer for some of the weights."""
        arrays = self.theta[part], self.engine.gradient[part], self.moments[:, part]
        self.settings.optimizer.apply(*arrays, self.step, rate, self.settings.weight_decay)

    def _validate(self) -> tuple[float, float]:
        if not self.windows.validation.size:
            return math.nan, math.nan
        loss, mae = self.validation.evaluate(self.theta, self.windows.validation, self.windows.validation_units)
        return loss + self.penalties.value(self.theta), float(mae.mean())

    def _monitored(self, record: EpochEnd) -> float:
        """What early stopping and schedules look at: the validation loss, without validation rows the training loss."""
        return record.val_loss if self.windows.validation.size else record.loss

    def _keep_best(self, record: EpochEnd) -> None:
        loss = self._monitored(record)
        if not math.isfinite(loss):
            raise self._diverged(record.epoch, record.learning_rate, f"validation loss {loss}")
        if not np.isfinite(self.theta).all():  # the last step of an epoch has no loss behind it to show it
            raise self._diverged(record.epoch, record.learning_rate, "weights that are not finite")
        if loss < self.best_loss:
            self.best_theta[:] = self.theta  # first: Ctrl-C may come between the two lines
            self.best_loss, self.best_epoch = loss, record.epoch

    def _reason_to_stop(self, asked: bool) -> str | None:
        if asked:
            return "callback"
        if self._out_of_steps:
            return "max_steps"
        epochs = len(self.history)
        if self.settings.early_stopping and epochs - self.best_epoch >= self.settings.patience:
            return "early_stopping"
        return "max_epochs" if epochs >= self.settings.max_epochs else None

    @property
    def _out_of_steps(self) -> bool:
        return self.settings.max_steps is not None and self.step - self.first_step >= self.settings.max_steps

    def _diverged(self, epoch: int, rate: float, what: str) -> DivergedError:
        if self.step > self.first_step:
            advice = "Try a smaller `learning_rate`"
            advice += ", `clip_norm=1.0`" if self.settings.clip_norm is None else ", a smaller `clip_norm`"
            advice += ", or another `scaler`"
        else:
            advice = "No step was made yet: try other activations, or another `scaler`"
        advice += "; `best_state` of this error has the best weights so far." if self.best_epoch else "."
        return DivergedError(
            f"Training diverged: {what} in epoch {epoch}, after {self.step} steps, at learning rate {rate:g}. {advice}",
            history=list(self.history),
            best_state=self.best_theta.copy() if self.best_epoch else None,
        )


def _tell(callbacks: Sequence[Callback], record: EpochEnd) -> bool:
    """All callbacks, also where one of them asks to stop; whether one does."""
    return any([callback(record) for callback in callbacks])
