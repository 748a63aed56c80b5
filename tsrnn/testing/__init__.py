"""Checks for those who write a cell, a layer or a forecaster: the ones that the project runs on its own."""

from tsrnn.testing.forecasters import check_forecaster
from tsrnn.testing.gradcheck import check_gradient
from tsrnn.testing.layers import check_layer

__all__ = ["check_forecaster", "check_gradient", "check_layer"]
