"""What the compiled time loop must not hold."""

import re

import numba
import pytest

from tsrnn._jit import FAST_MATH
from tsrnn.nn import GRU, SLSTM, Conv1D, Dense, Jordan, recurrent, single
from tsrnn.nn.layer import Shape
from tsrnn.nn.layers import conv1d
from tsrnn.nn.network import Network

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


# Of cells with two stages and with states beside the output; the GRU, which has neither, takes seconds more.
PLAIN = pytest.param(GRU(5), marks=pytest.mark.slow)


@pytest.mark.parametrize("layer", [PLAIN, Jordan(5), SLSTM(5)], ids=str)
@pytest.mark.parametrize("name", ["forward", "backward"])
def test_no_reference_is_counted_in_the_time_loop(name, layer):
    """Branches in an inlined helper can make Numba count references to every array for each block: a third slower."""
    network = Network([layer, Dense(1)], Shape(3, 2))
    network.pack(network.initial(0))
    bound = network.workspace(training=True).bound[0]
    (call,) = getattr(bound, name)
    body = check(getattr(recurrent, name), call.args)
    assert ("@llvm.prefetch" in body) is (name == "forward")  # of what two directions write


@pytest.mark.parametrize("layer", [PLAIN, GRU(5, reset_after=False), SLSTM(5)], ids=str)
def test_nor_in_that_of_one_sequence(layer):
    network = Network([layer], Shape(3, 2))
    check(single.forward_single, network.single(network.initial(0)).bound[0].forward[0].args)


@pytest.mark.parametrize("name", ["forward", "backward"])
def test_nor_in_a_convolution(name):
    network = Network([Conv1D(5, 3, activation="softsign")], Shape(9, 3))
    call = getattr(network.workspace(training=True).bound[0], name)[0]
    check(getattr(conv1d, name), call.args)


def check(kernel, arguments):
    """No more than the counts at the entry; gives the LLVM code."""
    fresh = numba.njit(kernel.py_func, error_model="numpy", fastmath=FAST_MATH)  # not from the cache
    fresh(*arguments)
    (llvm,) = fresh.inspect_llvm().values()
    functions = re.findall(r"^define .*?^}", llvm, flags=re.DOTALL | re.MULTILINE)
    body = next(text for text in functions if re.match(r"define [^@]*@_ZN[^(]*\(", text))
    assert "fdiv" in body or "fmul" in body  # the kernel itself, not the wrapper that Python calls
    assert body.count("NRT_incref") + body.count("NRT_decref") <= 2
    return body
