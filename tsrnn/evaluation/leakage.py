"""Signs that a test looks into the future: folds that overlap, covariates that hold what is to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tsrnn.data import Panel
from tsrnn.evaluation._arrays import Floats

ROWS, LAGS = 2048, 200  # that are compared, at most: enough to see an equality
FEWEST = 30  # rows of a series, with which no equality is by chance
EQUAL, BETTER = 0.98, 0.2  # share of variance that counts as equal; how much less than the target's own past leaves
ROUNDING = 1e-6  # of float32, so that nothing is better than a target that goes on exactly as before


class Suspect(NamedTuple):
    """A covariate that is nearly equal to a target some rows later.

    Attributes
    ----------
    channel, target : int
        Channels of the panel.
    lag : int
        So many rows later.
    correlation, own : float
        Of the covariate with the later target, and of the target with itself.
    """

    channel: int
    target: int
    lag: int
    correlation: float
    own: float


def suspicious_covariates(
    panel: Panel, n_targets: int, channels: Sequence[int], reach: int, season: int
) -> list[Suspect]:
    """Covariates that hold a target of the rows that are to be forecast.

    Suspicious is a covariate whose correlation with the target `lag` rows later is nearly one, and far nearer to it
    than that of the target with itself, `lag` rows or whole seasons before: smooth and periodic series are told apart
    from columns that were shifted the wrong way or made from the target. Some two thousand rows are looked at.

    Parameters
    ----------
    panel : Panel
    n_targets : int
        The first channels are the targets.
    channels : sequence of int
        Those of covariates that are known up to the present only.
    reach : int
        Rows that are forecast ahead.
    season : int
        Rows of a season.

    Returns
    -------
    list of Suspect
        For each covariate and target that are alike, at the lag where they are most.

    Examples
    --------
    >>> target = np.random.default_rng(0).standard_normal(300)
    >>> values = np.column_stack([target, np.r_[target[2:], 0, 0]]).astype(np.float32)
    >>> panel = Panel(values, np.array([0, 300]), (None,), np.array([0]))
    >>> found = suspicious_covariates(panel, 1, [1], reach=3, season=1)
    >>> [(suspect.channel, suspect.lag) for suspect in found]
    [(1, 2)]
    """
    if not len(channels):
        return []
    ahead = np.arange(1, min(reach, LAGS) + 1)
    seasons = season * -(-ahead // season)
    some = _some_rows(panel, 4 * int(max(ahead[-1], seasons[-1])))
    found = []
    for target in range(n_targets):
        later = _correlations(some, target, np.concatenate((ahead, seasons)))
        own = np.maximum(*np.split(later[target], 2))  # with itself, so many rows or whole seasons before
        later = later[channels, : len(ahead)]
        alike = (later**2 >= EQUAL) & (1 - later**2 + ROUNDING <= BETTER * (1 - own**2))
        for place in np.flatnonzero(alike.any(axis=1)).tolist():
            lag = int(np.argmax(np.where(alike[place], np.abs(later[place]), 0)))
            found.append(Suspect(channels[place], target, lag + 1, float(later[place, lag]), float(own[lag])))
    return found


def _some_rows(panel: Panel, at_least: int) -> Panel:
    """The last rows of some series, spread evenly: about ``ROWS``, and no fewer of a series than it takes."""
    length = max(at_least, 2 * FEWEST, ROWS // panel.n_series)
    n_series = min(panel.n_series, max(1, ROWS // length))
    return panel.select(np.linspace(0, panel.n_series - 1, n_series).astype(np.int64)).tail(length)


def _correlations(panel: Panel, target: int, lags: np.ndarray) -> Floats:
    """Mean over the series of the correlation of each channel with a target so many rows later: (channels, lags)."""
    rows = np.arange(panel.n_rows - lags.max())
    rows = rows[rows + lags.max() < panel.indptr[1:][panel.series_of(rows)]]
    rows = rows[:: -(-len(rows) // ROWS) or 1]
    count = np.bincount(panel.series_of(rows), minlength=panel.n_series)
    rows = rows[count[panel.series_of(rows)] >= FEWEST]
    count = count[count >= FEWEST]
    if not len(rows):
        return np.zeros((panel.n_channels, len(lags)))
    early = _standardised(panel.values[rows], count)
    late = _standardised(panel.values[:, target][rows[:, None] + lags], count)
    return np.einsum("rc,rl->cl", early, late) / len(rows)  # not BLAS, whose threads cost more than they save here


def _standardised(values: np.ndarray, count: np.ndarray) -> Floats:
    """Columns with mean zero and variance one in each series, which has so many rows; zero where it is constant."""
    first = np.cumsum(count) - count
    centred = values.astype(np.float64)
    centred -= np.repeat(np.add.reduceat(centred, first, axis=0) / count[:, None], count, axis=0)
    spread = np.sqrt(np.add.reduceat(centred**2, first, axis=0) / count[:, None])
    centred /= np.repeat(np.where(spread > 0, spread, 1), count, axis=0)
    return centred


def overlapping_folds(folds: Sequence[tuple[np.ndarray, np.ndarray]], moments: np.ndarray) -> list[str]:
    """What is wrong with folds, in words; nothing where each is tested after all that it is trained on, and once.

    Parameters
    ----------
    folds : sequence of (train, test)
        Positions of rows.
    moments : ndarray of int64, shape (rows,)
        When each row was.

    Returns
    -------
    list of str

    Examples
    --------
    >>> overlapping_folds([(np.array([0, 1, 3]), np.array([2]))], np.arange(4))
    ['fold 0 trains on rows at or after the first that it tests']
    """
    found = []
    tested = np.zeros(len(moments), np.int64)
    for number, (train, test) in enumerate(folds):
        tested[test] += 1
        if len(train) and len(test) and moments[train].max() >= moments[test].min():
            found.append(f"fold {number} trains on rows at or after the first that it tests")
    if (tested > 1).any():
        found.append(f"{np.count_nonzero(tested > 1)} rows are tested in more than one fold")
    return found
