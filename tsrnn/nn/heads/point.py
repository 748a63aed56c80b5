"""Point forecasts: losses of one number against another, and their gradient on a tile."""

from __future__ import annotations

from typing import NamedTuple

from tsrnn._jit import Spec, kernel
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, TILE, WINDOWS


class _NoFields(NamedTuple):
    pass


class _HuberFields(NamedTuple):
    delta: float = 1.0


class MSE(Spec, _NoFields):
    """Squared error; its best forecast is the mean.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> forecaster = GRUForecaster(loss="mse")
    """

    __slots__ = ()

    def value(self, error):
        return error * error

    def slope(self, error):
        return 2 * error


class MAE(Spec, _NoFields):
    """Absolute error; its best forecast is the median.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> forecaster = GRUForecaster(loss="mae")
    """

    __slots__ = ()

    def value(self, error):
        return abs(error)

    def slope(self, error):
        return (error > 0) * 1.0 - (error < 0) * 1.0 + 0 * error  # NaN stays NaN


class Huber(Spec, _HuberFields):
    """Half the squared error up to ``delta``, linear beyond (Huber 1964): large errors weigh less than with ``MSE``.

    Parameters
    ----------
    delta : float, default=1.0
        Where the linear part begins, in scaled units; greater than 0.

    Examples
    --------
    >>> from tsrnn import GRUForecaster
    >>> from tsrnn.nn import Huber
    >>> GRUForecaster(loss=Huber(delta=0.5)).loss
    Huber(delta=0.5)
    """

    __slots__ = ()

    def value(self, error):
        size = abs(error)
        return 0.5 * error * error if size <= self.delta else self.delta * (size - 0.5 * self.delta)

    def slope(self, error):
        return min(max(error, -self.delta), self.delta)


LOSSES = {"mse": MSE(), "mae": MAE(), "huber": Huber()}


@kernel
def point_loss(loss, series, place, turn, weights, y, d_y, losses):
    """losses [tile] gets the sum over the windows of this tile that exist, d_y the gradient of the mean over all.

    y [1 + output][lane] and d_y [output][lane] with outputs [horizon][target]; ``weights`` [row] weighs the targets'
    rows and may be empty.
    """
    first, windows, outputs = turn[TILE] * LANES, turn[WINDOWS], series.horizon * series.targets
    share, total = 1 / turn[TERMS], 0.0
    for output in range(outputs):
        step, target = output // series.targets, output % series.targets
        for lane in range(LANES):
            at = output * LANES + lane
            if first + lane < windows:
                row = place.origin[lane] + series.gap + 1 + step
                scale, center = place.scale[target * LANES + lane], place.center[target * LANES + lane]
                error = y[LANES + at] * scale + center - series.values[row * series.channels + target]
                weight = weights[row] if weights.size else 1.0
                total += weight * loss.value(error)
                d_y[at] = weight * loss.slope(error) * scale * share
            else:
                d_y[at] = 0
    losses[turn[TILE]] = total


@kernel
def score(loss, series, place, turn, y, units, losses, absolute):
    """losses [tile]: their sum; absolute [tile][target]: that of absolute errors times ``units`` [window][target]"""
    first, windows, total = turn[TILE] * LANES, turn[WINDOWS], 0.0
    for target in range(series.targets):
        absolute[turn[TILE] * series.targets + target] = 0
    for output in range(series.horizon * series.targets):
        step, target = output // series.targets, output % series.targets
        for lane in range(min(LANES, windows - first)):
            row = place.origin[lane] + series.gap + 1 + step
            scale, center = place.scale[target * LANES + lane], place.center[target * LANES + lane]
            error = y[(1 + output) * LANES + lane] * scale + center - series.values[row * series.channels + target]
            total += loss.value(error)
            absolute[turn[TILE] * series.targets + target] += (
                abs(error) * units[(first + lane) * series.targets + target]
            )
    losses[turn[TILE]] = total


@kernel
def predictions(series, place, turn, y, out):
    """The forecasts of one tile, with what ``gather`` took off put back -> out [window][output]"""
    first, windows = turn[TILE] * LANES, turn[WINDOWS]
    outputs = series.horizon * series.targets
    for lane in range(min(LANES, windows - first)):
        for output in range(outputs):
            at = output % series.targets * LANES + lane
            value = y[(1 + output) * LANES + lane] * place.scale[at] + place.center[at]
            out[(first + lane) * outputs + output] = value


@kernel
def prediction_one(targets, center, scale, y, out):
    """The forecast of one window, y [output], with what ``gather_one`` took off put back -> out [output]"""
    for output in range(out.size):
        target = output % targets
        out[output] = y[output] * scale[target] + center[target]
