"""Which sequences are held out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequence_sets import TINY, make_sequences

from tsrnn import RNNClassifier
from tsrnn.estimators.split import split


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(2, 40), min_size=1, max_size=5), st.floats(0.1, 0.5), st.integers(0, 2**31 - 1))
def test_strata_keep_their_shares(counts, fraction, seed):
    strata = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    held_out = round(fraction * strata.size)
    if held_out == 0:
        return
    train, validation = split(strata, fraction, seed)
    assert np.sort(np.concatenate([train, validation])).tolist() == list(range(strata.size))
    assert validation.size == held_out
    of_each = np.bincount(strata[validation], minlength=len(counts))
    assert (np.abs(of_each - held_out / strata.size * np.array(counts)) <= 1 + 1e-9).all()
    assert set(strata[train]) == set(range(len(counts)))


def test_the_only_one_of_a_class_is_trained_on():
    strata = np.array([0] * 30 + [1])
    for seed in range(20):
        assert 30 in split(strata, 0.5, seed)[0]


def test_the_draw():
    strata = np.zeros(20, int)
    draws = {tuple(split(strata, 0.25, seed)[1].tolist()) for seed in range(10)}
    assert len(draws) > 5
    assert draws == {tuple(split(strata, 0.25, seed)[1].tolist()) for seed in range(10)}
    assert split(strata, 0, 0)[0].tolist() == list(range(20))


def test_a_part_that_would_be_empty():
    for fraction, part in ((0.01, "validation"), (0.99, "training")):
        with pytest.raises(
            ValueError, match=rf"`validation_fraction={fraction}` of 20 sequences leaves none for {part}"
        ):
            split(np.zeros(20, int), fraction, 0)


def test_classes_are_strata():
    """Of 31 and 9 sequences 8 and 2 are held out: seen in what balanced weights divide by, the counts of the rest."""
    X, _ = make_sequences(count=40)
    y = np.repeat(["a", "b"], [31, 9])
    step = TINY | {"max_epochs": 1, "validation_fraction": 0.25, "batch_size": 30}
    weighed = RNNClassifier(**step, class_weight="balanced").fit(X, y)
    same = RNNClassifier(**step, class_weight={"a": 1 / 23, "b": 1 / 7}).fit(X, y)
    np.testing.assert_allclose(weighed.state_.theta, same.state_.theta, rtol=1e-5, atol=1e-8)
    other = RNNClassifier(**step, class_weight={"a": 1 / 31, "b": 1 / 9}).fit(X, y)
    assert np.abs(other.state_.theta - same.state_.theta).max() > 1e-5
