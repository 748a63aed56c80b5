"""Rows of a stream as they come: in their place in time, with all columns, as numbers."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd

from tsrnn._errors import did_you_mean, quoted
from tsrnn.data import RowRules, Schema
from tsrnn.data.names import Name, count_rows
from tsrnn.data.stamps import read_stamps
from tsrnn.data.values import without_codes

_STAMPS = 256  # that are made at a time


@final
class Incoming:
    """Reads rows, one for each series; refuses those that cannot come next.

    Parameters
    ----------
    schema : Schema
        What the columns are.
    rules : RowRules
        What to do about missing values.
    ids : tuple of names
        The series.
    ends : ndarray of int64, shape (series,)
        The tick of the next row of each.

    Attributes
    ----------
    columns : tuple
        Those of a row, in the order in which an array gives them.
    """

    def __init__(self, schema: Schema, rules: RowRules, ids: tuple[Name, ...], ends: np.ndarray) -> None:
        self.schema, self.rules, self.ids, self.ends = schema, rules, ids, ends.copy()
        self.channels, self.columns = schema.channels, _columns(schema)
        self._order = np.array([self.columns.index(name) for name in self.channels])
        self._places = {name: place for place, name in enumerate(ids)}
        self._stamps, self._turn = schema.axis.stamps(self.ends[:0]), 0

    def read(self, rows: Any, last: np.ndarray) -> np.ndarray:
        """The channels (series, channels) in float32; ``last`` are those of the rows before."""
        if isinstance(rows, pd.Series) and len(self.ids) == 1:
            given = self._of_series(rows)[None]
        elif isinstance(rows, pd.DataFrame) and len(self.ids) > 1:
            given = self._of_frame(rows)
        else:
            given = self._of_array(rows)
        return self._checked(given, last)

    def went_on(self) -> None:
        """The rows were taken: the next ones are due."""
        self.ends += 1
        self._turn += 1

    # ---- forms -------------------------------------------------------------------------------------------------
    def _of_array(self, rows: Any) -> np.ndarray:
        values, width, many = _numbers(rows), len(self.columns), len(self.ids) > 1
        expected = (len(self.ids), width) if many else (width,)
        if values.shape != expected:
            name, of_series = ("rows", f", of each of {quoted(self.ids, 3)} in this order") if many else ("row", "")
            raise ValueError(
                f"`{name}` must have the shape {expected}, one number for each of {quoted(self.columns, 10)} "
                f"in this order{of_series}; got {values.shape}."
            )
        return values[..., self._order].reshape(len(self.ids), -1)

    def _of_series(self, row: pd.Series) -> np.ndarray:
        names = row.index.tolist()
        self._check_columns("row", names)
        self._check_place(row, names)
        return _numbers(row.iloc[[names.index(name) for name in self.channels]])

    def _of_frame(self, rows: pd.DataFrame) -> np.ndarray:
        names = rows.columns.tolist()
        self._check_columns("rows", names)
        series, stamps = self._ids_and_stamps(rows, names)
        order = self._in_order(series)
        if stamps is not None:
            self._check_stamps(stamps[order])
        return _numbers(rows.iloc[order, [names.index(name) for name in self.channels]])

    def _check_columns(self, what: str, names: list[Any]) -> None:
        for name in self.channels:
            if names.count(name) != 1:
                found = "lacks" if name not in names else "has more than one of"
                raise ValueError(
                    f"`{what}` must have each of {quoted(self.channels, 10)} once; it {found} {name!r}."
                    f"{did_you_mean(name, names)}"
                )

    # ---- places ------------------------------------------------------------------------------------------------
    def _ids_and_stamps(self, rows: pd.DataFrame, names: list[Any]) -> tuple[list[Any], pd.Index | None]:
        """The series of each row of a frame, and its stamp where it has one."""
        schema, index = self.schema, rows.index
        if isinstance(index, pd.MultiIndex):
            if index.nlevels != 2 or schema.layout != "multiindex":
                raise ValueError(
                    f"The index of `rows` must be as in `fit`, or name the series alone; got the levels "
                    f"{list(index.names)}."
                )
            level = index.names.index(schema.id_name) if schema.id_name in index.names else 0
            return index.get_level_values(level).tolist(), read_stamps(index.get_level_values(1 - level), "the index")
        if schema.layout == "multiindex":
            return index.tolist(), None
        if names.count(schema.id_name) != 1:
            raise ValueError(f"`rows` must name the series of each row in the column {schema.id_name!r}, as in `fit`.")
        series = rows.iloc[:, names.index(schema.id_name)].tolist()
        if schema.time_in_index:
            return series, read_stamps(index, "the index")
        if schema.time_name not in names:
            return series, None
        return series, read_stamps(rows.iloc[:, names.index(schema.time_name)], f"column {schema.time_name!r}")

    def _in_order(self, series: list[Any]) -> list[int]:
        """The rows in the order of the series of the stream; refuses other series, and rows that come twice."""
        rows: dict[Name, int] = {}
        for row, name in enumerate(series):
            if name not in self._places:
                raise ValueError(
                    f"`rows` holds the series {name!r}, which the stream does not follow: it follows "
                    f"{quoted(self.ids, 3)}.{did_you_mean(name, self.ids)}"
                )
            if name in rows:
                raise ValueError(f"`rows` holds the series {name!r} twice; give one row of each, and step again.")
            rows[name] = row
        absent = [name for name in self.ids if name not in rows]
        if absent:
            filled = " (NaN where nothing was observed)" if self.rules.missing == "ffill" else ""
            raise ValueError(
                f"`rows` must have a row of each series{filled}; those of {len(absent)} are absent: {quoted(absent)}."
            )
        return [rows[name] for name in self.ids]

    def _check_place(self, row: pd.Series, names: list[Any]) -> None:
        """Refuse a Series that says by its name (or its columns of series and stamp) that it is not the next row."""
        schema, stamp = self.schema, row.name
        if schema.is_numbered:
            return
        if schema.layout == "multiindex" and isinstance(stamp, tuple) and len(stamp) == 2:
            first, second = stamp
            series, stamp = (second, first) if second == self.ids[0] else (first, second)
            self._check_series(series)
        elif schema.is_panel and schema.id_name in names:
            self._check_series(row.iloc[names.index(schema.id_name)])
        if schema.layout != "multiindex" and not schema.time_in_index:
            stamp = row.iloc[names.index(schema.time_name)] if schema.time_name in names else None
        if stamp is None or self._is_due(stamp):
            return
        self._check_stamps(read_stamps(pd.Index([stamp]), "the name of `row`"))

    def _check_series(self, name: Any) -> None:
        if name != self.ids[0]:
            raise ValueError(f"`row` is of the series {name!r}, but the stream follows {self.ids[0]!r}.")

    def _is_due(self, stamp: Any) -> bool:
        """Whether it is the next stamp of the one series: one comparison, as stamps to come are made beforehand."""
        if self._turn >= len(self._stamps):
            self._stamps, self._turn = self.schema.axis.stamps(self.ends[0] + np.arange(_STAMPS)), 0
        return bool(stamp == self._stamps[self._turn])

    def _check_stamps(self, index: pd.Index) -> None:
        """Refuse rows, in the order of the series, that are not the next ones."""
        if self.schema.is_numbered:
            return
        axis = self.schema.axis
        ticks, on_grid = axis.locate(axis.raw(index))
        wrong = np.flatnonzero(~on_grid | (ticks != self.ends))
        if not len(wrong):
            return
        place = int(wrong[0])
        tick, due = int(ticks[place]), int(self.ends[place])
        before, after = axis.stamps([due - 1, due])
        name = self.ids[place]
        what = f"The row of {index[place]}{'' if name is None else f' (series {name!r})'}"
        if not on_grid[place]:
            raise ValueError(f"{what} lies between two rows of the grid {axis.label!r}; the next one is of {after}.")
        if tick == due - 1:
            raise ValueError(f"{what} came already: it is the last one. The next one is of {after}. Leave it out.")
        if tick < due:
            raise ValueError(
                f"{what} is late: the stream stands at {before}, and takes no row before that. Leave it out, or make a "
                "new stream of the history with it (`stream(X)`)."
            )
        nan = ", as rows of NaN where nothing was observed" if self.rules.missing == "ffill" else ""
        raise ValueError(
            f"{what} is out of order: the next one is of {after}, so {count_rows(tick - due)} before it did not come. "
            f"Give them first{nan}."
        )

    # ---- values ------------------------------------------------------------------------------------------------
    def _checked(self, given: np.ndarray, last: np.ndarray) -> np.ndarray:
        """The values as float32, once the forecaster's rules for missing ones have been followed."""
        if self.rules.na_values:
            given, _ = without_codes(given, self.rules.na_values)
        values = given if given.dtype == np.float32 else _narrow(given)
        if self.rules.na_values and given.dtype != np.float32:  # a code in float32 that a wider type made longer
            values, _ = without_codes(values, self.rules.na_values)
        if np.isfinite(values).all():
            return values
        what = "row" if len(self.ids) == 1 else "rows"
        if np.isinf(values).any():
            names = self._names(np.isinf(values))
            raise ValueError(f"`{what}` must hold finite numbers that fit into float32; it does not in {names}.")
        missing = np.isnan(values)
        if self.rules.missing != "ffill":
            raise ValueError(
                f"`{what}` has no value for {self._names(missing)}. Give it, or fit the forecaster with "
                '`missing="ffill"`, which carries the last value forward.'
            )
        return np.where(missing, last, values)

    def _names(self, where: np.ndarray) -> str:
        """Columns, and the first series, where there are several."""
        columns = quoted(self.channels[i] for i in np.flatnonzero(where.any(axis=0)).tolist())
        if len(self.ids) == 1:
            return columns
        return f"{columns} of {quoted(self.ids[i] for i in np.flatnonzero(where.any(axis=1)).tolist())}"


def _columns(schema: Schema) -> tuple[Any, ...]:
    """What a row given as an array holds: all columns of the fitted array, or those of the frame that are read."""
    if schema.layout == "array" and not schema.has_y:
        return tuple(range(schema.n_columns))
    return schema.channels


def _narrow(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # infinities are told of
        return values.astype(np.float32)


def _numbers(row: Any) -> np.ndarray:
    try:
        values = np.asarray(row)
        return values if values.dtype.char in "fd" else values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`row` must hold numbers; got {row!r} ({error}).") from error
