"""scikit-learn's own checks, with the default constructors."""

import warnings

import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator

from tsrnn import RNNClassifier, RNNRegressor

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "training goes through shuffled mini-batches, so that sequences "
    "that are repeated or left out make other batches than weights of 2 or 0 do; scikit-learn says so of its own SGD "
    "estimators",
}


@pytest.mark.parametrize("kind", [RNNRegressor, RNNClassifier])
def test_only_what_mini_batches_cannot_do_fails(kind):
    """The check that is expected to fail has to, and no other may."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        results = check_estimator(kind(), expected_failed_checks=EXPECTED, on_skip=None)
    statuses = {name: {r["check_name"] for r in results if r["status"] == name} for name in ("passed", "xfail")}
    assert len(statuses["passed"]) > 40
    assert statuses["passed"].isdisjoint(EXPECTED), "declared as an expected failure, but it passes"
    assert statuses["xfail"] == set(EXPECTED)
