"""The rate of multiply-adds that this machine can reach: float32, from registers to registers, on every thread at once.

A loop multiplies and adds in independent registers as wide as the processor has them, and touches no memory. What a
kernel reaches is a share of this rate, measured in turns with the kernel: clocks differ between machines and minutes.
Usage: python benchmarks/peak.py
"""

from __future__ import annotations

import measure
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from tsrnn._jit import kernel
from tsrnn.kernels.simd.functions import ir_lane_sum
from tsrnn.kernels.simd.host import REGISTER_BYTES
from tsrnn.kernels.simd.vector import accumulate, fill, ir_vector, multiply_add, splat
from tsrnn.training.threads import Team, usable_cores

CHAINS = 14  # sums: with two factors these are the 16 registers that every processor has, and hide the latency
WIDTH = REGISTER_BYTES // 4
COUNT = 500_000


@intrinsic
def _chains(typing, factor, addend, count):
    """Each sum becomes ``sum * factor + addend``, ``count`` times; all sums added up."""

    def codegen(context, builder, sig, args):
        register = ir_vector(types.float32, WIDTH)
        x, y = (splat(builder, value, WIDTH) for value in args[:2])
        starts = [fill(register, float(i)) for i in range(CHAINS)]
        sums = accumulate(builder, args[2], starts, lambda _, values: [multiply_add(builder, v, x, y) for v in values])
        total = sums[0]
        for other in sums[1:]:
            total = builder.fadd(total, other)
        return ir_lane_sum(builder, total)

    return types.float32(types.float32, types.float32, types.int64), codegen


@kernel
def chains(factor, addend, count):
    """The sum of all sums after ``count`` multiply-adds in each."""
    return _chains(factor, addend, count)


class Peak:
    """A call of it makes ``flops`` operations on all threads of a team."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.flops = 2 * WIDTH * CHAINS * COUNT * team.n_threads

    def __call__(self) -> None:
        self.team.spread(self._work, self.team.n_threads)

    @staticmethod
    def _work(thread: int, share: range) -> None:
        total = chains(np.float32(0.5), np.float32(1.0), COUNT)
        if total != 2 * WIDTH * CHAINS:  # x / 2 + 1 ends at 2
            raise AssertionError(f"The sums must end at 2 each; all {WIDTH * CHAINS} of them came to {total}.")


def main() -> None:
    for threads in dict.fromkeys((1, usable_cores())):
        with Team(threads) as team:
            peak = Peak(team)
            times = measure.interleaved({"peak": peak}, rounds=10)
            print(f"{threads} threads of {8 * REGISTER_BYTES} bits: {peak.flops / times.ms('peak') / 1e6:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
