"""The way from a user's frame to a panel: a training table, and later ones of the same form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tsrnn._errors import did_you_mean, quoted
from tsrnn.data.choice import choose_columns, refuse_doubled
from tsrnn.data.columns import REMEDIES
from tsrnn.data.frequency import find_axis, row_spacing
from tsrnn.data.ordering import Order, order_rows
from tsrnn.data.panel import Panel
from tsrnn.data.reading import Report, place_in, read_panel
from tsrnn.data.schema import Roles, RowRules, Schema
from tsrnn.data.table import Table, open_table
from tsrnn.data.weights import read_weights


def read_training(
    X: Any, y: Any = None, roles: Roles | None = None, rules: RowRules | None = None, weights: Any = None
) -> tuple[Schema, Panel, dict[str, Any]]:
    """Read a training table.

    Parameters
    ----------
    X : DataFrame, Series, ndarray, or polars DataFrame or Series
        One series with a time index, or many: long with `id_col` and `time_col`, or a MultiIndex (id, time).
    y : the same kinds, optional
        The targets, row by row those of `X`.
    roles : Roles, optional
        What the columns are.
    rules : RowRules, optional
        What to do about missing values and duplicates.
    weights : array-like, shape (rows of X,), optional
        How much each row counts; `panel.weights` has them row by row of the panel.

    Returns
    -------
    schema : Schema
        What was learned about the table's form.
    panel : Panel
        The values.
    report : dict
        What was sorted, merged, replaced, filled and left out.

    Raises
    ------
    ValueError, TypeError
        With what is wrong, where, and what to do about it.

    Examples
    --------
    >>> index = pd.date_range("2024-01-01", periods=4, freq="h")
    >>> schema, panel, report = read_training(pd.DataFrame({"temp": [1.0, 2.0, 3.0, 4.0]}, index=index))
    >>> schema.targets, schema.axis.label, panel.values.ravel().tolist()
    (('temp',), 'h', [1.0, 2.0, 3.0, 4.0])
    """
    roles, rules = roles or Roles(), rules or RowRules()
    table = open_table(X, y, id_col=roles.id_col, time_col=roles.time_col)
    targets, covariates, left_out = choose_columns(table.columns, table.y_names, roles.target, roles.past_covariates)
    report = Report(rows=len(table.index), columns_left_out=left_out)
    of_rows = None if weights is None else read_weights(weights, report.rows)
    raw = table.index.to_numpy(np.int64) if _is_integer(table) else table.index.asi8  # type: ignore[attr-defined]
    order = _ordered(table, raw, rules, report)
    axis = find_axis(table.index, order.raw, order.series, roles.freq, place_in(table, order.rows))
    stamps = axis.raw(table.index)  # in the axis' resolution, which a given `freq` may have made finer
    ticks, _ = axis.locate(stamps if order.rows is None else stamps[order.rows])
    schema = Schema(
        layout=table.layout,
        backend=table.backend,
        targets=targets,
        past_covariates=covariates,
        axis=axis,
        left_out=left_out,
        id_name=table.id_name,
        time_name=table.time_name,
        time_in_index=table.time_in_index,
        has_y=y is not None,
        dates=table.dates,
        spacing=row_spacing(ticks, order.series),
    )
    by_name = {column.name: column for column in table.columns}
    columns = [by_name[name] for name in schema.channels]
    panel = read_panel(table, order, ticks, axis, columns, rules, report, training=True, weights=of_rows)
    return schema, panel, report.to_dict(panel)


def read_history(
    X: Any,
    y: Any,
    schema: Schema,
    rules: RowRules | None = None,
    *,
    reader: str = "tsrnn",
    before: Panel | None = None,
) -> tuple[Panel, dict[str, Any]]:
    """Read a table of the same form as the training table, for `predict` and `score`.

    The columns of `fit` may come in any order, others are ignored, and series that `fit` has not seen are taken. Those
    of an array have no names to be found by: they have to be those of `fit`, all of them.
    `min_length` applies here too: give rules without it where every series has to be kept.

    Parameters
    ----------
    X, y : as for `read_training`
    schema : Schema
        What `read_training` returned.
    rules : RowRules, optional
    reader : str
        Who reads, for messages: the name of a forecaster.
    before : Panel, optional
        Rows that are known. Those of the table have to follow them, and missing values are dealt with as if all had
        been read together. Tables without stamps (arrays) follow by themselves.

    Returns
    -------
    panel : Panel
    report : dict

    Raises
    ------
    ValueError, TypeError
        Where the table is not of the form that was learned, or holds what `rules` refuse.
    """
    rules = rules or RowRules()
    _check_width(X, schema, reader)
    _check_y(y, schema)
    table = _open_like(X, y, schema)
    columns = _columns_of_fit(table, schema)
    report = Report(rows=len(table.index))
    raw = schema.axis.raw(table.index)
    order = _ordered(table, raw, rules, report)
    ticks, on_grid = schema.axis.locate(order.raw)
    if not on_grid.all():
        off = np.flatnonzero(~on_grid)
        raise ValueError(
            f"Stamps must lie on the grid of the training data ({schema.axis.label!r} through "
            f"{schema.axis.stamps([0])[0]}); {len(off)} of {len(on_grid)} do not: {place_in(table, order.rows)(off)}. "
            "Round or resample them."
        )
    if before is None:
        _refuse_coarser(ticks, order, schema)
    elif schema.layout == "array" or (schema.backend == "polars" and schema.time_name is None):
        ticks = ticks - ticks[0] + before.end_ticks[0]
    panel = read_panel(table, order, ticks, schema.axis, columns, rules, report, training=False, before=before)
    return panel, report.to_dict(panel)


def locate_rows(X: Any, y: Any, schema: Schema, panel: Panel) -> np.ndarray:
    """Find the rows of a table in the panel that was read from it.

    Parameters
    ----------
    X, y, schema : as for `read_history`
    panel : Panel
        What `read_training` or `read_history` made of X.

    Returns
    -------
    ndarray of int64, shape (rows of X,)
        The row of the panel, -1 for those that were left out.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-02"])
    >>> frame = pd.DataFrame({"temp": [3.0, 1.0, 2.0]}, index=days)
    >>> schema, panel, _ = read_training(frame)
    >>> locate_rows(frame, None, schema, panel).tolist()
    [2, 0, 1]
    """
    table = _open_like(X, y, schema)
    ticks, _ = schema.axis.locate(schema.axis.raw(table.index))
    places = {name: place for place, name in enumerate(panel.ids)}
    series = np.array([places.get(name, -1) for name in table.ids])[table.series]
    after_first = ticks - panel.offsets[series]
    inside = (series >= 0) & (after_first >= 0) & (after_first < panel.lengths[series])
    return np.where(inside, panel.indptr[series] + after_first, -1)


def _refuse_coarser(ticks: np.ndarray, order: Order, schema: Schema) -> None:
    """Refuse rows whose own step is a multiple of the grid's: filling would stretch them without a word."""
    spacing = row_spacing(ticks, order.series)
    if spacing in (1, schema.spacing):
        return
    label = schema.axis.label
    remedy = "Renumber them" if schema.axis.kind == "integer" else f"Resample them (for example `resample({label!r})`)"
    raise ValueError(
        f"The rows are {spacing} steps of the training data's {label!r} apart; expected {schema.spacing}. {remedy}, or "
        "fit a forecaster on such rows."
    )


