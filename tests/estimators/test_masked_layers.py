"""Sequences of different lengths through every kind of layer: what shorter ones lack never counts, or is refused."""

import numpy as np
import pytest

from tsrnn import RNNRegressor
from tsrnn.nn import (
    GRU,
    ActivityPenalty,
    Attention,
    AveragePool1D,
    Bidirectional,
    Conv1D,
    Dense,
    Dilated,
    Embedding,
    Flatten,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    LayerNorm,
    MaxPool1D,
    RepeatVector,
    Residual,
)

RNG = np.random.default_rng(0)
LONGEST = 7
X = [RNG.normal(size=(steps, 2)) for steps in [*RNG.integers(2, LONGEST, 40), LONGEST]]
Y = np.array([x[:, 0].sum() for x in X])
SETTINGS = {"max_epochs": 2, "random_state": 0}
STATES = {"return_sequences": True}
GO_BY_MASKS = {
    "bidirectional": [Bidirectional(GRU(3))],
    "attention": [GRU(3, **STATES), Attention(units=2)],
    "mean of states": [GRU(3, **STATES), LayerNorm(), GlobalAveragePool1D()],
    "residual": [Dense(3), Residual(GRU(3, **STATES)), ActivityPenalty(l2=0.1), GRU(2)],
    "dilated": [Dilated(GRU(3, **STATES), 2), GRU(2)],
    "more dilated than the shortest are long": [Dense(3), Residual(Dilated(GRU(3, **STATES), 5)), GRU(2)],
    "behind the end": [GRU(3), RepeatVector(3), GRU(3, **STATES), Conv1D(2, 2), Flatten()],
}
READ_ALL = {
    "pooled to one step": [AveragePool1D(LONGEST)],
    "largest": [MaxPool1D(LONGEST)],
    "convolved to one step": [Conv1D(4, LONGEST)],
    "pooled states": [GRU(3, **STATES), AveragePool1D(4)],
    "largest states": [GRU(3, **STATES), GlobalMaxPool1D()],
    "flattened": [GRU(3, **STATES), Flatten()],
    "end of a part": [Dilated(GRU(3), 2)],
}


@pytest.mark.parametrize("layers", GO_BY_MASKS.values(), ids=GO_BY_MASKS)
def test_a_sequence_gives_the_same_in_any_company(layers):
    model = RNNRegressor(layers=layers, **SETTINGS).fit(X, Y)
    together = model.predict(X)
    for i in (0, 3, min(range(len(X)), key=lambda i: len(X[i])), len(X) - 1):
        np.testing.assert_array_equal(model.predict([X[i]]), together[i : i + 1])


def test_sequences_shorter_than_a_dilation():
    """They are learned from beside longer ones, so they are predicted alone too, whatever form they have."""
    layers = [Dilated(GRU(3, **STATES), 5)]
    model = RNNRegressor(layers=layers, return_sequences=True, **SETTINGS).fit(X, [x[:, 0] for x in X])
    short = np.stack([x[:2] for x in X[:4]])
    expected = [part[:2] for part in model.predict(X[:4])]
    np.testing.assert_array_equal(model.predict(short), expected)
    np.testing.assert_array_equal(model.predict(list(short)), expected)
    with pytest.raises(ValueError, match=r"Layer 0, Dilated\(.*, 5\), needs at least 5 steps.*`dilation`; got 2 steps"):
        RNNRegressor(layers=layers, return_sequences=True, **SETTINGS).fit(short, short[..., 0])
    with pytest.raises(ValueError, match=r"Layer 0, Dilated\(GRU\(3\), 5\), needs at least 5 steps"):
        RNNRegressor(layers=[Dilated(GRU(3), 5)], **SETTINGS).fit(np.ones((3, 6, 1)), np.ones(3)).predict(
            short[..., :1]
        )


@pytest.mark.parametrize("layers", READ_ALL.values(), ids=READ_ALL)
def test_layers_that_would_read_what_is_not_there(layers):
    with pytest.raises(ValueError, match="reads all steps alike, but these sequences differ in length"):
        RNNRegressor(layers=layers, **SETTINGS).fit(X, Y)


@pytest.mark.parametrize("layers", [[Flatten()], [Conv1D(2, 2), GRU(2)]], ids=str)
def test_padded_tokens_are_not_read_either(layers):
    tokens = RNG.integers(2, 9, (30, 5)) * (np.arange(5) < RNG.integers(1, 6, (30, 1)))
    with pytest.raises(ValueError, match="reads all steps alike"):
        RNNRegressor(layers=layers, embedding_dim=3, **SETTINGS).fit(tokens, Y[:30])


def test_no_layer_turns_time_around():
    backwards = GRU(3, go_backwards=True, **STATES)
    per_step = [x[:, 0] for x in X]
    with pytest.raises(ValueError, match="from the last to the first"):
        RNNRegressor(layers=[Dilated(backwards, 2)], return_sequences=True, **SETTINGS).fit(X, per_step)
    with pytest.raises(ValueError, match="in the order of its inputs"):
        Residual(Dilated(backwards, 2))


def test_weights_of_the_validation_part_must_count():
    """Were they all zero, every epoch would be the best one."""
    x = RNG.normal(size=(60, 4))
    model = RNNRegressor(validation_fraction=0.2, **SETTINGS)
    weights = np.ones(60)
    weights[held_out(model, x)] = 0
    with pytest.raises(ValueError, match=r"sample_weight.*validation"):
        model.fit(x, x[:, 0], sample_weight=weights)


def held_out(model, x):
    """Those whose scale the model does not learn: without their rows its scales are the same."""
    center = model.fit(x, x[:, 0]).state_.targets.center[0]
    from tsrnn.estimators.split import split

    train, validation = split(np.zeros(len(x), np.int64), 0.2, 0)
    assert x[train, 0].mean() == pytest.approx(center)
    return validation


def test_embeddings_are_known_to_go_step_by_step():
    tokens = RNG.integers(2, 9, (30, 5))
    assert RNNRegressor(layers=[Embedding(9, 2, mask_zero=True), GRU(2)], **SETTINGS).fit(tokens, Y[:30]).n_iter_ == 2
