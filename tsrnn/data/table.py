"""A user's table in one form, whatever it came as: columns, the stamp and the series of each row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast, final

import numpy as np
import pandas as pd

from tsrnn._errors import did_you_mean, quoted
from tsrnn.data.columns import Column, array_columns, as_narwhals, narwhals_columns, pandas_columns
from tsrnn.data.names import Name, count_rows, plain_name
from tsrnn.data.schema import Backend, Layout
from tsrnn.data.stamps import read_stamps
from tsrnn.data.targets import join_y


@final
@dataclass(frozen=True, eq=False)
class Table:
    """A table as it came, described but not copied.

    Attributes
    ----------
    columns : list of Column
        Those of `y` first, without those that hold series and stamps.
    index : pandas Index
        The stamp of each row: datetimes, periods or integers.
    series : ndarray of int64
        The series of each row, numbered in the order in which they first appear.
    ids : tuple
        Their names; `(None,)` for a single series without one.
    y_names : tuple or None
        The columns that came as `y`.
    """

    layout: Layout
    backend: Backend
    columns: list[Column]
    index: pd.Index
    series: np.ndarray
    ids: tuple[Name, ...] = (None,)
    y_names: tuple[Name, ...] | None = None
    id_name: Name | None = None
    time_name: Name | None = None
    time_in_index: bool = True
    dates: bool = False


def open_table(X: Any, y: Any = None, *, id_col: Name | None = None, time_col: Name | None = None) -> Table:
    """Describe a table of any kind that is taken.

    Parameters
    ----------
    X : DataFrame, Series, ndarray, or polars DataFrame or Series
    y : the same kinds, optional
        The targets, row by row those of `X`.
    id_col, time_col : name, optional
        Columns (or levels of the index) that hold series and stamps.
    """
    if isinstance(X, pd.Series):
        X = X.to_frame(name=0 if X.name is None else X.name)
    if isinstance(X, pd.DataFrame):
        table = _open_pandas(X, id_col, time_col)
    elif isinstance(X, np.ndarray):
        table = _open_array(X, id_col, time_col)
    else:
        table = _open_narwhals(X, id_col, time_col)
    if not len(table.index):
        raise ValueError("The frame is empty: it has no rows. Check how it was read or filtered.")
    return table if y is None else replace(table, **join_y(X, table.columns, y))


def _open_array(X: np.ndarray, id_col: Name | None, time_col: Name | None) -> Table:
    if id_col is not None or time_col is not None:
        raise ValueError("An array has no named columns; `id_col` and `time_col` need a DataFrame.")
    if X.ndim not in (1, 2):
        raise ValueError(
            f"An array must have the shape (rows,) or (rows, columns); got {X.shape}. Several series go into a "
            "DataFrame with `id_col=` and `time_col=`."
        )
    values = X[:, None] if X.ndim == 1 else X
    return Table(
        "array",
        "pandas",
        array_columns(values, list(range(values.shape[1]))),
        pd.RangeIndex(len(values)),
        np.zeros(len(values), np.int64),
    )


def _open_pandas(X: pd.DataFrame, id_col: Name | None, time_col: Name | None) -> Table:
    if isinstance(X.index, pd.MultiIndex):
        return _open_multiindex(X, id_col, time_col)
    columns = pandas_columns(X)
    names = [column.name for column in columns]
    _check_present(names, X.index.name, id_col=id_col, time_col=time_col)
    time_in_index = time_col is None or plain_name(time_col) not in names
    if id_col is not None and time_col is None and isinstance(X.index, pd.RangeIndex):
        raise ValueError(
            "A frame with `id_col` needs the stamps of its rows: name their column with `time_col=`, or set them as "
            "the index."
        )
    stamps = X.index if time_in_index else X.iloc[:, names.index(plain_name(time_col))]
    series, ids = _no_ids(len(X)) if id_col is None else _ids(X.iloc[:, names.index(plain_name(id_col))], id_col)
    index = read_stamps(stamps, "the index" if time_in_index else f"column {time_col!r}")
    held = {plain_name(name) for name in (id_col, None if time_in_index else time_col) if name is not None}
    return Table(
        "wide" if time_in_index and id_col is None else "long",
        "pandas",
        [column for column in columns if column.name not in held],
        index,
        series,
        ids,
        id_name=plain_name(id_col),
        time_name=plain_name(X.index.name if time_in_index else time_col),
        time_in_index=time_in_index,
    )


def _open_multiindex(X: pd.DataFrame, id_col: Name | None, time_col: Name | None) -> Table:
    index = cast(pd.MultiIndex, X.index)
    if index.nlevels != 2:
        raise ValueError(
            f"A MultiIndex must have the two levels (id, time); got {index.nlevels}: {quoted(index.names)}. Join the "
            "levels that name the series into one."
        )
    for role, name in (("id_col", id_col), ("time_col", time_col)):
        if name is not None and name not in index.names:
            raise ValueError(
                f"`{role}` of a frame with a MultiIndex must be one of its levels {quoted(index.names)}; got {name!r}. "
                f"Leave `{role}` out, or call `reset_index()` first."
            )
    id_level = 0
    if id_col is not None or time_col is not None:
        id_level = index.names.index(id_col) if id_col is not None else 1 - index.names.index(time_col)
    elif _is_time(index.levels[0]) and not _is_time(index.levels[1]):
        raise ValueError(
            f"A MultiIndex must have the levels (id, time), in this order; level 0 ({index.names[0]!r}) holds the "
            "stamps. Swap them with `df.swaplevel()`."
        )
    series, ids = _ids(index.get_level_values(id_level), index.names[id_level])
    time_name = index.names[1 - id_level]
    return Table(
        "multiindex",
        "pandas",
        pandas_columns(X),
        read_stamps(index.get_level_values(1 - id_level), f"level {time_name!r} of the index"),
        series,
        ids,
        id_name=plain_name(index.names[id_level]),
        time_name=plain_name(time_name),
    )


def _is_time(level: pd.Index) -> bool:
    return isinstance(level, (pd.DatetimeIndex, pd.PeriodIndex))


def _open_narwhals(X: Any, id_col: Name | None, time_col: Name | None) -> Table:
    frame, nw = as_narwhals(X, "X")
    names = frame.columns
    _check_present(names, None, id_col=id_col, time_col=time_col)
    if id_col is not None and time_col is None:
        raise ValueError("A frame with `id_col` needs the stamps of its rows: name their column with `time_col=`.")
    series, ids = _no_ids(len(frame)) if id_col is None else _ids(pd.Series(frame.get_column(id_col).to_list()), id_col)
    dates = time_col is not None and frame.schema[time_col] == nw.Date
    index: pd.Index = pd.RangeIndex(len(frame))
    if time_col is not None:
        index = read_stamps(_narwhals_stamps(frame.get_column(time_col), nw), f"column {time_col!r}")
    return Table(
        "wide" if time_col is None else "long",
        "polars",
        [column for column in narwhals_columns(frame, nw) if column.name not in (id_col, time_col)],
        index,
        series,
        ids,
        id_name=id_col,
        time_name=time_col,
        time_in_index=time_col is None,
        dates=dates,
    )


def _narwhals_stamps(column: Any, nw: Any) -> pd.Index | pd.Series:
    dtype = column.dtype
    if dtype == nw.Date:
        return pd.DatetimeIndex(column.to_numpy())
    if dtype != nw.Datetime:
        return pd.Series(column.to_list()) if not dtype.is_integer() else pd.Index(column.to_numpy())
    # Zoned stamps come out of polars as their moments in UTC, without a zone.
    moments = pd.DatetimeIndex(column.to_numpy())
    if dtype.time_zone is None:
        return moments
    return (moments.tz_localize("UTC") if moments.tz is None else moments).tz_convert(dtype.time_zone)


def _no_ids(rows: int) -> tuple[np.ndarray, tuple[Name, ...]]:
    return np.zeros(rows, np.int64), (None,)


def _ids(values: pd.Series | pd.Index, name: Name) -> tuple[np.ndarray, tuple[Name, ...]]:
    codes, uniques = pd.factorize(values)
    if (codes < 0).any():
        rows = np.flatnonzero(codes < 0)
        raise ValueError(
            f"Every row must name its series; {name!r} is missing in {count_rows(len(rows))}, at the positions "
            f"{quoted(rows)}. Fill it in or drop these rows."
        )
    return codes.astype(np.int64), tuple(plain_name(value) for value in uniques.tolist())


def _check_present(names: list[Name], index_name: Name | None, **roles: Name | None) -> None:
    for role, name in roles.items():
        if name is None or plain_name(name) in names or (role == "time_col" and plain_name(name) == index_name):
            continue
        raise ValueError(
            f"`{role}` names a column that the frame does not have: {name!r}. Its columns are "
            f"{quoted(names, limit=10)}.{did_you_mean(name, names)}"
        )
    if None not in roles.values() and roles["id_col"] == roles["time_col"]:
        raise ValueError(f"`id_col` and `time_col` must be two columns; both are {roles['id_col']!r}.")
