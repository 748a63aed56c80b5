"""A time-delay network is a convolution with the sigmoid of the paper."""

import numpy as np
import pytest
from reference import layers as oracle

from tsrnn.nn import TDNN, Conv1D, Sequential
from tsrnn.testing import check_layer


@pytest.mark.parametrize("options", [{}, {"activation": "tanh", "dilation_rate": 2}], ids=str)
def test_oracle(options):
    net = Sequential([TDNN(4, 3, **options)]).build((9, 5), dtype=np.float64)
    x = np.random.default_rng(0).standard_normal((2, 9, 5))
    expected = oracle.conv1d_forward(x, *net.get_weights(), **{"activation": "sigmoid"} | options)
    np.testing.assert_allclose(net(x), expected, rtol=1e-12)


def test_it_is_named_in_summaries_and_is_no_plain_convolution():
    net = Sequential([TDNN(4, 3), TDNN(2, 2, activation="tanh")]).build((9, 5))
    assert "tdnn_0  TDNN(4, 3)" in str(net.summary()) and "TDNN(2, 2, activation='tanh')" in str(net.summary())
    assert TDNN(4, 3) != Conv1D(4, 3, activation="sigmoid")
    with pytest.raises(ValueError, match="`kernel_size` of TDNN must be an integer of at least 1; got 0"):
        TDNN(4, 0)
    with pytest.raises(ValueError, match=r"Layer 0, TDNN\(4, 3\), needs at least 3 steps"):
        Sequential([TDNN(4, 3)]).build((2, 5))


def test_conformance():
    assert check_layer(lambda: TDNN(4, 3), shapes=[(3, 1), (9, 4)], shape=(5, 3)) < 1e-6
