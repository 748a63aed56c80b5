"""Scaling of the channels, learned from training rows only: `(value - center) / scale`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, final

import numpy as np

from tsrnn._errors import NoneOr, Options, check_parameter
from tsrnn.data.names import Name, decode_name, encode_name
from tsrnn.data.panel import Panel

Kind = Literal["standard", "minmax", "robust"]
_CHUNK = 1 << 18  # numbers that are held in float64 at a time
_IN_CACHE = 1 << 15  # the same where they are only scaled


@final
@dataclass(frozen=True, eq=False)
class Scaling:
    """A scale for every channel, of all series together or of each.

    Attributes
    ----------
    center, scale : ndarray of float64, shape (n_series or 1, channels)
    scope : {"series", "global"}
    kind : {"standard", "minmax", "robust"} or None
        Mean and standard deviation, minimum and range, median and interquartile range; None leaves values as they are.
    ids : tuple
        The series of each row of `center`, where `scope` is "series".
    counts : int
        So many of the first channels are counts, which are divided by one and their mean, whatever the kind.
    """

    center: np.ndarray
    scale: np.ndarray
    scope: Literal["series", "global"]
    kind: Kind | None
    ids: tuple[Name, ...] = ()
    counts: int = 0

    def rows_for(self, panel: Panel) -> tuple[Scaling, np.ndarray]:
        """Return the row of `center` and `scale` for each series of a panel.

        A series that was not there in training is scaled, under the scope "series", by the statistics of the rows
        given: the scaling returned then has rows for such series too.
        """
        if self.scope == "global":
            return self, np.zeros(panel.n_series, np.int64)
        known = {name: row for row, name in enumerate(self.ids)}
        unseen = np.flatnonzero([name not in known for name in panel.ids])
        if not len(unseen):
            return self, np.array([known[name] for name in panel.ids], np.int64)
        part = panel.select(unseen)
        added = fit_scaling(part, part.indptr[1:], self.kind, "series", self.counts)
        wider = replace(
            self,
            center=np.concatenate((self.center, added.center)),
            scale=np.concatenate((self.scale, added.scale)),
            ids=self.ids + added.ids,
        )
        return wider.rows_for(panel)

    def only(self, series: int) -> Scaling:
        """Return the scale of one of the series it was learned from."""
        if self.scope == "global":
            return self
        row = [series]
        return replace(self, center=self.center[row], scale=self.scale[row], ids=(self.ids[series],))

    def transform(self, panel: Panel) -> np.ndarray:
        """Return the scaled values of a panel, float32 of shape (rows, channels)."""
        scaling, of_series = self.rows_for(panel)
        scaled = np.empty_like(panel.values)
        for chunk in _chunks(panel, _IN_CACHE):
            row = of_series[panel.series_of(np.arange(chunk.start, chunk.stop))]
            centred = panel.values[chunk] - scaling.center[row]
            scaled[chunk] = np.divide(centred, scaling.scale[row], out=centred)
        return scaled

    def inverse_targets(self, values: np.ndarray, series: np.ndarray, n_targets: int) -> np.ndarray:
        """Undo the scaling of targets.

        Parameters
        ----------
        values : ndarray, shape (n, horizon, n_targets)
        series : ndarray of int64, shape (n,)
            Row of `center` and `scale` for each of the `n`, from `rows_for`.
        n_targets : int
            The first channels are the targets.

        Returns
        -------
        ndarray of float64
        """
        center, scale = self.center[series, None, :n_targets], self.scale[series, None, :n_targets]
        unscaled = values * scale
        unscaled += center
        return unscaled

    def arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays to save, and the rest as values that JSON can hold."""
        ids = [encode_name(name) for name in self.ids]
        rest = {"scope": self.scope, "kind": self.kind, "ids": ids, "counts": self.counts}
        return {"center": self.center, "scale": self.scale}, rest

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> Scaling:
        """Make the scaling again from `arrays()`."""
        return cls(
            center=np.asarray(arrays["center"], np.float64),
            scale=np.asarray(arrays["scale"], np.float64),
            scope=values["scope"],
            kind=values["kind"],
            ids=tuple(decode_name(name) for name in values["ids"]),
            counts=values.get("counts", 0),  # files saved earlier do not hold it
        )


