"""Monte Carlo dropout: how far forecasts lie apart that networks make whose dropout masks were drawn anew.

Each path is one network of those that dropout trains, with one mask for all steps of a sequence (Gal and Ghahramani
2016, "A theoretically grounded application of dropout in recurrent neural networks").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tsrnn.forecasting.mixtures import Spread
from tsrnn.nn.network import Network

_LEAST = 1e-6  # of a scaled unit: a spread that numbers can be divided by


@dataclass(frozen=True)
class Draws:
    """So many paths, whose masks are a function of the seed and their number."""

    count: int
    seed: int

    @classmethod
    def of_member(cls, count: int, seed: int) -> Draws:
        """Others than those of training, which has the same seed."""
        return cls(count, int(np.random.SeedSequence([seed, count]).generate_state(2)[1]))


def drops_something(network: Network) -> bool:
    """Whether there is a mask to be drawn."""
    return any(bound.dropped for bound in network.workspace(training=True).bound)


def spread_of(point: np.ndarray, forecasts: Iterable[np.ndarray], unit: np.ndarray) -> Spread:
    """The spread of several forecasts about a point; ``unit`` is what a scaled one is worth.

    No more than one of them is kept (Welford 1962).
    """
    mean, squares, count = np.zeros(point.shape), np.zeros(point.shape), 0
    for forecast in forecasts:
        count += 1
        off = forecast - mean
        mean += off / count
        squares += off * (forecast - mean)
    scale = np.sqrt(squares / max(count - 1, 1))
    return Spread(point, np.maximum(scale, _LEAST * unit), mean)
