"""How training went: losses and errors by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from tsrnn._errors import quoted
from tsrnn.plotting._display import BLACK, BLUE, ORANGE, PartsDisplay, in_whole_numbers, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATE = "learning_rate"
_NO_MEASURES = {"epoch", "loss", "val_loss", RATE, "seconds"}


class LearningCurve(PartsDisplay):
    """The loss of training and validation rows by epoch, below it what else was measured, and the best epoch.

    Parameters
    ----------
    history : DataFrame
        ``history_`` of an estimator: the columns "epoch" and "loss", and those that there are of "val_loss", a measure
        such as "val_mae", and "learning_rate".
    best_epoch : int, optional
        The epoch whose weights were kept.
    learning_rate : bool, default=False
        Draw the learning rate too.

    Attributes
    ----------
    axes_, figure_ : ndarray of Axes, Figure
        After ``plot``, to go on with.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import GRUForecaster
    >>> from tsrnn.plotting import LearningCurve
    >>> wave, noise = np.sin(np.arange(400) * 2 * np.pi / 24), np.random.default_rng(0).normal(size=400)
    >>> frame = pd.DataFrame({"load": wave + noise}, index=pd.date_range("2024-01-01", periods=400, freq="h"))
    >>> forecaster = GRUForecaster(max_epochs=2, random_state=0).fit(frame)
    >>> display = LearningCurve.from_estimator(forecaster)
    >>> [ax.get_ylabel() for ax in display.axes_]
    ['loss', 'val_mae']
    """

    ACROSS = False
    SIZE = (6.4, 2.6)

    def __init__(self, history: pd.DataFrame, best_epoch: int | None = None, *, learning_rate: bool = False) -> None:
        self.history, self.best_epoch, self.learning_rate = history, best_epoch, learning_rate

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, learning_rate: bool = False, ax: Axes | Sequence[Axes] | np.ndarray | None = None
    ) -> Self:
        """Plot how the training of a fitted network went.

        Parameters
        ----------
        estimator : NetworkForecaster, RNNRegressor or RNNClassifier
            Fitted; baselines have no epochs.
        learning_rate : bool, default=False
            Draw the learning rate too.
        ax : matplotlib Axes or a sequence of them, optional
            Where to draw: one for the loss, one for the measure (with validation rows), one for the learning rate.

        Returns
        -------
        LearningCurve
            With ``axes_`` and ``figure_``.
        """
        fitted = vars(estimator)
        if "history_" not in fitted:
            what = "has no epochs" if "state_" in fitted else "is not fitted"
            raise ValueError(
                f"{cls.__name__} needs a network that was trained; this {type(estimator).__name__} {what}."
            )
        best = fitted["best_epoch_"]
        return cls(fitted["history_"], best, learning_rate=learning_rate).plot(ax=ax)

    @classmethod
    def from_history(
        cls,
        history: pd.DataFrame,
        best_epoch: int | None = None,
        *,
        learning_rate: bool = False,
        ax: Axes | Sequence[Axes] | np.ndarray | None = None,
    ) -> Self:
        """Plot a history, such as that of a `DivergedError`; arguments as in the class."""
        return cls(history, best_epoch, learning_rate=learning_rate).plot(ax=ax)

    @property
    def _measures(self) -> list[Any]:
        """What was measured beside the loss."""
        if missing := {"epoch", "loss"} - set(self.history.columns):
            raise ValueError(
                f"`history` of LearningCurve must have the columns 'epoch' and 'loss'; no {quoted(missing)}."
            )
        if "member" in self.history.columns:
            raise ValueError(
                f"LearningCurve shows how one network was trained; this `history` is of "
                f"{self.history['member'].nunique()} members. Give the epochs of one: "
                '`LearningCurve.from_history(history[history["member"] == 0].drop(columns="member"))`.'
            )
        names = [name for name in self.history.columns if name not in _NO_MEASURES and self.history[name].notna().any()]
        return [*names, RATE] if self.learning_rate else names

    @property
    def _n_parts(self) -> int:
        return 1 + len(self._measures)

    def _draw(self, axes: list[Axes]) -> None:
        epochs = self.history["epoch"]
        marker = "o" if len(epochs) == 1 else None  # a line of one point cannot be seen
        axes[0].plot(epochs, self.history["loss"], color=BLUE, marker=marker, label="training")
        if "val_loss" in self.history and self.history["val_loss"].notna().any():
            axes[0].plot(epochs, self.history["val_loss"], color=ORANGE, marker=marker, ls="--", label="validation")
        for ax, name in zip(axes[1:], self._measures, strict=True):
            color, style, drawn = (BLACK, "-", "steps-mid") if name == RATE else (ORANGE, "--", "default")
            ax.plot(epochs, self.history[name], color=color, ls=style, marker=marker, drawstyle=drawn)
        for ax, name in zip(axes, ["loss", *self._measures], strict=True):
            if self.best_epoch is not None:
                ax.axvline(self.best_epoch, color=BLACK, lw=0.8, ls=":", label=f"best epoch ({self.best_epoch})")
            ax.set(ylabel=str(name))
            in_whole_numbers(ax.xaxis)
        if RATE in self._measures:
            axes[-1].set_yscale("log")
        axes[-1].set_xlabel("epoch")
        for ax in axes[1:]:
            ax.set_xlim(axes[0].get_xlim())
        legend(axes[0], self._own_figure)
