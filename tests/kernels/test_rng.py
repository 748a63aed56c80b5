"""Philox against the oracle and Random123's vectors; dropout masks as functions of what they are drawn for."""

import numpy as np
import pytest
from reference.philox import philox4x32

from tsrnn.kernels.rng import draw_choices, draw_dropout, philox_words
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import SEED, STEP, TILE, new_turn

ONES = 0xFFFFFFFF


def words(counter, key):
    out = np.zeros(4, np.uint64)
    philox_words(np.array(counter, np.uint64), np.array(key, np.uint64), out)
    return tuple(out.tolist())


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(counter, key, expected):
    """The vectors of Random123's ``kat_vectors``."""
    assert words(counter, key) == expected


def test_philox_is_the_oracle():
    for row in np.random.default_rng(0).integers(0, 2**32, (50, 6)).tolist():
        assert words(row[:4], row[4:]) == philox4x32(row[:4], row[4:])


def mask(count=5, tile=0, *, seed=7, stream=3, step=11, rate=0.4, dtype=np.float32):
    out = np.full(count * LANES + 3, 9, dtype)
    turn = new_turn()
    turn[TILE], turn[STEP], turn[SEED] = tile, step, seed
    draw_dropout(stream, turn, count, rate, out)
    assert (out[count * LANES :] == 9).all()  # nothing behind
    return out[: count * LANES].reshape(count, LANES)


@pytest.mark.parametrize("count", [1, 4, 5])
def test_masks_are_what_philox_gives(count):
    """Element e of window w: word e % 4 of the block with the counter (w, e // 4, step, stream)."""
    seed, first = 2**40 + 5, 3 * LANES
    found = mask(count, 3, seed=seed)
    key = seed % 2**32, seed >> 32
    for element in range(count):
        for lane in range(LANES):
            word = philox4x32((first + lane, element // 4, 11, 3), key)[element % 4]
            kept = word >= int(0.4 * 2**32)
            assert found[element, lane] == (np.float32(1 / 0.6) if kept else 0)


def test_rate_and_scaling():
    for rate in (0.1, 0.5, 0.9):
        drawn = np.concatenate([mask(500, tile, rate=rate) for tile in range(10)], axis=1)
        assert set(np.unique(drawn)) == {np.float32(0), np.float32(1 / (1 - rate))}
        error = 4 * np.sqrt(rate * (1 - rate) / drawn.size)
        assert abs((drawn == 0).mean() - rate) < error
        assert (mask(50, rate=0.0) == 1).all()


def test_an_element_has_the_same_number_whatever_follows_it():
    np.testing.assert_array_equal(mask(3), mask(5)[:3])


@pytest.mark.parametrize("changed", [{"seed": 8}, {"seed": 7 + 2**32}, {"stream": 4}, {"step": 12}, {"tile": 1}])
def test_other_numbers_for_another(changed):
    agree = (mask(200) == mask(200, **changed)).mean()
    assert abs(agree - (0.4**2 + 0.6**2)) < 0.05  # as if independent


def test_float64_draws_the_same_elements():
    np.testing.assert_array_equal(mask(9, dtype=np.float64) == 0, mask(9) == 0)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("count", [1, 6])
def test_choices_are_what_philox_gives(count, share):
    """As the elements of masks, chosen where the word is below the share."""
    turn, found = new_turn(), np.full(count * LANES + 3, 9, np.float32)
    turn[TILE], turn[STEP], turn[SEED] = 3, 11, 2**40 + 5
    draw_choices(2, turn, count, np.array([share]), found)
    assert (found[count * LANES :] == 9).all()
    for element, row in enumerate(found[: count * LANES].reshape(count, LANES)):
        for lane in range(LANES):
            word = philox4x32((3 * LANES + lane, element // 4, 11, 2), (5, 2**8))[element % 4]
            assert row[lane] == (word < share * 2**32)