def _is_integer(table: Table) -> bool:
    return not isinstance(table.index, (pd.DatetimeIndex, pd.PeriodIndex))


def _ordered(table: Table, raw: np.ndarray, rules: RowRules, report: Report) -> Order:
    order, doubled = order_rows(raw, table.series, rules.duplicates, place_in(table))
    report.sorted = order.take is not None and bool((np.diff(order.take) < 0).any())
    if len(doubled):
        first = [_first(table, int(row)) for row in doubled[:5]]
        report.duplicates = {"rows": len(doubled), "rule": rules.duplicates, "first": first}
    return order


def _first(table: Table, row: int) -> dict[str, Any]:
    series = table.ids[int(table.series[row])]
    return {"stamp": str(table.index[row]), "series": None if series is None else str(series)}


def _check_width(X: Any, schema: Schema, reader: str) -> None:
    if schema.layout != "array" or not isinstance(X, np.ndarray) or X.ndim not in (1, 2):
        return
    width = 1 if X.ndim == 1 else X.shape[1]
    if width != schema.n_columns:
        remedy = "Give all of them, in the same order."
        if X.ndim == 1:
            remedy = f"An array of one dimension is one column. Reshape your data to (rows, {schema.n_columns})."
        raise ValueError(
            f"X has {width} features, but {reader} is expecting {schema.n_columns} features as input, the columns of "
            f"the array that `fit` had. {remedy}"
        )


