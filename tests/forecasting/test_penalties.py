"""Penalties on weights and clipping by value, as parameters of forecasters."""

import numpy as np
import pytest

from tsrnn import DenseForecaster, GRUForecaster
from tsrnn.nn import GRU, Dense

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

PENALTIES = {"kernel_l1": 0.01, "kernel_l2": 0.02, "recurrent_l1": 0.03, "recurrent_l2": 0.04}
PENALTIES |= {"activity_l1": 0.05, "activity_l2": 0.06}


def test_penalties_and_clip_value_reach_the_layers_and_the_training(wide):
    common = {"lookback": 5, "horizon": 2, "max_epochs": 2, "random_state": 0}
    flat = GRUForecaster(hidden_size=[4, 3], **PENALTIES, **common).fit(wide)
    specs = [GRU(4, return_sequences=True, **PENALTIES), GRU(3, **PENALTIES)]
    written_out = GRUForecaster(layers=specs, **common).fit(wide)
    without = GRUForecaster(hidden_size=[4, 3], **common).fit(wide)
    np.testing.assert_array_equal(flat.state_.model.theta, written_out.state_.model.theta)
    assert list(flat.state_.model.specs[:-1]) == specs
    for name in ("loss", "val_loss"):
        assert (flat.history_[name] > without.history_[name] + 0.1).all()
    weights = [np.abs(list(one.state_.model.arrays().values())[1]).sum() for one in (flat, without)]
    assert weights[0] < weights[1]
    clipped = GRUForecaster(hidden_size=[4, 3], clip_value=1e-12, optimizer="sgd", **common).fit(wide)
    first = clipped.state_.model.theta
    unmoved = GRUForecaster(hidden_size=[4, 3], clip_norm=1e-12, optimizer="sgd", **common).fit(wide)
    np.testing.assert_allclose(first, unmoved.state_.model.theta, atol=1e-9)


def test_penalties_of_dense_forecasters(wide):
    forecaster = DenseForecaster(hidden_size=[4, 3], kernel_l1=0.1, kernel_l2=0.2, max_epochs=1, random_state=0)
    specs = forecaster.fit(wide).state_.model.specs
    assert [(spec.kernel_l1, spec.kernel_l2) for spec in specs if isinstance(spec, Dense)] == [(0.1, 0.2)] * 2 + [
        (0, 0)
    ]
