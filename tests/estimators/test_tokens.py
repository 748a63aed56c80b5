"""Integer tokens with an embedding: padding, unknown tokens, and what is no token."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sequence_sets import TINY, given, targets_for
from sklearn.pipeline import make_pipeline

import tsrnn
from tsrnn import RNNClassifier, RNNRegressor, TokenSequencer
from tsrnn.nn import GRU
from tsrnn.nn.layers.embedding import Embedding

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(2, 9, 80)
LISTED = [RNG.integers(2, 20, length) for length in LENGTHS]
PADDED = np.zeros((80, 8), int)
PADDED[np.arange(8) < LENGTHS[:, None]] = np.concatenate(LISTED)
Y = np.array([(part > 10).mean() - 0.5 for part in LISTED])
OPTIONS = TINY | {"embedding_dim": 3}


def test_padding_is_as_good_as_no_step(kind):
    """Padded tokens and sequences of different lengths are the same, to the bit, in `fit` and in `predict`."""
    y = targets_for(kind, Y)
    padded, listed = kind(**OPTIONS).fit(PADDED, y), kind(**OPTIONS).fit(LISTED, y)
    assert padded.state_.theta.tobytes() == listed.state_.theta.tobytes()
    assert_array_equal(given(padded, PADDED), given(listed, LISTED))
    wider = np.pad(PADDED, ((0, 0), (0, 5)))[..., None]
    assert_array_equal(given(padded, wider), given(padded, PADDED))


def test_tokens_are_names(kind):
    """They are not scaled, and their order means nothing: with their vectors swapped, swapped tokens are the same."""
    model = kind(**OPTIONS).fit(PADDED, targets_for(kind, Y))
    assert model.state_.specs[0] == Embedding(20, 3, mask_zero=True)
    found = given(model, PADDED)
    swapped = np.array([0, 1, *np.random.default_rng(1).permutation(np.arange(2, 20))])
    table = model.state_.theta[:60].reshape(20, 3)
    table[swapped] = table.copy()
    assert_array_equal(given(model, swapped[PADDED]), found)


def test_vectors_are_learned():
    model = RNNClassifier(embedding_dim=4, hidden_size=8, max_epochs=30, random_state=0).fit(PADDED, Y > 0)
    assert model.score(PADDED, Y > 0) > 0.9
    before = model.state_.network(8).initial(0)
    moved = (model.state_.theta != before)[:80].reshape(20, 4).any(axis=1)
    assert moved.tolist() == [False, False] + [True] * 18  # nothing is learned of padding and what never comes


def test_tokens_beyond_those_of_fit_are_unknown(kind):
    y = targets_for(kind, Y)
    model = kind(**OPTIONS).fit(PADDED, y)
    unknown, beyond = PADDED.copy(), PADDED.copy()
    unknown[:, 0], beyond[:, 0] = 1, np.resize([20, 1000, 2**30], 80)
    assert_array_equal(given(model, beyond), given(model, unknown))
    assert (given(model, beyond) != given(model, PADDED)).any()
    losses = [kind(**OPTIONS).fit(PADDED, y, X_val=other, y_val=y).history_["val_loss"] for other in (beyond, unknown)]
    assert losses[0].equals(losses[1])
    model.partial_fit(beyond, y)
    assert model.state_.specs[0].n_tokens == 20


def test_the_vocabulary_is_that_of_training_sequences():
    first, found = PADDED.copy(), set()
    first[:, 0] = np.arange(2, 82)  # a token of its own for each sequence
    for seed in range(5):
        options = OPTIONS | {"random_state": seed, "validation_fraction": 0.5}
        found.add(RNNClassifier(**options).fit(first, Y > 0).state_.specs[0].n_tokens)
    assert len(found) > 1 and max(found) <= 82


FILLERS = {RNNRegressor: [0.0, 1e300, np.nan, np.inf], RNNClassifier: ["up", "down", "<padding>"]}


@pytest.mark.parametrize("balanced", [False, True])
def test_targets_at_padding_count_nowhere(kind, balanced):
    """They are as good as none, whatever they are: nothing that is learned or reported differs by a bit."""
    options = OPTIONS | {"return_sequences": True}
    if balanced:
        options |= {"class_weight": "balanced"} if kind is RNNClassifier else {"target_scaler": "minmax"}
    y, weights = [targets_for(kind, part - 10.5) for part in LISTED], np.resize([1.0, 2.0], 80)

    def learned(X, y):
        model = kind(**options).fit(X, y, sample_weight=weights, X_val=X[:30], y_val=y[:30])
        state, scores = model.state_, (model.score(X, y), model.score(X, y, sample_weight=weights))
        classes = [(labels.tolist(), labels.dtype) for labels in state.classes]
        tables = model.history_.drop(columns="seconds"), model.gradient_flow(X, y)
        arrays = state.theta, state.targets.scale, *(table.to_numpy() for table in tables)
        return [classes, scores, *(array.tobytes() for array in arrays)]

    expected = learned(LISTED, y)
    for filler in FILLERS[kind]:
        padded = np.full(PADDED.shape, filler, np.result_type(y[0].dtype, np.array(filler).dtype))
        padded[PADDED != 0] = np.concatenate(y)
        assert learned(PADDED, padded) == expected


def test_classes_of_padding_are_none():
    """Nor need they be of the same kind: an object array, and a number that nothing else has."""
    options, where = OPTIONS | {"return_sequences": True}, PADDED != 0
    for filler, names in ((None, np.array(["lo", "hi"], object)), (np.nan, np.array([0.0, 1.0])), (-1, np.arange(2))):
        y = np.full(PADDED.shape, filler, names.dtype)
        y[where] = names[(PADDED[where] > 10).astype(int)]
        model = RNNClassifier(**options | {"validation_fraction": 0.3}).fit(PADDED, y)
        assert_array_equal(model.classes_, np.unique(names))
        assert model.partial_fit(PADDED, y).score(PADDED, y) == (model.predict(PADDED) == y)[where].mean()


def test_padding_alone():
    y, options = np.where(PADDED > 10, 1.0, 0.0), OPTIONS | {"return_sequences": True, "batch_size": 4}
    empty, short = np.zeros_like(PADDED), PADDED.copy()
    short[5:40] = 0  # some batches hold nothing else
    model = RNNRegressor(**options).fit(short, y)
    assert np.isfinite(model.history_["loss"]).all()
    for call in (model.fit, model.partial_fit, model.score):
        with pytest.raises(ValueError, match=r"X holds nothing but padding \(token 0\).*Give sequences with tokens"):
            call(empty, y)
    with pytest.raises(ValueError, match="In `X_val` and `y_val`: X holds nothing but padding"):
        model.fit(short, y, X_val=empty, y_val=y)
    with pytest.raises(ValueError, match="The validation sequences hold nothing but padding"):
        model.set_params(validation_fraction=0.5, random_state=1).fit(PADDED[:2] * [[0], [1]], y[:2])


def test_steps_of_padding_do_not_count():
    y = np.where(PADDED > 10, 1, 0)
    wild = np.where(PADDED == 0, 1 - y, y)  # other classes where padding is
    options = OPTIONS | {"return_sequences": True}
    model = RNNClassifier(**options).fit(PADDED, y)
    assert model.state_.theta.tobytes() == RNNClassifier(**options).fit(PADDED, wild).state_.theta.tobytes()
    assert model.score(PADDED, y) == model.score(PADDED, wild)
    right = model.predict(PADDED) == y
    assert model.score(PADDED, y) == pytest.approx(right[PADDED != 0].mean())
    weights = np.resize([1.0, 2.0], 80)
    spread = np.repeat(weights, LENGTHS)
    expected = np.average(right[PADDED != 0], weights=spread)
    assert model.score(PADDED, y, sample_weight=weights) == pytest.approx(expected)


def test_an_embedding_of_ones_own(kind):
    """Written out it reads tokens too, and the parameter is a short way to write it."""
    y = targets_for(kind, Y)
    short = kind(**OPTIONS).fit(PADDED, y)
    layers = [Embedding(20, 3, mask_zero=True), GRU(4)]
    written = kind(**TINY, layers=layers).fit(PADDED, y)
    assert written.state_.theta.tobytes() == short.state_.theta.tobytes()
    with pytest.raises(ValueError, match=r"`embedding_dim=3` makes an embedding, and `layers` begins with one, Embed"):
        kind(**OPTIONS, layers=layers).fit(PADDED, y)


def test_texts(tmp_path):
    """From texts to classes in one pipeline."""
    texts = ["the cat sat", "a dog ran off", "the cat ran", "dogs sat down there"] * 20
    about = ["cat", "dog", "cat", "dog"] * 20
    model = make_pipeline(TokenSequencer(level="char"), RNNClassifier(**OPTIONS | {"max_epochs": 30}))
    assert model.fit(texts, about).score(texts, about) == 1
    assert set(model.predict(["zebras!", ""])) <= {"cat", "dog"}  # unknown characters, and no character at all
    model[-1].save(tmp_path / "file")
    codes = model[0].transform(texts)
    assert_array_equal(tsrnn.load(tmp_path / "file").predict_proba(codes), model.predict_proba(texts))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (PADDED + 0.5, r"whole numbers from 0 up; got \d+.5 in sequence 0 at step 0"),
        (np.where(PADDED == 7, -1, PADDED), r"got -1 in sequence \d+ at step \d.*0 is padding and 1 an unknown token"),
        (PADDED[:, :, None] * [1, 1], "one number for each step.*X has 2 features at each step"),
        ([np.array([3, 4]), np.array([3, -2])] * 40, "got -2 in sequence 1 at step 1"),
    ],
)
def test_what_is_no_token(kind, X, message):
    y = targets_for(kind, Y)
    with pytest.raises(ValueError, match=message):
        kind(**OPTIONS).fit(X, y)
    model = kind(**OPTIONS).fit(PADDED, y)
    with pytest.raises(ValueError, match=message if "features" not in message else "expecting 1 features"):
        model.predict(X)
    with pytest.raises(ValueError, match="In `X_val` and `y_val`: "):
        kind(**OPTIONS).fit(PADDED, y, X_val=X, y_val=y)


def test_tokens_that_a_written_out_embedding_does_not_have():
    """Learned from, they would all be the unknown one; in `predict` they are."""
    tokens = np.random.default_rng(0).integers(2, 20, (30, 5))
    tokens[0, 0] = 19
    y, given = tokens.mean(axis=1), {"max_epochs": 1, "random_state": 0}
    with pytest.raises(ValueError, match=r"Embedding\(5, 3\) has .* below 5, .* up to 19 .*n_tokens=20"):
        RNNRegressor(layers=[Embedding(5, 3), GRU(3)], **given).fit(tokens, y)
    with pytest.raises(ValueError, match=r"up to 0 .*n_tokens=2"):
        RNNRegressor(layers=[Embedding(1, 3), GRU(3)], **given).fit(tokens * 0, y)
    model = RNNRegressor(layers=[Embedding(20, 3), GRU(3)], **given).fit(tokens, y)
    np.testing.assert_array_equal(model.predict([[25] * 5, [7] * 4]), model.predict([[1] * 5, [7] * 4]))
