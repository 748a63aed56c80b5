"""Forecasters that are networks: what the recurrent and the dense ones share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import Lock
from typing import Any, Self

import numpy as np
import pandas as pd

from tsrnn._blas import one_blas_thread
from tsrnn._checkpoints import CheckpointFile, conclude, open_checkpoint
from tsrnn._errors import DivergedError
from tsrnn._jit import Spec
from tsrnn._looking import LooksInside, spread_evenly
from tsrnn._networks import NetworkTraining
from tsrnn._parameters import seed_of
from tsrnn.data import Panel, all_windows
from tsrnn.forecasting.assemble import fit_state
from tsrnn.forecasting.base import Forecaster
from tsrnn.forecasting.declared import TrainingParameters
from tsrnn.forecasting.ensemble import members_of
from tsrnn.forecasting.fitting import as_used
from tsrnn.forecasting.following import moved_on, newly_complete, refuse_other_windows, retrained
from tsrnn.forecasting.history_ends import cutoffs, history_ends
from tsrnn.forecasting.memory import ModelMemory, checkpoint_memory, mixture_memory, network_memory
from tsrnn.forecasting.monte_carlo import Draws
from tsrnn.forecasting.network_model import NetworkEnsemble, NetworkModel, series_of
from tsrnn.forecasting.prepare import Prepared, Split, check_targets, facts, prepare
from tsrnn.forecasting.refusals import check_checkpoint, check_draws, check_head, check_output, networks_before
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
from tsrnn.training.members import Told, member_seeds, train_members
from tsrnn.training.optimizers import OptimizerState
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team, resolve_n_jobs
from tsrnn.training.tiles import TileEngine
from tsrnn.training.trainer import Start, Trainer, TrainResult, TrainSettings, Windows


class NetworkForecaster(LooksInside, Forecaster, TrainingParameters):
    """Base of forecasters that are networks; abstract: a subclass gives the hidden layers."""

    model_class = NetworkEnsemble
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
        check_head(self)
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
            before = networks_before(self, self._network(prepared), "`partial_fit`")
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
        """The fitted network, or the first of them, and what it was trained on, on windows of this panel."""
        model = members_of(state.model.core)[0]
        if not isinstance(model, NetworkModel):
            raise ValueError(
                f"There is no one network to look into, but {model}. Fit a forecaster on the rows of one series, or "
                'with `scope="global"`.'
            )
        history = self._history(panel, state)
        series = series_of(history, model.instance_norm)
        return model, STRATEGIES[model.strategy].training_task(series, self._head, self._units(history))

    def _fit_model(self, prepared: Prepared, seed: int) -> Fitted:
        check_head(self)
        check_checkpoint(self)
        prepared = self._strategy.prepared(prepared, int(self.stride))
        before = networks_before(self, self._network(prepared), "`warm_start=True`") if self.warm_start else None
        checkpoint = open_checkpoint(self)
        if checkpoint is not None:
            seed = checkpoint.seed(seed)
            checkpoint.check_data(facts(prepared, None if before is None else before[0]))
        return self._learn(prepared, self._settings(seed), before, checkpoint)

    def _learn(
        self,
        prepared: Prepared,
        settings: TrainSettings,
        before: Sequence[NetworkModel] | None,
        checkpoint: CheckpointFile | None = None,
    ) -> Fitted:
        """Train, each member from first weights or from those of ``before``."""
        network = self._network(prepared)
        check_draws(self, network)
        each = [replace(settings, seed=seed) for seed in member_seeds(settings.seed, int(self.n_members))]
        with one_blas_thread():  # first weights are drawn with it too: fits that overlap share one limit
            starts = [_start(network, own, None if before is None else before[k]) for k, own in enumerate(each)]
            results = self._train(prepared, network, each, starts, checkpoint)
        if before is not None and len(results) < len(each):
            raise KeyboardInterrupt  # rather than go on without some of the members that there were
        models = [self._model_of(prepared, network, each[member], result) for member, result in results.items()]
        if len(each) == 1:
            how = _records(results[0].history), results[0].best_epoch, results[0].stopped
            return Fitted(models[0], *how, settings.seed, checkpoint)
        rows = [{"member": member, **row} for member, result in results.items() for row in _records(result.history)]
        best, stopped = zip(*((result.best_epoch, result.stopped) for result in results.values()), strict=True)
        return Fitted(NetworkEnsemble(models), tuple(rows), list(best), list(stopped), settings.seed)

    def _model_of(
        self, prepared: Prepared, network: Network, settings: TrainSettings, result: TrainResult
    ) -> NetworkModel:
        given = self.instance_norm, self.strategy, prepared.shape.horizon
        left = OptimizerState(settings.optimizer, result.moments, result.steps)
        draws = None if self.mc_samples is None else Draws.of_member(int(self.mc_samples), settings.seed)
        return NetworkModel(network.specs, network.input, result.theta, *given, left, self._distribution_head, draws)

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

    def _network(self, prepared: Prepared) -> Network:
        shape, strategy, width = prepared.shape, self._strategy, width_of(self._head)
        specs = [*self._hidden_layers(), Dense(strategy.outputs(shape.horizon, prepared.n_targets) * width)]
        window = Shape(shape.lookback, prepared.training.panel.n_channels)
        network = strategy.network(specs, window, shape.horizon)
        check_output(network)
        return network

    def _model_memory(self, prepared: Prepared) -> ModelMemory:
        trained = self._strategy.prepared(prepared, int(self.stride))
        settings = self._settings(seed=0)
        threads, moments = resolve_n_jobs(self.n_jobs), settings.optimizer.n_moments
        network = self._network(prepared)
        members, draws = int(self.n_members), 0 if self.mc_samples is None else int(self.mc_samples)
        found = network_memory(network, trained, threads, settings.batch_size, moments, members, draws)
        if draws and self._distribution_head is not None:  # one distribution for each, of all windows scored
            mixed = {"distributions drawn": draws * mixture_memory(network, prepared)}
            found = replace(found, forecasting=found.forecasting | mixed)
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
        settings: Sequence[TrainSettings],
        starts: Sequence[Start],
        checkpoint: CheckpointFile | None,
    ) -> dict[int, TrainResult]:
        """What training made of each start, by the numbers of the members."""
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
        head, strategy, count, turn = self._head, self._strategy, len(starts), Lock()
        task = strategy.training_task(series_of(own, self.instance_norm), head, self._units(own))
        whole = task
        if other is not own or not strategy.trains_on_forecasts:
            whole = strategy.task(series_of(other, self.instance_norm), head, self._units(other))
        with self._listeners(count) as callbacks:

            def train(member: int, team: Team) -> TrainResult:
                net = self._network(prepared) if member else network  # each packs weights of its own
                told = [Told(member, callbacks, turn)] if count > 1 else callbacks
                engine = TileEngine(net, task, team, settings[member].seed)
                validation = engine if whole is task else TileEngine(net, whole, team)
                theta, moments, steps = starts[member]
                trainer = Trainer(engine, windows, settings[member], validation)
                try:
                    return trainer.run(theta, [*strategy.callbacks(net, self), *told], moments, steps, checkpoint)
                except DivergedError as error:
                    conclude(checkpoint, "diverged")  # as it would again
                    error.history = history_frame(_records(error.history))
                    if count > 1:
                        error.args = (f"Member {member} of {count} (counted from 0): {error}",)
                    raise

            return train_members(train, count, resolve_n_jobs(self.n_jobs))

    def _history_of(self, prepared: Prepared, split: Split) -> History:
        return History(split.panel, prepared.shape, prepared.n_targets, prepared.scaling, self.n_jobs)

    def _noticing(self) -> AbstractContextManager[None]:
        return NetworkTraining._noticing(self)


def _start(network: Network, settings: TrainSettings, before: NetworkModel | None) -> Start:
    if before is None:
        return network.initial(settings.seed), None, 0
    return before.theta, *before.left.carried_over(settings.optimizer)


def _records(epochs: Iterable[EpochEnd]) -> tuple[dict[str, float], ...]:
    """Epochs as ``history_`` has them."""
    return tuple(epoch.row() for epoch in epochs)
