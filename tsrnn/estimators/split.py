"""Which sequences are held out for validation."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state


def split(strata: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences to train and to validate on, drawn at random.

    Each stratum has its share of both parts, as nearly as whole numbers allow. All of a stratum go into validation only
    where nothing else is left.

    Parameters
    ----------
    strata : ndarray of int, shape (sequences,)
        What is to have the same shares in both parts.
    fraction : float
        Of the sequences, for validation.
    seed : int
        Of the draw.

    Examples
    --------
    >>> train, validation = split(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 0.5, seed=0)
    >>> int((train < 4).sum()), int((validation < 4).sum())
    (2, 2)
    """
    count = strata.size
    held_out = round(fraction * count)
    if fraction == 0:
        return np.arange(count), np.zeros(0, np.int64)
    if held_out in (0, count):
        parts = "validation" if held_out == 0 else "training"
        raise ValueError(
            f"`validation_fraction={fraction}` of {count} sequences leaves none for {parts}. Give more sequences or "
            "another fraction, or sequences to validate on as `X_val` and `y_val`."
        )
    order = check_random_state(seed).permutation(count)
    drawn = strata[order]
    chosen = np.zeros(count, bool)
    for stratum, part in zip(*_shares(strata, held_out), strict=True):
        chosen[order[np.flatnonzero(drawn == stratum)[:part]]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def _shares(strata: np.ndarray, held_out: int) -> tuple[np.ndarray, np.ndarray]:
    """The strata, and how many of each are held out: their exact shares, rounded where remainders are largest."""
    names, sizes = np.unique(strata, return_counts=True)
    exact = held_out * sizes / strata.size
    given = np.floor(exact).astype(np.int64)
    by_remainder = np.argsort(given - exact, kind="stable")
    for most in (sizes - 1, sizes):
        for place in by_remainder:
            if given.sum() < held_out and given[place] < most[place]:
                given[place] += 1
    return names, given
