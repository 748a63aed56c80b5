"""Forecasters that are networks: what the recurrent and the dense ones share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd

from tsrnn._blas import one_blas_thread
from tsrnn._checkpoints import CheckpointFile, conclude, open_checkpoint
from tsrnn._errors import DivergedError
from tsrnn._jit import Spec
from tsrnn._looking import LooksInside, spread_evenly
from tsrnn._networks import NetworkTraining, check_states
from tsrnn._parameters import seed_of
from tsrnn.data import Panel, all_windows
from tsrnn.forecasting.assemble import fit_state
from tsrnn.forecasting.base import Forecaster
from tsrnn.forecasting.declared import TrainingParameters
from tsrnn.forecasting.fitting import as_used
from tsrnn.forecasting.following import moved_on, newly_complete, refuse_other_windows, retrained
from tsrnn.forecasting.history_ends import cutoffs, history_ends
from tsrnn.forecasting.memory import ModelMemory, checkpoint_memory, network_memory
from tsrnn.forecasting.network_model import NetworkModel, described, series_of
from tsrnn.forecasting.prepare import Prepared, Split, check_targets, facts, prepare
from tsrnn.forecasting.state import FitState, Fitted, History, history_frame
from tsrnn.forecasting.strategies import STRATEGIES, Strategy
from tsrnn.nn.heads import COUNTS, as_head, width_of
from tsrnn.nn.heads.distribution import DistributionHead
from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.network import Network
from tsrnn.training.events import EpochEnd
from tsrnn.training.looking import Look, attended, look
from tsrnn.training.measures import NO_UNITS
from tsrnn.training.optimizers import OptimizerState
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team, resolve_n_jobs
from tsrnn.training.tiles import TileEngine
from tsrnn.training.trainer import Start, Trainer, TrainResult, TrainSettings, Windows


class NetworkForecaster(LooksInside, Forecaster, TrainingParameters):
    """Base of forecasters that are networks; abstract: a subclass gives the hidden layers."""

    model_class = NetworkModel
    strategy: Any = "direct"  # a parameter of forecasters that have others
    advice = 'Try `instance_norm="last"`, more epochs or more data, and compare with LinearForecaster.'

    @abstractmethod
    def _hidden_layers(self) -> list[LayerSpec]:
        """All layers but the output."""

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Go on training on new rows: one pass over the windows that they complete, without validation.

        The history moves forward as in ``update``. Scales are those of the first call, and the optimizer goes on from
        where it was. Before any ``fit`` it is a first pass over all windows. No rows are held out, so intervals stay
        calibrated by the validation rows of the last ``fit``, and backtests divide by the scales of its rows.

        Parameters
        ----------
        X, y : as in ``update``
            The rows that follow.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError, DivergedError
            As in ``fit`` and ``update``; the forecaster is then as it was before.
        """
        self.check_parameters()
        self._check_head()
        if self.scope == "local":
            raise ValueError('`partial_fit` goes on with one model for all series: fit with `scope="global"`.')
        settings = replace(self._settings(seed_of(self.random_state)), max_epochs=1)
        stride = int(self.stride)
        if "state_" not in vars(self):
            prepared = prepare(self, X, y, None, None, validated=False)
            fitted = as_used(self, self._learn(self._strategy.prepared(prepared, stride), settings, None))
            self._adopt(fit_state(prepared, fitted, settings.seed, self.n_jobs))
        else:
            state = self._fitted()
            refuse_other_windows(self, state.shape)
            panel = self._read(X, y, keep_all=True, before=state.tail)
            moved = moved_on(state, panel)
            prepared = newly_complete(state, panel, self._strategy.trained_shape(state.shape), stride)
            before = self._before(self._network(prepared), "`partial_fit`")
            check_targets(panel, state.schema, self)
            fitted = as_used(self, self._learn(prepared, settings, before))
            self._adopt(retrained(moved, fitted, prepared.training))
        self._warn_about_fit()
        return self

    def _look(self, X: Any, y: Any, n_examples: int) -> Look:
        state = self._fitted()
        panel = self._read(X, y)
        windows = all_windows(panel, state.shape).origin
        model, task = self._at_work(panel, state)
        with self._noticing():
            return look(model.network(), task, model.theta, windows[spread_evenly(windows.size, n_examples)])

    def _attended(self, X: Any, y: Any, n_examples: int) -> tuple[dict[str, np.ndarray], pd.Index]:
        state = self._fitted()
        panel = self._history_panel(X, y, state)
        origins = history_ends(panel, state.shape)
        origins = origins[spread_evenly(origins.size, n_examples)]
        model, task = self._at_work(panel, state)
        with self._noticing():
            found = attended(model.network(), task, model.theta, origins)
        return found, cutoffs(state.schema, panel, origins)

    def _at_work(self, panel: Panel, state: FitState) -> tuple[NetworkModel, WindowTask]:
        """The fitted network, and what it was trained on, on windows of this panel."""
        model = state.model.core
        if not isinstance(model, NetworkModel):
            raise ValueError(
                f"There is no one network to look into, but {model}. Fit a forecaster on the rows of one series, or "
                'with `scope="global"`.'
            )
        history = self._history(panel, state)
        series = series_of(history, model.instance_norm)
        return model, STRATEGIES[model.strategy].training_task(series, self._head, self._units(history))

    def _fit_model(self, prepared: Prepared, seed: int) -> Fitted:
        self._check_head()
        if self.scope == "local" and self.checkpoint is not None:
            raise ValueError('`checkpoint` holds the training of one model; leave it out with `scope="local"`.')
        prepared = self._strategy.prepared(prepared, int(self.stride))
        before = self._before(self._network(prepared), "`warm_start=True`") if self.warm_start else None
        checkpoint = open_checkpoint(self)
        if checkpoint is not None:
            seed = checkpoint.seed(seed)
            checkpoint.check_data(facts(prepared, before))
        return self._learn(prepared, self._settings(seed), before, checkpoint)

    def _learn(
        self,
        prepared: Prepared,
        settings: TrainSettings,
        before: NetworkModel | None,
        checkpoint: CheckpointFile | None = None,
    ) -> Fitted:
        """Train, from first weights or from those of ``before``."""
        network = self._network(prepared)
        with one_blas_thread():  # first weights are drawn with it too: fits that overlap share one limit
            result = self._train(prepared, network, settings, before, checkpoint)
        given = self.instance_norm, self.strategy, prepared.shape.horizon
        left = OptimizerState(settings.optimizer, result.moments, result.steps)
        model = NetworkModel(network.specs, network.input, result.theta, *given, left, self._distribution_head)
        how = _records(result.history), result.best_epoch, result.stopped
        return Fitted(model, *how, settings.seed, checkpoint)

    @property
    def _strategy(self) -> Strategy:
        return STRATEGIES[self.strategy]

    @property
    def _head(self) -> Spec:
        return as_head(self.loss, self.quantiles)

    @property
    def _distribution_head(self) -> DistributionHead | None:
        head = self._head
        return head if isinstance(head, DistributionHead) else None

    @property
    def _counts(self) -> bool:
        return isinstance(self._head, COUNTS)

    def _units(self, history: History) -> np.ndarray:
        return history.units() if self._counts else NO_UNITS

    def _check_head(self) -> None:
        """Refuse settings that do not go with the distribution."""
        if self._distribution_head is not None and not self._strategy.takes_distributions:
            raise ValueError(
                f'`loss={self.loss!r}` needs `strategy="direct"`: with {self.strategy!r} a row is forecast from the '
                "point forecasts of those before it, so their spread would be lost. Set one of the two."
            )
        if self._counts and self.instance_norm is not None:
            raise ValueError(
                f"`loss={self.loss!r}` is of counts, from which `instance_norm={self.instance_norm!r}` would take the "
                "level. Set `instance_norm=None`; counts are divided by the mean of their series in any case."
            )
        if self.quantiles is not None and self.loss != "quantile":
            raise ValueError(f'`quantiles={self.quantiles}` needs `loss="quantile"`; got `loss={self.loss!r}`.')

    def _network(self, prepared: Prepared) -> Network:
        shape, strategy, width = prepared.shape, self._strategy, width_of(self._head)
        specs = [*self._hidden_layers(), Dense(strategy.outputs(shape.horizon, prepared.n_targets) * width)]
        window = Shape(shape.lookback, prepared.training.panel.n_channels)
        network = strategy.network(specs, window, shape.horizon)
        self._check_output(network)
        return network

    def _model_memory(self, prepared: Prepared) -> ModelMemory:
        trained = self._strategy.prepared(prepared, int(self.stride))
        settings = self._settings(seed=0)
        threads, moments = resolve_n_jobs(self.n_jobs), settings.optimizer.n_moments
        network = self._network(prepared)
        found = network_memory(network, trained, threads, settings.batch_size, moments)
        if self.checkpoint is not None:
            found = replace(found, fitting=found.fitting | checkpoint_memory(network, moments))
        if trained is prepared:
            return found
        windows, rows = trained.training.windows, {"rows fed back": threads * self._strategy.fed_back(prepared)}
        own = {"windows one row ahead": windows.series.nbytes + windows.origin.nbytes}
        return ModelMemory(found.fitting | rows | own, found.forecasting | rows, found.forecast)

    def _train(
        self,
        prepared: Prepared,
        network: Network,
        settings: TrainSettings,
        before: NetworkModel | None,
        checkpoint: CheckpointFile | None,
    ) -> TrainResult:
        start: Start
        if before is None:
            start = network.initial(settings.seed), None, 0
        else:
            start = before.theta, *before.left.carried_over(settings.optimizer)
        held_out = prepared.validation
        own = self._history_of(prepared, prepared.training)
        # Validation rows that follow the training rows are in the same array; those of ``X_val`` are not.
        other = own if held_out.panel is own.panel else self._history_of(prepared, held_out)
        windows = Windows(
            train=prepared.training.windows.origin,
            validation=held_out.windows.origin,
            validation_units=other.scale_of(held_out.windows),
            weights=prepared.weights,
        )
        with Team(resolve_n_jobs(self.n_jobs)) as team, self._listeners() as callbacks:
            head, strategy = self._head, self._strategy
            callbacks = [*strategy.callbacks(network, self), *callbacks]
            task = strategy.training_task(series_of(own, self.instance_norm), head, self._units(own))
            engine = TileEngine(network, task, team, settings.seed)
            validation = engine
            if other is not own or not strategy.trains_on_forecasts:
                whole = strategy.task(series_of(other, self.instance_norm), head, self._units(other))
                validation = TileEngine(network, whole, team)
            try:
                theta, moments, steps = start
                return Trainer(engine, windows, settings, validation).run(theta, callbacks, moments, steps, checkpoint)
            except DivergedError as error:
                conclude(checkpoint, "diverged")  # as it would again
                error.history = history_frame(_records(error.history))
                raise

    def _history_of(self, prepared: Prepared, split: Split) -> History:
        return History(split.panel, prepared.shape, prepared.n_targets, prepared.scaling, self.n_jobs)

    def _before(self, network: Network, asked_by: str) -> NetworkModel | None:
        """The model of the last fit, to go on from; None where there is none."""
        if "state_" not in vars(self):
            return None
        before = self.state_.model.core
        if not isinstance(before, NetworkModel) or self._differs(before, network):
            raise ValueError(
                f"{asked_by} needs the layers, windows and number of columns of the last `fit`, and its distribution; "
                f"got {described(network.input, network.specs, self.strategy, self._distribution_head)}, after "
                f"{before}. Make a new forecaster, or set `warm_start=False` and call `fit`, to start afresh."
            )
        return before

    def _differs(self, before: NetworkModel, network: Network) -> bool:
        now = network.specs, network.input, self.strategy, self._distribution_head
        return (before.specs, before.shape, before.strategy, before.head) != now

    def _check_output(self, network: Network) -> None:
        if network.has_time:
            raise ValueError(
                "`layers` must end with one vector for each window, but these give one for each step. Set "
                "`return_sequences=False` in the last recurrent layer, or add Flatten()."
            )
        if network.specs[0].reads_tokens:
            raise ValueError(
                f"`layers` begins with {network.specs[0]}, which reads tokens, but a forecaster's columns are scaled "
                "numbers. Leave it out; it is for networks of `tsrnn.nn.Sequential`."
            )
        check_states(network.layers, "a forecaster's windows overlap and come in any order")

    def _noticing(self) -> AbstractContextManager[None]:
        return NetworkTraining._noticing(self)


def _records(epochs: Iterable[EpochEnd]) -> tuple[dict[str, float], ...]:
    """Epochs as ``history_`` has them."""
    return tuple(epoch.row() for epoch in epochs)
