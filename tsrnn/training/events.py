"""What the trainer tells: a record at the end of each epoch. Progress bars, searches and users' callbacks listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class EpochEnd:
    """One line of the history.

    Attributes
    ----------
    epoch : int
        From 1.
    max_epochs : int
        The budget.
    loss, val_loss : float
        Mean training loss over the epoch, and validation loss at its end (NaN without validation rows), both with
        the penalties on weights.
    val_mae : float
        Mean absolute error on the validation rows, in data units.
    learning_rate, seconds : float
        Of this epoch.
    member : int or None
        Of which member of an ensemble it is, from 0; None where one network is trained.

    Examples
    --------
    >>> from tsrnn.training import EpochEnd
    >>> record = EpochEnd(1, 100, loss=0.42, val_loss=0.5, val_mae=1.7, learning_rate=0.001, seconds=0.3)
    >>> print(f"{record.epoch} of {record.max_epochs}: {record.val_loss}")
    1 of 100: 0.5
    """

    epoch: int
    max_epochs: int
    loss: float
    val_loss: float
    val_mae: float
    learning_rate: float
    seconds: float
    member: int | None = None

    def row(self) -> dict[str, float]:
        """All but the budget, as ``history_`` has it; the member where there is one."""
        left_out = {"max_epochs"} | ({"member"} if self.member is None else set())
        return {name: value for name, value in asdict(self).items() if name not in left_out}


Callback = Callable[[EpochEnd], bool | None]
"""A function of an ``EpochEnd``, called at the end of each epoch; True ends training, None or False goes on.

Examples
--------
>>> from tsrnn import GRUForecaster
>>> def good_enough(record):
...     return record.val_mae < 0.5
>>> forecaster = GRUForecaster(callbacks=[good_enough])
"""
