"""The one copy at the border: columns of any kind into one float32 array, and what cannot be in it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from tsrnn._errors import DataWarning
from tsrnn.data.columns import Column
from tsrnn.data.names import Name, count_rows
from tsrnn.data.ordering import Order, Place

# Numbers that loggers and archives write where nothing was measured.
CODES = np.array(
    [sign * size for size in (99.0, 99.9, 99.99, 999.0, 999.9, 999.99, 9999.0, 9999.9, 99999.0) for sign in (-1, 1)]
    + [-8888.0, -7777.0, -32768.0, 32767.0, -1e20, 1e20, -1e30, 1e30]
)
_FAR = 20  # spreads of the column between its bulk and a code: farther than any measurement would be
_FLOAT32_STEPS = 1000  # a column has to vary over this many steps of float32 for a network to see its shape


@final
@dataclass(frozen=True)
class Wild:
    """A value that looks like a code for "missing"."""

    name: Name
    code: float
    count: int
    first: int  # row


def write_columns(
    values: np.ndarray,
    position: np.ndarray,
    columns: Sequence[Column],
    order: Order,
    na_values: tuple[float, ...] | None,
    place: Place,
    *,
    training: bool,
) -> dict[Name, int]:
    """Write columns straight into the float32 array of the panel.

    Parameters
    ----------
    values : ndarray of float32, shape (rows of the grid, columns)
        Output; rows that no row of the table goes to are left alone.
    position : ndarray of int64
        The row of the grid for each ordered row of the table.
    na_values : tuple of numbers or None
        Codes to read as missing; None refuses unmistakable ones in training data.
    place : callable
        Names ordered rows.

    Returns
    -------
    dict
        Codes replaced, by column.
    """
    replaced: dict[Name, int] = {}
    wild: list[Wild] = []
    for channel, column in enumerate(columns):
        read = _as_float(column.read())
        if na_values:
            read, count = without_codes(read, na_values)
            if count:
                replaced[column.name] = count
        ordered = order.gather(read)
        present = ~np.isnan(ordered)
        if not present.any():
            raise ValueError(_empty_message(column.name, len(ordered), training=training))
        _refuse_infinite(column.name, ordered, place)
        _refuse_overflow(column.name, ordered, place)
        if training:
            if na_values is None:
                wild += _wild_values(column.name, ordered, present)
            _warn_of_flat_column(column.name, ordered[present])
        values[position, channel] = ordered
    if wild:
        raise ValueError(_codes_message(wild, place))
    return replaced


def _empty_message(name: Name, rows: int, *, training: bool) -> str:
    remedy = "Drop it, or leave it out of `target` and `past_covariates`"
    if not training:
        remedy = "The forecaster was fitted on this column and reads its history: give its values"
    return f"The column {name!r} holds no value at all ({count_rows(rows)}, all missing). {remedy}."


def _as_float(values: np.ndarray) -> np.ndarray:
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)


def without_codes(values: np.ndarray, codes: tuple[float, ...]) -> tuple[np.ndarray, int]:
    """Replace codes by NaN; compared in the column's own precision, since float32 holds -999.9 only nearly."""
    with np.errstate(over="ignore"):
        hit = np.isin(values, np.asarray(codes, np.float64).astype(values.dtype))
    count = int(np.count_nonzero(hit))
    return (np.where(hit, values.dtype.type(np.nan), values) if count else values), count


def _refuse_infinite(name: Name, ordered: np.ndarray, place: Place) -> None:
    infinite = np.flatnonzero(np.isinf(ordered))
    if len(infinite):
        raise ValueError(
            f"Values must be finite; the column {name!r} has {len(infinite)} infinite ones, the first at "
            f"{place(infinite)}. Replace them, or give `na_values=[float('inf'), float('-inf')]` to read them as "
            "missing."
        )


def _refuse_overflow(name: Name, ordered: np.ndarray, place: Place) -> None:
    limit = float(np.finfo(np.float32).max)
    large = np.flatnonzero(np.abs(ordered) > limit)
    if len(large):
        raise ValueError(
            f"Values must fit into float32 (up to {limit:.3g}); the column {name!r} has {len(large)} larger ones, the "
            f"first, {ordered[large[0]]:g}, at {place(large)}. Divide the column by a constant, or give "
            f"`na_values=[{ordered[large[0]]:g}]` if it stands for a missing value."
        )


def _wild_values(name: Name, ordered: np.ndarray, present: np.ndarray) -> list[Wild]:
    """Find codes: usual ones that lie far outside all else that the column holds."""
    codes = CODES.astype(ordered.dtype)
    # A code far outside can only be the column's lowest or highest value: two cheap passes settle most columns.
    if not np.isin([np.nanmin(ordered), np.nanmax(ordered)], codes).any():
        return []
    is_code = np.isin(ordered, codes)
    bulk = ordered[present & ~is_code]
    if not len(bulk):
        return []
    low, quarter, three_quarters, high = np.percentile(bulk, [1, 25, 75, 99])
    # Rain is zero most of the time: then the range of the bulk has to serve.
    spread = max(three_quarters - quarter, (high - low) / 4) or float(bulk.max() - bulk.min())
    if not spread:
        return []
    found = []
    for code in np.unique(ordered[is_code]):
        distance = max(low - code, code - high)
        # Radiation from 0 to 2000 is too wide for the rule, but it is never -9999.
        below_zero = code < 0 <= bulk.min() and distance > 2 * (high - low)
        if distance > _FAR * spread or below_zero:
            rows = np.flatnonzero(ordered == code)
            found.append(Wild(name, float(code), len(rows), int(rows[0])))
    return found


def _codes_message(wild: list[Wild], place: Place) -> str:
    shown = "; ".join(
        f"{w.code:g} in the column {w.name!r} (count {w.count}, first at {place([w.first])})" for w in wild[:5]
    )
    more = f"; and in {len(wild) - 5} more" if len(wild) > 5 else ""
    codes = ", ".join(f"{code:g}" for code in dict.fromkeys(w.code for w in wild))
    return (
        f"Values far outside all others look like codes for missing values: {shown}{more}. Give "
        f"`na_values=[{codes}]` to read them as missing, or `na_values=[]` to take them as measured."
    )


def _warn_of_flat_column(name: Name, present: np.ndarray) -> None:
    low, high = float(present.min()), float(present.max())
    size = max(abs(low), abs(high))
    step = float(np.finfo(np.float32).eps) * size
    if 0 < high - low < _FLOAT32_STEPS * step:
        warnings.warn(
            f"The column {name!r} varies by only {high - low:.3g} around {size:.6g}, which is too little beside the "
            f"{step:.2g} that float32 resolves there. Subtract an offset from it, such as its mean.",
            DataWarning,
            stacklevel=7,  # the user's call of `fit`
        )
