"""Windows as integers: which rows are history, which are to be forecast, and which belong to training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from tsrnn._errors import Integer, Options, Real, check_fields, check_parameter, quoted
from tsrnn.data.names import count_rows
from tsrnn.data.panel import Panel


@final
@dataclass(frozen=True)
class WindowShape:
    """The rows of a window.

    Attributes
    ----------
    lookback : int
        Points of history that are read.
    horizon : int
        Rows that are forecast.
    gap : int
        Rows skipped between the last point of history and the first row of the forecast.
    sampling_rate : int
        Distance between the points read, in rows.

    Examples
    --------
    >>> shape = WindowShape(lookback=120, horizon=1, gap=143, sampling_rate=6)
    >>> shape.span, shape.reach, shape.total
    (715, 144, 859)
    """

    lookback: int
    horizon: int
    gap: int = 0
    sampling_rate: int = 1

    def __post_init__(self) -> None:
        lowest = {"lookback": 1, "horizon": 1, "gap": 0, "sampling_rate": 1}
        check_fields(self, {name: Integer(low) for name, low in lowest.items()}, "a window")

    @property
    def span(self) -> int:
        """Rows of history, those between the points read included."""
        return (self.lookback - 1) * self.sampling_rate + 1

    @property
    def reach(self) -> int:
        """Rows from the last point of history to the last row of the forecast."""
        return self.gap + self.horizon

    @property
    def total(self) -> int:
        """Rows of a window with its targets."""
        return self.span + self.reach


@final
@dataclass(frozen=True, eq=False)
class WindowIndex:
    """Windows of a panel.

    Attributes
    ----------
    series : ndarray of int64, shape (n_windows,)
        Position of each window's series in the panel.
    origin : ndarray of int64, shape (n_windows,)
        Row of `panel.values` that is the window's last point of history. The points read are the rows
        `origin - (lookback - 1 - i) * sampling_rate`, the targets `origin + gap + 1` to `origin + gap + horizon`.
    """

    series: np.ndarray
    origin: np.ndarray

    def __len__(self) -> int:
        return len(self.origin)


def all_windows(panel: Panel, shape: WindowShape, stride: int = 1) -> WindowIndex:
    """Return every window that has its targets.

    Parameters
    ----------
    panel : Panel
    shape : WindowShape
    stride : int
        Distance between windows, counted back from each series' end: the latest window is always among them.

    Returns
    -------
    WindowIndex
        By series, then by time.

    Raises
    ------
    ValueError
        If a series is shorter than a window.

    Examples
    --------
    >>> panel = Panel(np.zeros((7, 1), np.float32), np.array([0, 7]), (None,), np.array([0]))
    >>> all_windows(panel, WindowShape(lookback=3, horizon=2), stride=2).origin.tolist()
    [2, 4]
    """
    check_parameter("windows", "stride", stride, Integer(1))
    _refuse_short(panel, shape)
    return _windows_between(panel.indptr[:-1] + shape.span - 1, panel.indptr[1:] - shape.reach, stride)


def end_windows(panel: Panel, shape: WindowShape) -> WindowIndex:
    """Return one window for each series, whose history ends with the series' last row.

    Raises
    ------
    ValueError
        If a series is shorter than the history that a window reads.
    """
    short = np.flatnonzero(panel.lengths < shape.span)
    if len(short):
        remedy = "" if panel.ids[short[0]] is None else f", or leave {'it' if len(short) == 1 else 'them'} out"
        raise ValueError(f"A forecast reads {_history(shape)}; {_shortest(panel, short)}. Give more history{remedy}.")
    return WindowIndex(np.arange(panel.n_series), panel.indptr[1:] - 1)


def split_windows(
    panel: Panel,
    shape: WindowShape,
    fraction: float,
    by: Literal["time", "series"] = "time",
    stride: int = 1,
) -> tuple[WindowIndex, WindowIndex, np.ndarray]:
    """Split windows into training and, later in time, validation.

    Parameters
    ----------
    panel : Panel
    shape : WindowShape
    fraction : float
        Share of the time after the border, 0 (no validation) up to but without 1.
    by : {"time", "series"}
        One border for all series, at one moment; or one for each, before its last part.
    stride : int
        Distance between training windows; validation windows lie one row apart.

    Returns
    -------
    training : WindowIndex
        Windows whose targets all lie before the border.
    validation : WindowIndex
        Windows whose targets all lie at or after the border; their history may reach back over it.
    train_end : ndarray of int64, shape (n_series,)
        The row of `panel.values` where each series' validation part starts. Whatever is learned from rows (scalers,
        baselines) may see those before it only.

    Raises
    ------
    ValueError
        If a series is shorter than a window, or if one of the two sides has no window.

    Examples
    --------
    >>> panel = Panel(np.zeros((10, 1), np.float32), np.array([0, 10]), (None,), np.array([0]))
    >>> training, validation, train_end = split_windows(panel, WindowShape(lookback=3, horizon=2), fraction=0.3)
    >>> training.origin.tolist(), validation.origin.tolist(), train_end.tolist()
    ([2, 3, 4], [6, 7], [7])
    """
    check_parameter("windows", "stride", stride, Integer(1))
    check_parameter("windows", "fraction", fraction, Real(0, 1, "left"))
    check_parameter("windows", "by", by, Options("time", "series"))
    _refuse_short(panel, shape)
    starts, ends = panel.indptr[:-1], panel.indptr[1:]
    train_end = border_rows(panel, fraction, by)
    training = training_windows(panel, shape, train_end, stride)
    first_validated = np.maximum(train_end - shape.gap - 1, starts + shape.span - 1)
    validation = _windows_between(first_validated, ends - shape.reach, 1)
    if not fraction:
        return training, WindowIndex(np.empty(0, np.int64), np.empty(0, np.int64)), train_end
    if not len(training):
        raise ValueError(_no_window("training", panel, shape, fraction, train_end))
    if not len(validation):
        raise ValueError(_no_window("validation", panel, shape, fraction, train_end))
    return training, validation, train_end


def training_windows(panel: Panel, shape: WindowShape, train_end: np.ndarray, stride: int = 1) -> WindowIndex:
    """Return the windows whose targets all lie before the row ``train_end`` of their series; see `split_windows`."""
    return _windows_between(panel.indptr[:-1] + shape.span - 1, train_end - shape.reach, stride)


def completed_windows(panel: Panel, shape: WindowShape, first_new: np.ndarray, stride: int = 1) -> WindowIndex:
    """Return the windows that rows complete which came later: those whose last target is one of them.

    Parameters
    ----------
    panel : Panel
    shape : WindowShape
    first_new : ndarray of int64, shape (n_series,)
        The row of `panel.values` from which on each series is new.
    stride : int
        Distance between windows, counted back from each series' end.

    Examples
    --------
    >>> panel = Panel(np.zeros((9, 1), np.float32), np.array([0, 9]), (None,), np.array([0]))
    >>> completed_windows(panel, WindowShape(lookback=3, horizon=2), np.array([7])).origin.tolist()
    [5, 6]
    """
    check_parameter("windows", "stride", stride, Integer(1))
    first = np.maximum(panel.indptr[:-1] + shape.span - 1, first_new - shape.reach)
    return _windows_between(first, panel.indptr[1:] - shape.reach, stride)


def border_rows(panel: Panel, fraction: float, by: Literal["time", "series"] = "time") -> np.ndarray:
    """Return the row where each series' validation part starts, as `split_windows` does."""
    if by == "series":
        return panel.indptr[1:] - np.rint(panel.lengths * fraction).astype(np.int64)
    first, last = int(panel.offsets.min()), int(panel.end_ticks.max())
    border = last - round((last - first) * fraction)
    return np.clip(panel.indptr[:-1] + border - panel.offsets, panel.indptr[:-1], panel.indptr[1:])


