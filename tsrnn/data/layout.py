"""The way back: forecasts in a frame of the same layout as the input, under the stamps to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tsrnn._errors import check_import
from tsrnn.data.names import Name
from tsrnn.data.panel import Panel
from tsrnn.data.schema import Schema
from tsrnn.data.windows import WindowIndex


def stamp_of(schema: Schema, panel: Panel, row: int) -> Any:
    """Return the stamp of a row of the panel: a Timestamp, a Period or an integer."""
    return schema.axis.stamps(panel.ticks(np.array([row])))[0]


def forecast_frame(schema: Schema, panel: Panel, values: np.ndarray, gap: int = 0) -> Any:
    """Lay out forecasts like the table they were made from.

    Parameters
    ----------
    schema : Schema
    panel : Panel
        The history: forecasts start after each series' last row.
    values : ndarray, shape (n_series, horizon, n_targets)
    gap : int
        Rows skipped between the history and the first forecast.

    Returns
    -------
    DataFrame
        Of pandas or polars, one column for each target. Stamps and series stand where they stood in the input: in the
        index, or in columns.

    Examples
    --------
    >>> from tsrnn.data import read_training
    >>> index = pd.period_range("2024-01", periods=4, freq="M", name="month")
    >>> schema, panel, _ = read_training(pd.DataFrame({"sales": [1.0, 2.0, 3.0, 4.0]}, index=index))
    >>> forecast_frame(schema, panel, np.array([[[5.0], [6.0]]]))
             sales
    month
    2024-05    5.0
    2024-06    6.0
    """
    if values.shape[0] != panel.n_series or values.shape[2] != len(schema.targets):
        raise ValueError(
            f"`values` must have the shape (n_series, horizon, n_targets) = ({panel.n_series}, horizon, "
            f"{len(schema.targets)}); got {values.shape}."
        )
    # One name per column, even where names are tuples of their own.
    columns = pd.Index(schema.targets, tupleize_cols=_are_levels(schema.targets))
    return _frame_ahead(schema, panel, values, columns, gap)


def columns_frame(
    schema: Schema, panel: Panel, values: np.ndarray, columns: pd.Index, gap: int = 0, *, tidy: bool = False
) -> Any:
    """Lay out several numbers for each one that is forecast, like the table they were made from.

    Parameters
    ----------
    schema, panel, gap
        As for `forecast_frame`.
    values : ndarray, shape (n_series, horizon, columns)
    columns : MultiIndex
        What they are; the first level names the target. Frames of polars, whose columns have one name each, have all
        levels in it: "sales 0.1".
    tidy : bool
        A row for each of them, with the levels as columns, and the number in "forecast".

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> from tsrnn.data import read_training
    >>> index = pd.period_range("2024-01", periods=4, freq="M", name="month")
    >>> schema, panel, _ = read_training(pd.DataFrame({"sales": [1.0, 2.0, 3.0, 4.0]}, index=index))
    >>> columns = pd.MultiIndex.from_tuples([("sales", 0.1), ("sales", 0.9)], names=("target", "quantile"))
    >>> columns_frame(schema, panel, np.array([[[4.0, 6.0]]]), columns, tidy=True)
         month target  quantile  forecast
    0  2024-05  sales       0.1       4.0
    1  2024-05  sales       0.9       6.0
    """
    if not tidy:
        if schema.backend == "polars":
            columns = pd.Index([" ".join(map(str, name)) for name in columns])
        return _frame_ahead(schema, panel, values, columns, gap)
    n_series, horizon, count = values.shape
    found: dict[Any, Any] = {}
    if schema.is_panel:
        id_name = "id" if schema.id_name is None else schema.id_name
        found[id_name] = [name for name in panel.ids for _ in range(horizon * count)]
    time_name = "time" if schema.time_name is None else schema.time_name
    found[time_name] = schema.axis.stamps(np.repeat(_ticks_ahead(panel, horizon, gap), count))
    for level, name in enumerate(columns.names):
        found[name] = columns.get_level_values(level).tolist() * (n_series * horizon)
    found["forecast"] = values.ravel()
    return _polars_frame(schema, found) if schema.backend == "polars" else pd.DataFrame(found)


def _ticks_ahead(panel: Panel, horizon: int, gap: int) -> np.ndarray:
    """Of the rows that follow each series."""
    return (panel.end_ticks[:, None] + gap + np.arange(horizon)).ravel()


def _frame_ahead(schema: Schema, panel: Panel, values: np.ndarray, columns: pd.Index, gap: int) -> Any:
    """Values (series, horizon, columns) under the stamps that follow."""
    n_series, horizon, count = values.shape
    stamps = schema.axis.stamps(_ticks_ahead(panel, horizon, gap))
    flat = values.reshape(n_series * horizon, count)
    if schema.backend == "polars":
        found: dict[Any, Any] = {}
        if schema.is_panel:
            found[schema.id_name] = [name for name in panel.ids for _ in range(horizon)]
        if schema.time_name is not None:
            found[schema.time_name] = stamps
        return _polars_frame(schema, found | _columns(columns.tolist(), flat))
    frame = pd.DataFrame(flat, columns=columns)
    if schema.layout == "array" or schema.layout == "wide":
        return frame.set_axis(_row_numbers(stamps).rename(schema.time_name), axis=0)
    if schema.layout == "multiindex":
        frame.index = pd.MultiIndex.from_arrays(
            [_repeated(panel.ids, horizon), stamps], names=[schema.id_name, schema.time_name]
        )
        return frame
    if schema.time_in_index:
        frame.index = stamps.rename(schema.time_name)
    else:
        frame.insert(0, schema.time_name, stamps)
    if schema.is_panel:
        frame.insert(0, schema.id_name, _repeated(panel.ids, horizon).array)
    return frame


def tidy_frame(
    schema: Schema,
    panel: Panel,
    windows: WindowIndex,
    values: np.ndarray,
    gap: int = 0,
    *,
    columns: Sequence[Name] = (),
) -> Any:
    """Lay out forecasts from many origins, a row for each forecast row.

    Parameters
    ----------
    schema : Schema
    panel : Panel
        The rows that the windows are of.
    windows : WindowIndex
    values : ndarray, shape (n_windows, horizon, n_targets + n_columns)
    gap : int
        Rows skipped between a window's history and its first forecast.
    columns : sequence
        Names of what stands beside the targets.

    Returns
    -------
    DataFrame
        Of pandas or polars. Columns: the series (where they have names), "cutoff" (the last stamp of history), the
        stamp of the row, the targets, and the columns given.

    Examples
    --------
    >>> from tsrnn.data import WindowShape, all_windows, read_training
    >>> index = pd.period_range("2024-01", periods=3, freq="M", name="month")
    >>> schema, panel, _ = read_training(pd.DataFrame({"sales": [1.0, 2.0, 3.0]}, index=index))
    >>> windows = all_windows(panel, WindowShape(lookback=1, horizon=1))
    >>> tidy_frame(schema, panel, windows, np.array([[[1.5]], [[2.5]]]))
        cutoff    month  sales
    0  2024-01  2024-02    1.5
    1  2024-02  2024-03    2.5
    """
    n_windows, horizon, width = values.shape
    found = _origin_columns(schema, panel, windows, gap + 1 + np.arange(horizon))
    found |= _columns([*schema.targets, *columns], values.reshape(n_windows * horizon, width))
    return _tidy(schema, found)


def long_frame(schema: Schema, panel: Panel, windows: WindowIndex, values: dict[str, np.ndarray], gap: int = 0) -> Any:
    """Lay out what belongs to each origin, step ahead and target, a row for each of them.

    Parameters
    ----------
    schema, panel, windows, gap
        As for `tidy_frame`.
    values : dict of str to ndarray, shape (n_windows, horizon, n_targets)
        The columns.

    Returns
    -------
    DataFrame
        Of pandas or polars. Columns: the series (where they have names), "cutoff", the stamp of the row, "step" (1 for
        the first row that is forecast), "target", and those given.

    Examples
    --------
    >>> from tsrnn.data import WindowShape, all_windows, read_training
    >>> index = pd.period_range("2024-01", periods=3, freq="M", name="month")
    >>> schema, panel, _ = read_training(pd.DataFrame({"sales": [1.0, 2.0, 3.0]}, index=index))
    >>> windows = all_windows(panel, WindowShape(lookback=1, horizon=1))
    >>> long_frame(schema, panel, windows, {"forecast": np.array([[[1.5]], [[2.5]]])})
        cutoff    month  step target  forecast
    0  2024-01  2024-02     1  sales       1.5
    1  2024-02  2024-03     1  sales       2.5
    """
    n_windows, horizon, n_targets = next(iter(values.values())).shape
    steps = np.repeat(np.arange(horizon), n_targets)
    columns = _origin_columns(schema, panel, windows, gap + 1 + steps)
    columns["step"] = np.tile(steps + 1, n_windows)
    columns["target"] = _named(schema, schema.targets, np.tile(np.arange(n_targets), n_windows * horizon))
    return _tidy(schema, columns | {name: np.ascontiguousarray(array).ravel() for name, array in values.items()})


def _origin_columns(schema: Schema, panel: Panel, windows: WindowIndex, ahead: np.ndarray) -> dict[Any, Any]:
    """Series, cutoff and stamp of the rows so far ahead of each window's origin."""
    cutoffs = panel.ticks(windows.origin)
    columns: dict[Any, Any] = {}
    if schema.is_panel:
        name = "id" if schema.id_name is None else schema.id_name
        columns[name] = _named(schema, panel.ids, np.repeat(windows.series, len(ahead)))
    columns["cutoff"] = _stamps_at(schema, np.repeat(cutoffs, len(ahead)))
    time_name = "time" if schema.time_name is None else schema.time_name
    columns[time_name] = _stamps_at(schema, (cutoffs[:, None] + ahead).ravel())
    return columns


