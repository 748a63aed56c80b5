"""The metrics against numbers worked out by hand."""

import numpy as np
import pytest

from tsrnn.evaluation import bias, mae, mase, rmse, rmsse, skill, smape, wape

# Two windows, two steps, two targets; errors (forecast minus truth) are
# window 0: [1, -2], [3, 0]; window 1: [0, 4], [-1, 2].
TRUE = np.array([[[1.0, 10.0], [2.0, 20.0]], [[3.0, 30.0], [4.0, 40.0]]])
PRED = TRUE + np.array([[[1.0, -2.0], [3.0, 0.0]], [[0.0, 4.0], [-1.0, 2.0]]])
METRICS = [mae, rmse, bias, smape, wape]


@pytest.mark.parametrize(
    ("metric", "by", "expected"),
    [
        (mae, None, 13 / 8),
        (mae, "window", [6 / 4, 7 / 4]),
        (mae, "horizon", [7 / 4, 6 / 4]),
        (mae, "target", [5 / 4, 8 / 4]),
        (rmse, None, (35 / 8) ** 0.5),
        (rmse, "window", [(14 / 4) ** 0.5, (21 / 4) ** 0.5]),
        (rmse, "horizon", [(21 / 4) ** 0.5, (14 / 4) ** 0.5]),
        (rmse, "target", [(11 / 4) ** 0.5, (24 / 4) ** 0.5]),
        (bias, None, 7 / 8),
        (bias, "window", [2 / 4, 5 / 4]),
        (bias, "horizon", [3 / 4, 4 / 4]),
        (bias, "target", [3 / 4, 4 / 4]),
        (wape, None, 13 / 110),
        (wape, "window", [6 / 33, 7 / 77]),
        (wape, "horizon", [7 / 44, 6 / 66]),
        (wape, "target", [5 / 10, 8 / 100]),
        (smape, None, 200 * (1 / 3 + 2 / 18 + 3 / 7 + 0 + 0 + 4 / 64 + 1 / 7 + 2 / 82) / 8),
        (smape, "window", [200 * (1 / 3 + 2 / 18 + 3 / 7) / 4, 200 * (4 / 64 + 1 / 7 + 2 / 82) / 4]),
        (smape, "horizon", [200 * (1 / 3 + 2 / 18 + 4 / 64) / 4, 200 * (3 / 7 + 1 / 7 + 2 / 82) / 4]),
        (smape, "target", [200 * (1 / 3 + 3 / 7 + 1 / 7) / 4, 200 * (2 / 18 + 4 / 64 + 2 / 82) / 4]),
    ],
)
def test_by_hand(metric, by, expected):
    found = metric(TRUE, PRED, by=by)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert isinstance(found, float) == (by is None)


@pytest.mark.parametrize("metric", METRICS)
def test_axes_of_different_lengths(metric):
    rng = np.random.default_rng(0)
    true, pred = rng.normal(size=(2, 3, 4, 5))
    assert [metric(true, pred, by=by).shape for by in ("window", "horizon", "target")] == [(3,), (4,), (5,)]
    np.testing.assert_allclose(metric(true, pred, by="horizon")[2], metric(true[:, [2]], pred[:, [2]]), rtol=1e-14)


@pytest.mark.parametrize("metric", [mae, rmse, bias])
def test_float32_is_added_up_in_float64(metric):
    true = np.zeros((1, 1, 3), dtype=np.float32)
    pred = np.array([[[1e8, 1.0, 1.0]]], dtype=np.float32)
    expected = {mae: (1e8 + 2) / 3, rmse: ((1e16 + 2) / 3) ** 0.5, bias: (1e8 + 2) / 3}[metric]
    assert metric(true, pred) == pytest.approx(expected, rel=1e-15)


def test_smape_ends():
    assert smape([[[0.0]]], [[[0.0]]]) == 0.0
    assert smape([[[0.0]]], [[[1e-300]]]) == 200.0
    assert smape([[[-2.0]]], [[[2.0]]]) == 200.0


def test_wape_of_zeros_is_refused():
    true = TRUE.copy()
    true[:, :, 1] = 0.0
    assert wape(true, true + 1.0) == 8 / 10
    with pytest.raises(ValueError, match="all of y_true of target 1 is zero"):
        wape(true, PRED, by="target")
    with pytest.raises(ValueError, match="all of y_true is zero"):
        wape(np.zeros((1, 2, 1)), np.ones((1, 2, 1)))


# Differences over one step: 1, 3, -2 and 10, 0, 20. Over two steps: 4, 1 and 10, 20.
TRAIN = np.array([[1.0, 10.0], [2.0, 20.0], [5.0, 20.0], [3.0, 40.0]])


def test_mase_by_hand():
    # Absolute errors of target 0: 1, 3, 0, 1; of target 1: 2, 0, 4, 2.
    one, two = (1 + 3 + 2) / 3, (10 + 0 + 20) / 3
    assert mase(TRUE, PRED, TRAIN) == pytest.approx((5 / one + 8 / two) / 8, rel=1e-14)
    np.testing.assert_allclose(mase(TRUE, PRED, TRAIN, by="target"), [5 / 4 / one, 8 / 4 / two], rtol=1e-14)
    np.testing.assert_allclose(
        mase(TRUE, PRED, TRAIN, by="horizon"), [(1 / one + 6 / two) / 4, (4 / one + 2 / two) / 4], rtol=1e-14
    )
    assert mase(TRUE, PRED, TRAIN, season=2) == pytest.approx((5 / 2.5 + 8 / 15) / 8, rel=1e-14)


