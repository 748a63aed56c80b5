"""`sample_weight`: from the rows of X to the rows of the panel, and what it does to training."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import GRUForecaster, LinearForecaster
from tsrnn.forecasting.prepare import prepare

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

NETWORK = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 2, "random_state": 0}
DAYS = pd.date_range("2024-01-01", periods=10, freq="D")


def prepared_weights(frame, weights, **parameters):
    forecaster = LinearForecaster(**{"lookback": 2, "horizon": 1, "validation_fraction": 0} | parameters)
    return prepare(forecaster, frame, None, None, weights).weights


def of_ten(**changes):
    return pd.DataFrame({"a": np.arange(10.0)}, index=DAYS).assign(**changes)


def test_weights_have_mean_one_over_training_rows():
    weights = prepared_weights(of_ten(), [1, 3] * 5)
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights, np.tile([0.5, 1.5], 5).astype(np.float32))
    held_out = prepared_weights(of_ten(), [1, 1, 1, 3, 3, 3, 3, 3, 500, 500], validation_fraction=0.2)
    np.testing.assert_allclose(held_out[:8].mean(), 1)
    np.testing.assert_allclose(held_out[8] / held_out[7], 500 / 3, rtol=1e-6)
    assert prepared_weights(of_ten(), None).size == 0


def test_weights_follow_the_rows_that_are_sorted():
    order = np.random.default_rng(0).permutation(10)
    weights = np.arange(1.0, 11)
    np.testing.assert_array_equal(
        prepared_weights(of_ten().iloc[order], weights[order]), prepared_weights(of_ten(), weights)
    )


@pytest.mark.parametrize(("rule", "kept"), [("first", 2.0), ("last", 30.0), ("mean", 16.0)])
def test_weights_of_duplicates(rule, kept):
    frame = pd.concat([of_ten(), of_ten().iloc[[1]]])  # the second day comes again, with another weight
    weights = np.r_[np.arange(1.0, 11), 30.0]
    expected = np.arange(1.0, 11)
    expected[1] = kept
    result = prepared_weights(frame, weights, duplicates=rule)
    np.testing.assert_allclose(result, expected / expected.mean(), rtol=1e-6)


def test_weights_of_filled_rows():
    """Absent rows have the weight of the row carried forward, rows with holes their own; leading ones drop out."""
    frame = of_ten()
    frame.iloc[0, 0] = frame.iloc[6, 0] = np.nan
    kept = np.delete(np.arange(10), [3, 4])
    result = prepared_weights(frame.iloc[kept], (kept + 1.0) * 10, missing="ffill", freq="D")
    expected = np.array([2, 3, 3, 3, 6, 7, 8, 9, 10.0])
    np.testing.assert_allclose(result, expected / expected.mean(), rtol=1e-6)


def test_weights_in_a_panel():
    """Series in the order in which they come, without those that are left out."""
    frame = pd.concat({"B": of_ten(), "C": of_ten().iloc[:3], "A": of_ten()}, names=["id", "day"])
    weights = np.r_[np.full(10, 2.0), np.full(3, 99.0), np.full(10, 4.0)]
    result = prepared_weights(frame, weights, min_length=5)
    np.testing.assert_allclose(result, np.repeat([2 / 3, 4 / 3], 10), rtol=1e-6)
    mixed = frame.sample(frac=1, random_state=0)
    by_id = mixed.index.get_level_values("id").map({"A": 4.0, "B": 2.0, "C": 99.0}).to_numpy()
    result = prepared_weights(mixed, by_id, min_length=5)
    first = mixed.index.get_level_values("id").drop_duplicates().drop("C")[0]
    expected = np.repeat([4 / 3, 2 / 3] if first == "A" else [2 / 3, 4 / 3], 10)
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def of_lengths(*lengths):
    parts = {f"s{i}": of_ten().sample(rows, replace=True).set_axis(pd.date_range("2024-01-01", periods=rows))
             for i, rows in enumerate(lengths)}  # fmt: skip
    return pd.concat(parts, names=["id", "day"])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("changes", [{}, {"gap": 2}, {"horizon": 4, "stride": 3}, {"validation_fraction": 0.2}])
def test_each_series_counts_alike(changes, weighted):
    frame = of_lengths(40, 10, 23)
    weights = np.random.default_rng(0).uniform(1, 2, len(frame)) if weighted else None
    given = {"lookback": 2, "horizon": 1, "validation_fraction": 0, "validation_by": "series"} | changes
    forecaster = LinearForecaster(**given, series_weights="equal")
    prepared = prepare(forecaster, frame, None, None, weights)
    windows = prepared.training.windows
    of_series = np.bincount(windows.series, prepared.window_weights(windows))
    assert np.unique(np.bincount(windows.series)).size == 3
    np.testing.assert_allclose(of_series, of_series[0], rtol=1e-5)
    training = np.arange(len(frame)) < np.repeat(prepared.train_end, [40, 10, 23])
    np.testing.assert_allclose(prepared.weights[training].mean(), 1, rtol=1e-5)
    if weighted:  # within a series as they were given
        np.testing.assert_allclose(prepared.weights[:40] / prepared.weights[0], weights[:40] / weights[0], rtol=1e-5)


def test_each_series_counts_alike_in_what_is_learned():
    """Two series of other slopes: a line through all points of both, each with half of the weight."""
    index = pd.date_range("2024-01-01", periods=41)
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=41), rng.normal(size=11)
    frame = pd.concat({"a": pd.DataFrame({"y": first}, index), "b": pd.DataFrame({"y": second}, index[:11])})
    given = {"lookback": 1, "horizon": 1, "validation_fraction": 0, "scaler": None, "alpha": 0.0}
    found = LinearForecaster(**given, series_weights="equal").fit(frame.rename_axis(["id", "day"])).state_.model
    x, change = np.concatenate((first[:-1], second[:-1])), np.concatenate((np.diff(first), np.diff(second)))
    slope, intercept = np.polyfit(x, change, 1, w=np.sqrt(np.repeat([1 / 40, 1 / 10], [40, 10])))
    np.testing.assert_allclose([found.coefficients.item(), found.intercept.item()], [slope, intercept], rtol=1e-4)


def test_series_count_alike_in_recursive_training_too():
    """There windows are one row ahead, and more of them."""
    frame = of_lengths(40, 12)
    given = NETWORK | {"strategy": "recursive", "validation_fraction": 0, "series_weights": "equal"}
    forecaster = GRUForecaster(**given)
    prepared = forecaster._strategy.prepared(prepare(forecaster, frame, None, None, None), 1)
    windows = prepared.training.windows
    assert np.bincount(windows.series).tolist() == [33, 5]
    of_series = np.bincount(windows.series, prepared.weights[windows.origin + 1])
    np.testing.assert_allclose(of_series[0], of_series[1], rtol=1e-5)


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_kinds_of_weights(kind):
    expected = prepared_weights(of_ten(), np.arange(10))
    np.testing.assert_array_equal(prepared_weights(of_ten(), kind(range(10))), expected)


@pytest.mark.parametrize("weights", ["many", ["a"] * 10, {"a": 1}, 3.0])
def test_other_kinds(weights):
    with pytest.raises((TypeError, ValueError), match="`sample_weight` must"):
        LinearForecaster(lookback=2, horizon=1).fit(of_ten(), sample_weight=weights)


def theta(weights, frame):
    return GRUForecaster(**NETWORK).fit(frame, sample_weight=weights).state_.model.theta


def test_equal_weights_are_no_weights(wide):
    np.testing.assert_array_equal(theta(np.full(120, 5.0), wide), theta(None, wide))


def test_only_proportions_matter(wide):
    ramp = np.linspace(1, 2, 120)
    np.testing.assert_allclose(theta(64 * ramp, wide), theta(ramp, wide), atol=1e-6)
    assert not np.allclose(theta(ramp, wide), theta(None, wide), atol=1e-4)


def test_rows_of_no_weight_are_not_learned(wide):
    """As targets: another value there changes nothing in the horizon of windows that do not read it."""
    weights = np.r_[np.ones(90), np.zeros(30)]
    settings = {"lookback": 7, "horizon": 3, "scaler": None, "validation_fraction": 0}
    other = wide.copy()
    other.iloc[97:] = 1000.0  # windows that read rows from 97 on have targets without a weight
    first = LinearForecaster(**settings).fit(wide, sample_weight=weights).state_.model
    second = LinearForecaster(**settings).fit(other, sample_weight=weights).state_.model
    np.testing.assert_allclose(second.coefficients, first.coefficients, atol=1e-6)
    network = NETWORK | {"scaler": None, "validation_fraction": 0}
    losses = [
        GRUForecaster(**network).fit(frame, sample_weight=weights).history_["loss"].to_numpy()
        for frame in (wide, other)
    ]
    np.testing.assert_array_equal(*losses)


def test_loaded_and_pickled_forecasters_do_not_carry_weights(wide):
    forecaster = LinearForecaster(lookback=7, horizon=3).fit(wide, sample_weight=np.ones(120))
    assert forecaster.state_.tail.weights is None
