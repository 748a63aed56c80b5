"""A forecast after each new row: for a running service, where a frame for every row would take too long."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from tsrnn._saving import estimator_class
from tsrnn.data import Panel, RowRules, Scaling, decode_name, encode_name, end_windows
from tsrnn.forecasting.growing import GrowingPanel
from tsrnn.forecasting.incoming import Incoming
from tsrnn.forecasting.state import FitState, History
from tsrnn.persistence import ModelFileError, read_file, save_file


class Stream:
    """Forecasts of series that go on; made by ``forecaster.stream()``.

    Not for several threads at once: each row belongs behind the one before.

    Parameters
    ----------
    state : FitState
        Of the forecaster.
    history : History
        The rows so far. Series need not end at the same moment: each has a next row of its own.
    rules : RowRules
        What to do about missing values, as in the forecaster.
    owner : str
        The class of the forecaster.

    Attributes
    ----------
    columns : tuple
        The columns of a row, in the order in which an array gives them.
    ids : tuple
        The series, in the order in which an array gives them; ``(None,)`` for a single one that has no name.

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

    def __init__(self, state: FitState, history: History, rules: RowRules, owner: str) -> None:
        panel, model = history.panel, state.model
        end_windows(panel, state.shape)  # says how much history is needed
        scaling, _ = history.scaling.rows_for(panel)  # a series that is new keeps its first scale
        self._state, self._history, self._owner = state, replace(history, scaling=scaling), owner
        self._incoming = Incoming(state.schema, rules, panel.ids, panel.end_ticks)
        self._rows = GrowingPanel(panel, max(state.shape.span, model.memory))
        self._alone = panel.n_series == 1
        self._stepper = model.stepper(self._history)

    @property
    def columns(self) -> tuple[Any, ...]:
        """The columns of a row, in the order in which an array gives them."""
        return self._incoming.columns

    @property
    def ids(self) -> tuple[Any, ...]:
        """The series, in the order in which an array gives them."""
        return self._incoming.ids

    def step(self, row: Any) -> np.ndarray:
        """Take in one new observation, of several series one of each.

        Parameters
        ----------
        row : array-like of shape (columns,) or (series, columns), Series, or DataFrame
            What follows the last row. An array in the order of ``columns`` (and ``ids``). Of one series, a Series with
            the names of the columns; where its name is a stamp, this must be the next one (without a name it is
            taken to be). Of several, a frame as in ``fit`` with one row of each, in any order; its index may name
            the series alone. Other columns are not read.

        Returns
        -------
        ndarray of shape (horizon, targets) or (series, horizon, targets)
            What ``predict`` says of the same history, in data units.

        Raises
        ------
        ValueError, TypeError
            For a row that cannot be used: without a column or a value, that came before, or out of order. The stream is
            then as it was before.
        """
        values = self._incoming.read(row, self._rows.last)
        forecast = self._stepper.step(values[0] if self._alone else values)
        self._rows.append(values)
        self._incoming.went_on()
        return forecast

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the stream to a file, with the forecaster's model: arrays and JSON, no pickle.

        Parameters
        ----------
        path : str or path-like
            The file; one that exists is replaced once the new one is complete.
        """
        rows, scaling = self._rows.panel(), self._history.scaling
        arrays = {f"state.{name}": array for name, array in self._state.arrays().items()}
        arrays |= {f"rows.{name}": getattr(rows, name) for name in ("values", "indptr", "offsets")}
        arrays |= {f"scaling.{name}": array for name, array in scaling.arrays()[0].items()}
        document = {
            "stream": self._owner,
            "state": self._state.document(),
            "ids": [encode_name(name) for name in self.ids],
            "scaling": scaling.arrays()[1],
            "rules": asdict(self._incoming.rules),
            "n_jobs": self._history.n_jobs,
        }
        save_file(path, arrays, document)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Stream:
        """Read a stream that ``save`` wrote: it goes on after the last row that the other one had.

        Parameters
        ----------
        path : str or path-like
            The file.

        Raises
        ------
        ModelFileError
            For a file that is missing, damaged, foreign, of a newer format, or that holds no stream.

        Examples
        --------
        >>> import tempfile
        >>> import pandas as pd
        >>> from tsrnn import NaiveForecaster, Stream
        >>> frame = pd.DataFrame({"sales": [1.0, 2, 3] * 7}, index=pd.date_range("2024-01-01", periods=21))
        >>> stream = NaiveForecaster(method="seasonal", horizon=1).fit(frame).stream()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     stream.save(f"{folder}/sales.stream")
        ...     Stream.load(f"{folder}/sales.stream").step([5.0])
        array([[1.]])
        """
        arrays, document = read_file(path)
        if "stream" not in document:
            raise ModelFileError(
                f"'{path}' holds a {document.get('estimator')}, and no stream. Read it with `tsrnn.load(path)`, and "
                "make a stream of it with `stream()`."
            )
        try:
            return cls._restored(estimator_class(path, document["stream"]), arrays, document)
        except ModelFileError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ModelFileError(f"'{path}' is a tsrnn file, but no stream can be made of it ({error!r}).") from error

    @classmethod
    def _restored(cls, kind: Any, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> Stream:
        parts: dict[str, dict[str, np.ndarray]] = {"state": {}, "rows": {}, "scaling": {}}
        for name, array in arrays.items():
            owner, _, rest = name.partition(".")
            parts[owner][rest] = array
        state = kind._restored(parts["state"], document["state"])
        rows = Panel(ids=tuple(decode_name(name) for name in document["ids"]), **parts["rows"])
        scaling = Scaling.from_arrays(parts["scaling"], document["scaling"])
        history = History(rows, state.shape, len(state.schema.targets), scaling, document["n_jobs"])
        return cls(state, history, RowRules(**document["rules"]), document["stream"])
