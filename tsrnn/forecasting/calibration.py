"""How far forecasts were off on validation windows, and what that says of the ones to come.

Every error is a *score*: a point forecast's in units of the series' spread; for a forecast that is a distribution, the
place of what came in it, as the standard normal distribution has it (the probability integral transform). A quantile of
the scores is put back as a quantile of the forecast. With what no model saw in training that is split conformal
prediction (Vovk 2005; for distributions Chernozhukov 2021), for each row of the horizon and each target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tsrnn.data import Scaling, WindowIndex
from tsrnn.forecasting.distributions import Distribution

if TYPE_CHECKING:
    from tsrnn.forecasting.state import History, Model

MOST_SCORES = 1000  # windows whose scores are kept
SCORES_AT_ONCE = 1 << 18  # numbers that are forecast at a time for them


@dataclass(frozen=True, eq=False)
class Outlook:
    """Forecasts of some windows, with their spread.

    Attributes
    ----------
    point : ndarray of shape (windows, horizon, targets)
        In data units.
    distribution : Distribution or None
        Of each number, where the model gives one.
    unit : ndarray of shape (windows, 1, targets)
        What a score of one is worth where it does not.
    non_negative : bool
        Whether values below zero are zero.
    """

    point: np.ndarray
    distribution: Distribution | None
    unit: np.ndarray
    non_negative: bool = False

    @classmethod
    def of(cls, model: Model, history: History, windows: WindowIndex, units: Scaling) -> Outlook:
        """What a model says."""
        found = model.distribution(history, windows)
        point = model.predict(history, windows) if found is None else found.point()
        unit = replace(history, scaling=units).scale_of(windows)[:, None]
        return cls(np.asarray(point, np.float64), found, unit, model.non_negative)

    def at(self, scores: np.ndarray) -> np.ndarray:
        """The values that have these scores, (windows, horizon, targets) or with more axes in front."""
        if self.distribution is None:
            values = self.point + self.unit * scores
            return np.maximum(values, 0) if self.non_negative else values
        return self.distribution.at_scores(scores)

    def scores(self, actual: np.ndarray) -> np.ndarray:
        """Those of what came."""
        if self.distribution is None:
            return (actual - self.point) / self.unit
        return self.distribution.scores(actual)


@dataclass(frozen=True, eq=False)
class Calibration:
    """The scores of validation windows.

    Attributes
    ----------
    scores : ndarray of float32, shape (windows, horizon, targets)
        Spread evenly over the validation windows where there are more than some thousand.
    units : Scaling
        The spread of each series, in which point forecasts are off.
    """

    scores: np.ndarray
    units: Scaling = field(repr=False)

    def quantiles(self, levels: Sequence[float] | np.ndarray) -> np.ndarray:
        """Of the scores: (levels, horizon, targets).

        That of ``level`` has ``level * (n + 1)`` of the n scores at or below it, so that one more falls below it with
        this probability; where n is too small for that it is the greatest (or smallest) of them.
        """
        return np.quantile(self.scores.astype(np.float64), levels, axis=0, method="weibull")

    @cached_property
    def width(self) -> np.ndarray:
        """Of the middle 95 % of the scores: (horizon, targets)."""
        return np.diff(self.quantiles((0.025, 0.975)), axis=0)[0]

    @cached_property
    def ranks(self) -> np.ndarray:
        """Scores of a standard normal distribution in the same order: how rows and targets hang together, alone."""
        from scipy.special import ndtri
        from scipy.stats import rankdata

        return ndtri(rankdata(self.scores, axis=0) / (len(self.scores) + 1))

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays to save."""
        return {"scores": self.scores, **self.units.arrays()[0]}

    def document(self) -> dict[str, Any]:
        """The rest, as JSON can hold it."""
        return self.units.arrays()[1]

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any] | None) -> Calibration | None:
        """The calibration again, if there was one."""
        return None if document is None else cls(arrays["scores"], Scaling.from_arrays(arrays, document))

    def draw(self, rng: np.random.Generator, count: int, ranks: bool) -> np.ndarray:
        """Scores of whole windows, with the dependence over rows and targets: (count, horizon, targets)."""
        return (self.ranks if ranks else self.scores)[rng.integers(len(self.scores), size=count)]
