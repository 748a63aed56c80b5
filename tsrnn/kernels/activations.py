"""Activations: each a value and its slope, the slope as a function of the value.

A cell or dense layer carries its activations in its spec, so machine code is made for just the ones in use. Every
slope here can be had from the value alone, which is why layers keep activations on their tape and not the sums that
went into them.
"""

from typing import NamedTuple

from tsrnn._jit import Spec, kernel, spec_method
from tsrnn.kernels.simd import LANES, absolute, at_least, clip, load, positive, store, zeros_like
from tsrnn.kernels.simd import sigmoid as _sigmoid
from tsrnn.kernels.simd import tanh as _tanh


class _NoFields(NamedTuple):
    pass


class Activation(Spec, _NoFields):
    """value(x) and slope(y), the derivative where the value is y; vectors in, vectors out."""

    __slots__ = ()


class Linear(Activation):
    """x"""

    __slots__ = ()

    def value(self, x):
        return x

    def slope(self, y):
        return 1 + zeros_like(y)


class Tanh(Activation):
    """tanh(x)

    In float32 a rational approximation, at most 2.9e-7 (5.1 ulp) off over all numbers; 3.9e-7 on processors without
    fused multiply-add. It is odd, exactly -1 and 1 at the ends and never beyond, and rises but for its last digits.
    """

    __slots__ = ()

    def value(self, x):
        return _tanh(x)

    def slope(self, y):
        return 1 - y * y


class Sigmoid(Activation):
    """1 / (1 + exp(-x))

    In float32 by way of a power of two, at most 1.1e-7 off over all numbers (1.7 ulp where x >= 0; below, where values
    go to zero, 5e-6 of the value). It is exactly 0 and 1 at the ends, and rises but for its last digit.
    """

    __slots__ = ()

    def value(self, x):
        return _sigmoid(x)

    def slope(self, y):
        return y * (1 - y)


class HardSigmoid(Activation):
    """min(max(x / 6 + 1/2, 0), 1), as in Keras 3 and PyTorch"""

    __slots__ = ()

    def value(self, x):
        return clip(x / 6 + 0.5, 0, 1)

    def slope(self, y):
        return positive(y) * positive(1 - y) / 6


class Relu(Activation):
    """max(x, 0)"""

    __slots__ = ()

    def value(self, x):
        return at_least(x, 0)

    def slope(self, y):
        return positive(y)


class Softsign(Activation):
    """x / (1 + abs(x)) (Turian 2009)"""

    __slots__ = ()

    def value(self, x):
        return x / (1 + absolute(x))

    def slope(self, y):
        left = 1 - absolute(y)
        return left * left


spec_method("value", 1)
spec_method("slope", 1)


@kernel
def activate(activation, numbers):
    """numbers [any][lane] become the activation's values"""
    for at in range(0, numbers.size, LANES):
        store(numbers, at, activation.value(load(numbers, at, 1)))


@kernel
def slopes(activation, values):
    """values [any][lane] become the slopes where the activation has these values"""
    for at in range(0, values.size, LANES):
        store(values, at, activation.slope(load(values, at, 1)))


ACTIVATIONS = {
    "tanh": Tanh(),
    "sigmoid": Sigmoid(),
    "hard_sigmoid": HardSigmoid(),
    "relu": Relu(),
    "softsign": Softsign(),
    "linear": Linear(),
}
