"""What `memory_estimate` says, beside what NumPy allocates, and what the process takes for a million rows."""

import gc
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from tsrnn import DenseForecaster, GRUForecaster, LinearForecaster, LSTMForecaster, NaiveForecaster, SimpleRNNForecaster
from tsrnn.forecasting.memory import MemoryEstimate, buffers
from tsrnn.nn import GRU, Conv1D, Dense, GlobalAveragePool1D, LayerNorm, MaxPool1D, Residual
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

ROOT = Path(__file__).parents[2]
SHORT = {"max_epochs": 1, "max_steps": 3, "random_state": 0, "n_jobs": 2}


def frame(rows, columns):
    values = np.random.default_rng(0).standard_normal((rows, columns))
    index = pd.date_range("2004-01-01", periods=rows, freq="10min")
    return pd.DataFrame(values, index, columns=[f"c{i}" for i in range(columns)])


def panel(series, rows, columns):
    return pd.concat({f"s{i}": frame(rows, columns) for i in range(series)}, names=["id"])


def weighted():
    return {"X": frame(30_000, 4), "X_val": frame(20_000, 4), "sample_weight": np.ones(30_000)}


CASES = {
    "many rows of one column": (GRUForecaster(lookback=48, **SHORT), lambda: {"X": frame(60_000, 1)}),
    "many outputs": (GRUForecaster(lookback=24, horizon=100, **SHORT), lambda: {"X": frame(9000, 14)}),
    "one target": (GRUForecaster(target="c0", lookback=48, **SHORT), lambda: {"X": frame(40_000, 14)}),
    "long tapes": (
        LSTMForecaster(lookback=120, hidden_size=[64, 64], horizon=3, recurrent_dropout=0.1, **SHORT),
        lambda: {"X": frame(1000, 5)},
    ),
    "many weights": (GRUForecaster(lookback=4, hidden_size=256, horizon=2, **SHORT), lambda: {"X": frame(600, 2)}),
    "convolutions": (
        GRUForecaster(
            lookback=120,
            horizon=3,
            layers=[Conv1D(64, 5), MaxPool1D(2), LayerNorm(), Residual(Dense(64)), GlobalAveragePool1D()],
            **SHORT,
        ),
        lambda: {"X": frame(1000, 5)},
    ),
    "validation rows and weights of one's own": (GRUForecaster(lookback=24, horizon=4, **SHORT), weighted),
    "many series": (SimpleRNNForecaster(lookback=24, horizon=4, **SHORT), lambda: {"X": panel(200, 300, 3)}),
    "one row ahead": (
        GRUForecaster(strategy="recursive", lookback=12, horizon=24, **SHORT),
        lambda: {"X": frame(60_000, 1)},
    ),
    "rows fed back": (
        GRUForecaster(strategy="recursive", lookback=40, sampling_rate=10, horizon=2, hidden_size=2, **SHORT),
        lambda: {"X": frame(6000, 8)},
    ),
    "decoder": (
        LSTMForecaster(strategy="seq2seq", lookback=48, horizon=48, hidden_size=[64, 64], **SHORT),
        lambda: {"X": frame(2000, 3)},
    ),
    "decoder of a long horizon": (
        GRUForecaster(strategy="seq2seq", lookback=12, horizon=220, hidden_size=2, validation_fraction=0.45, **SHORT),
        lambda: {"X": frame(900, 1)},
    ),
    "members side by side": (
        GRUForecaster(lookback=24, hidden_size=96, horizon=2, n_members=3, **SHORT),
        lambda: {"X": frame(900, 2)},
    ),
    "masks drawn anew": (
        GRUForecaster(lookback=48, hidden_size=48, horizon=3, recurrent_dropout=0.2, mc_samples=3, **SHORT),
        lambda: {"X": frame(1500, 4)},
    ),
    "distributions of masks": (
        GRUForecaster(
            lookback=24, hidden_size=8, horizon=12, loss="gaussian", recurrent_dropout=0.2, mc_samples=20, **SHORT
        ),
        lambda: {"X": frame(6000, 2)},
    ),
    "dense": (DenseForecaster(lookback=48, horizon=24, **SHORT), lambda: {"X": frame(12_000, 4)}),
    "ridge": (LinearForecaster(lookback=100, horizon=12), lambda: {"X": frame(8000, 4)}),
    "ridge of many inputs": (LinearForecaster(lookback=120, horizon=24), lambda: {"X": frame(3000, 8)}),
    "naive": (NaiveForecaster(lookback=100, horizon=12), lambda: {"X": frame(40_000, 4)}),
    "mean": (NaiveForecaster(lookback=100, horizon=12, method="mean"), lambda: {"X": frame(60_000, 4)}),
}


