"""The conformance suite of forecasters: what holds for every forecaster, whoever wrote it."""

from __future__ import annotations

import pickle
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from tsrnn._errors import BelowNaiveWarning
from tsrnn._saving import load
from tsrnn.forecasting.base import Forecaster

ROWS = 90
Make = Callable[[], Forecaster]


def check_forecaster(make: Make) -> None:
    """Run the conformance suite on a forecaster.

    It checks: parameters, ``clone`` and pickle; that nothing but ``fit`` works before ``fit``; layouts and stamps of
    forecasts for every kind of input; that inputs and parameters are left alone; that the same seed gives the same
    bits; that forecasts come from history alone and series do not see each other; ``update``; files; that a failed
    ``fit`` changes nothing; ``score``, computed a second way from ``historical_forecasts``; that refits of a backtest
    see the rows before their origin and nothing else.

    Parameters
    ----------
    make : callable
        Gives an unfitted forecaster that forecasts every column, with a fixed ``random_state`` if it has one, and quick
        to fit: the frames have 90 rows.

    Raises
    ------
    AssertionError
        Saying which check failed.

    Examples
    --------
    >>> from tsrnn import LinearForecaster
    >>> from tsrnn.testing import check_forecaster
    >>> check_forecaster(lambda: LinearForecaster(lookback=6, horizon=2))
    """
    checks = (_parameters, _unfitted, _left_alone, _same_bits, _single_series, _panels, _history_alone)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BelowNaiveWarning)
        for check in (*checks, _series_apart, _goes_on, _copies, _failed_fit, _score, _refits):
            check(make)


def _wide(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Two columns of daily data, a wave and a random walk."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2024-01-01", periods=rows, freq="D", name="day")
    wave = 10 + np.sin(np.arange(rows) * 2 * np.pi / 7) + 0.1 * rng.standard_normal(rows)
    return pd.DataFrame({"wave": wave, "walk": 100 * rng.standard_normal(rows).cumsum()}, index=days)


def _panel() -> pd.DataFrame:
    """Two series of different lengths."""
    return pd.concat({"B": _wide(seed=1), "A": _wide(ROWS - 7, seed=2)}, names=["site"])


def _parameters(make: Make) -> None:
    forecaster = make()
    given = forecaster.get_params()
    copy = clone(forecaster)
    assert type(copy) is type(forecaster), "clone gives another class"
    assert repr(copy.get_params()) == repr(given), "clone changes parameters"
    assert copy.set_params(**given) is copy, "set_params must return the forecaster"
    assert repr(copy.get_params()) == repr(given), "set_params(**get_params()) changes parameters"
    assert type(forecaster).__name__ in repr(forecaster), "repr must name the class"
    assert set(vars(forecaster)) == set(given), "the constructor must store its parameters and nothing else"
    for change, error in ((lambda: type(forecaster)(no_such=1), TypeError), (_setter(copy), ValueError)):
        _raises(error, change, "an unknown parameter must be refused")


def _setter(forecaster: Forecaster) -> Callable[[], Any]:
    return lambda: forecaster.set_params(no_such=1)


def _unfitted(make: Make) -> None:
    forecaster, frame = make(), _wide()
    for what, call in {
        "predict": lambda: forecaster.predict(frame),
        "historical_forecasts": lambda: forecaster.historical_forecasts(frame),
        "score": lambda: forecaster.score(frame),
        "update": lambda: forecaster.update(frame),
        "summary": forecaster.summary,
        "save": lambda: forecaster.save("never-written"),
    }.items():
        _raises(NotFittedError, call, f"{what} before fit must raise NotFittedError")


