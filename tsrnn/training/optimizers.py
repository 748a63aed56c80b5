"""Optimizers: settings as frozen values, state as flat vectors of the parameters' layout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from tsrnn._errors import Boolean, Real, check_parameter
from tsrnn.kernels import update


class Optimizer(ABC):
    """Settings of a way to change parameters; abstract."""

    n_moments = 0  # vectors of state

    @abstractmethod
    def apply(
        self, theta: np.ndarray, gradient: np.ndarray, moments: np.ndarray, step: int, rate: float, decay: float
    ) -> None:
        """Change ``theta`` in place; ``moments`` (n_moments, size) is its state, ``step`` counts from 1.

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
    """

    momentum: float = 0.9
    nesterov: bool = False
    n_moments = 1

    def __post_init__(self) -> None:
        check_parameter("SGD", "momentum", self.momentum, _SHARE)
        check_parameter("SGD", "nesterov", self.nesterov, Boolean())

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
        Added to the root.
    """

    rho: float = 0.9
    epsilon: float = 1e-7
    n_moments = 1

    def __post_init__(self) -> None:
        check_parameter("RMSprop", "rho", self.rho, _SHARE)
        check_parameter("RMSprop", "epsilon", self.epsilon, _SMALL)

    def apply(
        self, theta: np.ndarray, gradient: np.ndarray, moments: np.ndarray, step: int, rate: float, decay: float
    ) -> None:
        update.rmsprop(theta, gradient, moments[0], rate, self.rho, self.epsilon)


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adaptive moments with bias correction (Kingma and Ba 2015).

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9 and 0.999
        Memory of the mean and of the mean square, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_moments = 2

    def __post_init__(self) -> None:
        for name in ("beta_1", "beta_2"):
            check_parameter(type(self).__name__, name, getattr(self, name), _SHARE)
        check_parameter(type(self).__name__, "epsilon", self.epsilon, _SMALL)

    def apply(
        self, theta: np.ndarray, gradient: np.ndarray, moments: np.ndarray, step: int, rate: float, decay: float
    ) -> None:
        shrink = decay if self.decouples else 0.0
        update.adam(theta, gradient, moments[0], moments[1], rate, self.beta_1, self.beta_2, self.epsilon, step, shrink)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019)."""

    @property
    def decouples(self) -> bool:
        """True: the decay shrinks the parameters, untouched by the moments."""
        return True


OPTIMIZERS: dict[str, Optimizer] = {"adam": Adam(), "adamw": AdamW(), "rmsprop": RMSprop(), "sgd": SGD()}
