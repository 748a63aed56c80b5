"""Rows of streams in their places, several series side by side, and streams in files."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import tsrnn
from tsrnn import DenseForecaster, GRUForecaster, LinearForecaster, ModelFileError, NaiveForecaster, Stream

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 1, "random_state": 0}
START = 60


# ---- places of rows --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("end", "message"),
    [
        (START - 1, "The row of 2024-02-29 00:00:00 came already: it is the last one. The next one is of 2024-03-01 "
                    "00:00:00. Leave it out."),
        (START - 9, "The row of 2024-02-21 00:00:00 is late: the stream stands at 2024-02-29 00:00:00, and takes no "
                    "row before that."),
        (START + 2, "The row of 2024-03-03 00:00:00 is out of order: the next one is of 2024-03-01 00:00:00, so 2 rows "
                    "before it did not come. Give them first."),
    ],
)  # fmt: skip
def test_rows_out_of_their_place(wide, end, message):
    forecaster = LinearForecaster(lookback=5, horizon=2).fit(wide[:START])
    stream = forecaster.stream()
    with pytest.raises(ValueError) as caught:
        stream.step(wide.iloc[end])
    assert str(caught.value).startswith(message)
    expected = forecaster.predict(wide[: START + 1]).to_numpy()
    np.testing.assert_array_equal(stream.step(wide.iloc[START]), expected)
    with pytest.raises(ValueError, match="came already"):
        stream.step(wide.iloc[START])
    stream.step(wide.iloc[START].rename(None))  # without a name it is the next one, whatever it is


def test_stamps_that_are_no_next_ones(wide):
    forecaster = LinearForecaster(lookback=5, horizon=2, missing="ffill").fit(wide[:START])
    stream, row = forecaster.stream(), wide.iloc[START]
    with pytest.raises(
        ValueError, match="2024-03-01 12:00:00 lies between two rows of the grid 'D'; the next one is of"
    ):
        stream.step(row.rename(row.name + pd.Timedelta(hours=12)))
    with pytest.raises(ValueError, match="the name of `row` holds text that cannot be read as a stamp"):
        stream.step(row.rename("sensor 5"))
    with pytest.raises(ValueError, match="must be of the kind 'datetime', as in the training data; got 'integer'"):
        stream.step(row.rename(60))
    with pytest.raises(ValueError, match="have the time zone UTC, those of the training data have none"):
        stream.step(row.rename(row.name.tz_localize("UTC")))
    with pytest.raises(ValueError, match="Give them first, as rows of NaN where nothing was observed."):
        stream.step(wide.iloc[START + 1])
    np.testing.assert_array_equal(stream.step(row.rename("2024-03-01")), forecaster.predict(wide[: START + 1]))


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2004-01-31", periods=300, freq="ME"),
        pd.date_range("2024-01-01", periods=300, freq="B"),
        pd.date_range("2024-03-30", periods=300, freq="h", tz="Europe/Berlin"),
        pd.period_range("2024-01", periods=300, freq="Q"),
        pd.RangeIndex(7, 907, 3),
    ],
    ids=["month ends", "business days", "clock change", "quarters", "integers"],
)
def test_places_on_every_kind_of_axis(index):
    frame = pd.DataFrame({"y": np.arange(300.0)}, index)
    stream = NaiveForecaster(lookback=1, horizon=1).fit(frame[:30]).stream()
    for end in range(30, 298):  # more than the stamps that are made at a time
        assert stream.step(frame.iloc[end]).item() == end
    with pytest.raises(ValueError, match="is out of order: the next one is of .*, so 1 row before it did not come"):
        stream.step(frame.iloc[299])


def long(panel):
    return panel.reset_index().rename(columns={"site": "id", "day": "at"})


def test_rows_name_their_series(panel):
    frame, settings = long(panel), {"lookback": 5, "horizon": 2}
    of_b = frame[frame["id"] == "B"]
    forecaster = LinearForecaster(**settings, id_col="id", time_col="at").fit(frame)
    stream = forecaster.stream(of_b[:-2])
    with pytest.raises(ValueError, match="`row` is of the series 'C', but the stream follows 'B'."):
        stream.step(of_b.iloc[-2].replace({"B": "C"}))
    with pytest.raises(ValueError, match="is out of order"):
        stream.step(of_b.iloc[-1])
    expected = forecaster.predict(of_b[:-1]).drop(columns=["id", "at"]).to_numpy()
    np.testing.assert_array_equal(stream.step(of_b.iloc[-2]), expected)
    levels = panel.loc[["B"]]
    stream = LinearForecaster(**settings).fit(panel).stream(levels[:-2])
    with pytest.raises(ValueError, match="`row` is of the series 'A', but the stream follows 'B'."):
        stream.step(levels.iloc[-2].rename(("A", levels.index[-2][1])))
    with pytest.raises(ValueError, match="is out of order"):
        stream.step(levels.iloc[-1])


# ---- several series --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda stream: pickle.loads(pickle.dumps(stream))])
@pytest.mark.parametrize(
    "forecaster",
    [
        GRUForecaster(**TINY),
        DenseForecaster(lookback=7, horizon=2, hidden_size=4, max_epochs=1, random_state=0, loss="gaussian"),
        LinearForecaster(lookback=5, horizon=2, scope="local", validation_by="series"),
        NaiveForecaster(method="seasonal", lookback=2, horizon=9),
    ],
    ids=lambda forecaster: type(forecaster).__name__,
)
def test_several_series_side_by_side(panel, forecaster, copied):
    """Of different lengths, which end at different moments: each has a next row of its own."""
    lengths = {"A": 80, "B": 100, "C": 65}

    def until(turn):
        return pd.concat([panel.loc[[name]][: rows + turn] for name, rows in lengths.items()])

    forecaster.fit(panel)
    stream = forecaster.stream(until(0))
    assert stream.ids == ("A", "B", "C")
    for turn in range(1, 20):
        rows = until(turn).groupby(level=0).tail(1)
        if turn == 10:
            stream = copied(stream)
        forms = rows.to_numpy(), rows[::-1], rows.droplevel("day").assign(other="x"), rows.reorder_levels([1, 0])
        found = stream.step(forms[turn % 4])
        np.testing.assert_array_equal(found.reshape(-1, 3), forecaster.predict(until(turn)))


def test_more_rows_than_are_kept_of_several_series(panel):
    """They move to the front of their array, also those of a series that was short."""
    forecaster = NaiveForecaster(method="seasonal", lookback=2, horizon=9).fit(panel)
    stream = forecaster.stream(pd.concat([panel.loc[["A"]], panel.loc[["B"]][:3]]))
    rows = np.random.default_rng(0).normal(size=(1100, 2, 3)).astype(np.float32)
    for turn, row in enumerate(rows):
        found = stream.step(row)
        if turn >= 6:
            week = rows[turn - 6 : turn + 1].swapaxes(0, 1)
            np.testing.assert_array_equal(found, np.concatenate([week, week[:, :2]], axis=1))


def test_several_series_in_a_long_frame(panel):
    frame = long(panel)
    forecaster = LinearForecaster(lookback=5, horizon=2, id_col="id", time_col="at").fit(frame)
    rows = frame.groupby("id").tail(1)
    stream = forecaster.stream(frame.drop(rows.index))
    with pytest.raises(ValueError, match=r"The row of 2024-04-30 00:00:00 \(series 'B'\) is out of order"):
        stream.step(rows.assign(at=rows["at"] + pd.Timedelta(days=1) * (rows["id"] == "B").astype(int)))
    with pytest.raises(ValueError, match="must name the series of each row in the column 'id', as in `fit`."):
        stream.step(rows.drop(columns="id"))
    expected = forecaster.predict(frame).drop(columns=["id", "at"]).to_numpy().reshape(3, 2, 3)
    np.testing.assert_array_equal(stream.step(rows.drop(columns="at").sample(frac=1, random_state=0)), expected)


def test_rows_of_several_series_that_cannot_be_used(panel):
    rows = panel.groupby(level=0).tail(1).droplevel("day")
    forecaster = LinearForecaster(lookback=5, horizon=2, missing="ffill").fit(panel)
    stream = forecaster.stream()
    for given, message in (
        (rows[:2], "`rows` must have a row of each series (NaN where nothing was observed); those of 1 are absent: "),
        (pd.concat([rows, rows[:1]]), "`rows` holds the series 'A' twice; give one row of each, and step again."),
        (rows.rename(index={"C": "c"}), "`rows` holds the series 'c', which the stream does not follow"),
        (rows.drop(columns="walk"), "`rows` must have each of 'wave', 'walk', 'noise' once; it lacks 'walk'."),
        (rows.to_numpy()[:2], "`rows` must have the shape (3, 3), one number for each of 'wave', 'walk', 'noise' in "
                              "this order, of each of 'A', 'B', 'C' in this order; got (2, 3)."),
        (rows * [1, np.inf, 1], "`rows` must hold finite numbers that fit into float32; it does not in 'walk' of 'A', "
                                "'B', 'C'."),
    ):  # fmt: skip
        with pytest.raises(ValueError) as caught:
            stream.step(given)
        assert message in str(caught.value)
    gone, last = rows.copy(), panel.loc["B", "walk"].iloc[-1]
    gone.loc["B", "walk"] = np.nan
    np.testing.assert_array_equal(stream.step(gone), forecaster.stream().step(gone.fillna(last)))


# ---- files -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "forecaster",
    [
        GRUForecaster(**TINY, instance_norm="mean"),
        GRUForecaster(**TINY, strategy="recursive"),
        LinearForecaster(lookback=5, horizon=2, na_values=[-99], missing="ffill"),
        NaiveForecaster(method="seasonal", lookback=2, horizon=9),
    ],
    ids=lambda forecaster: f"{type(forecaster).__name__}-{getattr(forecaster, 'strategy', '')}",
)
def test_a_stream_from_a_file_goes_on_to_the_bit(wide, panel, forecaster, tmp_path):
    """Of one series, and of several, of which one is new to the forecaster: it keeps its scale."""
    renamed = panel.rename({"C": "new"}, level=0)
    for stream in (clone(forecaster).fit(wide).stream(), clone(forecaster).fit(panel).stream(renamed)):
        shape = (12, 3) if len(stream.ids) == 1 else (12, 3, 3)
        rows = np.random.default_rng(0).normal(size=shape)
        for row in rows[:3]:
            stream.step(row)
        stream.save(tmp_path / "stream")
        again = Stream.load(tmp_path / "stream")
        assert again.ids == stream.ids and again.columns == stream.columns
        if forecaster.missing == "ffill":
            rows[5, ..., 0] = -99
        for row in rows[3:]:
            np.testing.assert_array_equal(again.step(row), stream.step(row))


def test_a_stream_from_a_file_knows_where_it_stands(wide, tmp_path):
    stream = LinearForecaster(lookback=5, horizon=2).fit(wide[:START]).stream()
    stream.step(wide.iloc[START])
    stream.save(tmp_path / "stream")
    again = Stream.load(tmp_path / "stream")
    with pytest.raises(ValueError, match="came already"):
        again.step(wide.iloc[START])
    again.step(wide.iloc[START + 1])


def test_files_that_hold_no_stream(wide, tmp_path):
    forecaster = NaiveForecaster(horizon=2).fit(wide)
    forecaster.save(tmp_path / "model")
    with pytest.raises(ModelFileError, match="holds a NaiveForecaster, and no stream. Read it with `tsrnn.load"):
        Stream.load(tmp_path / "model")
    forecaster.stream().save(tmp_path / "stream")
    with pytest.raises(ModelFileError, match="holds a stream of a NaiveForecaster. Read it with `Stream.load"):
        tsrnn.load(tmp_path / "stream")
    (tmp_path / "cut").write_bytes((tmp_path / "stream").read_bytes()[:-20])
    with pytest.raises(ModelFileError, match="damaged or cut off"):
        Stream.load(tmp_path / "cut")
