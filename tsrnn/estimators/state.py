"""What a fitted estimator on sequences is: one frozen value, which is all that is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.network import Network


@dataclass(frozen=True, eq=False)
class Scale:
    """What is taken off numbers, and what they are divided by; arrays (features,)."""

    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def learned(cls, kind: str | None, rows: np.ndarray) -> Scale:
        """From rows of the training part."""
        center, scale = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
        if kind == "standard":
            standard = StandardScaler().fit(rows)
            center, scale = standard.mean_, standard.scale_
        elif kind == "minmax":
            ends = MinMaxScaler().fit(rows)
            center, scale = ends.data_min_, 1 / ends.scale_
        elif kind == "robust":
            robust = RobustScaler().fit(rows)
            center, scale = robust.center_, robust.scale_
        return cls(center, scale)

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Scaled."""
        return (rows - self.center) / self.scale

    def undone(self, rows: np.ndarray) -> np.ndarray:
        """As they were."""
        return rows * self.scale + self.center


@dataclass(frozen=True, eq=False)
class SequenceState:
    """All that ``fit`` learned.

    Attributes
    ----------
    specs, shape : tuple of LayerSpec, Shape
        The layers, the output included, and their input.
    theta : ndarray
        The weights.
    inputs, targets : Scale
        Of features and targets.
    flat : bool
        Whether y had no axis for the targets.
    classes : list of ndarray
        Of each target, for a classifier.
    history : tuple of dict
        Epochs of training.
    best_epoch, stopped : int, str
        Of training.
    moments, steps : ndarray, int
        Of the optimizer, to go on from.
    """

    specs: tuple[LayerSpec, ...]
    shape: Shape
    theta: np.ndarray
    inputs: Scale
    targets: Scale
    flat: bool
    classes: list[np.ndarray]
    history: tuple[dict[str, Any], ...]
    best_epoch: int
    stopped: str
    moments: np.ndarray
    steps: int

    def network(self, steps: int) -> Network:
        """The layers on sequences of so many steps; their weights do not depend on it."""
        return Network(self.specs, Shape(steps, self.shape.features))

    def weights_for(self, network: Network) -> np.ndarray:
        """The weights for this network, which may be for longer or shorter sequences."""
        if network.layout.size != self.theta.size:
            raise ValueError(
                f"The layers {list(self.specs)} have weights for sequences of {self.shape.steps} steps, but the "
                f"longest here has {network.input.steps}. Cut or pad them, or use layers that take any length."
            )
        return self.theta
