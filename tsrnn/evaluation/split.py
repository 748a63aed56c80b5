"""Folds of a panel for cross-validation: all series are cut at one moment."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.utils.metadata_routing import UNUSED

from tsrnn._errors import Integer, NoneOr
from tsrnn._parameters import Parameters, param
from tsrnn.data.names import NAME, Name
from tsrnn.data.table import open_table

Fold = tuple[np.ndarray, np.ndarray]


class PanelTimeSeriesSplit(Parameters):
    """scikit-learn's ``TimeSeriesSplit`` for many series: each fold is cut at one moment, in all series alike.

    Rows are told apart by their stamps alone. All that is tested lies after all that is trained on, whatever series it
    is of: a fold that cut each series in its own last part would train on what happened to one while it tests another.
    Sizes are counted in stamps, the different moments at which any series has a row; on a single series in order, the
    folds are those of ``TimeSeriesSplit``. A series that starts later is missing from the training part of the first
    folds, and rows with the same stamp are never parted.

    ``score`` of a forecaster reads its history within the rows that it is given, so ``test_size`` has to hold
    ``lookback + gap + horizon`` of the forecaster.

    {parameters}

    See Also
    --------
    sklearn.model_selection.TimeSeriesSplit : For one series.

    Examples
    --------
    Series B starts two days after A. The folds are the same days for both:

    >>> import pandas as pd
    >>> from tsrnn import PanelTimeSeriesSplit
    >>> days = pd.date_range("2024-01-01", periods=6)
    >>> panel = pd.DataFrame({"site": list("AAAAAABBBB"), "day": [*days, *days[2:]], "sales": range(10)})
    >>> for train, test in PanelTimeSeriesSplit(n_splits=2, test_size=1, time_col="day").split(panel):
    ...     print(train, test)
    [0 1 2 3 6 7] [4 8]
    [0 1 2 3 4 6 7 8] [5 9]

    In cross-validation (the last value, scored against itself):

    >>> from sklearn.model_selection import cross_val_score
    >>> from tsrnn import NaiveForecaster
    >>> folds = PanelTimeSeriesSplit(n_splits=2, test_size=2, id_col="site", time_col="day")
    >>> forecaster = NaiveForecaster(lookback=1, horizon=1, validation_fraction=0, id_col="site", time_col="day")
    >>> cross_val_score(forecaster, panel, cv=folds)
    array([0., 0.])
    """

    n_splits: int = param(default=5, constraint=Integer(1), doc="Number of folds.")
    max_train_size: int | None = param(
        default=None, constraint=NoneOr(Integer(1)), doc="Stamps to train on, at most; the latest ones."
    )
    test_size: int | None = param(
        default=None,
        constraint=NoneOr(Integer(1)),
        doc="Stamps to test on in each fold. None: all stamps divided by `n_splits + 1`.",
    )
    gap: int = param(
        default=0, constraint=Integer(0), doc="Stamps left out between the training and the test part of a fold."
    )
    id_col: Name | None = param(
        default=None,
        constraint=NoneOr(NAME),
        doc="Column of a long frame, or level of the index, that names the series.",
    )
    time_col: Name | None = param(
        default=None,
        constraint=NoneOr(NAME),
        doc="Column of a long frame, or level of the index, that holds the stamps. Without it they are read from the "
        "index; the rows of an array are numbered.",
    )

    __metadata_request__split: ClassVar[dict[str, str]] = {"groups": UNUSED}

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Give the rows of each fold, earliest fold first.

        Parameters
        ----------
        X : DataFrame, Series, ndarray or polars frame
            Wide with a time index; long with a column of stamps; or with an ``(id, time)`` MultiIndex. Rows in any
            order.
        y, groups : ignored
            For scikit-learn's sake.

        Yields
        ------
        train, test : ndarray of int64
            Positions of rows, ascending.

        Raises
        ------
        ValueError, TypeError
            For a table without stamps that can be read, or with too few of them; at the call, not at the first fold.
        """
        self.check_parameters()
        if groups is not None:
            warnings.warn(
                f"`groups` is ignored by {type(self).__name__}: folds are cut by the stamps of X.", stacklevel=2
            )
        stamps = open_table(X, id_col=self.id_col, time_col=self.time_col).index
        moment, moments = pd.factorize(stamps, sort=True)
        return self._folds(moment, self._first_tested(len(moments)))

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : ignored

        Returns
        -------
        int
        """
        self.check_parameters()
        return self.n_splits

    def _first_tested(self, n_moments: int) -> range:
        """Return the first moment that each fold tests."""
        size = max(1, n_moments // (self.n_splits + 1)) if self.test_size is None else self.test_size
        tested = size * self.n_splits
        if n_moments - tested - self.gap < 1:
            by_default = " (by default)" if self.test_size is None else ""
            raise ValueError(
                f"X must leave a stamp to train on before all folds: n_splits={self.n_splits} of "
                f"test_size={size}{by_default} after gap={self.gap} take {tested + self.gap} different stamps, and X "
                f"has {n_moments}. Lower `n_splits`, `test_size` or `gap`, or give more rows."
            )
        return range(n_moments - tested, n_moments, size)

    def _folds(self, moment: np.ndarray, first_tested: range) -> Iterator[Fold]:
        for first in first_tested:
            end = first - self.gap
            start = 0 if self.max_train_size is None else max(0, end - self.max_train_size)
            train = np.flatnonzero((start <= moment) & (moment < end))
            yield train, np.flatnonzero((first <= moment) & (moment < first + first_tested.step))
