"""Batches whose rows go on from batch to batch."""

import numpy as np
import pytest

from tsrnn.nn import LSTM, Sequential
from tsrnn.training import ContiguousBatches


def series(rows, features=2):
    return np.random.default_rng(0).standard_normal((rows, features)).astype(np.float32)


@pytest.mark.parametrize(("batch_size", "steps", "windows"), [(1, 1, 1), (3, 4, 5), (5, 1, 7), (1, 6, 2)])
def test_every_row_comes_once_and_rows_go_on(batch_size, steps, windows):
    x, y = series(batch_size * steps * windows), np.arange(batch_size * steps * windows)
    batches = ContiguousBatches(x, y, batch_size=batch_size, steps=steps)
    assert len(batches) == windows == len(list(batches))
    for _ in range(2):  # a pass is like the one before
        parts = list(batches)
        assert all(part.shape == (batch_size, steps, 2) for part, _ in parts)
        np.testing.assert_array_equal(np.concatenate([part for part, _ in parts], axis=1).reshape(-1, 2), x)
        rows = np.concatenate([part for _, part in parts], axis=1)
        assert (np.diff(rows, axis=1) == 1).all()
        np.testing.assert_array_equal(rows.ravel(), y)


def test_stateful_layers_see_whole_stretches():
    """What a stateful network gives over all batches is what a long one gives on the stretches, to the bit."""
    x = series(3 * 4 * 5)
    net = Sequential([LSTM(6, return_sequences=True, stateful=True)]).build((4, 2), random_state=1)
    long = Sequential([LSTM(6, return_sequences=True)]).build((20, 2), random_state=1)
    found = np.concatenate([net(part) for part in ContiguousBatches(x, batch_size=3, steps=4)], axis=1)
    np.testing.assert_array_equal(found, long(x.reshape(3, 20, 2)))


def test_targets_may_have_any_shape_behind_the_rows():
    _, y = next(iter(ContiguousBatches(series(6), np.zeros((6, 2, 3)), batch_size=2, steps=3)))
    assert y.shape == (2, 3, 2, 3)


def test_nothing_is_copied():
    x = series(12)
    assert all(np.shares_memory(part, x) for part in ContiguousBatches(x, batch_size=2, steps=3))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (25, r"multiple of batch_size \* steps = 2 \* 3 = 6 rows.*got 25. Leave out the first 1 rows"),
        (5, r"got 5. Take smaller batches"),
        (0, r"got 0"),
    ],
)
def test_rows_that_do_not_divide_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        ContiguousBatches(series(rows), batch_size=2, steps=3)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`x` of ContiguousBatches must have the shape \(rows, features\); got"):
        ContiguousBatches(np.zeros(6), batch_size=2, steps=3)
    with pytest.raises(ValueError, match="`y` of ContiguousBatches must have the 6 rows of `x`; got 5"):
        ContiguousBatches(series(6), np.zeros(5), batch_size=2, steps=3)
    with pytest.raises(ValueError, match="`batch_size` of ContiguousBatches must be"):
        ContiguousBatches(series(6), batch_size=0, steps=3)
