"""From an opened table to a panel on a regular grid, in steps that training and history share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from tsrnn._errors import quoted
from tsrnn.data.columns import Column
from tsrnn.data.following import MANY_ROWS, MANY_TIMES, put_behind
from tsrnn.data.missing import fill_forward, refuse_missing
from tsrnn.data.names import Name, count_rows
from tsrnn.data.ordering import Order, Place, first_places
from tsrnn.data.panel import Panel
from tsrnn.data.schema import RowRules
from tsrnn.data.table import Table
from tsrnn.data.time_axis import TimeAxis
from tsrnn.data.values import write_columns
from tsrnn.data.weights import place_weights

INTEGERS = 6  # of 8 bytes, for each row of the table, that reading and splitting hold at the peak


@final
@dataclass
class Report:
    """What reading did to the rows; `to_dict` is the forecaster's `data_report_`."""

    rows: int = 0
    sorted: bool = False
    duplicates: dict[str, Any] = field(default_factory=dict)
    codes_replaced: dict[Name, int] = field(default_factory=dict)
    absent_rows: int = 0
    filled: dict[Name, int] = field(default_factory=dict)
    leading_rows_left_out: dict[Any, int] = field(default_factory=dict)
    series_left_out: dict[Any, int] = field(default_factory=dict)
    columns_left_out: dict[Name, str] = field(default_factory=dict)

    def to_dict(self, panel: Panel) -> dict[str, Any]:
        """Return the report as values that JSON can hold."""

        def by_text(counts: dict[Any, Any]) -> dict[str, Any]:
            return {str(name): count for name, count in counts.items()}

        def by_series(counts: dict[Any, int]) -> list[dict[str, Any]]:
            return [{"series": None if name is None else str(name), "rows": count} for name, count in counts.items()]

        return {
            "rows": self.rows,
            "rows_used": panel.n_rows,
            "series_used": panel.n_series,
            "sorted": self.sorted,
            "duplicates": self.duplicates,
            "codes_replaced": by_text(self.codes_replaced),
            "absent_rows_filled": self.absent_rows,
            "values_filled": by_text(self.filled),
            "leading_rows_left_out": by_series(self.leading_rows_left_out),
            "series_left_out": by_series(self.series_left_out),
            "columns_left_out": by_text(self.columns_left_out),
        }


def place_in(table: Table, rows: np.ndarray | None = None) -> Place:
    """Return a function that names rows of a table (or of `rows` of it) by stamp and series."""

    def describe(row: int) -> str:
        at = row if rows is None else int(rows[row])
        return _named(table.index[at], table.ids[int(table.series[at])])

    return lambda chosen: first_places(chosen, describe)


def place_on_grid(axis: TimeAxis, panel: Panel) -> Place:
    """Return a function that names rows of a panel by stamp and series."""

    def describe(row: int) -> str:
        rows = np.array([row])
        return _named(axis.stamps(panel.ticks(rows))[0], panel.ids[int(panel.series_of(rows)[0])])

    return lambda chosen: first_places(chosen, describe)


def _named(stamp: Any, series: Name) -> str:
    return f"{stamp}" if series is None else f"{stamp} (series {series!r})"


def read_panel(
    table: Table,
    order: Order,
    ticks: np.ndarray,
    axis: TimeAxis,
    columns: list[Column],
    rules: RowRules,
    report: Report,
    *,
    training: bool,
    weights: np.ndarray | None = None,
    before: Panel | None = None,
) -> Panel:
    """Put rows on their grid (and behind those of ``before``), write the columns, and deal with what is missing."""
    panel, position = _empty_panel(table, order.series, ticks, len(columns))
    if weights is not None:
        panel = replace(panel, weights=place_weights(weights, order, position, panel.n_rows))
    report.codes_replaced = write_columns(
        panel.values,
        position,
        columns,
        order,
        rules.na_values,
        place_in(table, order.rows),
        training=training,
    )
    absent = np.empty(0, np.int64)
    if len(position) < panel.n_rows:
        there = np.zeros(panel.n_rows, bool)
        there[position] = True
        absent = np.flatnonzero(~there)
    if before is not None:
        panel, absent = put_behind(before, panel, absent, axis)
    names = [column.name for column in columns]
    if rules.missing == "raise":
        refuse_missing(panel, absent, names, place_on_grid(axis, panel))
    else:
        panel, filled = fill_forward(panel, absent, names, training=training)
        report.absent_rows, report.filled = filled.absent_rows, filled.cells
        report.leading_rows_left_out = filled.leading_rows
    return _long_enough(panel, rules.min_length, report)


def _empty_panel(table: Table, series: np.ndarray, ticks: np.ndarray, channels: int) -> tuple[Panel, np.ndarray]:
    """Return a panel of NaN with a row for every tick, and the row of the panel for each ordered row."""
    starts = np.flatnonzero(np.append(True, series[1:] != series[:-1]))
    ends = np.append(starts[1:], len(series))
    offsets = ticks[starts]
    lengths = ticks[ends - 1] - offsets + 1
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    if indptr[-1] > max(MANY_ROWS, MANY_TIMES * len(series)):
        _refuse_wide_hole(table, series, ticks)
    panel = Panel(np.full((indptr[-1], channels), np.nan, np.float32), indptr, table.ids, offsets)
    return panel, ticks - offsets[series] + indptr[:-1][series]


def _refuse_wide_hole(table: Table, series: np.ndarray, ticks: np.ndarray) -> None:
    hole = int(np.argmax(np.where(series[1:] == series[:-1], np.diff(ticks), 0)))
    name = table.ids[int(series[hole])]
    rows = count_rows(int(np.count_nonzero(series == series[hole])))
    where = f"; the table has {rows}" if name is None else f" in the series {name!r}, which has {rows}"
    raise ValueError(
        f"The stamps leave too wide a hole: {ticks[hole + 1] - ticks[hole] - 1} steps are absent in a row{where}. "
        "Check its first and last stamps, or give a coarser `freq=`."
    )


def _long_enough(panel: Panel, min_length: int | None, report: Report) -> Panel:
    if min_length is None:
        return panel
    short = panel.lengths < min_length
    if short.all():
        longest = int(panel.lengths.argmax())
        name = panel.ids[longest]
        which = "" if name is None else f" (id {name!r}, of {quoted(panel.ids, limit=3)})"
        raise ValueError(
            f"No series has the {count_rows(min_length)} that `min_length` asks for; the longest has "
            f"{panel.lengths[longest]}{which}. Give a smaller `min_length=`."
        )
    if not short.any():
        return panel
    report.series_left_out = {panel.ids[s]: int(panel.lengths[s]) for s in np.flatnonzero(short).tolist()}
    return panel.select(np.flatnonzero(~short))
