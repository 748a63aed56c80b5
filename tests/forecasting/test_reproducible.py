"""The same bits with any number of threads and in any process, and nothing learned from validation rows."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsrnn import GRUForecaster, LSTMForecaster, RNNForecaster
from tsrnn.nn import Conv1D, Dropout, GlobalAveragePool1D, LayerNorm, MaxPool1D, Residual

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 3, "random_state": 0}


def weights(forecaster):
    return forecaster.state_.model.theta.tobytes()


PROGRAM = """
import numpy as np, pandas as pd
from tsrnn import GRUForecaster

def bits(n_jobs):
    rng = np.random.default_rng(0)
    stamps = pd.date_range("2024", periods=400, freq="h")
    frame = pd.DataFrame(rng.standard_normal((400, 3)).cumsum(axis=0), index=stamps)
    forecaster = GRUForecaster(lookback=7, horizon=3, hidden_size=4, max_epochs=3, random_state=5, dropout=0.1,
                               recurrent_dropout=0.1, n_jobs=n_jobs, validation_fraction=0.3)
    forecaster.fit(frame)
    return f"{forecaster.state_.model.theta.tobytes().hex()} {forecaster.predict().to_numpy().tobytes().hex()}"
"""


def test_same_bits_with_any_number_of_threads_and_in_any_process():
    there = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{PROGRAM}\nprint(bits(4))"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    ).stdout.strip()
    space = {}
    exec(PROGRAM, space)
    assert len(there) > 1000
    for n_jobs in (1, 2):
        assert space["bits"](n_jobs) == there


def test_same_bits_with_other_layers(panel):
    layers = [Conv1D(5, 2, activation="relu"), MaxPool1D(2), LayerNorm(), Residual(Dropout(0.2)), GlobalAveragePool1D()]
    one, other = (RNNForecaster(n_jobs=n, layers=layers, **TINY).fit(panel) for n in (1, 3))
    assert weights(one) == weights(other)
    assert one.historical_forecasts(panel).equals(other.historical_forecasts(panel))


@pytest.mark.parametrize("n_jobs", [2, 4, -1, None])
@pytest.mark.parametrize("forecaster", [GRUForecaster, LSTMForecaster])
def test_same_bits_with_any_number_of_threads(panel, forecaster, n_jobs):
    settings = TINY | {"n_layers": 2, "dropout": 0.2, "recurrent_dropout": 0.3}
    one, other = (forecaster(n_jobs=n, **settings).fit(panel) for n in (1, n_jobs))
    assert weights(one) == weights(other)
    assert one.history_.drop(columns="seconds").equals(other.history_.drop(columns="seconds"))
    assert one.predict().equals(other.predict())
    assert one.historical_forecasts(panel).equals(other.historical_forecasts(panel))
    assert one.score(panel) == other.score(panel)


def test_another_seed_gives_other_weights(wide):
    assert weights(GRUForecaster(**TINY).fit(wide)) != weights(GRUForecaster(**TINY | {"random_state": 1}).fit(wide))


@pytest.mark.parametrize("by", ["time", "series"])
@pytest.mark.parametrize("scope", ["series", "global"])
def test_nothing_is_learned_from_validation_rows(panel, by, scope):
    """With other values there, scales, naive errors and (after a fixed number of epochs) weights are the same."""
    settings = TINY | {"validation_by": by, "scaler_scope": scope, "early_stopping": False}
    forecaster = GRUForecaster(**settings, restore_best_weights=False).fit(panel)
    borders = forecaster.cutoff_ if by == "series" else forecaster.cutoff_ * 3
    border = panel.index.get_level_values("site").map(dict(zip("ABC", pd.to_datetime(borders), strict=True)))
    is_validation = panel.index.get_level_values("day") >= border
    assert 20 < is_validation.sum() < 70
    other = panel.copy()
    other.loc[is_validation] *= -50.0
    again = GRUForecaster(**settings, restore_best_weights=False).fit(other)
    for name in ("center", "scale"):
        np.testing.assert_array_equal(getattr(again.state_.scaling, name), getattr(forecaster.state_.scaling, name))
    np.testing.assert_array_equal(again.state_.naive_mae, forecaster.state_.naive_mae)
    assert weights(again) == weights(forecaster)
    assert again.history_["loss"].equals(forecaster.history_["loss"])
    assert not again.history_["val_loss"].equals(forecaster.history_["val_loss"])