def fit_scaling(
    panel: Panel,
    train_end: np.ndarray,
    kind: Kind | None = "standard",
    scope: Literal["series", "global"] = "global",
    counts: int = 0,
) -> Scaling:
    """Learn a scale from training rows.

    Parameters
    ----------
    panel : Panel
    train_end : ndarray of int64, shape (n_series,)
        The row where each series' training part ends; no row from there on is looked at.
    kind : {"standard", "minmax", "robust"} or None
    scope : {"series", "global"}
        A scale for each series, or one for all. A series without any training row gets the one for all.
    counts : int
        So many of the first channels are counts: they keep their zero, and are divided by one and their mean (Salinas
        2020), series by series where the scope says so.

    Returns
    -------
    Scaling
        A channel that is constant has the scale 1.

    Examples
    --------
    >>> panel = Panel(np.array([[1.0], [3.0], [100.0]], np.float32), np.array([0, 3]), (None,), np.array([0]))
    >>> scaling = fit_scaling(panel, np.array([2]))
    >>> scaling.transform(panel).ravel().tolist()
    [-1.0, 1.0, 98.0]
    """
    check_parameter("scaling", "kind", kind, NoneOr(Options("standard", "minmax", "robust")))
    check_parameter("scaling", "scope", scope, Options("series", "global"))
    plain = _fit_scaling(panel, np.asarray(train_end, np.int64), kind, scope)
    if not counts:
        return plain
    means = _fit_scaling(panel, np.asarray(train_end, np.int64), "standard", scope)
    rows = len(means.center)  # more than one for a kind that has none of its own
    center, scale = (np.repeat(array, rows // len(array), axis=0) for array in (plain.center, plain.scale))
    center[:, :counts], scale[:, :counts] = 0, 1 + means.center[:, :counts]
    return Scaling(center, scale, means.scope, kind, means.ids, counts)


def _fit_scaling(panel: Panel, train_end: np.ndarray, kind: Kind | None, scope: Literal["series", "global"]) -> Scaling:
    if kind is None:
        return Scaling(np.zeros((1, panel.n_channels)), np.ones((1, panel.n_channels)), "global", None)
    if scope == "global":
        center, scale = _of_all(panel, train_end, kind)
        return Scaling(center[None], scale[None], scope, kind)
    statistics = {"standard": _standard_by_series, "minmax": _minmax_by_series, "robust": _robust_by_series}[kind]
    center, scale = statistics(panel, train_end)
    without = train_end == panel.indptr[:-1]
    if without.any():
        center[without], scale[without] = _of_all(panel, train_end, kind)
    return Scaling(center, scale, scope, kind, panel.ids)


def _of_all(panel: Panel, train_end: np.ndarray, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    """Let scikit-learn's scalers do the statistics of all training rows together."""
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    if kind == "robust":
        robust = RobustScaler().fit(panel.values[_is_training(panel, train_end, slice(0, panel.n_rows))])
        return np.asarray(robust.center_, np.float64), np.asarray(robust.scale_, np.float64)
    scaler = StandardScaler() if kind == "standard" else MinMaxScaler()
    for chunk in _chunks(panel):
        rows = panel.values[chunk][_is_training(panel, train_end, chunk)].astype(np.float64)
        if len(rows):
            scaler.partial_fit(rows)
    if kind == "standard":
        return scaler.mean_, scaler.scale_
    # MinMaxScaler multiplies where this divides, and its range is 1 where the channel is constant.
    return scaler.data_min_, 1 / scaler.scale_


def _chunks(panel: Panel, numbers: int = _CHUNK) -> Iterator[slice]:
    rows = max(1, numbers // panel.n_channels)
    for start in range(0, panel.n_rows, rows):
        yield slice(start, min(start + rows, panel.n_rows))


def _is_training(panel: Panel, train_end: np.ndarray, chunk: slice) -> np.ndarray:
    rows = np.arange(chunk.start, chunk.stop)
    return rows < train_end[panel.series_of(rows)]


def _edges(panel: Panel, train_end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the series that have training rows, and the borders that cut those rows (and nothing else) out."""
    some = np.flatnonzero(train_end > panel.indptr[:-1])
    return some, np.column_stack((panel.indptr[some], train_end[some])).ravel()


def _reduce(operation: np.ufunc, column: np.ndarray, edges: np.ndarray) -> np.ndarray:
    # One more value, so that the end of the last part is a valid border; every second part is not training.
    padded = np.append(column, column[-1:])
    return operation.reduceat(padded, edges)[::2]


def _standard_by_series(panel: Panel, train_end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Do as StandardScaler does, for ten thousand series at once."""
    some, edges = _edges(panel, train_end)
    center, scale = _identity(panel)
    count = (train_end - panel.indptr[:-1])[some]
    for channel in range(panel.n_channels):
        column = panel.values[:, channel].astype(np.float64)
        mean = _reduce(np.add, column, edges) / count
        of_row = np.zeros(panel.n_series)
        of_row[some] = mean
        deviation = column - np.repeat(of_row, panel.lengths)
        spread = np.sqrt(_reduce(np.add, deviation**2, edges) / count)
        constant = _reduce(np.maximum, column, edges) == _reduce(np.minimum, column, edges)
        center[some, channel], scale[some, channel] = mean, np.where(constant, 1.0, spread)
    return center, scale


def _minmax_by_series(panel: Panel, train_end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    some, edges = _edges(panel, train_end)
    center, scale = _identity(panel)
    for channel in range(panel.n_channels):
        column = panel.values[:, channel].astype(np.float64)
        low, high = _reduce(np.minimum, column, edges), _reduce(np.maximum, column, edges)
        center[some, channel], scale[some, channel] = low, np.where(high == low, 1.0, high - low)
    return center, scale


def _robust_by_series(panel: Panel, train_end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    center, scale = _identity(panel)
    for series, (start, end) in enumerate(zip(panel.indptr[:-1].tolist(), train_end.tolist(), strict=True)):
        width = max(1, _CHUNK // max(1, end - start))  # long series some columns at a time
        for first in range(0, panel.n_channels if end > start else 0, width):
            columns = slice(first, first + width)
            low, middle, high = np.percentile(panel.values[start:end, columns].astype(np.float64), (25, 50, 75), axis=0)
            center[series, columns], scale[series, columns] = middle, np.where(high == low, 1.0, high - low)
    return center, scale


def _identity(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((panel.n_series, panel.n_channels)), np.ones((panel.n_series, panel.n_channels))
