"""Estimators on sequences: what the regressor and the classifier share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.utils import Tags

from tsrnn._blas import one_blas_thread
from tsrnn._checkpoints import CheckpointFile, conclude, open_checkpoint
from tsrnn._errors import DivergedError
from tsrnn._looking import LooksInside, spread_evenly
from tsrnn._networks import warn_if_interrupted
from tsrnn._parameters import seed_of
from tsrnn._saving import Saved
from tsrnn.data.weights import read_weights
from tsrnn.estimators.declared import SequenceParameters
from tsrnn.estimators.inputs import Form, SequenceRows, read_sequences, rows_of
from tsrnn.estimators.layers import check_layers, check_weights, have_padding, least_steps
from tsrnn.estimators.learning import facts, learn
from tsrnn.estimators.plan import NO_WEIGHTS, Examples, Goal, Part, Plan, for_kernels
from tsrnn.estimators.split import split
from tsrnn.estimators.state import Scale, SequenceState, check_kept
from tsrnn.estimators.targets import TargetRows, read_targets
from tsrnn.estimators.tokens import check_vocabulary, padding, read_tokens, with_embedding
from tsrnn.forecasting.recurrent import recurrent_layers
from tsrnn.kernels.simd import LANES
from tsrnn.nn.heads.targets import Targets
from tsrnn.nn.layer import LayerSpec
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.layers.embedding import Embedding
from tsrnn.nn.network import Network
from tsrnn.nn.summary import NetworkSummary
from tsrnn.training.events import EpochEnd
from tsrnn.training.looking import Look, attended, look
from tsrnn.training.optimizers import OptimizerState
from tsrnn.training.sequences import SequenceTask
from tsrnn.training.threads import Team, resolve_n_jobs
from tsrnn.training.tiles import TileEngine
from tsrnn.training.trainer import TrainSettings

ATTRIBUTES = """\
Attributes
----------
history_ : DataFrame
    A row for each epoch: epoch, loss, val_loss, {error}, learning_rate, seconds.
best_epoch_ : int
    The epoch whose weights were kept.
stopped_ : str
    Why training ended: "max_epochs", "max_steps", "early_stopping", "callback" or "interrupt".
n_iter_ : int
    Epochs of the last call of ``fit`` or ``partial_fit``.
n_features_in_ : int
    Columns of X, or where it had three dimensions or was a list, features of a step.
feature_names_in_ : ndarray of str
    Names of the columns, where X was a frame or a list of frames.
