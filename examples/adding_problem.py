"""The adding problem (Hochreiter and Schmidhuber 1997): what a network remembers over a hundred steps.

Each step of a sequence has a random number and a mark. Two of the 100 marks are one, one in each half; the target is
the sum of the two numbers beside them. Who always says one, the mean, has a mean squared error of 1/6. To do better, a
network has to carry the first number over up to a hundred steps that do not matter.

All cells have the same width, the same epochs and the same learning rates to choose from, by the validation error.

Usage: python examples/adding_problem.py
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from tsrnn import RNNRegressor

STEPS = 100
CELLS = ("rnn", "lstm", "gru")
LEARNING_RATES = (1e-2, 1e-3)


def make_problem(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (count, STEPS, 2) of numbers and marks, and the sums."""
    rng = np.random.default_rng(seed)
    numbers, marks = rng.uniform(size=(count, STEPS)), np.zeros((count, STEPS))
    for first in (0, STEPS // 2):
        marks[np.arange(count), rng.integers(first, first + STEPS // 2, count)] = 1
    return np.stack([numbers, marks], axis=2), (numbers * marks).sum(axis=1)


def error(model: RNNRegressor, X: np.ndarray, y: np.ndarray) -> float:
    """Mean squared."""
    return float(((model.predict(X) - y) ** 2).mean())


def solve(cell: str) -> dict[str, object]:
    """The better of the learning rates, on sequences that were not trained on."""
    start = time.perf_counter()
    (X, y), (X_val, y_val), (X_test, y_test) = (make_problem(n, seed) for seed, n in enumerate((10_000, 1000, 1000)))
    settings = {"cell": cell, "hidden_size": 32, "batch_size": 64, "max_epochs": 12, "early_stopping": False}
    models = [RNNRegressor(learning_rate=rate, random_state=0, **settings) for rate in LEARNING_RATES]
    best = min((model.fit(X, y, X_val=X_val, y_val=y_val) for model in models), key=lambda m: error(m, X_val, y_val))
    return {
        "cell": cell,
        "parameters": best.summary().n_params,
        "learning rate": best.learning_rate,
        "validation": error(best, X_val, y_val),
        "test": error(best, X_test, y_test),
        "seconds": round(time.perf_counter() - start, 1),
    }


def main() -> None:
    table = pd.DataFrame([solve(cell) for cell in CELLS])
    print(f"Mean squared error of the sum of two numbers among {STEPS}; that of the mean is {1 / 6:.4f}\n")
    print(table.to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