@pytest.mark.parametrize(("forecaster", "data"), CASES.values(), ids=CASES)
def test_the_estimate_is_what_is_allocated(forecaster, data):
    """Within a quarter. NumPy tells `tracemalloc` about every array."""
    given = data()
    clone(forecaster).fit(given["X"].iloc[:600])  # what is imported and compiled is no part of it
    found = clone(forecaster).memory_estimate(**given).total
    gc.collect()
    tracemalloc.start()
    try:
        clone(forecaster).fit(**given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == pytest.approx(peak, rel=0.25)


def test_the_estimate_counts_the_checkpoint(tmp_path):
    given, peaks = SHORT | {"lookback": 4, "horizon": 2, "hidden_size": [700, 700]}, []
    for path in (None, tmp_path / "run"):
        forecaster = DenseForecaster(**given, checkpoint=path)
        tracemalloc.start()
        try:
            forecaster.fit(frame(600, 2))
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert forecaster.memory_estimate(frame(600, 2)).total == pytest.approx(peaks[-1], rel=0.25)
    assert peaks[1] > 1.3 * peaks[0]


def test_nothing_grows_with_windows_but_what_is_counted_for_each():
    """A window costs its place in the index and in the order of an epoch, never a copy of its rows."""
    few, many = (GRUForecaster(lookback=240, **SHORT).memory_estimate(frame(rows, 1)) for rows in (50_000, 100_000))
    growth = (many.totals["training"] - few.totals["training"]) / 50_000
    assert growth < 2 * 4 + 3 * 8 + 0.2 * 12 + 1  # series, scaled series; series, origin, order; validation


def test_reading_the_estimate():
    forecaster, wide = GRUForecaster(**SHORT), frame(2000, 2)
    before = dict(vars(forecaster))
    found = forecaster.memory_estimate(wide)
    assert vars(forecaster) == before
    assert list(found.phases) == ["reading", "training", "skill", "intervals"]
    assert found.phases["training"]["series"] == 2000 * 2 * 4
    assert found.total == max(found.totals.values()) == max(sum(parts.values()) for parts in found.phases.values())
    text = str(found)
    assert f"{found.total / 1e6:.1f} MB" in text and "scaled series" in text
    assert repr(found) == text and "<table>" in found._repr_html_()
    with pytest.raises(AttributeError):
        found.phases = {}
    with pytest.raises(ValueError, match="missing"):
        forecaster.memory_estimate(wide.mask(wide > 3))  # as `fit` would


def test_megabytes():
    found = MemoryEstimate(
        {"reading": {"series": 1_500_000, "rows in order": 10**6}, "training": {"series": 1_500_000}}
    )
    assert str(found).splitlines() == [
        "Memory of fit, at its peak 2.5 MB",
        "part           reading  training",
        "--------------------------------",
        "series         1.5      1.5",
        "rows in order  1.0      0.0",
        "together       2.5      1.5",
    ]


def test_buffers_are_counted_once_and_whole():
    whole = np.zeros(100, np.float32)
    assert sum(buffers([whole[:10], (whole[5:], whole.reshape(10, 10)), "no array"]).values()) == 400
    space = Network([GRU(8), Dense(1)], Shape(30, 4)).workspace(training=True)
    assert sum(buffers(space).values()) >= space.x.nbytes + space.bound[0].tape.saved.nbytes
    tracemalloc.start()
    try:
        network = Network([GRU(8, recurrent_dropout=0.2, return_sequences=True), GRU(8), Dense(1)], Shape(300, 4))
        space = network.workspace(training=True)
        allocated = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert sum(buffers(space).values()) == pytest.approx(allocated, rel=0.02)


@pytest.mark.slow  # half a minute each
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is read from Linux' /proc")
@pytest.mark.parametrize("targets", [1, 14])
def test_a_million_rows(targets):
    """Under three times the series and 200 MB, and what was estimated."""
    program = [sys.executable, str(ROOT / "benchmarks" / "memory.py"), f"--child=1000000,{targets}"]
    found = json.loads(subprocess.run(program, capture_output=True, text=True, check=True, cwd=ROOT).stdout)
    series = 4 * 1_000_000 * 14
    assert series < found["peak"] < 3 * series + 200e6
    assert found["estimate"] == pytest.approx(found["peak"], rel=0.25)
