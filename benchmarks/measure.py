"""Timing in turns, and what it was measured on. Machines are shared and noisy: medians and ratios, in one run."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("tsrnn", "numba", "llvmlite", "numpy", "pandas", "scikit-learn", "torch", "tensorflow", "keras")
WARM = 0.01  # seconds of calls before a turn is timed: caches, clocks and spinning threads belong to the others


def is_quick(description: str | None) -> bool:
    """Reads the command line: whether ``--quick`` was given."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few sizes and few rounds; prints only, writes no results")
    return bool(parser.parse_args().quick)


def first_call(function: Callable[[], Any]) -> float:
    """Milliseconds of one call: compilation, or what stands for it."""
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1e3


class Timings:
    """Milliseconds of each function, one number (the median of its calls) for each round."""

    def __init__(self, rounds: dict[str, list[float]]) -> None:
        self.rounds = rounds

    def ms(self, name: str) -> float:
        """The median over the rounds."""
        return statistics.median(self.rounds[name])

    def ratio(self, slow: str, fast: str) -> float:
        """How many times longer ``slow`` takes: the median of the rounds' ratios, so drifts of the machine cancel."""
        pairs = zip(self.rounds[slow], self.rounds[fast], strict=True)
        return statistics.median(a / b for a, b in pairs)

    def best(self, names: Iterable[str]) -> str:
        """The fastest of these."""
        return min(names, key=self.ms)


def interleaved(functions: dict[str, Callable[[], Any]], rounds: int = 7, seconds: float = 0.1) -> Timings:
    """Each function in turn, for ``seconds`` or two calls a round, so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            _turn(function, WARM, 1)
            times[name].append(statistics.median(_turn(function, seconds, 2)))
    return Timings(times)


def _turn(function: Callable[[], Any], seconds: float, at_least: int) -> list[float]:
    calls: list[float] = []
    while len(calls) < at_least or sum(calls) < seconds * 1e3:
        calls.append(first_call(function))
    return calls


def machine() -> dict[str, Any]:
    """Processor, cores and versions."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    cores = len(os.sched_getaffinity(0)) if platform.system() == "Linux" else os.cpu_count()
    versions = {name: metadata.version(name) for name in PACKAGES if _installed(name)}
    system = {"system": platform.system(), "python": platform.python_version()}
    return {"processor": model, "cores": cores, **system, **versions}


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def write(name: str, title: str, rows: Iterable[dict[str, Any]]) -> None:
    """Rows as ``results/NAME.json`` and as a table in ``results/NAME.md``; a row may leave columns out."""
    rows, found = list(rows), machine()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": found, "rows": rows}, indent=1) + "\n")
    head = list(dict.fromkeys(key for row in rows for key in row))
    lines = [f"# {title}", "", ", ".join(f"{key} {value}" for key, value in found.items()) + ".", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_shown(row.get(key, "")) for key in head) + " |" for row in rows]
    (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n")


def report(row: dict[str, Any]) -> None:
    """Print one row as it comes."""
    print(", ".join(f"{key}: {_shown(value)}" for key, value in row.items()), flush=True)


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
