"""Looks into estimators: what shorter sequences lack is no step, and nobody's company changes what is seen of one."""

import numpy as np
import pandas as pd
import pytest
from sequence_sets import make_ragged

from tsrnn import RNNRegressor
from tsrnn.nn import GRU

X, Y = make_ragged()
LENGTHS = np.array([len(x) for x in X])
SETTINGS = {"max_epochs": 1, "random_state": 0}
LAYERS = {
    "two": [GRU(4, return_sequences=True), GRU(3)],
    "backwards": [GRU(4, return_sequences=True, go_backwards=True), GRU(3)],
    "each step": [GRU(4, return_sequences=True)],
}


def fitted(layers, X, y, **settings):
    """With weights so large that gates are saturated."""
    per_step = layers is LAYERS["each step"]
    model = RNNRegressor(layers=layers, return_sequences=per_step, **SETTINGS, **settings).fit(X, y)
    model.state_.theta[:] *= 4
    return model


@pytest.mark.parametrize("name", LAYERS)
def test_each_sequence_is_seen_as_if_alone(name):
    y = [x[:, 0] for x in X] if name == "each step" else Y
    model = fitted(LAYERS[name], X, y)
    alone = [([x], y[i : i + 1]) for i, x in enumerate(X)]
    flows = [model.gradient_flow(*one) for one in alone]
    assert [len(flow) for flow in flows] == LENGTHS.tolist()
    together = model.gradient_flow(X, y)
    expected = pd.concat(flows).groupby(level="steps_back").mean()
    np.testing.assert_allclose(together, expected, rtol=1e-5)
    assert together.index.equals(expected.index) and (together > 0).all(axis=None)
    shares = np.array([model.saturation(*one) for one in alone])
    np.testing.assert_allclose(model.saturation(X, y), np.average(shares, axis=0, weights=LENGTHS), rtol=1e-12)
    assert shares.std() > 0


@pytest.mark.parametrize("name", LAYERS)
def test_padding_is_no_step(name):
    rng = np.random.default_rng(0)
    tokens = [rng.integers(2, 9, length) for length in LENGTHS]
    padded = np.zeros((len(tokens), 11), int)
    for row, part in zip(padded, tokens, strict=True):
        row[np.sort(rng.permutation(11)[: len(part)])] = part  # also before and in between
    y, wide = Y, Y
    if name == "each step":
        y, wide = [part * 1.0 for part in tokens], padded * 1.0
    model = fitted(LAYERS[name], tokens, y, embedding_dim=3)
    np.testing.assert_allclose(model.gradient_flow(padded, wide), model.gradient_flow(tokens, y), rtol=1e-5)
    np.testing.assert_array_equal(model.saturation(padded, wide), model.saturation(tokens, y))


def test_nothing_is_seen_of_padding_alone():
    model = fitted(LAYERS["two"], [[2, 3], [4, 2, 3]], [0.0, 1.0], embedding_dim=2)
    nothing = np.zeros((2, 3), int)
    assert model.gradient_flow(nothing, [0.0, 1.0]).shape == (0, 2)
    assert model.saturation(nothing, [0.0, 1.0]).isna().all()
