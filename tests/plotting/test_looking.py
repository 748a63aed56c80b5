"""Displays of networks at work: what is drawn is what the estimators gave."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from tsrnn import GRUForecaster, LSTMForecaster, RNNClassifier, RNNRegressor
from tsrnn.plotting import GradientFlowDisplay, SaturationDisplay

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": np.sin(np.arange(400) / 5), "b": rng.normal(size=400)})


@pytest.fixture(scope="module")
def forecaster(frame):
    return LSTMForecaster(hidden_size=[6, 4], lookback=20, horizon=3, max_epochs=2, random_state=0).fit(frame)


def test_gradient_flow(forecaster, frame):
    flow = forecaster.gradient_flow(frame)
    assert flow.shape == (20, 2) and list(flow.columns) == ["lstm_0", "lstm_1"]
    assert (flow.index.name, flow.columns.name) == ("steps_back", "layer")
    assert (flow > 0).all().all() and flow["lstm_1"].iloc[0] > flow["lstm_1"].iloc[-1]
    display = GradientFlowDisplay(flow).plot()
    assert display.ax_.get_yscale() == "log" and display.figure_ is display.ax_.figure
    for line, (name, norms) in zip(display.ax_.lines, flow.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_xydata(), np.stack([flow.index, norms], axis=1))
    left, right = display.ax_.get_xlim()
    assert left > right  # the present is on the right


@pytest.mark.parametrize("strategy", ["recursive", "seq2seq"])
def test_other_strategies(frame, strategy):
    """Of a decoder, the encoder's layers are looked at."""
    given = {"lookback": 12, "horizon": 3, "max_epochs": 1, "random_state": 0, "hidden_size": [5, 4]}
    flow = GRUForecaster(strategy=strategy, **given).fit(frame).gradient_flow(frame)
    assert list(flow.columns) == ["gru_0", "gru_1"] and (flow > 0).all().all()


def test_saturation(forecaster, frame):
    shares = forecaster.saturation(frame)
    gates = ["g", "tanh_c", "i", "f", "o"]
    assert list(shares.index) == [(layer, gate) for layer in ("lstm_0", "lstm_1") for gate in gates]
    assert shares.between(0, 1).all()
    _, ax = plt.subplots()
    display = SaturationDisplay.from_estimator(forecaster, frame, ax=ax)
    assert display.ax_ is ax
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], 100 * shares)


def test_steps_that_no_gradient_reaches_are_not_drawn():
    flow = pd.DataFrame({"dilated_0": [3.0, 0.0, 2.0, 0.0], "short": [1.0, 0.5, np.nan, np.nan]})
    lines = GradientFlowDisplay(flow).plot().ax_.lines
    np.testing.assert_array_equal(lines[0].get_xydata(), [[0, 3], [2, 2]])
    np.testing.assert_array_equal(lines[1].get_xydata(), [[0, 1], [1, 0.5]])


def test_more_windows_than_there_are_and_fewer(forecaster, frame):
    assert forecaster.gradient_flow(frame, n_examples=10**6).equals(forecaster.gradient_flow(frame, n_examples=378))
    few = forecaster.gradient_flow(frame, n_examples=1)
    assert not few.equals(forecaster.gradient_flow(frame))
    with pytest.raises(ValueError, match="n_examples"):
        forecaster.gradient_flow(frame, n_examples=0)


def test_looking_changes_nothing(forecaster, frame):
    before = forecaster.predict().to_numpy().tobytes()
    forecaster.gradient_flow(frame)
    assert forecaster.predict().to_numpy().tobytes() == before


def test_not_fitted(frame):
    with pytest.raises(ValueError, match="not fitted"):
        GRUForecaster().gradient_flow(frame)


def test_estimators_on_sequences():
    """Ragged ones too: what is masked keeps its state, and its gradient."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(steps, 2)) for steps in rng.integers(3, 9, 60)]
    y = np.array([x[:, 0].mean() for x in X])
    for model, target in ((RNNRegressor, y), (RNNClassifier, y > 0)):
        fitted = model(hidden_size=5, max_epochs=3, random_state=0).fit(X, target)
        flow = fitted.gradient_flow(X, target)
        assert flow.shape == (8, 1) and (flow > 0).all().all()
        assert list(fitted.saturation(X, target)["gru_0"].index) == ["n", "r", "z"]
        GradientFlowDisplay.from_estimator(fitted, X, target)
        fitted.set_params(cell="lstm", hidden_size=7, n_layers=2, return_sequences=True, scaler=None)
        assert fitted.gradient_flow(X, target).equals(flow)  # what was fitted, not what will be
