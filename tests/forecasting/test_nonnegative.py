"""Series that cannot be negative: no forecast of any kind lies below zero."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tsrnn import DenseForecaster, GRUForecaster, LinearForecaster, NaiveForecaster, load
from tsrnn.forecasting.distributions import Normal, Parts, Symmetric
from tsrnn.forecasting.nonnegative import Censored

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")


def falling(rows=60):
    """Down to zero, with noise."""
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-01-01", periods=rows, freq="D")
    values = np.maximum(np.linspace(10, 0, rows) + rng.normal(size=rows), 0)
    return pd.DataFrame({"y": values, "z": values[::-1] + 20}, index=index)


FORECASTERS = [
    NaiveForecaster(method="drift", lookback=30, horizon=4),
    LinearForecaster(lookback=4, horizon=4),
    DenseForecaster(lookback=4, horizon=4, hidden_size=4, max_epochs=2, random_state=0, loss="gaussian"),
    GRUForecaster(lookback=7, horizon=3, hidden_size=4, max_epochs=1, random_state=0, instance_norm="last"),
]


@pytest.mark.parametrize("forecaster", FORECASTERS, ids=lambda forecaster: type(forecaster).__name__)
def test_what_is_below_zero_is_zero(forecaster):
    frame = falling()
    free = type(forecaster)(**forecaster.get_params()).fit(frame)
    kept = type(forecaster)(**forecaster.get_params() | {"non_negative": True}).fit(frame)
    low = frame - frame.iloc[-1] - [0, 50]  # history whose forecasts go below zero
    for call in (
        lambda f: f.predict(low),
        lambda f: f.historical_forecasts(low)[["y", "z"]],
        lambda f: f.backtest(low, metrics=["mae"]).outcomes.forecast,
    ):
        expected = np.maximum(np.asarray(call(free)), 0)
        assert (np.asarray(call(free)) < 0).any()
        np.testing.assert_array_equal(np.asarray(call(kept)), expected)
    for call in (
        lambda f: f.predict_quantiles(low, quantiles=[0.01, 0.99]),
        lambda f: f.predict_interval(low, coverage=0.9),
        lambda f: f.sample(low, n=20, random_state=0),
        lambda f: f.predict(low, horizon=9),
        lambda f: f.sample(low, n=20, random_state=0, horizon=9),
        lambda f: f.predict_interval(low, horizon=9),
    ):
        assert (np.asarray(call(free)) < 0).any()
        assert (np.asarray(call(kept)) >= 0).all()
    stream = kept.stream(low[:-1])
    np.testing.assert_array_equal(stream.step(low.iloc[-1].to_numpy()), kept.predict(low))


def test_scores_are_those_of_the_forecasts_given():
    frame = falling()
    free, kept = (
        NaiveForecaster(method="drift", lookback=30, horizon=4, non_negative=on).fit(frame) for on in (False, True)
    )
    assert kept.score(frame) > free.score(frame)
    assert kept.baseline_skill_["last"] > free.baseline_skill_["last"]


@pytest.mark.parametrize("forecaster", FORECASTERS[1:3], ids=lambda forecaster: type(forecaster).__name__)
def test_files_hold_it(forecaster, tmp_path):
    frame = falling()
    kept = type(forecaster)(**forecaster.get_params() | {"non_negative": True}).fit(frame)
    kept.save(tmp_path / "model.tsrnn")
    loaded, low = load(tmp_path / "model.tsrnn"), frame - 30
    assert loaded.summary().n_params == kept.summary().n_params
    pd.testing.assert_frame_equal(loaded.predict(low), kept.predict(low))
    pd.testing.assert_frame_equal(loaded.predict_interval(low), kept.predict_interval(low))


def test_negative_targets_are_refused():
    frame = falling()
    frame.iloc[7, 0], frame.iloc[9, 0] = -0.5, -1
    with pytest.raises(ValueError) as caught:
        LinearForecaster(lookback=4, horizon=2, non_negative=True).fit(frame)
    assert str(caught.value) == (
        "The target 'y' must hold values from 0 on with `non_negative=True`; 2 of 60 rows do not, the first at "
        "2024-01-08 00:00:00: -0.5. Leave `non_negative` out, or correct the rows."
    )
    LinearForecaster(lookback=4, horizon=2, non_negative=True, target="z").fit(frame)  # past covariates may be
    with pytest.raises(ValueError, match="In `X_val`: The target 'y' must hold values from 0 on"):
        LinearForecaster(lookback=4, horizon=2, non_negative=True).fit(falling(), X_val=frame)


def test_a_censored_distribution():
    inner = Symmetric(stats.norm, {"loc": np.full((1, 1, 1), 0.5), "scale": np.full((1, 1, 1), 2.0)})
    found, draws = Censored(inner), np.maximum(np.random.default_rng(0).normal(0.5, 2, 10**6), 0)
    assert found.mean().item() == pytest.approx(draws.mean(), abs=0.01)
    assert found.point().item() == 0.5
    levels = np.array([0.2, 0.5, 0.9])
    np.testing.assert_allclose(found.ppf(levels).ravel(), np.quantile(draws, levels), atol=0.01)
    below = stats.norm.cdf(0, 0.5, 2)
    for value, expected in ((-1.0, 0.0), (0.0, below / 2), (1.0, stats.norm.cdf(1, 0.5, 2))):
        assert found.cdf(np.full((1, 1, 1), value)).item() == pytest.approx(expected)


def test_update_and_partial_fit_keep_it():
    frame = falling()
    kept = DenseForecaster(**FORECASTERS[2].get_params() | {"non_negative": True}).fit(frame[:40])
    for learned in (kept.update(frame[40:50]), kept.partial_fit(frame[50:])):
        assert (learned.sample(frame - frame.iloc[-1] - [0, 50], n=20, random_state=0) >= 0).all(axis=None)
    low = frame[-5:].set_axis(pd.date_range(frame.index[-1], periods=6, freq="D")[1:]) - 30
    with pytest.raises(ValueError, match="must hold values from 0 on with `non_negative=True`"):
        kept.partial_fit(low)
    first = DenseForecaster(**FORECASTERS[2].get_params() | {"non_negative": True}).partial_fit(frame)
    assert (first.predict(frame - 50) >= 0).all(axis=None)


def test_places_above_zero_are_told_apart_however_far_off():
    given = {"loc": np.full((2, 1, 1), 5.0), "scale": np.full((2, 1, 1), 0.1)}
    free = Normal(**given)
    censored = Parts((2, 1, 1), [(np.array([1, 0]), Censored(free))])
    far = np.array([0.5, 9.0]).reshape(2, 1, 1)
    np.testing.assert_allclose(censored.scores(far), free.scores(far))
    np.testing.assert_allclose(
        censored.at_scores(np.array([-60.0, 40.0]).reshape(2, 1, 1, 1))[:, :, 0, 0], [[0] * 2, [9] * 2]
    )
    assert (censored.scores(np.zeros((2, 1, 1))) <= -50).all()
    near = Censored(Normal(np.zeros((1, 1, 1)), np.ones((1, 1, 1))))
    np.testing.assert_allclose(near.scores(np.zeros((1, 1, 1))), stats.norm.ppf(0.25))
    values = np.stack([far, -far])
    np.testing.assert_allclose(censored.cdf(values)[0, [1, 0]], Censored(free).cdf(far[[1, 0]]))
    assert (censored.cdf(values)[1] == 0).all()
