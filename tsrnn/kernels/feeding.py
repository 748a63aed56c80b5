"""What a decoder reads at each step: the value of the step before, or its own forecast of it."""

from tsrnn._jit import kernel
from tsrnn.kernels.contractions import tile_step
from tsrnn.kernels.simd import LANES, load, select_rows, store


@kernel
def gather_targets(series, place, truth):
    """The values to be forecast by the windows of a tile, normalised as they are -> truth [step][1 + target][lane]"""
    step_size = tile_step(series.targets)
    for step in range(series.horizon):
        for target in range(series.targets):
            at, level = step * step_size + (1 + target) * LANES, target * LANES
            for lane in range(LANES):
                row = place.origin[lane] + series.gap + 1 + step
                value = series.values[row * series.channels + target]
                truth[at + lane] = (value - place.center[level + lane]) / place.scale[level + lane]


@kernel
def feed_step(step, targets, chosen, truth, y, x):
    """y of ``step``, or the truth where ``chosen`` [step][lane] is 1 -> x of the next, all [step][1 + target][lane]"""
    step_size = tile_step(targets)
    taught = load(chosen, step * LANES, 1)
    for target in range(targets):
        at = step * step_size + (1 + target) * LANES
        (value,) = select_rows(taught, (load(truth, at, 1),), (load(y, at, 1),))
        store(x, at + step_size, value)
