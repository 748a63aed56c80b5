"""A training step and a prediction of one recurrent layer with a dense head, beside PyTorch doing the same.

Step: gather, forward, backpropagation through time, every weight gradient, Adam. Both start from the same weights;
before anything is timed, predictions and gradients of both are compared. Usage: python benchmarks/kernels.py [--quick]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import measure
import numpy as np

from tsrnn.kernels.gather import Series
from tsrnn.nn import GRU, LSTM, Dense, SimpleRNN
from tsrnn.nn.heads.point import MSE
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.training.optimizers import Adam
from tsrnn.training.threads import Team, usable_cores
from tsrnn.training.tiles import TileEngine

try:
    import torch
except ModuleNotFoundError:
    sys.exit('This compares with PyTorch, which is not installed. Install it with: pip install "tsrnn[bench]"')

SIZES = [(256, 120, 14, 32), (256, 120, 14, 128), (50, 120, 3, 19), (32, 24, 1, 16)]  # windows, steps, features, hidden
CELLS = {"SimpleRNN": (SimpleRNN, torch.nn.RNN), "LSTM": (LSTM, torch.nn.LSTM), "GRU": (GRU, torch.nn.GRU)}
RATE = 1e-4
PEER = "PyTorch's step (ms)"


class Ours:
    """The network on tiles, as the forecasters train it."""

    def __init__(self, spec: type, windows: int, steps: int, features: int, hidden: int) -> None:
        rng = np.random.default_rng(0)
        rows = rng.standard_normal((windows * steps + 1, features), dtype=np.float32)
        self.network = Network([spec(hidden), Dense(1)], Shape(steps, features))
        self.origins = np.arange(windows) * steps + steps - 1
        self.rows = rows
        series = Series(rows.ravel(), features, 1, steps, 1, 0, 1, 0)
        self.engine = TileEngine(self.network, MSE(), series, Team(usable_cores()))
        self.theta, self.count = self.network.initial(0), 0
        self.moments, self.optimizer = np.zeros((2, self.theta.size), np.float32), Adam()
        self.no_weights = np.zeros(0, np.float32)

    def train(self) -> None:
        self.count += 1
        self.engine.loss_and_gradient(self.theta, self.origins, self.no_weights, self.count)
        self.optimizer.apply(self.theta, self.engine.gradient, self.moments, self.count, RATE, 0.0)

    def predict(self) -> np.ndarray:
        return self.engine.predict(self.theta, self.origins)[:, 0]


class Peer:
    """The same network, weights and data in PyTorch."""

    def __init__(self, kind: type, ours: Ours, features: int, hidden: int) -> None:
        self.layer, self.head = kind(features, hidden, batch_first=True), torch.nn.Linear(hidden, 1)
        weights = ours.network.layout.named(ours.theta)
        with torch.no_grad():
            for parameter, values in zip(self.parameters, as_torch(kind, weights, hidden), strict=True):
                parameter.copy_(torch.tensor(np.ascontiguousarray(values)))
        steps = ours.network.input.steps
        windows = ours.origins[:, None] + np.arange(1 - steps, 1)
        self.x = torch.tensor(ours.rows[windows])
        self.target = torch.tensor(ours.rows[ours.origins + 1, :1])
        self.optimizer = torch.optim.Adam(self.parameters, RATE)

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        return [*self.layer.parameters(), *self.head.parameters()]

    def gradient(self) -> None:
        self.optimizer.zero_grad()
        loss = ((self.head(self.layer(self.x)[0][:, -1]) - self.target) ** 2).mean()
        loss.backward()

    def train(self) -> None:
        self.gradient()
        self.optimizer.step()

    def predict(self) -> np.ndarray:
        with torch.inference_mode():
            return self.head(self.layer(self.x)[0][:, -1]).numpy()


def as_torch(kind: type, weights: dict[str, np.ndarray], hidden: int) -> list[np.ndarray]:
    """Keras' order and shapes -> weight_ih, weight_hh, bias_ih, bias_hh, head weight, head bias."""
    kernel, recurrent, bias, head, head_bias = weights.values()
    order = [1, 0, 2] if kind is torch.nn.GRU else range(kernel.shape[1] // hidden)  # PyTorch has r before z

    def gates(matrix: np.ndarray) -> np.ndarray:
        return np.concatenate([matrix[..., g * hidden : (g + 1) * hidden] for g in order], axis=-1).T

    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    return [gates(kernel), gates(recurrent), gates(biases[0]), gates(biases[1]), head.T, head_bias]


def check(kind: type, ours: Ours, peer: Peer, hidden: int) -> None:
    """Predictions and gradients agree, or there is nothing to time."""
    worst = np.abs(ours.predict() - peer.predict()).max()
    ours.engine.loss_and_gradient(ours.theta, ours.origins, ours.no_weights, 0)
    peer.gradient()
    gradients = as_torch(kind, ours.network.layout.named(ours.engine.gradient), hidden)
    for got, parameter in zip(gradients, peer.parameters, strict=True):
        expected = parameter.grad.numpy()
        if parameter is peer.layer.bias_hh_l0 and kind is not torch.nn.GRU:
            continue  # the second bias of PyTorch's that we do not have
        worst = max(worst, np.abs(got - expected).max() / max(1e-3, np.abs(expected).max()))
    if not worst < 2e-4:
        raise AssertionError(f"{kind.__name__}: results differ from PyTorch's by {worst:.1e}")


def measure_one(name: str, size: tuple[int, int, int, int], rounds: int) -> dict[str, object]:
    """One line of the table."""
    spec, kind = CELLS[name]
    _, _, features, hidden = size
    ours = Ours(spec, *size)
    peer = Peer(kind, ours, features, hidden)
    firsts: dict[str, Callable[[], object]] = {"ours": ours.train, "peer": peer.train}
    first = {who: measure.first_call(call) for who, call in firsts.items()}
    ours = Ours(spec, *size)  # afresh: from the same weights
    peer = Peer(kind, ours, features, hidden)
    check(kind, ours, peer, hidden)
    train = measure.interleaved({"ours": ours.train, "peer": peer.train}, rounds)
    predict = measure.interleaved({"ours": ours.predict, "peer": peer.predict}, rounds)
    return {
        "windows, steps, features, hidden": ", ".join(map(str, size)),
        "cell": name,
        "first step (ms)": first["ours"],
        "PyTorch's first (ms)": first["peer"],
        "step (ms)": train["ours"],
        PEER: train["peer"],
        "faster by": train["peer"] / train["ours"],
        "prediction (ms)": predict["ours"],
        "PyTorch's prediction (ms)": predict["peer"],
        "prediction faster by": predict["peer"] / predict["ours"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the first size only, few rounds")
    quick = parser.parse_args().quick
    torch.set_num_threads(usable_cores())
    rows = []
    for size in SIZES[:1] if quick else SIZES:
        for name in CELLS:
            rows.append(measure_one(name, size, rounds=3 if quick else 7))
            row = rows[-1]
            print(
                f"{size} {name}: {row['step (ms)']:.2f} ms a step, PyTorch {row[PEER]:.2f} "
                f"({row['faster by']:.1f} times), prediction {row['prediction faster by']:.1f} times",
                flush=True,
            )
    measure.write("kernels", "A training step and a prediction, beside PyTorch", rows)


if __name__ == "__main__":
    main()
