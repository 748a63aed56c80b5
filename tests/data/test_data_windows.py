"""Windows: every complete one, the last ones, and a border in time that no target crosses."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tsrnn.data import Panel, WindowShape, all_windows, end_windows, split_windows


def panel_of(lengths, offsets=None, ids=None):
    """Series whose only value is its row's tick."""
    lengths = np.asarray(lengths)
    offsets = np.zeros(len(lengths), np.int64) if offsets is None else np.asarray(offsets, np.int64)
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    ids = ids or ((None,) if len(lengths) == 1 else tuple(f"s{i}" for i in range(len(lengths))))
    empty = Panel(np.zeros((indptr[-1], 1), np.float32), indptr, ids, offsets)
    return Panel(empty.ticks().astype(np.float32)[:, None], indptr, ids, offsets)


def windows_by_hand(panel, shape):
    """Every (series, origin) whose points and targets are rows of one series."""
    found = []
    for series in range(panel.n_series):
        rows = set(range(panel.indptr[series], panel.indptr[series + 1]))
        for origin in sorted(rows):
            points = {origin - i * shape.sampling_rate for i in range(shape.lookback)}
            targets = {origin + shape.gap + 1 + i for i in range(shape.horizon)}
            if points <= rows and targets <= rows:
                found.append((series, origin))
    return found


def pairs(windows):
    assert windows.series.dtype == np.int64 and windows.origin.dtype == np.int64
    return list(zip(windows.series.tolist(), windows.origin.tolist(), strict=True))


shapes = st.builds(WindowShape, st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))


@st.composite
def panels(draw, shape=None, shortest=1):
    least = shortest if shape is None else shape.total
    lengths = draw(st.lists(st.integers(least, least + 25), min_size=1, max_size=5))
    offsets = draw(st.lists(st.integers(-5, 30), min_size=len(lengths), max_size=len(lengths)))
    return panel_of(lengths, offsets)


def test_shape_of_the_jena_protocol():
    shape = WindowShape(lookback=120, horizon=1, gap=143, sampling_rate=6)
    assert (shape.span, shape.reach, shape.total) == (715, 144, 859)


@pytest.mark.parametrize(
    ("values", "error", "name"),
    [
        ({"lookback": 0}, ValueError, "lookback"),
        ({"lookback": 2.5}, TypeError, "lookback"),
        ({"horizon": 0}, ValueError, "horizon"),
        ({"gap": -1}, ValueError, "gap"),
        ({"sampling_rate": 0}, ValueError, "sampling_rate"),
        ({"sampling_rate": True}, TypeError, "sampling_rate"),
    ],
)
def test_shapes_that_are_none(values, error, name):
    with pytest.raises(error, match=f"`{name}`"):
        WindowShape(**{"lookback": 3, "horizon": 2, **values})


@settings(deadline=None)
@given(data=st.data(), shape=shapes)
def test_all_windows_are_those_found_by_hand(data, shape):
    panel = data.draw(panels(shape))
    assert pairs(all_windows(panel, shape)) == windows_by_hand(panel, shape)


@settings(deadline=None)
@given(data=st.data(), shape=shapes, stride=st.integers(1, 6))
def test_strides_are_counted_back_from_the_latest_window(data, shape, stride):
    panel = data.draw(panels(shape))
    expected = []
    for series in range(panel.n_series):
        mine = [pair for pair in windows_by_hand(panel, shape) if pair[0] == series]
        expected += mine[::-1][::stride][::-1]
    assert pairs(all_windows(panel, shape, stride)) == expected


@settings(deadline=None)
@given(panel=panels(), shape=shapes)
def test_end_windows_end_with_each_series(panel, shape):
    assume((panel.lengths >= shape.span).all())
    windows = end_windows(panel, shape)
    assert pairs(windows) == [(s, panel.indptr[s + 1] - 1) for s in range(panel.n_series)]
    first = windows.origin - (shape.lookback - 1) * shape.sampling_rate
    assert (panel.series_of(first) == windows.series).all()


def target_rows(windows, shape):
    return windows.origin[:, None] + shape.gap + 1 + np.arange(shape.horizon)


