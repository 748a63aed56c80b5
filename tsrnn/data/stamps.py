"""The stamps of rows, from whatever a column or index holds to datetimes, periods or integers."""

from __future__ import annotations

import datetime
import warnings

import numpy as np
import pandas as pd

from tsrnn._errors import quoted


def read_stamps(values: pd.Index | pd.Series, where: str) -> pd.Index:
    """Read an index or a column of stamps.

    Parameters
    ----------
    values : Index or Series
    where : str
        What it is, for messages: "the index", "column 'time'".

    Returns
    -------
    DatetimeIndex, PeriodIndex, or Index of int64
    """
    index = _convert(values, where)
    missing = np.flatnonzero(index.isna())
    if len(missing):
        raise ValueError(
            f"Every row must have a stamp; {where} has {len(missing)} missing ones (NaT), at the row positions "
            f"{quoted(missing)}. Fill them in or drop these rows."
        )
    if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)):
        return index
    return index if isinstance(index, pd.RangeIndex) else pd.Index(index.to_numpy(np.int64))


def _convert(values: pd.Index | pd.Series, where: str) -> pd.Index:
    types = pd.api.types
    dtype = values.dtype
    if isinstance(values, (pd.DatetimeIndex, pd.PeriodIndex, pd.RangeIndex)):
        return values
    if isinstance(dtype, pd.PeriodDtype):
        return pd.PeriodIndex(values)
    if types.is_datetime64_any_dtype(dtype) or _is_arrow_date(dtype):
        return pd.DatetimeIndex(values)
    if types.is_bool_dtype(dtype):
        raise ValueError(_wrong_kind(where, "booleans"))
    if types.is_integer_dtype(dtype):
        return pd.Index(values)
    if types.is_float_dtype(dtype):
        raise ValueError(_wrong_kind(where, "floats") + " Convert whole numbers with `astype(int)`.")
    if isinstance(dtype, pd.CategoricalDtype):
        return _convert(pd.Index(values).astype(dtype.categories.dtype), where)
    if types.is_object_dtype(dtype) or types.is_string_dtype(dtype):
        return _parse(values, where)
    raise ValueError(_wrong_kind(where, str(dtype)))


def _wrong_kind(where: str, got: str) -> str:
    return f"Stamps must be datetimes, periods, integers or ISO 8601 text; {where} holds {got}."


def _is_arrow_date(dtype: object) -> bool:
    return isinstance(dtype, pd.ArrowDtype) and (dtype.kind == "M" or str(dtype) == "date32[day][pyarrow]")


def _parse(values: pd.Index | pd.Series, where: str) -> pd.Index:
    """Read text in ISO 8601, or objects of Python's datetime; other formats are ambiguous (which is the month?)."""
    present = values[values.notna()].to_numpy(dtype=object)
    if len(present) and all(isinstance(value, pd.Period) for value in present):
        return pd.PeriodIndex(values)
    text_or_date = (str, datetime.date, np.datetime64)
    other = [value for value in present if not isinstance(value, text_or_date)]
    if other:
        raise ValueError(_wrong_kind(where, f"{type(other[0]).__name__}, the first being {other[0]!r}"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # pandas 2 only warns about offsets that differ
            return pd.DatetimeIndex(pd.to_datetime(values.to_numpy(dtype=object), format="ISO8601"))
    except (ValueError, TypeError, OverflowError, FutureWarning) as error:
        bad = _first_unreadable(values)
        raise ValueError(
            f"{_wrong_kind(where, 'text that cannot be read as a stamp')} The first: {bad}. Convert it with "
            "`pd.to_datetime(..., format='%d.%m.%Y %H:%M')` or the format it has; stamps with different offsets from "
            "UTC with `pd.to_datetime(..., utc=True)`. Rows without stamps are numbered by `reset_index(drop=True)`."
        ) from error


def _first_unreadable(values: pd.Index | pd.Series) -> str:
    texts = pd.Series(values.to_numpy(dtype=object))
    read = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    bad = np.flatnonzero(read.isna().to_numpy() & texts.notna().to_numpy())
    row = int(bad[0]) if len(bad) else 0
    return f"{texts.iloc[row]!r} at row position {row}"
