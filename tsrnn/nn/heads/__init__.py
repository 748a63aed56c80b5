"""Heads: what the last layer's numbers mean, the loss on them, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence

from tsrnn._errors import Real, check_parameter
from tsrnn._jit import Spec
from tsrnn.nn.heads.counts import NegativeBinomial, Poisson
from tsrnn.nn.heads.distribution import DistributionHead
from tsrnn.nn.heads.location_scale import Gaussian, Laplace, StudentT
from tsrnn.nn.heads.point import LOSSES, Huber
from tsrnn.nn.heads.quantile import LEVELS, Quantile

DISTRIBUTIONS = {
    "quantile": Quantile(),
    "gaussian": Gaussian(),
    "student_t": StudentT(),
    "laplace": Laplace(),
    "poisson": Poisson(),
    "negative_binomial": NegativeBinomial(),
}
COUNTS = (Poisson, NegativeBinomial)  # of which the network sees counts in units of their mean


def as_head(loss: str | Spec, quantiles: Sequence[float] | None = None) -> Spec:
    """The loss or distribution of that name, or the loss itself, checked."""
    if loss == "quantile":
        return Quantile(LEVELS if quantiles is None else quantiles)
    return DISTRIBUTIONS[loss] if isinstance(loss, str) and loss in DISTRIBUTIONS else as_loss(loss)


def as_loss(loss: str | Spec) -> Spec:
    """The loss of one number against another of that name, or the loss itself, checked."""
    if isinstance(loss, Huber):
        check_parameter("Huber", "delta", loss.delta, Real(0, None, closed="neither"))
        return Huber(float(loss.delta))
    return LOSSES[loss] if isinstance(loss, str) else loss


def width_of(head: Spec | None) -> int:
    """Numbers that the network gives for each one that is forecast."""
    return head.width if isinstance(head, DistributionHead) else 1
