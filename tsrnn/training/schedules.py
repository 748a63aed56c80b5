"""Learning-rate schedules: the rate of an epoch, as a factor of the first, from the number of epochs and the losses."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from tsrnn._errors import Integer, Real, check_parameter

_SHARE = Real(0, 1, closed="neither")


class Schedule(ABC):
    """A factor for each epoch; abstract."""

    @abstractmethod
    def factor(self, epoch: int, max_epochs: int, losses: Sequence[float]) -> float:
        """The factor of epoch ``epoch`` (from 0), given the monitored losses of the epochs before."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout."""

    def factor(self, epoch: int, max_epochs: int, losses: Sequence[float]) -> float:
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """Times ``gamma`` after each ``every`` epochs."""

    every: int = 10
    gamma: float = 0.5

    def __post_init__(self) -> None:
        check_parameter("Step", "every", self.every, Integer(1))
        check_parameter("Step", "gamma", self.gamma, _SHARE)

    def factor(self, epoch: int, max_epochs: int, losses: Sequence[float]) -> float:
        return self.gamma ** (epoch // self.every)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Down half a cosine, which reaches ``floor`` at the end of the last epoch (Loshchilov and Hutter 2017)."""

    floor: float = 0.0

    def __post_init__(self) -> None:
        check_parameter("Cosine", "floor", self.floor, Real(0, 1))

    def factor(self, epoch: int, max_epochs: int, losses: Sequence[float]) -> float:
        share = epoch / max(1, max_epochs)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * share))


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Times ``gamma`` each time the monitored loss has not improved for ``patience`` epochs, not below ``floor``."""

    gamma: float = 0.5
    patience: int = 3
    floor: float = 1e-3

    def __post_init__(self) -> None:
        check_parameter("ReduceOnPlateau", "gamma", self.gamma, _SHARE)
        check_parameter("ReduceOnPlateau", "patience", self.patience, Integer(1))
        check_parameter("ReduceOnPlateau", "floor", self.floor, Real(0, 1))

    def factor(self, epoch: int, max_epochs: int, losses: Sequence[float]) -> float:
        best, waited, factor = math.inf, 0, 1.0
        for loss in losses:
            best, waited = (loss, 0) if loss < best else (best, waited + 1)
            if waited == self.patience:
                factor, waited = max(self.floor, factor * self.gamma), 0
        return factor


SCHEDULES: dict[str, Schedule] = {
    "constant": Constant(),
    "cosine": Cosine(),
    "reduce_on_plateau": ReduceOnPlateau(),
    "step": Step(),
}
