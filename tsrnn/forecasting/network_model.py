"""A fitted network: its layers and weights, and how forecasts come out of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np

from tsrnn._encoding import decode, encode
from tsrnn.data import WindowIndex
from tsrnn.forecasting.distributions import Distribution, distribution_of
from tsrnn.forecasting.ensemble import Ensemble
from tsrnn.forecasting.mixtures import Mixture
from tsrnn.forecasting.monte_carlo import Draws, spread_of
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
    draws : Draws or None
        Of dropout masks, from which the spread of forecasts is learned; None where it is not.
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
        draws: Draws | None = None,
    ) -> None:
        self.specs, self.shape, self.theta, self.instance_norm = tuple(specs), shape, theta, instance_norm
        self.strategy, self.horizon, self.left, self.head, self.draws = strategy, horizon, left, head, draws

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
        outputs = self._outputs(history, windows)
        if self.head is None:
            return history.unscaled(outputs, windows)
        return self._said(self.head, history, windows, outputs).point()

    def distribution(self, history: History, windows: WindowIndex) -> Distribution | None:
        """Of each number that is forecast, where the network gives one, or the spread of dropout masks is asked for."""
        if self.draws is None:
            if self.head is None:
                return None
            return self._said(self.head, history, windows, self._outputs(history, windows))
        point, drawn = self.predict(history, windows), self._samples(history, windows, *astuple(self.draws))
        if self.head is None:
            unit = history.scale_of(windows)[:, None]
            return spread_of(point, (history.unscaled(outputs, windows) for outputs in drawn), unit)
        return Mixture([self._said(self.head, history, windows, outputs) for outputs in drawn], point)

    def paths(self, history: History, windows: WindowIndex, n: int, seed: int) -> np.ndarray | None:
        """Point forecasts with masks drawn anew: (n, windows, horizon, targets)."""
        if self.draws is None or self.head is not None:
            return None
        drawn = self._samples(history, windows, n, seed)
        return np.stack([history.unscaled(outputs, windows) for outputs in drawn])

    @staticmethod
    def _said(head: DistributionHead, history: History, windows: WindowIndex, outputs: np.ndarray) -> Distribution:
        """What outputs in scaled units mean."""
        return distribution_of(head, outputs, history.center_of(windows), history.scale_of(windows))

    @property
    def levels(self) -> tuple[float, ...]:
        """Of the quantiles that were trained, if any were."""
        return tuple(self.head.levels.tolist()) if isinstance(self.head, Quantile) else ()

    def _outputs(self, history: History, windows: WindowIndex) -> np.ndarray:
        """In scaled units: (windows, horizon, targets), for distributions with an axis of parameters."""
        with Team(_threads_for(history, windows)) as team:
            return self._engine(history, team).predict(self.theta, windows.origin)

    def _samples(self, history: History, windows: WindowIndex, count: int, seed: int) -> Iterator[np.ndarray]:
        """The same with dropout, path by path; each is overwritten by the next."""
        with Team(_threads_for(history, windows)) as team:
            yield from self._engine(history, team).samples(self.theta, windows.origin, range(count), seed)

    def _engine(self, history: History, team: Team) -> TileEngine:
        series = series_of(history, self.instance_norm)
        return TileEngine(self.network(), STRATEGIES[self.strategy].task(series, self.head), team)

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
        draws = None if self.draws is None else list(astuple(self.draws))
        given = {"specs": encode(list(self.specs)), "shape": list(self.shape), "head": head, "draws": draws}
        return given | plain | left

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> NetworkModel:
        """The model again."""
        specs, shape = decode(document["specs"]), Shape(*document["shape"])
        plain = {name: document[name] for name in ("instance_norm", "strategy", "horizon")}
        head = None if document["head"] is None else decode(document["head"])
        layout = STRATEGIES[plain["strategy"]].network(specs, shape, plain["horizon"]).layout
        left = OptimizerState.of(decode(document["optimizer"]), arrays, layout, document["steps"])
        draws = Draws(*document["draws"]) if document.get("draws") else None  # files of before have none
        return cls(specs, shape, layout.flat(arrays), **plain, left=left, head=head, draws=draws)

    def tables(self) -> tuple[Table, ...]:
        """The layers."""
        return (NetworkSummary.of(self.network()).table,)

    @property
    def n_params(self) -> int:
        """Number of weights."""
        return self.theta.size


class NetworkEnsemble(Ensemble):
    """Networks of the same layers."""

    member_class = NetworkModel


def _threads_for(history: History, windows: WindowIndex) -> int:
    """No more than there are tiles."""
    return min(resolve_n_jobs(history.n_jobs), max(1, -(-len(windows) // LANES)))
