"""A problem as PyTorch computes it, on the CPU."""

from __future__ import annotations

import sys

import numpy as np
from problem import RATE, Problem

try:
    import torch
except ModuleNotFoundError:
    sys.exit('This compares with PyTorch, which is not installed. Install it with: pip install "tsrnn[bench]"')

KINDS = {"SimpleRNN": torch.nn.RNN, "LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}


class PyTorch:
    """The same network on the same weights and windows, which were gathered before: that work is not timed.

    PyTorch has a second bias also for LSTM and SimpleRNN; here it stays zero, or the networks would not be the same.
    """

    def __init__(self, problem: Problem, weights: list[np.ndarray], threads: int) -> None:
        torch.set_num_threads(threads)
        self.problem = problem
        kind = KINDS[problem.cell]
        self.layer = kind(problem.features, problem.hidden, num_layers=problem.layers, batch_first=True)
        self.head = torch.nn.Linear(problem.hidden, 1)
        self.set_weights(weights)
        for name, parameter in self.layer.named_parameters():
            parameter.requires_grad_(problem.cell == "GRU" or not name.startswith("bias_hh"))
        self.x, self.y = torch.tensor(problem.x), torch.tensor(problem.y)
        self.optimizer = torch.optim.Adam([p for p in self.parameters if p.requires_grad], RATE)

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """In the order of ``_arrays``."""
        return [*self.layer.parameters(), *self.head.parameters()]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """In Keras' order and shapes."""
        with torch.no_grad():
            for parameter, values in zip(self.parameters, self._arrays(weights), strict=True):
                parameter.copy_(torch.tensor(np.ascontiguousarray(values)))

    def train(self) -> None:
        """One step: forward, backward, Adam."""
        self._backward()
        self.optimizer.step()

    def predict(self, batch: int | None = None) -> np.ndarray:
        """(windows,), in batches or all at once."""
        with torch.inference_mode():
            parts = [self.head(self.layer(x)[0][:, -1])[:, 0] for x in self.x.split(batch or len(self.x))]
            return torch.cat(parts).numpy()

    def gradients(self) -> list[np.ndarray]:
        """In the order and shapes of Keras."""
        self._backward()
        found = [None if parameter.grad is None else parameter.grad.numpy() for parameter in self.parameters]
        arrays = []
        for i in range(self.problem.layers):
            w, u, b, c = found[4 * i : 4 * i + 4]
            bias = np.stack([self._gates(b), self._gates(c)]) if self.problem.cell == "GRU" else b
            arrays += [self._gates(w).T, self._gates(u).T, bias]
        return [*arrays, found[-2].T, found[-1]]

    def _backward(self) -> None:
        self.optimizer.zero_grad()
        ((self.head(self.layer(self.x)[0][:, -1]) - self.y) ** 2).mean().backward()

    def _arrays(self, weights: list[np.ndarray]) -> list[np.ndarray]:
        """Keras' order and shapes -> weight_ih, weight_hh, bias_ih, bias_hh of each layer, head weight, head bias."""
        arrays = []
        for i in range(self.problem.layers):
            kernel, recurrent, bias = weights[3 * i : 3 * i + 3]
            biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
            arrays += [self._gates(kernel.T), self._gates(recurrent.T), self._gates(biases[0]), self._gates(biases[1])]
        return [*arrays, weights[-2].T, weights[-1]]

    def _gates(self, matrix: np.ndarray) -> np.ndarray:
        """GRU: rows z, r, h <-> r, z, h, which is its own inverse; the other cells have the same order in both."""
        if self.problem.cell != "GRU":
            return matrix
        z, r, h = np.split(matrix, 3)
        return np.concatenate([r, z, h])
