"""What recurrent dropout of 0.5 costs a training step, and Keras, which leaves its fast path, doing the same.

PyTorch has no recurrent dropout. Networks without it agree with Keras' (checked before anything is timed); with it the
masks are random numbers of each library's own. Usage: python benchmarks/dropout.py [--quick]
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import measure
from agreement import same
from ours import Ours
from peer_keras import Keras
from problem import GATES, Problem

from tsrnn.training.threads import Team, usable_cores

SIZES = [(256, 120, 14, 32), (256, 120, 14, 128)]
RATE = 0.5


def measure_one(problem: Problem, team: Team, rounds: int) -> dict[str, Any]:
    """One line of the table."""
    dropping = replace(problem, recurrent_dropout=RATE)
    without, ours = Ours(problem, team), Ours(dropping, team)
    weights = ours.weights()
    keras = {name: Keras(dropping, weights, jit) for name, jit in Keras.JIT.items()}
    calls = {"ours": ours.train, "without": without.train, **{name: peer.train for name, peer in keras.items()}}
    first = {name: measure.first_call(call) for name, call in calls.items()}
    for network in (ours, without, *keras.values()):
        network.set_weights(weights)
    for name, peer in keras.items():
        same(f"{problem.cell} ({problem}) and {name}", [ours.predict()], [peer.predict()])
    plain, dropped = without.gradients()[0], ours.gradients()[0]
    if (plain == dropped).all():
        raise AssertionError(f"{problem.cell} ({problem}): dropout changes no gradient.")
    times = measure.interleaved(calls, rounds)
    best = times.best(keras)
    return {
        "windows, steps, features, hidden": str(problem),
        "cell": problem.cell,
        "step with dropout (ms)": times.ms("ours"),
        "without (ms)": times.ms("without"),
        "Keras with dropout (ms)": times.ms(best),
        "Keras with jit": Keras.JIT[best],
        "costs (%)": 100 * (times.ratio("ours", "without") - 1),
        "times faster than Keras": times.ratio(best, "ours"),
        "first step (ms)": first["ours"],
        "Keras' first (ms)": first[best],
    }


def main() -> None:
    quick = measure.is_quick(__doc__)
    rows = []
    with Team(usable_cores()) as team:
        for size in SIZES[:1] if quick else SIZES:
            for cell in GATES:
                rows.append(measure_one(Problem(cell, *size), team, rounds=5 if quick else 15))
                measure.report(rows[-1])
    if not quick:
        measure.write("dropout", "A training step with recurrent dropout of 0.5", rows)


if __name__ == "__main__":
    main()
