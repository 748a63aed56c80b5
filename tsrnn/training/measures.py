"""How the outputs for windows are measured and handed over: as point forecasts, or as parameters of distributions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from tsrnn._jit import Call, Spec, prepare
from tsrnn.kernels.gather import Place, Series
from tsrnn.nn.heads.distribution import (
    DistributionHead,
    distribution_loss,
    distribution_outputs,
    distribution_score,
)
from tsrnn.nn.heads.point import point_loss, predictions, score
from tsrnn.nn.workspace import Workspace

NO_UNITS = np.zeros(0, np.float32)


class Measure(ABC):
    """The kernels of a head, for windows of one series; abstract.

    Parameters
    ----------
    head : Spec
        From ``nn.heads``.
    series : Series
        All rows, scaled.
    """

    width = 1  # numbers for each one that is forecast

    def __init__(self, head: Any, series: Series) -> None:
        self.head, self.series = head, series

    @abstractmethod
    def loss(self, place: Place, space: Workspace, weights: np.ndarray, y: np.ndarray, losses: np.ndarray) -> Call:
        """The losses of a tile, and the gradient that the network is given."""

    @abstractmethod
    def score(
        self, place: Place, space: Workspace, y: np.ndarray, worth: np.ndarray, losses: np.ndarray, errors: np.ndarray
    ) -> Call:
        """The losses of a tile, and the errors of its point forecasts."""

    @abstractmethod
    def write(self, place: Place, space: Workspace, y: np.ndarray, out: np.ndarray) -> Call:
        """The outputs of a tile."""


class PointMeasure(Measure):
    """One number is the forecast of one number."""

    def loss(self, place: Place, space: Workspace, weights: np.ndarray, y: np.ndarray, losses: np.ndarray) -> Call:
        return prepare(point_loss, self.head, self.series, place, space.turn, weights, y, space.d_y, losses)

    def score(
        self, place: Place, space: Workspace, y: np.ndarray, worth: np.ndarray, losses: np.ndarray, errors: np.ndarray
    ) -> Call:
        return prepare(score, self.head, self.series, place, space.turn, y, worth, losses, errors)

    def write(self, place: Place, space: Workspace, y: np.ndarray, out: np.ndarray) -> Call:
        return prepare(predictions, self.series, place, space.turn, y, out)


class DistributionMeasure(Measure):
    """Several numbers are the parameters of a distribution.

    Parameters
    ----------
    head, series : Spec, Series
        As in `Measure`.
    units : ndarray of shape (rows, targets)
        What one of the scaled numbers is worth, for counts; else empty.
    """

    def __init__(self, head: Any, series: Series, units: np.ndarray) -> None:
        super().__init__(head, series)
        self.width, self.units = head.width, np.ascontiguousarray(units, np.float32).reshape(-1)

    def loss(self, place: Place, space: Workspace, weights: np.ndarray, y: np.ndarray, losses: np.ndarray) -> Call:
        arrays = space.turn, weights, self.units, y, space.d_y, losses
        return prepare(distribution_loss, self.head, self.width, self.series, place, *arrays)

    def score(
        self, place: Place, space: Workspace, y: np.ndarray, worth: np.ndarray, losses: np.ndarray, errors: np.ndarray
    ) -> Call:
        arrays = space.turn, self.units, y, worth, losses, errors
        return prepare(distribution_score, self.head, self.width, self.series, place, *arrays)

    def write(self, place: Place, space: Workspace, y: np.ndarray, out: np.ndarray) -> Call:
        return prepare(distribution_outputs, self.head, self.width, self.series, place, space.turn, y, out)


def measure_of(head: Spec | None, series: Series, units: np.ndarray = NO_UNITS) -> Measure:
    """That of a head."""
    if isinstance(head, DistributionHead):
        return DistributionMeasure(head, series, units)
    return PointMeasure(head, series)
