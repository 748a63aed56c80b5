"""What the network of a forecaster is made of: widths and layers, instance norm, summary."""

import math

import numpy as np
import pytest

from tsrnn import GRUForecaster, RNNForecaster
from tsrnn.nn import GRU
from tsrnn.nn.cells import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 3, "random_state": 0}


def weights(forecaster):
    return forecaster.state_.model.theta.tobytes()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_widths_mean_the_layers_written_out(wide, cell):
    kind = CELLS[cell]
    settings = {name: value for name, value in TINY.items() if name != "hidden_size"} | {"max_epochs": 1}
    listed = RNNForecaster(cell=cell, hidden_size=[5, 3], dropout=0.1, **settings).fit(wide)
    layers = [kind(5, dropout=0.1, return_sequences=True), kind(3, dropout=0.1)]
    written = RNNForecaster(layers=layers, **settings).fit(wide)
    assert weights(listed) == weights(written)
    assert listed.predict().equals(written.predict())
    deep = RNNForecaster(cell=cell, hidden_size=4, n_layers=2, **settings).fit(wide)
    same = RNNForecaster(cell=cell, hidden_size=(4, 4), **settings).fit(wide)
    assert weights(deep) == weights(same)


def test_fixed_cells_are_the_same_class_with_a_cell(wide):
    assert weights(GRUForecaster(**TINY).fit(wide)) == weights(RNNForecaster(cell="gru", **TINY).fit(wide))
    settings = {name: value for name, value in TINY.items() if name != "hidden_size"}
    layers = RNNForecaster(layers=[GRU(4, activation="relu", reset_after=False)], **settings).fit(wide)
    named = GRUForecaster(activation="relu", reset_after=False, **TINY).fit(wide)
    assert weights(layers) == weights(named)


@pytest.mark.parametrize("norm", ["last", "mean", "standard"])
def test_instance_norm_moves_with_the_series(wide, norm):
    """A constant added to the history is added to the forecast. In sums of two powers of two, so without rounding."""
    frame = (wide[["walk"]] * 64).round() / 64
    forecaster = GRUForecaster(**TINY, instance_norm=norm, scaler=None).fit(frame)
    moved = forecaster.predict(frame + 32) - forecaster.predict(frame)
    np.testing.assert_allclose(moved, 32, atol=2e-4)
    plain = GRUForecaster(**TINY, scaler=None).fit(frame)
    assert (plain.predict(frame + 32) - plain.predict(frame)).abs().max(axis=None) < 30
    if norm == "standard":
        scaled = forecaster.predict(frame * 16)
        np.testing.assert_allclose(scaled, forecaster.predict(frame) * 16, rtol=1e-3, atol=1e-2)


def test_the_summary_says_what_matters(panel):
    forecaster = GRUForecaster(target="walk", past_covariates=["noise"], **TINY).fit(panel)
    text = str(forecaster.summary())
    parameters = 2 * 12 + 4 * 12 + 24 + (4 + 1) * 3
    for part in (
        f"GRUForecaster, {parameters} parameters",
        "gru_0",
        "'walk'",
        "'noise'",
        "'wave': not listed in `past_covariates`",
        "lookback",
        "2024-04-06",
        f"{forecaster.baseline_skill_['seasonal']:.3f}",
    ):
        assert part in text
    assert repr(forecaster.summary()) == text
    assert "<table>" in forecaster.summary()._repr_html_()
    assert math.isfinite(forecaster.baseline_skill_["last"])
