"""What the displays share: axes of the user's own, dates, colours that can be told apart, matplotlib as an extra."""

import importlib
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.dates import ConciseDateFormatter

from tsrnn.plotting import BacktestDisplay, CalibrationDisplay, ForecastDisplay, LearningCurve, _display

INDEX = pd.date_range("2024-03-30", periods=6, freq="h", tz="Europe/Berlin", name="hour")
FORECAST = pd.Series(np.arange(6.0), INDEX, name="load")
STEPS = pd.Series([1.0, 2.0], pd.RangeIndex(1, 3, name="step"))
DISPLAYS = [
    ForecastDisplay(FORECAST),
    LearningCurve(pd.DataFrame({"epoch": [1], "loss": [1.0]})),
    BacktestDisplay(STEPS, FORECAST),
    CalibrationDisplay(np.array([0.5]), np.array([0.4]), np.array([0, 0.5, 1]), np.array([1.2, 0.8])),
]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: type(display).__name__)
def test_axes_of_the_users_own(display):
    count = 1 if isinstance(display, ForecastDisplay) else display._n_parts
    figure, axes = plt.subplots(1, count + 1, squeeze=False)
    given = axes[0, 0] if count == 1 else axes[0, :count]
    assert display.plot(ax=given) is display
    assert display.figure_ is figure and plt.get_fignums() == [figure.number]
    assert not axes[0, -1].has_data() and all(ax.has_data() for ax in axes[0, :count])
    if count == 2:
        with pytest.raises(
            ValueError, match=r"must hold 2 axes, one for each part; got 1.*`plt.subplots\(1, 2\)\[1\]`"
        ):
            display.plot(ax=axes[0, 0])


def test_a_legend_lies_beside_the_axes_of_ours_and_inside_those_of_the_user():
    ours = DISPLAYS[0].plot()
    ours.figure_.canvas.draw()
    inside = ours.ax_.get_window_extent()
    assert ours.ax_.get_legend().get_window_extent().x0 >= inside.x1
    assert ours.ax_.get_legend().get_window_extent().x1 <= ours.figure_.bbox.x1  # there is room for it
    _, ax = plt.subplots()
    theirs = DISPLAYS[0].plot(ax=ax)
    theirs.figure_.canvas.draw()
    assert ax.get_window_extent().contains(*theirs.ax_.get_legend().get_window_extent().max)


@pytest.mark.parametrize("index", [INDEX, INDEX.tz_localize(None).to_period("h"), pd.RangeIndex(7, 13)])
def test_stamps_of_every_kind(index):
    ax = ForecastDisplay(FORECAST.set_axis(index)).plot().ax_
    ax.figure.canvas.draw()
    labels = [label.get_text() for label in ax.get_xticklabels()]
    if isinstance(index, pd.RangeIndex):
        assert set(map(str, index)) <= set(labels) and all(label.isdecimal() for label in labels)
        return
    assert isinstance(ax.xaxis.get_major_formatter(), ConciseDateFormatter)
    assert "02:00" in labels and ax.xaxis.get_offset_text().get_text() == "2024-Mar-30"  # by the clock of its zone
    boxes = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


def test_colours_are_told_apart_in_grey_and_lighter_ones_are_opaque():
    grey = [np.dot(to_rgb(color), [0.299, 0.587, 0.114]) for color in (_display.BLACK, _display.BLUE, _display.GREY)]
    assert np.diff(grey).min() > 0.08
    assert _display.lighter(_display.BLUE, 1) == pytest.approx(to_rgb(_display.BLUE))
    assert _display.lighter("#ff0000", 0.25) == pytest.approx((1, 0.75, 0.75))


@pytest.mark.parametrize("display", [DISPLAYS[0], DISPLAYS[2]], ids=["Display", "PartsDisplay"])
def test_without_matplotlib(display, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name="matplotlib")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ImportError, match=r"Display needs `matplotlib`.*tsrnn\[plot\]"):
        display.plot()
