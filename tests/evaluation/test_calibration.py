"""Coverage by level and the histogram of places in the forecasts, against normal quantiles and counting by hand."""

import numpy as np
import pytest
from scipy.stats import norm, poisson

from tsrnn.evaluation import coverage_by_level, pit_histogram

RNG = np.random.default_rng(0)
LEVELS = np.arange(1, 20) / 20
TRUTH = RNG.normal(size=(1500, 2, 2))


def quantiles_of(scale):
    return np.broadcast_to(norm.ppf(LEVELS) * scale, (*TRUTH.shape, len(LEVELS)))


def test_calibrated_forecasts_cover_what_they_say():
    nominal, covered = coverage_by_level(TRUTH, quantiles_of(1), LEVELS)
    np.testing.assert_allclose(nominal, np.arange(1, 10) / 10)
    np.testing.assert_allclose(covered, nominal, atol=0.02)
    edges, density = pit_histogram(TRUTH, quantiles_of(1), LEVELS)
    np.testing.assert_allclose(edges, np.arange(21) / 20)
    np.testing.assert_allclose(density, 1, atol=0.2)
    expected, _ = np.histogram(norm.cdf(TRUTH), edges, density=True)
    np.testing.assert_allclose(density, expected)


def test_each_step_by_itself():
    """The first of calibrated forecasts, the second of some that are half as wide as they should be."""
    quantiles = np.stack([quantiles_of(1)[:, 0], quantiles_of(0.5)[:, 1]], axis=1)
    nominal, covered = coverage_by_level(TRUTH, quantiles, LEVELS, by="horizon")
    narrow = 1 - 2 * norm.cdf(-0.5 * norm.ppf((1 + nominal) / 2))
    np.testing.assert_allclose(covered, np.column_stack([nominal, narrow]), atol=0.03)
    for step in range(2):
        alone = TRUTH[:, step], quantiles[:, step], LEVELS
        np.testing.assert_array_equal(covered[:, step], coverage_by_level(*alone)[1])
        density = pit_histogram(TRUTH, quantiles, LEVELS, by="horizon")[1][:, step]
        np.testing.assert_array_equal(density, pit_histogram(*alone)[1])
    assert density[[0, -1]].min() > 2 > density[5:15].max()


def test_what_did_not_come_counts_nowhere():
    holed = TRUTH.copy()
    holed[::3] = np.nan
    holed[:, 1] = np.nan
    for function in (coverage_by_level, pit_histogram):
        whole = function(holed, quantiles_of(1), LEVELS)[1]
        np.testing.assert_array_equal(
            whole, function(holed[~np.isnan(holed)], quantiles_of(1)[~np.isnan(holed)], LEVELS)[1]
        )
        steps = function(holed, quantiles_of(1), LEVELS, by="horizon")[1]
        np.testing.assert_array_equal(steps[:, 0], whole)
        assert np.isnan(steps[:, 1]).all()
        assert np.isnan(function(np.full(3, np.nan), np.zeros((3, 2)), [0.1, 0.9])[1]).all()


def test_what_equals_quantiles_is_spread_over_the_bins_that_meet_there():
    """Half of the first and of the last bin, but all of the lowest."""
    levels = [0.1, 0.2, 0.4, 0.8]
    edges, density = pit_histogram([1.0], [[1.0, 1.0, 1.0, 2.0]], levels)
    np.testing.assert_allclose(density * np.diff(edges), np.array([0.1, 0.1, 0.2, 0.4 / 2, 0]) / 0.6)
    density = pit_histogram([1.0], [[0.0, 1.0, 1.0, 2.0]], levels)[1]
    parts = np.array([0, 0.1 / 2, 0.2, 0.4 / 2, 0])
    np.testing.assert_allclose(density * np.diff(edges), parts / parts.sum())
    assert pit_histogram([1.5], [[1.0, 1.0, 1.0, 2.0]], levels)[1].tolist() == pytest.approx([0, 0, 0, 1 / 0.4, 0])


def test_counts_of_their_own_distribution_are_flat():
    mean = RNG.uniform(0.5, 8, 20000)
    density = pit_histogram(poisson.rvs(mean, random_state=1), poisson.ppf(LEVELS, mean[:, None]), LEVELS)[1]
    np.testing.assert_allclose(density, 1, atol=0.15)  # within a bin what is below a count is not known


def test_what_is_refused():
    with pytest.raises(ValueError, match="two are the ends of an interval, such as 0.1 and 0.9; got \\[0.1, 0.8\\]"):
        coverage_by_level([1.0], [[0.0, 2.0]], [0.1, 0.8])
    with pytest.raises(ValueError, match="`levels` of pit_histogram must be in order"):
        pit_histogram([1.0], [[0.0, 2.0]], [0.9, 0.1])
    with pytest.raises(ValueError, match=r"`quantiles` of shape \(1, 2\)"):
        coverage_by_level([1.0], [[0.0]], [0.1, 0.9])
    with pytest.raises(ValueError, match=r"needs y_true of shape \(n_windows, horizon, C\) for `by='horizon'`"):
        coverage_by_level([1.0], [[0.0, 2.0]], [0.1, 0.9], by="horizon")
    with pytest.raises(ValueError, match="`by` of pit_histogram"):
        pit_histogram([1.0], [[0.0, 2.0]], [0.1, 0.9], by="window")
