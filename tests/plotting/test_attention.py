"""The display of attention: what is drawn is what the network gave."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from tsrnn import GRUForecaster, RNNClassifier, RNNForecaster, RNNRegressor
from tsrnn.nn import GRU, Attention, Dense, RepeatVector, Sequential
from tsrnn.plotting import AttentionDisplay

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
X = np.random.default_rng(0).standard_normal((3, 7, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_weights_are_drawn():
    net = Sequential([GRU(4, return_sequences=True), Attention(units=4), Dense(1)]).build((7, 2))
    mask = np.arange(7) < np.array([7, 5, 2])[:, None]
    _, ax = plt.subplots()
    display = AttentionDisplay.from_network(net, X, mask, layer="attention_1", ax=ax)
    assert display.ax_ is ax and display.figure_ is ax.figure
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), net.attention_weights(X, mask)["attention_1"])
    assert (image.get_array()[2, 2:] == 0).all() and image.get_clim()[0] == 0


def test_no_such_layer():
    net = Sequential([Attention(kind="dot")]).build((7, 2))
    with pytest.raises(ValueError, match=r"attention layer of the network \(attention_0\); got 'attention_7'"):
        AttentionDisplay.from_network(net, X, layer="attention_7")


LAYERS = [GRU(5, return_sequences=True), Attention(kind="dot")]
WINDOW = {"lookback": 7, "horizon": 3, "max_epochs": 1, "random_state": 0}
STAMPS = pd.date_range("2024-01-01", periods=60, name="day")
FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), index=STAMPS, columns=["a", "b"])


def network_of(specs, theta, shape):
    net = Sequential(specs).build(shape)
    net.theta = theta
    return net


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
def test_of_a_forecaster(strategy):
    """Of all windows, also of those that a forecast beyond X begins from."""
    given = {"scaler": None, "instance_norm": None, "strategy": strategy}
    forecaster = RNNForecaster(layers=LAYERS, **given, **WINDOW).fit(FRAME)
    weights = forecaster.attention_weights(FRAME)
    assert weights.index.equals(STAMPS[6:]) and (weights.index.name, weights.columns.name) == ("cutoff", "step")
    model = forecaster.state_.model
    windows = np.lib.stride_tricks.sliding_window_view(FRAME.to_numpy(np.float32), 7, axis=0).transpose(0, 2, 1)
    wanted = network_of(model.specs, model.theta, (7, 2)).attention_weights(windows)["attention_1"]
    np.testing.assert_array_equal(weights, wanted)
    few = forecaster.attention_weights(FRAME, n_examples=3)
    assert few.equals(weights.iloc[[0, 26, 53]])
    assert forecaster.attention_weights(FRAME.iloc[-7:]).equals(weights.iloc[-1:])


def test_of_a_panel():
    panel = pd.concat({"A": FRAME.iloc[:30], "B": FRAME.iloc[20:]}, names=["site"])
    weights = RNNForecaster(layers=LAYERS, **WINDOW).fit(panel).attention_weights(panel, n_examples=10**6)
    assert weights.index.names == ["site", "cutoff"]
    assert weights.index.tolist() == [("A", day) for day in STAMPS[6:30]] + [("B", day) for day in STAMPS[26:]]
    display = AttentionDisplay(weights).plot()
    assert display.ax_.get_ylabel() == "site, cutoff"
    assert display.ax_.get_yticklabels()[0].get_text() == "A, 2024-01-07 00:00:00"


def test_one_of_several_layers():
    layers = [*LAYERS, RepeatVector(3), *LAYERS]
    forecaster = RNNForecaster(layers=layers, **WINDOW).fit(FRAME)
    assert forecaster.attention_weights(FRAME).shape == (54, 3)
    assert forecaster.attention_weights(FRAME, layer="attention_1").shape == (54, 7)
    with pytest.raises(ValueError, match=r"network \(attention_1, attention_4\); got 'attention_2'"):
        forecaster.attention_weights(FRAME, layer="attention_2")


def test_no_attention():
    with pytest.raises(ValueError, match=r"needs a network with an Attention layer, and this GRUForecaster has none"):
        GRUForecaster(hidden_size=5, **WINDOW).fit(FRAME).attention_weights(FRAME)
    with pytest.raises(ValueError, match="`n_examples` of attention_weights must be"):
        RNNForecaster().attention_weights(FRAME, n_examples=0)
    with pytest.raises(ValueError, match="not fitted"):
        RNNForecaster().attention_weights(FRAME)


@pytest.mark.parametrize("kind", [RNNRegressor, RNNClassifier])
def test_of_sequences_of_different_lengths(kind):
    """Each as if it were alone: what is masked has no weight."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 9, 40)
    sequences = [rng.normal(size=(steps, 2)) for steps in lengths]
    y = np.array([x[0, 0] > 0 for x in sequences]).astype(float)
    model = kind(layers=LAYERS, max_epochs=1, random_state=0).fit(sequences, y)
    model.set_params(layers=None, hidden_size=3)
    weights = model.attention_weights(sequences)
    assert weights.shape == (40, 8) and weights.index.name == "sequence"
    assert (weights.to_numpy() > 0).tolist() == (np.arange(8) < lengths[:, None]).tolist()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    for i in (0, 39):
        alone = model.attention_weights(sequences[i : i + 1])
        np.testing.assert_array_equal(alone, weights.iloc[[i], : lengths[i]])
    few = AttentionDisplay.from_estimator(model, sequences, n_examples=4)
    np.testing.assert_array_equal(few.ax_.images[0].get_array(), weights.iloc[[0, 13, 26, 39]])
    assert all(tick == round(tick) for tick in few.ax_.get_xticks())
    assert [label.get_text() for label in few.ax_.get_yticklabels()] == ["0", "13", "26", "39"]
