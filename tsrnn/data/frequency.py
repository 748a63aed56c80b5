"""Which grid do these stamps lie on? Inferred from their steps, or given and checked."""

from __future__ import annotations

import datetime
import numbers
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from tsrnn.data.ordering import Place
from tsrnn.data.time_axis import DAY, UNITS, TimeAxis, fixed_step, kind_of

AGREEMENT = 0.95  # share of steps that have to be equal; fewer, and the series is not taken to be regular
_MONTHS = ("MS", "ME", "BMS", "BME")


def find_axis(index: pd.Index, raw: np.ndarray, series: np.ndarray, freq: Any, place: Place) -> TimeAxis:
    """Find the grid of a table's stamps.

    Parameters
    ----------
    index : pandas Index
        The stamps as they came: only their kind, time zone and resolution are read here.
    raw, series : ndarray of int64
        The integers behind the stamps and the series of each row, in order and without duplicates.
    freq : str, offset, int or None
        What the user declared.
    place : callable
        `place(rows)` names rows of `raw` for messages.
    """
    kind = kind_of(index)
    if freq is None:
        freq = _own_freq(index)
    base = TimeAxis(
        kind,
        origin=int(raw[0]),
        freq=index.freqstr if isinstance(index, pd.PeriodIndex) else "s" if kind == "datetime" else "",
        tz=_zone(index),
        unit=index.unit if isinstance(index, pd.DatetimeIndex) else "ns",
    )
    axis = _inferred(base, raw, series, place) if freq is None else _given(base, freq)
    if axis.unit != base.unit:
        raw = raw * (UNITS[axis.unit] // UNITS[base.unit])
    return _with_common_phase(axis, raw, series, freq, place)


def _own_freq(index: pd.Index) -> Any:
    """Return the frequency that an index carries, unless it runs backwards or has no name to be saved under."""
    own = index.freq if isinstance(index, pd.DatetimeIndex) else None
    return own if own is not None and own.n > 0 and _has_name(own) else None


def _has_name(offset: Any) -> bool:
    try:
        return bool(to_offset(offset.freqstr) == offset)
    except ValueError:
        return False


def _replace(axis: TimeAxis, **changes: Any) -> TimeAxis:
    return TimeAxis.from_dict({**axis.to_dict(), **changes})


def _zone(index: pd.Index) -> str | None:
    """Name the time zone of stamps in a form that pandas reads again."""
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        return None
    fixed = index.tz.utcoffset(None)
    if fixed is not None:
        return str(datetime.timezone(fixed))
    name = str(index.tz)
    try:
        pd.DatetimeIndex([]).tz_localize(name)
    except (ValueError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(
            f"The stamps' time zone {name!r} is not known by name, so that a saved forecaster could not find it again. "
            "Convert them, for example with `tz_convert('Europe/Berlin')`."
        ) from error
    return name


def _given(base: TimeAxis, freq: Any) -> TimeAxis:
    if base.kind == "integer":
        if not isinstance(freq, numbers.Integral) or isinstance(freq, bool) or freq < 1:
            raise ValueError(f"`freq` of rows numbered by integers must be an integer of at least 1; got {freq!r}.")
        return _replace(base, step=int(freq))
    try:
        if isinstance(freq, bool) or not isinstance(freq, (str, pd.offsets.BaseOffset, datetime.timedelta)):
            raise TypeError("expected a string or an offset")
        offset: Any = pd.PeriodDtype(freq).freq if base.kind == "period" else to_offset(freq)  # type: ignore[arg-type]
        if base.kind == "datetime" and not _has_name(offset):
            raise ValueError("an offset that has no name of its own")
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"`freq` must be an offset of pandas, such as 'h', '10min', 'D', 'MS' or 'B'; got {freq!r} ({error})."
        ) from error
    if offset.n < 1:
        raise ValueError(f"`freq` must go forward in time; got {freq!r}.")
    if base.kind == "period":
        return _given_period(base, offset)
    axis = _replace(base, freq=offset.base.freqstr, step=int(offset.n))
    if isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day):
        # A grid finer than the stamps' resolution needs a finer one for the stamps to come.
        fine = next(u for u in UNITS if UNITS[u] >= UNITS[base.unit] and fixed_step(offset.base, u))
        axis = _replace(axis, unit=fine, origin=base.origin * (UNITS[fine] // UNITS[base.unit]))
    return axis


def _given_period(base: TimeAxis, offset: Any) -> TimeAxis:
    own = pd.PeriodDtype(base.freq).freq
    if own.base != offset.base:
        raise ValueError(
            f"`freq` must be a multiple of the periods' own frequency {base.freq!r}; got {offset.freqstr!r}. Convert "
            f"the periods with `index.asfreq({offset.freqstr!r})`, or leave `freq` out."
        )
    return _replace(base, step=int(offset.n))


def _inferred(base: TimeAxis, raw: np.ndarray, series: np.ndarray, place: Place) -> TimeAxis:
    steps, owner = _steps(raw, series)
    if not len(steps):
        if base.kind == "integer":
            return base
        raise ValueError(
            f"`freq` cannot be inferred: it takes two stamps of one series, and there is only {place([0])}. "
            "Give `freq=`."
        )
    step, share = _most_common(steps)
    if base.kind == "datetime":
        day = DAY * UNITS[base.unit]
        # Months can be as regular as days by chance (July, August, September): the calendar is asked first.
        if share < AGREEMENT or step >= 28 * day or (base.tz is not None and step % day == 0):
            calendar = _calendar(base, raw, series, step, share)
            if calendar is not None:
                return calendar
    if share < AGREEMENT:
        raise ValueError(_no_frequency(base, steps, share))
    _check_series(base, steps, owner, step, place, series)
    return _fixed(base, step)


def _steps(raw: np.ndarray, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps within series, and the row each of them starts from."""
    rows = np.flatnonzero(series[1:] == series[:-1])
    return raw[rows + 1] - raw[rows], rows


def row_spacing(ticks: np.ndarray, series: np.ndarray) -> int:
    """Return the ticks from row to row, where two or more steps within series agree on them; 1 otherwise."""
    steps, _ = _steps(ticks, series)
    step, share = _most_common(steps) if len(steps) > 1 else (1, 1.0)
    return step if share >= AGREEMENT else 1


def _most_common(steps: np.ndarray) -> tuple[int, float]:
    if (steps == steps[0]).all():
        return int(steps[0]), 1.0
    values, counts = np.unique(steps, return_counts=True)
    best = int(counts.argmax())
    return int(values[best]), counts[best] / len(steps)


def _fixed(base: TimeAxis, step: int) -> TimeAxis:
    """Give the axis of a step in raw units, under the longest name that divides it."""
    if base.kind != "datetime":
        return _replace(base, step=step)
    second = UNITS[base.unit]
    if step % (DAY * second) == 0 and base.tz is None:
        return _days(base, step // (DAY * second))
    names: dict[str, int] = {
        "h": 3600 * second,
        "min": 60 * second,
        **{u: second // UNITS[u] for u in UNITS if UNITS[u] <= second},
    }
    name, size = next((name, size) for name, size in names.items() if step % size == 0)
    return _replace(base, freq=name, step=step // size)


def _days(base: TimeAxis, days: int) -> TimeAxis:
    if days % 7:
        return _replace(base, freq="D", step=days)
    weekday = _wall(base, np.array([base.origin]))[0].strftime("%a").upper()
    return _replace(base, freq=f"W-{weekday}", step=days // 7)


def _wall(base: TimeAxis, raw: np.ndarray) -> pd.DatetimeIndex:
    stamps = pd.DatetimeIndex(raw.view(f"M8[{base.unit}]"))
    return stamps if base.tz is None else stamps.tz_localize("UTC").tz_convert(base.tz).tz_localize(None)


def _calendar(base: TimeAxis, raw: np.ndarray, series: np.ndarray, step: int, share: float) -> TimeAxis | None:
    """Find the offset, counted by the wall clock, that most steps are a multiple of."""
    wall = _wall(base, raw)
    day = DAY * UNITS[base.unit]
    wall_step, wall_share = _most_common(_steps(wall.asi8, series)[0])
    if step < 28 * day and wall_step % day == 0 and wall_share >= max(share, AGREEMENT):
        return _days(base, wall_step // day)
    if (wall.asi8 % day != wall.asi8[0] % day).any():
        return None  # dates of a calendar come at one hour of the day
    # Four weeks are twenty business days as well: equal days need no calendar but the months'.
    for name in _MONTHS if share >= AGREEMENT else (*_MONTHS, "B"):
        axis = _replace(base, freq=name)
        ticks, on_grid = axis.locate(raw)
        if on_grid.all():
            count, agreeing = _most_common(_steps(ticks, series)[0])
            if agreeing >= AGREEMENT:
                return _whole_calendar(axis, count, wall)
    return None


def _whole_calendar(axis: TimeAxis, count: int, wall: pd.DatetimeIndex) -> TimeAxis:
    """Name months in threes and twelves as quarters and years."""
    if axis.freq == "B" or count % 3:
        return _replace(axis, step=count)
    start = axis.freq.endswith("S")
    per_name, name = (12, "Y") if count % 12 == 0 else (3, "Q")
    names = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
    month = int(wall[0].month) - 1
    if name == "Q":
        month = month % 3 if start else month % 3 + 9
    business = "B" if axis.freq.startswith("B") else ""
    return _replace(axis, freq=f"{business}{name}{'S' if start else 'E'}-{names[month]}", step=count // per_name)


def _check_series(
    base: TimeAxis, steps: np.ndarray, owner: np.ndarray, step: int, place: Place, series: np.ndarray
) -> None:
    """Refuse a series that has a step of its own; among many others it would pass for one full of holes."""
    if (steps == step).all():
        return
    of_series = series[owner]
    n_steps = np.bincount(of_series)
    n_agreeing = np.bincount(of_series, weights=steps == step)
    odd = np.flatnonzero((n_steps >= 3) & (n_agreeing < n_steps / 2))
    if len(odd):
        row = int(np.flatnonzero(series == odd[0])[0])
        own = steps[of_series == odd[0]]
        raise ValueError(
            f"`freq` cannot be inferred: most steps are {_shown(base, step)}, but {len(odd)} of "
            f"{len(np.unique(series))} series have other ones, the first from {place([row])} on: "
            f"{_shown_steps(base, own)}. Resample them to one frequency, or give `freq=`."
        )


def _with_common_phase(axis: TimeAxis, raw: np.ndarray, series: np.ndarray, freq: Any, place: Place) -> TimeAxis:
    """Put the origin on the phase that most stamps have, and refuse the others."""
    axis = _replace(axis, origin=int(raw.min()))
    on_grid = axis.locate(raw)[1]
    if not on_grid.all():
        # The earliest stamp may be the odd one.
        axis = _replace(axis, origin=_common_origin(axis, raw))
        on_grid = axis.locate(raw)[1]
    if on_grid.all():
        return axis
    off = np.flatnonzero(~on_grid)
    whole = [s for s in np.unique(series[off]) if not on_grid[series == s].any()][:1]
    origin = "given as `freq`" if freq is not None else "of most steps"
    where = f"Stamps must lie on the grid of {axis.label!r} ({origin}) through {axis.stamps([0])[0]}"
    where += f"; {len(off)} of {len(raw)} do not: {place(off)}"
    if whole and len(np.unique(series)) > 1:
        where += f"; the series from {place([int(np.flatnonzero(series == whole[0])[0])])} on lies wholly beside it"
    raise ValueError(f"{where}. Round or resample them (`floor`, `resample`), drop them, or give another `freq=`.")


def _common_origin(axis: TimeAxis, raw: np.ndarray) -> int:
    candidates = raw[:: max(1, len(raw) // 25)]
    on_grid = [_replace(axis, origin=int(candidate)).locate(raw)[1] for candidate in candidates]
    most = max(on_grid, key=np.count_nonzero)
    return int(raw[most].min()) if most.any() else int(raw[0])


def _no_frequency(base: TimeAxis, steps: np.ndarray, share: float) -> str:
    return (
        f"`freq` cannot be inferred: at least {AGREEMENT:.0%} of the steps between stamps must be equal; the most "
        f"common step makes up {share:.1%} of {len(steps)}. Steps found: {_shown_steps(base, steps)}. Give `freq=`, "
        "resample the series, or number the rows (`reset_index`) if their distance does not matter."
    )


def _shown_steps(base: TimeAxis, steps: np.ndarray) -> str:
    counts = Counter(steps.tolist()).most_common()
    shown = ", ".join(f"{_shown(base, step)} ({count} times)" for step, count in counts[:4])
    return shown if len(counts) <= 4 else f"{shown} and {len(counts) - 4} others"


def _shown(base: TimeAxis, step: int) -> str:
    if base.kind != "datetime":
        return str(step)
    return str(pd.Timedelta(step, base.unit)).replace("0 days ", "").replace(" 00:00:00", "")
