"""Where the time of a training step goes: the kernels of one tile on one thread, in turns with the peak of one core.

Each kernel's floor is its multiply-adds at the peak; the forward pass is measured a second time with linear activations
to part the matrix products from what is done with every number of them. Usage: python benchmarks/parts.py [--quick]
"""

from __future__ import annotations

from typing import Any

import measure
from ours import CELLS, Ours
from peak import Peak
from problem import GATES, Problem

from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import WINDOWS
from tsrnn.nn.layer import LayerSpec
from tsrnn.nn.network import in_order
from tsrnn.training.threads import Team
from tsrnn.training.tiles import Tile

SIZES = [(120, 14, 32), (120, 14, 128), (15, 512, 512)]  # steps, features, hidden


class Linear(Ours):
    """The same network with activations that do nothing."""

    def recurrent_layers(self, problem: Problem) -> list[LayerSpec]:
        gates = {} if problem.cell == "SimpleRNN" else {"recurrent_activation": "linear"}
        return [CELLS[problem.cell](problem.hidden, activation="linear", **gates)]


def tile_of(ours: Ours) -> Tile:
    """A tile with its windows and packed weights."""
    ours.network.pack(ours.theta)
    tile = Tile(ours.network, ours.engine.task, training=True)
    tile.space.turn[WINDOWS] = ours.origins.size
    in_order(tile.forward(ours.origins))
    return tile


def measure_one(cell: str, size: tuple[int, int, int], rounds: int) -> dict[str, Any]:
    """One line of the table."""
    problem = Problem(cell, LANES, *size)
    with Team(1) as team:
        ours, linear, peak = Ours(problem, team), Linear(problem, team), Peak(team)
        tile, other = tile_of(ours), tile_of(linear)
        layer = tile.space.bound[0]
        calls = {
            "peak": peak,
            "gather": tile.forward(ours.origins)[0],
            "forward": layer.forward[0],
            "linear": other.space.bound[0].forward[0],
            "both": lambda: in_order((*layer.forward, *layer.backward)),
        }
        times = measure.interleaved(calls, rounds, seconds=0.05)
    flops = {"forward": problem.prediction_flops, "linear": problem.prediction_flops}
    flops["backward"] = problem.training_flops - problem.prediction_flops
    ms = {name: times.ms(name) for name in calls}
    ms["backward"] = ms["both"] - ms["forward"]  # not alone: it overwrites what the forward pass left

    def share(name: str) -> float:
        return flops[name] / ms[name] / (peak.flops / ms["peak"])

    return {
        "steps, features, hidden": ", ".join(map(str, size)),
        "cell": cell,
        "gather (us)": ms["gather"] * 1e3,
        "forward (us)": ms["forward"] * 1e3,
        "backward (us)": ms["backward"] * 1e3,
        "forward, share of peak": share("forward"),
        "its products alone": share("linear"),
        "backward, share of peak": share("backward"),
        "peak (GFLOP/s)": peak.flops / ms["peak"] / 1e6,
    }


def main() -> None:
    quick = measure.is_quick(__doc__)
    rows = []
    for size in SIZES[:1] if quick else SIZES:
        for cell in GATES:
            rows.append(measure_one(cell, size, rounds=3 if quick else 9))
            measure.report(rows[-1])
    if not quick:
        measure.write("parts", "The kernels of one tile of windows, on one thread", rows)


if __name__ == "__main__":
    main()
