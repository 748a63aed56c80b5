"""Optimizers: settings as frozen values, state as flat vectors of the parameters' layout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tsrnn._errors import Boolean, Real, check_fields
from tsrnn.kernels import update
from tsrnn.nn.params import ParamLayout


class Optimizer(ABC):
    """Settings of a way to change parameters; abstract."""

    n_moments = 0  # vectors of state

    @abstractmethod
    def apply(
        self, theta: np.ndarray, gradient: np.ndarray, moments: np.ndarray, step: int, rate: float, decay: float
    ) -> None:
        """Change ``theta`` in place; ``moments`` (n_moments, size) is its state, ``step`` counts from 1.

        Number by number: long vectors come in parts, from several threads at once.

        ``decay`` is the weight decay, already in the gradient unless ``decouples``.
        """

    @property
    def decouples(self) -> bool:
        """Whether weight decay acts on the parameters directly instead of through the gradient."""
        return False


_SHARE = Real(0, 1, closed="left")
_SMALL = Real(0, None, closed="neither")


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent; ``v = momentum v + g``, ``p -= rate v`` (Nesterov: ``g + momentum v``).

    Parameters
    ----------
    momentum : float, default=0.9
        In [0, 1).
    nesterov : bool, default=False
        Look ahead along the velocity (Sutskever 2013).

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> from tsrnn.training import SGD
    >>> GRUForecaster(optimizer=SGD(momentum=0.8, nesterov=True), learning_rate=0.01).optimizer
    SGD(momentum=0.8, nesterov=True)
    """

    momentum: float = 0.9
    nesterov: bool = False
    n_moments = 1

    def __post_init__(self) -> None:
        check_fields(self, {"momentum": _SHARE, "nesterov": Boolean()})

    def apply(
        self, theta: np.ndarray, gradient: np.ndarray, moments: np.ndarray, step: int, rate: float, decay: float
    ) -> None:
        update.sgd(theta, gradient, moments[0], rate, self.momentum, self.nesterov)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Gradients divided by the root of their running mean square (Tieleman and Hinton 2012).

    Parameters
    ----------
    rho : float, default=0.9
        Memory of the running mean, in [0, 1).
    epsilon : float, default=1e-7
        Added to the root, greater than 0.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> from tsrnn.training import RMSprop
    >>> GRUForecaster(optimizer=RMSprop(rho=0.95)).optimizer
    RMSprop(rho=0.95, epsilon=1e-07)
    """

    rho: float = 0.9
    epsilon: float = 1e-7
    n_moments = 1

    def __post_init__(self) -> None:
        check_fields(self, {"rho": _SHARE, "epsilon": _SMALL})

    def apply(
        self, theta: np.ndarray, gradient: np.ndarray, moments: np.ndarray, step: int, rate: float, decay: float
    ) -> None:
        update.rmsprop(theta, gradient, moments[0], rate, self.rho, self.epsilon)


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adaptive moments with bias correction (Kingma and Ba 2015).

    Parameters
    ----------
    beta_1 : float, default=0.9
        Memory of the running mean of the gradients, in [0, 1).
    beta_2 : float, default=0.999
        Memory of the running mean of their squares, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the mean square, greater than 0.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> from tsrnn.training import Adam
    >>> GRUForecaster(optimizer=Adam(beta_2=0.99)).optimizer
    Adam(beta_1=0.9, beta_2=0.99, epsilon=1e-08)
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_moments = 2

    def __post_init__(self) -> None:
        check_fields(self, {"beta_1": _SHARE, "beta_2": _SHARE, "epsilon": _SMALL})

    def apply(
        self, theta: np.ndarray, gradient: np.ndarray, moments: np.ndarray, step: int, rate: float, decay: float
    ) -> None:
        shrink = decay if self.decouples else 0.0
        update.adam(theta, gradient, moments[0], moments[1], rate, self.beta_1, self.beta_2, self.epsilon, step, shrink)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).

    How much is the forecaster's ``weight_decay``: each step takes that share, times the learning rate, off the weights.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Memory of the running mean of the gradients, in [0, 1).
    beta_2 : float, default=0.999
        Memory of the running mean of their squares, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the mean square, greater than 0.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> from tsrnn.training import AdamW
    >>> GRUForecaster(optimizer=AdamW(), weight_decay=0.01).optimizer
    AdamW(beta_1=0.9, beta_2=0.999, epsilon=1e-08)
    """

    @property
    def decouples(self) -> bool:
        """True: the decay shrinks the parameters, untouched by the moments."""
        return True


OPTIMIZERS: dict[str, Optimizer] = {"adam": Adam(), "adamw": AdamW(), "rmsprop": RMSprop(), "sgd": SGD()}


@dataclass(frozen=True, eq=False)
class OptimizerState:
    """Where training left an optimizer: ``moments`` (n_moments, weights) after ``steps``."""

    optimizer: Optimizer
    moments: np.ndarray
    steps: int

    def carried_over(self, optimizer: Optimizer) -> tuple[np.ndarray | None, int]:
        """Moments and steps to go on from; None and 0 for another optimizer, to which they mean nothing."""
        return (self.moments, self.steps) if optimizer == self.optimizer else (None, 0)

    def named(self, layout: ParamLayout) -> dict[str, np.ndarray]:
        """The moments of each parameter, as files call them."""
        return {
            f"moment_{k}.{name}": array
            for k, moment in enumerate(self.moments)
            for name, array in layout.named(moment).items()
        }

    @classmethod
    def of(
        cls, optimizer: Optimizer, arrays: Mapping[str, np.ndarray], layout: ParamLayout, steps: int
    ) -> OptimizerState:
        """The state again from ``named``, among other arrays."""
        moments = np.zeros((optimizer.n_moments, layout.size), np.float32)
        for k in range(optimizer.n_moments):
            own = f"moment_{k}."
            parts = {name.removeprefix(own): array for name, array in arrays.items() if name.startswith(own)}
            moments[k] = layout.flat(parts)
        return cls(optimizer, moments, steps)
