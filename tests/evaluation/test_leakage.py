"""What is told of covariates that hold the future, what is not, and what is said about folds."""

import numpy as np
import pytest

from tsrnn.data import Panel
from tsrnn.evaluation.leakage import overlapping_folds, suspicious_covariates

RNG = np.random.default_rng(0)
NOISE = RNG.standard_normal(500)
WALK = NOISE.cumsum()
WAVE = np.sin(np.arange(500) * 2 * np.pi / 24)


def later(values, rows):
    return np.r_[values[rows:], np.zeros(rows)]


def found(*columns, indptr=(0, 500), reach=6, season=24, n_targets=1):
    values = np.column_stack(columns).astype(np.float32)
    panel = Panel(values, np.array(indptr), tuple(range(len(indptr) - 1)), np.zeros(len(indptr) - 1, np.int64))
    return suspicious_covariates(panel, n_targets, range(n_targets, values.shape[1]), reach, season)


@pytest.mark.parametrize("rows", [1, 4, 6])
@pytest.mark.parametrize("target", [NOISE, WALK, WAVE + NOISE / 3], ids=["noise", "walk", "wave"])
def test_a_column_shifted_the_wrong_way_is_found(target, rows):
    (suspect,) = found(target, NOISE[::-1], 7 - 3 * later(target, rows))
    assert suspect[:3] == (2, 0, rows)
    assert suspect.correlation == pytest.approx(-1, abs=0.01)
    assert abs(suspect.own) < 0.995


def test_beyond_the_horizon_nothing_is_told():
    assert not found(NOISE, later(NOISE, 7), reach=6)


@pytest.mark.parametrize(
    "covariate",
    [NOISE[::-1], np.r_[0, NOISE[:-1]], NOISE, later(NOISE, 2) + RNG.standard_normal(500) / 3],
    ids=["other", "the past", "the present", "a guess"],
)
def test_columns_that_hold_no_future(covariate):
    assert not found(NOISE, covariate)


def test_what_goes_on_as_before_is_not_suspicious():
    """Smooth and periodic targets are as near to themselves."""
    assert not found(np.arange(500.0), np.arange(500.0) * 2)
    assert not found(WAVE, later(WAVE, 5), reach=30)
    assert not found(WAVE, np.cos(np.arange(500) * 2 * np.pi / 24))


def test_constant_columns_and_short_series_tell_nothing():
    assert not found(NOISE, np.ones(500))
    assert not found(np.ones(500), NOISE)
    assert not found(NOISE[:20], later(NOISE[:20], 1), indptr=(0, 20))


def test_series_by_series():
    """Of each its own rows, whatever their level, and never those of the next one."""
    levels = np.repeat([0.0, 1000.0], 250)
    scale = np.repeat([1.0, 50.0], 250)
    target = NOISE * scale + levels
    ahead = np.r_[later(target[:250], 2), later(target[250:], 2)]
    ahead[[498, 499]] = 1000
    (suspect,) = found(target, ahead, indptr=(0, 250, 500))
    assert suspect[:3] == (1, 0, 2)
    assert not found(target, np.r_[later(target, 2)[:2], target[:-2]], indptr=(0, 250, 500))


def test_each_target_for_itself():
    (suspect,) = found(NOISE, WALK, later(WALK, 3), n_targets=2)
    assert suspect[:3] == (2, 1, 3)


def test_many_series_are_looked_at_in_part():
    values = RNG.standard_normal((3000, 40))
    target = values.ravel()
    ahead = np.column_stack([values[:, 1:], values[:, :1]]).ravel()
    indptr = np.arange(0, target.size + 1, 40)
    (suspect,) = found(target, ahead, indptr=indptr, reach=2, season=1)
    assert suspect[:3] == (1, 0, 1)


def test_folds():
    def rows(*positions):
        return np.array(positions)

    moments = np.array([0, 1, 2, 3, 0, 1, 2, 3])  # two series
    assert overlapping_folds([(rows(0, 1, 4, 5), rows(2, 6)), (rows(0, 1, 2, 4, 5, 6), rows(3, 7))], moments) == []
    assert overlapping_folds([(rows(0, 1, 2, 3), rows(4, 5))], moments) == [
        "fold 0 trains on rows at or after the first that it tests"
    ]
    assert overlapping_folds([(rows(0), rows(2, 3)), (rows(0, 1), rows(3))], moments) == [
        "1 rows are tested in more than one fold"
    ]
