"""Optimizers with their settings against the oracles, step after step."""

import numpy as np
import pytest
from reference import optimizers as oracle

from tsrnn.training import SGD, Adam, AdamW, RMSprop
from tsrnn.training.optimizers import OPTIMIZERS

CASES = [
    (SGD(), oracle.sgd, {"momentum": 0.9}),
    (SGD(momentum=0.0), oracle.sgd, {}),
    (SGD(0.7, nesterov=True), oracle.sgd, {"momentum": 0.7, "nesterov": True}),
    (RMSprop(), oracle.rmsprop, {}),
    (RMSprop(rho=0.5, epsilon=1e-3), oracle.rmsprop, {"rho": 0.5, "eps": 1e-3}),
    (Adam(), oracle.adam, {}),
    (Adam(beta_1=0.5, beta_2=0.7, epsilon=1e-3), oracle.adam, {"beta_1": 0.5, "beta_2": 0.7, "eps": 1e-3}),
    (AdamW(), oracle.adamw, {"weight_decay": 0.2}),
    (AdamW(beta_1=0.5), oracle.adamw, {"weight_decay": 0.2, "beta_1": 0.5}),
]


@pytest.mark.parametrize(("optimizer", "rule", "options"), CASES, ids=[str(case[0]) for case in CASES])
def test_oracle(optimizer, rule, options):
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(11)
    expected, states = theta.copy(), [np.zeros(11)] * optimizer.n_moments
    moments = np.zeros((optimizer.n_moments, 11))
    for step in range(1, 30):
        rate, gradient = 0.1 / step, rng.standard_normal(11)
        optimizer.apply(theta, gradient.copy(), moments, step, rate, 0.2)  # the decay concerns AdamW alone
        count = (step,) if optimizer.n_moments == 2 else ()
        expected, *states = rule(expected, gradient, *states, *count, learning_rate=rate, **options)
        np.testing.assert_allclose(theta, expected, rtol=1e-12, atol=1e-13)


def test_names():
    expected = {"adam": Adam(), "adamw": AdamW(), "rmsprop": RMSprop(), "sgd": SGD()}
    assert expected == OPTIMIZERS
    assert [name for name, optimizer in OPTIMIZERS.items() if optimizer.decouples] == ["adamw"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.0), "`momentum` of SGD must be"),
        (lambda: SGD(nesterov=1), "`nesterov` of SGD must be"),
        (lambda: RMSprop(rho=-0.1), "`rho` of RMSprop must be"),
        (lambda: RMSprop(epsilon=0), "`epsilon` of RMSprop must be"),
        (lambda: Adam(beta_2=1.0), "`beta_2` of Adam must be"),
        (lambda: AdamW(beta_1="0.9"), "`beta_1` of AdamW must be"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    assert message in str(caught.value)
