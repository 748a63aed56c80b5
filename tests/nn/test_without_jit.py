"""Everything runs without the compiler too (for coverage and debugging), and gives the same numbers."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cell_kinds import KINDS, OTHER_PAIR, options_of
from reference import recurrent as oracle
from reference.cells import random_states

from tsrnn import BelowNaiveWarning, RNNForecaster
from tsrnn.nn import (
    TDNN,
    ActivityPenalty,
    Attention,
    AveragePool1D,
    Bidirectional,
    Conv1D,
    Dense,
    Dilated,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    LayerNorm,
    MaxPool1D,
    RepeatVector,
    Residual,
    Sequential,
)

DTYPES = [np.float32, np.float64]
STACKS = {
    "convolutions": [TDNN(5, 3), MaxPool1D(2), Conv1D(3, 2, strides=2, padding="same"), AveragePool1D(2), Flatten()],
    "vectors": [
        LayerNorm(),
        ActivityPenalty(0.1, 0.2),
        Residual(Dense(3)),
        GlobalAveragePool1D(),
        RepeatVector(3),
        GlobalMaxPool1D(),
    ],
    "tokens": [Embedding(4, 3, mask_zero=True), LayerNorm(), GlobalAveragePool1D()],
}
STRATEGIES = ["direct", "recursive", "seq2seq"]


def passes(kind, dtype):
    """Output and all gradients of a small network with dropout, a mask and initial states."""
    cell = KINDS[kind]
    layers = [
        cell(5, return_sequences=True, dropout=0.3, recurrent_dropout=0.4),
        Dropout(0.2),
        cell(3, return_sequences=True, go_backwards=True),
        Bidirectional(cell(2, return_sequences=True), merge_mode="mul"),
        Dilated(cell(3, return_sequences=True), 3),
        Flatten(),
        Dense(2, activation="sigmoid", kernel_l1=0.1, kernel_l2=0.2),
    ]
    net = Sequential(layers).build((4, 3), random_state=1, dtype=dtype)
    rng = np.random.default_rng(0)
    x, mask = rng.standard_normal((3, 4, 3)).astype(dtype), rng.random((3, 4)) < 0.7
    states = random_states(kind, rng, 3, 5)
    y = net.forward(x, training=True, mask=mask, initial_state=[states, *[None] * 6])
    d_x = net.backward(np.cos(y))
    return [y, d_x, *net.grads(), *net.d_initial_state[0], net(x), net(x[:1], mask[:1]), *attention(x, mask)]


def attention(x, mask):
    """Output and all gradients of both kinds."""
    for spec in (Attention(units=2), Attention(kind="dot")):
        net = Sequential([spec]).build((4, 3), random_state=1, dtype=x.dtype)
        y = net.forward(x, training=True, mask=mask)
        yield from (y, net.backward(np.cos(y)), *net.grads(), *net.attention_weights(x, mask).values())


def passes_of_stack(name, dtype):
    """The same of layers without recurrence."""
    rng = np.random.default_rng(0)
    if name == "tokens":
        x = rng.integers(0, 4, (3, 9, 1))
    else:
        x = rng.standard_normal((3, 9, 3))
    net, mask = Sequential(STACKS[name]).build(x.shape[1:], random_state=1, dtype=dtype), rng.random((3, 9)) < 0.7
    y = net.forward(x, training=True, mask=mask)
    return [y, net.backward(np.cos(y)), *net.grads(), net(x), net(x[:1], mask[:1])]


def passes_with_other_activations(kind):
    """Inputs and weights, then output and gradients."""
    options = options_of(kind, OTHER_PAIR)
    net = Sequential([KINDS[kind](5, return_sequences=True, **options)]).build((4, 3), random_state=1, dtype=np.float64)
    net.theta = 0.7 * np.random.default_rng(1).standard_normal(net.theta.size)
    x = np.random.default_rng(0).standard_normal((3, 4, 3))
    y = net.forward(x, training=True)
    return [x, *net.get_weights(), y, net.backward(np.cos(y)), *net.grads()]


def all_passes(name, dtype):
    return passes(name, dtype) if name in KINDS else passes_of_stack(name, dtype)


def forecasts(strategy):
    """Of a stream and of a tile, of a forecaster that was fitted."""
    frame = pd.DataFrame({"y": np.sin(np.arange(60) / 3)}, index=pd.date_range("2024-01-01", periods=60, freq="h"))
    given = {"strategy": strategy, "teacher_forcing": 0.5, "instance_norm": "last", "loss": "mse"}  # smooth
    given |= {"lookback": 5, "horizon": 2, "max_epochs": 2, "random_state": 0, "n_jobs": 1}
    made = RNNForecaster(cell="gru", hidden_size=3, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BelowNaiveWarning)
        return np.array([made.fit(frame[:-1]).stream().step(frame.iloc[-1]), made.predict(frame)])


def save_all(path):
    saved = {
        f"{name}-{np.dtype(dtype)}-{i}": array
        for name in (*KINDS, *STACKS) for dtype in DTYPES for i, array in enumerate(all_passes(name, dtype))
    }  # fmt: skip
    saved |= {f"{kind}-other-{i}": a for kind in KINDS for i, a in enumerate(passes_with_other_activations(kind))}
    np.savez(path, **saved, **{strategy: forecasts(strategy) for strategy in STRATEGIES})


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What this file gives without the compiler, which is a setting of the process."""
    path, root = tmp_path_factory.mktemp("plain") / "arrays.npz", Path(__file__).resolve().parents[2]
    paths = os.pathsep.join([str(root), str(root / "tests")])
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": paths}
    subprocess.run([sys.executable, __file__, str(path)], env=environment, check=True)
    with np.load(path) as saved:
        return dict(saved)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*KINDS, *STACKS])
def test_same_numbers(plain, name, dtype):
    compiled = all_passes(name, dtype)
    assert len([key for key in plain if key.startswith(f"{name}-{np.dtype(dtype)}-")]) == len(compiled)
    for i, array in enumerate(compiled):
        other = plain[f"{name}-{np.dtype(dtype)}-{i}"]
        assert other.dtype == dtype
        np.testing.assert_allclose(array, other, rtol=0, atol=3e-6 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_other_activations(plain, kind):
    """Against the oracle, not compiled: that takes seconds for each cell."""
    count = sum(key.startswith(f"{kind}-other-") for key in plain)
    x, *arrays = [plain[f"{kind}-other-{i}"] for i in range(count)]
    weights, (y, d_x, *grads) = arrays[: count // 2 - 1], arrays[count // 2 - 1 :]
    known = {"return_sequences": True} | options_of(kind, OTHER_PAIR)
    expected = oracle.backward(kind, x, weights, np.cos(y), **known)
    np.testing.assert_allclose(y, oracle.forward(kind, x, weights, **known)[0], rtol=0, atol=1e-12)
    for got, wanted in zip((d_x, *grads), (expected.x, *expected.weights), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-11)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_forecaster_fits_and_predicts(plain, strategy):
    assert plain[strategy].shape == (2, 2, 1)
    np.testing.assert_allclose(plain[strategy], forecasts(strategy), rtol=1e-5)


if __name__ == "__main__":
    save_all(sys.argv[1])
