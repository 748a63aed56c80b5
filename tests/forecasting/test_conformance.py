"""The conformance suite on every forecaster, and on forecasters that do not conform."""

import numpy as np
import pytest

from tsrnn import (
    DenseForecaster,
    GRUForecaster,
    LinearForecaster,
    LSTMForecaster,
    NaiveForecaster,
    RNNForecaster,
    SimpleRNNForecaster,
)
from tsrnn._saving import ESTIMATORS
from tsrnn.forecasting.base import Forecaster
from tsrnn.testing import check_forecaster

SMALL = {"lookback": 9, "horizon": 3, "max_epochs": 1, "random_state": 0}
MAKERS = {
    "NaiveForecaster": lambda: NaiveForecaster(horizon=3),
    "LinearForecaster": lambda: LinearForecaster(lookback=9, horizon=3),
    "DenseForecaster": lambda: DenseForecaster(hidden_size=8, **SMALL),
    "RNNForecaster": lambda: RNNForecaster(hidden_size=[4, 5], **SMALL),
    "GRUForecaster": lambda: GRUForecaster(hidden_size=8, instance_norm="standard", **SMALL),
    "LSTMForecaster": lambda: LSTMForecaster(hidden_size=8, instance_norm="last", **SMALL),
    "SimpleRNNForecaster": lambda: SimpleRNNForecaster(hidden_size=8, gap=2, **SMALL),
}
OTHERS = {
    "seasonal": lambda: NaiveForecaster(method="seasonal", season_length=11, horizon=3),
    "drift": lambda: NaiveForecaster(method="drift", lookback=5, horizon=3, gap=1),
    "mean": lambda: NaiveForecaster(method="mean", lookback=5, sampling_rate=2, horizon=3),
    "no arguments": LinearForecaster,
    "sparse": lambda: LinearForecaster(lookback=4, sampling_rate=3, horizon=2, gap=4, scaler="minmax"),
}


@pytest.mark.parametrize("make", [*MAKERS.values(), *OTHERS.values()], ids=[*MAKERS, *OTHERS])
def test_conformance(make):
    check_forecaster(make)


def test_every_forecaster_of_the_package_is_checked():
    found = {name: kind for name, kind in ESTIMATORS.items() if issubclass(kind, Forecaster)}
    concrete = {name for name, kind in found.items() if kind.__module__.startswith("tsrnn.")}
    assert concrete - {"Forecaster", "NetworkForecaster"} == set(MAKERS)


class Moody(LinearForecaster):
    """Draws numbers that the seed does not fix."""

    def _fit_model(self, prepared, seed):
        fitted = super()._fit_model(prepared, seed)
        fitted.model.intercept += np.random.default_rng().normal()
        return fitted


class Shifted(LinearForecaster):
    """Scores better than it is."""

    def score(self, X, y=None):
        return super().score(X, y) + 0.01


class Spoiling(LinearForecaster):
    """Changes its parameters in fit."""

    def fit(self, X, y=None, **options):
        super().fit(X, y, **options)
        self.alpha = self.alpha + 1
        return self


@pytest.mark.parametrize(
    ("kind", "message"),
    [(Moody, "same seed gave other forecasts"), (Shifted, "score is"), (Spoiling, "must not change parameters")],
)
def test_forecasters_that_do_not_conform_are_found(kind, message):
    with pytest.raises(AssertionError, match=message):
        check_forecaster(lambda: kind(lookback=9, horizon=3))
