"""What the trainer tells: a record at the end of each epoch. Progress bars, searches and users' callbacks listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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
        Mean training loss over the epoch, and validation loss at its end (NaN without validation rows).
    val_mae : float
        Mean absolute error on the validation rows, in data units.
    learning_rate, seconds : float
        Of this epoch.
    """

    epoch: int
    max_epochs: int
    loss: float
    val_loss: float
    val_mae: float
    learning_rate: float
    seconds: float


Callback = Callable[[EpochEnd], bool | None]  # True ends training
