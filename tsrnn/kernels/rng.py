"""Counter-based random numbers: a number is a function of (seed, stream, counter), the same for any number of threads.

Philox 4x32 with 10 rounds (Salmon and others 2011, "Parallel random numbers: as easy as 1, 2, 3").
"""

import numpy as np

from tsrnn._jit import helper, kernel
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import SEED, STEP, TILE

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


@helper
def philox(c0, c1, c2, c3, k0, k1):
    """Four 32-bit numbers (in 64-bit integers) from a counter of four and a key of two."""
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@helper
def words_of(turn, stream, window, quad):
    """Those of the elements from ``4 * quad`` on of one window of the tile: of (seed, stream, step, w, e) alone."""
    key = np.uint64(turn[SEED])
    return philox(
        np.uint64(turn[TILE] * LANES + window) & _LOW,
        np.uint64(quad),
        np.uint64(turn[STEP]),
        np.uint64(stream),
        key & _LOW,
        key >> _32,
    )


@kernel
def draw_dropout(stream, turn, count, rate, mask):
    """mask [count][lane]: zero with probability ``rate``, else 1 / (1 - rate)."""
    limit, kept = np.uint64(rate * 4294967296.0), 1 / (1 - rate)
    for quad in range((count + 3) // 4):
        for lane in range(LANES):
            words = words_of(turn, stream, lane, quad)
            for k in range(4):
                if 4 * quad + k < count:
                    mask[(4 * quad + k) * LANES + lane] = kept if words[k] >= limit else 0.0


@kernel
def draw_choices(stream, turn, count, share, chosen):
    """chosen [count][lane]: 1 with probability ``share[0]``, else 0"""
    limit = np.uint64(share[0] * 4294967296.0)
    for quad in range((count + 3) // 4):
        for lane in range(LANES):
            words = words_of(turn, stream, lane, quad)
            for k in range(4):
                if 4 * quad + k < count:
                    chosen[(4 * quad + k) * LANES + lane] = 1.0 if words[k] < limit else 0.0


@kernel
def philox_words(counter, key, words):
    """One block of random words: counter (4,), key (2,) -> words (4,), all uint64 below 2**32."""
    a, b, c, d = philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1])
    words[0], words[1], words[2], words[3] = a, b, c, d
