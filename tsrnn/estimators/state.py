"""What a fitted estimator on sequences is: one frozen value, which is all that is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from tsrnn._encoding import decode, encode
from tsrnn.estimators.inputs import Form
from tsrnn.estimators.labels import decode_labels, encode_labels
from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.network import Network
from tsrnn.training.optimizers import OptimizerState


@dataclass(frozen=True, eq=False)
class Scale:
    """What is taken off numbers, and what they are divided by, arrays (features,); ``kind`` is the scaler's name."""

    center: np.ndarray
    scale: np.ndarray
    kind: str | None = None

    @classmethod
    def learned(cls, kind: str | None, rows: np.ndarray) -> Scale:
        """From rows of the training part."""
        center, scale = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
        if kind == "standard":
            standard = StandardScaler().fit(rows)
            center, scale = standard.mean_, standard.scale_
        elif kind == "minmax":
            ends = MinMaxScaler().fit(rows)
            center, scale = ends.data_min_, 1 / ends.scale_
        elif kind == "robust":
            robust = RobustScaler().fit(rows)
            center, scale = robust.center_, robust.scale_
        return cls(center, scale, kind)

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Scaled."""
        return (rows - self.center) / self.scale

    def undone(self, rows: np.ndarray) -> np.ndarray:
        """As they were."""
        return rows * self.scale + self.center


@dataclass(frozen=True, eq=False)
class SequenceState:
    """All that ``fit`` learned.

    Attributes
    ----------
    specs, steps : tuple of LayerSpec, int
        The layers, the output included, and the length of the longest sequence in ``fit``.
    theta : ndarray
        The weights.
    form : Form
        What X looked like.
    per_step, flat : bool
        Whether there is a target for each step, and whether y had no axis for the targets.
    inputs, targets : Scale
        Of features and targets.
    classes : list of ndarray
        Of each target, for a classifier.
    history : tuple of dict
        Epochs of training.
    best_epoch, stopped : int, str
        Of training.
    left : OptimizerState
        Where training left the optimizer, to go on from.
    """

    specs: tuple[LayerSpec, ...]
    steps: int
    theta: np.ndarray
    form: Form
    per_step: bool
    flat: bool
    inputs: Scale
    targets: Scale
    classes: list[np.ndarray]
    history: tuple[dict[str, Any], ...]
    best_epoch: int
    stopped: str
    left: OptimizerState

    def network(self, steps: int) -> Network:
        """The layers on sequences of so many steps; their weights do not depend on it."""
        return Network(self.specs, Shape(steps, self.form.features))

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays to save, by name."""
        layout = self.network(self.steps).layout
        named = {f"weights.{name}": array for name, array in layout.named(self.theta).items()} | self.left.named(layout)
        found = {name: array.copy() for name, array in named.items()}
        for name, scale in (("inputs", self.inputs), ("targets", self.targets)):
            found |= {f"{name}.center": scale.center, f"{name}.scale": scale.scale}
        return found

    def document(self) -> dict[str, Any]:
        """The rest, as JSON can hold it."""
        return {
            "specs": encode(self.specs),
            "steps": self.steps,
            "form": self.form.document(),
            "per_step": self.per_step,
            "flat": self.flat,
            "scalers": (self.inputs.kind, self.targets.kind),
            "classes": [encode_labels(labels) for labels in self.classes],
            "history": self.history,
            "best_epoch": self.best_epoch,
            "stopped": self.stopped,
            "optimizer": encode(self.left.optimizer),
            "updates": self.left.steps,
        }

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> SequenceState:
        """The state again from ``arrays()`` and ``document()``."""
        specs = decode(document["specs"])
        form, plain = Form(**document["form"]), ("steps", "per_step", "flat", "history", "best_epoch", "stopped")
        layout = Network(specs, Shape(document["steps"], form.features)).layout
        of_inputs, of_targets = document["scalers"]
        return cls(
            specs=specs,
            theta=layout.flat(_of("weights", arrays)),
            form=form,
            inputs=Scale(**_of("inputs", arrays), kind=of_inputs),
            targets=Scale(**_of("targets", arrays), kind=of_targets),
            classes=[decode_labels(labels) for labels in document["classes"]],
            left=OptimizerState.of(decode(document["optimizer"]), arrays, layout, document["updates"]),
            **{name: document[name] for name in plain},
        )


def check_kept(what: str, before: Any, now: Any) -> None:
    """Refuse to go on from earlier weights with something else than they were learned with."""
    if now != before:
        raise ValueError(
            f"Going on from earlier weights (`warm_start=True`, `partial_fit`) needs the {what} of before, {before}; "
            f"got {now}. Make a new estimator, or set `warm_start=False`."
        )


def _of(owner: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays whose names begin so."""
    return {name.removeprefix(f"{owner}."): array for name, array in arrays.items() if name.startswith(f"{owner}.")}
