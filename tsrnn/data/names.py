"""Names of columns and series as JSON: frames may be labelled by more than text, and JSON knows no tuples or dates."""

from __future__ import annotations

import datetime
import numbers
from typing import Any

import numpy as np
import pandas as pd

from tsrnn._errors import Instance

Name = Any  # what pandas takes as a label: text, a number, a tuple of these, a date
NAME = Instance((str, numbers.Real, tuple, datetime.date), "the name of a column")


def plain_name(name: Name) -> Name:
    """Turn NumPy scalars into Python's own, so that equal names compare, print and save alike."""
    if isinstance(name, tuple):
        return tuple(plain_name(part) for part in name)
    return name.item() if isinstance(name, np.generic) and not isinstance(name, np.datetime64) else name


def count_rows(count: int) -> str:
    """Write a number of rows for a message.

    Examples
    --------
    >>> count_rows(1), count_rows(24)
    ('1 row', '24 rows')
    """
    return "1 row" if count == 1 else f"{count} rows"


def encode_name(name: Name) -> Any:
    """Give a JSON value from which `decode_name` makes the name again.

    Examples
    --------
    >>> decode_name(encode_name(("temp", 2)))
    ('temp', 2)
    """
    if name is None or isinstance(name, (str, bool, int, float)):
        return name
    if isinstance(name, tuple):
        return {"tuple": [encode_name(part) for part in name]}
    if isinstance(name, (datetime.date, np.datetime64)):
        return {"stamp": pd.Timestamp(name).isoformat()}
    raise TypeError(
        f"The name {name!r} of a column or series cannot be saved: expected text, a number, a date or a tuple of "
        f"these; got {type(name).__name__}. Rename it."
    )


def decode_name(value: Any) -> Name:
    """Undo `encode_name`."""
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(decode_name(part) for part in value["tuple"])
    return pd.Timestamp(value["stamp"])
