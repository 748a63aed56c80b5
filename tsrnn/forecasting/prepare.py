"""From a user's frame to scaled windows, split in time: the part of ``fit`` that all forecasters share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsrnn._checkpoints import VALUES, fingerprint
from tsrnn.data import (
    Panel,
    Roles,
    RowRules,
    Scaling,
    Schema,
    WindowIndex,
    WindowShape,
    all_windows,
    border_rows,
    fit_scaling,
    read_history,
    read_training,
    split_windows,
    stamp_of,
)
from tsrnn.data.weights import equal_weights
from tsrnn.forecasting.declared import DataParameters


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
    weights: np.ndarray  # of the training panel's rows, with mean one over the training part; empty for all alike
    report: dict[str, Any]
    equal_series: bool = False  # whether the windows of each series count alike

    def weighed(self, training: Split, shape: WindowShape) -> Prepared:
        """With weights with which these windows of each series count alike."""
        panel, given = training.panel, self.weights if self.weights.size else np.ones(training.panel.n_rows)
        weights = equal_weights(given, panel, training.windows, shape)
        weights /= weights[is_training(panel, self.train_end)].mean()
        return replace(self, weights=weights.astype(np.float32), training=training, equal_series=True)

    @property
    def n_targets(self) -> int:
        return len(self.schema.targets)

    def window_weights(self, windows: WindowIndex) -> np.ndarray:
        """The mean weight of each training window's target rows."""
        if not self.weights.size:
            return np.ones(len(windows))
        rows = windows.origin[:, None] + self.shape.gap + 1 + np.arange(self.shape.horizon)
        return self.weights[rows].mean(axis=1, dtype=np.float64)


def rules_of(settings: DataParameters) -> RowRules:
    """The forecaster's parameters about rows."""
    return RowRules(settings.missing, settings.duplicates, settings.na_values, settings.min_length)


def roles_of(settings: DataParameters) -> Roles:
    """The forecaster's parameters about columns."""
    return Roles(settings.target, settings.past_covariates, settings.id_col, settings.time_col, settings.freq)


def prepare(
    settings: DataParameters, X: Any, y: Any, X_val: Any, sample_weight: Any, *, validated: bool = True
) -> Prepared:
    """Read, split and scale. Nothing here looks at a validation row but to know where it is.

    Rows are held out only where the fit is to be ``validated``, and has no ``X_val``.
    """
    schema, panel, report = read_training(X, y, roles_of(settings), rules_of(settings), sample_weight)
    season = schema.axis.season()
    fraction = settings.validation_fraction if validated and X_val is None else 0.0
    shape = resolve_shape(settings, panel, season, fraction)
    by, stride = settings.validation_by, int(settings.stride)
    train, validation, train_end = split_windows(panel, shape, fraction, by, stride)
    counts = len(schema.targets) if settings._counts else 0
    check_targets(panel, schema, settings)
    scaling = fit_scaling(panel, train_end, settings.scaler, settings.scaler_scope, counts)
    held_out = Split(panel, validation)
    if X_val is not None:
        with _told_of("X_val"):
            pair, reader = _pair(X_val, schema), type(settings).__name__
            other, _ = read_history(*pair, schema, rules_of(settings), reader=reader)
            check_targets(other, schema, settings)
            held_out = Split(other, all_windows(other, shape))
    weights = _training_weights(panel, train_end)
    prepared = Prepared(schema, shape, scaling, season, Split(panel, train), held_out, train_end, weights, report)
    return prepared.weighed(prepared.training, shape) if settings.series_weights == "equal" else prepared


