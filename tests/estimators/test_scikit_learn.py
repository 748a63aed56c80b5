"""The estimators inside scikit-learn: searches, pipelines, cross-validation, calibration, importance, routing."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sequence_sets import TINY, make_ragged, make_sequences, targets_for
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score, cross_validate
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn import RNNClassifier, RNNRegressor
from tsrnn.nn import GRU

X, Y = make_sequences(count=120)
TABLE = X.reshape(120, -1)
LEARNING = {"hidden_size": 8, "max_epochs": 40, "random_state": 0}


def test_tags(kind):
    assert is_classifier(kind()) == (kind is RNNClassifier)
    assert is_regressor(kind()) == (kind is RNNRegressor)


def test_clone(kind):
    model = kind(hidden_size=[4, 3], layers=[GRU(3)], n_steps=5, scaler=None).fit(X, targets_for(kind, Y))
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    assert not any(name.endswith("_") for name in vars(copied))


@pytest.mark.parametrize("inputs", [X, TABLE], ids=["cube", "table"])
def test_cross_validation(kind, inputs):
    model, y = kind(**LEARNING, n_steps=6), targets_for(kind, Y)
    scores = cross_val_score(model, inputs, y, cv=3, error_score="raise")
    assert scores.min() > 0.7
    assert cross_val_predict(model, inputs, y, cv=3).shape == (120,)


def test_cross_validation_of_sequences_of_different_lengths(kind):
    ragged, sums = make_ragged(count=120)
    y = targets_for(kind, sums)
    assert cross_val_score(kind(**LEARNING), ragged, y, cv=3, error_score="raise").min() > 0.7
    found = GridSearchCV(kind(**LEARNING), {"hidden_size": [1, 8]}, cv=2, error_score="raise").fit(ragged, y)
    assert found.best_params_ == {"hidden_size": 8}


def test_search(kind):
    y = targets_for(kind, Y)
    grid = {"hidden_size": [1, 8], "cell": ["rnn", "gru"]}
    found = GridSearchCV(kind(**LEARNING), grid, cv=3, error_score="raise").fit(X, y)
    assert found.best_params_["hidden_size"] == 8
    assert found.score(X, y) > 0.9


def test_pipeline(kind):
    """A pipeline's scaler stands in place of the estimator's own."""
    y = targets_for(kind, Y)
    inside = make_pipeline(StandardScaler(), kind(**LEARNING, n_steps=6, scaler=None)).fit(TABLE, y)
    assert inside.score(TABLE, y) > 0.9
    names = pd.DataFrame(TABLE).rename(columns=str)
    framed = make_pipeline(StandardScaler(), kind(**LEARNING, n_steps=6, scaler=None)).set_output(transform="pandas")
    assert_array_equal(framed.fit(names, y).predict(names), inside.predict(TABLE))
    assert framed[-1].feature_names_in_.tolist() == list(names.columns)
    search = GridSearchCV(inside, {f"{kind.__name__.lower()}__hidden_size": [2, 4]}, cv=2, error_score="raise")
    assert search.fit(TABLE, y).best_score_ > 0.5


def test_calibration():
    noisy = np.where(Y + 0.5 * np.random.default_rng(0).normal(size=120) > 0, "up", "down")
    calibrated = CalibratedClassifierCV(RNNClassifier(**LEARNING, n_steps=6), cv=3).fit(TABLE, noisy)
    chances = calibrated.predict_proba(TABLE)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert (calibrated.predict(TABLE) == noisy).mean() > 0.8


def test_importance(kind):
    """Y is the sum of the first feature of the last two steps, which are columns 8 and 10."""
    y = targets_for(kind, Y)
    model = kind(**LEARNING, n_steps=6).fit(TABLE, y)
    found = permutation_importance(model, TABLE, y, n_repeats=3, random_state=0).importances_mean
    assert set(np.argsort(found)[-2:]) == {8, 10}


def test_meta_estimators_of_several_targets():
    y = np.stack([Y, -Y], axis=1)
    found = MultiOutputRegressor(RNNRegressor(**TINY, n_steps=6)).fit(TABLE, y).predict(TABLE)
    assert_array_equal(found[:, 0], RNNRegressor(**TINY, n_steps=6).fit(TABLE, Y).predict(TABLE))


def test_weights_are_routed(kind):
    weights, y = np.resize([1.0, 0.0, 0.0], 120), targets_for(kind, Y)
    direct = kind(**TINY, n_steps=6, scaler=None)
    with sklearn.config_context(enable_metadata_routing=True):
        last = kind(**TINY, n_steps=6, scaler=None).set_fit_request(sample_weight=True)
        last.set_score_request(sample_weight=True)
        model = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), last)
        model.fit(TABLE, y, sample_weight=weights)
        scaled = StandardScaler().fit_transform(TABLE)
        direct.fit(scaled, y, sample_weight=weights)
        assert_array_equal(model.predict(TABLE), direct.predict(scaled))
        expected = direct.score(scaled, y, sample_weight=weights)
        assert model.score(TABLE, y, sample_weight=weights) == expected != direct.score(scaled, y)
        found = cross_validate(model, TABLE, y, params={"sample_weight": weights}, cv=2, error_score="raise")
        assert len(found["test_score"]) == 2
    assert (direct.predict(scaled) != kind(**TINY, n_steps=6, scaler=None).fit(scaled, y).predict(scaled)).any()


def test_validation_sequences_are_routed(kind):
    y = targets_for(kind, Y)
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(kind(**TINY, n_steps=6).set_fit_request(X_val=True, y_val=True))
        model.fit(TABLE[:80], y[:80], X_val=X[80:], y_val=y[80:])
    assert np.isfinite(model[-1].history_["val_loss"]).all()
