"""The oracles of layers without recurrence against what Keras 3 gives."""

import numpy as np
import pytest

from reference import layers
from reference.keras_layers_fixture import load_cases, load_versions

TOLERANCE = 1e-12  # Keras computed in float64


def of_conv1d(x, mask, weights, d_y, filters, kernel_size, **options):
    gradients = layers.conv1d_backward(x, *weights, d_y, **options)
    return layers.conv1d_forward(x, *weights, **options), *gradients


def of_max_pool(x, mask, weights, d_y, **options):
    options["size"] = options.pop("pool_size")
    return layers.max_pool_forward(x, **options), layers.max_pool_backward(x, d_y, **options)


def of_average_pool(x, mask, weights, d_y, **options):
    options["size"] = options.pop("pool_size")
    return layers.average_pool_forward(x, **options), layers.average_pool_backward(x, d_y, **options)


def of_global_average(x, mask, weights, d_y):
    return layers.global_average_forward(x, mask), layers.global_average_backward(x, d_y, mask)


def of_repeat(x, mask, weights, d_y, n):
    return layers.repeat_forward(x, n), layers.repeat_backward(d_y)


def of_layer_norm(x, mask, weights, d_y, **options):
    return layers.layer_norm_forward(x, *weights, **options), *layers.layer_norm_backward(x, *weights, d_y, **options)


def of_embedding(x, mask, weights, d_y, **options):
    return layers.embedding_forward(x, *weights), None, layers.embedding_backward(x, *weights, d_y)


ORACLES = {
    "Conv1D": of_conv1d,
    "MaxPool1D": of_max_pool,
    "AveragePool1D": of_average_pool,
    "GlobalAveragePool1D": of_global_average,
    "RepeatVector": of_repeat,
    "LayerNorm": of_layer_norm,
    "Embedding": of_embedding,
}
CASES = [case for kind in ORACLES for case in load_cases(kind)]


def test_the_fixture_is_of_keras_3():
    assert load_versions()["keras"].startswith("3.")
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_oracle_agrees_with_keras(case):
    given = [case[key] for key in ("x", "mask", "weights", "d_y")]
    found = ORACLES[case["kind"]](*given, **case["options"])
    for one, other in zip(found, [case["y"], case["d_x"], *case["d_weights"]], strict=True):
        if other is None:
            assert one is None
            continue
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE * max(1.0, np.abs(other).max()))
