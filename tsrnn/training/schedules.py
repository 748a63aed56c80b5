"""Learning-rate schedules: the rate of an epoch, as a factor of the first, from the number of epochs and the losses."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from tsrnn._errors import Integer, Real, check_fields

_SHARE = Real(0, 1, closed="neither")


class Schedule(ABC):
    """A factor for each epoch; abstract."""

    @abstractmethod
    def factor(self, epoch: int, max_epochs: int, losses: Sequence[float]) -> float:
        """The factor of epoch ``epoch`` (from 0), given the monitored losses of the epochs before."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout.

    Examples
    --------
    >>> from tsrnn.training import Constant
    >>> Constant().factor(epoch=50, max_epochs=100, losses=[])
    1.0
    """

    def factor(self, epoch: int, max_epochs: int, losses: Sequence[float]) -> float:
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """Times ``gamma`` after each ``every`` epochs.

    Parameters
    ----------
    every : int, default=10
        Epochs at the same rate, at least 1.
    gamma : float, default=0.5
        What the rate is multiplied by, in (0, 1).

    Examples
    --------
    >>> from tsrnn.training import Step
    >>> schedule = Step(every=10, gamma=0.5)
    >>> [schedule.factor(epoch, max_epochs=100, losses=[]) for epoch in (0, 9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """

    every: int = 10
    gamma: float = 0.5

    def __post_init__(self) -> None:
        check_fields(self, {"every": Integer(1), "gamma": _SHARE})

    def factor(self, epoch: int, max_epochs: int, losses: Sequence[float]) -> float:
        return self.gamma ** (epoch // self.every)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Down half a cosine, which reaches ``floor`` at the end of the last epoch (Loshchilov and Hutter 2017).

    Parameters
    ----------
    floor : float, default=0.0
        The last factor, in [0, 1].

    Examples
    --------
    >>> from tsrnn.training import Cosine
    >>> [round(Cosine().factor(epoch, max_epochs=100, losses=[]), 3) for epoch in (0, 25, 50, 75)]
    [1.0, 0.854, 0.5, 0.146]
    """

    floor: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self, {"floor": Real(0, 1)})

    def factor(self, epoch: int, max_epochs: int, losses: Sequence[float]) -> float:
        share = epoch / max(1, max_epochs)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * share))


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Times ``gamma`` each time the monitored loss has not improved for ``patience`` epochs, not below ``floor``.

    Parameters
    ----------
    gamma : float, default=0.5
        What the rate is multiplied by, in (0, 1).
    patience : int, default=3
        Epochs without a new best loss before that happens, at least 1.
    floor : float, default=1e-3
        The least factor, in [0, 1].

    Examples
    --------
    >>> from tsrnn.training import ReduceOnPlateau
    >>> losses = [1.0, 0.9, 0.95, 0.92, 0.91, 0.93]
    >>> [ReduceOnPlateau(patience=2).factor(epoch, 100, losses[:epoch]) for epoch in (2, 4, 6)]
    [1.0, 0.5, 0.25]
    """

    gamma: float = 0.5
    patience: int = 3
    floor: float = 1e-3

    def __post_init__(self) -> None:
        check_fields(self, {"gamma": _SHARE, "patience": Integer(1), "floor": Real(0, 1)})

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
