"""Heads of distributions against scipy's likelihoods; their slopes against differences."""

import numpy as np
import pytest
from scipy import special

from tests.reference import heads as reference
from tsrnn._jit import kernel
from tsrnn.kernels.special import digamma, logistic, softplus
from tsrnn.nn.heads import DISTRIBUTIONS, Quantile

LEVELS = (0.02, 0.3, 0.5, 0.6, 0.9)
HEADS = {
    "quantile": (Quantile(LEVELS), lambda *given: reference.pinball(*given, LEVELS)),
    "quantile above": (Quantile([0.5, 0.9]), lambda *given: reference.pinball(*given, [0.5, 0.9])),
    "quantile below": (Quantile([0.1]), lambda *given: reference.pinball(*given, [0.1, 0.5])),
} | {name: (DISTRIBUTIONS[name], getattr(reference, name)) for name in DISTRIBUTIONS if name != "quantile"}
COUNTS = ("poisson", "negative_binomial")


@kernel
def _loss(head, raw, wanted, unit, slopes):
    return head.loss_of(raw, wanted, unit, slopes)


@kernel
def _parameters(head, raw, center, scale):
    head.parameters(raw, center, scale)


@kernel
def _center(head, raw):
    return head.center_of(raw)


def cases(name, head):
    rng = np.random.default_rng(0)
    for spread in (0.3, 2.0, 6.0):
        for unit in (1.0, 7.5):
            raw = rng.normal(0, spread, head.width)
            wanted = rng.poisson(2.0) / unit if name in COUNTS else rng.normal(0, spread)
            yield raw, wanted, unit
    yield np.zeros(head.width), 0.0, 3.0


@pytest.mark.parametrize("name", HEADS)
def test_losses_are_those_of_scipy(name):
    head, oracle = HEADS[name]
    for raw, wanted, unit in cases(name, head):
        loss = _loss(head, raw, wanted, unit, np.zeros(head.width))
        np.testing.assert_allclose(loss, oracle(raw, wanted, unit), rtol=1e-8, atol=1e-8, err_msg=f"{raw} {wanted}")


@pytest.mark.parametrize("name", HEADS)
def test_slopes_are_those_of_the_loss(name):
    head, oracle = HEADS[name]
    for raw, wanted, unit in cases(name, head):
        slopes = np.full(head.width, np.nan)
        _loss(head, raw, wanted, unit, slopes)
        for k in range(head.width):
            up, down = raw.copy(), raw.copy()
            up[k], down[k] = up[k] + 1e-5, down[k] - 1e-5
            expected = (oracle(up, wanted, unit) - oracle(down, wanted, unit)) / 2e-5
            if not (name.startswith("quantile") and wanted == 0 and not raw.any()):  # a kink: the slope is in between
                np.testing.assert_allclose(slopes[k], expected, rtol=2e-5, atol=2e-6, err_msg=f"{k}: {raw} {wanted}")


def test_quantiles_are_in_order_and_those_of_the_reference():
    head = Quantile(LEVELS)
    for raw, _, _ in cases("quantile", head):
        given = raw.copy()
        _parameters(head, given, 5.0, 2.0)
        np.testing.assert_allclose(given, reference.quantiles(raw, LEVELS) * 2 + 5)
        assert (np.diff(given) >= 0).all()
        assert _center(head, raw) * 2 + 5 == pytest.approx(given[LEVELS.index(0.5)])


def test_levels_are_sorted_and_hold_the_median():
    assert Quantile([0.9, 0.1, 0.9]).levels.tolist() == [0.1, 0.5, 0.9]
    assert Quantile([0.9, 0.1]).middle == 1


@pytest.mark.parametrize("name", ["gaussian", "laplace", "student_t"])
def test_places_move_and_widths_are_stretched(name):
    head, raw = DISTRIBUTIONS[name], np.array([0.5, -1.0, 0.3])
    given, plain = raw[: head.width].copy(), raw[: head.width].copy()
    _parameters(head, given, 10.0, 4.0)
    _parameters(head, plain, 0.0, 1.0)
    assert given[0] == plain[0] * 4 + 10 == _center(head, raw) * 4 + 10
    assert given[1] == plain[1] * 4 == pytest.approx(4 * (np.logaddexp(0, -1.0) + 1e-4))
    assert given[2:].tolist() == plain[2:].tolist()


def test_digamma_softplus_and_logistic_are_those_of_scipy():
    x = np.concatenate((np.geomspace(1e-4, 1e6, 60), [1.0, 2.0, 6.0]))
    np.testing.assert_allclose([digamma(value) for value in x], special.digamma(x), rtol=1e-11, atol=1e-11)
    x = np.array([-800.0, -40, -1, 0, 1, 40, 800])
    np.testing.assert_allclose([softplus(value) for value in x], np.logaddexp(0, x), rtol=1e-14)
    np.testing.assert_allclose([logistic(value) for value in x], special.expit(x), rtol=1e-14)
