"""Texts as sequences of integers, which an embedding reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils import Tags

from tsrnn._errors import AnyOf, Boolean, Instance, Integer, NoneOr, Options
from tsrnn._parameters import Parameters, param

PADDING, UNKNOWN = 0, 1
FIRST = 2  # the most frequent token


class TokenSequencer(TransformerMixin, Parameters):
    """Turn texts into sequences of integers, one for each word or character, all of the same length.

    The vocabulary is made of the texts of ``fit`` alone, and its codes begin with 2, from the most frequent token down;
    of tokens that come equally often, the one that is first in alphabetical order. 0 is padding, at the end of texts
    that are shorter than others, and 1 stands for any token that is not in the vocabulary. The same texts give the same
    codes, in whatever order they come. An embedding of them has ``n_tokens_`` rows.

    Texts are cut into tokens by scikit-learn's ``CountVectorizer``. As there, several blanks in a row count as one
    among characters.

    {parameters}

    Attributes
    ----------
    vocabulary_ : dict of str to int
        The code of each token.
    n_tokens_ : int
        Codes that there are: the vocabulary, padding and unknown.
    max_steps_ : int
        Length of the sequences.

    Examples
    --------
    >>> from tsrnn import TokenSequencer
    >>> sequencer = TokenSequencer().fit(["the cat saw the dog", "the dog slept"])
    >>> sequencer.vocabulary_
    {'the': 2, 'dog': 3, 'cat': 4, 'saw': 5, 'slept': 6}
    >>> sequencer.transform(["The bird saw the cat", "dog"])
    array([[2, 1, 5, 2, 4],
           [3, 0, 0, 0, 0]])
    >>> sequencer.inverse_transform([[2, 1, 5, 2, 4], [3, 0, 0, 0, 0]])
    ['the <unknown> saw the cat', 'dog']
    """

    level: Literal["word", "char"] = param(
        default="word", constraint=Options("word", "char"), doc="What a token is: a word or a character."
    )
    max_tokens: int | None = param(
        default=None,
        constraint=NoneOr(Integer(1)),
        doc="Size of the vocabulary, at most; the tokens that come most often. Padding and unknown are not counted.",
    )
    min_count: int = param(
        default=1, constraint=Integer(1), doc="Tokens that come fewer times in all texts of `fit` are unknown."
    )
    max_steps: int | Literal["auto"] = param(
        default="auto",
        constraint=AnyOf(Integer(1), Options("auto")),
        doc='Length of the sequences. "auto": as long as the longest text of `fit`.',
    )
    truncate: Literal["end", "start"] = param(
        default="end",
        constraint=Options("end", "start"),
        doc="Where texts lose the tokens that are too many: the end, or the start.",
    )
    lowercase: bool = param(default=True, constraint=Boolean(), doc="Read capital letters as small ones.")
    token_pattern: str = param(
        default=r"(?u)\b\w+\b",
        constraint=Instance(str, "a regular expression"),
        doc="What a word is, as in CountVectorizer; but here words of one letter count, which a sequence needs.",
    )

    def fit(self, X: Iterable[str], y: Any = None) -> Self:
        """Learn the vocabulary, and with ``max_steps="auto"`` the length of the longest text.

        Parameters
        ----------
        X : iterable of str
            Texts: a list, a Series, an array of one dimension, ...
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For what is no text, or where no token is left; the transformer is then as it was before.
        """
        self._learn(list(self._tokens(X)))
        return self

    def fit_transform(self, X: Iterable[str], y: Any = None) -> np.ndarray:
        """As ``fit(X).transform(X)``, with the texts read once.

        Parameters
        ----------
        X : iterable of str
        y : ignored

        Returns
        -------
        ndarray of int64, shape (n, max_steps_)
        """
        texts = list(self._tokens(X))
        self._learn(texts)
        return self._coded(texts)

    def transform(self, X: Iterable[str]) -> np.ndarray:
        """Give the sequences of texts; one without any token is padding throughout.

        Parameters
        ----------
        X : iterable of str

        Returns
        -------
        ndarray of int64, shape (n, max_steps_)
        """
        self._check_fitted()
        return self._coded(list(self._tokens(X)))

    def inverse_transform(self, X: Any) -> list[str]:
        """Give the texts of sequences, as far as their codes tell: words with a blank between them, or characters.

        Parameters
        ----------
        X : array-like of int, shape (n, steps)

        Returns
        -------
        list of str
            An unknown word is "<unknown>", an unknown character "\\N{REPLACEMENT CHARACTER}".
        """
        self._check_fitted()
        codes = np.asarray(X)
        if codes.ndim != 2 or codes.dtype.kind not in "iu":
            raise ValueError(
                f"X must be an array of integers of the shape (n, steps); got {codes.dtype} of the shape {codes.shape}."
            )
        outside = np.argwhere((codes < 0) | (codes >= self.n_tokens_))
        if len(outside):
            row, step = outside[0].tolist()
            raise ValueError(
                f"X must hold codes from 0 to {self.n_tokens_ - 1}; {len(outside)} are not, the first, "
                f"{codes[row, step]}, in row {row} at step {step}."
            )
        between, unknown = (" ", "<unknown>") if self.level == "word" else ("", "\N{REPLACEMENT CHARACTER}")
        tokens = ["", unknown, *self.vocabulary_]
        return [between.join(tokens[code] for code in row if code != PADDING) for row in codes.tolist()]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the steps: "token_0", "token_1", ...; with them ``set_output(transform="pandas")`` works.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        self._check_fitted()
        return np.array([f"token_{step}" for step in range(self.max_steps_)], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def _check_fitted(self) -> None:
        if "vocabulary_" not in vars(self):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet: call `fit` first.")

    def _tokens(self, X: Iterable[str]) -> Iterator[list[str]]:
        """Cut texts into tokens."""
        self.check_parameters()
        try:
            re.compile(self.token_pattern)
        except re.error as error:
            raise ValueError(
                f"`token_pattern` of {type(self).__name__} must be a regular expression; got {self.token_pattern!r} "
                f"({error})."
            ) from error
        analyse = CountVectorizer(
            analyzer=self.level, lowercase=bool(self.lowercase), token_pattern=self.token_pattern
        ).build_analyzer()
        return map(analyse, _texts(X))

    def _learn(self, texts: list[list[str]]) -> None:
        counts = Counter(token for text in texts for token in text)
        kept = sorted((token for token in counts if counts[token] >= self.min_count), key=lambda t: (-counts[t], t))
        if not kept:
            most = f"; the most frequent one comes {max(counts.values())} times" if counts else ""
            raise ValueError(
                f"No token is left of {len(texts)} texts ({len(counts)} different ones with min_count={self.min_count}"
                f"{most}). Lower `min_count`, or look at the texts and at `token_pattern`."
            )
        self.vocabulary_ = {token: FIRST + place for place, token in enumerate(kept[: self.max_tokens])}
        self.n_tokens_ = FIRST + len(self.vocabulary_)
        self.max_steps_ = max(map(len, texts)) if self.max_steps == "auto" else int(self.max_steps)

    def _coded(self, texts: list[list[str]]) -> np.ndarray:
        steps, code_of = self.max_steps_, self.vocabulary_
        codes = np.full((len(texts), steps), PADDING)
        for row, text in zip(codes, texts, strict=True):
            read = text[:steps] if self.truncate == "end" else text[-steps:]
            row[: len(read)] = [code_of.get(token, UNKNOWN) for token in read]
        return codes


def _texts(X: Iterable[str]) -> list[str]:
    """Refuse all that is no row of texts, among it what Python would iterate over in another sense."""
    expected = "`X` must be texts, one for each row, such as a list or a Series of str"
    if isinstance(X, str | bytes | Mapping | Set | pd.DataFrame) or not isinstance(X, Iterable):
        remedy = {str: " Put a single text into a list.", pd.DataFrame: " Select its column of texts: `X['text']`."}
        raise TypeError(f"{expected}; got {type(X).__name__}.{remedy.get(type(X), '')}")
    if isinstance(X, np.ndarray) and X.ndim != 1:
        raise ValueError(f"{expected}; got an array of the shape {X.shape}. Select one column: `X[:, 0]`.")
    texts = list(X)
    if not texts:
        raise ValueError(f"{expected}; got none. Check how they were read or filtered.")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"{expected}; got {type(text).__name__} ({text!r:.40}) at the row position {row}. Fill in missing "
                "texts (`fillna('')`), or leave their rows out."
            )
    return texts
