"""The forms of X and of y: what they mean, and that the same sequences give the same results in each of them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sequence_sets import TINY, given, make_ragged, make_sequences, targets_for
from sklearn.metrics import accuracy_score, r2_score

from tsrnn import RNNClassifier, RNNRegressor
from tsrnn.nn import LSTM, SimpleRNN


def forms(X):
    """The same sequences in every form."""
    flat = X.reshape(len(X), -1)
    return {
        "cube": X,
        "columns": flat,
        "frame": pd.DataFrame(flat, columns=[f"x{i}" for i in range(flat.shape[1])]),
        "list": list(X),
        "list of lists": [x.tolist() for x in X],
        "Fortran order": np.asfortranarray(X),
        "float32": X.astype(np.float32).astype(np.float64),
    }


def test_all_forms_give_the_same(kind):
    X, y = make_sequences()
    X = X.astype(np.float32).astype(np.float64)
    y = targets_for(kind, y)
    expected = given(kind(**TINY, n_steps=6).fit(X, y), X)
    for name, form in forms(X).items():
        model = kind(**TINY, n_steps=6).fit(form, y)
        assert_array_equal(given(model, form), expected, err_msg=name)
        for other, again in forms(X).items():  # `predict` takes any of them, whatever `fit` had
            if not {"frame", "columns"} <= {name, other}:  # scikit-learn warns of names that come or go
                assert_array_equal(given(model, again), expected, err_msg=f"{name}, {other}")


class Tensor:
    """What other libraries have: no array, but NumPy can make one of it."""

    def __init__(self, values):
        self.values, self.ndim, self.shape = values, values.ndim, values.shape

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype or self.values.dtype)


def test_all_that_a_list_may_hold(kind):
    X, y = make_ragged()
    y = targets_for(kind, y)
    model = kind(**TINY).fit(X, y)
    expected = given(model, X)
    objects = np.empty(len(X), dtype=object)
    objects[:] = X
    frames = [pd.DataFrame(x, columns=["a", "b"], index=range(5, 5 + len(x))) for x in X]
    others = {
        "frames": frames,
        "frames with missing values that have none": [frame.astype("Float64") for frame in frames],
        "frames and arrays": [*frames[:20], *X[20:]],
        "lists": [x.tolist() for x in X],
        "tuples": tuple(tuple(map(tuple, x)) for x in X),
        "tensors": [Tensor(x) for x in X],
        "an array of objects": objects,
        "a Series": pd.Series(list(X)),
        "objects": [x.astype(object) for x in X],
    }
    for name, other in others.items():
        assert_array_equal(given(model, other), expected, err_msg=name)
    named = kind(**TINY).fit(frames, y)
    assert named.feature_names_in_.tolist() == ["a", "b"] and named.n_features_in_ == 2
    assert_array_equal(given(named, frames), expected)
    equal, _ = make_sequences()
    assert_array_equal(given(model, Tensor(equal)), given(model, equal))
    assert_array_equal(given(model, equal.astype(object)), given(model, equal))


def test_series_and_lists_of_numbers():
    """Lists of one length are a table; what is given for each step is a list wherever X is one."""
    X = [x[:, 0] for x in make_ragged(features=1)[0]]
    y = [np.cumsum(x) for x in X]
    model = RNNRegressor(**TINY, return_sequences=True).fit(X, y)
    series = [pd.Series(x) for x in X]
    again = RNNRegressor(**TINY, return_sequences=True).fit(series, [pd.Series(part) for part in y])
    expected = model.predict(X)
    for found in (model.predict([x.tolist() for x in X]), model.predict(series), again.predict(series)):
        assert_array_equal(np.concatenate(found), np.concatenate(expected))
    cube, _ = make_sequences(features=1)
    table = cube[:, :, 0]
    of_table = RNNRegressor(**TINY, return_sequences=True).fit(table.tolist(), table)
    assert of_table.n_features_in_ == 6
    for fitted in (model, of_table):
        for given_ in (table, table[:, :4]):
            found = fitted.predict(given_.tolist())
            assert isinstance(found, list)
            assert_array_equal(found, fitted.predict(given_[:, :, None]))


def test_without_n_steps_every_column_is_a_step(kind):
    X, y = make_sequences(features=1)
    y = targets_for(kind, y)
    expected = given(kind(**TINY).fit(X, y), X)
    for form in (X[:, :, 0], list(X[:, :, 0]), pd.DataFrame(X[:, :, 0])):
        assert_array_equal(given(kind(**TINY).fit(form, y), form), expected)


def test_features_and_names(kind):
    X, y = make_sequences()
    model = kind(**TINY, n_steps=6)
    y = targets_for(kind, y)
    assert model.fit(X, y).n_features_in_ == 2
    frame = forms(X)["frame"]
    assert model.fit(frame, y).n_features_in_ == 12
    assert model.feature_names_in_.tolist() == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"x3": "other"}))
    assert model.fit(list(X), y).n_features_in_ == 2
    assert not hasattr(model, "feature_names_in_")  # those of an earlier fit


def test_ragged_results_do_not_depend_on_the_others(kind):
    X, y = make_ragged()
    model = kind(**TINY).fit(X, targets_for(kind, y))
    together = given(model, X)
    assert len({len(x) for x in X}) == 7
    for i in (0, 1, 5, 17):
        assert_array_equal(given(model, [X[i]]), together[i : i + 1])
        assert_array_equal(given(model, X[i][None]), together[i : i + 1])  # without a mask, as nothing is missing
    for length in {len(x) for x in X}:
        same = [i for i, x in enumerate(X) if len(x) == length]
        assert_array_equal(given(model, np.stack([X[i] for i in same])), together[same])


def test_what_is_missing_is_no_zero(kind):
    """A step that is not there is another thing than one of zeros."""
    X, y = make_ragged()
    model = kind(**TINY).fit(X, targets_for(kind, y))
    short = min(X, key=len)
    padded = np.concatenate([short, np.zeros((3, 2))])
    assert np.abs(given(model, [short, X[0]])[0] - given(model, [padded, X[0]])[0]).max() > 1e-4


def test_longer_sequences_than_in_fit(kind):
    X, y = make_sequences()
    model = kind(**TINY).fit(X, targets_for(kind, y))
    long, _ = make_sequences(steps=15)
    assert len(given(model, long)) == 40
    joined = np.concatenate([np.tile(long[:, :1], (1, 200, 1)), X], axis=1)  # the state forgets what is long past
    assert np.isfinite(given(model, joined)).all()
    assert_array_equal(given(model, [*X, long[0]])[:40], given(model, X))


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("targets", [None, 2])
def test_a_target_for_each_step(kind, listed, targets):
    X = make_ragged()[0] if listed else make_sequences()[0]
    y = [np.cumsum(x[:, 0]) for x in X]
    if targets:
        y = [np.stack([part, -2 * part], axis=1) for part in y]
    y = [targets_for(kind, part) for part in y]
    model = kind(**TINY | {"max_epochs": 40, "hidden_size": 16}, return_sequences=True)
    model.fit(X, y if listed else np.stack(y))
    found = model.predict(X)
    assert isinstance(found, list) == listed
    assert [part.shape for part in found] == [part.shape for part in y]
    rows, wanted = np.concatenate(list(found)), np.concatenate(y)
    if kind is RNNRegressor:
        expected = r2_score(wanted, rows)
    else:
        expected = (rows == wanted).reshape(len(rows), -1).all(axis=1).mean()
    assert model.score(X, y) == pytest.approx(expected, rel=1e-12)
    assert expected > 0.8
    weights = np.random.default_rng(0).uniform(0, 1, len(X))
    spread = np.repeat(weights, [len(part) for part in y])
    if kind is RNNRegressor:
        expected = r2_score(wanted, rows, sample_weight=spread)
    else:
        expected = np.average((rows == wanted).reshape(len(rows), -1).all(axis=1), weights=spread)
    assert model.score(X, y, sample_weight=weights) == pytest.approx(expected, rel=1e-12)
    alone = model.predict([X[3]])[0]
    assert_array_equal(alone, found[3])


def test_steps_know_nothing_of_later_ones():
    X, _ = make_sequences()
    model = RNNRegressor(**TINY, return_sequences=True).fit(X, X[..., 0])
    changed = X.copy()
    changed[:, 4:] += 1
    assert_array_equal(model.predict(changed)[:, :4], model.predict(X)[:, :4])
    assert (model.predict(changed)[:, 4:] != model.predict(X)[:, 4:]).all()


def test_probabilities_for_each_step():
    X, _ = make_ragged()
    y = [np.where(x[:, 0] > 0, 1, 0) for x in X]
    model = RNNClassifier(**TINY, return_sequences=True).fit(X, y)
    found = model.predict_proba(X)
    assert [part.shape for part in found] == [(len(x), 2) for x in X]
    np.testing.assert_allclose([part.sum(axis=1).max() for part in found], 1, rtol=1e-6)
    for classes, part in zip(model.predict(X), found, strict=True):
        assert_array_equal(classes, model.classes_[part.argmax(axis=1)])


def test_targets_keep_their_shape():
    X, y = make_sequences()
    for shape in [(40,), (40, 1), (40, 2)]:
        numbers = np.resize(y, shape)
        assert RNNRegressor(**TINY).fit(X, numbers).predict(X).shape == shape
        assert RNNClassifier(**TINY).fit(X, numbers > 0).predict(X).shape == shape


def test_scores_are_those_of_scikit_learn():
    X, y = make_sequences()
    weights = np.random.default_rng(0).uniform(0, 1, 40)
    numbers, classes = RNNRegressor(**TINY).fit(X, y), RNNClassifier(**TINY).fit(X, y > 0)
    for sample_weight in (None, weights):
        options = {"sample_weight": sample_weight}
        assert numbers.score(X, y, **options) == pytest.approx(r2_score(y, numbers.predict(X), **options), rel=1e-12)
        expected = accuracy_score(y > 0, classes.predict(X), **options)
        assert classes.score(X, y > 0, **options) == pytest.approx(expected, rel=1e-12)


def test_layers_of_ones_own(kind):
    X, y = make_ragged()
    y = targets_for(kind, y)
    written = kind(**TINY, layers=[SimpleRNN(5, return_sequences=True), LSTM(4, go_backwards=True)]).fit(X, y)
    assert "LSTM" in str(written.summary())
    assert_array_equal(given(written, [X[7]]), given(written, X)[7:8])
    by_name = kind(**TINY | {"hidden_size": [5, 4]}, cell="lstm").fit(X, y)
    both = [LSTM(5, return_sequences=True), LSTM(4)]
    assert_array_equal(given(kind(**TINY, layers=both).fit(X, y), X), given(by_name, X))
