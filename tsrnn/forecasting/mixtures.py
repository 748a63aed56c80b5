"""Several distributions of the same numbers made one: those of an ensemble's members, or of masks drawn anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsrnn.forecasting.distributions import Counts, Distribution, Normal, Quantiles

_HALVINGS = 40  # of the distance between the quantiles of the parts


class Mixture(Distribution):
    """Each of the parts with the same probability.

    Parameters
    ----------
    parts : sequence of Distribution
        Of one shape and one kind: all of them counts, or none.
    point : ndarray, optional
        The point forecast; default: the mean of those of the parts.
    """

    def __init__(self, parts: Sequence[Distribution], point: np.ndarray | None = None) -> None:
        self.parts, self._point, self.shape = tuple(parts), point, parts[0].shape

    def at(self, u: np.ndarray) -> np.ndarray:
        """Between the quantiles of the parts, by bisection; of counts the first that reaches ``u``, as for one part."""
        u = np.asarray(u, np.float64)
        of_parts = [part.at(u) for part in self.parts]
        low, high = np.minimum.reduce(of_parts), np.maximum.reduce(of_parts)
        if isinstance(self.parts[0], Counts):
            return self._first_count(u, low, high)
        for _ in range(_HALVINGS):
            middle = low + 0.5 * (high - low)
            enough = self._mean([part.cdf(middle) for part in self.parts]) >= u
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high

    def _first_count(self, u: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        counts = [part for part in self.parts if isinstance(part, Counts)]
        while (low < high).any():
            middle = np.floor((low + high) / 2)
            enough = self._mean([part.reached(middle) for part in counts]) >= u
            low, high = np.where(enough, low, np.minimum(middle + 1, high)), np.where(enough, middle, high)
        return high

    def cdf(self, values: np.ndarray) -> np.ndarray:
        return self._mean([part.cdf(values) for part in self.parts])

    def mean(self) -> np.ndarray:
        return self._mean([part.mean() for part in self.parts])

    def point(self) -> np.ndarray:
        return self._mean([part.point() for part in self.parts]) if self._point is None else self._point

    @staticmethod
    def _mean(arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.asarray(sum(arrays[1:], start=arrays[0]) / len(arrays))


class Spread(Normal):
    """A point forecast, and how far forecasts by networks drawn anew lie from each other.

    Two moments are all that is said of it (Gal and Ghahramani 2016, "Dropout as a Bayesian approximation").

    Parameters
    ----------
    loc, scale : ndarray of the shape
        The point forecast and the standard deviation.
    drawn : ndarray of the shape
        The mean of what was drawn.
    """

    def __init__(self, loc: np.ndarray, scale: np.ndarray, drawn: np.ndarray) -> None:
        super().__init__(loc, scale)
        self.drawn = drawn


def pooled(parts: Sequence[Distribution]) -> Distribution:
    """One distribution of the numbers that all parts are of.

    Quantiles are averaged level by level (Vincent 1912; Lichtendahl, Grushka-Cockayne and Winkler 2013, "Is it better
    to average probabilities or quantiles?"): they stay in order, and what is trained stays a quantile of its level.
    Spreads add up to one with the moments of all that was drawn. Anything else becomes a mixture.
    """
    if all(isinstance(part, Quantiles) for part in parts):
        same = [part for part in parts if isinstance(part, Quantiles)]
        return Quantiles(same[0].levels, np.mean([part.values for part in same], axis=0))
    if all(isinstance(part, Spread) for part in parts):
        spreads = [part for part in parts if isinstance(part, Spread)]
        drawn = np.array([part.drawn for part in spreads])
        variance = np.mean([part.arguments["scale"] ** 2 for part in spreads], axis=0) + drawn.var(axis=0)
        point = np.mean([part.point() for part in spreads], axis=0)
        return Spread(point, np.sqrt(variance), drawn.mean(axis=0))
    return Mixture(parts)
