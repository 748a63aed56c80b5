"""A training step of recurrent layers and a dense head, beside PyTorch and Keras doing the same.

Step: gather (ours alone), forward, backpropagation through time, every weight gradient, Adam. All start from the same
weights; before anything is timed, predictions, gradients and one step are compared. Keras is the better of
``jit_compile`` on and off. Usage: python benchmarks/training.py [--quick]
"""

from __future__ import annotations

from typing import Any

import measure
from agreement import check
from ours import Ours
from peak import Peak
from peer_keras import Keras
from peer_pytorch import PyTorch
from problem import GATES, Problem

from tsrnn.training.threads import Team, usable_cores

SIZES = [(256, 120, 14, 32), (256, 120, 14, 128), (256, 15, 512, 512), (32, 24, 1, 16), (256, 120, 14, 32, 2)]


def measure_one(problem: Problem, team: Team, rounds: int) -> dict[str, Any]:
    """One line of the table."""
    ours = Ours(problem, team)
    weights = ours.weights()
    peers = {"PyTorch": PyTorch(problem, weights, team.n_threads)}
    peers |= {name: Keras(problem, weights, jit) for name, jit in Keras.JIT.items()}
    calls = {"ours": ours.train, **{name: peer.train for name, peer in peers.items()}}
    first = {name: measure.first_call(call) for name, call in calls.items()}
    after = ours.weights()
    for name, peer in peers.items():
        ours.set_weights(after)
        check(f"{problem.cell} ({problem}) and {name}", ours, peer, weights)
    peak = Peak(team)
    times = measure.interleaved({"peak": peak, **calls}, rounds)
    best = times.best(Keras.JIT)
    return {
        "windows, steps, features, hidden": str(problem),
        "cell": problem.cell,
        "step (ms)": times.ms("ours"),
        "PyTorch (ms)": times.ms("PyTorch"),
        "Keras (ms)": times.ms(best),
        "Keras with jit": Keras.JIT[best],
        "times faster than PyTorch": times.ratio("PyTorch", "ours"),
        "times faster than Keras": times.ratio(best, "ours"),
        "share of peak": times.ratio("peak", "ours") * problem.training_flops / peak.flops,
        "peak (GFLOP/s)": peak.flops / times.ms("peak") / 1e6,
        "first step (ms)": first["ours"],
        "PyTorch's first (ms)": first["PyTorch"],
        "Keras' first (ms)": first[best],
    }


def main() -> None:
    quick = measure.is_quick(__doc__)
    rows = []
    with Team(usable_cores()) as team:
        for size in SIZES[:1] if quick else SIZES:
            for cell in GATES:
                rows.append(measure_one(Problem(cell, *size), team, rounds=3 if quick else 7))
                measure.report(rows[-1])
    if not quick:
        measure.write("training", "A training step, beside PyTorch and Keras", rows)


if __name__ == "__main__":
    main()
