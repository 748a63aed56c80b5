"""An epoch of the Jena weather through ``GRUForecaster.fit``, beside PyTorch and Keras doing as much.

500 steps of 128 windows of 240 hourly points of 14 columns, GRU(32) and a dense head, squared error, Adam, forecasting
the temperature 24 hours ahead. ``fit`` reads a frame, shuffles, gathers windows from the rows and keeps the best
weights. The peers have it easier: each repeats a step on one batch that was standardised and gathered before, so no
reading, shuffling or gathering is in their time. They take turns with ours, of fewer steps; the ratios are of equally
many. Before, the forecasts of a fitted network are compared with those of the peers on the same weights.

Takes the file of 2020 where it is there (``TSRNN_SHARED_DATA`` names its folder, by default ``shared/data`` beside the
project), or else downloads that of 2009 to 2016.
Usage: python benchmarks/jena.py [--quick]
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import measure
import numpy as np
import pandas as pd
from agreement import same
from peer_keras import Keras
from peer_pytorch import PyTorch
from problem import Problem

from tsrnn import BelowNaiveWarning, GRUForecaster
from tsrnn.datasets import fetch_jena_climate
from tsrnn.training.threads import usable_cores

FOLDER = Path(os.environ.get("TSRNN_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
FILE = FOLDER / "weather_jena_2020.csv.gz"
TARGET = "T (degC)"
STEPS, BATCH, LOOKBACK, COLUMNS, HIDDEN = 500, 128, 240, 14, 32
CHECKED = 4  # forecasts that are compared
HOUR, AHEAD = 6, 143  # rows of ten minutes in an hour; rows between the last point read and the one 24 hours later
FORECASTER = dict(
    target=TARGET, lookback=LOOKBACK, sampling_rate=HOUR, gap=AHEAD, horizon=1, hidden_size=HIDDEN, batch_size=BATCH,
    loss="mse", clip_norm=None, validation_fraction=0, early_stopping=False, restore_best_weights=False,
    duplicates="first", na_values=-9999, missing="ffill", max_epochs=2, random_state=0,
)  # fmt: skip


@dataclass(frozen=True)
class JenaBatch(Problem):
    """One batch of windows, standardised and gathered."""

    values: np.ndarray = field(default_factory=lambda: np.zeros(0))
    targets: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def x(self) -> np.ndarray:
        return self.values

    @property
    def y(self) -> np.ndarray:
        return self.targets


def read_frame() -> pd.DataFrame:
    """The 14 columns of the classic file."""
    return fetch_jena_climate(path=FILE if FILE.exists() else None).loc[:, "p (mbar)":"wd (deg)"]


def fit(frame: pd.DataFrame, steps: int) -> tuple[GRUForecaster, float, float]:
    """A forecaster after so many steps, the milliseconds of its epochs, and those of the whole ``fit``."""
    forecaster = GRUForecaster(**FORECASTER, max_steps=steps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BelowNaiveWarning)
        whole = measure.first_call(lambda: forecaster.fit(frame))
    return forecaster, forecaster.history_["seconds"].sum() * 1e3, whole


def batch_of(frame: pd.DataFrame) -> tuple[JenaBatch, list[pd.DataFrame], tuple[float, float]]:
    """A batch for the peers; for a few of its windows the rows that end with them; mean and spread of the target."""
    rows = frame[~frame.index.duplicated()].sort_index().replace(-9999, np.nan).asfreq("10min").ffill()
    ordered = rows[[TARGET, *(name for name in rows.columns if name != TARGET)]]
    mean, spread = ordered.mean(), ordered.std(ddof=0)
    values = ((ordered - mean) / spread).to_numpy(np.float32)
    last = (LOOKBACK - 1) * HOUR + np.arange(BATCH) * 300  # the windows' last points
    x = values[last[:, None] + np.arange(1 - LOOKBACK, 1) * HOUR]
    batch = JenaBatch("GRU", BATCH, LOOKBACK, COLUMNS, HIDDEN, values=x, targets=values[last + AHEAD + 1, :1])
    return batch, [rows.iloc[: row + 1] for row in last[:CHECKED]], (mean[TARGET], spread[TARGET])


def repeated(call: Callable[[], object], times: int) -> float:
    """Milliseconds of one of many calls."""
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times * 1e3


def main() -> None:
    quick = measure.is_quick(__doc__)
    steps, turn, rounds = (50, 5, 3) if quick else (STEPS, 60, 5)
    frame = read_frame()
    forecaster, _, first = fit(frame, 1)
    batch, histories, (mean, spread) = batch_of(frame)
    weights = list(forecaster.state_.model.arrays().values())
    forecasts = np.array([forecaster.predict(history)[TARGET].iloc[0] for history in histories])
    peers = {"PyTorch": PyTorch(batch, weights, usable_cores())}
    peers |= {name: Keras(batch, weights, jit) for name, jit in Keras.JIT.items()}
    for name, peer in peers.items():
        same(f"Jena and {name}", [(forecasts - mean) / spread], [peer.predict()[:CHECKED]])
    firsts = {"ours": first, **{name: measure.first_call(peer.train) for name, peer in peers.items()}}
    times: dict[str, list[float]] = {name: [] for name in ("ours", "fit", *peers)}
    for _ in range(rounds):
        _, epochs, whole = fit(frame, steps)
        times["ours"].append(epochs / steps * STEPS)
        times["fit"].append(whole)
        for name, peer in peers.items():
            repeated(peer.train, 2)
            times[name].append(repeated(peer.train, turn) * STEPS)
    row = summary(measure.Timings(times), firsts, steps)
    measure.report(row)
    if not quick:
        measure.write("jena", "An epoch of the Jena weather: 500 steps of 128 windows of 240 points", [row])


def summary(times: measure.Timings, firsts: dict[str, float], steps: int) -> dict[str, object]:
    """The line of the table; seconds of 500 steps."""
    best = times.best(Keras.JIT)
    return {
        "500 steps (s)": times.ms("ours") / 1e3,
        f"whole fit of {steps} steps (s)": times.ms("fit") / 1e3,
        "PyTorch (s)": times.ms("PyTorch") / 1e3,
        "Keras (s)": times.ms(best) / 1e3,
        "Keras with jit": Keras.JIT[best],
        "times faster than PyTorch": times.ratio("PyTorch", "ours"),
        "times faster than Keras": times.ratio(best, "ours"),
        "first fit, of one step (ms)": firsts["ours"],
        "PyTorch's first step (ms)": firsts["PyTorch"],
        "Keras' first step (ms)": firsts[best],
    }


if __name__ == "__main__":
    main()
