"""What can be learned: numbers and classes of any kind, one target or several, and what each sequence counts for."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sequence_sets import TINY, given, make_sequences, targets_for

from tsrnn import RNNClassifier, RNNRegressor
from tsrnn.nn import Huber
from tsrnn.training import SGD

X, Y = make_sequences(count=200)
LEARNING = {"hidden_size": 16, "max_epochs": 40, "random_state": 0}
THIRDS = np.digitize(Y, [-0.6, 0.6])


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["down", "flat", "up"]),
        np.array(["down", "flat", "up"], dtype=object),
        np.array([3, 7, 9]),
        np.array([-1.0, 0.0, 1.0]),
        np.array([2, 0, 1], np.uint8),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_three_classes(labels):
    y = labels[THIRDS]
    model = RNNClassifier(**LEARNING).fit(X, y)
    assert_array_equal(model.classes_, np.unique(labels))
    assert model.classes_.dtype == labels.dtype
    assert model.predict(X).dtype == labels.dtype
    assert model.score(X, y) > 0.95
    chances = model.predict_proba(X)
    assert_allclose(chances.sum(axis=1), 1, rtol=1e-6)
    assert_array_equal(model.classes_[chances.argmax(axis=1)], model.predict(X))
    assert_allclose(model.predict_log_proba(X), np.log(chances))


def test_the_names_of_classes_do_not_matter():
    by_number = RNNClassifier(**TINY).fit(X, THIRDS).predict_proba(X)
    by_name = RNNClassifier(**TINY).fit(X, np.array(["a", "b", "c"])[THIRDS]).predict_proba(X)
    assert_array_equal(by_number, by_name)


@pytest.mark.parametrize("y", [Y > 0, pd.Series(Y > 0), pd.Series(np.where(Y > 0, "up", "down"))], ids=repr)
def test_two_classes(y):
    model = RNNClassifier(**LEARNING).fit(X, y)
    assert model.predict_proba(X).shape == (200, 2)
    assert model.score(X, y) > 0.95


def test_several_targets_of_classes():
    y = np.stack([np.where(Y > 0, "up", "down"), np.array(["low", "mid", "high"])[THIRDS]], axis=1)
    model = RNNClassifier(**LEARNING).fit(X, y)
    assert [names.tolist() for names in model.classes_] == [["down", "up"], ["high", "low", "mid"]]
    assert [part.shape for part in model.predict_proba(X)] == [(200, 2), (200, 3)]
    assert [part.shape for part in model.predict_log_proba(X)] == [(200, 2), (200, 3)]
    assert model.score(X, y) == (model.predict(X) == y).all(axis=1).mean() > 0.9
    mixed = pd.DataFrame({"sign": y[:, 0], "third": THIRDS})
    model.fit(X, mixed)
    assert model.predict(X)[0, 0] in ("up", "down") and model.predict(X)[0, 1] in (0, 1, 2)
    assert model.score(X, mixed) > 0.9


def test_classes_of_several_kinds_stay_what_they_are():
    """Named by hand, since an array of both would be an array of texts."""
    model = RNNClassifier(**TINY)
    y = pd.DataFrame({"sign": np.where(Y > 0, "up", "down"), "third": THIRDS})
    model.partial_fit(X, y, classes=[["down", "up"], [0, 1, 2, 3]])
    assert set(model.predict(X)[:, 1]) <= {0, 1, 2, 3}
    assert model.predict_proba(X)[1].shape == (200, 4)


def test_several_targets_of_numbers():
    y = np.stack([Y, 1000 + 300 * X[:, -1, 1]], axis=1)
    model = RNNRegressor(**LEARNING, validation_fraction=0.2).fit(X, y)
    found = model.predict(X)
    for column in range(2):
        assert np.corrcoef(found[:, column], y[:, column])[0, 1] > 0.95
    assert model.score(X, y) > 0.9
    one = RNNRegressor(**LEARNING, validation_fraction=0.2).fit(X, 300 * Y)
    assert one.history_["val_mae"].iloc[-1] > 1  # in the units of y


def test_predictions_are_in_the_units_of_y():
    """Other units of y, and of X, change nothing."""
    for options in (
        {},
        {"scaler": "minmax", "target_scaler": "minmax"},
        {"scaler": "robust", "target_scaler": "robust"},
    ):
        expected = RNNRegressor(**TINY, **options).fit(X, Y).predict(X)
        found = RNNRegressor(**TINY, **options).fit(32 * X + 8, 1024 * Y).predict(32 * X + 8)
        assert_allclose(found, 1024 * expected, rtol=1e-3, atol=0.1)
    unscaled = RNNRegressor(**TINY, scaler=None, target_scaler=None)
    assert np.abs(unscaled.fit(X, 1024 * Y).predict(X)).max() < 100  # it has hardly begun to learn so large numbers


@pytest.mark.parametrize("loss", ["mae", "mse", Huber(0.5)])
def test_losses(loss):
    assert RNNRegressor(**LEARNING, loss=loss).fit(X, Y).score(X, Y) > 0.9


# ---- weights ---------------------------------------------------------------------------------------------------
ONE_STEP = {"hidden_size": 4, "max_epochs": 1, "batch_size": 200, "random_state": 0, "scaler": None}
PLAIN = {"optimizer": SGD(momentum=0), "clip_norm": None, "learning_rate": 0.1}


def moved(kind, X, y, **options):
    """What one plain step adds to the weights: minus the gradient of the loss, times the rate."""
    model = kind(**ONE_STEP, **PLAIN, **options.pop("parameters", {})).fit(X, y, **options)
    return model.state_.theta - model.state_.network(6).initial(0)


def weighable(kind):
    return (X, THIRDS, {}) if kind is RNNClassifier else (X, Y, {"target_scaler": None})


def test_a_weight_of_zero_leaves_a_sequence_out(kind):
    X, y, parameters = weighable(kind)
    weights = np.resize([1.0, 0.0, 1.0], 200)
    kept = moved(kind, X, y, sample_weight=weights, parameters=parameters)
    other, wild = X.copy(), y.copy()
    other[weights == 0] += 1
    wild[weights == 0] = y.max() - wild[weights == 0]
    assert_array_equal(moved(kind, other, wild, sample_weight=weights, parameters=parameters), kept)
    assert_allclose(moved(kind, X[weights > 0], y[weights > 0], parameters=parameters), kept, rtol=1e-4, atol=1e-7)
    assert np.abs(moved(kind, X, y, parameters=parameters) - kept).max() > 1e-4


def test_a_weight_of_two_is_a_sequence_twice(kind):
    X, y, parameters = weighable(kind)
    weights = np.resize([2.0, 1.0], 200)
    twice = np.repeat(np.arange(200), weights.astype(int))
    parameters = parameters | {"batch_size": 300}
    step = ONE_STEP | PLAIN | parameters
    found = kind(**step).fit(X, y, sample_weight=weights).state_.theta
    assert_allclose(kind(**step).fit(X[twice], y[twice]).state_.theta, found, rtol=1e-4, atol=1e-7)
    assert_allclose(kind(**step).fit(X, y, sample_weight=weights / 7).state_.theta, found, rtol=1e-4, atol=1e-7)


def test_weights_of_sequences_count_at_each_step(kind):
    y = targets_for(kind, X[..., 0])
    weights = np.resize([1.0, 0.0], 200)
    step = {"return_sequences": True} | ({} if kind is RNNClassifier else {"target_scaler": None})
    kept = moved(kind, X, y, sample_weight=weights, parameters=step)
    assert_allclose(moved(kind, X[::2], y[::2], parameters=step), kept, rtol=1e-4, atol=1e-7)


def test_class_weights_are_sample_weights():
    for class_weight, each in (
        ({0: 1.0, 1: 3.0, 2: 0.5}, np.array([1, 3, 0.5])),
        ("balanced", 1 / np.bincount(THIRDS)),
    ):
        found = moved(RNNClassifier, X, THIRDS, parameters={"class_weight": class_weight})
        assert_allclose(moved(RNNClassifier, X, THIRDS, sample_weight=each[THIRDS]), found, rtol=1e-4, atol=1e-7)


def test_class_weights_of_several_targets_multiply():
    y = np.stack([THIRDS, Y > 0], axis=1)
    weights = [{0: 1.0, 1: 3.0, 2: 0.5}, {0: 2.0, 1: 5.0}]
    found = moved(RNNClassifier, X, y, parameters={"class_weight": weights})
    product = np.array([1, 3, 0.5])[y[:, 0]] * np.array([2, 5])[y[:, 1]]
    assert_allclose(moved(RNNClassifier, X, y, sample_weight=product), found, rtol=1e-4, atol=1e-7)
    balanced = moved(RNNClassifier, X, y, parameters={"class_weight": "balanced"})
    product = (1 / np.bincount(THIRDS))[y[:, 0]] * (1 / np.bincount(y[:, 1]))[y[:, 1]]
    assert_allclose(moved(RNNClassifier, X, y, sample_weight=product), balanced, rtol=1e-4, atol=1e-7)


def test_class_weights_are_those_of_training_rows():
    """Those of the validation part have no say, and its loss is weighed by the same."""
    first, last = THIRDS[:100], np.zeros(100, int)
    options = TINY | {"class_weight": "balanced", "restore_best_weights": False}
    model = RNNClassifier(**options).fit(X[:100], first, X_val=X[100:], y_val=last)
    expected = RNNClassifier(**options).fit(X[:100], first)
    assert_array_equal(given(model, X), given(expected, X))
    plain = -np.log(model.predict_proba(X[100:])[:, 0]).mean()  # one class: whatever it weighs, the mean is plain
    assert model.history_["val_loss"].iloc[-1] == pytest.approx(plain, rel=1e-5)


def test_class_weights_count_in_validation():
    weights = {0: 1.0, 1: 3.0, 2: 0.5}
    model = RNNClassifier(**TINY | {"restore_best_weights": False}, class_weight=weights)
    model.fit(X[:100], THIRDS[:100], X_val=X[100:], y_val=THIRDS[100:])
    losses = -np.log(model.predict_proba(X[100:])[np.arange(100), THIRDS[100:]])
    expected = np.average(losses, weights=np.array([1, 3, 0.5])[THIRDS[100:]])
    assert model.history_["val_loss"].iloc[-1] == pytest.approx(expected, rel=1e-5)


def test_balanced_weights_of_the_classes_that_came():
    """Going on with sequences among which a known class is missing."""
    some = THIRDS > 0
    moved_by = []
    for class_weight in ("balanced", {0: 1.0} | {k: 1 / (k == THIRDS).sum() for k in (1, 2)}):
        model = RNNClassifier(**ONE_STEP, **PLAIN, warm_start=True).fit(X, THIRDS)
        model.set_params(class_weight=class_weight).fit(X[some], THIRDS[some])
        moved_by.append(model.state_.theta)
    assert_allclose(*moved_by, rtol=1e-4, atol=1e-7)


def test_a_rare_class_is_found_with_balanced_weights():
    rng = np.random.default_rng(0)
    noisy = rng.normal(size=(1000, 4, 1))
    y = (noisy[:, -1, 0] + 0.8 * rng.normal(size=1000) > 2).astype(int)
    plain = RNNClassifier(**LEARNING | {"max_epochs": 10}).fit(noisy, y)
    balanced = RNNClassifier(**LEARNING | {"max_epochs": 10}, class_weight="balanced").fit(noisy, y)
    assert (balanced.predict(noisy) == 1)[y == 1].mean() > (plain.predict(noisy) == 1)[y == 1].mean() + 0.2
