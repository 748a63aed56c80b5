"""A training step on one thread and on two.

The gradients are the same to the last bit (checked before anything is timed). The rate of registers on as many threads
says what the machine gives: two threads of one physical core are no two cores.
Usage: python benchmarks/threads.py [--quick]
"""

from __future__ import annotations

import sys
from typing import Any

import measure
from ours import Ours
from peak import Peak
from problem import GATES, Problem

from tsrnn.training.threads import Team, usable_cores


def measure_one(problem: Problem, one: Team, two: Team, rounds: int) -> dict[str, Any]:
    """One line of the table."""
    single, double = Ours(problem, one), Ours(problem, two)
    for got, expected in zip(double.gradients(), single.gradients(), strict=True):
        if got.tobytes() != expected.tobytes():
            raise AssertionError(f"{problem.cell}: two threads give other bits than one.")
    peaks = {"peak of one": Peak(one), "peak of two": Peak(two)}
    times = measure.interleaved({"one": single.train, "two": double.train, **peaks}, rounds)
    return {
        "windows, steps, features, hidden": str(problem),
        "cell": problem.cell,
        "one thread (ms)": times.ms("one"),
        "two threads (ms)": times.ms("two"),
        "times faster": times.ratio("one", "two"),
        "registers faster": 2 * times.ratio("peak of one", "peak of two"),
    }


def main() -> None:
    quick = measure.is_quick(__doc__)
    if usable_cores() < 2:
        sys.exit("This process may run on one core only; there is nothing to compare.")
    rows = []
    with Team(1) as one, Team(2) as two:
        for cell in GATES:
            rows.append(measure_one(Problem(cell, 256, 120, 14, 32), one, two, rounds=5 if quick else 15))
            measure.report(rows[-1])
    if not quick:
        measure.write("threads", "A training step on one thread and on two", rows)


if __name__ == "__main__":
    main()
