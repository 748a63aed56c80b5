"""Sequences of tokens: whole numbers that stand for words or characters, each with a vector that is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tsrnn.estimators.inputs import SequenceRows
from tsrnn.nn.layer import LayerSpec
from tsrnn.nn.layers.embedding import Embedding
from tsrnn.text import PADDING, UNKNOWN


def with_embedding(
    width: int,
    layers: Sequence[LayerSpec],
    sequences: SequenceRows,
    train: np.ndarray,
    before: Sequence[LayerSpec] | None,
) -> list[LayerSpec]:
    """The layers on vectors of tokens: of those in the rows marked in ``train``, or of those that were known before."""
    if isinstance(layers[0], Embedding):
        raise ValueError(
            f"`embedding_dim={width}` makes an embedding, and `layers` begins with one, {layers[0]}. Leave one of them "
            "out."
        )
    check_tokens(sequences)
    if before is not None and isinstance(before[0], Embedding):
        n_tokens = before[0].n_tokens
    else:
        n_tokens = 1 + max(int(sequences.rows[train].max()), UNKNOWN)
    return [Embedding(n_tokens, width, mask_zero=True), *layers]


def check_vocabulary(embedding: Embedding, sequences: SequenceRows, train: np.ndarray) -> None:
    """Refuse tokens to learn from, in the rows marked in ``train``, that an embedding of the user's does not have."""
    check_tokens(sequences)
    largest = int(sequences.rows[train].max())
    needed = 1 + max(largest, UNKNOWN)
    if needed > embedding.n_tokens:
        raise ValueError(
            f"{embedding} has vectors for tokens below {embedding.n_tokens}, but the training sequences have tokens up "
            f"to {largest} ({UNKNOWN} is the unknown one). Give it `n_tokens={needed}` or more."
        )


def read_tokens(sequences: SequenceRows, specs: Sequence[LayerSpec]) -> SequenceRows:
    """The sequences as these layers read them: for an embedding, tokens that it does not have are unknown."""
    embedding = specs[0]
    if not isinstance(embedding, Embedding):
        return sequences
    check_tokens(sequences)
    known = sequences.rows < embedding.n_tokens
    return sequences if known.all() else replace(sequences, rows=np.where(known, sequences.rows, UNKNOWN))


def padding(sequences: SequenceRows) -> np.ndarray:
    """Which steps of sequences of tokens are none."""
    check_tokens(sequences)
    return sequences.rows[:, 0] == PADDING


def check_tokens(sequences: SequenceRows) -> None:
    """Refuse what are no tokens."""
    if sequences.features != 1:
        raise ValueError(
            f"Tokens must be one number for each step, (sequences, steps); X has {sequences.features} features at each "
            "step. Leave out `n_steps`, or `embedding_dim` where X holds numbers and not tokens."
        )
    tokens = sequences.rows[:, 0]
    wrong = (tokens < 0) | (tokens != np.floor(tokens))
    if wrong.any():
        row = int(np.argmax(wrong))
        sequence = int(np.searchsorted(sequences.starts, row, side="right")) - 1
        raise ValueError(
            f"X must hold tokens, whole numbers from 0 up; got {tokens[row]:g} in sequence {sequence} at step "
            f"{row - int(sequences.starts[sequence])}. 0 is padding and {UNKNOWN} an unknown token, as TokenSequencer "
            "gives them; leave out `embedding_dim` where X holds numbers and not tokens."
        )
