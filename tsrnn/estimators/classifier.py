"""Classes of sequences."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from tsrnn._errors import AnyOf, Instance, NoneOr, Options, quoted
from tsrnn._parameters import param
from tsrnn.estimators.base import ATTRIBUTES, SequenceEstimator
from tsrnn.estimators.labels import check_labels, codes_of, natural, read_classes, weights_of
from tsrnn.estimators.plan import NO_WEIGHTS, Goal
from tsrnn.estimators.state import Scale, SequenceState
from tsrnn.estimators.targets import TargetRows
from tsrnn.nn.heads.targets import Classes
from tsrnn.training.events import EpochEnd


class RNNClassifier(ClassifierMixin, SequenceEstimator):
    """Classes of sequences, with a recurrent network.

    One class for each sequence, or with ``return_sequences=True`` for each of its steps; of one target or several.
    Features are scaled, with scales from training sequences alone. Training minimises the cross-entropy. Sequences may
    differ in length: what shorter ones lack is masked, and what is predicted for one does not depend on the others.

    Callbacks get the share of wrong classes among the validation sequences as ``val_mae``.

    {parameters}

    {attributes}
    classes_ : ndarray, or list of ndarray
        The classes in the order of ``predict_proba``; of each target, where y had an axis for them.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 12, 1))  # sequences, steps, features
    >>> y = np.where(X[:, -3:, 0].sum(axis=1) > 0, "up", "down")
    >>> model = RNNClassifier(hidden_size=16, random_state=0).fit(X[:400], y[:400])
    >>> model.score(X[400:], y[400:]) > 0.9
    True
    >>> model.predict_proba(X[400:]).shape
    (100, 2)
    """

    measure = "val_accuracy"
    ATTRIBUTES = ATTRIBUTES.format(error="val_accuracy")

    class_weight: Any = param(
        default=None,
        constraint=NoneOr(AnyOf(Options("balanced"), Instance((dict, list), "a dict of class to weight"))),
        doc='What classes count for in the loss: a dict, for several targets a list of dicts, or "balanced" for the '
        "inverse of their frequency among the training sequences.",
    )

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes.

        Parameters
        ----------
        X : as in ``fit``
            Sequences, also longer or shorter ones.

        Returns
        -------
        ndarray or list of ndarray
            Of shape (sequences, classes), in the order of ``classes_``; with ``return_sequences=True`` (sequences,
            steps, classes), or where X is a list one array for each sequence. A list of these for several targets.
        """
        values, sequences = self._outputs(X)
        state = self._fitted()
        found = [self._per_step(part, sequences) for part in _parts(values.astype(np.float64), state)]
        return found[0] if state.flat else found

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of ``predict_proba``.

        Parameters
        ----------
        X : as in ``fit``
            Sequences.

        Returns
        -------
        ndarray or list of ndarray
            As ``predict_proba`` gives them; minus infinity for a probability of zero.
        """
        return _logarithms(self.predict_proba(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of right classes; with ``return_sequences=True`` among all steps, for several targets all at once.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
            Sequences and their classes.

        Returns
        -------
        float
        """
        wanted, found, weights = self._compared(X, y, sample_weight)
        return float(np.average((wanted == found).all(axis=1), weights=weights))

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
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"`class_weight={self.class_weight!r}` needs the frequencies of all sequences, which `partial_fit` "
                "does not know. Give a dict of class to weight (`sklearn.utils.class_weight.compute_class_weight`)."
            )
        self._conclude(self._one_pass(X, y, sample_weight, classes))
        return self

    def _checked_targets(self, targets: TargetRows) -> np.ndarray:
        for column in targets.values.T:
            check_classification_targets(natural(check_labels(column, "Input y")))
        return targets.values

    def _goal(self, targets: TargetRows, train: np.ndarray, before: SequenceState | None, classes: Any) -> Goal:
        values = targets.values[train]
        given = None if classes is None else read_classes(classes, values.shape[1], targets.flat)
        if before is not None:
            known = before.classes
            if given is not None and [some.tolist() for some in given] != [some.tolist() for some in known]:
                raise ValueError(
                    f"`classes` must be those of the first call, {_named(known)}; got {_named(given)}. Leave them out, "
                    "or make a new estimator."
                )
        else:
            known = [np.unique(natural(column)) for column in values.T] if given is None else given
        self._check_count(targets, len(known))
        for labels in known:
            if len(labels) < 2:
                raise ValueError(
                    f"{type(self).__name__} needs at least two classes to tell apart; the training sequences have one "
                    f"class: {quoted(labels)}. Give sequences of others, or leave this target out."
                )
        ends = np.cumsum([0, *map(len, known)])
        nothing = Scale(np.zeros(len(known)), np.ones(len(known)))
        weights = self._class_weights(values, known, targets.flat)
        return Goal(int(ends[-1]), Classes(ends), nothing, known, weights)

    def _coded(self, targets: TargetRows, goal: Goal) -> tuple[np.ndarray, np.ndarray]:
        self._check_count(targets, len(goal.classes))
        pairs = zip(targets.values.T, goal.classes, strict=True)
        codes = np.stack([codes_of(column, labels) for column, labels in pairs], axis=1)
        if not goal.class_weights:
            return codes, NO_WEIGHTS
        each = [weights[column] for column, weights in zip(codes.T, goal.class_weights, strict=True)]
        return codes, np.prod(each, axis=0)

    def _class_weights(self, values: np.ndarray, classes: list[np.ndarray], flat: bool) -> list[np.ndarray]:
        """Of each target; none where all classes count the same."""
        given = self.class_weight
        if given is None:
            return []
        each = [given] * len(classes) if flat or isinstance(given, str) else given
        if not isinstance(each, list) or len(each) != len(classes) or (flat and isinstance(given, list)):
            expected = "one dict" if flat else f"a list of {len(classes)} dicts, one for each target of y"
            raise ValueError(f"`class_weight` must be {expected}, or 'balanced'; got {given!r}.")
        return [weights_of(*some) for some in zip(each, classes, values.T, strict=True)]

    def _strata(self, targets: TargetRows) -> np.ndarray:
        if targets.per_step:
            return super()._strata(targets)
        each = [np.unique(column, return_inverse=True)[1].ravel() for column in targets.values.T]
        return np.unique(np.stack(each, axis=1), axis=0, return_inverse=True)[1].ravel()

    def _said(self, outputs: np.ndarray, state: SequenceState) -> np.ndarray:
        found = [names[part.argmax(axis=-1)] for names, part in zip(state.classes, _parts(outputs, state), strict=True)]
        if len({names.dtype.kind for names in state.classes}) > 1:
            found = [part.astype(object) for part in found]  # or texts would be made of numbers
        return np.stack(found, axis=-1)

    def _head(self, state: SequenceState) -> Any:
        return Classes(np.cumsum([0, *map(len, state.classes)]))

    def _adopt(self, state: SequenceState) -> None:
        super()._adopt(state)
        self.classes_: Any = state.classes[0] if state.flat else state.classes

    def _shown(self, epoch: EpochEnd) -> dict[str, Any]:
        row = epoch.row()
        return {"val_accuracy": 1 - row.pop("val_mae")} | row


def _parts(values: np.ndarray, state: SequenceState) -> list[np.ndarray]:
    """The outputs of each target."""
    return np.split(values, np.cumsum([len(names) for names in state.classes])[:-1], axis=-1)


def _named(classes: list[np.ndarray]) -> str:
    return "; ".join(quoted(labels) for labels in classes)


def _logarithms(values: Any) -> Any:
    if isinstance(values, list):
        return [_logarithms(part) for part in values]
    with np.errstate(divide="ignore"):  # a probability may be zero
        return np.log(values)
