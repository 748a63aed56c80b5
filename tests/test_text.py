"""Texts as sequences of integers: codes, lengths, the way back, scikit-learn's conventions, bad input."""

import json
import pickle
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from tsrnn import TokenSequencer

TEXTS = ["the cat saw the dog", "The dog slept.", "a cat"]


def test_words_by_hand():
    sequencer = TokenSequencer()
    assert sequencer.fit(TEXTS) is sequencer
    # the: 3; cat, dog: 2; a, saw, slept: 1
    assert sequencer.vocabulary_ == {"the": 2, "cat": 3, "dog": 4, "a": 5, "saw": 6, "slept": 7}
    assert list(sequencer.vocabulary_.values()) == sorted(sequencer.vocabulary_.values())
    assert (sequencer.n_tokens_, sequencer.max_steps_) == (8, 5)
    codes = sequencer.transform([*TEXTS, "A bird saw it, and slept there!", ""])
    assert codes.dtype == np.int64 and codes.flags.c_contiguous
    np.testing.assert_array_equal(
        codes,
        [[2, 3, 6, 2, 4], [2, 4, 7, 0, 0], [5, 3, 0, 0, 0], [5, 1, 6, 1, 1], [0, 0, 0, 0, 0]],
    )


def test_characters_by_hand():
    sequencer = TokenSequencer(level="char", max_steps=4).fit(["Aab b", "b"])
    assert sequencer.vocabulary_ == {"b": 2, "a": 3, " ": 4}  # b: 3, a: 2, blank: 1
    np.testing.assert_array_equal(sequencer.transform(["b  ax", "B"]), [[2, 4, 3, 1], [2, 0, 0, 0]])
    cased = TokenSequencer(level="char", lowercase=False).fit(["Aab b", "b"])
    assert cased.vocabulary_ == {"b": 2, " ": 3, "A": 4, "a": 5}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"max_tokens": 2}, ["the", "cat"]),  # of cat and dog, both twice, the first by the alphabet
        ({"min_count": 2}, ["the", "cat", "dog"]),
        ({"min_count": 3, "max_tokens": 5}, ["the"]),
        ({"lowercase": False}, ["cat", "dog", "the", "The", "a", "saw", "slept"]),
        ({"token_pattern": r"(?u)\b\w\w+\b"}, ["the", "cat", "dog", "saw", "slept"]),
        ({"token_pattern": r"\w+|[^\w\s]"}, ["the", "cat", "dog", ".", "a", "saw", "slept"]),
    ],
)
def test_which_tokens_are_kept(parameters, expected):
    sequencer = TokenSequencer(**parameters).fit(TEXTS)
    assert list(sequencer.vocabulary_) == expected
    codes = sequencer.transform(["giraffe"])
    assert codes[0, 0] == 1 and not codes[0, 1:].any()


def test_which_side_is_cut():
    texts = ["one two three four", "one"]
    end = TokenSequencer(max_steps=2).fit(texts)
    start = TokenSequencer(max_steps=2, truncate="start").fit(texts)
    assert end.inverse_transform(end.transform(texts)) == ["one two", "one"]
    assert start.inverse_transform(start.transform(texts)) == ["three four", "one"]
    longer = TokenSequencer(max_steps=6, truncate="start").fit(texts)
    np.testing.assert_array_equal(longer.transform(["one"]), [[longer.vocabulary_["one"], 0, 0, 0, 0, 0]])


def test_only_training_rows_make_vocabulary_and_length():
    sequencer = TokenSequencer().fit(TEXTS[1:])
    before = dict(sequencer.vocabulary_)
    codes = sequencer.transform(TEXTS)
    assert sequencer.vocabulary_ == before and "saw" not in before
    assert codes.shape == (3, 3)
    assert sequencer.inverse_transform(codes)[0] == "the cat <unknown>"


words = st.lists(st.sampled_from(["ab", "b", "ca", "dd", "é", "x1"]), max_size=8).map(" ".join)