def test_rmsse_by_hand():
    one, two = (1 + 9 + 4) / 3, (100 + 0 + 400) / 3
    roots = np.array([[(10 / 2 / one) ** 0.5, (4 / 2 / two) ** 0.5], [(1 / 2 / one) ** 0.5, (20 / 2 / two) ** 0.5]])
    assert rmsse(TRUE, PRED, TRAIN) == pytest.approx(roots.mean(), rel=1e-14)
    np.testing.assert_allclose(rmsse(TRUE, PRED, TRAIN, by="window"), roots.mean(axis=1), rtol=1e-14)
    np.testing.assert_allclose(rmsse(TRUE, PRED, TRAIN, by="target"), roots.mean(axis=0), rtol=1e-14)
    seasonal = np.array([(16 + 1) / 2, (100 + 400) / 2])
    expected = np.sqrt(((PRED - TRUE) ** 2).mean(axis=1) / seasonal).mean()
    assert rmsse(TRUE, PRED, TRAIN, season=2) == pytest.approx(expected, rel=1e-14)
    with pytest.raises(ValueError, match="'window' or 'target'"):
        rmsse(TRUE, PRED, TRAIN, by="horizon")


@pytest.mark.parametrize("metric", [mase, rmsse])
def test_each_window_is_scaled_by_its_own_series(metric):
    series = [TRAIN, 7.0 * TRAIN[:3]]
    found = metric(TRUE, PRED, series, by="window")
    expected = [metric(TRUE[[w]], PRED[[w]], series[w]) for w in range(2)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found[1] != pytest.approx(metric(TRUE[[1]], PRED[[1]], TRAIN))
    stacked = np.stack([TRAIN, 7.0 * TRAIN])
    np.testing.assert_array_equal(metric(TRUE, PRED, stacked), metric(TRUE, PRED, list(stacked)))


@pytest.mark.parametrize("metric", [mase, rmsse])
@pytest.mark.parametrize(
    ("train", "season", "message"),
    [
        (TRAIN, 4, r"T greater than the season of 4; got \(4, 2\) for series 0"),
        (TRAIN[:, :1], 1, r"shape \(T, 2\)"),
        ([TRAIN, TRAIN, TRAIN], 1, r"one for each window \(2\); got 3"),
        ([TRAIN, TRAIN * [1.0, 0.0]], 1, "is 0 for series 1, target 1 at a season of 1"),
        (TRAIN * [np.nan, 1.0], 1, "is nan for series 0, target 0"),
        (TRAIN, 0, "`season` of .* must be an integer of at least 1; got 0"),
    ],
)
def test_training_series_that_give_no_scale(metric, train, season, message):
    with pytest.raises(ValueError, match=message):
        metric(TRUE, PRED, train, season=season)


def test_skill_by_hand():
    naive = TRUE + np.array([[[2.0, 5.0], [2.0, 5.0]], [[2.0, -5.0], [2.0, 5.0]]])  # MAE 2 and 5; over both 3.5
    np.testing.assert_allclose(skill(TRUE, PRED, naive, by="target"), [1 - 1.25 / 2, 1 - 2 / 5], rtol=1e-14)
    assert skill(TRUE, PRED, naive) == pytest.approx(1 - (1.25 / 2 + 2 / 5) / 2, rel=1e-14)
    np.testing.assert_allclose(skill(TRUE, PRED, naive, by="window"), [1 - 1.5 / 3.5, 1 - 1.75 / 3.5], rtol=1e-14)
    np.testing.assert_allclose(skill(TRUE, PRED, naive, by="horizon"), [1 - 1.75 / 3.5, 1 - 1.5 / 3.5], rtol=1e-14)
    assert skill(TRUE, naive, naive) == 0.0
    assert skill(TRUE, TRUE, naive) == 1.0
    assert skill(TRUE, TRUE + 10.0, TRUE + 5.0) == -1.0


def test_skill_against_a_forecast_without_error():
    naive = TRUE + np.array([1.0, 0.0])
    np.testing.assert_array_equal(skill(TRUE, PRED, naive, by="target"), [1 - 1.25, np.nan])
    assert skill(TRUE, PRED, naive) == 1 - 1.25
    assert np.isnan(skill(TRUE, PRED, TRUE))


@pytest.mark.parametrize("metric", METRICS)
def test_bad_arrays(metric):
    name = metric.__name__
    with pytest.raises(ValueError, match=rf"{name} needs .* y_pred of the same shape .* \(2, 2, 2\) and \(2, 2, 1\)"):
        metric(TRUE, PRED[:, :, :1])
    with pytest.raises(ValueError, match=r"got \(2, 2\) and \(2, 2\)"):
        metric(TRUE[0], PRED[0])
    with pytest.raises(ValueError, match=f"{name} of nothing"):
        metric(TRUE[:0], PRED[:0])
    with pytest.raises(ValueError, match=f"`by` of {name} must be 'window', 'horizon' or 'target', or None"):
        metric(TRUE, PRED, by="targets")
    for bad, label in ((np.nan, "nan"), (-np.inf, "-inf")):
        pred = PRED.copy()
        pred[1, 0, 1] = bad
        with pytest.raises(ValueError, match=f"y_pred holds {label} in window 1, step 0, target 1"):
            metric(TRUE, pred)
    with pytest.raises(ValueError, match="y_true holds nan"):
        metric(TRUE * np.nan, PRED)


def test_bad_naive_forecasts_are_named():
    with pytest.raises(ValueError, match="y_true and y_naive of the same shape"):
        skill(TRUE, PRED, PRED[:1])
    with pytest.raises(ValueError, match="y_naive holds inf"):
        skill(TRUE, PRED, PRED + np.inf)
