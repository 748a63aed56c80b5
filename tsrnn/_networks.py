"""What all estimators that are networks have in common: how they are trained, and what they show of it."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Any

import numpy as np

from tsrnn._cache import on_compile
from tsrnn._errors import AnyOf, Boolean, Instance, Integer, ListOf, NoneOr, Options, Real
from tsrnn._parameters import Parameters, param
from tsrnn.nn.layer import Layer
from tsrnn.training.events import Callback
from tsrnn.training.optimizers import OPTIMIZERS, Optimizer
from tsrnn.training.progress import CompileNotice, ProgressBar, write_line
from tsrnn.training.schedules import SCHEDULES, Schedule
from tsrnn.training.trainer import TrainSettings


class NetworkTraining(Parameters):
    """How a network is trained."""

    optimizer: str | Optimizer = param(
        default="adam",
        constraint=AnyOf(Options(*OPTIMIZERS), Instance(Optimizer, "an optimizer such as SGD(momentum=0.9)")),
        doc="How gradients become steps.",
    )
    learning_rate: float = param(default=2e-3, constraint=Real(0, None, closed="neither"), doc="Size of the steps.")
    lr_schedule: str | Schedule = param(
        default="constant",
        constraint=AnyOf(Options(*SCHEDULES), Instance(Schedule, "a schedule such as Cosine()")),
        doc="How the learning rate changes from epoch to epoch.",
    )
    max_epochs: int = param(default=30, constraint=Integer(1), doc="Passes over the training windows, at most.")
    max_steps: int | None = param(default=None, constraint=NoneOr(Integer(1)), doc="Training steps, at most.")
    batch_size: int = param(default=128, constraint=Integer(1), doc="Windows in a step.")
    clip_value: float | None = param(
        default=None,
        constraint=NoneOr(Real(0, None, closed="neither")),
        doc="Each number of a gradient is cut to this size, before `clip_norm`. None: it is not.",
    )
    clip_norm: float | None = param(
        default=1.0,
        constraint=NoneOr(Real(0, None, closed="neither")),
        doc="Longer gradients are cut to this norm. None: they are not.",
    )
    weight_decay: float = param(
        default=0.0, constraint=Real(0), doc="L2 penalty; with AdamW the decay of the weights themselves."
    )
    early_stopping: bool = param(
        default=True,
        constraint=Boolean(),
        doc="Stop when the validation loss (without validation rows the training loss) no longer falls.",
    )
    patience: int = param(default=5, constraint=Integer(1), doc="Epochs without improvement before early stopping.")
    restore_best_weights: bool = param(
        default=True, constraint=Boolean(), doc="Keep the weights of the best epoch rather than the last."
    )
    warm_start: bool = param(
        default=False,
        constraint=Boolean(),
        doc="Let `fit` go on from the weights of the last `fit`, and from where it left the optimizer.",
    )
    random_state: Any = param(
        default=None,
        constraint=NoneOr(AnyOf(Integer(0, 2**32 - 1), Instance(np.random.RandomState, "a RandomState"))),
        doc="Seed of first weights, order of windows and dropout. The same seed gives the same bits.",
    )
    n_jobs: int | None = param(
        default=None,
        constraint=NoneOr(AnyOf(Integer(1), Integer(None, -1))),
        doc="Threads. None and -1: all cores, in a worker process of joblib its share of them. Where several Python "
        "threads fit at once, as in Optuna's `n_jobs`, 1 is best. The result does not depend on it, to the bit.",
    )
    callbacks: Iterable[Callback] | None = param(
        default=None,
        constraint=NoneOr(ListOf(Instance(Callable, "a function"), min_length=0)),  # type: ignore[arg-type]
        doc="Called with an `EpochEnd` after each epoch; one that returns True ends training.",
    )
    checkpoint: str | os.PathLike[str] | None = param(
        default=None,
        constraint=NoneOr(Instance((str, os.PathLike), "the path of a file")),
        doc="File in which `fit` keeps the state of training, for when the process dies: the same `fit` on the same "
        "rows then goes on from it, to the same weights to the bit as if nothing had happened; callbacks hear of the "
        "epochs before again. A `fit` that comes to its end removes the file, so the next one starts afresh; Ctrl-C "
        "leaves it. Each fit that runs at the same time needs a file of its own.",
    )
    checkpoint_every: int = param(
        default=1, constraint=Integer(1), doc="Epochs from one writing of `checkpoint` to the next."
    )
    verbose: int | bool = param(
        default=False,
        constraint=AnyOf(Boolean(), Integer(0)),
        doc="Show a progress bar, and say so where kernels have to be compiled.",
    )

    def _settings(self, seed: int) -> TrainSettings:
        """The parameters as the trainer takes them."""
        optimizer, schedule = self.optimizer, self.lr_schedule
        alike = [field.name for field in fields(TrainSettings) if field.name in self.PARAMETERS]
        given = {name: self.PARAMETERS[name].constraint.plain(getattr(self, name)) for name in alike}
        given["optimizer"] = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
        given["schedule"] = SCHEDULES[schedule] if isinstance(schedule, str) else schedule
        return TrainSettings(seed=seed, **given)

    def _noticing(self) -> AbstractContextManager[None]:
        """Around forecasts: says that kernels are compiled, where ``verbose`` asks for it."""
        return on_compile(CompileNotice(write_line)) if self.verbose else contextlib.nullcontext()

    @contextlib.contextmanager
    def _listeners(self, n_networks: int = 1) -> Iterator[list[Callback]]:
        """Around training: the user's callbacks, and the progress bar where ``verbose`` asks for it."""
        callbacks = list(self.callbacks or ())
        if not self.verbose:
            yield callbacks
            return
        bar = ProgressBar(n_networks * self.max_epochs, type(self).__name__)
        try:
            with on_compile(CompileNotice(bar.write)):
                yield [bar, *callbacks]
        finally:
            bar.close()


def check_states(layers: Iterable[Layer], where: str) -> None:
    """Refuse layers whose states would go nowhere; ``where`` says why none can go on from one example to the next."""
    advice = "it is for networks of `tsrnn.nn.Sequential`."
    for layer in layers:
        if layer.stateful:
            raise ValueError(
                f"`layers` holds {layer.spec}, but {where}: no state can go on from one to the next. Leave `stateful` "
                f"out; {advice}"
            )
        if layer.returns_state:
            raise ValueError(
                f"`layers` holds {layer.spec}, but an estimator gives predictions, and no states. Leave `return_state` "
                f"out; {advice}"
            )


def was_interrupted(stopped: str | list[str] | None) -> bool:
    """Whether Ctrl-C ended training; of several networks, of any."""
    return "interrupt" in (stopped if isinstance(stopped, list) else [stopped])


def warn_if_interrupted(
    name: str, stopped: str | list[str] | None, epochs: int, best_epoch: int | list[int] | None
) -> None:
    """Say so where Ctrl-C ended training; to be called by a function that `fit` calls."""
    if was_interrupted(stopped):
        of_one = f"with the weights of epoch {best_epoch}"
        if isinstance(best_epoch, list):
            of_one = f"as {len(best_epoch)} networks with the weights of epochs {', '.join(map(str, best_epoch))}"
        kept = of_one if epochs else "but hardly trained"
        warnings.warn(f"Training of {name} was interrupted after {epochs} epochs; it is fitted, {kept}.", stacklevel=4)