@settings(deadline=None, max_examples=300)
@given(
    data=st.data(),
    shape=shapes,
    fraction=st.floats(0.05, 0.9),
    by=st.sampled_from(["time", "series"]),
    stride=st.integers(1, 4),
)
def test_no_target_crosses_the_border(data, shape, fraction, by, stride):
    panel = data.draw(panels(shape))
    try:
        training, validation, train_end = split_windows(panel, shape, fraction, by, stride)
    except ValueError as error:
        assert "holds no window" in str(error)
        return
    complete = windows_by_hand(panel, shape)
    border = train_end[:, None]
    assert (target_rows(training, shape) < border[training.series]).all()
    assert (target_rows(validation, shape) >= border[validation.series]).all()
    # What lies on one side is there, all of it.
    last = {(s, o): o + shape.reach for s, o in complete}
    first = {(s, o): o + shape.gap + 1 for s, o in complete}
    assert pairs(validation) == [pair for pair in complete if first[pair] >= train_end[pair[0]]]
    before = [pair for pair in complete if last[pair] < train_end[pair[0]]]
    expected = []
    for series in range(panel.n_series):
        expected += [pair for pair in before if pair[0] == series][::-1][::stride][::-1]
    assert pairs(training) == expected
    assert (train_end >= panel.indptr[:-1]).all() and (train_end <= panel.indptr[1:]).all()
    if by == "time":
        # One moment for all series: no training row of any is later than a validated row of another.
        rows = np.arange(panel.n_rows)
        is_training = rows < train_end[panel.series_of(rows)]
        ticks = panel.ticks()
        if is_training.any() and not is_training.all():
            assert ticks[is_training].max() < ticks[~is_training].min()
        span = ticks.max() + 1 - ticks.min()
        moment = ticks.max() + 1 - round(span * fraction)
        assert (ticks[is_training] < moment).all() and (ticks[~is_training] >= moment).all()
    else:
        after = panel.indptr[1:] - train_end
        np.testing.assert_array_equal(after, np.rint(panel.lengths * fraction))


def test_border_in_time_of_series_that_start_and_end_apart():
    panel = panel_of([10, 10, 10], [0, 10, 5])
    training, validation, train_end = split_windows(panel, WindowShape(2, 1), 0.5)
    assert train_end.tolist() == [10, 10, 25]  # the border is tick 10
    assert set(training.series) == {0, 2} and set(validation.series) == {1, 2}


def test_history_of_validation_reaches_back_over_the_border():
    _, validation, train_end = split_windows(panel_of([20]), WindowShape(5, 2), 0.2)
    assert train_end.tolist() == [16]
    assert validation.origin.tolist() == [15, 16, 17]


def test_no_validation():
    panel = panel_of([20, 15])
    training, validation, train_end = split_windows(panel, WindowShape(5, 2), 0)
    assert len(validation) == 0
    assert train_end.tolist() == [20, 35]
    assert pairs(training) == pairs(all_windows(panel, WindowShape(5, 2)))


def test_series_too_short_for_a_window():
    panel = panel_of([30, 9, 30, 7], ids=("A1", "A2", "A3", "A4"))
    for windows in (all_windows, lambda p, s: split_windows(p, s, 0.2)):
        with pytest.raises(ValueError) as caught:
            windows(panel, WindowShape(lookback=5, horizon=3, gap=2))
        text = str(caught.value)
        assert "at least 10 rows (5 rows of `lookback` + 2 of `gap` + 3 of `horizon`)" in text
        assert "the shortest series, 'A4', has 7 (2 series are too short: 'A2', 'A4')" in text
        assert "`min_length=10`" in text
    with pytest.raises(
        ValueError, match=r"at least 21 rows \(19 rows for `lookback=10` with `sampling_rate=2`.*got 12"
    ):
        all_windows(panel_of([12]), WindowShape(10, 2, sampling_rate=2))


def test_history_shorter_than_the_lookback():
    with pytest.raises(ValueError, match=r"reads 24 rows of `lookback`; the shortest series, 's1', has 23"):
        end_windows(panel_of([24, 23]), WindowShape(24, 12))
    with pytest.raises(ValueError, match=r"reads 24 rows of `lookback`; got 5 rows"):
        end_windows(panel_of([5]), WindowShape(24, 12))


@pytest.mark.parametrize(
    ("lengths", "ends"),
    [
        ([1], "got 1 row. Give more history."),
        ([24, 23], "has 23. Give more history, or leave it out."),
        ([22, 23], "(2 series are too short: 's0', 's1'). Give more history, or leave them out."),
    ],
)
def test_remedies_for_a_short_history(lengths, ends):
    with pytest.raises(ValueError) as caught:
        end_windows(panel_of(lengths), WindowShape(24, 12))
    assert str(caught.value).endswith(ends)


