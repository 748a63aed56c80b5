"""Streams: row by row, what ``predict`` says of the same history."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import tsrnn
from tsrnn import (
    DenseForecaster,
    GRUForecaster,
    LinearForecaster,
    LSTMForecaster,
    NaiveForecaster,
    RNNForecaster,
    SimpleRNNForecaster,
)
from tsrnn.data import end_windows
from tsrnn.forecasting.stepping import GrowingRows
from tsrnn.nn import GRU, LSTM, Conv1D, Dense, GlobalAveragePool1D, LayerNorm, MaxPool1D, Residual

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 1, "random_state": 0}
START = 60  # rows before the stream begins; 50 follow


def check(forecaster, frame, *, start=START, count=50):
    """Each forecast of the stream against ``predict`` on the frame up to there: the same bits."""
    stream = forecaster.stream(frame.iloc[:start])
    for end in range(start, start + count):
        found, expected = stream.step(frame.iloc[end]), forecaster.predict(frame.iloc[: end + 1]).to_numpy()
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("norm", [None, "last", "mean", "standard"])
@pytest.mark.parametrize("kind", [SimpleRNNForecaster, LSTMForecaster, GRUForecaster])
def test_equal_to_predict(wide, kind, norm):
    check(kind(**TINY, instance_norm=norm, target=["walk", "wave"]).fit(wide[:START]), wide)


@pytest.mark.parametrize(
    "forecaster",
    [
        RNNForecaster(**TINY | {"hidden_size": [5, 3]}, sampling_rate=3, gap=2, scaler="minmax"),
        RNNForecaster(layers=[GRU(40, return_sequences=True), LSTM(3, go_backwards=True)], lookback=7, horizon=2,
                      max_epochs=1, random_state=0, scaler="robust"),
        RNNForecaster(layers=[Conv1D(40, 2, activation="relu"), MaxPool1D(2), LayerNorm(), Residual(Dense(40)),
                              GlobalAveragePool1D()], lookback=7, horizon=2, max_epochs=1, random_state=0),
        GRUForecaster(**TINY | {"lookback": 1}, target="noise", scaler=None),
        DenseForecaster(lookback=5, horizon=2, max_epochs=1, random_state=0, dropout=0.2, instance_norm="last"),
        LinearForecaster(lookback=5, horizon=2, sampling_rate=2),
        *(NaiveForecaster(lookback=5, horizon=9, gap=1, method=method) for method in ("last", "seasonal", "drift",
                                                                                      "mean")),
    ],
    ids=lambda forecaster: f"{type(forecaster).__name__}-{getattr(forecaster, 'method', '')}",
)  # fmt: skip
def test_every_forecaster(wide, forecaster):
    check(forecaster.fit(wide[:START]), wide)


def test_without_a_history_it_goes_on_from_the_training_rows(wide, tmp_path):
    forecaster = GRUForecaster(**TINY).fit(wide[:START])
    forecaster.save(tmp_path / "model.tsrnn")
    streams = [made.stream() for made in (forecaster, tsrnn.load(tmp_path / "model.tsrnn"))]
    for end in range(START, START + 5):
        expected = forecaster.predict(wide[: end + 1]).to_numpy()
        for stream in streams:
            np.testing.assert_array_equal(stream.step(wide.iloc[end]), expected)


def test_many_rows(wide):
    """More than are kept: the history moves to the front of its array several times."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((2500, 3)).cumsum(axis=0).astype(np.float32)
    forecaster = GRUForecaster(**TINY, instance_norm="mean").fit(wide)
    stream = forecaster.stream()
    found = [stream.step(row) for row in rows]
    for end in (3, 1017, 1018, 1024, 2500):
        np.testing.assert_array_equal(found[end - 1], forecaster.predict(frame_after(wide, rows[:end])).to_numpy())


def frame_after(frame, rows):
    index = pd.date_range(frame.index[0], periods=len(frame) + len(rows), freq=frame.index.freq)
    return pd.DataFrame(np.vstack([frame.to_numpy(), rows]), index, frame.columns)


def test_growing_rows():
    rows = np.arange(3000.0, dtype=np.float32)[:, None]
    growing = GrowingRows(rows[:5], 3)
    for end in range(5, 3000):
        np.testing.assert_array_equal(growing.last, rows[end - 3 : end])
        growing.append(rows[end])


def test_arrays_come_in_the_order_of_the_columns(wide):
    forecaster = GRUForecaster(**TINY, target="walk", past_covariates=["noise", "wave"]).fit(wide[:START])
    stream, other = (forecaster.stream(wide[:START]) for _ in range(2))
    assert stream.columns == ("walk", "noise", "wave")
    row = wide.iloc[START]
    expected = forecaster.predict(wide[: START + 1]).to_numpy()
    np.testing.assert_array_equal(stream.step(row[["walk", "noise", "wave"]].to_numpy()), expected)
    more = pd.concat([pd.Series({"site": "A"}), row[::-1]])  # in any order, with a column that is not read
    np.testing.assert_array_equal(other.step(more), expected)


def test_rows_of_an_array_are_as_in_the_array(wide):
    values = wide.to_numpy()
    forecaster = GRUForecaster(**TINY, target=2, past_covariates=[0]).fit(values[:START])
    stream = forecaster.stream(values[:START])
    assert stream.columns == (0, 1, 2)
    for end in range(START, START + 4):
        expected = forecaster.predict(values[: end + 1])
        np.testing.assert_array_equal(stream.step(values[end].tolist()), np.asarray(expected).reshape(3, 1))


def test_a_target_that_came_as_y(wide):
    X, y = wide[["noise", "wave"]], wide["walk"]
    forecaster = GRUForecaster(**TINY).fit(X[:START], y[:START])
    stream = forecaster.stream(X[:START], y[:START])
    assert stream.columns == ("walk", "noise", "wave")
    expected = forecaster.predict(X[: START + 1], y[: START + 1]).to_numpy()
    np.testing.assert_array_equal(stream.step(wide.iloc[START]), expected)
    with pytest.raises(TypeError, match="give both X and y, or neither"):
        forecaster.stream(y=y)


@pytest.mark.parametrize("scope", ["series", "global"])
def test_one_series_of_a_panel(panel, scope):
    forecaster = GRUForecaster(**TINY, scaler_scope=scope).fit(panel)
    rows = panel.loc[["B"]]
    stream = forecaster.stream(rows[:-2])
    for end in (-1, None):
        expected = forecaster.predict(rows[:end]).to_numpy()
        np.testing.assert_array_equal(stream.step(rows.iloc[(end or 0) - 1]), expected)


def test_missing_values_are_carried_forward_where_fit_did_so(wide):
    gone = wide.copy()
    gone.iloc[START : START + 2, 0] = np.nan
    gone.iloc[START + 1, 1] = -999.0
    forecaster = GRUForecaster(**TINY, missing="ffill", na_values=[-999]).fit(wide[:START])
    check(forecaster, gone, count=4)


def test_streams_of_one_forecaster_do_not_meet(wide):
    forecaster = GRUForecaster(**TINY).fit(wide[:START])
    one, other = forecaster.stream(wide[:START]), forecaster.stream(wide[: START + 5])
    for end in range(START, START + 5):
        other.step(wide.iloc[end + 5])
        expected = forecaster.predict(wide[: end + 1]).to_numpy()
        np.testing.assert_array_equal(one.step(wide.iloc[end]), expected)


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ([1.0, 2.0], ValueError, "`row` must have the shape (3,), one number for each of 'walk', 'wave', 'noise' in "
                                 "this order; got (2,)."),
        ([[1.0, 2.0, 3.0]], ValueError, "got (1, 3)."),
        (5.0, ValueError, "got ()."),
        ([1.0, np.nan, np.nan], ValueError, "`row` has no value for 'wave', 'noise'. Give it, or fit the forecaster "
                                            'with `missing="ffill"`, which carries the last value forward.'),
        ([1.0, np.inf, 2.0], ValueError, "`row` must hold finite numbers that fit into float32; it does not in "
                                         "'wave'."),
        ([1e39, 1.0, 2.0], ValueError, "it does not in 'walk'."),
        (["a", 1.0, 2.0], TypeError, "`row` must hold numbers; got ['a', 1.0, 2.0] ("),
        (pd.Series({"walk": 1.0, "noize": 2.0, "wave": 3.0}), ValueError,
         "`row` must have each of 'walk', 'wave', 'noise' once; it lacks 'noise'. Did you mean 'noize'?"),
        (pd.Series([1.0, 2.0, 3.0, 4.0], ["walk", "wave", "noise", "walk"]), ValueError,
         "it has more than one of 'walk'."),
        (pd.Series({"walk": "a", "noise": 2.0, "wave": 3.0}), TypeError, "`row` must hold numbers; got "),
        (None, ValueError, "got ()."),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_leaves_the_stream_as_it_was(wide, row, error, message):
    forecaster = GRUForecaster(**TINY, target="walk").fit(wide[:START])
    stream = forecaster.stream(wide[:START])
    with pytest.raises(error) as caught:
        stream.step(row)
    assert message in str(caught.value)
    expected = forecaster.predict(wide[: START + 1]).to_numpy()
    np.testing.assert_array_equal(stream.step(wide.iloc[START]), expected)


def test_histories_that_cannot_be_followed(wide):
    with pytest.raises(ValueError, match="A forecast reads 7 rows of `lookback`; got 6 rows. Give more history."):
        GRUForecaster(**TINY).fit(wide).stream(wide[:6])
    with pytest.raises(NotFittedError, match="not fitted yet"):
        GRUForecaster().stream()


@pytest.mark.parametrize("forecaster", [GRUForecaster(**TINY), LinearForecaster(lookback=5, horizon=2)])
@pytest.mark.parametrize("made", [copy.deepcopy, lambda stream: pickle.loads(pickle.dumps(stream))])
def test_a_copy_goes_its_own_way(wide, forecaster, made):
    stream = forecaster.fit(wide[:START]).stream()
    stream.step(wide.iloc[START])
    other = made(stream)
    for row in (START + 1, START + 2):
        np.testing.assert_array_equal(other.step(wide.iloc[row]), stream.step(wide.iloc[row]))
    apart = other.step(wide.iloc[START].to_numpy())
    assert (apart != stream.step(wide.iloc[START + 3])).any()


def test_codes_of_narrow_columns_in_rows_of_wider_numbers():
    """A row of float32 and int64 is float64: -999.9 comes as -999.9000244140625."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=70).astype(np.float32), "b": np.arange(70)})
    frame.loc[65, "a"] = -999.9
    forecaster = GRUForecaster(**TINY, target="a", na_values=-999.9, missing="ffill").fit(frame[:START])
    stream = forecaster.stream()
    for end in range(START, 70):
        found = stream.step(frame.iloc[end])
    np.testing.assert_array_equal(found, forecaster.predict(frame).to_numpy())


@pytest.mark.parametrize("forecaster", [GRUForecaster(**TINY), LinearForecaster(lookback=5, horizon=2)])
def test_a_series_that_fit_has_not_seen_keeps_the_scale_of_its_first_history(panel, forecaster):
    new = 50 + 20 * panel.loc[["B"]].rename(index={"B": "new"}, level=0)
    fitted = clone(forecaster).set_params(scaler_scope="series").fit(panel)
    stream, state = fitted.stream(new[:START]), fitted.state_
    scaling, _ = state.scaling.rows_for(fitted._history_panel(new[:START], None, state))
    for end in (START + 1, START + 2):
        rows = fitted._history_panel(new[:end], None, state)
        history = replace(fitted._history(rows, state), scaling=scaling)
        expected = state.model.predict(history, end_windows(rows, state.shape))[0]
        np.testing.assert_allclose(stream.step(new.iloc[end - 1]), expected, rtol=1e-6)
