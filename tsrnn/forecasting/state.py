"""What a fitted forecaster is: one frozen value, which is all that is saved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from tsrnn._checkpoints import CheckpointFile
from tsrnn.data import Panel, Scaling, Schema, WindowIndex, WindowShape, decode_name, encode_name
from tsrnn.forecasting.calibration import Calibration
from tsrnn.forecasting.distributions import Distribution
from tsrnn.forecasting.stepping import PanelStepper, Stepper
from tsrnn.nn.summary import Table

NEVER = np.iinfo(np.int64).min  # before all ticks


class Model(ABC):
    """What turns windows into forecasts; abstract. Arrays and a JSON document are all there is to it."""

    non_negative: ClassVar[bool] = False  # whether no forecast is below zero

    @property
    def core(self) -> Model:
        """The model without what is done to its forecasts."""
        return self

    @property
    def reads_covariates(self) -> bool:
        """Whether forecasts depend on past covariates."""
        return True

    @abstractmethod
    def predict(self, history: History, windows: WindowIndex) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in data units."""

    def distribution(self, history: History, windows: WindowIndex) -> Distribution | None:
        """What the forecasts say beside their point, in data units; None where the model gives points alone."""
        return None

    @property
    def levels(self) -> tuple[float, ...]:
        """Of the quantiles that were trained, if any were."""
        return ()

    def paths(self, history: History, windows: WindowIndex, n: int, seed: int) -> np.ndarray | None:
        """So many forecasts (n, windows, horizon, targets) in data units, each by a network drawn anew; None where the
        model draws none."""
        return None

    def stepper(self, history: History) -> Stepper:
        """Forecasts of the series of ``history`` as they go on."""
        return PanelStepper(self, history)

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays to save."""

    @abstractmethod
    def document(self) -> dict[str, Any]:
        """The rest, as JSON can hold it."""

    @classmethod
    @abstractmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> Model:
        """The model again."""

    @abstractmethod
    def tables(self) -> tuple[Table, ...]:
        """What ``summary()`` shows of it."""

    @property
    @abstractmethod
    def n_params(self) -> int:
        """Numbers learned."""

    @property
    def memory(self) -> int:
        """Rows up to the last one that a forecast may read, where that is more than its window."""
        return 0


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model and how its training went; baselines have no epochs.

    ``seed`` is the one that was used, where it is not the one given: a fit that a checkpoint continues has its own.
    """

    model: Model
    history: tuple[dict[str, float], ...] = ()
    best_epoch: int | list[int] | None = None
    stopped: str | list[str] | None = None
    seed: int | None = None
    checkpoint: CheckpointFile | None = None


@dataclass(frozen=True, eq=False)
class History:
    """A panel to forecast from, with what is needed to read it as in training."""

    panel: Panel
    shape: WindowShape
    n_targets: int
    scaling: Scaling
    n_jobs: int | None = None

    @cached_property
    def scaled(self) -> np.ndarray:
        """The panel's rows in scaled units, float32."""
        return self.scaling.transform(self.panel)

    def scale_of(self, windows: WindowIndex) -> np.ndarray:
        """What a scaled error of one is worth: (windows, targets)."""
        scaling, rows = self._scaling
        return scaling.scale[rows[windows.series], : self.n_targets]

    def center_of(self, windows: WindowIndex) -> np.ndarray:
        """Where a scaled zero lies: (windows, targets)."""
        scaling, rows = self._scaling
        return scaling.center[rows[windows.series], : self.n_targets]

    def units(self) -> np.ndarray:
        """What a scaled one is worth in each row: (rows, targets), float32."""
        scaling, rows = self._scaling
        of_series = scaling.scale[rows, : self.n_targets].astype(np.float32)
        return np.repeat(of_series, self.panel.lengths, axis=0)

    def unscaled(self, values: np.ndarray, windows: WindowIndex) -> np.ndarray:
        """Forecasts of these windows in data units: (windows, horizon, targets), float64."""
        scaling, rows = self._scaling
        return scaling.inverse_targets(values, rows[windows.series], self.n_targets)

    @cached_property
    def _scaling(self) -> tuple[Scaling, np.ndarray]:
        return self.scaling.rows_for(self.panel)