"""


class SequenceEstimator(LooksInside, Saved, SequenceParameters):
    """Base of the regressor and the classifier; abstract."""

    measure: ClassVar[str]  # what ``history_`` shows of the validation part beside the loss
    state_: SequenceState

    @abstractmethod
    def _checked_targets(self, targets: TargetRows) -> np.ndarray:
        """The values of y, once they are known to be of a kind that can be learned."""

    @abstractmethod
    def _goal(self, targets: TargetRows, train: np.ndarray, before: SequenceState | None, classes: Any) -> Goal:
        """What to learn: from the rows marked in ``train`` alone, or as it was before; ``classes`` may be given."""

    @abstractmethod
    def _coded(self, targets: TargetRows, goal: Goal) -> tuple[np.ndarray, np.ndarray]:
        """What the network is to give for each row of y, and what rows count for beside the weights of users."""

    @abstractmethod
    def _said(self, outputs: np.ndarray, state: SequenceState) -> np.ndarray:
        """Targets as users have them, (sequences, steps or 1, targets), from what the network gives."""

    @abstractmethod
    def _head(self, state: SequenceState) -> Any:
        """How outputs are finished."""

    def _shown(self, epoch: EpochEnd) -> dict[str, Any]:
        """An epoch as ``history_`` shows it."""
        return epoch.row()

    def _strata(self, targets: TargetRows) -> np.ndarray:
        """What the validation part is to have in the same shares as the rest, for each sequence."""
        return np.zeros(len(targets.lengths), np.int64)

    # ---- fit ---------------------------------------------------------------------------------------------------
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Learn from sequences and their targets.

        Parameters
        ----------
        X : ndarray of shape (sequences, steps, features) or (sequences, n_steps * features), DataFrame, or list
            A list holds one array or frame (steps, features), or array or Series (steps,), for each sequence; lengths
            may differ, and the columns of frames must be the same. A list of lists of single numbers, all of one
            length, is such a table.
        y : array-like of shape (sequences,) or (sequences, targets)
            With ``return_sequences=True`` of shape (sequences, steps) or (sequences, steps, targets), or a list; what
            stands there where X holds padding (token 0) counts nowhere and may be anything.
        sample_weight : array-like of shape (sequences,), optional
            What each sequence counts for in the loss; only the proportions matter.
        X_val, y_val : as X and y, optional
            Sequences to validate on, in place of ``validation_fraction``.

        Returns
        -------
        self
            Fitted.

        Raises
        ------
        ValueError, TypeError
            For sequences, targets or parameters that cannot be used; the estimator is then as it was before.
        DivergedError
            If the loss stops being finite; likewise.
        """
        self.check_parameters()
        if (X_val is None) != (y_val is None):
            raise TypeError("`X_val` and `y_val` belong together: give both, or neither.")
        before = vars(self).get("state_") if self.warm_start else None
        checkpoint, seed = open_checkpoint(self), seed_of(self.random_state)
        settings = self._settings(seed if checkpoint is None else checkpoint.seed(seed))
        examples = self._examples(X, y, sample_weight, None if before is None else before.form)
        if X_val is None:
            train, held_out = split(self._strata(examples.targets), self.validation_fraction, settings.seed)
            plan = self._plan(examples, train, before)
            validation = Part(plan, held_out)
        else:
            train = np.arange(len(examples.sequences))
            plan = self._plan(examples, train, before)
            validation = self._validation(X_val, y_val, plan)
        if checkpoint is not None:
            checkpoint.check_data(facts(Part(plan, train), validation, before))
        self._conclude(self._train(Part(plan, train), validation, settings, before, checkpoint))
        conclude(checkpoint, self.stopped_)
        return self

    def _one_pass(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> SequenceState:
        """Training on these sequences, with scales and classes of the first call."""
        self.check_parameters()
        before = vars(self).get("state_")
        settings = replace(self._settings(seed_of(self.random_state)), max_epochs=1)
        examples = self._examples(X, y, sample_weight, None if before is None else before.form)
        train = np.arange(len(examples.sequences))
        plan = self._plan(examples, train, before, classes)
        return self._train(Part(plan, train), Part(plan, train[:0]), settings, before)

    def _plan(self, examples: Examples, train: np.ndarray, before: SequenceState | None, classes: Any = None) -> Plan:
        """How to learn from these examples: with scales of those in ``train`` alone, or as it was before."""
        sequences, targets = examples.sequences, examples.targets
        goal = self._goal(targets, targets.counted(train, "training"), before, classes)
        steps = rows_of(sequences.lengths, train)
        layers = recurrent_layers(self, bool(self.return_sequences))
        if self.embedding_dim is not None:
            known = None if before is None else before.specs
            layers = with_embedding(self.embedding_dim, layers, sequences, steps, known)
        elif before is None and isinstance(layers[0], Embedding):
            check_vocabulary(layers[0], sequences, steps)
        specs = (*layers, Dense(goal.outputs))
        kind = None if isinstance(specs[0], Embedding) else self.scaler
        if before is None:
            return self._planned(examples, goal, Scale.learned(kind, sequences.rows[steps]), specs)
        check_kept("`return_sequences`", before.per_step, targets.per_step)
        check_kept("layers", ", ".join(map(str, before.specs)), ", ".join(map(str, specs)))
        check_kept("`scaler`", before.inputs.kind, kind)
        return self._planned(examples, goal, before.inputs, specs)

    def _planned(self, examples: Examples, goal: Goal, inputs: Scale, specs: tuple[LayerSpec, ...]) -> Plan:
        examples = replace(examples, sequences=read_tokens(examples.sequences, specs))
        codes, weights = self._coded(examples.targets, goal)
        given = [some for some in (examples.weights, weights) if some.size]
        return Plan(examples, goal, inputs, specs, codes, np.prod(given, axis=0) if given else NO_WEIGHTS)

    def _validation(self, X_val: Any, y_val: Any, plan: Plan) -> Part:
        """Sequences of the user's own, seen as those of training are."""
        try:
            examples = self._examples(X_val, y_val, None, plan.examples.sequences.form)
            planned = self._planned(examples, plan.goal, plan.inputs, plan.specs)
        except ValueError as error:
            raise ValueError(f"In `X_val` and `y_val`: {error}") from error
        return Part(planned, np.arange(len(examples.sequences)))

    def _train(
        self,
        train: Part,
        validation: Part,
        settings: TrainSettings,
        before: SequenceState | None,
        checkpoint: CheckpointFile | None = None,
    ) -> SequenceState:
        with Team(resolve_n_jobs(self.n_jobs)) as team, one_blas_thread(), self._listeners() as callbacks:
            try:
                result = learn(train, validation, settings, before, team, callbacks, checkpoint)
            except DivergedError as error:
                conclude(checkpoint, stopped="diverged")  # as it would again
                error.history = self._history([self._shown(epoch) for epoch in error.history])
                raise
        plan, sequences, targets = train.plan, train.plan.examples.sequences, train.plan.examples.targets
        return SequenceState(
            specs=plan.specs,
            steps=sequences.longest,
            theta=result.theta,
            form=sequences.form,
            per_step=targets.per_step,
            flat=targets.flat,
            inputs=plan.inputs,
            targets=plan.goal.scale,
            classes=plan.goal.classes,
            history=tuple(self._shown(epoch) for epoch in result.history),
            best_epoch=result.best_epoch,
            stopped=result.stopped,
            left=OptimizerState(settings.optimizer, result.moments, result.steps),
        )

    def _conclude(self, state: SequenceState) -> None:
        self._adopt(state)
        warn_if_interrupted(type(self).__name__, state.stopped, len(state.history), state.best_epoch)

    # ---- predict -----------------------------------------------------------------------------------------------
    def predict(self, X: Any) -> Any:
        """What is said of each sequence: the numbers of a regressor, the likeliest classes of a classifier.

        Parameters
        ----------
        X : as in ``fit``
            Sequences, also longer or shorter ones.

        Returns
        -------
        ndarray or list of ndarray
            Of shape (sequences,) or (sequences, targets), like y; with ``return_sequences=True`` (sequences, steps,
            ...), or where X is a list one array for each sequence.
        """
        outputs, sequences = self._outputs(X)
        found = self._said(outputs, self._fitted())
        return self._per_step(found[..., 0] if self._fitted().flat else found, sequences)

    def _outputs(self, X: Any) -> tuple[np.ndarray, SequenceRows]:
        """What the network gives: (sequences, steps or 1, outputs)."""
        state = self._fitted()
        sequences, network, task = self._at_work(X, state)
        tiles = -(-len(sequences) // LANES)
        with self._noticing(), Team(min(resolve_n_jobs(self.n_jobs), tiles)) as team:
            return TileEngine(network, task, team).predict(state.theta, np.arange(len(sequences))), sequences

    def _at_work(self, X: Any, state: SequenceState) -> tuple[SequenceRows, Network, SequenceTask]:
        """Sequences without targets, the fitted network on them, and its task."""
        sequences = read_tokens(read_sequences(self, X, self.n_steps, state.form), state.specs)
        network = state.network(max(sequences.longest, least_steps(state.specs)))
        check_weights(network, state.theta.size, state.steps)
        check_layers(network, state.per_step, sequences.ragged or network.input.steps > sequences.longest)
        outputs, rows = network.output.features, np.zeros(0, np.int64)
        targets = Targets(np.zeros(0, np.float32), rows, rows, np.zeros(0, bool), 1, outputs, network.output.steps)
        given = for_kernels(sequences, state.inputs, network.input.steps)
        return sequences, network, SequenceTask(given, targets, self._head(state))

    def _per_step(self, values: np.ndarray, sequences: SequenceRows) -> Any:
        """(sequences, steps or 1, ...) as users get it: without that axis, or one array for each sequence listed."""
        if not self._fitted().per_step:
            return values[:, 0]
        if not sequences.listed:
            return values[:, : sequences.longest]
        return [part[:steps] for part, steps in zip(values, sequences.lengths.tolist(), strict=True)]

    def _compared(self, X: Any, y: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Rows of y that count, rows of predictions, and what they count for."""
        state = self._fitted()
        examples = self._examples(X, y, sample_weight, state.form, state)
        self._check_count(examples.targets, len(state.targets.scale))
        wanted, counts, found = examples.targets.values, examples.targets.counts, self.predict(X)
        rows = np.concatenate(found) if isinstance(found, list) else found
        weights = examples.weights[counts] if examples.weights.size else None
        return wanted[counts], rows.reshape(wanted.shape)[counts], weights

    def summary(self) -> NetworkSummary:
        """The layers, their shapes and parameter counts.

        Returns
        -------
        NetworkSummary
            Printed, it is a table.
        """
        state = self._fitted()
        return NetworkSummary.of(state.network(state.steps))

    def _look(self, X: Any, y: Any, n_examples: int) -> Look:
        state = self._fitted()
        examples = self._examples(X, y, None, state.form, state)
        # Not `_plan`: the parameters may have been set anew, but what was fitted is looked at.
        counted = examples.targets.counted(np.arange(len(examples.sequences)), "given")
        goal = self._goal(examples.targets, counted, state, None)
        plan = self._planned(examples, goal, state.inputs, state.specs)
        network = plan.network()
        check_weights(network, state.theta.size, state.steps)
        chosen = spread_evenly(len(plan.examples.sequences), n_examples)
        with self._noticing():
            return look(network, plan.task(network), state.theta, chosen)

    def _attended(self, X: Any, y: Any, n_examples: int) -> tuple[dict[str, np.ndarray], pd.Index]:
        state = self._fitted()
        sequences, network, task = self._at_work(X, state)
        chosen = spread_evenly(len(sequences), n_examples)
        with self._noticing():
            return attended(network, task, state.theta, chosen), pd.Index(chosen, name="sequence")

    # ---- inside ------------------------------------------------------------------------------------------------
    def _examples(
        self, X: Any, y: Any, sample_weight: Any, known: Form | None, state: SequenceState | None = None
    ) -> Examples:
        """Sequences and targets for what was fitted, or for what the parameters say."""
        if y is None:
            raise ValueError(f"This {type(self).__name__} requires y to be passed, but the target y is None.")
        sequences = read_sequences(self, X, self.n_steps, known)
        per_step = bool(self.return_sequences) if state is None else state.per_step
        targets = read_targets(y, sequences, per_step)
        layers = self.layers if state is None else state.specs
        if per_step and (have_padding(layers) or (state is None and self.embedding_dim is not None)):
            targets = targets.without(padding(sequences))
        targets = replace(targets, values=self._checked_targets(targets))
        if sample_weight is None:
            return Examples(sequences, targets, NO_WEIGHTS)
        given = read_weights(sample_weight, len(sequences))
        return Examples(sequences, targets, np.repeat(given, targets.lengths))

    def _check_count(self, targets: TargetRows, count: int) -> None:
        if targets.values.shape[1] != count:
            expected = "one target" if count == 1 else f"{count} targets"
            raise ValueError(f"y must have {expected}, as in `fit`; got {targets.values.shape[1]}.")

    def _history(self, epochs: Iterable[dict[str, Any]]) -> pd.DataFrame:
        columns = ["epoch", "loss", "val_loss", self.measure, "learning_rate", "seconds"]
        return pd.DataFrame(list(epochs), columns=columns)

    def _adopt(self, state: SequenceState) -> None:
        """Become fitted; nothing before this changes the estimator."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)  # of an earlier fit, which may have learned more
        self.state_ = state
        self.history_ = self._history(state.history)
        self.best_epoch_, self.stopped_ = state.best_epoch, state.stopped
        self.n_iter_ = len(state.history)
        form = state.form
        self.n_features_in_ = form.features if form.columns is None else form.columns
        if form.names is not None:
            self.feature_names_in_ = np.array(form.names, dtype=object)

    @classmethod
    def _restored(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> SequenceState:
        return SequenceState.restore(arrays, document)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags
