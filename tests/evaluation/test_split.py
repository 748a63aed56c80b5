"""Folds of a panel: one moment for all series, nothing of the future in training, and bad input."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score

from tsrnn import LinearForecaster, NaiveForecaster, PanelTimeSeriesSplit

START = pd.Timestamp("2024-01-01")


def make_panel(spans, holes=(), seed=0):
    """A long frame; each series has the days from one number up to another. Some rows are taken out, all are mixed."""
    parts = [
        pd.DataFrame({"site": f"S{i}", "number": np.arange(first, last), "sales": np.arange(last - first) * 1.0})
        for i, (first, last) in enumerate(spans)
    ]
    frame = pd.concat(parts).sample(frac=1, random_state=seed).reset_index(drop=True)
    frame = frame.drop(index=[row for row in holes if row < len(frame) - 1]).reset_index(drop=True)
    return frame.assign(day=START + pd.to_timedelta(frame["number"], unit="D"))


def folds_of(splitter, X):
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(X)]


@st.composite
def panels(draw):
    spans = [
        (first, first + length)
        for first, length in draw(st.lists(st.tuples(st.integers(0, 15), st.integers(1, 30)), min_size=1, max_size=4))
    ]
    holes = draw(st.sets(st.integers(0, 100), max_size=5))
    return make_panel(spans, holes, draw(st.integers(0, 3)))


@settings(deadline=None, max_examples=100)
@given(
    frame=panels(),
    n_splits=st.integers(1, 4),
    gap=st.integers(0, 3),
    test_size=st.none() | st.integers(1, 5),
    max_train_size=st.none() | st.integers(1, 8),
)
def test_folds_are_those_of_the_stamps(frame, n_splits, gap, test_size, max_train_size):
    """By sets of days: what is tested, what is trained on, and what lies between, in every series alike."""
    days = sorted(set(frame["number"]))
    size = max(1, len(days) // (n_splits + 1)) if test_size is None else test_size
    splitter = PanelTimeSeriesSplit(
        n_splits=n_splits, test_size=test_size, gap=gap, max_train_size=max_train_size, id_col="site", time_col="day"
    )
    assert splitter.get_n_splits(frame) == n_splits
    if len(days) < n_splits * size + gap + 1:
        with pytest.raises(ValueError, match="X must leave a stamp to train on"):
            splitter.split(frame)
        return
    folds = list(splitter.split(frame))
    assert len(folds) == n_splits
    all_tested = []
    for train, test in folds:
        assert train.dtype.kind == test.dtype.kind == "i"
        assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()
        trained, tested = set(frame["number"].iloc[train]), set(frame["number"].iloc[test])
        assert max(trained) < min(tested)  # no leak
        assert sum(max(trained) < day < min(tested) for day in days) == gap
        # All rows of these days are there, whatever series they are of.
        assert set(train) == set(np.flatnonzero(frame["number"].isin(trained)))
        assert set(test) == set(np.flatnonzero(frame["number"].isin(tested)))
        assert tested == {day for day in days if min(tested) <= day <= max(tested)}
        assert trained == {day for day in days if min(trained) <= day <= max(trained)}
        assert len(tested) == size
        before = sum(day < min(tested) for day in days) - gap
        assert len(trained) == (before if max_train_size is None else min(before, max_train_size))
        all_tested += sorted(tested)
    assert all_tested == days[-n_splits * size :]  # one after the other, up to the last day


@settings(deadline=None, max_examples=100)
@given(
    rows=st.integers(2, 40),
    n_splits=st.integers(2, 5),
    gap=st.integers(0, 3),
    test_size=st.none() | st.integers(1, 6),
    max_train_size=st.none() | st.integers(1, 8),
)
def test_one_series_is_cut_as_scikit_learn_does(rows, n_splits, gap, test_size, max_train_size):
    settings_ = {"n_splits": n_splits, "gap": gap, "test_size": test_size, "max_train_size": max_train_size}
    X = np.zeros((rows, 2))
    try:
        expected = folds_of(TimeSeriesSplit(**settings_), X)
    except ValueError:
        with pytest.raises(ValueError, match="X must leave a stamp to train on"):
            PanelTimeSeriesSplit(**settings_).split(X)
        return
    assert folds_of(PanelTimeSeriesSplit(**settings_), X) == expected


def test_layouts_give_the_same_rows():
    frame = make_panel([(0, 12), (5, 20), (8, 10)])
    splitter = PanelTimeSeriesSplit(n_splits=3)
    expected = folds_of(clone(splitter).set_params(id_col="site", time_col="day"), frame)
    indexed = frame.set_index(["site", "day"])[["sales"]]
    assert folds_of(splitter, indexed) == expected
    assert folds_of(splitter, indexed["sales"]) == expected
    assert folds_of(clone(splitter).set_params(id_col="site"), indexed.swaplevel()) == expected
    assert folds_of(splitter, frame.set_index("day")[["sales"]]) == expected  # stamps are all that counts
    assert folds_of(clone(splitter).set_params(id_col="site"), frame.set_index("day")) == expected
    zoned = frame.assign(day=frame["day"].dt.tz_localize("America/New_York"))
    for changed in (zoned, frame.assign(day=frame["day"].dt.to_period("D")), frame.assign(day=frame["number"])):
        assert folds_of(clone(splitter).set_params(time_col="day"), changed) == expected


def test_polars_frames():
    polars = pytest.importorskip("polars")
    frame = make_panel([(0, 12), (5, 20)])
    splitter = PanelTimeSeriesSplit(n_splits=2, id_col="site", time_col="day")
    assert folds_of(splitter, polars.from_pandas(frame)) == folds_of(splitter, frame)


def test_a_series_that_starts_late():
    """It is tested before it is trained on, at the moment of all others."""
    frame = make_panel([(0, 20), (14, 20)]).sort_values(["site", "number"], ignore_index=True)
    (early, early_test), (late, _) = PanelTimeSeriesSplit(n_splits=2, test_size=3, time_col="day").split(frame)
    assert set(frame["site"].iloc[early]) == {"S0"}
    assert frame.iloc[early_test].groupby("site")["number"].apply(list).to_dict() == {
        "S0": [14, 15, 16],
        "S1": [14, 15, 16],
    }
    assert frame.iloc[late].groupby("site")["number"].max().to_dict() == {"S0": 16, "S1": 16}


def test_rows_of_one_stamp_stay_together():
    frame = pd.concat([make_panel([(0, 10)])] * 3)
    for train, test in PanelTimeSeriesSplit(n_splits=3, time_col="day").split(frame):
        assert frame["number"].iloc[train].value_counts().eq(3).all()
        assert frame["number"].iloc[test].value_counts().eq(3).all()


def random_panel():
    rng = np.random.default_rng(0)
    frame = make_panel([(0, 90), (10, 80), (55, 100)])
    return frame.assign(sales=rng.standard_normal(len(frame))).drop(columns="number")


@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
def test_forecasters_are_scored_in_its_folds():
    """The late series is forecast in the folds in which `fit` has not seen it."""
    frame = random_panel()
    folds = PanelTimeSeriesSplit(n_splits=3, test_size=15, id_col="site", time_col="day")
    forecaster = LinearForecaster(lookback=5, horizon=2, id_col="site", time_col="day", min_length=7)
    expected = [clone(forecaster).fit(frame.iloc[train]).score(frame.iloc[test]) for train, test in folds.split(frame)]
    assert cross_val_score(forecaster, frame, cv=folds, error_score="raise").tolist() == expected
    grid = {"alpha": [forecaster.alpha, 1e4]}
    search = GridSearchCV(forecaster, grid, cv=folds, error_score="raise").fit(frame)
    assert [search.cv_results_[f"split{fold}_test_score"][0] for fold in range(3)] == expected
    assert len(search.predict(frame)) == 6
    indexed = frame.set_index(["site", "day"])
    by_index = LinearForecaster(lookback=5, horizon=2, min_length=7)
    scores = cross_val_score(by_index, indexed, cv=PanelTimeSeriesSplit(n_splits=3, test_size=15))
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_it_works_with_metadata_routing():
    frame = random_panel().set_index(["site", "day"])
    forecaster = NaiveForecaster(lookback=5, horizon=2, min_length=7)
    folds = PanelTimeSeriesSplit(n_splits=2, test_size=15)
    expected = cross_val_score(forecaster, frame, cv=folds)
    with sklearn.config_context(enable_metadata_routing=True):
        assert cross_val_score(forecaster, frame, cv=folds, error_score="raise").tolist() == expected.tolist()


def test_groups_are_ignored_and_said_to_be():
    X = np.zeros(10)
    splitter = PanelTimeSeriesSplit(n_splits=2)
    with pytest.warns(UserWarning, match="`groups` is ignored by PanelTimeSeriesSplit") as caught:
        folds = list(splitter.split(X, None, np.arange(10)))
    assert caught[0].filename == __file__
    np.testing.assert_equal(folds, list(splitter.split(X)))


def test_representation_and_parameters():
    splitter = PanelTimeSeriesSplit(n_splits=3, gap=2)
    assert repr(splitter) == "PanelTimeSeriesSplit(gap=2, n_splits=3)"
    assert clone(splitter).get_params() == splitter.get_params()
    with pytest.raises(TypeError, match="no parameter 'n_split'. Did you mean 'n_splits'"):
        PanelTimeSeriesSplit(n_split=3)


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"n_splits": 0}, ValueError),
        ({"n_splits": 2.0}, TypeError),
        ({"test_size": 0}, ValueError),
        ({"test_size": 0.2}, TypeError),
        ({"gap": -1}, ValueError),
        ({"gap": None}, TypeError),
        ({"max_train_size": 0}, ValueError),
        ({"id_col": ["a"]}, TypeError),
        ({"time_col": pd.Series([1])}, TypeError),
    ],
)
def test_parameters_out_of_range(parameters, error):
    (name,) = parameters
    splitter = PanelTimeSeriesSplit(**parameters)
    for call in (lambda: splitter.split(np.zeros(30)), splitter.get_n_splits):
        with pytest.raises(error, match=f"`{name}` of PanelTimeSeriesSplit must be"):
            call()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_splits": 20}, r"n_splits=20 of test_size=1 \(by default\) after gap=0 take 20 .* and X has 20"),
        ({"n_splits": 3, "test_size": 7}, r"n_splits=3 of test_size=7 after gap=0 take 21 different stamps"),
        ({"n_splits": 2, "test_size": 9, "gap": 2}, r"after gap=2 take 20 .* Lower `n_splits`, `test_size` or `gap`"),
    ],
)
def test_too_few_stamps(parameters, message):
    """Rows are many, but their stamps are 20."""
    frame = make_panel([(0, 20), (3, 17), (0, 20)])
    with pytest.raises(ValueError, match=message):
        PanelTimeSeriesSplit(time_col="day", **parameters).split(frame)


BAD_TABLES = {
    "a list": ([[1.0], [2.0]], {}, TypeError, "must be a pandas DataFrame"),
    "three dimensions": (np.zeros((5, 2, 2)), {}, ValueError, "must have the shape"),
    "empty": (pd.DataFrame({"a": []}), {}, ValueError, "no rows"),
    "no such column": (make_panel([(0, 9)]), {"time_col": "days"}, ValueError, "Did you mean 'day'"),
    "series without stamps": (make_panel([(0, 9)]), {"id_col": "site"}, ValueError, "needs the stamps"),
    "an array has no columns": (np.zeros(9), {"time_col": "day"}, ValueError, "no named columns"),
    "missing stamps": (
        make_panel([(0, 9)]).assign(day=pd.NaT),
        {"time_col": "day"},
        ValueError,
        "column 'day' has 9 missing ones",
    ),
    "floats as stamps": (make_panel([(0, 9)]), {"time_col": "sales"}, ValueError, "holds floats"),
    "levels": (make_panel([(0, 9)]).set_index(["day", "site"]), {}, ValueError, "swaplevel"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_tables_without_stamps(case):
    """Refused at the call, before the first fold is asked for."""
    table, parameters, error, message = BAD_TABLES[case]
    with pytest.raises(error, match=message):
        PanelTimeSeriesSplit(n_splits=2, **parameters).split(table)
