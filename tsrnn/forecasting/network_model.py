"""A fitted network: its layers and weights, and how forecasts come out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tsrnn._encoding import decode, encode
from tsrnn.data import WindowIndex
from tsrnn.forecasting.distributions import Distribution, distribution_of
from tsrnn.forecasting.side_by_side import TileStepper
from tsrnn.forecasting.state import History, Model
from tsrnn.forecasting.stepping import Stepper
from tsrnn.forecasting.strategies import STRATEGIES
from tsrnn.kernels.gather import NORMS, Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn.heads.distribution import DistributionHead
from tsrnn.nn.heads.quantile import Quantile
from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.network import Network
from tsrnn.nn.single_workspace import SingleWorkspace
from tsrnn.nn.summary import NetworkSummary, Table
from tsrnn.training.optimizers import OptimizerState
from tsrnn.training.threads import Team, resolve_n_jobs
from tsrnn.training.tiles import TileEngine


def series_of(history: History, instance_norm: str | None) -> Series:
    """Scaled rows as the kernels take them."""
    shape, channels = history.shape, history.panel.n_channels
    window = (shape.lookback, shape.sampling_rate, shape.gap, shape.horizon)
    return Series(history.scaled.reshape(-1), channels, history.n_targets, *window, NORMS[instance_norm])


def described(shape: Shape, specs: Sequence[LayerSpec], strategy: str, head: DistributionHead | None) -> str:
    """What weights mean, for people."""
    distribution = "" if head is None else f" of {head}"
    return f"{shape}, {list(specs)} and strategy={strategy!r}{distribution}"


class NetworkModel(Model):
    """Layers and their weights.

    Parameters
    ----------
    specs : sequence of LayerSpec
        The output layer included.
    shape : Shape
        Of the input.
    theta : ndarray
        The weights, laid out as ``Network.layout`` says.
    instance_norm, strategy : str or None, str
        As in the forecaster.
    horizon : int
        Rows of a forecast.
    left : OptimizerState
        Where training left the optimizer.
    head : Spec or None
        Of the distributions that the network gives; None where it gives point forecasts.
    """

    def __init__(
        self,
        specs: Sequence[LayerSpec],
        shape: Shape,
        theta: np.ndarray,
        instance_norm: str | None,
        strategy: str,
        horizon: int,
        left: OptimizerState,
        head: DistributionHead | None = None,
    ) -> None:
        self.specs, self.shape, self.theta, self.instance_norm = tuple(specs), shape, theta, instance_norm
        self.strategy, self.horizon, self.left, self.head = strategy, horizon, left, head

    def __repr__(self) -> str:
        return described(self.shape, self.specs, self.strategy, self.head)

    def network(self) -> Network:
        """The layers, without weights."""
        return STRATEGIES[self.strategy].network(self.specs, self.shape, self.horizon)

    def single(self) -> SingleWorkspace:
        """The network on arrays of one sequence, with the weights."""
        single = self.network().single(self.theta)
        single.pack()
        return single

    def predict(self, history: History, windows: WindowIndex) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in data units."""
        distribution = self.distribution(history, windows)
        return (
            history.unscaled(self._outputs(history, windows), windows) if distribution is None else distribution.point()
        )

    def distribution(self, history: History, windows: WindowIndex) -> Distribution | None:
        """Of each number that is forecast, where the network gives one."""
        if self.head is None:
            return None
        center, scale = history.center_of(windows), history.scale_of(windows)
        return distribution_of(self.head, self._outputs(history, windows), center, scale)

    @property
    def levels(self) -> tuple[float, ...]:
        """Of the quantiles that were trained, if any were."""
        return tuple(self.head.levels.tolist()) if isinstance(self.head, Quantile) else ()

    def _outputs(self, history: History, windows: WindowIndex) -> np.ndarray:
        """In scaled units: (windows, horizon, targets), for distributions with an axis of parameters."""
        series = series_of(history, self.instance_norm)
        tiles = -(-len(windows) // LANES)
        with Team(min(resolve_n_jobs(history.n_jobs), max(1, tiles))) as team:
            engine = TileEngine(self.network(), STRATEGIES[self.strategy].task(series, self.head), team)
            return engine.predict(self.theta, windows.origin)

    def stepper(self, history: History) -> Stepper:
        """Forecasts of the series of ``history`` as they go on; of one alone on the arrays of one sequence."""
        strategy, series = STRATEGIES[self.strategy], series_of(history, self.instance_norm)
        if history.panel.n_series > 1:
            return TileStepper(self, history, series, lambda rows: strategy.task(rows, self.head))
        return strategy.stepper(self, history, series)

    def arrays(self) -> dict[str, np.ndarray]:
        """Each parameter under its name, and what the optimizer remembers of it."""
        layout = self.network().layout
        moments = self.left.named(layout)
        return {name: array.copy() for name, array in (layout.named(self.theta) | moments).items()}

    def document(self) -> dict[str, Any]:
        """Specs and sizes."""
        plain = {name: getattr(self, name) for name in ("instance_norm", "strategy", "horizon")}
        head = None if self.head is None else encode(self.head)
        left = {"optimizer": encode(self.left.optimizer), "steps": self.left.steps}
        return {"specs": encode(list(self.specs)), "shape": list(self.shape), "head": head, **plain, **left}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> NetworkModel:
        """The model again."""
        specs, shape = decode(document["specs"]), Shape(*document["shape"])
        plain = {name: document[name] for name in ("instance_norm", "strategy", "horizon")}
        head = None if document["head"] is None else decode(document["head"])
        layout = STRATEGIES[plain["strategy"]].network(specs, shape, plain["horizon"]).layout
        left = OptimizerState.of(decode(document["optimizer"]), arrays, layout, document["steps"])
        return cls(specs, shape, layout.flat(arrays), **plain, left=left, head=head)

    def tables(self) -> tuple[Table, ...]:
        """The layers."""
        return (NetworkSummary.of(self.network()).table,)

    @property
    def n_params(self) -> int:
        """Number of weights."""
        return self.theta.size
