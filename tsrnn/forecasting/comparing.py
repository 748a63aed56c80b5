"""Forecasters side by side, from the same origins: a leaderboard, and whether they beat the best baseline."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sklearn.base import clone

from tsrnn._errors import Integer, NoneOr, check_parameter, did_you_mean, quoted
from tsrnn.data import WindowShape
from tsrnn.evaluation.grouped import check_metrics
from tsrnn.forecasting.backtesting import backtest
from tsrnn.forecasting.base import Forecaster
from tsrnn.forecasting.baselines import NaiveForecaster
from tsrnn.forecasting.comparison import Comparison
from tsrnn.forecasting.declared import Columns, Rows
from tsrnn.forecasting.folds import in_folds
from tsrnn.forecasting.origins import Origins, Refit, Schedule, refitted
from tsrnn.forecasting.regressors import DenseForecaster, LinearForecaster

BASELINES = (NaiveForecaster, LinearForecaster, DenseForecaster)


def compare(
    df: Any,
    forecasters: Mapping[str, Forecaster],
    y: Any = None,
    *,
    horizon: int | None = None,
    metrics: Iterable[str] = ("mae", "rmse", "mase", "smape"),
    every: int = 1,
    folds: Any = None,
    refit: Refit = False,
    window: Literal["expanding", "rolling"] = "expanding",
    train_length: int | None = None,
    baselines: Iterable[str] | None = None,
) -> Comparison:
    """Compare forecasters from the same origins, each fitted on the same rows, and test them against the best baseline.

    The forecasters are left as they are: clones are fitted, on the rows before the first origin and, with ``refit``,
    again before later ones.

    Parameters
    ----------
    df, y : as in ``fit``
        The rows to train on and to test.
    forecasters : dict of str to Forecaster
        Fitted or not. Where no baseline is among them, the last value and the seasonal naive forecast join.
    horizon : int, optional
        Rows to forecast, for all of them. They must have the same horizon, gap and targets.
    metrics : list of str
        As in ``Forecaster.backtest``; the first one ranks.
    every, folds, window, train_length
        As in ``Forecaster.backtest``.
    refit : bool, int, "never" or "always", default=False
        Fit once, before the first origin; at every origin; or at every k-th. In folds each is fitted on the training
        rows of every fold, or of every k-th.
    baselines : list of str, optional
        Names of those to test against. Default: every NaiveForecaster, LinearForecaster and DenseForecaster.

    Returns
    -------
    Comparison
        ``leaderboard`` is its frame.

    Raises
    ------
    ValueError, TypeError
        As ``Forecaster.backtest``, and for forecasters that cannot be compared.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tsrnn import LinearForecaster, NaiveForecaster, compare
    >>> hours = pd.date_range("2024-01-01", periods=600, freq="h")
    >>> noise = np.random.default_rng(0).normal(size=600) / 4
    >>> frame = pd.DataFrame({"load": np.sin(np.arange(600) * 2 * np.pi / 24) + noise}, index=hours)
    >>> chosen = {"ridge": LinearForecaster(lookback=24), "daily": NaiveForecaster(method="seasonal")}
    >>> found = compare(frame, chosen, horizon=6, every=6, baselines=["daily"])
    >>> found.leaderboard[["mae", "against baseline", "DM"]].round(2)
                        mae  against baseline    DM
    target forecaster
    load   ridge       0.21               0.2 -5.42
           daily       0.27               0.0   NaN
    """
    check_metrics("compare", metrics, has_quantiles=False)
    schedule = Schedule(every, refit, window, train_length, "compare")
    chosen = _checked(forecasters, horizon)
    origins = _common_origins(df, y, chosen, schedule, folds)
    if baselines is None and not any(isinstance(forecaster, BASELINES) for forecaster in chosen.values()):
        chosen |= _naive(chosen, next(iter(origins.values())).shape)
        origins = _common_origins(df, y, chosen, schedule, folds)
    names = _baselines(chosen, baselines)
    tests, seconds = {}, {}
    for name, forecaster in chosen.items():
        start = time.perf_counter()
        with forecaster._noticing():
            tests[name] = backtest(forecaster, origins[name], metrics, name)
        seconds[name] = time.perf_counter() - start
    reach = next(iter(origins.values())).shape.reach
    return Comparison(tests, names, -(-reach // every) - 1, seconds)


def _checked(forecasters: Mapping[str, Forecaster], horizon: int | None) -> dict[str, Forecaster]:
    """Forecasters by name, with the horizon that was asked for."""
    check_parameter("compare", "horizon", horizon, NoneOr(Integer(1)))
    if not isinstance(forecasters, Mapping):
        raise TypeError(
            f"`forecasters` of compare must be a dict of names and forecasters; got {type(forecasters).__name__}."
        )
    if not forecasters:
        raise ValueError("`forecasters` of compare must hold at least one forecaster; got none.")
    for name, forecaster in forecasters.items():
        if not isinstance(name, str) or not isinstance(forecaster, Forecaster):
            raise TypeError(
                "`forecasters` of compare must be names and forecasters such as LinearForecaster(); got "
                f"{name!r}: {type(forecaster).__name__}."
            )
    if horizon is None:
        return dict(forecasters)
    return {name: clone(forecaster).set_params(horizon=horizon) for name, forecaster in forecasters.items()}


def _common_origins(
    df: Any, y: Any, chosen: Mapping[str, Forecaster], schedule: Schedule, folds: Any
) -> dict[str, Origins]:
    """The origins of each, from which all of them have the history that they read. Nothing is fitted yet."""

    def found(forecaster: Forecaster, reads: int) -> Origins:
        if folds is not None:
            return in_folds(forecaster, df, y, folds, schedule, refit=True, reads=reads)
        return refitted(forecaster, df, y, schedule, reads, once=not schedule.period)

    origins = {name: found(forecaster, 1) for name, forecaster in chosen.items()}
    reads = max(own.shape.span for own in origins.values())
    origins = {name: own if own.shape.span == reads else found(chosen[name], reads) for name, own in origins.items()}
    first_name, first = next(iter(origins.items()))
    for name, own in origins.items():
        for what, here, there in (
            ("targets", own.schema.targets, first.schema.targets),
            ("horizon", own.shape.horizon, first.shape.horizon),
            ("gap", own.shape.gap, first.shape.gap),
            ("origins", _moments(own), _moments(first)),
        ):
            if here != there:
                shown = "" if what == "origins" else f": {here} and {there}"
                raise ValueError(
                    f"Forecasters can be compared where their targets, horizon, gap and origins are the same; the "
                    f"{what} of {name!r} and {first_name!r} differ{shown}. Give them the same parameters about columns "
                    "and rows, and `horizon=`."
                )
    return origins


def _moments(origins: Origins) -> tuple[Any, bytes, bytes]:
    """When the origins are, and of which series."""
    windows = origins.windows
    return origins.panel.ids, windows.series.tobytes(), origins.panel.ticks(windows.origin).tobytes()


def _naive(chosen: Mapping[str, Forecaster], shape: WindowShape) -> dict[str, Forecaster]:
    """The last value and the seasonal naive forecast, of tables read as the first forecaster reads them."""
    taken = {"last value", "seasonal naive"} & set(chosen)
    if taken:
        raise ValueError(
            f"{quoted(taken)} are names of baselines that join where there is none. Call it otherwise, or say with "
            "`baselines=` which forecasters are baselines."
        )
    first = next(iter(chosen.values()))
    given: dict[str, Any] = {name: getattr(first, name) for name in (*Columns.PARAMETERS, *Rows.PARAMETERS)}
    given |= {"lookback": 1, "horizon": shape.horizon, "gap": shape.gap}
    methods = {"last value": "last", "seasonal naive": "seasonal"}
    return {name: NaiveForecaster(**given | {"method": method}) for name, method in methods.items()}


def _baselines(chosen: Mapping[str, Forecaster], baselines: Iterable[str] | None) -> tuple[str, ...]:
    if baselines is None:
        return tuple(name for name, forecaster in chosen.items() if isinstance(forecaster, BASELINES))
    names = (baselines,) if isinstance(baselines, str) else tuple(baselines)
    unknown = [name for name in names if name not in chosen]
    if unknown or not names:
        got = repr(unknown[0]) if unknown else "none"
        hint = did_you_mean(unknown[0], chosen) if unknown else ""
        raise ValueError(f"`baselines` of compare must name forecasters among {quoted(chosen)}; got {got}.{hint}")
    return names