def _windows_between(first: np.ndarray, stop: np.ndarray, stride: int) -> WindowIndex:
    """Return origins from `first` up to but without `stop`, for each series; the last one is always among them."""
    counts = np.maximum(0, -((first - stop) // stride))
    series = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts  # windows of the series before
    back = counts[series] - 1 - (np.arange(len(series)) - before[series])
    return WindowIndex(series, stop[series] - 1 - back * stride)


def _refuse_short(panel: Panel, shape: WindowShape) -> None:
    short = np.flatnonzero(panel.lengths < shape.total)
    if len(short):
        remedy = "" if panel.n_series == 1 else f", or leave short series out with `min_length={shape.total}`"
        raise ValueError(
            f"Each series must have at least {shape.total} rows ({_parts(shape)}); {_shortest(panel, short)}. "
            f"{_shortening(shape, int(panel.lengths.min()))}{remedy}."
        )


def _shortening(shape: WindowShape, rows: int) -> str:
    """Say what to change so that a window fits into so many rows."""
    if rows < 2:
        return "A window needs at least 2 rows, one to read and one to forecast; one sample is none: give more rows"
    return "Shorten `gap`" if shape.lookback == shape.horizon == 1 else "Shorten `lookback` or `horizon`"


def _parts(shape: WindowShape) -> str:
    gap = f" + {shape.gap} of `gap`" if shape.gap else ""
    return f"{_history(shape)}{gap} + {shape.horizon} of `horizon`"


def _history(shape: WindowShape) -> str:
    if shape.sampling_rate == 1:
        return f"{count_rows(shape.span)} of `lookback`"
    return f"{count_rows(shape.span)} for `lookback={shape.lookback}` with `sampling_rate={shape.sampling_rate}`"


def _shortest(panel: Panel, short: np.ndarray) -> str:
    lengths = panel.lengths[short]
    worst = int(short[lengths.argmin()])
    if panel.ids[worst] is None:
        return f"got {count_rows(int(lengths.min()))}"
    others = f" ({len(short)} series are too short: {quoted(panel.ids[s] for s in short.tolist())})"
    return f"the shortest series, {panel.ids[worst]!r}, has {lengths.min()}{others if len(short) > 1 else ''}"


def _no_window(side: str, panel: Panel, shape: WindowShape, fraction: float, train_end: np.ndarray) -> str:
    before, after = train_end - panel.indptr[:-1], panel.indptr[1:] - train_end
    if side == "training":
        needed, have = shape.total, int(before.argmax())
        remedy = "Give a smaller `validation_fraction`, or shorten `lookback` or `horizon`."
    else:
        needed, have = shape.horizon, int(after.argmax())
        remedy = "Give a greater `validation_fraction` (0 for no validation), or shorten `horizon`."
    name = "" if panel.ids[have] is None else f" of the series {panel.ids[have]!r}, which has most"
    return (
        f"The {side} part holds no window: it takes {count_rows(needed)} there ({_parts(shape)}), but the border for "
        f"the validation fraction {fraction:g} leaves {count_rows(before[have])} before it and {after[have]} after "
        f"it{name}. {remedy}"
    )
