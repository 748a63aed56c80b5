"""First values, names and places of parameters."""

import numpy as np
import pytest
from cell_kinds import KINDS
from reference import cells, initializers

from tsrnn.nn import GRU, LSTM, Dense, Dropout, Sequential
from tsrnn.nn.params import Parameter, ParamLayout, orthogonal

LAYERS = {kind: cell(20) for kind, cell in KINDS.items()}


def weights(*layers, seed=0, features=7, dtype=np.float32):
    return Sequential(layers).build((3, features), random_state=seed, dtype=dtype).get_weights()


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_are_those_of_keras(kind):
    assert tuple(w.shape for w in weights(LAYERS[kind])) == cells.weight_shapes(kind, 7, 20)


@pytest.mark.parametrize("layer", [*LAYERS.values(), Dense(20)], ids=[*KINDS, "dense"])
def test_glorot_uniform(layer):
    """Within the limit that the whole kernel gives, uniform, and up to the limit."""
    kernel = weights(layer, features=100)[0]
    limit = initializers.glorot_uniform_limit(*kernel.shape)
    assert np.abs(kernel).max() <= limit
    assert np.abs(kernel).max() > 0.99 * limit
    assert abs(kernel.mean()) < 0.05 * limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_kernels_are_orthogonal(kind):
    assert initializers.orthogonality_error(weights(LAYERS[kind], dtype=np.float64)[1]) < 1e-14
    assert initializers.orthogonality_error(weights(LAYERS[kind])[1]) < 1e-6


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (3, 8), (8, 3)])
def test_orthogonal_of_any_shape_and_either_sign(shape):
    made = [orthogonal(shape, np.random.default_rng(seed)) for seed in range(20)]
    assert all(array.shape == shape and initializers.orthogonality_error(array) < 1e-14 for array in made)
    signs = {float(np.sign(array[0, 0])) for array in made}
    assert signs == {-1.0, 1.0}  # over all such matrices, not only those that QR happens to give


def test_biases_are_zero_but_for_the_forget_gate():
    for kind in KINDS:
        bias, *own = weights(LAYERS[kind])[2:]
        expected = initializers.lstm_bias(20) if kind in ("lstm", "peephole_lstm", "slstm") else np.zeros_like(bias)
        np.testing.assert_array_equal(bias, expected)
        assert not any(array.any() for array in own)
    assert not weights(Dense(5))[1].any()


def test_same_seed_same_values():
    first, second, other = (weights(GRU(5), LSTM(4), seed=seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert (first != other).all()


def test_arrays_of_one_shape_differ():
    first, second = weights(Dense(7), Dense(7))[::2]
    assert (first != second).all()


def test_another_layer_changes_no_other():
    short, long = weights(GRU(5, return_sequences=True)), weights(GRU(5, return_sequences=True), Dropout(0.1), Dense(3))
    for one, other in zip(short, long[:3], strict=True):
        np.testing.assert_array_equal(one, other)


def test_float32_starts_from_the_values_of_float64():
    for narrow, wide in zip(weights(LSTM(5)), weights(LSTM(5), dtype=np.float64), strict=True):
        np.testing.assert_array_equal(narrow, wide.astype(np.float32))


LAYOUT = ParamLayout([
    ("a_0", (Parameter("kernel", (2, 3), "zeros"), Parameter("bias", (3,), "zeros", (slice(1, 2),)))),
    ("none_1", ()),
    ("b_2", (Parameter("kernel", (4, 1), "zeros"),)),
])  # fmt: skip


def test_layout_is_in_order_and_without_gaps():
    assert LAYOUT.size == 13
    assert [(name, part.start, part.stop) for name, _, part in LAYOUT] == [
        ("a_0.kernel", 0, 6), ("a_0.bias", 6, 9), ("b_2.kernel", 9, 13),
    ]  # fmt: skip


def test_views_write_into_the_flat_vector():
    flat = np.arange(13.0)
    named, layers = LAYOUT.named(flat), LAYOUT.views(flat)
    assert [len(arrays) for arrays in layers] == [2, 0, 1]
    np.testing.assert_array_equal(named["a_0.kernel"], [[0, 1, 2], [3, 4, 5]])
    named["a_0.bias"][:] = -1
    layers[2][0][3, 0] = -2
    np.testing.assert_array_equal(flat, [0, 1, 2, 3, 4, 5, -1, -1, -1, 9, 10, 11, -2])


def test_columns_that_start_at_one():
    np.testing.assert_array_equal(LAYOUT.initial(0), [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
