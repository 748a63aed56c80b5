"""Targets that come as `y`, beside the covariates in `X`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tsrnn._errors import quoted
from tsrnn.data.columns import Column, array_columns, as_narwhals, narwhals_columns, pandas_columns
from tsrnn.data.names import count_rows


def join_y(X: Any, columns: list[Column], y: Any) -> dict[str, Any]:
    """Put the columns of `y` before those of `X`.

    Returns
    -------
    dict
        The fields `columns` and `y_names` of the table.
    """
    if isinstance(y, pd.Series):
        y = y.to_frame(name="y" if y.name is None else y.name)
    if isinstance(y, pd.DataFrame):
        n_rows, of_y = len(y), pandas_columns(y)
    elif isinstance(y, np.ndarray):
        if y.ndim not in (1, 2):
            raise ValueError(f"`y` must have the shape (rows,) or (rows, targets); got {y.shape}.")
        values = y[:, None] if y.ndim == 1 else y
        names = ["y"] if values.shape[1] == 1 else [f"y{position}" for position in range(values.shape[1])]
        n_rows, of_y = len(y), array_columns(values, names)
    else:
        frame, nw = as_narwhals(y, "y")
        n_rows, of_y = len(frame), narwhals_columns(frame, nw)
    if n_rows != len(X):
        raise ValueError(f"`y` must have a row for each row of X; got {count_rows(n_rows)} for {len(X)}.")
    if isinstance(X, pd.DataFrame) and isinstance(y, pd.DataFrame):
        _check_index(X.index, y.index)
    both = [column.name for column in of_y if column.name in {c.name for c in columns}]
    if both:
        raise ValueError(
            f"The target {quoted(both)} came as `y` and is a column of X too. Drop it there "
            f"(`X.drop(columns={both!r})`); the history of a target is read anyway."
        )
    return {"columns": of_y + columns, "y_names": tuple(column.name for column in of_y)}


def _check_index(of_x: pd.Index, of_y: pd.Index) -> None:
    if of_x.equals(of_y):
        return
    same_rows = of_x.sort_values().equals(of_y.sort_values()) if of_x.dtype == of_y.dtype else False
    row = next(row for row in range(len(of_x)) if of_x[row] != of_y[row])
    where = f" (first at row position {row}: {of_x[row]} and {of_y[row]})"
    remedy = "reorder it with `y.loc[X.index]`" if same_rows else "pass `y.to_numpy()` if the rows belong together"
    raise ValueError(f"`y` must have the index of X; they differ{where}. To mend it, {remedy}.")
