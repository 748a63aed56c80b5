"""Batches for stateful layers: each row goes on where the same row of the batch before ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tsrnn._errors import Integer, check_parameter


class ContiguousBatches:
    """One long series as batches of windows that follow each other: for truncated backpropagation through time.

    The series is cut into ``batch_size`` stretches of equal length. Row i of every batch is a window of stretch i, and
    the window of the next batch begins where this one ends: what layers with ``stateful=True`` carry from batch to
    batch is the state of the same stretch. Nothing is shuffled or left out. Call ``net.reset_states()`` before each
    pass.

    Parameters
    ----------
    x : ndarray of shape (rows, features)
        The series, in order of time.
    y : ndarray of shape (rows, ...), optional
        What belongs to each row, such as the row that follows; default: nothing, and batches are of ``x`` alone.
    batch_size : int
        Stretches, that is windows in each batch.
    steps : int
        Rows of a window. Gradients go so many steps back, states as far as the stretch reaches.

    Raises
    ------
    ValueError
        Where the rows cannot be divided into windows and batches without a rest.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.training import ContiguousBatches
    >>> series = np.arange(9.0)[:, None]
    >>> batches = ContiguousBatches(series[:-1], series[1:], batch_size=2, steps=2)
    >>> len(batches)
    2
    >>> for x, y in batches:
    ...     print(x[:, :, 0].tolist(), y[:, :, 0].tolist())
    [[0.0, 1.0], [4.0, 5.0]] [[1.0, 2.0], [5.0, 6.0]]
    [[2.0, 3.0], [6.0, 7.0]] [[3.0, 4.0], [7.0, 8.0]]
    """

    def __init__(self, x: Any, y: Any = None, *, batch_size: int, steps: int) -> None:
        for name, value in (("batch_size", batch_size), ("steps", steps)):
            check_parameter("ContiguousBatches", name, value, Integer(1))
        self.batch_size, self.steps = int(batch_size), int(steps)
        self._x = self._stretches("x", np.asarray(x))
        self._y = None if y is None else self._stretches("y", np.asarray(y), self._x.shape[1] * self.batch_size)

    def _stretches(self, name: str, array: np.ndarray, rows: int | None = None) -> np.ndarray:
        """(rows, ...) -> (stretch, its rows, ...), a view."""
        if name == "x" and array.ndim != 2:
            raise ValueError(f"`x` of ContiguousBatches must have the shape (rows, features); got {array.shape}.")
        found = len(array) if array.ndim else 0
        if rows is not None and found != rows:
            raise ValueError(f"`{name}` of ContiguousBatches must have the {rows} rows of `x`; got {found}.")
        whole = self.batch_size * self.steps
        if found == 0 or found % whole:
            raise ValueError(
                f"`{name}` of ContiguousBatches must have a multiple of batch_size * steps = {self.batch_size} * "
                f"{self.steps} = {whole} rows, so that every stretch is cut into whole windows; got {found}. "
                + (f"Leave out the first {found % whole} rows." if found > whole else "Take smaller batches.")
            )
        return array.reshape(self.batch_size, -1, *array.shape[1:])

    def __len__(self) -> int:
        """Batches of a pass."""
        return self._x.shape[1] // self.steps

    def __iter__(self) -> Iterator[Any]:
        """Of each batch ``x`` (batch_size, steps, features), or the pair ``(x, y)``; views."""
        for first in range(0, self._x.shape[1], self.steps):
            part = slice(first, first + self.steps)
            yield self._x[:, part] if self._y is None else (self._x[:, part], self._y[:, part])
