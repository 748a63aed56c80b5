"""The grid that all series share: integer ticks on one side, stamps on the other.

Three kinds of steps between two ticks:

- a fixed time ("min", "h", ...), counted in absolute time, so that both clock changes keep hourly data regular;
- days, counted by the wall clock of the time zone, so that daily data stays at its hour of the day;
- any other calendar offset ("MS", "B", "QE", ...), counted on the list of its dates, also by the wall clock.

Periods and plain integers are counted as the integers they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, final

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

Kind = Literal["datetime", "period", "integer"]
Unit = Literal["s", "ms", "us", "ns"]
UNITS: dict[Unit, int] = {
    "s": 1,
    "ms": 10**3,
    "us": 10**6,
    "ns": 10**9,
}  # ticks of each resolution of stamps in a second
DAY = 86_400


@final
@dataclass(frozen=True)
class TimeAxis:
    """A regular grid of stamps.

    Attributes
    ----------
    kind : {"datetime", "period", "integer"}
        What the stamps are.
    origin : int
        Stamp of tick 0: time since 1970 (UTC) in `unit`, a period's ordinal, or the integer itself.
    freq : str
        One base step: an offset of pandas for stamps ("min", "MS"), the periods' own frequency; "" for integers.
    step : int
        Base steps from one tick to the next.
    tz : str or None
        Time zone of the stamps.
    unit : {"s", "ms", "us", "ns"}
        Resolution of the stamps.

    Examples
    --------
    >>> axis = TimeAxis("datetime", origin=0, freq="min", step=10, unit="s")
    >>> axis.stamps([0, 144])
    DatetimeIndex(['1970-01-01', '1970-01-02'], dtype='datetime64[s]', freq=None)
    >>> axis.season(), axis.label
    (144, '10min')
    """

    kind: Kind
    origin: int
    freq: str = ""
    step: int = 1
    tz: str | None = None
    unit: Unit = "ns"

    @property
    def label(self) -> str:
        """The step as one would write it."""
        if self.kind == "integer":
            return str(self.step)
        if self.kind == "period":
            name = self.freq.lstrip("0123456789")
            return name if self.step == 1 else f"{self.step}{name}"
        return self.freq if self.step == 1 else f"{self.step}{self.freq}"

    @property
    def _offset(self) -> Any:
        return pd.PeriodDtype(self.freq).freq if self.kind == "period" else to_offset(self.freq)

    def season(self) -> int:
        """Return the number of steps in one season: a day of hours, a week of days, a year of months, ..."""
        if self.kind == "integer":
            return 24
        return _season(self._offset.base, self.step)

    def stamps(self, ticks: Any) -> pd.Index:
        """Return the stamps of the given ticks, as an index like that of the training frame."""
        ticks = np.asarray(ticks, np.int64)
        if self.kind == "integer":
            return pd.Index(self.origin + ticks * self.step)
        if self.kind == "period":
            ordinals = self.origin + ticks * self.step
            return pd.PeriodIndex.from_ordinals(ordinals, freq=self.freq)  # type: ignore[attr-defined]
        if self._fixed_step is not None:
            moments = self._index(self.origin + ticks * self._fixed_step)
            return moments if self.tz is None else _to_zone(moments, self.tz)
        return self._localize(self._wall_at(ticks))

    def ticks(self, index: pd.Index) -> np.ndarray:
        """Return the ticks of stamps, which have to lie on the grid."""
        ticks, on_grid = self.locate(self.raw(index))
        if not on_grid.all():
            off = index[~on_grid]
            raise ValueError(
                f"Stamps must lie on the grid of {self.label!r}; {len(off)} of {len(index)} do not, the first is "
                f"{off[0]}. Round or resample them."
            )
        return ticks

    def raw(self, index: pd.Index) -> np.ndarray:
        """Return the integers behind stamps, in the unit of this axis; the kind has to be the same."""
        found = kind_of(index)
        if found != self.kind:
            raise ValueError(f"The stamps must be of the kind {self.kind!r}, as in the training data; got {found!r}.")
        if isinstance(index, pd.DatetimeIndex):
            return self._raw_datetime(index)
        if isinstance(index, pd.PeriodIndex):
            if index.dtype != pd.PeriodDtype(self.freq):
                raise ValueError(
                    f"The periods must have the frequency {self.freq!r}, as in the training data; got "
                    f"{index.freqstr!r}. Convert them with `index.asfreq({self.freq!r})`."
                )
            return index.asi8
        return index.to_numpy(np.int64)

    def _raw_datetime(self, index: pd.DatetimeIndex) -> np.ndarray:
        if (index.tz is None) != (self.tz is None):
            here = "no time zone" if index.tz is None else f"the time zone {index.tz}"
            there = "none" if self.tz is None else self.tz
            remedy = f"tz_localize({self.tz!r})" if index.tz is None else "tz_localize(None)"
            raise ValueError(
                f"The stamps have {here}, those of the training data have {there}. Make them alike, for example "
                f"with `{remedy}` on the index or time column."
            )
        coarse = index.as_unit(self.unit)
        if not np.array_equal(coarse.as_unit(index.unit).asi8, index.asi8):
            first = index[coarse.as_unit(index.unit).asi8 != index.asi8][0]
            raise ValueError(f"The stamp {first} is finer than those of the training data ({self.unit}). Round it.")
        return coarse.asi8

    def locate(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ticks of raw stamps, and for each whether it lies on the grid."""
        if self._fixed_step is not None:
            ticks, rest = np.divmod(raw - self.origin, self._fixed_step)
            return ticks, rest == 0
        wall = self._to_wall(raw)
        if self._wall_step is None:
            return self._locate_on_calendar(wall)
        ticks, rest = np.divmod(wall - self._wall_origin, self._wall_step)
        on_grid = rest == 0
        if not on_grid.all() and self.tz is not None:
            # A wall time that a clock change skips comes as the next one there is.
            shifted = np.flatnonzero(~on_grid)
            expected = self._localize(self._wall_at(ticks[shifted]))
            on_grid[shifted] = expected.asi8 == raw[shifted]
        return ticks, on_grid

    def _locate_on_calendar(self, wall: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not len(wall):
            return np.empty(0, np.int64), np.empty(0, bool)
        day = DAY * UNITS[self.unit]
        clock = self._wall_origin % day
        low = min(int(wall.min()), self._wall_origin) // day * day + clock
        high = max(int(wall.max()), self._wall_origin) // day * day + clock
        ends = self._index(np.array([low, high]))
        offset = self._offset
        dates = pd.date_range(ends[0] - offset, ends[1] + offset, freq=offset).as_unit(self.unit).asi8
        place = np.minimum(np.searchsorted(dates, wall), len(dates) - 1)
        ticks, rest = np.divmod(place - np.searchsorted(dates, self._wall_origin), self.step)
        return ticks, (dates[place] == wall) & (rest == 0)

    @property
    def _fixed_step(self) -> int | None:
        """The step in units, where it is the same in absolute time."""
        if self.kind != "datetime":
            return self.step
        offset = self._offset
        is_fixed = isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day)
        return fixed_step(offset, self.unit) * self.step if is_fixed else None

    @property
    def _wall_step(self) -> int | None:
        """The step in units, where it is the same by the wall clock."""
        return self.step * DAY * UNITS[self.unit] if isinstance(self._offset, pd.offsets.Day) else None

    @property
    def _wall_origin(self) -> int:
        return int(self._to_wall(np.array([self.origin]))[0])

    def _wall_at(self, ticks: np.ndarray) -> np.ndarray:
        if self._wall_step is not None:
            return self._wall_origin + ticks * self._wall_step
        if not len(ticks):
            return ticks
        steps = ticks * self.step
        start = self._index(np.array([self._wall_origin]))[0]
        after, before = max(int(steps.max()), 0), max(-int(steps.min()), 0)
        dates = pd.date_range(start, periods=after + 1, freq=self._offset).as_unit(self.unit).asi8
        if before:
            past = pd.date_range(end=start, periods=before + 1, freq=self._offset).as_unit(self.unit).asi8
            dates = np.concatenate((past[:-1], dates))
        return dates[steps + before]

    def _index(self, raw: np.ndarray) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(np.asarray(raw, np.int64).view(f"M8[{self.unit}]"))

    def _to_wall(self, raw: np.ndarray) -> np.ndarray:
        return raw if self.tz is None else _to_zone(self._index(raw), self.tz).tz_localize(None).asi8

    def _localize(self, wall: np.ndarray) -> pd.DatetimeIndex:
        stamps = self._index(wall)
        if self.tz is None:
            return stamps
        return stamps.tz_localize(self.tz, ambiguous=np.ones(len(wall), bool), nonexistent="shift_forward")

    def to_dict(self) -> dict[str, Any]:
        """Return the axis as values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TimeAxis:
        """Make the axis again from `to_dict()`."""
        return cls(**values)


def _to_zone(moments: pd.DatetimeIndex, tz: str) -> pd.DatetimeIndex:
    return moments.tz_localize("UTC").tz_convert(tz)


def kind_of(index: pd.Index) -> Kind:
    """Say which kind of stamps an index holds; integers are all that is neither stamps nor periods."""
    if isinstance(index, pd.DatetimeIndex):
        return "datetime"
    return "period" if isinstance(index, pd.PeriodIndex) else "integer"


def fixed_step(offset: Any, unit: Unit) -> int:
    """Return a fixed offset in a resolution of stamps; 0 where the resolution is too coarse for it."""
    step, rest = divmod(pd.Timedelta(offset).as_unit("ns").value, UNITS["ns"] // UNITS[unit])
    return 0 if rest else int(step)


def _season(base: Any, step: int) -> int:
    """Return the steps in a season, for `step` times the offset `base`."""
    offsets = pd.offsets
    if isinstance(base, offsets.Day):
        return _season_of_days(step)
    if isinstance(base, offsets.Week):
        return _season_of_days(7 * step)
    if isinstance(base, offsets.Tick):
        return _season_of_time(pd.Timedelta(base).value * step)
    per_year = _PER_YEAR.get(type(base))
    if per_year is not None:
        return per_year // step if step < per_year and per_year % step == 0 else 1
    return 5 if isinstance(base, (offsets.BusinessDay, offsets.CustomBusinessDay)) and step == 1 else 1


def _season_of_days(days: int) -> int:
    if days < 7:
        return 7  # whole weeks, whatever the step
    return max(1, round(52 * 7 / days)) if days % 7 == 0 else max(1, round(365.25 / days))


def _season_of_time(step: int) -> int:
    """Return the steps in the shortest of minute, hour and day that holds 24 of them; a day where none does."""
    second = UNITS["ns"]
    day = DAY * second
    for season in (second, 60 * second, 3600 * second, day):
        if season % step == 0 and season // step >= 24:
            return season // step
    if step % day == 0:
        return _season_of_days(step // day)
    if day % step == 0:
        return day // step
    return max(1, round(day / step) if step < day else round(7 * day / step))


_PER_YEAR: dict[Any, int] = {
    **dict.fromkeys(
        (
            pd.offsets.MonthBegin,
            pd.offsets.MonthEnd,
            pd.offsets.BusinessMonthBegin,
            pd.offsets.BusinessMonthEnd,
            pd.offsets.CustomBusinessMonthBegin,
            pd.offsets.CustomBusinessMonthEnd,
        ),
        12,
    ),
    **dict.fromkeys((pd.offsets.SemiMonthBegin, pd.offsets.SemiMonthEnd), 24),
    **dict.fromkeys(
        (pd.offsets.QuarterBegin, pd.offsets.QuarterEnd, pd.offsets.BQuarterBegin, pd.offsets.BQuarterEnd), 4
    ),
}