@settings(deadline=None, max_examples=100)
@given(st.lists(words, min_size=1, max_size=8), st.integers(1, 3), st.none() | st.integers(1, 4), st.randoms())
def test_codes_say_what_the_texts_said(texts, min_count, max_tokens, random):
    """Another way: by replacing words in the texts. The order of rows does not matter."""
    counts = Counter(" ".join(texts).split())
    kept = [word for word in sorted(counts) if counts[word] >= min_count]
    kept = sorted(kept, key=counts.get, reverse=True)[:max_tokens]  # stable
    sequencer = TokenSequencer(min_count=min_count, max_tokens=max_tokens)
    if not kept:
        with pytest.raises(ValueError, match="No token is left"):
            sequencer.fit(texts)
        return
    codes = sequencer.fit_transform(texts)
    expected = [" ".join(w if w in kept else "<unknown>" for w in text.split()) for text in texts]
    assert sequencer.inverse_transform(codes) == expected
    assert sequencer.vocabulary_ == {word: place for place, word in enumerate(kept, start=2)}
    assert codes.shape == (len(texts), max(len(text.split()) for text in texts))
    assert ((codes != 0).sum(axis=1) == [len(text.split()) for text in texts]).all()
    np.testing.assert_array_equal(sequencer.transform(texts), codes)
    mixed = random.sample(texts, len(texts))
    assert TokenSequencer(min_count=min_count, max_tokens=max_tokens).fit(mixed).vocabulary_ == sequencer.vocabulary_


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text("aé界\n .", min_size=1), min_size=1))
def test_characters_come_back(texts):
    sequencer = TokenSequencer(level="char", lowercase=False).fit(texts)
    expected = [re.sub(r"\s\s+", " ", text) for text in texts]  # scikit-learn counts several blanks as one
    assert sequencer.inverse_transform(sequencer.transform(texts)) == expected


def test_unknown_characters():
    sequencer = TokenSequencer(level="char").fit(["ab"])
    assert sequencer.inverse_transform(sequencer.transform(["zb"])) == ["\N{REPLACEMENT CHARACTER}b"]


@pytest.mark.parametrize(
    "kind",
    [tuple, iter, np.array, pd.Series, pd.Index, lambda texts: np.array(texts, dtype=object), lambda t: pd.array(t)],
)
def test_kinds_of_texts(kind):
    expected = TokenSequencer().fit_transform(TEXTS)
    np.testing.assert_array_equal(TokenSequencer().fit_transform(kind(TEXTS)), expected)


def test_polars_series():
    polars = pytest.importorskip("polars")
    expected = TokenSequencer().fit_transform(TEXTS)
    np.testing.assert_array_equal(TokenSequencer().fit_transform(polars.Series(TEXTS)), expected)


# ---- as a transformer of scikit-learn ----------------------------------------------------------------------------
def test_clones_and_copies():
    sequencer = TokenSequencer(level="char", max_tokens=5).fit(TEXTS)
    assert clone(sequencer).get_params() == sequencer.get_params()
    assert "vocabulary_" not in vars(clone(sequencer))
    copy = pickle.loads(pickle.dumps(sequencer))
    np.testing.assert_array_equal(copy.transform(TEXTS), sequencer.transform(TEXTS))
    learned = {name: value for name, value in vars(sequencer).items() if name.endswith("_")}
    assert json.loads(json.dumps(learned)) == learned  # nothing but what JSON holds, order included
    assert list(json.loads(json.dumps(learned["vocabulary_"]))) == list(sequencer.vocabulary_)


def test_scikit_learn_checks_what_it_can_about_texts():
    tags = get_tags(TokenSequencer())
    assert tags.input_tags.string and not tags.input_tags.two_d_array and tags.requires_fit
    with pytest.warns(SkipTestWarning, match="requires input"):
        results = check_estimator(TokenSequencer())
    assert [result["check_name"] for result in results if result["status"] != "passed"] == []


