"""Bad input through the estimators: each message says what, where and what to do; nothing is left half-done."""

import decimal

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError

from tsrnn import DataWarning, GRUForecaster, LinearForecaster, NaiveForecaster

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

ESTIMATORS = {
    "linear": lambda **p: LinearForecaster(**{"lookback": 6, "horizon": 2} | p),
    "gru": lambda **p: GRUForecaster(**{"lookback": 6, "horizon": 2, "hidden_size": 4, "max_epochs": 1} | p),
}


def days(rows, **options):
    return pd.date_range("2024-01-01", periods=rows, freq="D", **options)


def good():
    return pd.DataFrame({"temp": np.arange(40) % 7 + 0.5, "wind": np.arange(40) % 5 * 2.0}, index=days(40))


def changed(column, row, value):
    frame = good()
    frame.iloc[row, frame.columns.get_loc(column)] = value
    return frame


def two_series(short):
    return pd.concat({"A": good(), "B": good().iloc[:short]}, names=["site", "day"])


BAD_FRAMES = {
    "empty": (good().iloc[:0], {}, ["empty", "no rows"]),
    "no numeric column": (pd.DataFrame({"name": ["x"] * 40}, index=days(40)), {}, ["No numeric", "'name' (text)"]),
    "missing target": (good(), {"target": "tmp"}, ["`target`", "'tmp'", "Did you mean 'temp'?"]),
    "missing covariate": (good(), {"target": "temp", "past_covariates": ["wnd"]}, ["'wnd'", "Did you mean 'wind'?"]),
    "text covariate": (
        good().assign(sky="blue"),
        {"target": "temp", "past_covariates": ["sky"]},
        ["`past_covariates`", "'sky' is a text column", "What to do"],
    ),
    "boolean covariate": (
        good().assign(open=True),
        {"target": "temp", "past_covariates": ["open"]},
        ["`past_covariates`", "'open' is a boolean column", "What to do"],
    ),
    "complex covariate": (
        good().assign(wave=1j),
        {"target": "temp", "past_covariates": ["wave"]},
        ["`past_covariates`", "'wave' is a complex column", "take its real or absolute part"],
    ),
    "one row": (good().iloc[:1], {}, ["at least 8 rows", "got 1 row", "give more rows"]),
    "NaN": (changed("wind", 7, np.nan), {}, ["column 'wind': 1 missing", "2024-01-08", "missing='ffill'"]),
    "absent stamp": (good().drop(index="2024-01-09"), {}, ["absent stamps: 1", "2024-01-09", "missing='ffill'"]),
    "infinity": (changed("temp", 3, -np.inf), {}, ["'temp' has 1 infinite", "2024-01-04", "na_values"]),
    "overflow of float32": (changed("temp", 5, 1e39), {}, ["float32", "'temp'", "2024-01-06", "Divide"]),
    "code for missing": (changed("temp", 5, -9999), {}, ["'temp'", "-9999", "2024-01-06", "na_values=[-9999]"]),
    "duplicates": (pd.concat([good(), good().iloc[[4, 2]]]), {}, ["2024-01-03", "2024-01-05", "duplicates='first'"]),
    "no frequency": (good().set_axis(days(2000)[np.arange(40) ** 2]), {}, ["`freq` cannot be inferred", "Give `freq"]),
    "off the grid": (good(), {"freq": "2D"}, ["'2D'", "2024-01-02", "freq"]),
    "too short": (good().iloc[:7], {}, ["at least 8 rows", "6 rows of `lookback`", "got 7 rows", "Shorten `lookback`"]),
    "one too short": (two_series(7), {}, ["at least 8 rows", "'B', has 7", "`min_length=8`"]),
    "all NaN": (good().assign(wind=np.nan), {}, ["'wind' holds no value at all", "40 rows"]),
    "doubled column": (pd.concat([good(), good()[["wind"]]], axis=1), {}, ["'wind' names more than one", "Rename"]),
    "NaT": (good().set_axis(days(40).where(np.arange(40) != 4)), {}, ["missing", "4"]),
    "decimals": (
        good().assign(price=[decimal.Decimal("1.5")] * 40),
        {"target": "price"},
        ["'price' is a decimal column", "astype(float)"],
    ),
    "no window in the validation part": (good(), {"validation_fraction": 0.01}, ["validation part", "greater"]),
    "no window in the training part": (good(), {"validation_fraction": 0.9}, ["training part", "smaller"]),
    "levels of the index": (two_series(30).swaplevel(), {}, ["(id, time)", "swaplevel"]),
    "y and target": (good(), {"target": "temp", "y": good()["wind"].rename("y")}, ["`target` is 'temp'", "as `y`"]),
    "y of another length": (good(), {"y": np.zeros(39)}, ["39 rows for 40"]),
    "y on other rows": (good(), {"y": good()["temp"].rename("y").shift(1, freq="D")}, ["must have the index of X"]),
    "short X_val": (good(), {"X_val": good().iloc[:5]}, ["In `X_val`", "at least 8 rows", "got 5 rows"]),
    "other X_val": (good(), {"X_val": good()[["wind"]]}, ["In `X_val`", "lacks 'temp'"]),
    "weights of another length": (good(), {"sample_weight": np.ones(39)}, ["`sample_weight`", "40 rows", "(39,)"]),
    "negative weight": (good(), {"sample_weight": np.arange(-2, 38)}, ["not negative; 2 are not", "-2", "position 0"]),
    "infinite weight": (good(), {"sample_weight": np.full(40, np.inf)}, ["finite", "40 are not"]),
    "no weight": (good(), {"sample_weight": np.zeros(40)}, ["zero everywhere", "Leave it out"]),
    "no weight in training": (
        good(),
        {"sample_weight": np.r_[np.zeros(32), np.ones(8)]},
        ["zero in all of the 32 training rows", "validation_fraction"],
    ),
}  # fmt: skip
FIT = ("y", "X_val", "sample_weight")


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.parametrize("case", BAD_FRAMES)
def test_fit_refuses_and_stays_as_it_was(make, case):
    table, options, parts = BAD_FRAMES[case]
    arguments = {name: value for name, value in options.items() if name in FIT}
    forecaster = make().fit(good())
    fitted, forecast = dict(vars(forecaster)), forecaster.predict()
    forecaster.set_params(**{name: value for name, value in options.items() if name not in FIT})
    before = table.copy()
    with pytest.raises(ValueError) as caught:
        forecaster.fit(table, **arguments)
    for part in parts:
        assert part in str(caught.value)
    changed = {name for name, value in vars(forecaster).items() if value is not fitted.get(name)}
    assert changed <= set(options)  # what set_params changed
    assert set(vars(forecaster)) == set(fitted)
    pd.testing.assert_frame_equal(forecaster.predict(), forecast)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(("table", "got"), [([[1.0, 2.0]], "list"), ({"a": 1}, "dict"), (None, "NoneType")])
