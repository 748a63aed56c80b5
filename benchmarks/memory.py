"""How much memory ``fit`` takes on a million rows of 14 columns, and whether a window costs more in a longer series.

The peak is that of a fresh process during ``fit``, above what it holds after imports, warm kernels and the frame; the
bound is three times the series in float32 plus 200 MB. A window is timed in training steps of as many windows, in turns
on series of different lengths; preparing the rows, which ``fit`` does before, is a figure of its own.
Linux only, which tells the peak of a process. Usage: python benchmarks/memory.py [--quick]
"""

from __future__ import annotations

import ctypes
import json
import statistics
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pandas as pd

from tsrnn import BelowNaiveWarning, GRUForecaster

COLUMNS, LOOKBACK = 14, 240
STEPS = 300  # enough that shuffling a million windows, once an epoch, does not count
SIZES = (10_000, 100_000, 1_000_000)
MB = 1e6
CHILD = "--child="  # how this file calls itself for one length and number of targets


def frame_of(rows: int) -> pd.DataFrame:
    """Hourly noise, float64 as pandas reads files."""
    index = pd.date_range("1900-01-01", periods=rows, freq="h")
    values = np.random.default_rng(0).normal(size=(rows, COLUMNS))
    return pd.DataFrame(values, index, [f"c{i}" for i in range(COLUMNS)])


def forecaster_of(steps: int, targets: int = 1) -> GRUForecaster:
    """A network of 32 units on windows of 240 points; some of the rows are held out, as by default."""
    names = [f"c{i}" for i in range(targets)]
    return GRUForecaster(target=names, lookback=LOOKBACK, horizon=24, max_steps=steps, random_state=0)


def status(field: str) -> float:
    """A line of the process' status, bytes: VmRSS is what it holds, VmHWM the most it held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def child(rows: int, targets: int) -> dict[str, float]:
    """In a process of its own: the bytes that ``fit`` takes at its peak, and those that it was estimated to take."""
    forecaster_of(1, targets).fit(frame_of(2_000))  # kernels and lazy imports
    frame, forecaster = frame_of(rows), forecaster_of(2, targets)
    ctypes.CDLL(None).malloc_trim(0)  # what the allocator kept of the small fit would hide as much of the large one
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    forecaster.fit(frame)
    peak = status("VmHWM") - before
    return {"peak": peak, "estimate": forecaster.memory_estimate(frame).total}  # after: it reads the frame as well


def measure_peak(rows: int, targets: int) -> dict[str, Any]:
    """One line of the table, from a fresh process."""
    command = [sys.executable, __file__, f"{CHILD}{rows},{targets}"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    series = 4 * rows * COLUMNS
    return {
        "rows": rows,
        "targets": targets,
        "peak of fit (MB)": found["peak"] / MB,
        "memory_estimate (MB)": found["estimate"] / MB,
        "estimate, share of the peak": found["estimate"] / found["peak"],
        "float32 series (MB)": series / MB,
        "bound (MB)": (3 * series + 200 * MB) / MB,
        "share of the bound": found["peak"] / (3 * series + 200 * MB),
    }


def measure_times(sizes: tuple[int, ...], rounds: int) -> list[dict[str, Any]]:
    """Microseconds of a window in training, and of a row before it."""
    frames = {rows: frame_of(rows) for rows in sizes}
    windows: dict[str, list[float]] = {str(rows): [] for rows in sizes}
    others: dict[str, list[float]] = {str(rows): [] for rows in sizes}
    for index in range(rounds + 1):
        for rows, frame in frames.items():
            forecaster = forecaster_of(STEPS)
            forecaster.set_params(validation_fraction=0)
            whole = measure.first_call(lambda f=frame, g=forecaster: g.fit(f)) * 1e3
            epochs = forecaster.history_["seconds"].sum() * 1e6
            if index:
                windows[str(rows)].append(epochs / (STEPS * forecaster.batch_size))
                others[str(rows)].append((whole - epochs) / rows)
    times, first = measure.Timings(windows), str(sizes[0])
    return [
        {
            "rows": rows,
            "a window of training (us)": times.ms(str(rows)),
            f"times that of {sizes[0]:,} rows": times.ratio(str(rows), first),
            "preparing, a row (us)": statistics.median(others[str(rows)]),
        }
        for rows in sizes
    ]


def main() -> None:
    quick = measure.is_quick(__doc__)
    warnings.simplefilter("ignore", BelowNaiveWarning)
    sizes = SIZES[:2] if quick else SIZES
    rows = [measure_peak(length, 1) for length in sizes]
    for row, times in zip(rows, measure_times(sizes, rounds=2 if quick else 5), strict=True):
        row |= times
    rows.append(measure_peak(sizes[-1], COLUMNS))  # its times are those of a wider output, not of longer series
    for row in rows:
        measure.report(row)
    if not quick:
        measure.write("memory", "Memory of fit, and time of a window, by the length of the series", rows)


if __name__ == "__main__":
    if sys.argv[-1].startswith(CHILD):
        warnings.simplefilter("ignore", BelowNaiveWarning)
        print(json.dumps(child(*map(int, sys.argv[-1].removeprefix(CHILD).split(",")))))
    else:
        main()