def _check_y(y: Any, schema: Schema) -> None:
    if schema.has_y and y is None:
        raise ValueError(
            f"The target {quoted(schema.targets)} came as `y` in `fit`; its history is needed here too: pass `y` "
            "(after a search: `search.best_estimator_.predict(X, y=y)`)."
        )
    if not schema.has_y and y is not None:
        raise ValueError(
            f"`fit` had no `y`: the target {quoted(schema.targets)} was a column of X. Leave `y` out here, and put the "
            "target into X."
        )


def _open_like(X: Any, y: Any, schema: Schema) -> Table:
    """Open a table that has to have the layout of the training table."""
    if (schema.layout == "array") != isinstance(X, np.ndarray):
        expected = "an array" if schema.layout == "array" else f"a frame of the layout {schema.layout!r}"
        raise TypeError(f"X must be {expected}, as in `fit`; got {type(X).__name__}.")
    if schema.layout == "multiindex" and isinstance(X, (pd.DataFrame, pd.Series)) and X.index.nlevels == 1:
        raise ValueError(
            f"X must have an index with the levels ({schema.id_name!r}, {schema.time_name!r}), as in `fit`; got one "
            "level. Select a series with `df.loc[[id]]`, which keeps both, or add the level with `pd.concat({id: df})`."
        )
    id_col = schema.id_name if schema.layout == "long" else None
    time_col = schema.time_name if schema.layout == "long" and not schema.time_in_index else None
    if schema.layout == "multiindex" and isinstance(X, (pd.DataFrame, pd.Series)) and schema.id_name in X.index.names:
        id_col = schema.id_name  # the levels may stand in the other order
    if isinstance(X, pd.Series) and X.name is None and len(schema.targets) == 1 and not schema.has_y:
        X = X.rename(schema.targets[0])
    table = open_table(X, _named_like(X, y, schema), id_col=id_col, time_col=time_col)
    if table.layout != schema.layout:
        raise ValueError(
            f"X must have the layout {schema.layout!r}, as in `fit`; got {table.layout!r}. Give it the same index and "
            "columns as the training frame."
        )
    return table


def _named_like(X: Any, y: Any, schema: Schema) -> Any:
    """Let an array stand for the `y` of `fit`, whatever that was called."""
    if not isinstance(y, np.ndarray) or y.ndim not in (1, 2):
        return y
    values = y[:, None] if y.ndim == 1 else y
    if values.shape[1] != len(schema.targets):
        return y
    index = X.index if isinstance(X, pd.DataFrame) and len(X) == len(y) else None
    return pd.DataFrame(values, index, columns=pd.Index(schema.targets, tupleize_cols=False))


def _columns_of_fit(table: Table, schema: Schema) -> list[Any]:
    names = [column.name for column in table.columns]
    refuse_doubled([name for name in names if name in schema.channels])
    by_name = {column.name: column for column in table.columns}
    missing = [name for name in schema.channels if name not in by_name]
    if missing:
        raise ValueError(
            f"X must have the columns of `fit`; it lacks {quoted(missing)}. Its columns are {quoted(names, limit=10)}."
            f"{did_you_mean(missing[0], names)}"
        )
    for name in schema.channels:
        if not by_name[name].is_numeric:
            what = by_name[name].what
            raise ValueError(
                f"The column {name!r} must be numeric, as in `fit`; it is a {what} column. What to do: "
                f"{REMEDIES[what]}."
            )
    return [by_name[name] for name in schema.channels]
