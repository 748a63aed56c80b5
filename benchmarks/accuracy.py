"""The largest errors of tanh and sigmoid over all float32 numbers, against NumPy in float64.

An ulp is the distance from the float32 nearest to the exact value to the next one. Usage: python benchmarks/accuracy.py
"""

from __future__ import annotations

from collections.abc import Callable

import measure
import numpy as np

from tsrnn._jit import kernel
from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.kernels.simd import LANES, load, store

CHUNK = 2**22


@kernel
def values(activation, x, out):
    """activation(x); a whole number of lane vectors"""
    for at in range(0, x.size, LANES):
        store(out, at, activation.value(load(x, at, 1)))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Exact to the last digits on both sides."""
    power = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + power), power / (1 + power))


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"tanh": np.tanh, "sigmoid": sigmoid}


class Worst:
    """The largest value seen, and the input it came from."""

    def __init__(self) -> None:
        self.value, self.at = 0.0, 0.0

    def see(self, values: np.ndarray, x: np.ndarray) -> None:
        if values.size and values[place := int(np.argmax(values))] > self.value:
            self.value, self.at = float(values[place]), float(x[place])


def measure_one(name: str) -> dict[str, object]:
    """One line of the table."""
    absolute, ulp, positive_ulp, drop = Worst(), Worst(), Worst(), Worst()
    out = np.empty(CHUNK, np.float32)
    for first in range(0, 2**32, CHUNK):
        x = (np.arange(CHUNK, dtype=np.uint32) + np.uint32(first)).view(np.float32)
        values(ACTIVATIONS[name], x, out)
        numbers = ~np.isnan(x)
        if np.isnan(out[numbers]).any() or not np.isnan(out[~numbers]).all():
            raise AssertionError(f"{name}: NaN did not stay NaN, or came from a number")
        x, found = x[numbers], out[numbers]
        exact = FUNCTIONS[name](x.astype(np.float64))
        error = np.abs(found - exact)
        absolute.see(error, x)
        ulps = error / np.spacing(np.abs(exact).astype(np.float32))
        ulp.see(ulps, x)
        positive_ulp.see(ulps[x >= 0], x[x >= 0])
        drop.see(np.diff(found if first < 2**31 else found[::-1]) * -1.0, x)
    return {
        "function": name,
        "largest error": absolute.value,
        "at": absolute.at,
        "largest error in ulp": ulp.value,
        "at x": ulp.at,
        "in ulp for x >= 0": positive_ulp.value,
        "largest fall between neighbours": drop.value,
    }


def main() -> None:
    rows = []
    for name in FUNCTIONS:
        rows.append(measure_one(name))
        print(rows[-1], flush=True)
    measure.write("accuracy", "Errors of tanh and sigmoid over all float32 numbers", rows)


if __name__ == "__main__":
    main()