def _named(schema: Schema, names: tuple[Name, ...], places: np.ndarray) -> Any:
    if schema.backend == "polars":
        return [names[place] for place in places.tolist()]
    return pd.Index(names, tupleize_cols=False).take(places).array


def _stamps_at(schema: Schema, ticks: np.ndarray) -> pd.Index:
    """Stamps of ticks that come many times over: each is made once."""
    low, high = int(ticks.min()), int(ticks.max())
    if high - low >= len(ticks):
        return schema.axis.stamps(ticks)
    return schema.axis.stamps(np.arange(low, high + 1)).take(ticks - low)


def _tidy(schema: Schema, columns: dict[Any, Any]) -> Any:
    return _polars_frame(schema, columns) if schema.backend == "polars" else pd.DataFrame(columns, copy=False)


def _repeated(ids: tuple[Name, ...], horizon: int) -> pd.Index:
    return pd.Index(ids, tupleize_cols=False).repeat(horizon)


def _are_levels(names: tuple[Name, ...]) -> bool:
    return all(isinstance(name, tuple) for name in names)


def _row_numbers(stamps: pd.Index) -> pd.Index:
    """Give consecutive integers back as the RangeIndex that they came as."""
    if not pd.api.types.is_integer_dtype(stamps.dtype) or not len(stamps):
        return stamps
    step = int(stamps[1] - stamps[0]) if len(stamps) > 1 else 1
    return pd.RangeIndex(int(stamps[0]), int(stamps[-1]) + step, step)


