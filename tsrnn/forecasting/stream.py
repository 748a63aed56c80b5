"""A forecast after each new row: for a running service, where a frame for every row would take too long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tsrnn._errors import did_you_mean, quoted
from tsrnn.data import RowRules, Schema, end_windows
from tsrnn.data.values import without_codes
from tsrnn.forecasting.state import FitState, History


class Stream:
    """Forecasts of one series that goes on; made by ``forecaster.stream()``.

    Not for several threads at once: each row belongs behind the one before.

    Parameters
    ----------
    state : FitState
        Of the forecaster.
    history : History
        The rows so far, of one series.
    rules : RowRules
        What to do about missing values, as in the forecaster.

    Attributes
    ----------
    columns : tuple
        The columns of a row, in the order in which an array gives them.

    Examples
    --------
    >>> import pandas as pd
    >>> from tsrnn import NaiveForecaster
    >>> index = pd.date_range("2024-01-01", periods=21, freq="D")
    >>> frame = pd.DataFrame({"sales": [1.0, 2, 3, 4, 5, 6, 7] * 3}, index=index)
    >>> stream = NaiveForecaster(horizon=2).fit(frame).stream()
    >>> stream.step([8.0])
    array([[8.],
           [8.]])
    """

    def __init__(self, state: FitState, history: History, rules: RowRules) -> None:
        panel = history.panel
        if panel.n_series != 1:
            raise ValueError(
                f"A stream follows one series; the history holds {panel.n_series}: {quoted(panel.ids)}. Make a stream "
                "for each, from its own rows: `stream(X)`."
            )
        end_windows(panel, state.shape)  # says how much history is needed
        self.columns = _columns(state.schema)
        self._channels, self._rules = state.schema.channels, rules
        self._order = np.array([self.columns.index(name) for name in self._channels])
        self._last = panel.values[-1].copy()
        self._stepper = state.model.stepper(history)

    def step(self, row: Any) -> np.ndarray:
        """Take in one new observation.

        Parameters
        ----------
        row : array-like of shape (columns,), or Series
            The row that follows the last one: an array in the order of ``columns``, or a Series with those names (and
            maybe others, which are not read).

        Returns
        -------
        ndarray of shape (horizon, targets)
            What ``predict`` says of the same history, in data units.

        Raises
        ------
        ValueError, TypeError
            For a row that cannot be used; the stream is then as it was before.
        """
        values = self._checked(self._named(row) if isinstance(row, pd.Series) else self._ordered(row))
        forecast = self._stepper.step(values)
        self._last = values
        return forecast

    def _ordered(self, row: Any) -> np.ndarray:
        """The channels of an array."""
        values = _numbers(row)
        if values.shape != (len(self.columns),):
            raise ValueError(
                f"`row` must have the shape ({len(self.columns)},), one number for each of {quoted(self.columns, 10)} "
                f"in this order; got {values.shape}."
            )
        return values[self._order]

    def _named(self, row: pd.Series) -> np.ndarray:
        """The channels of a Series."""
        names = row.index.tolist()
        for name in self._channels:
            if names.count(name) != 1:
                found = "lacks" if name not in names else "has more than one of"
                raise ValueError(
                    f"`row` must have each of {quoted(self._channels, 10)} once; it {found} {name!r}."
                    f"{did_you_mean(name, names)}"
                )
        return _numbers(row.iloc[[names.index(name) for name in self._channels]])

    def _checked(self, given: np.ndarray) -> np.ndarray:
        """The values as float32, once the forecaster's rules for missing ones have been followed."""
        if self._rules.na_values:
            given, _ = without_codes(given, self._rules.na_values)
        values = given if given.dtype == np.float32 else _narrow(given)
        if self._rules.na_values and given.dtype != np.float32:  # a code in float32 that a wider type made longer
            values, _ = without_codes(values, self._rules.na_values)
        if np.isfinite(values).all():
            return values
        missing = np.isnan(values)
        if np.isinf(values).any():
            names = self._names(np.isinf(values))
            raise ValueError(f"`row` must hold finite numbers that fit into float32; it does not in {names}.")
        if self._rules.missing != "ffill":
            raise ValueError(
                f"`row` has no value for {self._names(missing)}. Give it, or fit the forecaster with "
                '`missing="ffill"`, which carries the last value forward.'
            )
        return np.where(missing, self._last, values)

    def _names(self, where: np.ndarray) -> str:
        return quoted(self._channels[i] for i in np.flatnonzero(where).tolist())


def _columns(schema: Schema) -> tuple[Any, ...]:
    """What a row given as an array holds: all columns of the fitted array, or those of the frame that are read."""
    if schema.layout == "array" and not schema.has_y:
        return tuple(range(schema.n_columns))
    return schema.channels


def _narrow(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # infinities are told of
        return values.astype(np.float32)


def _numbers(row: Any) -> np.ndarray:
    try:
        values = np.asarray(row)
        return values if values.dtype.char in "fd" else values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`row` must hold numbers; got {row!r} ({error}).") from error