@dataclass(frozen=True, eq=False)
class FitState:
    """All that ``fit`` learned.

    Attributes
    ----------
    schema, shape, scaling : Schema, WindowShape, Scaling
        The table's form, the windows, the scales.
    model : Model
        The weights.
    tail : Panel
        The last rows of each series, from which ``predict()`` goes on. Series that came after ``fit`` are the last.
    season : int
        Rows of a season.
    train_end : ndarray of int64, shape (series,)
        Tick after each series' training part, or after what ``partial_fit`` learned from; `NEVER` where it learned
        nothing. Of the first series of ``tail``.
    fit_end : ndarray of int64, shape (series of fit,)
        Tick after each series' last row that ``fit`` had; ``tail`` ends later after ``update`` and ``partial_fit``.
    naive_mae : ndarray of shape (2, targets)
        Training error of the last-value and the seasonal naive forecast, data units.
    scale : ndarray of shape (2, 2, series of fit, targets)
        What MASE and RMSSE divide by (first axis), from the training part and from all rows that ``fit`` had (second).
    skill : dict or None
        On the validation rows, against each of the two; None without validation rows, and after ``partial_fit``.
    calibration : Calibration or None
        How far forecasts were off on the validation rows of ``fit``; None without any.
    history : tuple of dict
        Epochs of training; empty for models that have none.
    best_epoch, stopped : int, str or None
        Of training; of an ensemble lists, an entry for each member.
    report : dict
        What was done to the rows.
    cutoff : list of str
        First stamp of the validation part, for each series; one entry if it is the same for all.
    seed : int or None
        What the random state was resolved to.
    """

    schema: Schema
    shape: WindowShape
    scaling: Scaling
    model: Model
    tail: Panel
    season: int
    train_end: np.ndarray
    fit_end: np.ndarray
    naive_mae: np.ndarray
    scale: np.ndarray
    skill: dict[str, float] | None
    calibration: Calibration | None
    history: tuple[dict[str, float], ...]
    best_epoch: int | list[int] | None
    stopped: str | list[str] | None
    report: dict[str, Any]
    cutoff: list[str]
    seed: int | None

    ARRAYS: ClassVar[tuple[str, ...]] = ("train_end", "fit_end", "naive_mae", "scale")
    PLAIN: ClassVar[tuple[str, ...]] = (
        "season", "skill", "history", "best_epoch", "stopped", "report", "cutoff", "seed",
    )  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays to save, by name."""
        named = {name: getattr(self, name) for name in self.ARRAYS}
        named |= {f"model.{name}": array for name, array in self.model.arrays().items()}
        named |= {f"scaling.{name}": array for name, array in self.scaling.arrays()[0].items()}
        if self.calibration is not None:
            named |= {f"calibration.{name}": array for name, array in self.calibration.arrays().items()}
        named |= {f"tail.{name}": getattr(self.tail, name) for name in ("values", "indptr", "offsets")}
        return named

    def document(self) -> dict[str, Any]:
        """The rest, as JSON can hold it."""
        plain = {name: getattr(self, name) for name in self.PLAIN}
        shape = {field.name: getattr(self.shape, field.name) for field in fields(self.shape)}
        return plain | {
            "schema": self.schema.to_dict(),
            "shape": shape,
            "scaling": self.scaling.arrays()[1],
            "model": self.model.document(),
            "calibration": None if self.calibration is None else self.calibration.document(),
            "ids": [encode_name(name) for name in self.tail.ids],
        }

    @classmethod
    def restore(
        cls,
        model: Callable[[dict[str, np.ndarray], dict[str, Any]], Model],
        arrays: dict[str, np.ndarray],
        document: dict[str, Any],
    ) -> FitState:
        """The state again from ``arrays()`` and ``document()``; ``model`` restores the model from its own."""
        parts: dict[str, dict[str, np.ndarray]] = {"model": {}, "scaling": {}, "calibration": {}, "tail": {}}
        for name, array in arrays.items():
            owner, _, rest = name.partition(".")
            if rest:
                parts[owner][rest] = array
        ids = tuple(decode_name(name) for name in document["ids"])
        alike: dict[str, Any] = {name: arrays[name] for name in cls.ARRAYS}
        alike |= {name: document[name] for name in cls.PLAIN}
        return cls(
            schema=Schema.from_dict(document["schema"]),
            shape=WindowShape(**document["shape"]),
            scaling=Scaling.from_arrays(parts["scaling"], document["scaling"]),
            model=model(parts["model"], document["model"]),
            tail=Panel(ids=ids, **parts["tail"]),
            calibration=Calibration.restore(parts["calibration"], document["calibration"]),
            **alike,
        )


def history_frame(history: Iterable[dict[str, float]]) -> pd.DataFrame:
    """The epochs of training as ``history_`` shows them, one row for each, of an ensemble member after member."""
    rows = list(history)
    columns = ["epoch", "loss", "val_loss", "val_mae", "learning_rate", "seconds"]
    return pd.DataFrame(rows, columns=["member", *columns] if rows and "member" in rows[0] else columns)