def _moments(stamps: pd.Index) -> np.ndarray:
    """Return stamps as polars takes them: in UTC without a zone, in milliseconds or finer."""
    if not isinstance(stamps, pd.DatetimeIndex):
        return stamps.to_numpy()
    plain = stamps.tz_localize(None) if stamps.tz is None else stamps.tz_convert("UTC").tz_localize(None)
    return (plain.as_unit("ms") if plain.unit == "s" else plain).to_numpy()


def _polars_frame(schema: Schema, columns: dict[Any, Any]) -> Any:
    """Columns as a polars frame; those of stamps are indexes of pandas."""
    nw = check_import("narwhals", "polars", "Writing polars frames")
    plain = {name: _moments(values) if isinstance(values, pd.Index) else values for name, values in columns.items()}
    frame = nw.from_dict(plain, backend="polars")
    for name, values in columns.items():
        if isinstance(values, pd.DatetimeIndex):
            if schema.dates:
                frame = frame.with_columns(nw.col(name).cast(nw.Date))
            elif schema.axis.tz is not None:
                zoned = nw.col(name).dt.replace_time_zone("UTC").dt.convert_time_zone(schema.axis.tz)
                frame = frame.with_columns(zoned)
    return frame.to_native()


def _columns(names: Sequence[Any], flat: np.ndarray) -> dict[Any, np.ndarray]:
    return {name: np.ascontiguousarray(flat[:, column]) for column, name in enumerate(names)}
