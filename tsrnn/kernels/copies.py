"""Numbers from one place to another."""

import numpy as np

from tsrnn._jit import helper, kernel
from tsrnn.kernels.simd import LANES, load, select_rows, store, zeros


@kernel
def copy_rows(steps, count, source, source_first, source_step, target, target_first, target_step):
    """``count`` numbers of each step from ``source`` to ``target``; a negative step goes backwards

    Indices are unsigned: with checks for negative ones no vector instructions are made.
    """
    for step in range(steps):
        start, begin = np.uint64(target_first + step * target_step), np.uint64(source_first + step * source_step)
        for i in range(np.uint64(count)):
            target[start + i] = source[begin + i]


@kernel
def add_to(total, others):
    """total += others"""
    for i in range(total.size):
        total[i] += others[i]


@helper
def copy_where(target, to, source, at, mask, mask_at, count):
    """target[to:] = source[at:] in lanes whose mask is above 0, else 0; ``count`` vectors"""
    for lanes in range(0, count * LANES, LANES):
        value = load(source, at + lanes, 1)
        store(target, to + lanes, select_rows(load(mask, mask_at, 1), (value,), (zeros(target, 1),))[0])