def _single_series(make: Make) -> None:
    frame = _wide()
    months = frame.set_axis(pd.period_range("2000-01", periods=ROWS, freq="M"))
    numbered = frame.set_axis(pd.RangeIndex(5, 5 + ROWS))
    for table, index in (
        (frame, pd.date_range(frame.index[-1], periods=ROWS, freq="D")[1:]),
        (months, pd.period_range(months.index[-1], periods=ROWS, freq="M")[1:]),
        (numbered, pd.RangeIndex(5 + ROWS, 5 + 2 * ROWS)),
        (frame.to_numpy(), pd.RangeIndex(ROWS, 2 * ROWS)),
        (frame["wave"], pd.date_range(frame.index[-1], periods=ROWS, freq="D")[1:]),
    ):
        forecaster = make()
        assert forecaster.fit(table) is forecaster, "fit must return the forecaster"
        forecast = forecaster.predict()
        expected = index[forecaster.gap :][: forecaster.horizon_]
        assert forecast.index.equals(expected), f"forecasts must be indexed by {expected}; got {forecast.index}"
        names = [0, 1] if isinstance(table, np.ndarray) else ["wave", "walk"][: 1 if table.ndim == 1 else 2]
        assert list(forecast.columns) == names, f"forecasts must have the columns {names}; got {forecast.columns}"
        assert np.isfinite(forecast.to_numpy()).all(), "forecasts must be finite"
        assert (forecaster.predict(horizon=1) == forecast.iloc[:1]).all(axis=None), "horizon=1 must be the first row"


def _panels(make: Make) -> None:
    panel = _panel()
    whole = make().fit(panel).predict()
    assert whole.index.names == ["site", "day"], "forecasts of a MultiIndex must have its levels"
    long = make().set_params(id_col="site", time_col="day").fit(panel.reset_index()).predict()
    assert list(long.columns) == ["site", "day", "wave", "walk"], "forecasts of a long frame must have its columns"
    assert long.set_index(["site", "day"]).equals(whole), "a long frame and a MultiIndex must give the same forecasts"
    for site, series in panel.groupby(level="site"):
        first = whole.loc[site].index[0] - series.index[-1][1]
        assert first == pd.Timedelta(days=1 + make().gap), f"forecasts of {site} must follow its own last row"