def check_targets(panel: Panel, schema: Schema, settings: DataParameters) -> None:
    """Refuse targets that are no counts, for losses that are of counts, or negative where none can be."""
    if settings._counts:
        must = "hold counts (whole numbers from 0 on) for this `loss`"
        remedy = 'Use another loss, for example "gaussian" or "quantile", or correct the rows.'
    elif settings.non_negative:
        must = "hold values from 0 on with `non_negative=True`"
        remedy = "Leave `non_negative` out, or correct the rows."
    else:
        return
    for channel, name in enumerate(schema.targets):
        column = panel.values[:, channel]
        wrong = np.flatnonzero((column < 0) | (column != np.rint(column)) if settings._counts else column < 0)
        if len(wrong):
            row = int(wrong[0])
            series = panel.ids[int(panel.series_of(np.array([row]))[0])]
            of_series = "" if series is None else f" of the series {series!r}"
            raise ValueError(
                f"The target {name!r} must {must}; {len(wrong)} of {panel.n_rows} rows do not, the first at "
                f"{stamp_of(schema, panel, row)}{of_series}: {column[row]:g}. {remedy}"
            )


def facts(prepared: Prepared, before: Any) -> dict[str, Any]:
    """What a checkpoint has to know of the data, and of a network that training goes on from."""
    training, held_out = prepared.training.panel, prepared.validation.panel
    parts: list[Any] = [prepared.schema.to_dict(), prepared.weights]
    for panel in (training,) if held_out is training else (training, held_out):
        parts += [panel.values, panel.indptr, panel.offsets, panel.ids]
    start = () if before is None else (before.theta, before.left.moments, before.left.steps)
    return {
        "series": training.n_series,
        "rows": training.n_rows,
        "columns": [str(name) for name in prepared.schema.channels],
        VALUES: fingerprint(*parts, *start),
    }


def _pair(X_val: Any, schema: Schema) -> tuple[Any, Any]:
    """Validation data come as a frame, or as (X, y) where ``fit`` has a ``y``."""
    if not schema.has_y:
        return X_val, None
    if not isinstance(X_val, tuple) or len(X_val) != 2:
        raise TypeError(f"it must be a pair (X, y), because `fit` has a `y`; got {type(X_val).__name__}.")
    return X_val


@contextmanager
def _told_of(argument: str) -> Iterator[None]:
    """Let errors about a second frame say that it is that one."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"In `{argument}`: {error}") from error


def is_training(panel: Panel, train_end: np.ndarray) -> np.ndarray:
    """Whether each row lies before its series' validation part."""
    return np.arange(panel.n_rows) < np.repeat(train_end, panel.lengths)


def _training_weights(panel: Panel, train_end: np.ndarray) -> np.ndarray:
    """The weights of the rows, with mean one over the training part."""
    if panel.weights is None:
        return np.zeros(0, np.float32)
    among = is_training(panel, train_end)
    mean = panel.weights[among].mean()
    if not mean:
        raise ValueError(
            f"`sample_weight` must not be zero in all of the {np.count_nonzero(among)} training rows (those "
            "before the validation part): nothing would be learned. Give them weights, or lower `validation_fraction`."
        )
    return (panel.weights / mean).astype(np.float32)


def resolve_shape(settings: DataParameters, panel: Panel, season: int, fraction: float) -> WindowShape:
    """Windows with "auto" resolved: one season ahead and two back, both less where the series are short.

    What is "auto" takes no more than about half of the training rows that are there for it, so that there is more than
    one window to learn from.
    """
    gap, rate = int(settings.gap), int(settings.sampling_rate)  # NumPy's small integers overflow
    lookback = None if settings.lookback == "auto" else int(settings.lookback)
    horizon = None if settings.horizon == "auto" else int(settings.horizon)
    train_end = border_rows(panel, fraction, settings.validation_by)
    longest_training = int((train_end - panel.indptr[:-1]).max())
    rows = min(int(panel.lengths.min()), longest_training) - gap
    if horizon is None:
        room = rows // 4 if lookback is None else (rows - _span(lookback, rate)) // 2
        if fraction:
            room = min(room, int((panel.indptr[1:] - train_end).max()))
        horizon = max(1, min(season, room))
    if lookback is None:
        room = (rows - horizon) // 2
        lookback = max(1, min(2 * max(season, horizon), (room - 1) // rate + 1))
    return WindowShape(lookback, horizon, gap, rate)


def _span(lookback: int, sampling_rate: int) -> int:
    """Rows that ``lookback`` points stretch over."""
    return (lookback - 1) * sampling_rate + 1
