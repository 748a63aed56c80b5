"""Stateful against stateless: a network that keeps its state from batch to batch, and one that starts anew in each.

A machine is switched on and off by rare pulses, in turns; a row holds both pulse channels and noise. Whether the
machine is on is to be told in every row. Pulses are 100 rows apart on average, windows have 20 rows: most windows hold
no pulse at all, and who sees nothing else cannot know. The same network is trained twice on the same windows in the
same number of steps: once stateless, on windows in random order, and once stateful, on batches that follow each other.
Both are tested on a series of its own, read window by window.

Usage: python examples/stateful.py [--passes 30]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from tsrnn.nn import LSTM, Dense, Sequential
from tsrnn.nn.built import BuiltNetwork
from tsrnn.training import Adam, ContiguousBatches

ROWS, BATCH_SIZE, STEPS, HIDDEN = 19_200, 32, 20, 16
PULSES = 0.01  # of all rows
LEARNING_RATE = 0.01


def switched_machine(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of (on, off, noise), and whether the machine runs: (rows, 3) and (rows, 1)."""
    rng = np.random.default_rng(seed)
    pulse = rng.random(rows) < PULSES
    runs = np.cumsum(pulse) % 2 == 1
    x = np.stack([pulse & runs, pulse & ~runs, rng.standard_normal(rows)], axis=1)
    return x.astype(np.float32), runs[:, None].astype(np.float32)


def network(stateful: bool) -> BuiltNetwork:
    """From a window to a number for each of its rows."""
    layers = [LSTM(HIDDEN, return_sequences=True, stateful=stateful), Dense(1)]
    return Sequential(layers).build((STEPS, 3), random_state=0)


def train(net: BuiltNetwork, batches: list[tuple[np.ndarray, np.ndarray]], passes: int, shuffled: bool) -> None:
    """Squared error, Adam. Shuffled, the windows come in another order, and in other batches, in each pass."""
    optimizer, moments, rng = Adam(), np.zeros((2, net.theta.size), np.float32), np.random.default_rng(0)
    x, y = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    order = np.arange(len(x))
    for step in range(passes * len(batches)):
        if step % len(batches) == 0:
            net.reset_states()
            order = rng.permutation(order) if shuffled else order
        some = order[step % len(batches) * BATCH_SIZE :][:BATCH_SIZE]
        error = net.forward(x[some], training=True) - y[some]
        net.backward(2 * error / error.size)
        theta = net.theta.copy()
        optimizer.apply(theta, net.gradient, moments, step + 1, LEARNING_RATE, 0.0)
        net.theta = theta


def accuracy(net: BuiltNetwork, x: np.ndarray, y: np.ndarray) -> float:
    """Share of the rows told right, window after window of one series."""
    net.reset_states()
    told = [net(window) > 0.5 for window in ContiguousBatches(x, batch_size=1, steps=STEPS)]
    return float((np.concatenate(told, axis=1)[0] == y.astype(bool)).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, default=30, help="passes over the series (default 30)")
    arguments = parser.parse_args()
    batches = list(ContiguousBatches(*switched_machine(ROWS, seed=1), batch_size=BATCH_SIZE, steps=STEPS))
    test = switched_machine(ROWS, seed=2)
    print(f"{'network':<12}{'right (%)':>10}{'seconds':>9}")
    guess = max(test[1].mean(), 1 - test[1].mean())
    print(f"{'one answer':<12}{100 * guess:>10.1f}{0:>9.1f}")
    for name, stateful in (("stateless", False), ("stateful", True)):
        net, start = network(stateful), time.perf_counter()
        train(net, batches, arguments.passes, shuffled=not stateful)
        seconds = time.perf_counter() - start
        print(f"{name:<12}{100 * accuracy(net, *test):>10.1f}{seconds:>9.1f}", flush=True)


if __name__ == "__main__":
    main()
