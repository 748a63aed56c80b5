"""Horizons beyond the trained one: forecasts and paths that are fed back."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import GRUForecaster, LinearForecaster, NaiveForecaster

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 1, "random_state": 0}
METHODS = ("last", "seasonal", "drift", "mean")


def read_back(forecaster, frame, horizon):
    """The same by hand: forecasts are appended to the frame, which is forecast from again."""
    found = []
    while sum(map(len, found)) < horizon:
        found.append(forecaster.predict(pd.concat([frame, *found])))
    return pd.concat(found)[:horizon]


@pytest.mark.parametrize(
    "forecaster",
    [
        GRUForecaster(**TINY, instance_norm="last"),
        GRUForecaster(**TINY, strategy="recursive"),
        LinearForecaster(lookback=5, horizon=4, sampling_rate=2),
        *(NaiveForecaster(lookback=3, horizon=4, method=method) for method in METHODS),
    ],
    ids=lambda forecaster: f"{type(forecaster).__name__}-{getattr(forecaster, 'method', '')}",
)
def test_forecasts_are_read_as_if_they_had_come(wide, forecaster):
    expected = read_back(forecaster.fit(wide), wide, 11)
    pd.testing.assert_frame_equal(forecaster.predict(horizon=11), expected, check_freq=False)
    pd.testing.assert_frame_equal(forecaster.predict(wide, horizon=11), expected, check_freq=False)


def test_each_series_of_a_panel_goes_on_from_its_own(panel):
    forecaster = NaiveForecaster(method="seasonal", lookback=3, horizon=2).fit(panel)
    found = forecaster.predict(horizon=9)
    for name in "ABC":
        week = panel.loc[name].to_numpy(np.float32)[-7:]
        np.testing.assert_array_equal(found.loc[name], np.concatenate([week, week[:2]]))
    new = panel.loc[["B"]].rename(index={"B": "new"}, level=0)  # its scale is that of the rows that came, throughout
    linear = LinearForecaster(lookback=3, horizon=2).fit(panel)
    scale, center = new.std(ddof=0).to_numpy(), new.mean().to_numpy()
    rows = (new.to_numpy() - center) / scale
    for _ in range(4):
        flat = rows[-3:].ravel() @ linear.state_.model.coefficients + linear.state_.model.intercept
        rows = np.vstack([rows, flat.reshape(2, 3) + rows[-1]])
    np.testing.assert_allclose(linear.predict(new, horizon=8), rows[-8:] * scale + center, rtol=1e-3, atol=1e-3)


def test_a_short_season_counts_what_was_appended():
    """Five rows of a season of seven: once there are seven, the last season is read."""
    frame = pd.DataFrame({"y": np.arange(5.0)}, index=pd.date_range("2024-01-01", periods=5, freq="D"))
    forecaster = NaiveForecaster(method="seasonal", lookback=1, horizon=2, validation_fraction=0).fit(frame)
    assert forecaster.predict(horizon=7)["y"].tolist() == [4.0, 4.0, 0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("gap", [1, 2, 5])
def test_rows_in_the_gap_are_forecast_from_before_it(wide, gap):
    """A row in the gap is what the forecast made `gap` rows earlier says of it."""
    forecaster = LinearForecaster(lookback=4, horizon=2, gap=gap).fit(wide)
    last, filled = len(wide), wide.copy()
    for end in range(last - gap, last, 2):
        filled = pd.concat([filled, forecaster.predict(wide[:end])])
    filled = filled[: last + gap]
    for done in range(0, 8, 2):
        filled = pd.concat([filled, forecaster.predict(filled[: last + done])])
    np.testing.assert_allclose(forecaster.predict(horizon=7), filled[last + gap :][:7], rtol=1e-6)
    with pytest.raises(ValueError, match=f"reads 4 rows of `lookback` and {gap} of `gap` before them; got 4 rows."):
        forecaster.predict(wide[-4:], horizon=7)


def test_past_covariates_that_nobody_forecasts(wide):
    frame, given = wide[:60], {"target": "wave", "lookback": 4, "horizon": 2}
    with pytest.raises(ValueError, match="nobody forecasts the past covariates 'walk', 'noise'. Forecast them too"):
        LinearForecaster(**given).fit(frame).predict(horizon=3)
    naive = NaiveForecaster(**given).fit(frame)  # which reads none
    assert naive.predict(horizon=3)["wave"].tolist() == [np.float32(frame["wave"].iloc[-1])] * 3


@pytest.fixture(scope="module")
def walk():
    index = pd.date_range("2024-01-01", periods=4000, freq="h")
    steps = np.random.default_rng(0).normal(size=(4000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    return NaiveForecaster(horizon=4).fit(pd.DataFrame(steps.cumsum(axis=0), index, columns=["a", "b"]))


def test_intervals_of_a_random_walk_widen_with_the_root_of_time(walk):
    interval = walk.predict_interval(coverage=0.8, horizon=24)["a", 0.8]
    width = (interval["upper"] - interval["lower"]).to_numpy()
    np.testing.assert_allclose(width, 2 * 1.2816 * np.sqrt(np.arange(1, 25)), rtol=0.15)
    pd.testing.assert_frame_equal(interval, walk.predict_interval(coverage=0.8, horizon=24)["a", 0.8])
    within = walk.predict_interval(coverage=0.8)["a", 0.8]
    pd.testing.assert_frame_equal(interval[:4], within)


def test_paths_go_on_from_their_own_rows(walk):
    paths = walk.sample(n=3000, random_state=1, horizon=10)
    pd.testing.assert_frame_equal(paths[:4], walk.sample(n=3000, random_state=1))
    pd.testing.assert_frame_equal(paths, walk.sample(n=3000, random_state=1, horizon=10))
    errors = (paths - walk.predict(horizon=1).to_numpy().repeat(3000, axis=1)).to_numpy().reshape(10, 2, 3000)
    first, second = errors[:, 0], errors[:, 1]
    assert np.corrcoef(first)[4, 9] == pytest.approx(np.sqrt(5 / 10), abs=0.06)  # rows before and after the border
    assert np.corrcoef(first[9], second[9])[0, 1] == pytest.approx(0.8, abs=0.05)


def test_paths_of_a_series_do_not_depend_on_how_many_are_drawn_at_once(panel, monkeypatch):
    forecaster = NaiveForecaster(method="mean", lookback=3, horizon=2).fit(panel)
    together = forecaster.sample(n=5, random_state=0, horizon=7)
    monkeypatch.setattr("tsrnn.forecasting.beyond._AT_ONCE", 1)
    pd.testing.assert_frame_equal(together, forecaster.sample(n=5, random_state=0, horizon=7))


def test_paths_of_a_distribution_are_drawn_from_it(wide):
    given = TINY | {"loss": "gaussian", "horizon": 1, "target": "noise", "past_covariates": []}
    forecaster = GRUForecaster(**given).fit(wide)
    quantiles = forecaster.predict_quantiles(quantiles=[0.1, 0.5, 0.9], horizon=4)["noise"]
    assert (quantiles.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    first = forecaster.predict_quantiles(quantiles=[0.1, 0.9])["noise"].iloc[0]
    assert quantiles.iloc[1, 2] - quantiles.iloc[1, 0] == pytest.approx(first[0.9] - first[0.1], rel=0.2)  # one step


def test_what_intervals_beyond_the_horizon_need(wide):
    without = NaiveForecaster(horizon=2, validation_fraction=0).fit(wide)
    assert without.predict(horizon=5).shape == (5, 3)
    with pytest.raises(ValueError, match="needs validation rows"):
        without.predict_interval(horizon=5)
    with pytest.raises(ValueError, match="at most 2, which the forecaster was fitted for, with `adaptive`: misses are"):
        NaiveForecaster(horizon=2).fit(wide).predict_interval(wide, adaptive=True, horizon=3)
