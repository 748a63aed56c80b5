"""What a second direction costs: forward and backward of a bidirectional layer, over those of the layer that it wraps.

Kernels of one tile on one thread, with the gradient of the input and without; and the same with a mask. Usage: python
benchmarks/bidirectional.py [--quick]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import measure
import numpy as np
from agreement import same
from ours import CELLS

from tsrnn.kernels.simd import LANES
from tsrnn.nn import Bidirectional
from tsrnn.nn.layer import LayerSpec, Shape, fill_tile, read_tile
from tsrnn.nn.layers.recurrent import Recurrent
from tsrnn.nn.network import Network, in_order
from tsrnn.nn.workspace import Workspace

SIZES = [(120, 14, 32), (120, 64, 32), (120, 14, 128)]  # steps, features, hidden


def space_of(spec: LayerSpec, shape: Shape, **setting: bool) -> tuple[Workspace, np.ndarray]:
    """A tile with its inputs, after a forward pass, and the outputs."""
    network = Network([spec], shape)
    network.pack(network.initial(0))
    space = network.workspace(training=True, **setting)
    rng = np.random.default_rng(0)
    fill_tile(space.x, rng.standard_normal((LANES, *shape), dtype=np.float32), ones=1)
    if space.mask is not None:  # padded at the end
        lengths = rng.integers(shape.steps // 2, shape.steps + 1, LANES)
        fill_tile(space.mask, (np.arange(shape.steps) < lengths[:, None])[:, :, None])
    in_order(space.forward)
    return space, read_tile(space.y, network.output, ones=1)


def there_and_back(space: Workspace) -> Callable[[], None]:
    """Forward and backward."""
    start, calls = space.d_y.copy(), (*space.forward, *space.backward)

    def run() -> None:
        space.d_y[:] = start
        in_order(calls)

    return run


def measure_one(wrapped: Recurrent, shape: Shape, wants_d_x: bool, rounds: int) -> dict[str, Any]:
    """One line of the table."""
    spaces, outputs = {}, {}
    for name, spec, masked in (
        ("one", wrapped, False),
        ("both", Bidirectional(wrapped), False),
        ("masked", Bidirectional(wrapped), True),
    ):
        spaces[name], outputs[name] = space_of(spec, shape, wants_d_x=wants_d_x, masked=masked)
    same(str(wrapped), [outputs["both"][..., : wrapped.hidden_size]], [outputs["one"]])
    times = measure.interleaved({name: there_and_back(space) for name, space in spaces.items()}, rounds, seconds=0.05)
    return {
        "steps, features": str(tuple(shape)),
        "layer": str(wrapped),
        "gradient of the input": wants_d_x,
        "one direction (ms)": times.ms("one"),
        "both (ms)": times.ms("both"),
        "times": times.ratio("both", "one"),
        "masks cost (%)": 100 * (times.ratio("masked", "both") - 1),
    }


def main() -> None:
    quick = measure.is_quick(__doc__)
    rows = []
    for steps, features, hidden in SIZES[:1] if quick else SIZES:
        for cell in CELLS.values():
            for sequences in (False, True):
                wrapped = replace(cell(hidden), return_sequences=sequences)
                for wants_d_x in (False, True):
                    shape = Shape(steps, features)
                    rows.append(measure_one(wrapped, shape, wants_d_x, rounds=5 if quick else 15))
                    measure.report(rows[-1])
    if not quick:
        measure.write("bidirectional", "Both directions of a layer, and one: a tile forward and backward", rows)


if __name__ == "__main__":
    main()
