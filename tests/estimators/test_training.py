"""How `fit` and `partial_fit` go: validation, going on, threads, Ctrl-C, and what a failed call leaves behind."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sequence_sets import TINY, given, make_ragged, make_sequences, targets_for

from tsrnn import DivergedError, RNNClassifier, RNNRegressor
from tsrnn.training import SGD

X, Y = make_sequences(count=120)
MEASURE = {RNNRegressor: "val_mae", RNNClassifier: "val_accuracy"}


def weights(model):
    return model.state_.theta.tobytes()


def columns(kind):
    return ["epoch", "loss", "val_loss", MEASURE[kind], "learning_rate", "seconds"]


def test_history(kind):
    model = kind(**TINY, lr_schedule="cosine", validation_fraction=0.25).fit(X, targets_for(kind, Y))
    history = model.history_
    assert set(history.columns) == set(columns(kind))
    assert history["epoch"].tolist() == [1, 2, 3]
    assert np.isfinite(history.to_numpy()).all()
    assert (model.n_iter_, model.stopped_) == (3, "max_epochs")
    assert model.best_epoch_ == history["val_loss"].idxmin() + 1


def test_without_validation_the_training_loss_decides(kind):
    model = kind(**TINY, patience=1, learning_rate=5.0, clip_norm=None).set_params(max_epochs=50)
    model.fit(X, targets_for(kind, Y))
    assert model.history_["val_loss"].isna().all() and model.history_[MEASURE[kind]].isna().all()
    assert model.stopped_ == "early_stopping"
    assert model.best_epoch_ == model.history_["loss"].idxmin() + 1 == model.n_iter_ - 1


def test_validation_on_sequences_of_ones_own(kind):
    y = targets_for(kind, Y)
    model = kind(**TINY).fit(X[:80], y[:80], X_val=list(X[80:, 2:]), y_val=y[80:])  # of another form and length
    found = model.predict(X[80:, 2:])
    last = model.history_.iloc[model.best_epoch_ - 1]
    if kind is RNNRegressor:
        scale = y[:80].std()
        assert last["val_mae"] == pytest.approx(np.abs(found - y[80:]).mean(), rel=1e-5)
        assert last["val_loss"] == pytest.approx(((found - y[80:]) ** 2).mean() / scale**2, rel=1e-5)
    else:
        chances = model.predict_proba(X[80:, 2:])
        right = chances[np.arange(40), (y[80:] == "up").astype(int)]
        assert last["val_accuracy"] == pytest.approx((found == y[80:]).mean())
        assert last["val_loss"] == pytest.approx(-np.log(right).mean(), rel=1e-5)
    assert weights(model) == weights(kind(**TINY | {"max_epochs": model.best_epoch_}).fit(X[:80], y[:80]))


def test_scales_see_training_sequences_alone(kind):
    """Wild values in sequences that are held out change neither scales nor weights."""
    y = targets_for(kind, Y)
    options = TINY | {"validation_fraction": 0.25, "restore_best_weights": False}
    model = kind(**options).fit(X, y)
    held_out = [i for i in range(120) if _is_held_out(kind, options, model, i)]
    assert len(held_out) == 30
    wild, far = X.copy(), y.copy()
    wild[held_out] *= 1000
    if kind is RNNRegressor:
        far[held_out] += 1000
    again = kind(**options).fit(wild, far)
    assert weights(again) == weights(model)
    assert_array_equal(again.state_.inputs.scale, model.state_.inputs.scale)
    rest = np.setdiff1d(np.arange(120), held_out)
    np.testing.assert_allclose(model.state_.inputs.center, X[rest].reshape(-1, 2).mean(axis=0), rtol=1e-12)
    own = kind(**options | {"validation_fraction": 0}).fit(X[rest], y[rest], X_val=X[held_out], y_val=y[held_out])
    assert weights(own) == weights(model)


def _is_held_out(kind, options, model, index):
    changed = X.copy()
    changed[index] += 1
    scales = kind(**options | {"max_epochs": 1}).fit(changed, targets_for(kind, Y)).state_.inputs
    return scales.center.tobytes() == model.state_.inputs.center.tobytes()


def test_threads_do_not_change_a_bit(kind):
    X, y = make_ragged(count=150)
    results = []
    for n_jobs in (1, 2, 4):
        model = kind(**TINY, n_jobs=n_jobs, dropout=0.2, batch_size=100, validation_fraction=0.2)
        model.fit(X, targets_for(kind, y))
        results.append((weights(model), given(model, X).tobytes(), model.history_["val_loss"].tolist()))
    assert results[0] == results[1] == results[2]


def test_seeds(kind):
    y = targets_for(kind, Y)
    assert weights(kind(**TINY).fit(X, y)) == weights(kind(**TINY).fit(X, y))
    assert weights(kind(**TINY | {"random_state": 1}).fit(X, y)) != weights(kind(**TINY).fit(X, y))


# ---- going on --------------------------------------------------------------------------------------------------
def test_partial_fit_is_a_fit_of_one_epoch(kind):
    y = targets_for(kind, Y)
    first = kind(**TINY).partial_fit(X, y)
    assert weights(first) == weights(kind(**TINY | {"max_epochs": 1}).fit(X, y))
    assert (first.n_iter_, len(first.history_)) == (1, 1)


def test_partial_fit_goes_on_with_the_moments(kind):
    """A second pass is one more epoch of the same training: two passes are nearer to it than one with new moments."""
    y = targets_for(kind, Y)
    model = kind(**TINY).partial_fit(X, y)
    updates, moments = model.state_.left.steps, model.state_.left.moments.copy()
    assert updates == 4 and moments.any()
    model.partial_fit(X[:20], y[:20])
    assert model.state_.left.steps == 5
    # Adam by hand: the one step from the moments that the first pass left
    theta = kind(**TINY).partial_fit(X, y).state_.theta
    change = model.state_.theta - theta
    m, v = model.state_.left.moments
    expected = -0.005 * (m / (1 - 0.9**5)) / (np.sqrt(v / (1 - 0.999**5)) + 1e-8)
    np.testing.assert_allclose(change, expected, rtol=1e-3, atol=1e-6)
    gradient = (m - 0.9 * moments[0]) / 0.1
    np.testing.assert_allclose(v, 0.999 * moments[1] + 0.001 * gradient**2, rtol=1e-3, atol=1e-9)


def test_many_passes_learn(kind):
    y, model = targets_for(kind, Y), kind(hidden_size=8, random_state=0)
    for _ in range(30):
        for first in range(0, 120, 40):
            model.partial_fit(X[first : first + 40], y[first : first + 40])
    assert model.score(X, y) > 0.9


def test_scales_of_the_first_call_stay(kind):
    y = targets_for(kind, Y)
    model = kind(**TINY).partial_fit(X, y)
    center = model.state_.inputs.center
    model.partial_fit(X + 100, y)
    assert model.state_.inputs.center is center


def test_classes_that_come_later():
    model = RNNClassifier(**TINY).partial_fit(X[:10], np.resize(["a", "b"], 10), classes=["c", "b", "a"])
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.predict_proba(X).shape == (120, 3)
    model.partial_fit(X[:10], np.resize(["c", "b"], 10)).partial_fit(X[:10], np.full(10, "c"), classes=["a", "b", "c"])
    with pytest.raises(ValueError, match="`classes` must be those of the first call, 'a', 'b', 'c'; got 'a', 'd'"):
        model.partial_fit(X[:2], ["a", "d"], classes=["a", "d"])


def test_another_optimizer_starts_with_moments_of_its_own(kind):
    y = targets_for(kind, Y)
    model = kind(**TINY).fit(X, y)
    theta = model.state_.theta
    model.set_params(optimizer=SGD(momentum=0.5)).partial_fit(X, y)
    assert model.state_.left.moments.shape == (1, theta.size)
    assert model.state_.left.steps == 4


def test_warm_start(kind):
    y = targets_for(kind, Y)
    model = kind(**TINY, warm_start=True).fit(X, y)
    once, first = weights(model), model.history_["loss"].iloc[0]
    assert once == weights(kind(**TINY).fit(X, y))
    model.fit(X, y)
    assert weights(model) != once
    assert model.history_["loss"].iloc[0] < first
    assert model.set_params(warm_start=False).fit(X, y).state_.left.steps == 12
    assert weights(model) == once
    model.set_params(warm_start=True, hidden_size=5)
    with pytest.raises(ValueError, match=r"needs the layers of before, GRU\(4\).*got GRU\(5\).*warm_start=False"):
        model.fit(X, y)


# ---- when things go wrong --------------------------------------------------------------------------------------
@pytest.mark.parametrize("epoch", [1, 2])
def test_interrupt_leaves_a_fitted_estimator(kind, epoch):
    def interrupt(record):
        if record.epoch == epoch:
            raise KeyboardInterrupt

    model, y = kind(callbacks=[interrupt], **TINY), targets_for(kind, Y)
    with pytest.warns(UserWarning, match=f"Training of {kind.__name__} was interrupted after {epoch} ep") as caught:
        model.fit(X, y)
    assert caught[0].filename == __file__
    assert (model.stopped_, model.n_iter_) == ("interrupt", epoch)
    assert weights(model) == weights(kind(**TINY | {"max_epochs": epoch}).fit(X, y))


def test_interrupt_before_the_first_epoch_ends(kind):
    class Impatient(SGD):
        def apply(self, *arguments):
            raise KeyboardInterrupt

    model, y = kind(**TINY, optimizer=Impatient()), targets_for(kind, Y)
    for learn in (model.fit, model.partial_fit):
        with pytest.warns(UserWarning, match="after 0 epochs; it is fitted, but hardly trained") as caught:
            learn(X, y)
        assert caught[0].filename == __file__
        assert set(model.history_.columns) == set(columns(kind)) and model.history_.empty
        assert (model.stopped_, model.best_epoch_, model.n_iter_) == ("interrupt", 0, 0)
        assert len(model.predict(X)) == 120


def test_divergence_leaves_the_estimator_as_it_was(kind):
    wild = {"learning_rate": 1e30, "clip_norm": None, "optimizer": SGD(), "activation": "relu"}
    y = targets_for(kind, Y)
    model = kind(**TINY, **wild)
    with pytest.raises(DivergedError, match="smaller `learning_rate`") as caught:
        model.fit(X, y)
    assert set(caught.value.history.columns) == set(columns(kind))
    assert {name for name in vars(model) if name.endswith("_")} == set()
    model.set_params(learning_rate=0.001).fit(X, y)
    before, found = dict(vars(model)), given(model, X)
    model.set_params(learning_rate=1e30)
    with pytest.raises(DivergedError):
        model.fit(X.reshape(120, -1), y)  # which would have other columns
    with pytest.raises(DivergedError):
        for _ in range(3):
            before |= {name: value for name, value in vars(model).items() if name.endswith("_")}
            found = given(model, X)
            model.partial_fit(X, y)
    assert {name for name, value in vars(model).items() if value is not before.get(name)} == {"learning_rate"}
    assert set(vars(model)) == set(before)
    assert_array_equal(given(model, X), found)


def test_nothing_is_printed(kind, capfd):
    kind(**TINY).fit(X, targets_for(kind, Y)).predict(X)
    assert capfd.readouterr() == ("", "")


def test_callbacks_and_progress(kind, capfd):
    seen = []
    model = kind(**TINY, callbacks=[seen.append, lambda record: record.epoch == 2], verbose=True)
    model.fit(X, targets_for(kind, Y))
    assert [record.epoch for record in seen] == [1, 2]
    assert model.stopped_ == "callback"
    out, err = capfd.readouterr()
    assert out == "" and kind.__name__ in err
