"""The test of Diebold and Mariano against the paired t test, a loop over its formula, and a simulation."""

import numpy as np
import pytest
from scipy import stats

from tsrnn.evaluation import diebold_mariano, mean_interval

RNG = np.random.default_rng(0)
ONE, OTHER = RNG.gamma(2, size=(2, 40))


def test_without_lags_it_is_the_paired_t_test():
    expected = stats.ttest_rel(ONE, OTHER)
    found = diebold_mariano(ONE, OTHER)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-12)


@pytest.mark.parametrize("lags", [1, 2, 5])
def test_by_the_formula(lags):
    d = (ONE - OTHER).tolist()
    n, h = len(d), lags + 1
    mean = sum(d) / n
    gamma = [sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n for k in range(h)]
    plain = mean / ((gamma[0] + 2 * sum(gamma[1:])) / n) ** 0.5
    expected = plain * ((n + 1 - 2 * h + h * (h - 1) / n) / n) ** 0.5
    found = diebold_mariano(ONE, OTHER, lags=lags)
    assert found.statistic == pytest.approx(expected, rel=1e-12)
    assert found.p_value == pytest.approx(2 * stats.t.cdf(-abs(expected), n - 1), rel=1e-12)
    reverse = diebold_mariano(OTHER, ONE, lags=lags)
    assert (reverse.statistic, reverse.p_value) == pytest.approx((-found.statistic, found.p_value))


def test_how_often_equal_forecasts_are_told_apart():
    """Errors of four steps overlap: with three lags about one in twenty, without lags far more."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((600, 203))
    moving = np.lib.stride_tricks.sliding_window_view(noise, 4, axis=1).sum(axis=-1)
    share = {lags: np.mean([diebold_mariano(d, 0 * d, lags=lags).p_value < 0.05 for d in moving]) for lags in (0, 3)}
    assert 0.02 < share[3] < 0.09  # two standard errors of 600 are 0.018
    assert share[0] > 0.2


def test_what_is_not_defined():
    assert np.isnan(diebold_mariano(ONE, ONE)).all()
    assert np.isnan(diebold_mariano(ONE + 1 / 3, ONE)).all()
    assert np.isnan(diebold_mariano(ONE[:3], OTHER[:3], lags=2)).all()
    alternating = np.tile([1.0, -1.0], 10)
    assert np.isnan(diebold_mariano(alternating, 0 * alternating, lags=1)).all()


def test_bad_input():
    with pytest.raises(ValueError, match=r"two vectors of one length; got \(40,\) and \(39,\)"):
        diebold_mariano(ONE, OTHER[1:])
    with pytest.raises(ValueError, match="got nan and .* at position 3"):
        diebold_mariano(np.where(np.arange(40) == 3, np.nan, ONE), OTHER)
    with pytest.raises(ValueError, match="`lags` of diebold_mariano must be an integer of at least 0; got -1"):
        diebold_mariano(ONE, OTHER, lags=-1)


@pytest.mark.parametrize("lags", [0, 3])
def test_intervals_of_means_end_where_the_test_begins_to_reject(lags):
    lower, upper = mean_interval(ONE, lags=lags, confidence=0.8)
    assert lower + upper == pytest.approx(2 * ONE.mean())
    for end in (lower, upper):
        assert diebold_mariano(ONE, np.full(40, end), lags=lags).p_value == pytest.approx(0.2)
    if not lags:
        expected = stats.t.interval(0.8, 39, ONE.mean(), stats.sem(ONE))
        assert (lower, upper) == pytest.approx(expected)


def test_intervals_that_are_not_defined_and_bad_input():
    assert np.isnan(mean_interval([1.0, 2.0], lags=1)).all() and np.isnan(mean_interval([1.0, 1.0, 1.0])).all()
    with pytest.raises(ValueError, match="`confidence` of mean_interval"):
        mean_interval(ONE, confidence=95)
    with pytest.raises(ValueError, match="a vector of finite numbers"):
        mean_interval([1.0, np.nan])
