"""Estimators on sequences: what the regressor and the classifier share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.utils import Tags
from sklearn.utils.validation import _check_sample_weight, validate_data

from tsrnn._blas import one_blas_thread
from tsrnn._errors import DivergedError
from tsrnn._parameters import seed_of
from tsrnn.estimators.declared import SequenceParameters
from tsrnn.estimators.inputs import SequenceRows, from_cube, from_list, from_table, is_listed, rows_of
from tsrnn.estimators.plan import Examples, Goal, Plan, for_kernels
from tsrnn.estimators.state import Scale, SequenceState
from tsrnn.estimators.targets import TargetRows, read_targets
from tsrnn.forecasting.recurrent import recurrent_layers
from tsrnn.kernels.simd import LANES
from tsrnn.nn.heads.point import MSE
from tsrnn.nn.heads.targets import Numbers, Targets
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.layers.recurrent import Recurrent
from tsrnn.nn.network import Network
from tsrnn.nn.summary import NetworkSummary
from tsrnn.training.events import EpochEnd
from tsrnn.training.sequences import SequenceTask
from tsrnn.training.threads import Team, resolve_n_jobs
from tsrnn.training.tiles import TileEngine
from tsrnn.training.trainer import Trainer, TrainSettings, Windows

_NO_NUMBERS = np.zeros(0)


class SequenceEstimator(SequenceParameters, BaseEstimator):
    """Base of the regressor and the classifier; abstract."""

    state_: SequenceState

    @abstractmethod
    def _goal(self, targets: TargetRows, train: np.ndarray, classes: Any) -> Goal:
        """What to learn; ``train`` marks the rows that may be looked at to find scales, ``classes`` may be given."""

    @abstractmethod
    def _known_goal(self, targets: TargetRows, scale: Scale, classes: list[np.ndarray]) -> Goal:
        """The same where scales and classes are known."""

    @abstractmethod
    def _shown(self, epoch: EpochEnd) -> dict[str, Any]:
        """An epoch as ``history_`` shows it."""

    def _strata(self, targets: TargetRows, held_out: int) -> np.ndarray | None:
        """What the validation part is to have in the same shares as the rest."""
        return None

    # ---- fit ---------------------------------------------------------------------------------------------------
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Learn from sequences and their targets.

        Parameters
        ----------
        X : ndarray of shape (sequences, steps, features) or (sequences, n_steps * features), DataFrame, or list
            A list holds one array (steps, features), or (steps,), for each sequence; lengths may differ.
        y : array-like of shape (sequences,) or (sequences, targets)
            With ``return_sequences=True`` of shape (sequences, steps) or (sequences, steps, targets), or a list.
        sample_weight : array-like of shape (sequences,), optional
            What each sequence counts for in the loss.
        X_val, y_val : as X and y, optional
            Sequences to validate on, in place of ``validation_fraction``.

        Returns
        -------
        self
            Fitted.
        """
        self.check_parameters()
        if (X_val is None) != (y_val is None):
            raise TypeError("`X_val` and `y_val` belong together: give both, or neither.")
        before = self.state_ if self.warm_start and "state_" in vars(self) else None
        examples = self._examples(X, y, sample_weight, reset=before is None)
        settings = self._settings(seed_of(self.random_state))
        if X_val is None:
            train, held_out = self._split(examples, settings.seed)
        else:
            train, held_out = np.arange(len(examples.sequences)), np.zeros(0, np.int64)
        plan = self._first_plan(examples, train) if before is None else self._next_plan(examples, before)
        other = plan
        if X_val is not None:
            known = self._examples(X_val, y_val, None, reset=False, features=plan.examples.sequences.features)
            goal = self._known_goal(known.targets, plan.goal.scale, plan.goal.classes)
            other, held_out = replace(plan, examples=known, goal=goal), np.arange(len(known.sequences))
        self._adopt(self._train(plan, train, other, held_out, settings, before))
        return self

    def _go_on(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        """One pass over these sequences, with scales and classes of the first call."""
        self.check_parameters()
        before = self.state_ if "state_" in vars(self) else None
        examples = self._examples(X, y, sample_weight, reset=before is None)
        train = np.arange(len(examples.sequences))
        plan = self._first_plan(examples, train, classes) if before is None else self._next_plan(examples, before)
        settings = replace(self._settings(seed_of(self.random_state)), max_epochs=1)
        self._adopt(self._train(plan, train, plan, train[:0], settings, before))
        return self

    def _first_plan(self, examples: Examples, train: np.ndarray, classes: Any = None) -> Plan:
        """How to learn from these examples, with scales from those of ``train`` alone."""
        sequences, targets = examples.sequences, examples.targets
        inputs = Scale.learned(self.scaler, sequences.rows[rows_of(sequences.lengths, train)])
        goal = self._goal(targets, rows_of(targets.lengths, train), classes)
        return Plan(examples, goal, inputs, (*recurrent_layers(self, self.return_sequences), Dense(goal.outputs)))

    def _next_plan(self, examples: Examples, before: SequenceState) -> Plan:
        """The same with scales that are known; the layers may not have changed."""
        goal = self._known_goal(examples.targets, before.targets, before.classes)
        plan = Plan(
            examples, goal, before.inputs, (*recurrent_layers(self, self.return_sequences), Dense(goal.outputs))
        )
        if plan.specs != before.specs:
            raise ValueError(
                "Going on from earlier weights (`warm_start=True`, `partial_fit`) needs the layers of before, "
                f"{list(before.specs)}; got {list(plan.specs)}. Make a new estimator, or set `warm_start=False`."
            )
        return plan

    def _train(
        self,
        plan: Plan,
        train: np.ndarray,
        other: Plan,
        held_out: np.ndarray,
        settings: TrainSettings,
        before: SequenceState | None,
    ) -> SequenceState:
        """Learn from some examples of ``plan`` and validate on some of ``other``."""
        network, weights = plan.network(), plan.weights(train)
        self._check_output(network)
        if before is None:
            theta, moments, steps = network.initial(settings.seed), None, 0
        else:
            theta, moments, steps = before.weights_for(network), before.moments, before.steps
        with Team(resolve_n_jobs(self.n_jobs)) as team, one_blas_thread(), self._listeners() as callbacks:
            engine = TileEngine(network, plan.task(network), team, settings.seed)
            validation = engine
            if other is not plan:
                validating = other.network()
                validation = TileEngine(validating, other.task(validating), team)
            windows = Windows(train, held_out, weights if other is plan else other.weights(held_out), weights)
            trainer = Trainer(engine, windows, settings, validation)
            try:
                result = trainer.run(theta, callbacks, moments, steps)
            except DivergedError as error:
                error.history = pd.DataFrame([self._shown(epoch) for epoch in error.history])
                raise
        return SequenceState(
            plan.specs, network.input, result.theta, plan.inputs, plan.goal.scale, plan.examples.targets.flat,
            plan.goal.classes, tuple(self._shown(epoch) for epoch in result.history), result.best_epoch,
            result.stopped, result.moments, result.steps,
        )  # fmt: skip

    def _split(self, examples: Examples, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The sequences to train and to validate on."""
        everything = np.arange(len(examples.sequences))
        held_out = round(self.validation_fraction * everything.size)
        if held_out in (0, everything.size):
            return everything, everything[:0]
        strata = self._strata(examples.targets, held_out)
        train, validation = train_test_split(everything, test_size=held_out, random_state=seed, stratify=strata)
        return np.sort(train), np.sort(validation)

    def _check_output(self, network: Network) -> None:
        wanted = network.input.steps if self.return_sequences else 1
        if network.output.steps != wanted:
            advice = (
                "`return_sequences=True` needs layers that keep all steps: set `return_sequences=True` in them"
                if self.return_sequences
                else "Set `return_sequences=False` in the last recurrent layer, or pool or flatten the steps"
            )
            raise ValueError(
                f"`layers` must end with {wanted} steps for sequences of {network.input.steps}; they give "
                f"{network.output.steps}. {advice}."
            )
        for layer in network.layers:
            spec = layer.spec
            if layer.stateful:
                raise ValueError(
                    f"`layers` holds {spec}, but sequences are shuffled: no state can go on from one to the next. "
                    "Leave `stateful` out; it is for networks of `tsrnn.nn.Sequential`."
                )
            if self.return_sequences and isinstance(spec, Recurrent) and spec.go_backwards:
                raise ValueError(
                    f"`layers` holds {spec}, which gives its steps from the last to the first, but y is in the order "
                    "of X. Use Bidirectional, or leave `go_backwards` out."
                )

    # ---- predict -----------------------------------------------------------------------------------------------
    def _outputs(self, X: Any) -> tuple[np.ndarray, SequenceRows]:
        """What the network gives: (sequences, steps or 1, outputs)."""
        state = self._fitted()
        sequences = self._sequences(X, None, reset=False, features=state.shape.features)
        network = state.network(int(sequences.lengths.max()))
        theta = state.weights_for(network)
        outputs, rows = network.output.features, np.zeros(0, np.int64)
        targets = Targets(np.zeros(0, np.float32), rows, rows, 1, outputs, network.output.steps)
        task = SequenceTask(for_kernels(sequences, state.inputs, network.input.steps), targets, self._head(state))
        tiles = -(-len(sequences) // LANES)
        with self._noticing(), Team(min(resolve_n_jobs(self.n_jobs), tiles)) as team:
            return TileEngine(network, task, team).predict(theta, np.arange(len(sequences))), sequences

    def _head(self, state: SequenceState) -> Any:
        """How outputs are finished."""
        return Numbers(MSE(), np.ones(len(state.targets.scale)))

    def _per_step(self, values: np.ndarray, sequences: SequenceRows) -> Any:
        """(sequences, steps or 1, ...) as users get it: without that axis, or one array for each sequence listed."""
        if not self.return_sequences:
            return values[:, 0]
        if not sequences.listed:
            return values
        return [part[:steps] for part, steps in zip(values, sequences.lengths.tolist(), strict=True)]

    def summary(self) -> NetworkSummary:
        """The layers, their shapes and parameter counts."""
        state = self._fitted()
        return NetworkSummary.of(state.network(state.shape.steps))

    # ---- reading -----------------------------------------------------------------------------------------------
    def _examples(self, X: Any, y: Any, sample_weight: Any, reset: bool, features: int | None = None) -> Examples:
        if y is None:
            raise ValueError(f"This {type(self).__name__} requires y to be passed, but the target y is None.")
        sequences = self._sequences(X, y, reset, features)
        targets = read_targets(y, sequences, self.return_sequences)
        if sample_weight is None:
            return Examples(sequences, targets, _NO_NUMBERS)
        given = _check_sample_weight(sample_weight, np.zeros(len(sequences)), ensure_non_negative=True)
        return Examples(sequences, targets, np.repeat(given, targets.lengths))

    def _sequences(self, X: Any, y: Any, reset: bool, features: int | None = None) -> SequenceRows:
        if is_listed(X) or (isinstance(X, np.ndarray) and X.ndim == 3):
            found = from_list(X) if is_listed(X) else from_cube(X)
            if reset:
                self.n_features_in_ = found.features
                if "feature_names_in_" in vars(self):
                    del self.feature_names_in_  # of an earlier fit on a frame
        else:
            found = from_table(validate_data(self, X, reset=reset, dtype=np.float64), self.n_steps)
        expected = found.features if reset or features is None else features
        if found.features != expected:
            raise ValueError(
                f"X has {found.features} features at each step, but {type(self).__name__} is expecting {expected} "
                "features as input: those of `fit`."
            )
        return found

    def _fitted(self) -> SequenceState:
        if "state_" not in vars(self):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet: call `fit` first.")
        return self.state_

    def _adopt(self, state: SequenceState) -> None:
        """Become fitted."""
        self.state_ = state
        self.history_ = pd.DataFrame(list(state.history))
        self.best_epoch_, self.stopped_ = state.best_epoch, state.stopped
        self.n_iter_ = len(state.history)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags
