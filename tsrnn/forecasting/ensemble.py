"""Several models that forecast together, as one model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from tsrnn.data import WindowIndex
from tsrnn.forecasting.distributions import Distribution
from tsrnn.forecasting.mixtures import pooled
from tsrnn.forecasting.state import History, Model
from tsrnn.forecasting.stepping import Stepper
from tsrnn.nn.summary import Table


class Ensemble(Model):
    """Models of one form that were trained from different seeds; abstract: a subclass says what they are.

    The point forecast is the mean of theirs, whatever the loss: what one seed adds to a forecast is much like noise,
    which a mean takes out better than a median does. Distributions become one as ``pooled`` says.

    Parameters
    ----------
    members : sequence of Model
        In the order of their seeds.
    """

    member_class: ClassVar[type[Model]]

    def __init__(self, members: Sequence[Model]) -> None:
        self.members = tuple(members)

    def __repr__(self) -> str:
        return f"{len(self.members)} members of {self.members[0]}"

    def predict(self, history: History, windows: WindowIndex) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in data units."""
        total = np.array(self.members[0].predict(history, windows), np.float64)
        for member in self.members[1:]:
            total += member.predict(history, windows)
        return total / len(self.members)

    def distribution(self, history: History, windows: WindowIndex) -> Distribution | None:
        """Of all members, where they give one."""
        found = [member.distribution(history, windows) for member in self.members]
        parts = [part for part in found if part is not None]
        return pooled(parts) if parts else None

    @property
    def levels(self) -> tuple[float, ...]:
        """Of the quantiles that were trained, if any were."""
        return self.members[0].levels

    def paths(self, history: History, windows: WindowIndex, n: int, seed: int) -> np.ndarray | None:
        """Of each member in turn."""
        count = len(self.members)
        seeds = np.random.SeedSequence(seed).generate_state(count).tolist()
        own = range(min(n, count))
        found = [self.members[k].paths(history, windows, -(-(n - k) // count), seeds[k]) for k in own]
        paths = np.empty((n, len(windows), history.shape.horizon, history.n_targets))
        for k, part in enumerate(found):
            if part is None:
                return None
            paths[k::count] = part
        return paths

    def stepper(self, history: History) -> Stepper:
        """Forecasts of the series of ``history`` as they go on."""
        return EnsembleStepper([member.stepper(history) for member in self.members])

    def arrays(self) -> dict[str, np.ndarray]:
        """Those of each member, under its number."""
        return {
            f"{k}.{name}": array for k, member in enumerate(self.members) for name, array in member.arrays().items()
        }

    def document(self) -> dict[str, Any]:
        """Those of the members."""
        return {"members": [member.document() for member in self.members]}

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> Model:
        """The model again; one that is no ensemble too."""
        if "members" not in document:
            return cls.member_class.restore(arrays, document)
        parts: list[dict[str, np.ndarray]] = [{} for _ in document["members"]]
        for name, array in arrays.items():
            member, _, rest = name.partition(".")
            parts[int(member)][rest] = array
        restored = (cls.member_class.restore(*pair) for pair in zip(parts, document["members"], strict=True))
        return cls(list(restored))

    def tables(self) -> tuple[Table, ...]:
        """Those of one, and how many there are."""
        rows = (("members", f"{len(self.members)}"), ("parameters of each", f"{self.members[0].n_params:,}"))
        return (*self.members[0].tables(), Table(("ensemble", "size"), rows, "Ensemble"))

    @property
    def n_params(self) -> int:
        """Of all members."""
        return sum(member.n_params for member in self.members)


class EnsembleStepper(Stepper):
    """The mean of what the members say.

    Parameters
    ----------
    steppers : sequence of Stepper
        One for each.
    """

    def __init__(self, steppers: Sequence[Stepper]) -> None:
        self.steppers = tuple(steppers)

    def step(self, row: np.ndarray) -> np.ndarray:
        first, *others = (stepper.step(row) for stepper in self.steppers)
        return np.asarray(sum(others, start=first) / len(self.steppers))


def members_of(model: Model) -> tuple[Model, ...]:
    """The members of an ensemble, or the model alone."""
    return model.members if isinstance(model, Ensemble) else (model,)
