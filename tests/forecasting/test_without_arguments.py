"""`RNNForecaster().fit(df).predict()` on every kind of table, and what "auto" becomes."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import LinearForecaster, NaiveForecaster, RNNForecaster

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

NAMES = ["wave", "walk", "noise"]


def forecast(table, y=None, **parameters):
    """`RNNForecaster()` but for the size of the network and the number of epochs."""
    forecaster = RNNForecaster(hidden_size=4, max_epochs=1, random_state=0, **parameters).fit(table, y)
    return forecaster, forecaster.predict()


def test_really_no_argument(wide):
    forecaster = RNNForecaster().fit(wide)
    assert forecaster.predict().shape == (7, 3)
    assert 1 <= len(forecaster.history_) <= 30


def test_wide_frame(wide):
    forecaster, result = forecast(wide)
    assert (forecaster.lookback_, forecaster.horizon_) == (14, 7)
    assert list(result.columns) == NAMES
    assert result.index.equals(pd.date_range("2024-04-30", periods=7, freq="D"))
    assert list(forecaster.feature_names_in_) == NAMES
    assert forecaster.cutoff_ == ["2024-04-06 00:00:00"]
    assert forecaster.data_report_["rows_used"] == 120


def test_range_index(wide):
    forecaster, result = forecast(wide.reset_index(drop=True))
    assert (forecaster.lookback_, forecaster.horizon_) == (36, 24)  # 24 ahead; half of the 96 - 24 training rows back
    assert result.index.equals(pd.RangeIndex(120, 144))
    assert forecaster.cutoff_ == ["96"]


def test_period_index(wide):
    _, result = forecast(wide.set_axis(pd.period_range("2010-01", periods=120, freq="M")))
    assert result.index.equals(pd.period_range("2020-01", periods=12, freq="M"))


def test_multiindex(panel):
    _, result = forecast(panel)
    assert result.index.names == ["site", "day"]
    assert result.loc["C"].index.equals(pd.date_range("2024-03-31", periods=7, freq="D", name="day"))
    assert result.loc["B"].index.equals(pd.date_range("2024-04-30", periods=7, freq="D", name="day"))
    assert not np.allclose(result.loc["A"], result.loc["B"])


def test_long_frame(panel):
    _, expected = forecast(panel)
    _, result = forecast(panel.reset_index(), id_col="site", time_col="day")
    pd.testing.assert_frame_equal(result.set_index(["site", "day"]), expected)


def test_series_and_arrays(wide):
    _, frame = forecast(wide[["walk"]])
    _, series = forecast(wide["walk"])
    pd.testing.assert_frame_equal(series, frame)
    numbered = wide.reset_index(drop=True)
    for array, table in [
        (numbered["walk"].to_numpy(), numbered[["walk"]]),
        (numbered.to_numpy(), numbered),
    ]:
        _, expected = forecast(table)
        _, result = forecast(array)
        assert list(result.columns) == list(range(table.shape[1]))
        np.testing.assert_array_equal(result, expected)
        assert result.index.equals(expected.index)


def test_polars(panel):
    pl = pytest.importorskip("polars")
    _, expected = forecast(panel)
    table = pl.from_pandas(panel.reset_index())
    forecaster, result = forecast(table, id_col="site", time_col="day")
    assert isinstance(result, pl.DataFrame)
    back = result.to_pandas().set_index(["site", "day"])
    np.testing.assert_array_equal(back, expected)
    assert back.index.equals(expected.index)
    assert forecaster.predict(table).equals(result)


def test_target_and_covariates(wide):
    forecaster, result = forecast(wide, target="walk")
    assert list(result.columns) == ["walk"]
    assert forecaster.n_features_in_ == 3
    forecaster, other = forecast(wide, target="walk", past_covariates=["noise"])
    assert forecaster.n_features_in_ == 2
    assert "'wave': not listed in `past_covariates`" in str(forecaster.summary())
    assert not np.allclose(result, other)


def test_target_as_y(wide):
    _, expected = forecast(wide, target="walk")
    forecaster, result = forecast(wide[["wave", "noise"]], wide["walk"])
    pd.testing.assert_frame_equal(result, expected)
    assert list(forecaster.feature_names_in_) == ["wave", "noise"]
    pd.testing.assert_frame_equal(forecaster.predict(wide[["wave", "noise"]], wide["walk"]), expected)
    with pytest.raises(ValueError, match="pass `y`"):
        forecaster.predict(wide[["wave", "noise"]])
    with pytest.raises(TypeError, match="give both X and y"):
        forecaster.predict(y=wide["walk"])


@pytest.mark.parametrize(
    ("freq", "rows", "lookback", "horizon"),
    [("10min", 2000, 288, 144), ("h", 500, 48, 24), ("MS", 200, 24, 12), ("QS", 100, 8, 4), ("W-SUN", 700, 104, 52)],
)
def test_one_season_ahead_and_two_back(freq, rows, lookback, horizon):
    index = pd.date_range("2000-01-01", periods=rows, freq=freq)
    forecaster = NaiveForecaster().fit(pd.DataFrame({"a": np.arange(rows) % 10.0}, index=index))
    assert (forecaster.lookback_, forecaster.horizon_) == (lookback, horizon)


@pytest.mark.parametrize("parameters", [{}, {"gap": 2}, {"sampling_rate": 2}, {"validation_by": "series"}])
@pytest.mark.parametrize("rows", [12, 13, 17, 20, 26, 31])
def test_auto_windows_shrink_to_short_series(wide, rows, parameters):
    """Whatever the border rounds to: there are training windows, more than one, and a validation window."""
    forecaster = LinearForecaster(**parameters).fit(wide.iloc[:rows])
    assert 1 <= forecaster.lookback_ <= 14
    assert 1 <= forecaster.horizon_ <= 7
    train_rows = rows - round(rows * 0.2)
    span = (forecaster.lookback_ - 1) * forecaster.sampling_rate + 1
    assert train_rows - span - forecaster.gap - forecaster.horizon_ + 1 > 1
    assert set(forecaster.baseline_skill_) == {"last", "seasonal"}


@pytest.mark.parametrize(
    ("rows", "fraction", "lookback", "horizon"),
    [
        (20, 0.2, 6, 4),  # of 16 training rows a quarter ahead, and half of the rest back
        (24, 0.0, 9, 6),
        (40, 0.1, 14, 4),  # the validation part has no more rows
        (120, 0.1, 14, 7),
    ],
)
def test_how_auto_windows_shrink(wide, rows, fraction, lookback, horizon):
    forecaster = LinearForecaster(validation_fraction=fraction).fit(wide.iloc[:rows])
    assert (forecaster.lookback_, forecaster.horizon_) == (lookback, horizon)


def test_auto_windows_shrink_to_the_shortest_series_of_a_panel(panel):
    short = panel.drop(index="C")
    short = pd.concat([short, panel.loc[["C"]].iloc[:15]])
    forecaster = LinearForecaster().fit(short)
    assert forecaster.lookback_ + forecaster.horizon_ <= 15
    assert len(forecaster.predict()) == 3 * forecaster.horizon_


def test_auto_beside_a_value_given(wide):
    assert LinearForecaster(horizon=10).fit(wide).lookback_ == 20  # twice the horizon, which is more than two seasons
    assert LinearForecaster(horizon=2).fit(wide).lookback_ == 14
    assert LinearForecaster(lookback=60).fit(wide).horizon_ == 7
    assert LinearForecaster(lookback=90).fit(wide).horizon_ == 3  # of the 96 training rows


@pytest.mark.parametrize("windows", [{"lookback": 110}, {"horizon": 130}, {"lookback": 100, "horizon": 21}])
def test_windows_given_too_long_raise(wide, windows):
    total = windows.get("lookback", 1) + windows.get("horizon", 1)
    with pytest.raises(ValueError, match=r"`lookback`.*`horizon`") as caught:
        LinearForecaster(**windows).fit(wide)
    assert "Shorten `lookback` or `horizon`" in str(caught.value) or "smaller `validation_fraction`" in str(
        caught.value
    )
    assert str(total) in str(caught.value)


def test_a_second_fit_forgets_the_first(wide):
    forecaster = LinearForecaster(lookback=7, horizon=2).fit(wide)
    assert list(forecaster.feature_names_in_) == NAMES
    forecaster.fit(wide.to_numpy()[:, :2])  # columns without names
    assert not hasattr(forecaster, "feature_names_in_")
    assert forecaster.n_features_in_ == 2
    assert list(forecaster.predict().columns) == [0, 1]
