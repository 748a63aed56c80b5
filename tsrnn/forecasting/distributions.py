"""What a forecast says beside its point: distributions of each row of the horizon and each target, in data units."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tsrnn.nn.heads.counts import NegativeBinomial, Poisson
from tsrnn.nn.heads.distribution import DistributionHead
from tsrnn.nn.heads.location_scale import Gaussian, Laplace, StudentT
from tsrnn.nn.heads.quantile import Quantile

if TYPE_CHECKING:
    from scipy.stats import rv_continuous, rv_discrete

_FARTHEST = 1e-6  # probability beyond which places in a distribution are not told apart


class Distribution(ABC):
    """Independent distributions of many numbers, of the shape (windows, horizon, targets); abstract.

    Attributes
    ----------
    shape : tuple
        Of the numbers.
    """

    shape: tuple[int, ...]

    @abstractmethod
    def at(self, u: np.ndarray) -> np.ndarray:
        """The quantile of each number at a probability of its own: ``u`` has the shape, or the shape of more axes in
        front. Between 0 and 1, both left out."""

    @abstractmethod
    def cdf(self, values: np.ndarray) -> np.ndarray:
        """The probability of each number to be at most its value; of the shape, or with more axes in front."""

    @abstractmethod
    def mean(self) -> np.ndarray:
        """Of the shape."""

    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        """The numbers at places given as a standard normal distribution has them; of the shape, or with more axes in
        front."""
        from scipy.special import ndtr

        return self.at(np.broadcast_to(ndtr(scores), np.broadcast_shapes(scores.shape, self.shape)))

    def scores(self, values: np.ndarray) -> np.ndarray:
        """The places of values, of the shape."""
        from scipy.special import ndtri

        return np.asarray(ndtri(np.clip(self.cdf(values), _FARTHEST, 1 - _FARTHEST)))

    def ppf(self, levels: np.ndarray) -> np.ndarray:
        """Quantiles at the same ``levels`` for all numbers: the shape and an axis of levels."""
        return np.stack([self.at(np.full(self.shape, level)) for level in np.asarray(levels).tolist()], axis=-1)

    def point(self) -> np.ndarray:
        """The point forecast."""
        return self.at(np.full(self.shape, 0.5))


class Family(Distribution):
    """One of ``scipy.stats``.

    Parameters
    ----------
    family : rv_continuous or rv_discrete
        Of ``scipy.stats``.
    arguments : dict of str to ndarray
        Its parameters, each of the shape.
    """

    def __init__(self, family: rv_continuous | rv_discrete, arguments: dict[str, np.ndarray]) -> None:
        self.family, self.arguments = family, arguments
        self.shape = np.broadcast_shapes(*(array.shape for array in arguments.values()))

    def at(self, u: np.ndarray) -> np.ndarray:
        return np.asarray(self.family.ppf(u, **self.arguments), np.float64)

    def cdf(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(self.family.cdf(values, **self.arguments), np.float64)

    def mean(self) -> np.ndarray:
        return np.asarray(self.family.mean(**self.arguments), np.float64)


class Symmetric(Family):
    """A family about a location, which is median, mean and point forecast."""

    def point(self) -> np.ndarray:
        return self.arguments["loc"]

    mean = point


class Normal(Symmetric):
    """Normal distributions. Their scores are told apart however far off they are.

    Parameters
    ----------
    loc, scale : ndarray of the shape
        Mean and standard deviation.
    """

    def __init__(self, loc: np.ndarray, scale: np.ndarray) -> None:
        from scipy import stats

        super().__init__(stats.norm, {"loc": loc, "scale": scale})

    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        return self.arguments["loc"] + self.arguments["scale"] * scores

    def scores(self, values: np.ndarray) -> np.ndarray:
        return np.asarray((values - self.arguments["loc"]) / self.arguments["scale"])


class Counts(Family):
    """A family of counts, whose point forecast is the mean.

    Between the probabilities of two counts ``at`` gives the greater; ``cdf`` of a count is the middle of its step, so
    that counts that come spread evenly over 0 to 1.
    """

    def point(self) -> np.ndarray:
        return self.mean()

    def reached(self, values: np.ndarray) -> np.ndarray:
        """The probability of each count to be at most its value."""
        return super().cdf(values)

    def cdf(self, values: np.ndarray) -> np.ndarray:
        below = np.asarray(self.family.cdf(values - 1, **self.arguments), np.float64)
        return 0.5 * (below + super().cdf(values))


class Quantiles(Distribution):
    """Quantiles at some levels: straight lines between them, and beyond the outermost the tails of an exponential
    distribution with the slope of the outermost line, so that every level has a quantile.

    Parameters
    ----------
    levels : ndarray of shape (levels,)
        In order; two at least.
    values : ndarray of shape (windows, horizon, targets, levels)
        In order too.
    """

    def __init__(self, levels: np.ndarray, values: np.ndarray) -> None:
        self.levels, self.values, self.shape = np.asarray(levels, np.float64), values, values.shape[:-1]

    def at(self, u: np.ndarray) -> np.ndarray:
        u = np.asarray(u, np.float64)
        levels, values = self.levels, np.broadcast_to(self.values, (*u.shape, len(self.levels)))
        left = np.clip(np.searchsorted(levels, u, side="right") - 1, 0, len(levels) - 2)
        low, high = (np.take_along_axis(values, k[..., None], axis=-1)[..., 0] for k in (left, left + 1))
        slope = (high - low) / (levels[left + 1] - levels[left])
        inside = low + slope * (u - levels[left])
        first, last = levels[0], levels[-1]
        with np.errstate(divide="ignore", invalid="ignore"):  # both tails are computed for all numbers
            under = low + slope * first * np.log(u / first)
            over = high - slope * (1 - last) * np.log((1 - u) / (1 - last))
        return np.where(u < first, under, np.where(u > last, over, inside))

    def cdf(self, values: np.ndarray) -> np.ndarray:
        levels, given = self.levels, np.asarray(values, np.float64)[..., None]
        known = np.broadcast_to(self.values, (*given.shape[:-1], len(levels)))
        left = np.clip((known <= given).sum(axis=-1) - 1, 0, len(levels) - 2)
        low, high = (np.take_along_axis(known, k[..., None], axis=-1)[..., 0] for k in (left, left + 1))
        step, first, last = levels[left + 1] - levels[left], levels[0], levels[-1]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            off = given[..., 0] - low
            share = np.where(off == 0, 0.0, off / (high - low))  # infinite beyond quantiles that fall together
            inside = levels[left] + step * np.clip(share, 0, 1)
            under = first * np.exp(np.minimum(step * share / first, 0))
            over = 1 - (1 - last) * np.exp(np.minimum(-step * (share - 1) / (1 - last), 0))
        beyond = given[..., 0] > self.values[..., -1]
        return np.where(given[..., 0] < self.values[..., 0], under, np.where(beyond, over, inside))

    def mean(self) -> np.ndarray:
        # The mean of all quantiles: trapezoids between the levels, and of the tails the value and its mean excess.
        levels, values = self.levels, self.values
        inside = (np.diff(levels) * (values[..., 1:] + values[..., :-1]) / 2).sum(axis=-1)
        slopes = (values[..., [1, -1]] - values[..., [0, -2]]) / (levels[[1, -1]] - levels[[0, -2]])
        under = levels[0] * (values[..., 0] - slopes[..., 0] * levels[0])
        over = (1 - levels[-1]) * (values[..., -1] + slopes[..., 1] * (1 - levels[-1]))
        return np.asarray(inside + under + over)


class Parts(Distribution):
    """Distributions of some windows each.

    Parameters
    ----------
    shape : tuple
        Of all windows together: (windows, horizon, targets).
    parts : list of tuple
        Windows, and their distribution.
    """

    def __init__(self, shape: tuple[int, ...], parts: list[tuple[np.ndarray, Distribution]]) -> None:
        self.shape, self.parts = shape, parts

    def at(self, u: np.ndarray) -> np.ndarray:
        return self._put_together(u.shape, lambda rows, part: part.at(u[..., rows, :, :]))

    def cdf(self, values: np.ndarray) -> np.ndarray:
        return self._put_together(values.shape, lambda rows, part: part.cdf(values[..., rows, :, :]))

    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        scores = np.broadcast_to(scores, np.broadcast_shapes(scores.shape, self.shape))
        return self._put_together(scores.shape, lambda rows, part: part.at_scores(scores[..., rows, :, :]))

    def scores(self, values: np.ndarray) -> np.ndarray:
        return self._put_together(self.shape, lambda rows, part: part.scores(values[rows]))

    def mean(self) -> np.ndarray:
        return self._put_together(self.shape, lambda rows, part: part.mean())

    def point(self) -> np.ndarray:
        return self._put_together(self.shape, lambda rows, part: part.point())

    def _put_together(
        self, shape: tuple[int, ...], ask: Callable[[np.ndarray, Distribution], np.ndarray]
    ) -> np.ndarray:
        found = np.empty(shape)
        for rows, part in self.parts:
            found[..., rows, :, :] = ask(rows, part)
        return found


def distribution_of(head: DistributionHead, given: np.ndarray, center: np.ndarray, scale: np.ndarray) -> Distribution:
    """What a head's parameters (windows, horizon, targets, width) say, ``center`` and ``scale`` (windows, targets) of
    the scaled units put back."""
    from scipy import stats

    given = given.astype(np.float64)
    center, scale = center[:, None, :], scale[:, None, :]
    if isinstance(head, Quantile):
        return Quantiles(head.levels, given * scale[..., None] + center[..., None])
    makers: dict[type, Callable[..., Distribution]] = {
        Gaussian: lambda loc, width: Normal(loc * scale + center, width * scale),
        Laplace: lambda loc, width: Symmetric(stats.laplace, {"loc": loc * scale + center, "scale": width * scale}),
        StudentT: lambda loc, width, df: Symmetric(
            stats.t, {"df": df, "loc": loc * scale + center, "scale": width * scale}
        ),
        Poisson: lambda mean: Counts(stats.poisson, {"mu": mean * scale}),
        NegativeBinomial: lambda mean, spread: Counts(
            stats.nbinom, {"n": 1 / spread, "p": 1 / (1 + spread * mean * scale)}
        ),
    }
    return makers[type(head)](*np.moveaxis(given, -1, 0))
