"""Displays of backtests, calibration and comparisons: what is drawn is what was measured."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from tsrnn import LinearForecaster, NaiveForecaster, compare
from tsrnn.evaluation import coverage_by_level, pit_histogram
from tsrnn.plotting import BacktestDisplay, CalibrationDisplay, CompareDisplay

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
RNG = np.random.default_rng(0)
DAYS = pd.date_range("2024-01-01", periods=420, name="day")
WAVE = np.sin(np.arange(420) * 2 * np.pi / 7)
FRAME = pd.DataFrame({"walk": RNG.normal(size=420).cumsum(), "wave": 3 * WAVE + RNG.normal(size=420)}, DAYS)
TARGETS = {"target": ["walk", "wave"]}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def forecaster():
    return LinearForecaster(lookback=7, horizon=3, **TARGETS).fit(FRAME[:200])


def texts_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def drawn(ax):
    return {line.get_label(): line for line in ax.lines}


# ---- backtests -------------------------------------------------------------------------------------------------------
def test_errors_by_step_and_by_origin(forecaster):
    backtest = forecaster.backtest(FRAME[200:280])
    display = BacktestDisplay.from_backtest(backtest, metric="rmse", target="wave")
    tables = [(backtest.by_step(), backtest.naive.by_step()), (backtest.by_cutoff(), backtest.naive.by_cutoff())]
    for ax, (own, naive) in zip(display.axes_, tables, strict=True):
        for name, table in (("LinearForecaster", own), ("naive", naive)):
            expected = table["rmse"].xs("wave", level="target")
            np.testing.assert_array_equal(drawn(ax)[name].get_ydata(), expected)
            assert drawn(ax)[name].get_xdata().tolist() == expected.index.tolist()
        assert drawn(ax)["naive"].get_linestyle() == "--" and ax.get_ylim()[0] == 0
        assert ax.get_ylabel() == "rmse of wave"
    steps, origins = display.axes_
    assert (steps.get_xlabel(), origins.get_xlabel()) == ("rows ahead", "origin")
    assert steps.get_legend() is None and texts_of(origins) == ["naive", "LinearForecaster"]
    assert all(tick == round(tick) for tick in steps.get_xticks())


def test_many_origins_are_drawn_pale_with_their_moving_mean(forecaster):
    backtest = forecaster.backtest(FRAME[200:])
    origins = BacktestDisplay.from_backtest(backtest, metric="bias").axes_[1]
    assert len(backtest) == 220 - 7 - 3 + 1
    assert texts_of(origins) == ["naive, mean of 10", "LinearForecaster, mean of 10"]
    bias = backtest.by_cutoff()["bias"].xs("walk", level="target")
    raw, mean = origins.lines[2:4]
    np.testing.assert_array_equal(raw.get_ydata(), bias)
    np.testing.assert_allclose(mean.get_ydata()[100], bias.iloc[95:105].mean())
    assert raw.get_zorder() < mean.get_zorder() and raw.get_linewidth() < mean.get_linewidth()
    assert origins.lines[4].get_ydata() == [0, 0] and origins.get_ylim()[0] < 0  # of both signs


@pytest.mark.parametrize("sign", [1, -1])
def test_signs(sign):
    """The naive forecast's alone may be another."""
    steps = pd.Series([1.0, 2.0], pd.RangeIndex(1, 3))
    moments = pd.Series([1.0, 2.0], pd.period_range("2024-01", periods=2, freq="M"))
    display = BacktestDisplay(steps, moments, naive_by_step=sign * steps, naive_by_cutoff=sign * moments)
    for ax in display.plot().axes_:
        low = ax.get_ylim()[0]
        assert low == 0 if sign > 0 else low < -2
        assert len(ax.lines) == (2 if sign > 0 else 3)


def test_metrics_that_naive_forecasts_do_not_have(forecaster):
    backtest = forecaster.backtest(FRAME[200:280], coverage=0.8, metrics=["coverage"])
    for ax in BacktestDisplay.from_backtest(backtest).axes_:
        assert set(drawn(ax)) == {"LinearForecaster", "nominal"} and ax.get_ylabel() == "coverage_0.8 of walk"
        assert drawn(ax)["nominal"].get_ydata() == [0.8, 0.8]
    with pytest.raises(ValueError, match="`metric` must be one of .*'coverage_0.8'; got 'mae'"):
        BacktestDisplay.from_backtest(backtest, metric="mae")
    with pytest.raises(ValueError, match="`target` must be one of 'walk', 'wave'; got 'waves'"):
        BacktestDisplay.from_backtest(backtest, target="waves")


# ---- calibration -----------------------------------------------------------------------------------------------------
def test_coverage_and_the_histogram(forecaster):
    display = CalibrationDisplay.from_estimator(forecaster, FRAME, target="wave")
    levels = np.arange(1, 40) / 40
    found = forecaster.backtest(FRAME, quantiles=levels.tolist(), metrics=["mae"]).outcomes
    truth, quantiles = found.truth[..., 1], found.quantiles[..., 1, :]
    coverage, histogram = display.axes_
    ideal, observed = coverage.lines
    nominal, covered = coverage_by_level(truth, quantiles, levels)
    np.testing.assert_allclose(observed.get_xydata(), 100 * np.column_stack([nominal, covered]))
    np.testing.assert_array_equal(ideal.get_xydata(), [[0, 0], [100, 100]])
    assert nominal.tolist() == pytest.approx((np.arange(1, 20) / 20).tolist())
    edges, density = pit_histogram(truth, quantiles[..., 1::2], levels[1::2])
    (bars,) = histogram.patches
    np.testing.assert_array_equal(bars.get_data().values, density)
    np.testing.assert_array_equal(bars.get_data().edges, edges)
    assert len(density) == 20 and histogram.lines[0].get_ydata() == [1, 1]
    assert texts_of(coverage) == ["as they say", "observed"]
    assert coverage.get_xlim() == coverage.get_ylim() == (0, 100) and histogram.get_xlim() == (0, 1)
    assert display.figure_.get_suptitle() == "wave"


