"""Numbers from sequences."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import check_array

from tsrnn._errors import AnyOf, Instance, NoneOr, Options, quoted
from tsrnn._parameters import param
from tsrnn.estimators.base import ATTRIBUTES, SequenceEstimator
from tsrnn.estimators.listed import as_numbers
from tsrnn.estimators.plan import NO_WEIGHTS, Goal
from tsrnn.estimators.state import Scale, SequenceState, check_kept
from tsrnn.estimators.targets import TargetRows
from tsrnn.nn.heads import as_loss
from tsrnn.nn.heads.point import LOSSES, Huber
from tsrnn.nn.heads.targets import Numbers


class RNNRegressor(RegressorMixin, SequenceEstimator):
    """Numbers from sequences, with a recurrent network.

    One row of numbers for each sequence, or with ``return_sequences=True`` for each of its steps. Features and targets
    are scaled, with scales from training sequences alone; predictions come in the units of y. Sequences may differ in
    length: what shorter ones lack is masked, and what is predicted for one does not depend on the others.

    {parameters}

    {attributes}

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import RNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 12, 2))  # sequences, steps, features
    >>> y = X[:, -3:, 0].sum(axis=1)
    >>> model = RNNRegressor(hidden_size=16, random_state=0).fit(X[:400], y[:400])
    >>> model.score(X[400:], y[400:]) > 0.95
    True
    >>> model.predict([X[400, -5:], X[401]]).shape
    (2,)
    """

    measure = "val_mae"
    ATTRIBUTES = ATTRIBUTES.format(error="val_mae (in the units of y)")

    loss: str | Huber = param(
        default="mse",
        constraint=AnyOf(Options(*LOSSES), Instance(Huber, "a loss such as Huber(delta=1.0)")),
        doc="What training minimises, in scaled units.",
    )
    target_scaler: Literal["standard", "minmax", "robust"] | None = param(
        default="standard",
        constraint=NoneOr(Options("standard", "minmax", "robust")),
        doc="Scaling of each target, learned from the training sequences and undone on predictions.",
    )

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination, mean over targets; with ``return_sequences=True`` over all steps.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
            Sequences and their targets.

        Returns
        -------
        float
            1 is perfect, 0 is the mean of y.
        """
        wanted, found, weights = self._compared(X, y, sample_weight)
        return float(r2_score(wanted, found, sample_weight=weights))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go on training: one pass over these sequences, without validation.

        Scales are those of the first call, and the optimizer goes on from where it was.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
            Some sequences.

        Returns
        -------
        self
            Fitted.
        """
        self._conclude(self._one_pass(X, y, sample_weight))
        return self

    def _checked_targets(self, targets: TargetRows) -> np.ndarray:
        values = targets.values
        if as_numbers(values) is None:
            row = next((i for i, some in enumerate(values) if as_numbers(some) is None), 0)
            raise ValueError(
                f"y must hold numbers; got {quoted(values[row])} in row {row}, of dtype {values.dtype}. For classes "
                "there is RNNClassifier."
            )
        return check_array(values, dtype=np.float64, input_name="y")

    def _goal(self, targets: TargetRows, train: np.ndarray, before: SequenceState | None, classes: Any) -> Goal:
        values = targets.values
        if before is not None:
            check_kept("`target_scaler`", before.targets.kind, self.target_scaler)
        scale = Scale.learned(self.target_scaler, values[train]) if before is None else before.targets
        self._check_count(targets, len(scale.scale))
        return Goal(values.shape[1], Numbers(as_loss(self.loss), scale.scale), scale, [], [])

    def _coded(self, targets: TargetRows, goal: Goal) -> tuple[np.ndarray, np.ndarray]:
        self._check_count(targets, len(goal.scale.scale))
        return goal.scale.of(targets.values), NO_WEIGHTS

    def _said(self, outputs: np.ndarray, state: SequenceState) -> np.ndarray:
        return state.targets.undone(outputs.astype(np.float64))

    def _head(self, state: SequenceState) -> Any:
        return Numbers(as_loss(self.loss), state.targets.scale)
