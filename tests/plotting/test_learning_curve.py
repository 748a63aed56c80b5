"""Learning curves: the columns of a history, and the epoch whose weights were kept."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from tsrnn import GRUForecaster, NaiveForecaster, RNNClassifier
from tsrnn.plotting import LearningCurve

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
FRAME = pd.DataFrame({"a": np.sin(np.arange(400) / 5), "b": np.random.default_rng(0).normal(size=400)})


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def forecaster():
    return GRUForecaster(hidden_size=5, lookback=20, horizon=3, max_epochs=4, random_state=0).fit(FRAME)


def test_losses_the_error_and_the_best_epoch(forecaster):
    display = LearningCurve.from_estimator(forecaster)
    history, best = forecaster.history_, forecaster.best_epoch_
    loss, error = display.axes_
    training, validation, mark = loss.lines
    np.testing.assert_array_equal(training.get_xydata(), history[["epoch", "loss"]])
    np.testing.assert_array_equal(validation.get_xydata(), history[["epoch", "val_loss"]])
    assert training.get_color() != validation.get_color() and training.get_linestyle() != validation.get_linestyle()
    np.testing.assert_array_equal(error.lines[0].get_xydata(), history[["epoch", "val_mae"]])
    assert error.lines[0].get_color() == validation.get_color()
    for ax in display.axes_:
        assert ax.lines[-1].get_xdata() == [best, best] and all(tick == round(tick) for tick in ax.get_xticks())
    texts = [text.get_text() for text in loss.get_legend().get_texts()]
    assert texts == ["training", "validation", f"best epoch ({best})"] and mark.get_label() == texts[-1]
    assert [ax.get_ylabel() for ax in display.axes_] == ["loss", "val_mae"]
    assert error.get_xlabel() == "epoch" and not loss.get_xlabel() and loss.get_xlim() == error.get_xlim()


def test_the_learning_rate(forecaster):
    _, axes = plt.subplots(3)
    display = LearningCurve.from_estimator(forecaster, learning_rate=True, ax=axes)
    assert list(display.axes_) == list(axes) and axes[2].get_ylabel() == "learning_rate"
    np.testing.assert_array_equal(axes[2].lines[0].get_ydata(), forecaster.history_["learning_rate"])
    assert axes[2].get_yscale() == "log" and axes[1].get_yscale() == "linear"


def test_without_validation_rows_there_is_the_loss_alone():
    given = {"hidden_size": 5, "lookback": 20, "horizon": 3, "max_epochs": 1, "random_state": 0}
    forecaster = GRUForecaster(validation_fraction=0, **given).fit(FRAME)
    _, ax = plt.subplots()
    display = LearningCurve.from_estimator(forecaster, ax=ax)
    assert list(display.axes_) == [ax] and ax.lines[0].get_marker() == "o"  # of one epoch
    assert "validation" not in [text.get_text() for text in ax.get_legend().get_texts()]


def test_of_a_history_and_of_sequences():
    display = LearningCurve.from_history(pd.DataFrame({"epoch": [1, 2], "loss": [3.0, 2.0]}))
    assert len(display.axes_) == 1 and len(display.axes_[0].lines) == 1
    x = np.random.default_rng(0).normal(size=(60, 6, 1))
    model = RNNClassifier(hidden_size=5, max_epochs=2, validation_fraction=0.2, random_state=0).fit(x, x[:, 0, 0] > 0)
    assert [ax.get_ylabel() for ax in LearningCurve.from_estimator(model).axes_] == ["loss", "val_accuracy"]


def test_what_is_refused():
    with pytest.raises(ValueError, match="network that was trained; this NaiveForecaster has no epochs"):
        LearningCurve.from_estimator(NaiveForecaster(horizon=2).fit(FRAME))
    with pytest.raises(ValueError, match="network that was trained; this GRUForecaster is not fitted"):
        LearningCurve.from_estimator(GRUForecaster())
    with pytest.raises(ValueError, match="must have the columns 'epoch' and 'loss'; no 'loss'"):
        LearningCurve.from_history(pd.DataFrame({"epoch": [1]}))


def test_members_one_by_one():
    forecaster = GRUForecaster(hidden_size=5, lookback=20, horizon=3, max_epochs=2, random_state=0, n_members=2).fit(
        FRAME
    )
    with pytest.raises(ValueError, match=r"is of 2 members.*from_history"):
        LearningCurve.from_estimator(forecaster)
    history = forecaster.history_
    own = history[history["member"] == 1].drop(columns="member")
    display = LearningCurve.from_history(own, forecaster.best_epoch_[1])
    np.testing.assert_array_equal(display.axes_[0].lines[0].get_xydata(), own[["epoch", "loss"]])
