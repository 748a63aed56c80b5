"""Small sets of sequences that estimators are tried on."""

import numpy as np

from tsrnn import RNNClassifier, RNNRegressor

TINY = {"hidden_size": 4, "max_epochs": 3, "random_state": 0}
KINDS = [RNNRegressor, RNNClassifier]


def make_sequences(count=40, steps=6, features=2, seed=0):
    """X (count, steps, features), and y: a number for each, or whether it is positive."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, steps, features))
    return X, X[:, -2:, 0].sum(axis=1)


def make_ragged(count=40, features=2, seed=0):
    """Sequences of 1 to 7 steps, and the sum of their first feature."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(length, features)) for length in rng.integers(1, 8, count)]
    return X, np.array([x[:, 0].sum() for x in X])


def targets_for(kind, y):
    """Numbers for the regressor, names of classes for the classifier."""
    return np.where(y > 0, "up", "down") if kind is RNNClassifier else y


def given(estimator, X):
    """Probabilities of a classifier, numbers of a regressor."""
    return estimator.predict_proba(X) if isinstance(estimator, RNNClassifier) else estimator.predict(X)