def test_other_kinds_of_tables(table, got):
    with pytest.raises(TypeError, match=f"must be a pandas DataFrame.*{got}"):
        LinearForecaster().fit(table)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.coo_matrix])
def test_sparse_tables(kind):
    with pytest.raises(TypeError, match=rf"`X` must be .*; got a sparse {kind.__name__}. Call `.toarray\(\)`"):
        LinearForecaster().fit(kind(np.eye(40)))
    with pytest.raises(TypeError, match=r"`y` must be .*; got a sparse"):
        LinearForecaster().fit(np.eye(40), kind(np.ones((40, 1))))


@pytest.mark.parametrize("columns", [1, 2, 4, 5])
def test_an_array_has_the_columns_of_fit(columns):
    """It has no names to find them by. Columns that `fit` left out count too."""
    rows = np.random.default_rng(0).standard_normal((40, 5))
    forecaster = LinearForecaster(lookback=6, horizon=2, target=2, past_covariates=[0]).fit(rows[:, :3])
    for call in (forecaster.predict, forecaster.score, forecaster.historical_forecasts):
        with pytest.raises(ValueError, match=f"X has {columns} features, but LinearForecaster is expecting 3 features"):
            call(rows[:, :columns])
    assert len(forecaster.predict(rows[:, :3])) == 2
    with pytest.raises(ValueError, match=r"X has 1 features, .* expecting 3 .* Reshape your data to \(rows, 3\)"):
        forecaster.predict(rows[:, 2])
    covariates = LinearForecaster(lookback=6, horizon=2).fit(rows[:, :3], rows[:, 4])
    with pytest.raises(ValueError, match=f"X has {columns} features, but LinearForecaster is expecting 3 features"):
        covariates.predict(rows[:, :columns], rows[:, 4])
    assert len(covariates.predict(rows[:, :3], rows[:, 4])) == 2
    with pytest.raises(ValueError, match=f"In `X_val`: X has {columns} features, but LinearForecaster is expecting 3"):
        LinearForecaster(lookback=6, horizon=2).fit(rows[:, :3], X_val=rows[:, :columns])


def test_columns_that_float32_holds_badly_are_named_at_the_call_of_fit():
    with pytest.warns(DataWarning, match="'temp' varies by only .* Subtract an offset") as caught:
        LinearForecaster(lookback=6, horizon=2).fit(good().assign(temp=1e6 + np.arange(40) % 7))
    assert [warning.filename for warning in caught if warning.category is DataWarning] == [__file__]


