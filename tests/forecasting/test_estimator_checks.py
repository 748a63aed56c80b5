"""scikit-learn's own checks of estimators on forecasters, and why some of them cannot hold for a forecast."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator

from tsrnn import DenseForecaster, LinearForecaster, NaiveForecaster, RNNForecaster

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning", "ignore::tsrnn.DataWarning")

HISTORY = "a forecast reads the target's history, which `fit` had as `y`; the check gives `predict` X alone"
# What the check asks for speaks against time order, or against a kind of input that forecasters take.
AGAINST_TIME_ORDER = {
    "check_methods_sample_order_invariance": "rows are a series: in another order they are another one",
    "check_methods_subset_invariance": "a forecast reads rows together: from fewer rows it is another one",
    "check_sample_weight_equivalence_on_dense_data": "a repeated row is a later row, not one of twice the weight",
    "check_fit1d": "an array of one dimension is a series",
    "check_estimators_empty_data_messages": "with y the target is there, and can be forecast from itself alone",
    "check_dtype_object": "columns that are not numeric are left out and listed in `summary()`, not refused",
    "check_sample_weights_not_an_array": "an unknown kind of table may hold stamps and names: it is refused",
}
WITHOUT_HISTORY = {
    "check_dict_unchanged": HISTORY,
    "check_estimators_dtypes": HISTORY,
    "check_estimators_nan_inf": HISTORY,
    "check_estimators_pickle": HISTORY,
    "check_f_contiguous_array_estimator": HISTORY,
    "check_fit_idempotent": HISTORY,
}


def run_checks(forecaster, expected):
    """Run the checks: those that are expected to fail have to, and no other may."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        results = check_estimator(forecaster, expected_failed_checks=expected, on_skip=None)
    passed = {result["check_name"] for result in results if result["status"] == "passed"}
    assert len(passed) > 25
    assert passed.isdisjoint(expected), "declared as an expected failure, but it passes"
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(expected)


@pytest.mark.parametrize("kind", [NaiveForecaster, LinearForecaster, DenseForecaster, RNNForecaster])
def test_only_what_a_forecast_cannot_do_fails(kind):
    run_checks(kind(), AGAINST_TIME_ORDER | WITHOUT_HISTORY)


class LinearWithHistory(LinearForecaster):
    """Keeps the y of `fit` for a `predict` that gets none."""

    def fit(self, X, y=None, *, X_val=None, sample_weight=None):
        super().fit(X, y, X_val=X_val, sample_weight=sample_weight)
        self.y_ = None if y is None else np.array(y)
        return self

    def predict(self, X=None, y=None, *, horizon=None):
        if y is None and X is not None and "y_" in vars(self):
            y = self.y_[: len(X)]
        return super().predict(X, y, horizon=horizon)


def test_the_history_is_all_that_those_checks_miss():
    """The reason given for them is the true one: with the history at hand they pass."""
    run_checks(LinearWithHistory(lookback=3, horizon=1), AGAINST_TIME_ORDER)  # short windows, for `predict` on few rows
