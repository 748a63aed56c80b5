"""Files: what comes back is the same estimator, to the bit; so do copies of every kind."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sequence_sets import TINY, given, make_ragged, make_sequences, targets_for

import tsrnn
from tsrnn import ModelFileError, NaiveForecaster, RNNClassifier, RNNRegressor
from tsrnn.nn import GRU, LSTM, Dense, Dropout, Huber
from tsrnn.persistence import save_file
from tsrnn.training import SGD, RMSprop

X, Y = make_sequences()
FRAME = pd.DataFrame(X.reshape(40, -1), columns=[f"x{i}" for i in range(12)])
RAGGED, SUMS = make_ragged()
PER_STEP = [np.cumsum(x[:, 0]) for x in RAGGED]
CASES = {
    "cube": ({}, X, Y),
    "frame": ({"n_steps": 6, "scaler": "robust"}, FRAME, Y),
    "ragged": ({"cell": "lstm", "n_layers": 2, "optimizer": SGD(0.5), "validation_fraction": 0.2}, RAGGED, SUMS),
    "per step": ({"return_sequences": True, "optimizer": RMSprop(), "scaler": None}, RAGGED, PER_STEP),
    "several targets": ({"warm_start": True}, X, np.stack([Y, -Y], axis=1)),
    "layers": ({"layers": [GRU(3, return_sequences=True), Dropout(0.1), LSTM(2), Dense(3, activation="relu")]}, X, Y),
}
LABELS = {
    "str": np.array(["down", "up"]),
    "object": np.array(["down", "up"], dtype=object),
    "int": np.array([-3, 400]),
    "uint8": np.array([0, 255], np.uint8),
    "bool": np.array([False, True]),
    "float": np.array([0.0, 1.0]),
    "big": np.array([2**62, 2**62 + 1]),
}


def names(kind, y):
    return [targets_for(kind, part) for part in y] if isinstance(y, list) else targets_for(kind, y)


def same(found, expected):
    """The same arrays to the bit, or lists of them."""
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def copies(model, folder):
    model.save(folder / "file")
    joblib.dump(model, folder / "joblib")
    return {
        "load": tsrnn.load(folder / "file"),
        "class": type(model).load(str(folder / "file")),
        "pickle": pickle.loads(pickle.dumps(model)),
        "deepcopy": copy.deepcopy(model),
        "joblib": joblib.load(folder / "joblib"),
    }


@pytest.mark.parametrize("case", CASES)
def test_every_copy_is_the_same(kind, case, tmp_path):
    options, inputs, y = CASES[case]
    y = names(kind, y)
    model = kind(**TINY, **options).fit(inputs, y)
    found, labels, text, learned = given(model, inputs), model.predict(inputs), str(model.summary()), set(vars(model))
    everyone, history = copies(model, tmp_path), model.history_
    model.partial_fit(inputs, y)
    for name, other in everyone.items():
        assert type(other) is kind
        assert other.get_params() == model.get_params(), name
        assert same(given(other, inputs), found), name
        assert same(other.predict(inputs), labels)
        assert str(other.summary()) == text
        assert set(vars(other)) == learned
        assert other.history_.equals(history)
        other.partial_fit(inputs, y)  # with the moments of before
        assert other.state_.theta.tobytes() == model.state_.theta.tobytes(), name
        assert same(given(other, inputs), given(model, inputs)), name


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_classes(labels, tmp_path):
    model = RNNClassifier(**TINY).fit(X, labels[(Y > 0).astype(int)])
    model.save(tmp_path / "file")
    loaded = tsrnn.load(tmp_path / "file")
    assert loaded.classes_.dtype == model.classes_.dtype
    assert_array_equal(loaded.classes_, model.classes_)
    assert_array_equal(loaded.predict(X), model.predict(X))


def test_classes_of_several_targets(tmp_path):
    y = pd.DataFrame({"sign": np.where(Y > 0, "up", "down"), "third": np.digitize(Y, [-0.6, 0.6])})
    model = RNNClassifier(**TINY).fit(X, y)
    model.save(tmp_path / "file")
    assert_array_equal(tsrnn.load(tmp_path / "file").predict(X), model.predict(X))


def test_names_of_columns(tmp_path):
    RNNRegressor(**TINY, n_steps=6).fit(FRAME, Y).save(tmp_path / "file")
    loaded = tsrnn.load(tmp_path / "file")
    assert loaded.feature_names_in_.tolist() == list(FRAME.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.predict(FRAME.rename(columns={"x3": "other"}))


def test_classes_that_cannot_be_saved(tmp_path):
    days = np.array(["2024-01-01", "2024-01-02"], "datetime64[D]")[(Y > 0).astype(int)]
    model = RNNClassifier(**TINY).fit(X, days)
    with pytest.raises(TypeError, match=r"Classes must be texts, bools or numbers.*pickle"):
        model.save(tmp_path / "file")
    assert not list(tmp_path.iterdir())
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_loaded_estimators_save_the_same_bytes(kind, tmp_path):
    kind(**TINY).fit(X, targets_for(kind, Y)).save(tmp_path / "a")
    tsrnn.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_values_of_parameters(tmp_path):
    options = {"loss": Huber(0.5), "callbacks": [print_nothing], "random_state": np.random.RandomState(0)}
    RNNRegressor(**TINY | options).fit(X, Y).save(tmp_path / "file")
    loaded = tsrnn.load(tmp_path / "file")
    assert (loaded.loss, loaded.callbacks, loaded.random_state) == (Huber(0.5), None, None)
    RNNClassifier(**TINY, class_weight={0: 1.0, 1: 2.0}).fit(X, (Y > 0).astype(int)).save(tmp_path / "file")
    assert tsrnn.load(tmp_path / "file").class_weight == {0: 1.0, 1: 2.0}
    weights = [{"a": 1.0, "b": 2.0}, {"a": 0.5, "b": 1.0}]
    y = np.stack([np.where(Y > 0, "a", "b")] * 2, axis=1)
    RNNClassifier(**TINY, class_weight=weights).fit(X, y).save(tmp_path / "file")
    assert tsrnn.load(tmp_path / "file").fit(X, y).class_weight == weights


def print_nothing(record):
    """A callback."""


def test_of_another_class(tmp_path):
    RNNRegressor(**TINY).fit(X, Y).save(tmp_path / "file")
    with pytest.raises(ModelFileError, match=r"holds a RNNRegressor, not a RNNClassifier.*RNNRegressor\.load"):
        RNNClassifier.load(tmp_path / "file")
    with pytest.raises(ModelFileError, match="holds a RNNRegressor, not a NaiveForecaster"):
        NaiveForecaster.load(tmp_path / "file")


@pytest.mark.parametrize("name", ["load", "nn", "__version__", "TokenSequencer", "BelowNaiveWarning"])
def test_public_names_that_are_no_estimators(tmp_path, name):
    save_file(tmp_path / "file", {}, {"estimator": name, "parameters": {}, "state": {}})
    with pytest.raises(ModelFileError, match=f"holds a {name}, which is no estimator"):
        tsrnn.load(tmp_path / "file")


def test_damaged_states(tmp_path):
    RNNClassifier(**TINY).fit(X, Y > 0).save(tmp_path / "file")
    arrays, document = tsrnn.persistence.read_file(tmp_path / "file")
    for broken in (
        {"classes": [{"dtype": "M8[D]", "values": [1, 2]}]},
        {"classes": 3},
        {"specs": ({"spec": "os", "fields": {}},)},
        {"form": {"features": -1}},
    ):
        save_file(tmp_path / "file", arrays, document | {"state": document["state"] | broken})
        with pytest.raises(ModelFileError, match="no estimator can be made of it"):
            tsrnn.load(tmp_path / "file")
    short = {name: array for name, array in arrays.items() if name != "weights.gru_0.bias"}
    save_file(tmp_path / "file", short, document)
    with pytest.raises(ModelFileError, match="gru_0.bias"):
        tsrnn.load(tmp_path / "file")
