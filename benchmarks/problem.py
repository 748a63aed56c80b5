"""What is computed: a recurrent network on windows, its data, and how many operations its step takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
RATE = 1e-4  # small: repeated steps must not lead anywhere


@dataclass(frozen=True)
class Problem:
    """``layers`` recurrent layers of ``hidden`` units and a dense head of one, squared error, Adam.

    The windows lie in one series, ``stride`` rows apart (0: side by side); the target is the first feature of the row
    that follows.
    """

    cell: str
    windows: int
    steps: int
    features: int
    hidden: int
    layers: int = 1
    recurrent_dropout: float = 0.0
    stride: int = 0

    def __str__(self) -> str:
        stacked = f" x {self.layers}" if self.layers > 1 else ""
        return f"{self.windows}, {self.steps}, {self.features}, {self.hidden}{stacked}"

    @cached_property
    def rows(self) -> np.ndarray:
        """(rows, features), float32."""
        rows = int(self.origins[-1]) + 2
        return np.random.default_rng(0).standard_normal((rows, self.features), dtype=np.float32)

    @property
    def origins(self) -> np.ndarray:
        """The last row of each window."""
        return np.arange(self.windows) * (self.stride or self.steps) + self.steps - 1

    @property
    def x(self) -> np.ndarray:
        """The windows gathered, as the peers take them: (windows, steps, features)."""
        return self.rows[self.origins[:, None] + np.arange(1 - self.steps, 1)]

    @property
    def y(self) -> np.ndarray:
        """(windows, 1)"""
        return self.rows[self.origins + 1, :1]

    @property
    def prediction_flops(self) -> int:
        """Two for each multiply-add of the recurrent layers' matrix products; the head and all else are ignored.

        Each gate of each unit sums over the layer's inputs, the units, and the biases (the GRU has two of them):
        ``2 gates hidden (inputs + hidden + biases)`` a step and window.
        """
        return sum(self._forward_flops(inputs) for inputs in self._inputs) * self.steps * self.windows

    @property
    def training_flops(self) -> int:
        """Forward, and backward: weight gradients have as many products as the forward pass; the gradient of the state
        has ``2 gates hidden hidden`` a step (not for the first), that of the input of a layer that lies on another one
        ``2 gates hidden hidden`` as well.
        """
        square = 2 * GATES[self.cell] * self.hidden * self.hidden * self.windows
        d_state = self.layers * (self.steps - 1) * square
        d_input = (self.layers - 1) * self.steps * square
        return 2 * self.prediction_flops + d_state + d_input

    @property
    def _inputs(self) -> list[int]:
        return [self.features] + [self.hidden] * (self.layers - 1)

    def _forward_flops(self, inputs: int) -> int:
        biases = 2 if self.cell == "GRU" else 1
        return 2 * GATES[self.cell] * self.hidden * (inputs + self.hidden + biases)
