"""Scores of quantiles and samples against closed forms, loops over the definitions, and utilsforecast."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tsrnn.evaluation import (
    coverage,
    crps_from_quantiles,
    crps_from_samples,
    energy_score,
    pinball,
    winkler_score,
)
from tsrnn.evaluation.grouped import Groups, Outcomes, metric_table

RNG = np.random.default_rng(0)
TRUE = RNG.normal(size=(3, 4))
LEVELS = np.array([0.1, 0.25, 0.5, 0.9])
QUANTILES = np.sort(RNG.normal(size=(3, 4, 4)), axis=-1)


def test_pinball_by_its_definition():
    found = pinball(TRUE, QUANTILES, LEVELS)
    assert found.shape == (3, 4, 4)
    for at in np.ndindex(found.shape):
        error = TRUE[at[:2]] - QUANTILES[at]
        assert found[at] == pytest.approx(max(LEVELS[at[2]] * error, (LEVELS[at[2]] - 1) * error), abs=1e-15)


@pytest.mark.parametrize("y", [-2.0, 0.0, 0.7])
def test_crps_of_a_normal_distribution(y):
    """Many quantiles, and as samples the same numbers, come near to the closed form; the rest goes with 1 / n."""
    n = 4000
    levels = (np.arange(n) + 0.5) / n
    quantiles = stats.norm.ppf(levels)
    exact = y * (2 * stats.norm.cdf(y) - 1) + 2 * stats.norm.pdf(y) - 1 / np.sqrt(np.pi)
    assert crps_from_quantiles([y], [quantiles], levels)[0] == pytest.approx(exact, abs=1e-3)
    assert crps_from_samples([y], [quantiles])[0] == pytest.approx(exact, abs=1e-3)


def test_crps_of_samples_by_its_definition():
    samples = RNG.normal(size=(3, 4, 7))
    found = crps_from_samples(TRUE, samples)
    for at in np.ndindex(TRUE.shape):
        x = samples[at]
        expected = np.abs(x - TRUE[at]).mean() - np.abs(x[:, None] - x).mean() / 2
        assert found[at] == pytest.approx(expected, abs=1e-14)
    np.testing.assert_allclose(crps_from_samples(TRUE, samples[..., :1]), np.abs(TRUE - samples[..., 0]))


def test_energy_score_by_its_definition():
    samples = RNG.normal(size=(3, 6, 4))
    found = energy_score(TRUE, samples)
    assert found.shape == (3,)
    for row, x in enumerate(samples):
        near = np.linalg.norm(x - TRUE[row], axis=1).mean()
        apart = np.linalg.norm(x[:, None] - x, axis=2).mean()
        assert found[row] == pytest.approx(near - apart / 2, abs=1e-14)
    np.testing.assert_allclose(energy_score(TRUE[..., None], samples.swapaxes(1, 2)[..., None]), _crps_of(samples))


def _crps_of(samples):
    """In one dimension the energy score is the CRPS."""
    return crps_from_samples(TRUE, samples.swapaxes(1, 2))


def test_intervals_by_hand():
    true, low, high = [0.0, 1.0, 3.0, 5.0], 1.0, 3.0
    np.testing.assert_array_equal(coverage(true, low, high), [0, 1, 1, 0])
    np.testing.assert_allclose(winkler_score(true, low, high, 0.9), [2 + 20, 2, 2, 2 + 40])
    assert winkler_score(np.zeros((5, 1, 1)), -1.0, 1.0, 0.9).shape == (5, 1, 1)


def test_against_utilsforecast():
    losses = pytest.importorskip("utilsforecast.losses")
    low, high = QUANTILES[..., 0], QUANTILES[..., 3]
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(list("abc"), 4),
            "y": TRUE.ravel(),
            "m-lo-80": low.ravel(),
            "m-hi-80": high.ravel(),
            "q": low.ravel(),
        }
    )
    for ours, theirs in (
        (coverage(TRUE, low, high), losses.coverage(frame, ["m"], 80)["m"]),
        (winkler_score(TRUE, low, high, 0.8), losses.winkler_score(frame, ["m"], 80)["m"]),
        (pinball(TRUE, QUANTILES, LEVELS)[..., 0], losses.quantile_loss(frame, {"m": "q"}, q=0.1)["m"]),
    ):
        np.testing.assert_allclose(ours.mean(axis=1), theirs, rtol=1e-12)


def test_in_tables():
    """By groups of windows, with one target; the interval from 0.1 to 0.9 is the only central one."""
    truth, quantiles = TRUE[..., None], QUANTILES[:, :, None]
    found = Outcomes(truth, truth, truth, np.ones((2, 3, 1)), LEVELS, quantiles)
    table = metric_table(found, Groups(np.array([0, 1, 0]), 2), ["pinball", "crps", "coverage", "winkler"])
    assert list(table) == ["pinball", "crps", "coverage_0.8", "winkler_0.8"]
    ends = QUANTILES[..., 0], QUANTILES[..., 3]
    for name, each in {
        "pinball": pinball(TRUE, QUANTILES, LEVELS).mean(axis=-1),
        "crps": crps_from_quantiles(TRUE, QUANTILES, LEVELS),
        "coverage_0.8": coverage(TRUE, *ends),
        "winkler_0.8": winkler_score(TRUE, *ends, 0.8),
    }.items():
        np.testing.assert_allclose(table[name][:, 0], [each[[0, 2]].mean(), each[1].mean()], rtol=1e-12)


def test_what_was_not_observed_has_no_score():
    true = np.array([np.nan, 1.0])
    assert np.isnan(coverage(true, 0.0, 2.0)).tolist() == [True, False]
    assert np.isnan(winkler_score(true, 0.0, 2.0, 0.8)).tolist() == [True, False]
    assert np.isnan(crps_from_quantiles(true, [[0.0, 1.0]] * 2, [0.3, 0.7])).tolist() == [True, False]


@pytest.mark.parametrize("score", [pinball, crps_from_quantiles])
def test_quantiles_that_do_not_fit_are_refused(score):
    with pytest.raises(ValueError, match=r"needs `quantiles` of shape \(3, 4, 4\), the levels last; got \(3, 4\)"):
        score(TRUE, TRUE, LEVELS)
    with pytest.raises(ValueError, match=r"vector of numbers in \(0, 1\); got 10"):
        score(TRUE, QUANTILES, [10, 25, 50, 90])


def test_samples_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"`samples` of shape \(3, 4, 'n_samples'\).*got \(3, 4\)"):
        crps_from_samples(TRUE, TRUE)
    with pytest.raises(ValueError, match=r"got \(3, 4\) and \(3, 4\)"):
        energy_score(TRUE, TRUE)
    with pytest.raises(ValueError, match=r"`nominal` of winkler_score must be a number in \(0, 1\); got 80"):
        winkler_score(TRUE, TRUE, TRUE, 80)


def test_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scoringrules", None)
    with pytest.raises(ImportError, match=r'crps_from_samples needs `scoringrules`.*pip install "tsrnn\[scores\]"'):
        crps_from_samples([0.0], [[1.0]])