@pytest.mark.parametrize(
    ("lengths", "shape", "expected", "unwanted"),
    [
        ([1], WindowShape(1, 1), ["(1 row of `lookback` + 1 of `horizon`); got 1 row. A window needs at"], "Shorten"),
        ([9, 1], WindowShape(5, 2), ["give more rows, or leave short series out with `min_length=7`"], "Shorten"),
        ([3], WindowShape(1, 1, gap=4), ["got 3 rows. Shorten `gap`."], "Shorten `lookback`"),
        ([3], WindowShape(3, 1), ["Shorten `lookback` or `horizon`."], "A window needs"),
    ],
)
def test_remedies_for_a_short_series(lengths, shape, expected, unwanted):
    with pytest.raises(ValueError) as caught:
        all_windows(panel_of(lengths), shape)
    for part in expected:
        assert part in str(caught.value)
    assert unwanted not in str(caught.value)


def test_validation_part_without_a_window():
    with pytest.raises(ValueError) as caught:
        split_windows(panel_of([40]), WindowShape(10, 8), 0.1)
    text = str(caught.value)
    assert "The validation part holds no window: it takes 8 rows there" in text
    assert "leaves 36 rows before it and 4 after it" in text
    assert "greater `validation_fraction` (0 for no validation)" in text


def test_training_part_without_a_window():
    with pytest.raises(ValueError) as caught:
        split_windows(panel_of([40, 30], ids=("A", "B")), WindowShape(10, 8), 0.6, by="series")
    text = str(caught.value)
    assert "The training part holds no window: it takes 18 rows there" in text
    assert "leaves 16 rows before it and 24 after it of the series 'A', which has most" in text
    assert "smaller `validation_fraction`" in text


@pytest.mark.parametrize(
    ("values", "error", "name"),
    [
        ({"fraction": 1.0}, ValueError, "fraction"),
        ({"fraction": -0.1}, ValueError, "fraction"),
        ({"fraction": "0.1"}, TypeError, "fraction"),
        ({"by": "row"}, ValueError, "by"),
        ({"stride": 0}, ValueError, "stride"),
    ],
)
def test_parameters_of_a_split(values, error, name):
    with pytest.raises(error, match=f"`{name}`"):
        split_windows(panel_of([40]), WindowShape(3, 2), **{"fraction": 0.2, **values})


def test_ten_thousand_series():
    rng = np.random.default_rng(0)
    panel = panel_of(rng.integers(20, 60, 10_000), rng.integers(0, 40, 10_000))
    shape = WindowShape(6, 3)
    windows = all_windows(panel, shape)
    assert len(windows) == (panel.lengths - shape.total + 1).sum()
    training, validation, train_end = split_windows(panel, shape, 0.3)
    assert (target_rows(training, shape) < train_end[training.series][:, None]).all()
    assert (target_rows(validation, shape) >= train_end[validation.series][:, None]).all()


class TestPanel:
    """The panel itself."""

    def test_rows_and_ticks(self):
        panel = panel_of([3, 2], [5, 7])
        assert (panel.n_series, panel.n_rows, panel.n_channels) == (2, 5, 1)
        assert panel.series_of(np.arange(5)).tolist() == [0, 0, 0, 1, 1]
        assert panel.ticks(np.array([0, 2, 3])).tolist() == [5, 7, 7]
        assert panel.end_ticks.tolist() == [8, 9]

    @settings(deadline=None)
    @given(panel=panels(), rows=st.integers(1, 30))
    def test_tail(self, panel, rows):
        tail = panel.tail(rows)
        assert tail.ids == panel.ids
        assert tail.lengths.tolist() == [min(rows, length) for length in panel.lengths]
        assert tail.end_ticks.tolist() == panel.end_ticks.tolist()
        # The panel's values are its ticks.
        np.testing.assert_array_equal(tail.values[:, 0], tail.ticks())

    @settings(deadline=None)
    @given(panel=panels(), data=st.data())
    def test_select(self, panel, data):
        chosen = data.draw(st.lists(st.integers(0, panel.n_series - 1), min_size=1, unique=True))
        part = panel.select(chosen)
        assert part.ids == tuple(panel.ids[s] for s in chosen)
        assert part.lengths.tolist() == panel.lengths[chosen].tolist()
        np.testing.assert_array_equal(part.values[:, 0], part.ticks())
        assert part.values.flags.c_contiguous