def _left_alone(make: Make) -> None:
    frame, forecaster = _wide(), make()
    before, given = frame.copy(), repr(forecaster.get_params())
    forecaster.fit(frame)
    forecaster.predict(frame)
    forecaster.score(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert repr(forecaster.get_params()) == given, "fit must not change parameters"
    n_features = forecaster.n_features_in_
    forecaster.fit(frame[["walk"]])
    assert (n_features, forecaster.n_features_in_) == (2, 1), "a second fit must forget the first"


def _same_bits(make: Make) -> None:
    first, second = make().fit(_wide()), make().fit(_wide())
    assert first.predict().equals(second.predict()), "the same seed gave other forecasts"
    assert first.predict().equals(second.fit(_wide()).predict()), "a second fit must start afresh"
    assert first.predict(_wide()).equals(first.predict()), "predict() must go on from the training data"


def _history_alone(make: Make) -> None:
    frame = _wide()
    forecaster = make().fit(frame)
    origins = forecaster.historical_forecasts(frame, every=5)
    for cutoff in (origins["cutoff"].iloc[0], origins["cutoff"].iloc[-1]):
        seen = origins[origins["cutoff"] == cutoff].set_index("day")[["wave", "walk"]]
        _close(seen, forecaster.predict(frame[:cutoff]), "a forecast from an origin is not that from its history")
    shuffled = frame.iloc[::-1][["walk", "wave"]]
    assert forecaster.predict(shuffled).equals(forecaster.predict(frame)), "the order of rows or columns matters"


def _series_apart(make: Make) -> None:
    panel = _panel()
    forecaster = make().fit(panel)
    whole = forecaster.predict(panel)
    for site in ("A", "B"):
        _close(forecaster.predict(panel.loc[[site]]), whole.loc[[site]], "series must not see each other")
    if forecaster.scope == "local":  # it has no model for others
        return
    renamed = panel.loc[["A"]].rename(index={"A": "new"}, level="site")
    assert np.isfinite(forecaster.predict(renamed).to_numpy()).all(), "a series that fit has not seen must be forecast"


def _goes_on(make: Make) -> None:
    panel = _panel()
    days = panel.index.get_level_values("day")
    is_known = days < pd.Timestamp("2024-03-20")
    forecaster = make().fit(panel[is_known])
    assert forecaster.update(panel[~is_known]) is forecaster, "update must return the forecaster"
    whole = forecaster.predict(panel)
    assert forecaster.predict().equals(whole), "predict() after update(rows) must be predict(X) with these rows"
    _raises(ValueError, lambda: forecaster.update(panel[~is_known]), "rows that are known must be refused")
    assert forecaster.predict().equals(whole), "a failed update must leave the history as it was"


def _copies(make: Make) -> None:
    forecaster = make().fit(_wide())
    forecast = forecaster.predict()
    assert pickle.loads(pickle.dumps(forecaster)).predict().equals(forecast), "pickle changes forecasts"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forecaster"
        forecaster.save(path)
        for loaded in (load(path), type(forecaster).load(path)):
            assert type(loaded) is type(forecaster), "load gives another class"
            assert loaded.predict().equals(forecast), "a saved forecaster gives other forecasts"
            assert loaded.predict(_wide()).equals(forecast), "a saved forecaster gives other forecasts from X"
            assert str(loaded.summary()) == str(forecaster.summary()), "a saved forecaster has another summary"
            assert set(vars(loaded)) == set(vars(forecaster)), "a saved forecaster has other attributes"


def _failed_fit(make: Make) -> None:
    holed = _wide()
    holed.iloc[3, 0] = np.nan
    forecaster = make()
    _raises(ValueError, lambda: forecaster.fit(holed), "missing values must be refused")
    assert set(vars(forecaster)) == set(forecaster.get_params()), "a failed first fit must leave nothing behind"
    before = dict(vars(forecaster.fit(_wide())))
    _raises(ValueError, lambda: forecaster.fit(holed), "missing values must be refused")
    after = vars(forecaster)
    assert list(after) == list(before) and all(after[name] is before[name] for name in before), (
        "a failed fit left traces"
    )


def _score(make: Make) -> None:
    """Skill from tidy forecasts: a second way, through pandas."""
    frame = _wide()
    forecaster = make().fit(frame)
    forecasts = forecaster.historical_forecasts(frame)
    columns, season = ["wave", "walk"], forecaster.state_.season
    row, cutoff = (frame.index.get_indexer(forecasts[name]) for name in ("day", "cutoff"))
    values = frame.to_numpy(np.float32).astype(np.float64)
    before = row - season * -(-(row - cutoff) // season)
    naive = {"last": values[cutoff], "seasonal": np.where((before >= 0)[:, None], values[before], values[cutoff])}
    mae = {kind: np.abs(forecast - values[row]).mean(axis=0) for kind, forecast in naive.items()}
    better = np.where(np.less_equal(*forecaster.state_.naive_mae), mae["last"], mae["seasonal"])
    expected = (1 - np.abs(forecasts[columns].to_numpy() - values[row]).mean(axis=0) / better).mean()
    score = forecaster.score(frame)
    assert abs(score - expected) < 1e-6, f"score is {score}; from historical_forecasts it is {expected}"


def _refits(make: Make) -> None:
    """One refit, against a forecaster fitted by hand."""
    frame, forecaster = _wide(), make()
    origins = forecaster.historical_forecasts(frame, refit=10**6, train_length=ROWS - 20)
    cutoff = frame.index[ROWS - 21]
    assert origins["cutoff"].iloc[0] == cutoff, f"the first origin must be {cutoff}; got {origins['cutoff'].iloc[0]}"
    fitted = make().fit(frame[:cutoff])
    for origin in (cutoff, origins["cutoff"].iloc[-1]):
        seen = origins[origins["cutoff"] == origin].set_index("day")[["wave", "walk"]]
        _close(seen, fitted.predict(frame[:origin]), "a refit knows other rows than those before its origin")
    assert "state_" not in vars(forecaster), "a backtest must leave the forecaster as it is"


def _close(a: pd.DataFrame, b: pd.DataFrame, message: str) -> None:
    same = a.index.equals(b.index) and np.allclose(a.to_numpy(), b.to_numpy(), rtol=1e-5, atol=1e-4)
    assert same, f"{message}:\n{a}\n{b}"


def _raises(error: type[Exception], call: Callable[[], Any], message: str) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(message)