def test_unsorted_rows_are_sorted():
    shuffled = good().sample(frac=1, random_state=0)
    forecaster = LinearForecaster(horizon=2).fit(shuffled)
    pd.testing.assert_frame_equal(forecaster.predict(), LinearForecaster(horizon=2).fit(good()).predict())
    assert forecaster.data_report_["sorted"]


def test_remedies_named_in_errors_work():
    for table, remedy in [
        (changed("wind", 7, np.nan), {"missing": "ffill"}),
        (changed("temp", 5, -9999), {"na_values": -9999, "missing": "ffill"}),
        (changed("temp", 5, -9999), {"na_values": []}),
        (pd.concat([good(), good().iloc[[4, 2]]]), {"duplicates": "mean"}),
        (two_series(7), {"min_length": 8}),
    ]:
        forecast = LinearForecaster(lookback=6, horizon=2, **remedy).fit(table).predict()
        assert np.isfinite(forecast.to_numpy()).all()
        assert len(forecast) == 2


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
def test_constant_columns(make):
    """No division by zero, as target or covariate; the forecast of a constant is that constant for ridge."""
    frame = good().assign(wind=3.0)
    forecast = make().fit(frame).predict()
    assert np.isfinite(forecast.to_numpy()).all()
    alone = make().fit(frame[["wind"]])
    assert np.isfinite(alone.predict().to_numpy()).all()
    assert np.isfinite(alone.score(frame[["wind"]]))
    if isinstance(alone, LinearForecaster):
        np.testing.assert_allclose(forecast["wind"], 3.0, rtol=1e-6)
        assert alone.score(frame[["wind"]]) == 0


@pytest.mark.parametrize("make", [NaiveForecaster, *ESTIMATORS.values()], ids=["naive", *ESTIMATORS])
def test_before_fit(make, tmp_path):
    forecaster = make()
    for call in (
        forecaster.predict,
        lambda: forecaster.score(good()),
        lambda: forecaster.historical_forecasts(good()),
        forecaster.summary,
        lambda: forecaster.save(tmp_path / "file"),
        lambda: forecaster.baseline_skill_,
    ):
        with pytest.raises(NotFittedError, match=f"This {type(forecaster).__name__} is not fitted yet: call `fit`"):
            call()
    assert not hasattr(forecaster, "baseline_skill_")
    assert not list(tmp_path.iterdir())


BAD_HISTORIES = {
    "column lacks": (good()[["wind"]], ["lacks 'temp'"]),
    "too short": (good().iloc[:5], ["reads 6 rows of `lookback`", "got 5 rows", "Give more history"]),
    "zone": (good().tz_localize("UTC"), ["UTC", "zone"]),
    "NaN": (changed("temp", 39, np.nan), ["column 'temp'", "2024-02-09"]),
    "off the grid": (good().shift(6, freq="h"), ["grid of the training data", "2024-01-01 06:00:00"]),
    "numbers": (good().reset_index(drop=True), ["stamps"]),
    "text": (good().assign(temp="x"), ["'temp' must be numeric", "text"]),
    "two series": (two_series(30), ["layout"]),
}


@pytest.mark.parametrize("call", ["predict", "score", "historical_forecasts"])
@pytest.mark.parametrize("case", BAD_HISTORIES)
def test_histories_that_cannot_be_read(case, call):
    table, parts = BAD_HISTORIES[case]
    forecaster = LinearForecaster(lookback=6, horizon=2).fit(good())
    with pytest.raises((ValueError, TypeError)) as caught:
        getattr(forecaster, call)(table)
    if case != "too short" or call == "predict":
        for part in parts:
            assert part in str(caught.value)
    else:
        assert "at least 8 rows" in str(caught.value)


def test_short_series_of_a_history_is_named():
    forecaster = LinearForecaster(lookback=6, horizon=2, min_length=8).fit(two_series(20))
    with pytest.raises(ValueError, match=r"the shortest series, 'B', has 3"):
        forecaster.predict(two_series(3))


@pytest.mark.parametrize(("horizon", "error"), [(0, ValueError), (1.5, TypeError), ("2", TypeError)])
def test_horizon_of_predict(horizon, error):
    forecaster = LinearForecaster(lookback=6, horizon=2).fit(good())
    with pytest.raises(error, match="`horizon`"):
        forecaster.predict(horizon=horizon)


@pytest.mark.parametrize(("every", "error"), [(0, ValueError), ("2", TypeError)])
def test_every_of_historical_forecasts(every, error):
    forecaster = LinearForecaster(lookback=6, horizon=2).fit(good())
    with pytest.raises(error, match="`every`"):
        forecaster.historical_forecasts(good(), every=every)
