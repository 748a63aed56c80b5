"""Numbers from sequences."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array

from tsrnn._errors import AnyOf, Instance, NoneOr, Options
from tsrnn._parameters import param
from tsrnn.estimators.base import SequenceEstimator
from tsrnn.estimators.plan import Goal
from tsrnn.estimators.state import Scale
from tsrnn.estimators.targets import TargetRows
from tsrnn.nn.heads.point import LOSSES, Huber, as_loss
from tsrnn.nn.heads.targets import Numbers
from tsrnn.training.events import EpochEnd


class RNNRegressor(RegressorMixin, SequenceEstimator):
    """Numbers from sequences, with a recurrent network.

    One row of numbers for each sequence, or with ``return_sequences=True`` for each of its steps. Features and targets
    are scaled, with scales from training sequences alone; predictions come in the units of y.

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
    """

    loss: str | Huber = param(
        default="mse",
        constraint=AnyOf(Options(*LOSSES), Instance(Huber, "a loss such as Huber(delta=1.0)")),
        doc="What training minimises, in scaled units.",
    )
    target_scaler: str | None = param(
        default="standard",
        constraint=NoneOr(Options("standard", "minmax", "robust")),
        doc="Scaling of each target, learned from the training sequences and undone on predictions.",
    )

    def predict(self, X: Any) -> Any:
        """The numbers for each sequence.

        Parameters
        ----------
        X : as in ``fit``
            Sequences.

        Returns
        -------
        ndarray or list of ndarray
            Of shape (sequences,) or (sequences, targets), like y; with ``return_sequences=True`` (sequences, steps,
            ...), or where X is a list one array for each sequence.
        """
        values, sequences = self._outputs(X)
        state = self.state_
        numbers = state.targets.undone(values.astype(np.float64))
        return self._per_step(numbers[..., 0] if state.flat else numbers, sequences)

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
        return self._go_on(X, y, sample_weight)

    def _goal(self, targets: TargetRows, train: np.ndarray, classes: Any) -> Goal:
        values = _numbers(targets.values)
        return self._scaled(values, Scale.learned(self.target_scaler, values[train]))

    def _known_goal(self, targets: TargetRows, scale: Scale, classes: list[np.ndarray]) -> Goal:
        values = _numbers(targets.values)
        if values.shape[1] != len(scale.scale):
            raise ValueError(f"y must have {len(scale.scale)} targets, as before; got {values.shape[1]}.")
        return self._scaled(values, scale)

    def _scaled(self, values: np.ndarray, scale: Scale) -> Goal:
        head = Numbers(as_loss(self.loss), np.asarray(scale.scale, np.float64))
        return Goal(scale.of(values), values.shape[1], head, scale, [], np.zeros(0))

    def _shown(self, epoch: EpochEnd) -> dict[str, Any]:
        return {name: value for name, value in asdict(epoch).items() if name != "max_epochs"}


def _numbers(values: np.ndarray) -> np.ndarray:
    return check_array(values, dtype=np.float64, input_name="y")
