"""A problem as this package computes it."""

from __future__ import annotations

import numpy as np
from problem import RATE, Problem

from tsrnn.kernels.gather import Series
from tsrnn.nn import GRU, LSTM, Dense, SimpleRNN
from tsrnn.nn.heads.point import MSE
from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.network import Network
from tsrnn.training.optimizers import Adam
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team
from tsrnn.training.tiles import TileEngine

CELLS = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}


class Ours:
    """The network on tiles, as the forecasters train it; windows are gathered from the rows in each call."""

    def __init__(self, problem: Problem, team: Team) -> None:
        specs = [*self.recurrent_layers(problem), Dense(1)]
        self.network = Network(specs, Shape(problem.steps, problem.features))
        self.origins = problem.origins
        series = Series(problem.rows.ravel(), problem.features, 1, problem.steps, 1, 0, 1, 0)
        self.engine = TileEngine(self.network, WindowTask(series, MSE()), team)
        self.theta, self.count = self.network.initial(0), 0
        self.moments, self.optimizer = np.zeros((2, self.theta.size), np.float32), Adam()
        self.no_weights = np.zeros(0, np.float32)

    def recurrent_layers(self, problem: Problem) -> list[LayerSpec]:
        """The specs below the head."""
        last, spec, rate = problem.layers - 1, CELLS[problem.cell], problem.recurrent_dropout
        return [spec(problem.hidden, return_sequences=i < last, recurrent_dropout=rate) for i in range(problem.layers)]

    def weights(self) -> list[np.ndarray]:
        """In Keras' order and shapes: kernel, recurrent kernel and bias of each layer, then the head's."""
        return [array.copy() for array in self.network.layout.named(self.theta).values()]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Arrays as ``weights`` gives them."""
        for place, array in zip(self.network.layout.named(self.theta).values(), weights, strict=True):
            place[...] = array

    def train(self) -> None:
        """One step: gather, forward, backward through time, Adam."""
        self.count += 1
        self.engine.loss_and_gradient(self.theta, self.origins, self.no_weights, self.count)
        self.engine.team.over(self.theta.size, self._update)

    def _update(self, part: slice) -> None:
        arrays = self.theta[part], self.engine.gradient[part], self.moments[:, part]
        self.optimizer.apply(*arrays, self.count, RATE, 0.0)

    def predict(self) -> np.ndarray:
        """(windows,)"""
        return self.engine.predict(self.theta, self.origins)[:, 0, 0]

    def gradients(self) -> list[np.ndarray]:
        """In the order of ``weights``."""
        self.engine.loss_and_gradient(self.theta, self.origins, self.no_weights, 0)
        return [array.copy() for array in self.network.layout.named(self.engine.gradient).values()]
