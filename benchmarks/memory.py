"""Peak memory of a fit, beside what it may be and what ``memory_estimate`` said, and the time for a window.

Each fit runs in a fresh process, with warm kernels: a small fit goes before. Counted is what the process holds at its
peak (VmHWM of Linux) above what it held with imports, kernels and the frame. Usage: python benchmarks/memory.py
[--rows N ...] [--targets N ...] [--steps N]; one line of JSON for each.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import subprocess
import sys
import warnings
from pathlib import Path

COLUMNS, LOOKBACK, SMALL = 14, 240, 3000
STATUS, RESET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident(what: str) -> int:
    """Bytes of "VmRSS" (now) or "VmHWM" (at the peak)."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def measure(rows: int, targets: int, steps: int | None) -> dict[str, float]:
    """One fit, in this process, which should be a fresh one."""
    import numpy as np
    import pandas as pd

    from tsrnn import BelowNaiveWarning, RNNForecaster

    def frame(count: int) -> pd.DataFrame:
        values = np.random.default_rng(0).standard_normal((count, COLUMNS))
        stamps = pd.date_range("2004-01-01", periods=count, freq="10min")
        return pd.DataFrame(values, stamps, columns=[f"c{i}" for i in range(COLUMNS)])

    def forecaster() -> RNNForecaster:
        target = None if targets == COLUMNS else [f"c{i}" for i in range(targets)]
        return RNNForecaster(target=target, lookback=LOOKBACK, max_epochs=1, max_steps=steps, random_state=0)

    warnings.simplefilter("ignore", BelowNaiveWarning)
    forecaster().fit(frame(SMALL))
    X = frame(rows)
    ctypes.CDLL(None).malloc_trim(0)  # what the allocator kept of the small fit would hide as much of the large one
    held = resident("VmRSS")
    RESET_PEAK.write_text("5")
    fitted = forecaster().fit(X)
    peak = resident("VmHWM") - held
    windows = (rows - LOOKBACK - fitted.horizon_ + 1) * (1 - fitted.validation_fraction)
    return {
        "rows": rows,
        "targets": targets,
        "series (MB)": rows * COLUMNS * 4 / 1e6,
        "peak (MB)": peak / 1e6,
        "bound (MB)": 3 * rows * COLUMNS * 4 / 1e6 + 200,
        "estimate (MB)": forecaster().memory_estimate(X).total / 1e6,
        "epoch, for each training window (us)": fitted.history_["seconds"].sum() / windows * 1e6,
    }


def main() -> None:
    """Measure each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--targets", type=int, nargs="+", default=[1, COLUMNS])
    parser.add_argument("--steps", type=int, help="training steps; by default an epoch")
    parser.add_argument("--here", action="store_true", help="measure in this process")
    given = parser.parse_args()
    if given.here:
        print(json.dumps(measure(given.rows[0], given.targets[0], given.steps)))
        return
    for targets in given.targets:
        for rows in given.rows:
            command = [sys.executable, __file__, "--here", "--rows", str(rows), "--targets", str(targets)]
            command += [] if given.steps is None else ["--steps", str(given.steps)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
