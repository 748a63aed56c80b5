"""The derivatives of the oracle's activations against central differences, and known values."""

import numpy as np
import pytest

from reference.activations import DERIVATIVES, FUNCTIONS, KINKS, sigmoid

INPUTS = np.linspace(-6.0, 6.0, 241) + 0.0123  # on none of the kinks


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivative_matches_difference_quotient(name):
    step = 1e-6
    assert all(np.abs(INPUTS - kink).min() > 10 * step for kink in KINKS[name])
    quotient = (FUNCTIONS[name](INPUTS + step) - FUNCTIONS[name](INPUTS - step)) / (2 * step)
    np.testing.assert_allclose(DERIVATIVES[name](INPUTS), quotient, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "a", "expected"),
    [
        ("tanh", 0.5, 0.46211715726000976),
        ("sigmoid", 2.0, 0.8807970779778823),
        ("sigmoid", -2.0, 0.11920292202211755),
        ("hard_sigmoid", 1.5, 0.75),
        ("hard_sigmoid", -4.0, 0.0),
        ("hard_sigmoid", 4.0, 1.0),
        ("relu", -2.0, 0.0),
        ("relu", 2.5, 2.5),
        ("softsign", -3.0, -0.75),
        ("linear", -1.25, -1.25),
    ],
)
def test_known_values(name, a, expected):
    assert FUNCTIONS[name](np.float64(a)) == pytest.approx(expected, abs=1e-15)


def test_sigmoid_of_wild_inputs_neither_overflows_nor_warns():
    np.testing.assert_array_equal(sigmoid(np.array([-1e4, 0.0, 1e4])), [0.0, 0.5, 1.0])
