"""The display of attention: what is drawn is what the network gave."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from tsrnn.nn import GRU, Attention, Dense, Sequential
from tsrnn.plotting import AttentionDisplay

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