def test_coverage_of_each_step():
    truth = RNG.normal(size=(400, 9, 1))
    levels = [0.1, 0.25, 0.75, 0.9]
    width = np.linspace(0.5, 2, 9)[:, None]
    quantiles = np.broadcast_to((width * [-1.28, -0.67, 0.67, 1.28])[:, None], (400, 9, 1, 4))
    coverage = CalibrationDisplay.from_predictions(truth, quantiles, levels, by_step=True).axes_[0]
    lines = coverage.lines[1:]
    assert [line.get_label() for line in lines] == ["step 1", "step 3", "step 5", "step 7", "step 9"]
    covered = 100 * coverage_by_level(truth, quantiles, levels, by="horizon")[1]
    for line, step in zip(lines, range(0, 9, 2), strict=True):
        np.testing.assert_allclose(line.get_ydata(), covered[:, step])
    assert len({(line.get_color(), str(line.get_linestyle())) for line in lines}) == 5
    assert covered[1, 0] < 60 and covered[1, 8] > 95


def test_intervals_that_adapt(forecaster):
    still, adaptive = (
        CalibrationDisplay.from_estimator(forecaster, FRAME[200:], levels=[0.2, 0.8], adaptive=rate)
        for rate in (False, 0.3)
    )
    backtest = forecaster.backtest(FRAME[200:], coverage=0.6, adaptive=0.3, metrics=["coverage"])
    assert adaptive.covered == pytest.approx(backtest.metrics.loc["walk", "coverage_0.6"])
    assert still.covered != adaptive.covered


# ---- comparisons -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def comparison():
    chosen = {
        "last": NaiveForecaster(**TARGETS),
        "ridge": LinearForecaster(lookback=14, **TARGETS),
        "weekly": NaiveForecaster(method="seasonal", **TARGETS),
    }
    return compare(FRAME, chosen, horizon=3, every=3, metrics=["mae", "rmse", "skill"], baselines=["last", "weekly"])


def test_bars_intervals_and_what_the_test_says(comparison):
    display = CompareDisplay.from_comparison(comparison, target="wave")
    board, ax = comparison.leaderboard.xs("wave", level="target"), display.ax_
    assert list(board.index) == ["ridge", "weekly", "last"]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(board.index)
    np.testing.assert_array_equal([bar.get_width() for bar in ax.patches], board["mae"])
    assert ax.yaxis_inverted() and ax.get_xlabel() == "mae of wave"
    (whiskers,) = ax.collections
    intervals = comparison.intervals("mae").xs("wave", level="target")
    np.testing.assert_allclose([segment[:, 0] for segment in whiskers.get_segments()], intervals)
    said = [text.get_text().split("  ") for text in ax.texts]
    assert [float(value) for value, _ in said] == pytest.approx(board["mae"].tolist(), rel=5e-3)
    assert [text for _, text in said] == ["better, p < 0.001", "best baseline", "worse, p < 0.001"]
    better, baseline, worse = ax.patches
    assert baseline.get_facecolor() == (1, 1, 1, 1) and (better.get_hatch(), worse.get_hatch()) == ("", "//")
    assert better.get_facecolor() != worse.get_facecolor()
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert all(ax.get_window_extent().x1 < box.x0 and box.x1 < display.figure_.bbox.x1 for box in boxes)


def test_bars_on_axes_of_the_users_own(comparison):
    _, ax = plt.subplots()
    display = CompareDisplay.from_comparison(comparison, target="wave", ax=ax)
    intervals = comparison.intervals("mae").xs("wave", level="target")
    display.figure_.canvas.draw()
    right = ax.get_window_extent().x1
    for text, (_, upper) in zip(ax.texts, intervals.to_numpy(), strict=True):
        box = text.get_window_extent()
        assert ax.transData.transform((upper, 0))[0] < box.x0 and box.x1 < right  # beside the whiskers, and inside


def test_what_cannot_be_told_apart_and_other_metrics(comparison):
    board = comparison.leaderboard.xs("walk", level="target")
    p = board.loc["ridge", "p"]
    strict, loose = (CompareDisplay.from_comparison(comparison, alpha=alpha).ax_ for alpha in (p / 2, (1 + p) / 2))
    place = board.index.get_loc("ridge")
    assert "not told apart, p" in strict.texts[place].get_text()
    assert strict.patches[place].get_facecolor() != loose.patches[place].get_facecolor()
    assert loose.texts[place].get_text().split()[1] in ("better,", "worse,")
    skill = CompareDisplay.from_comparison(comparison, metric="skill", target="wave").ax_
    assert not skill.collections and skill.get_xlim()[0] < 0  # no whiskers; a loser's bar goes to the left
    with pytest.raises(ValueError, match="`metric` must be one of those of the comparison, .*; got 'bias'"):
        CompareDisplay.from_comparison(comparison, metric="bias")
    with pytest.raises(ValueError, match="`alpha` of CompareDisplay.from_comparison"):
        CompareDisplay.from_comparison(comparison, alpha=5)
