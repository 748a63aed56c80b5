"""Classes of sequences."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from tsrnn._errors import AnyOf, Instance, NoneOr, Options, quoted
from tsrnn._parameters import param
from tsrnn.estimators.base import SequenceEstimator
from tsrnn.estimators.plan import Goal
from tsrnn.estimators.state import Scale, SequenceState
from tsrnn.estimators.targets import TargetRows
from tsrnn.nn.heads.targets import Classes
from tsrnn.training.events import EpochEnd


class RNNClassifier(ClassifierMixin, SequenceEstimator):
    """Classes of sequences, with a recurrent network.

    One class for each sequence, or with ``return_sequences=True`` for each of its steps; of one target or several.
    Features are scaled, with scales from training sequences alone. Training minimises the cross-entropy.

    {parameters}

    {attributes}

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 12, 1))  # sequences, steps, features
    >>> y = np.where(X[:, :6, 0].sum(axis=1) > 0, "up", "down")
    >>> model = RNNClassifier(hidden_size=16, random_state=0).fit(X[:400], y[:400])
    >>> model.score(X[400:], y[400:]) > 0.9
    True
    >>> model.predict_proba(X[400:]).shape
    (100, 2)
    """

    class_weight: Any = param(
        default=None,
        constraint=NoneOr(AnyOf(Options("balanced"), Instance((dict, list), "a dict of class to weight"))),
        doc='What classes count for in the loss: a dict, for several targets a list of dicts, or "balanced" for the '
        "inverse of their frequency.",
    )

    def predict(self, X: Any) -> Any:
        """The likeliest class of each sequence.

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
        found = [names[part.argmax(axis=-1)] for names, part in zip(state.classes, _parts(values, state), strict=True)]
        return self._per_step(found[0] if state.flat else np.stack(found, axis=-1), sequences)

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes.

        Parameters
        ----------
        X : as in ``fit``
            Sequences.

        Returns
        -------
        ndarray or list of ndarray
            Of shape (sequences, classes), in the order of ``classes_``; with ``return_sequences=True`` (sequences,
            steps, classes), or where X is a list one array for each sequence. A list of these for several targets.
        """
        values, sequences = self._outputs(X)
        found = [self._per_step(part, sequences) for part in _parts(values.astype(np.float64), self.state_)]
        return found[0] if self.state_.flat else found

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of ``predict_proba``."""
        return _logarithms(self.predict_proba(X))

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go on training: one pass over these sequences, without validation.

        Scales are those of the first call, and the optimizer goes on from where it was.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
            Some sequences.
        classes : array-like, optional
            All classes that will ever come, for several targets a list of such; for the first call. Default: of y.

        Returns
        -------
        self
            Fitted.
        """
        return self._go_on(X, y, sample_weight, classes)

    def _goal(self, targets: TargetRows, train: np.ndarray, classes: Any) -> Goal:
        check_classification_targets(targets.values if targets.values.shape[1] > 1 else targets.values[:, 0])
        if classes is None:
            known = [np.unique(column) for column in targets.values.T]
        else:
            known = [np.unique(some) for some in ([classes] if targets.flat else classes)]
        for names in known:
            if len(names) < 2:
                raise ValueError(
                    f"{type(self).__name__} needs at least two classes to tell apart; y has one class: {names[0]!r}."
                )
        return self._coded(targets, known)

    def _known_goal(self, targets: TargetRows, scale: Scale, classes: list[np.ndarray]) -> Goal:
        return self._coded(targets, classes)

    def _coded(self, targets: TargetRows, classes: list[np.ndarray]) -> Goal:
        """Codes of the classes of each target, which follow one another among the outputs."""
        if len(classes) != targets.values.shape[1]:
            raise ValueError(f"y must have {len(classes)} targets, as before; got {targets.values.shape[1]}.")
        codes = np.empty(targets.values.shape, np.int64)
        for k, (column, names) in enumerate(zip(targets.values.T, classes, strict=True)):
            new = np.setdiff1d(column, names)
            if new.size:
                raise ValueError(
                    f"Every class must be known in training, but {quoted(new)} is not among {quoted(names)}: give "
                    "sequences of it to `fit`, or name all classes in the first call of `partial_fit(classes=...)`."
                )
            codes[:, k] = np.searchsorted(names, column)
        ends = np.cumsum([0, *map(len, classes)])
        nothing = Scale(np.zeros(len(classes)), np.ones(len(classes)))
        return Goal(codes, int(ends[-1]), Classes(ends), nothing, classes, self._class_weights(targets))

    def _class_weights(self, targets: TargetRows) -> np.ndarray:
        if self.class_weight is None:
            return np.zeros(0)
        values = targets.values[:, 0] if targets.flat else targets.values
        return compute_sample_weight(self.class_weight, values)

    def _strata(self, targets: TargetRows, held_out: int) -> np.ndarray | None:
        if (targets.lengths != 1).any() or targets.values.shape[1] > 1:
            return None
        names, counts = np.unique(targets.values[:, 0], return_counts=True)
        # Where a class is too small to be in both parts, shares cannot be kept.
        return targets.values[:, 0] if counts.min() > 1 and held_out >= len(names) else None

    def _head(self, state: SequenceState) -> Any:
        return Classes(np.cumsum([0, *map(len, state.classes)]))

    def _adopt(self, state: SequenceState) -> None:
        super()._adopt(state)
        self.classes_: Any = state.classes[0] if state.flat else state.classes

    def _shown(self, epoch: EpochEnd) -> dict[str, Any]:
        shown = {name: value for name, value in asdict(epoch).items() if name != "max_epochs"}
        return {("val_accuracy" if k == "val_mae" else k): (1 - v if k == "val_mae" else v) for k, v in shown.items()}


def _parts(values: np.ndarray, state: SequenceState) -> list[np.ndarray]:
    """The outputs of each target."""
    return np.split(values, np.cumsum([len(names) for names in state.classes])[:-1], axis=-1)


def _logarithms(values: Any) -> Any:
    if isinstance(values, list):
        return [_logarithms(part) for part in values]
    with np.errstate(divide="ignore"):  # a probability may be zero
        return np.log(values)
