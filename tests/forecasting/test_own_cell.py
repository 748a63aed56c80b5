"""Cells by name and cells of the user's own, through everything that a forecaster does."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.base import clone

import tsrnn
from tsrnn import RNNForecaster
from tsrnn.kernels.simd import sigmoid
from tsrnn.nn import CELLS, Cell, Dense, Recurrent

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "max_epochs": 2, "random_state": 0}


class LightCell(Cell):
    """f = sigmoid(W x + p h + b), h' = h + f (W x + U h + b - h): the gate sees its own unit only."""

    __slots__ = ()
    GATES = "f n"
    RECURRENT = "n"
    OWN = "p"

    def forward(self, gates, state):
        f, n, h = sigmoid(gates[0] + gates[2] * state[0]), self.activation.value(gates[1]), state[0]
        return (h + f * (n - h),), (f, n)

    def backward(self, saved, state, d_state):
        (f, n, p), h, d_h = saved, state[0], d_state[0]
        d_f = d_h * (n - h) * f * (1 - f)
        return (d_f, d_h * f * self.activation.slope(n), d_f * h), (d_h * (1 - f) + d_f * p,)


@dataclass(frozen=True)
class Light(Recurrent):
    """A cell that the package does not know."""

    cell = LightCell


LAYERS = [Light(8, return_sequences=True, dropout=0.1), Light(5, recurrent_dropout=0.2), Dense(4)]


@pytest.fixture
def fitted(wide):
    return RNNForecaster(layers=LAYERS, **TINY).fit(wide)


def weights(forecaster):
    return forecaster.state_.model.theta.tobytes()


def test_the_same_bits_for_any_number_of_threads(wide, panel):
    for frame in (wide, panel):
        one, two = (RNNForecaster(layers=LAYERS, n_jobs=n, **TINY).fit(frame) for n in (1, 2))
        assert weights(one) == weights(two)
        assert one.predict().equals(two.predict())


def test_it_learns(wide):
    wave = wide[["wave"]]
    settings = TINY | {"max_epochs": 60, "learning_rate": 0.01}
    assert RNNForecaster(layers=[Light(16)], **settings).fit(wave).baseline_skill_["last"] > 0.5


def test_copies(wide, fitted):
    for other in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted)), clone(fitted).fit(wide)):
        assert weights(other) == weights(fitted)
        assert other.predict().equals(fitted.predict())


def test_row_by_row(wide, fitted):
    stream = fitted.stream(wide[:-1])
    np.testing.assert_array_equal(stream.step(wide.iloc[-1]), fitted.predict(wide).to_numpy())


def test_the_summary_and_the_estimate_of_memory_know_it(wide, fitted):
    assert "light_0" in str(fitted.summary())
    assert RNNForecaster(layers=LAYERS, **TINY).memory_estimate(wide).total > 0


def test_it_has_a_name_and_files_once_it_is_entered(wide, fitted, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="`cell` of RNNForecaster must be 'rnn', .* got 'light'"):
        RNNForecaster(cell="light", **TINY).fit(wide)
    with pytest.raises(TypeError, match="Light cannot be saved.*CELLS"):
        fitted.save(tmp_path / "file")
    monkeypatch.setitem(CELLS, "light", Light)
    fitted.save(tmp_path / "file")
    assert tsrnn.load(tmp_path / "file").predict().equals(fitted.predict())
    named = RNNForecaster(cell="light", hidden_size=[8, 5], **TINY).fit(wide)
    written = RNNForecaster(layers=[Light(8, return_sequences=True), Light(5)], **TINY).fit(wide)
    assert weights(named) == weights(written)


@pytest.mark.parametrize("cell", ["elman", "jordan", "peephole_lstm", "minimal_gru", "slstm"])
def test_cells_by_name(wide, cell, tmp_path):
    named = RNNForecaster(cell=cell, hidden_size=[5, 3], dropout=0.1, recurrent_dropout=0.1, **TINY).fit(wide)
    rates = {"dropout": 0.1, "recurrent_dropout": 0.1}
    layers = [CELLS[cell](5, return_sequences=True, **rates), CELLS[cell](3, **rates)]
    assert weights(named) == weights(RNNForecaster(layers=layers, **TINY).fit(wide))
    forecast = named.predict()
    assert np.isfinite(forecast).all(axis=None)
    np.testing.assert_array_equal(named.stream(wide[:-1]).step(wide.iloc[-1]), forecast.to_numpy())
    named.save(tmp_path / "file")
    assert tsrnn.load(tmp_path / "file").predict().equals(forecast)


def test_elman_is_another_name():
    assert CELLS["elman"] is CELLS["rnn"]
