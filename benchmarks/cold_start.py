"""What a fresh process pays: imports, and a first small fit or training step.

Each figure is the wall clock of whole processes, started in turns; ``import tsrnn`` is timed inside of the process.
Ours imports, reads a frame from a CSV file, fits one small epoch and predicts, with machine code in the cache and
without. Beside it: importing pandas and scikit-learn, which ours does too; and PyTorch and TensorFlow importing and
making one training step on random numbers. Usage: python benchmarks/cold_start.py [--quick]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pandas as pd

ROWS, COLUMNS, LOOKBACK, HIDDEN, BATCH = 2_000, 4, 48, 32, 128
IMPORT = "import time; start = time.perf_counter(); import tsrnn; print(time.perf_counter() - start)"
OURS = f"""
import sys, warnings, pandas as pd
from tsrnn import GRUForecaster
warnings.simplefilter("ignore")
frame = pd.read_csv(sys.argv[1], index_col=0, parse_dates=True)
fitted = GRUForecaster(
    target="a", lookback={LOOKBACK}, horizon=24, hidden_size={HIDDEN}, batch_size={BATCH}, max_epochs=1, random_state=0
).fit(frame)
assert fitted.predict().shape == (24, 1)
"""
PYTORCH = f"""
import torch
layer, head = torch.nn.GRU({COLUMNS}, {HIDDEN}, batch_first=True), torch.nn.Linear({HIDDEN}, 24)
optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()])
x, y = torch.randn({BATCH}, {LOOKBACK}, {COLUMNS}), torch.randn({BATCH}, 24)
((head(layer(x)[0][:, -1]) - y) ** 2).mean().backward()
optimizer.step()
"""
KERAS = f"""
import os
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import keras, numpy as np
model = keras.Sequential([keras.Input(({LOOKBACK}, {COLUMNS})), keras.layers.GRU({HIDDEN}), keras.layers.Dense(24)])
model.compile("adam", "mse", jit_compile=False)
model.train_on_batch(np.zeros(({BATCH}, {LOOKBACK}, {COLUMNS}), "float32"), np.zeros(({BATCH}, 24), "float32"))
"""


def run(code: str, *arguments: str, cache: str) -> tuple[float, str]:
    """Seconds of a process, and what it printed."""
    command = [sys.executable, "-c", code, *arguments]
    environment = os.environ | {"TSRNN_CACHE_DIR": cache}
    output: list[str] = []

    def process() -> None:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"A fresh process ended with code {done.returncode}:\n{done.stderr}")
        output.append(done.stdout)

    return measure.first_call(process) / 1e3, output[0]


def with_empty_cache(file: str) -> float:
    """Seconds of our process where nothing was compiled before."""
    with tempfile.TemporaryDirectory() as cache:
        return run(OURS, file, cache=cache)[0]


def main() -> None:
    quick = measure.is_quick(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        file, cache = str(Path(folder) / "frame.csv"), str(Path(folder) / "cache")
        index = pd.date_range("2024-01-01", periods=ROWS, freq="h")
        values = np.random.default_rng(0).normal(size=(ROWS, COLUMNS))
        pd.DataFrame(values, index, list("abcd")).to_csv(file)
        wall = partial(run, cache=cache)
        cases: dict[str, Callable[[], float]] = {
            "an empty process": lambda: wall("")[0],
            "import tsrnn": lambda: float(wall(IMPORT)[1]),
            "import pandas and scikit-learn": lambda: wall("import pandas, sklearn.base, sklearn.utils")[0],
            "ours, with warm cache": lambda: wall(OURS, file)[0],
            "ours, with empty cache": lambda: with_empty_cache(file),
            "PyTorch: import and first step": lambda: wall(PYTORCH)[0],
            "Keras: import and first step": lambda: wall(KERAS)[0],
        }
        rows = in_turns(cases, rounds=1 if quick else 7)
    for row in rows:
        measure.report(row)
    if not quick:
        measure.write("cold_start", "What a fresh process pays", rows)


def in_turns(cases: dict[str, Callable[[], float]], rounds: int) -> list[dict[str, Any]]:
    """The lines of the table. A turn ahead of all fills the caches, on disk as well."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for index in range(rounds + 1):
        for name, case in cases.items():
            value = case()
            if index:
                seconds[name].append(value)
    return [{"what": name, "seconds": statistics.median(values)} for name, values in seconds.items()]


if __name__ == "__main__":
    main()
