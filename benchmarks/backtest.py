"""A backtest over 10,000 origins, against the bare pass of the kernels over the same windows.

The pass is what ``benchmarks/prediction.py`` times: gather and forward of the scaled rows, forecasts in scaled units.
The backtest reads the frame, checks and scales it, makes that pass, scales back, computes naive forecasts, looks for
leakage, and gives the metrics; with the tables by series, step and cutoff, and with the tidy frame of all forecasts, in
columns of their own. No origin was trained on. Usage: python benchmarks/backtest.py [--quick]
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import measure
import numpy as np
import pandas as pd

from tsrnn import Backtest, BelowNaiveWarning, RNNForecaster
from tsrnn.data import all_windows
from tsrnn.forecasting.network_model import NetworkModel, series_of
from tsrnn.forecasting.strategies import STRATEGIES
from tsrnn.training.threads import Team, usable_cores
from tsrnn.training.tiles import TileEngine

ORIGINS, COLUMNS, TRAINED = 10_000, 14, 2_000
BOUND = 1.5  # times the bare pass


def frame_of(rows: int) -> pd.DataFrame:
    """Hourly noise with a daily wave, float64 as pandas reads files."""
    index = pd.date_range("2000-01-01", periods=rows, freq="h")
    wave = np.sin(np.arange(rows) * 2 * np.pi / 24)[:, None]
    values = wave + np.random.default_rng(0).normal(size=(rows, COLUMNS))
    return pd.DataFrame(values, index, [f"c{i}" for i in range(COLUMNS)])


def bare_pass(forecaster: RNNForecaster, frame: pd.DataFrame) -> Any:
    """The kernels over all windows of the rows; threads, arrays and scaled rows are there already."""
    state = forecaster.state_
    panel = forecaster._read(frame, None)
    model = state.model
    assert isinstance(model, NetworkModel)
    history = forecaster._history(panel, state)
    series = series_of(history, model.instance_norm)
    engine = TileEngine(model.network(), STRATEGIES["direct"].task(series, None), Team(usable_cores()))
    return partial(engine.predict, model.theta, all_windows(panel, state.shape).origin)


def with_metrics(forecaster: RNNForecaster, frame: pd.DataFrame) -> Backtest:
    """What the bound is about."""
    found = forecaster.backtest(frame)
    assert np.isfinite(found.metrics.to_numpy()).all()
    return found


def with_tables(forecaster: RNNForecaster, frame: pd.DataFrame) -> None:
    """Every table."""
    found = with_metrics(forecaster, frame)
    found.by_series(), found.by_step(), found.by_cutoff()


def with_forecasts(forecaster: RNNForecaster, frame: pd.DataFrame) -> Any:
    """The tidy frame."""
    return with_metrics(forecaster, frame).forecasts


def measure_one(cell: str, lookback: int, horizon: int, rounds: int) -> dict[str, Any]:
    """One line of the table."""
    span = lookback + horizon - 1
    frame = frame_of(TRAINED + ORIGINS + span)
    forecaster = RNNForecaster(
        cell=cell, target="c0", lookback=lookback, horizon=horizon, hidden_size=32, max_steps=2, random_state=0
    ).fit(frame[:TRAINED])
    tested = frame[TRAINED:]
    found = with_metrics(forecaster, tested)
    assert len(found) == ORIGINS
    bare = bare_pass(forecaster, tested)
    scale = forecaster.state_.scaling
    np.testing.assert_allclose(found.outcomes.forecast, bare() * scale.scale[0, :1] + scale.center[0, :1], atol=1e-5)
    times = measure.interleaved(
        {
            "kernels": bare,
            "backtest": partial(with_metrics, forecaster, tested),
            "tables": partial(with_tables, forecaster, tested),
            "frame": partial(with_forecasts, forecaster, tested),
        },
        rounds,
    )
    return {
        "origins, lookback, columns, horizon": f"{ORIGINS}, {lookback}, {COLUMNS}, {horizon}",
        "cell": f"{cell} (32)",
        "kernels (ms)": times.ms("kernels"),
        "backtest and metrics (ms)": times.ms("backtest"),
        "times the kernels": times.ratio("backtest", "kernels"),
        "with all tables": times.ratio("tables", "kernels"),
        "with the tidy frame": times.ratio("frame", "kernels"),
        "bound": BOUND,
    }


def main() -> None:
    quick = measure.is_quick(__doc__)
    warnings.simplefilter("ignore", BelowNaiveWarning)
    sizes = [("gru", 120, 24)] if quick else [(cell, 120, 24) for cell in ("rnn", "lstm", "gru")] + [("gru", 48, 24)]
    rows = []
    for cell, lookback, horizon in sizes:
        rows.append(measure_one(cell, lookback, horizon, rounds=3 if quick else 9))
        measure.report(rows[-1])
    if not quick:
        measure.write("backtest", "A backtest over 10,000 origins, and the kernels alone", rows)


if __name__ == "__main__":
    main()
