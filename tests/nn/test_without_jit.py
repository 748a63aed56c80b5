"""Everything runs without the compiler too (for coverage and debugging), and gives the same numbers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cell_kinds import KINDS
from reference.cells import random_states

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
FORECASTS = """
import sys, warnings
import numpy as np
import pandas as pd
from tsrnn import RNNForecaster
frame = pd.DataFrame({"y": np.sin(np.arange(60) / 3)}, index=pd.date_range("2024-01-01", periods=60, freq="h"))
warnings.simplefilter("ignore")  # it is too small to beat the naive forecast
given = {"strategy": sys.argv[2], "teacher_forcing": 0.5, "instance_norm": "last", "loss": "mse"}  # smooth
given |= {"lookback": 5, "horizon": 2, "max_epochs": 2, "random_state": 0, "n_jobs": 1}
made = RNNForecaster(cell="gru", hidden_size=3, **given)
np.save(sys.argv[1], [made.fit(frame[:-1]).stream().step(frame.iloc[-1]), made.predict(frame)])
"""


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


def all_passes(name, dtype):
    return passes(name, dtype) if name in KINDS else passes_of_stack(name, dtype)


def save_passes(path):
    np.savez(path, **{
        f"{name}-{np.dtype(dtype)}-{i}": array
        for name in (*KINDS, *STACKS) for dtype in DTYPES for i, array in enumerate(all_passes(name, dtype))
    })  # fmt: skip


def run_without_jit(*arguments):
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join([str(root), str(root / "tests")])
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": paths}
    subprocess.run([sys.executable, *arguments], env=environment, check=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "passes.npz"
    run_without_jit(__file__, str(path))
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


@pytest.mark.parametrize("strategy", ["direct", "recursive", "seq2seq"])
def test_a_forecaster_fits_and_predicts(tmp_path, strategy):
    plain, compiled = tmp_path / "plain.npy", tmp_path / "compiled.npy"
    run_without_jit("-c", FORECASTS, str(plain), strategy)
    subprocess.run([sys.executable, "-c", FORECASTS, str(compiled), strategy], check=True)
    found = np.load(plain)
    assert found.shape == (2, 2, 1)  # of a stream and of a tile
    np.testing.assert_allclose(found, np.load(compiled), rtol=1e-5)


if __name__ == "__main__":
    save_passes(sys.argv[1])
