"""Timing in turns, and what it was measured on. Machines are shared and noisy: medians and ratios, in one run."""

from __future__ import annotations

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
PACKAGES = ("tsrnn", "numba", "llvmlite", "numpy", "torch")


def first_call(function: Callable[[], Any]) -> float:
    """Milliseconds of one call: compilation, or what stands for it."""
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1e3


def interleaved(functions: dict[str, Callable[[], Any]], rounds: int = 7, repeats: int = 5) -> dict[str, float]:
    """Median milliseconds of each function, called in turns so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            function()  # caches and clocks belong to the others
            for _ in range(repeats):
                times[name].append(first_call(function))
    return {name: statistics.median(values) for name, values in times.items()}


def machine() -> dict[str, Any]:
    """Processor, cores and versions."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
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
    """Rows as ``results/NAME.json`` and as a table in ``results/NAME.md``."""
    rows, found = list(rows), machine()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": found, "rows": rows}, indent=1) + "\n")
    head = list(rows[0])
    lines = [f"# {title}", "", ", ".join(f"{key} {value}" for key, value in found.items()) + ".", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_shown(row[key]) for key in head) + " |" for row in rows]
    (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n")


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
