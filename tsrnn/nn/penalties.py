"""L1 and L2 penalties on weights: what they add to the loss, and to its gradient."""

from __future__ import annotations

import numpy as np

from tsrnn.kernels.update import d_penalty, penalty
from tsrnn.nn.params import ParamLayout


class Penalties:
    """Those of all arrays of a layout; where there are none, nothing is computed.

    They depend on the weights alone, so they are taken once for a batch, on the flat vector, not for each tile.
    """

    def __init__(self, layout: ParamLayout) -> None:
        self._parts = [(place, *parameter.penalty) for _, parameter, place in layout if any(parameter.penalty)]

    def value(self, theta: np.ndarray) -> float:
        """Their sum, added up in float64."""
        return float(sum(penalty(theta[place], l1, l2) for place, l1, l2 in self._parts))

    def add_gradient(self, theta: np.ndarray, gradient: np.ndarray) -> None:
        """Add the gradient of ``value``; both vectors are laid out as the parameters."""
        for place, l1, l2 in self._parts:
            d_penalty(theta[place], l1, l2, gradient[place])
