"""Predictions, gradients and a step of the optimizer agree with the peer's, or there is nothing to time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

TOLERANCE = 3e-5  # of the largest number: float32 sums over as many as 120 steps, in another order


class Implementation(Protocol):
    """A problem as one library computes it. Weights and gradients have Keras' order and shapes."""

    def set_weights(self, weights: list[np.ndarray]) -> None: ...
    def train(self) -> None: ...
    def predict(self) -> np.ndarray: ...
    def gradients(self) -> list[np.ndarray]: ...


def check(name: str, ours: Implementation, peer: Implementation, weights: list[np.ndarray]) -> None:
    """Both have made one step from ``weights``; afterwards both are back there."""
    same(f"{name}, predictions after a step", [ours.predict()], [peer.predict()])
    ours.set_weights(weights)
    peer.set_weights(weights)
    same(f"{name}, predictions", [ours.predict()], [peer.predict()])
    same(f"{name}, gradients", ours.gradients(), peer.gradients())


def same(name: str, ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> None:
    """Raise where an array differs from the peer's by more than rounding."""
    for index, (got, expected) in enumerate(zip(ours, theirs, strict=True)):
        if got.shape != expected.shape:
            raise AssertionError(f"{name}: array {index} has the shape {got.shape}, the peer's {expected.shape}.")
        worst = difference(got, expected)
        if not worst < TOLERANCE:
            raise AssertionError(f"{name}: array {index} differs from the peer's by {worst:.1e} of its largest number.")


def difference(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest, relative to the largest number expected."""
    return float(np.abs(got - expected).max() / max(1e-3, np.abs(expected).max()))
