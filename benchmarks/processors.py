"""A training step compiled for other processors: AVX2 and SSE, beside all that this one has.

Child processes are told to compile for another processor (``NUMBA_CPU_NAME``; an empty ``NUMBA_CPU_FEATURES`` adds none
of this machine's features), and measure the step in turns with the rate of registers of the same instruction set.
x86 only. Usage: python benchmarks/processors.py [--quick]
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from typing import Any

import measure
from ours import Ours
from peak import Peak
from problem import GATES, Problem

from tsrnn.kernels.simd.host import LANES, REGISTER_BYTES
from tsrnn.training.threads import Team, usable_cores

PROCESSORS: dict[str, dict[str, str]] = {
    "this one": {},
    "AVX2 (haswell)": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""},
    "SSE (nehalem)": {"NUMBA_CPU_NAME": "nehalem", "NUMBA_CPU_FEATURES": ""},
}
SIZES = [(256, 120, 14, 32), (256, 120, 14, 128)]
CHILD = "--child"  # how this file calls itself, with the environment of one processor


def child(rounds: int, sizes: list[tuple[int, int, int, int]]) -> list[dict[str, Any]]:
    """The lines of one instruction set."""
    rows = []
    with Team(usable_cores()) as team:
        peak = Peak(team)
        for size in sizes:
            for cell in GATES:
                problem = Problem(cell, *size)
                ours = Ours(problem, team)
                first = measure.first_call(ours.train)
                times = measure.interleaved({"peak": peak, "ours": ours.train}, rounds)
                rows.append(
                    {
                        "windows, steps, features, hidden": str(problem),
                        "cell": cell,
                        "register (bytes)": REGISTER_BYTES,
                        "windows in a tile": LANES,
                        "step (ms)": times.ms("ours"),
                        "peak (GFLOP/s)": peak.flops / times.ms("peak") / 1e6,
                        "share of peak": times.ratio("peak", "ours") * problem.training_flops / peak.flops,
                        "first step (ms)": first,
                    }
                )
    return rows


def main() -> None:
    quick = measure.is_quick(__doc__)
    if platform.machine() not in ("x86_64", "AMD64"):
        sys.exit("This measures instruction sets of x86 processors.")
    rows = []
    for name, settings in PROCESSORS.items():
        command = [sys.executable, __file__, CHILD, "3" if quick else "7", str(1 if quick else len(SIZES))]
        done = subprocess.run(command, env=os.environ | settings, stdout=subprocess.PIPE, text=True, check=True)
        rows += [{"compiled for": name} | row for row in json.loads(done.stdout)]
    for row in rows:
        measure.report(row)
    if not quick:
        measure.write("processors", "A training step compiled for other processors", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        print(json.dumps(child(int(sys.argv[2]), SIZES[: int(sys.argv[3])])))
    else:
        main()
