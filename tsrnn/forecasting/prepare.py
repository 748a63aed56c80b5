"""From a user's frame to scaled windows, split in time: the part of ``fit`` that all forecasters share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsrnn.data import (
    Panel,
    Roles,
    RowRules,
    Scaling,
    Schema,
    WindowIndex,
    WindowShape,
    all_windows,
    fit_scaling,
    read_history,
    read_training,
    split_windows,
)

Settings = Any  # a forecaster: its parameters are read by name


@dataclass(frozen=True, eq=False)
class Split:
    """Windows of one panel."""

    panel: Panel
    windows: WindowIndex


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a model is fitted on."""

    schema: Schema
    shape: WindowShape
    scaling: Scaling
    season: int
    training: Split
    validation: Split
    train_end: np.ndarray  # the row where each series' training part ends
    weights: np.ndarray  # of the training panel's rows, with mean one; empty for all alike
    report: dict[str, Any]

    @property
    def n_targets(self) -> int:
        return len(self.schema.targets)

    def window_weights(self, windows: WindowIndex) -> np.ndarray:
        """The mean weight of each training window's target rows."""
        if not self.weights.size:
            return np.ones(len(windows))
        rows = windows.origin[:, None] + self.shape.gap + 1 + np.arange(self.shape.horizon)
        return self.weights[rows].mean(axis=1, dtype=np.float64)


def rules_of(settings: Settings) -> RowRules:
    """The forecaster's parameters about rows."""
    return RowRules(settings.missing, settings.duplicates, settings.na_values, settings.min_length)


def prepare(settings: Settings, X: Any, y: Any, X_val: Any, sample_weight: Any) -> Prepared:
    """Read, split and scale. Nothing here looks at a validation row but to know where it is."""
    roles = Roles(settings.target, settings.past_covariates, settings.id_col, settings.time_col, settings.freq)
    schema, panel, report = read_training(X, y, roles, rules_of(settings))
    season = schema.axis.season()
    fraction = 0.0 if X_val is not None else settings.validation_fraction
    shape = resolve_shape(settings, panel, season, fraction)
    by, stride = settings.validation_by, settings.stride
    train, validation, train_end = split_windows(panel, shape, fraction, by, stride)
    scaling = fit_scaling(panel, train_end, settings.scaler, settings.scaler_scope)
    held_out = Split(panel, validation)
    if X_val is not None:
        other, _ = read_history(*_pair(X_val, schema), schema, rules_of(settings))
        held_out = Split(other, all_windows(other, shape))
    weights = np.zeros(0, np.float32)
    return Prepared(schema, shape, scaling, season, Split(panel, train), held_out, train_end, weights, report)


def _pair(X_val: Any, schema: Schema) -> tuple[Any, Any]:
    """Validation data come as a frame, or as (X, y) where ``fit`` has a ``y``."""
    if not schema.has_y:
        return X_val, None
    if not isinstance(X_val, tuple) or len(X_val) != 2:
        raise TypeError(f"`X_val` must be a pair (X, y), because `fit` has a `y`; got {type(X_val).__name__}.")
    return X_val


def resolve_shape(settings: Settings, panel: Panel, season: int, fraction: float) -> WindowShape:
    """Windows with "auto" resolved: one season ahead, two back, both less where the shortest series needs it."""
    lookback, horizon = settings.lookback, settings.horizon
    gap, rate = settings.gap, settings.sampling_rate
    shortest = int(panel.lengths.min())
    after = int(np.ceil(fraction * shortest))
    before = shortest - after
    if horizon == "auto":
        history = before // 2 if lookback == "auto" else span(lookback, rate)
        limits = [season, before - gap - history, *([after] if after else [])]
        horizon = max(1, min(limits))
    if lookback == "auto":
        lookback = max(1, min(2 * max(season, horizon), (before - gap - horizon - 1) // rate + 1))
    return WindowShape(lookback, horizon, gap, rate)


def span(lookback: int, sampling_rate: int) -> int:
    """Rows that ``lookback`` points stretch over."""
    return (lookback - 1) * sampling_rate + 1
