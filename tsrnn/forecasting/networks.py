"""Forecasters that are networks: what the recurrent and the dense ones share."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from tsrnn.data import Scaling, WindowIndex, WindowShape
from tsrnn.forecasting.base import Fitted, Forecaster
from tsrnn.forecasting.declared import ScalingParameters, TrainingParameters
from tsrnn.forecasting.prepare import Prepared, Split
from tsrnn.forecasting.saving import decode, encode
from tsrnn.forecasting.state import History, Model
from tsrnn.kernels.gather import NORMS, Series
from tsrnn.nn.heads.point import as_loss
from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.network import Network
from tsrnn.nn.summary import NetworkSummary, Table
from tsrnn.training.events import Callback
from tsrnn.training.optimizers import OPTIMIZERS
from tsrnn.training.progress import ProgressBar
from tsrnn.training.schedules import SCHEDULES
from tsrnn.training.threads import Team, resolve_n_jobs
from tsrnn.training.tiles import TileEngine
from tsrnn.training.trainer import Trainer, TrainSettings, Windows


def series_of(scaled: np.ndarray, shape: WindowShape, n_targets: int, instance_norm: str | None) -> Series:
    """Scaled rows as the kernels take them."""
    norm = NORMS[instance_norm]
    window = (shape.lookback, shape.sampling_rate, shape.gap, shape.horizon)
    return Series(scaled.reshape(-1), scaled.shape[1], n_targets, *window, norm)


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
    instance_norm : str or None
        As in the forecaster.
    """

    def __init__(self, specs: Sequence[LayerSpec], shape: Shape, theta: np.ndarray, instance_norm: str | None) -> None:
        self.specs, self.shape, self.theta, self.instance_norm = tuple(specs), shape, theta, instance_norm

    def predict(self, history: History, windows: WindowIndex) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in data units."""
        scaling, rows = history.scaling.rows_for(history.panel)
        series = series_of(scaling.transform(history.panel), history.shape, history.n_targets, self.instance_norm)
        tiles = -(-len(windows) // 32)
        with Team(min(resolve_n_jobs(history.n_jobs), max(1, tiles))) as team:
            engine = TileEngine(Network(self.specs, self.shape), None, series, team)
            scaled = engine.predict(self.theta, windows.origin)
        return scaling.inverse_targets(scaled, rows[windows.series], history.n_targets)

    def arrays(self) -> dict[str, np.ndarray]:
        """Each parameter under its name."""
        return {name: array.copy() for name, array in Network(self.specs, self.shape).layout.named(self.theta).items()}

    def document(self) -> dict[str, Any]:
        """Specs and sizes."""
        return {"specs": encode(list(self.specs)), "shape": list(self.shape), "instance_norm": self.instance_norm}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> NetworkModel:
        """The model again."""
        specs, shape = decode(document["specs"]), Shape(*document["shape"])
        layout = Network(specs, shape).layout
        theta = np.zeros(layout.size, np.float32)
        for name, place in layout.named(theta).items():
            place[...] = arrays[name]
        return cls(specs, shape, theta, document["instance_norm"])

    def tables(self) -> tuple[Table, ...]:
        """The layers."""
        return (NetworkSummary.of(Network(self.specs, self.shape)).table,)

    @property
    def n_params(self) -> int:
        """Number of weights."""
        return self.theta.size


class NetworkForecaster(Forecaster, ScalingParameters, TrainingParameters):
    """Base of forecasters that are networks; abstract: a subclass gives the hidden layers."""

    model_class = NetworkModel

    @abstractmethod
    def _hidden_layers(self) -> list[LayerSpec]:
        """All layers but the output."""

    def _fit_model(self, prepared: Prepared, seed: int) -> Fitted:
        shape, n_targets = prepared.shape, prepared.n_targets
        specs = [*self._hidden_layers(), Dense(shape.horizon * n_targets)]
        panel = prepared.training.panel
        input_shape = Shape(shape.lookback, panel.n_channels)
        network = Network(specs, input_shape)
        self._check_output(network)
        scaled = prepared.scaling.transform(panel)
        series = series_of(scaled, shape, n_targets, self.instance_norm)
        theta = self._first_weights(network, specs, seed)
        with Team(resolve_n_jobs(self.n_jobs)) as team, self._listeners() as callbacks:
            engine = TileEngine(network, as_loss(self.loss), series, team, seed)
            windows = self._windows(prepared)
            validation = self._validation_engine(prepared, engine)
            trainer = Trainer(engine, windows, self._settings(seed), validation)
            result = trainer.run(theta, callbacks)
        history = tuple({k: v for k, v in asdict(r).items() if k != "max_epochs"} for r in result.history)
        model = NetworkModel(specs, input_shape, result.theta, self.instance_norm)
        return Fitted(model, history, result.best_epoch, result.stopped)

    def _validation_engine(self, prepared: Prepared, engine: TileEngine) -> TileEngine:
        """The same engine where validation rows follow training rows; one of its own for ``X_val``."""
        held_out = prepared.validation
        if held_out.panel is prepared.training.panel:
            return engine
        scaled = prepared.scaling.transform(held_out.panel)
        series = series_of(scaled, prepared.shape, prepared.n_targets, self.instance_norm)
        return TileEngine(engine.network, engine.loss, series, engine.team)

    def _windows(self, prepared: Prepared) -> Windows:
        held_out = prepared.validation
        return Windows(
            train=prepared.training.windows.origin,
            validation=held_out.windows.origin,
            validation_units=_units(prepared.scaling, held_out, prepared.n_targets),
            weights=prepared.weights,
        )

    def _settings(self, seed: int) -> TrainSettings:
        optimizer, schedule = self.optimizer, self.lr_schedule
        return TrainSettings(
            max_epochs=self.max_epochs,
            max_steps=self.max_steps,
            batch_size=self.batch_size,
            optimizer=OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer,
            learning_rate=self.learning_rate,
            schedule=SCHEDULES[schedule] if isinstance(schedule, str) else schedule,
            clip_norm=self.clip_norm,
            weight_decay=self.weight_decay,
            early_stopping=self.early_stopping,
            patience=self.patience,
            restore_best_weights=self.restore_best_weights,
            seed=seed,
        )

    def _first_weights(self, network: Network, specs: list[LayerSpec], seed: int) -> np.ndarray:
        """Random ones, or with ``warm_start`` those of the last fit."""
        if not self.warm_start or "state_" not in vars(self):
            return network.initial(seed)
        before = self.state_.model
        if before.specs != tuple(specs) or before.shape != network.input:
            raise ValueError(
                "`warm_start=True` needs the layers, windows and columns of the last `fit`; they differ now "
                f"({before.shape} -> {network.input}). Set `warm_start=False` to start afresh."
            )
        return before.theta

    def _check_output(self, network: Network) -> None:
        if network.has_time:
            raise ValueError(
                "`layers` must end with one vector for each window, but the last recurrent layer gives one for each "
                "step. Set `return_sequences=False` in it, or add Flatten()."
            )

    @contextlib.contextmanager
    def _listeners(self) -> Iterator[list[Callback]]:
        """The user's callbacks, and the progress bar where it is asked for."""
        callbacks = list(self.callbacks or ())
        if not self.verbose:
            yield callbacks
            return
        bar = ProgressBar(self.max_epochs, type(self).__name__)
        try:
            yield [bar, *callbacks]
        finally:
            bar.close()


def _units(scaling: Scaling, split: Split, n_targets: int) -> np.ndarray:
    """What a scaled error of one is worth, (windows, targets)."""
    scaling, rows = scaling.rows_for(split.panel)
    return scaling.scale[rows[split.windows.series], :n_targets]