def test_in_pipelines_and_columns():
    frame = pd.DataFrame({"text": TEXTS, "year": [1, 2, 3]})
    columns = ColumnTransformer([("text", TokenSequencer(), "text")], remainder="passthrough")
    codes = columns.fit_transform(frame)
    np.testing.assert_array_equal(codes[:, :5], TokenSequencer().fit_transform(TEXTS))
    assert columns.get_feature_names_out().tolist() == [*(f"text__token_{i}" for i in range(5)), "remainder__year"]
    named = make_pipeline(TokenSequencer()).set_output(transform="pandas").fit_transform(frame["text"])
    assert list(named.columns) == [f"token_{i}" for i in range(5)]
    np.testing.assert_array_equal(named, codes[:, :5])


# ---- bad input ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("call", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ("a text", TypeError, "got str. Put a single text into a list"),
        (b"a text", TypeError, "got bytes"),
        ({"a": "text"}, TypeError, "got dict"),
        ({"a", "text"}, TypeError, "got set"),
        (3, TypeError, "got int"),
        (None, TypeError, "got NoneType"),
        (pd.DataFrame({"text": TEXTS}), TypeError, r"got DataFrame. Select its column of texts: `X\['text'\]`"),
        (np.array([TEXTS]), ValueError, r"an array of the shape \(1, 3\). Select one column"),
        ([], ValueError, "got none"),
        (["a", None], TypeError, r"got NoneType \(None\) at the row position 1. Fill in missing texts"),
        (pd.Series(["a", "b", None]), TypeError, r"got (float|NoneType) .* at the row position 2"),
        ([["a"], ["b"]], TypeError, "got list .* at the row position 0"),
        (np.arange(3), TypeError, "got int64 .* at the row position 0"),
    ],
)
def test_what_is_no_row_of_texts(texts, error, message, call):
    sequencer = TokenSequencer().fit(TEXTS)
    before = dict(vars(sequencer))
    with pytest.raises(error, match=f"`X` must be texts.*{message}"):
        getattr(sequencer, call)(texts)
    assert vars(sequencer) == before


@pytest.mark.parametrize(
    ("parameters", "texts", "message"),
    [
        ({}, ["", " ", "..."], r"No token is left of 3 texts \(0 different ones"),
        ({"min_count": 4}, TEXTS, r"6 different ones with min_count=4; the most frequent one comes 3 times"),
        ({"token_pattern": "("}, TEXTS, r"`token_pattern` of TokenSequencer must be a regular expression; got '\('"),
        ({"token_pattern": "(a)(b)"}, TEXTS, "capturing group"),
        ({"level": "words"}, TEXTS, "`level` of TokenSequencer must be .* Did you mean 'word'"),
        ({"max_tokens": 0}, TEXTS, "`max_tokens` of TokenSequencer must be an integer of at least 1"),
        ({"min_count": 0}, TEXTS, "`min_count` of TokenSequencer must be"),
        ({"max_steps": 0}, TEXTS, "`max_steps` of TokenSequencer must be"),
        ({"truncate": "both"}, TEXTS, "`truncate` of TokenSequencer must be 'end' or 'start'"),
    ],
)
def test_what_leaves_nothing_or_is_out_of_range(parameters, texts, message):
    sequencer = TokenSequencer(**parameters)
    with pytest.raises(ValueError, match=message):
        sequencer.fit(texts)
    assert set(vars(sequencer)) == set(sequencer.get_params())


@pytest.mark.parametrize("codes", [[1.0, 2.0], [1, 2], [[1.5]], [["a"]], 3])
def test_what_is_no_array_of_codes(codes):
    with pytest.raises(ValueError, match=r"integers of the shape \(n, steps\)"):
        TokenSequencer().fit(TEXTS).inverse_transform(codes)


@pytest.mark.parametrize("code", [-1, 8])
def test_codes_outside_the_vocabulary(code):
    with pytest.raises(ValueError, match=f"codes from 0 to 7; 1 are not, the first, {code}, in row 1 at step 0"):
        TokenSequencer().fit(TEXTS).inverse_transform([[2, 3], [code, 0]])


def test_before_fit():
    for call in (
        lambda: TokenSequencer().transform(TEXTS),
        lambda: TokenSequencer().inverse_transform([[2]]),
        TokenSequencer().get_feature_names_out,
    ):
        with pytest.raises(NotFittedError, match="This TokenSequencer is not fitted yet"):
            call()
