"""Prediction of 10,000 windows, one at each row of a series, beside PyTorch and Keras doing the same.

Ours gathers the windows from the rows; the peers get them gathered. They may take them all at once or 256 at a time,
whichever is faster, Keras also with ``jit_compile`` on or off. Usage: python benchmarks/prediction.py [--quick]
"""

from __future__ import annotations

from functools import partial
from typing import Any

import measure
from agreement import same
from ours import Ours
from peak import Peak
from peer_keras import Keras
from peer_pytorch import PyTorch
from problem import GATES, Problem

from tsrnn.training.threads import Team, usable_cores

WINDOWS = 10_000
BATCHES = (256, WINDOWS)


def measure_one(problem: Problem, team: Team, rounds: int) -> dict[str, Any]:
    """One line of the table."""
    ours = Ours(problem, team)
    weights = ours.weights()
    libraries = {"PyTorch": PyTorch(problem, weights, team.n_threads)}
    libraries |= {name: Keras(problem, weights, jit) for name, jit in Keras.JIT.items()}
    peers = {
        f"{name} in batches of {batch}": partial(peer.predict, batch)
        for name, peer in libraries.items()
        for batch in BATCHES
    }
    calls = {"ours": ours.predict, **peers}
    first = {name: measure.first_call(call) for name, call in calls.items()}
    for name, predict in peers.items():
        same(f"{problem.cell} and {name}", [ours.predict()], [predict()])
    peak = Peak(team)
    times = measure.interleaved({"peak": peak, **calls}, rounds)
    pytorch = times.best(name for name in peers if name.startswith("PyTorch"))
    keras = times.best(name for name in peers if name.startswith("Keras"))
    return {
        "windows, steps, features, hidden": str(problem),
        "cell": problem.cell,
        "prediction (ms)": times.ms("ours"),
        "PyTorch (ms)": times.ms(pytorch),
        "Keras (ms)": times.ms(keras),
        "times faster than PyTorch": times.ratio(pytorch, "ours"),
        "times faster than Keras": times.ratio(keras, "ours"),
        "share of peak": times.ratio("peak", "ours") * problem.prediction_flops / peak.flops,
        "fastest of the peers": f"{pytorch}; {keras}",
        "first prediction (ms)": first["ours"],
        "PyTorch's first (ms)": first[pytorch],
        "Keras' first (ms)": first[keras],
    }


def main() -> None:
    quick = measure.is_quick(__doc__)
    rows = []
    with Team(usable_cores()) as team:
        for cell in GATES:
            rows.append(measure_one(Problem(cell, WINDOWS, 120, 14, 32, stride=1), team, rounds=2 if quick else 7))
            measure.report(rows[-1])
    if not quick:
        measure.write("prediction", "Prediction of 10,000 windows, beside PyTorch and Keras", rows)


if __name__ == "__main__":
    main()
