"""Columns of any kind of frame: which are numeric, what speaks against the others, and their values."""

from __future__ import annotations

import datetime
import decimal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from tsrnn._errors import check_import
from tsrnn.data.names import Name, plain_name

# What a column that is not numeric would have to be turned into, by the word that describes it.
REMEDIES = {
    "text": "encode it as numbers, or leave it out",
    "boolean": "convert it with `astype(float)` if 0 and 1 are meant",
    "decimal": "convert it with `astype(float)`",
    "date": "name it in `time_col=` if it holds the stamps, or derive numbers from it",
    "duration": "convert it to a number of seconds or days",
    "category": "encode it as numbers, or leave it out",
    "complex": "take its real or absolute part (Complex data not supported)",
    "period": "name it in `time_col=` if it holds the stamps, or derive numbers from it",
    "object": "convert it with `astype(float)`",
}


@final
@dataclass(frozen=True, eq=False)
class Column:
    """A column of a user's table.

    Attributes
    ----------
    name : name
    what : str
        "numeric", or a key of `REMEDIES`.
    read : callable
        Returns the values as a one-dimensional array of numbers, NaN where one is missing. It may be a view of the
        user's data and must not be written to.
    """

    name: Name
    what: str
    read: Callable[[], np.ndarray]

    @property
    def is_numeric(self) -> bool:
        """Whether the column can be a target or covariate."""
        return self.what == "numeric"


def pandas_columns(frame: pd.DataFrame) -> list[Column]:
    """Describe the columns of a pandas frame, without reading their values."""

    def reader(position: int) -> Callable[[], np.ndarray]:
        return lambda: _numbers(frame.iloc[:, position])

    return [
        Column(plain_name(name), _what_pandas(frame.iloc[:, position]), reader(position))
        for position, name in enumerate(frame.columns)
    ]


def array_columns(values: np.ndarray, names: list[Name]) -> list[Column]:
    """Describe the columns of a two-dimensional array."""
    what = _what_numpy(values.dtype)
    if what == "object":
        what = _what_objects(values.ravel()[:1000])

    def reader(position: int) -> Callable[[], np.ndarray]:
        return lambda: np.ma.filled(values[:, position].astype(np.float64), np.nan) if masked else values[:, position]

    masked = isinstance(values, np.ma.MaskedArray)
    return [Column(name, what, reader(position)) for position, name in enumerate(names)]


def as_narwhals(X: Any, what: str) -> tuple[Any, Any]:
    """Wrap a polars frame or series; refuse every other kind of object."""
    taken = "a pandas DataFrame or Series, a NumPy array, or a polars DataFrame or Series"
    if issparse(X):
        raise TypeError(f"`{what}` must be {taken}; got a sparse {type(X).__name__}. Call `.toarray()` on it.")
    polars = sys.modules.get("polars")  # whoever has a polars frame has imported polars
    if polars is None or not isinstance(X, (polars.DataFrame, polars.Series, polars.LazyFrame)):
        raise TypeError(f"`{what}` must be {taken}; got {type(X).__name__}.")
    if isinstance(X, polars.LazyFrame):
        raise TypeError(f"`{what}` must be {taken}; got a LazyFrame. Call `.collect()` on it.")
    nw = check_import("narwhals", "polars", "Reading polars frames")
    frame = X.to_frame() if isinstance(X, polars.Series) else X
    return nw.from_native(frame, eager_only=True), nw


def narwhals_columns(frame: Any, nw: Any) -> list[Column]:
    """Describe the columns of a frame wrapped by narwhals."""

    def reader(name: str) -> Callable[[], np.ndarray]:
        # Nulls make the column one of floats with NaN.
        return lambda: frame.get_column(name).cast(nw.Float64).to_numpy()

    return [Column(name, _what_narwhals(dtype, nw), reader(name)) for name, dtype in frame.schema.items()]


def _numbers(series: pd.Series) -> np.ndarray:
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy()
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _what_pandas(series: pd.Series) -> str:
    dtype = series.dtype
    types = pd.api.types
    if types.is_bool_dtype(dtype):
        return "boolean"
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.PeriodDtype):
        return "period"
    if isinstance(dtype, pd.ArrowDtype):
        return _what_arrow(dtype)
    if types.is_string_dtype(dtype) and not types.is_object_dtype(dtype):
        return "text"
    if types.is_object_dtype(dtype):
        return _what_objects(series.dropna().head(1000).to_numpy())
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    if types.is_timedelta64_dtype(dtype):
        return "duration"
    if types.is_numeric_dtype(dtype):
        return "complex" if types.is_complex_dtype(dtype) else "numeric"
    return "object"


def _what_arrow(dtype: pd.ArrowDtype) -> str:
    import pyarrow  # type: ignore[import-untyped]  # it is there, since the dtype is

    types, arrow = pyarrow.types, dtype.pyarrow_dtype
    if types.is_integer(arrow) or types.is_floating(arrow):
        return "numeric"
    if types.is_decimal(arrow):
        return "decimal"
    if types.is_string(arrow) or types.is_large_string(arrow):
        return "text"
    if types.is_temporal(arrow):
        return "duration" if types.is_duration(arrow) else "date"
    return "category" if types.is_dictionary(arrow) else "object"


def _what_numpy(dtype: np.dtype) -> str:
    words = {"b": "boolean", "i": "numeric", "u": "numeric", "f": "numeric", "c": "complex", "m": "duration"}
    words |= {"M": "date", "U": "text", "S": "text", "T": "text"}
    return words.get(dtype.kind, "object")


def _what_objects(values: np.ndarray) -> str:
    for types, word in (
        (str, "text"),
        (decimal.Decimal, "decimal"),
        ((bool, np.bool_), "boolean"),
        (datetime.date, "date"),
        (datetime.timedelta, "duration"),
    ):
        if any(isinstance(value, types) for value in values):
            return word
    return "object"


def _what_narwhals(dtype: Any, nw: Any) -> str:
    if dtype == nw.Decimal:
        return "decimal"
    if dtype.is_numeric():
        return "numeric"
    if dtype == nw.Boolean:
        return "boolean"
    if dtype == nw.String:
        return "text"
    if dtype in (nw.Categorical, nw.Enum):
        return "category"
    if dtype == nw.Duration:
        return "duration"
    return "date" if dtype.is_temporal() else "object"
