"""Mixtures and other sums of distributions against brute force."""

import numpy as np
import pytest
from scipy import stats

from tsrnn.forecasting.distributions import Counts, Normal, Quantiles, Symmetric
from tsrnn.forecasting.mixtures import Mixture, Spread, pooled

RNG = np.random.default_rng(0)
SHAPE = 2, 3, 1
U = np.array([1e-4, 0.05, 0.3, 0.5, 0.9, 0.9999])[:, None, None, None] * np.ones(SHAPE)


def normals(count=3):
    return [Normal(RNG.normal(0, 3, SHAPE), RNG.uniform(0.2, 2, SHAPE)) for _ in range(count)]


def counts(count=3):
    return [Counts(stats.poisson, {"mu": RNG.uniform(0.2, 30, SHAPE)}) for _ in range(count)]


@pytest.mark.parametrize("kind", ["normal", "t", "quantiles"])
def test_a_mixture_has_the_mean_of_probabilities(kind):
    parts = normals()
    if kind == "t":
        parts = [
            Symmetric(stats.t, {"df": np.full(SHAPE, 3.0), "loc": part.arguments["loc"], "scale": np.ones(SHAPE)})
            for part in parts
        ]
    if kind == "quantiles":
        levels = np.array([0.1, 0.5, 0.9])
        parts = [Quantiles(levels, np.sort(RNG.normal(0, 3, (*SHAPE, 3)))) for _ in range(3)]
    mixture = Mixture(parts)
    assert mixture.shape == SHAPE
    values = RNG.normal(0, 3, SHAPE)
    np.testing.assert_allclose(mixture.cdf(values), np.mean([part.cdf(values) for part in parts], axis=0))
    np.testing.assert_allclose(mixture.cdf(mixture.at(U)), U, atol=1e-9)
    np.testing.assert_array_equal(mixture.ppf(U[:, 0, 0, 0]), np.moveaxis(mixture.at(U), 0, -1))
    np.testing.assert_allclose(mixture.mean(), np.mean([part.mean() for part in parts], axis=0))
    np.testing.assert_allclose(mixture.point(), np.mean([part.point() for part in parts], axis=0))


def test_quantiles_of_a_mixture_are_those_of_draws():
    parts = normals(2)
    drawn = np.concatenate(
        [RNG.normal(part.arguments["loc"], part.arguments["scale"], (200_000, *SHAPE)) for part in parts]
    )
    np.testing.assert_allclose(Mixture(parts).at(U)[1:5], np.quantile(drawn, U[1:5, 0, 0, 0], axis=0), atol=0.12)


def test_mixed_counts_are_counts():
    parts = counts()
    mixture, values = Mixture(parts), np.arange(200.0)[:, None, None, None] * np.ones(SHAPE)
    reached = np.mean([stats.poisson.cdf(values, part.arguments["mu"]) for part in parts], axis=0)
    expected = (reached[None] < U[:, None]).sum(axis=1)  # the first count that reaches the probability
    np.testing.assert_array_equal(mixture.at(U), expected)
    steps = np.mean([stats.poisson.pmf(values, part.arguments["mu"]) for part in parts], axis=0)
    np.testing.assert_allclose(mixture.cdf(values[7]), reached[7] - steps[7] / 2)
    np.testing.assert_allclose(mixture.point(), mixture.mean())


def test_trained_quantiles_are_averaged():
    levels, values = np.array([0.1, 0.5, 0.9]), np.sort(RNG.normal(size=(4, *SHAPE, 3)))
    found = pooled([Quantiles(levels, each) for each in values])
    assert isinstance(found, Quantiles)
    np.testing.assert_allclose(found.ppf(levels), values.mean(axis=0))
    assert (np.diff(found.values) >= 0).all()


def test_spreads_add_up_to_that_of_all_draws():
    drawn = RNG.normal(RNG.normal(0, 3, (3, 1, *SHAPE)), 1, (3, 50, *SHAPE))
    parts = [Spread(each[0], each.std(axis=0), each.mean(axis=0)) for each in drawn]
    found = pooled(parts)
    np.testing.assert_allclose(found.arguments["scale"], drawn.reshape(150, *SHAPE).std(axis=0))
    np.testing.assert_allclose(found.point(), drawn[:, 0].mean(axis=0))
    assert isinstance(pooled(normals()), Mixture)


def test_scores_go_there_and_back():
    scores = np.array([-30.0, -2, 0, 1, 30])[:, None, None, None] * np.ones(SHAPE)
    normal = normals(1)[0]
    np.testing.assert_allclose([normal.scores(each) for each in normal.at_scores(scores)], scores)  # however far off
    other = Symmetric(stats.laplace, {"loc": np.ones(SHAPE), "scale": np.full(SHAPE, 2.0)})
    inside = scores[1:4]
    np.testing.assert_allclose(other.at_scores(inside), stats.laplace.ppf(stats.norm.cdf(inside), 1, 2))
    np.testing.assert_allclose([other.scores(each) for each in other.at_scores(inside)], inside, atol=1e-9)
    assert np.isfinite(other.scores(np.full(SHAPE, 1e9))).all()
