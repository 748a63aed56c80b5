"""What ``fit`` will take: added up from the arrays that it makes, without making the large ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tsrnn.data import Panel
from tsrnn.data.reading import INTEGERS
from tsrnn.forecasting.calibration import MOST_SCORES, SCORES_AT_ONCE
from tsrnn.forecasting.prepare import Prepared
from tsrnn.forecasting.skill import IN_CACHE, windows_at_a_time
from tsrnn.kernels.program import Program
from tsrnn.kernels.simd import LANES
from tsrnn.nn.layer import Bound, Dropped
from tsrnn.nn.network import Network
from tsrnn.nn.summary import Table
from tsrnn.nn.workspace import Workspace
from tsrnn.training.tiles import partial_count

Parts = dict[str, int]
SINGLE, DOUBLE = 4, 8  # bytes of a float32, and of a float64 or int64


@dataclass(frozen=True)
class ModelMemory:
    """Bytes that a model takes by itself: while it is fitted, and while it forecasts to be measured.

    ``forecast`` is what each number of its forecasts takes until they are handed over.
    """

    fitting: Parts = field(default_factory=dict)
    forecasting: Parts = field(default_factory=dict)
    forecast: int = SINGLE


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that ``fit`` takes, above what the process and the frame hold. ``str()`` of it is a table in MB.

    Attributes
    ----------
    phases : dict of dict
        The parts that are held at once: in "reading", in "training", when the "skill" is measured and when "intervals"
        are learned.
    total : int
        Of the phase that takes most: the peak.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import NaiveForecaster
    >>> print(NaiveForecaster(horizon=24).memory_estimate(np.arange(100_000.0)))
    Memory of fit, at its peak 5.2 MB
    part           reading  training  skill  intervals
    --------------------------------------------------
    series         0.4      0.4       0.4    0.4
    rows in order  4.8      0.0       0.0    0.0
    windows        0.0      1.6       1.6    1.6
    forecasts      0.0      0.0       2.4    0.0
    scores         0.0      0.0       0.0    0.7
    together       5.2      2.0       4.4    2.7
    """

    phases: Mapping[str, Mapping[str, int]]

    @property
    def total(self) -> int:
        """The peak."""
        return max(self.totals.values())

    @property
    def totals(self) -> dict[str, int]:
        """Bytes of each phase."""
        return {phase: sum(parts.values()) for phase, parts in self.phases.items()}

    def __str__(self) -> str:
        return str(self._table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self._table._repr_html_()

    @property
    def _table(self) -> Table:
        names = dict.fromkeys(name for parts in self.phases.values() for name in parts)
        rows = [(name, *(_megabytes(parts.get(name, 0)) for parts in self.phases.values())) for name in names]
        rows.append(("together", *map(_megabytes, self.totals.values())))
        return Table(("part", *self.phases), tuple(rows), f"Memory of fit, at its peak {_megabytes(self.total)} MB")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f}"


def estimate(prepared: Prepared, model: ModelMemory) -> MemoryEstimate:
    """The three phases of a fit on rows that have been read and split."""
    panels = _panels(prepared)
    values = sum(panel.values.nbytes for panel in panels)
    weights = sum(panel.weights.nbytes for panel in panels if panel.weights is not None) + prepared.weights.nbytes
    index = sum(
        split.windows.series.nbytes + split.windows.origin.nbytes for split in (prepared.training, prepared.validation)
    )
    held = {"series": values + weights, "windows": index}
    reading = {"series": values + weights, "rows in order": INTEGERS * DOUBLE * int(prepared.report["rows"])}
    shape, n_targets = prepared.shape, prepared.n_targets
    numbers = shape.horizon * n_targets
    at_once = min(len(prepared.training.windows), windows_at_a_time(numbers, IN_CACHE)) * numbers
    comparing = at_once * (DOUBLE + SINGLE + DOUBLE // n_targets)  # errors, actual values, their rows
    validated = min(len(prepared.validation.windows), windows_at_a_time(numbers))
    scored = min(len(prepared.validation.windows), MOST_SCORES) * numbers
    scores = {"scores": scored * SINGLE + min(scored, SCORES_AT_ONCE) * 3 * DOUBLE}
    forecasts = {"forecasts": validated * numbers * model.forecast + comparing}
    return MemoryEstimate(
        {
            "reading": reading,
            "training": held | model.fitting,
            "skill": held | forecasts | model.forecasting,
            "intervals": held | scores | model.forecasting,
        }
    )


def network_memory(
    network: Network,
    prepared: Prepared,
    n_threads: int,
    batch_size: int,
    n_moments: int,
    n_members: int = 1,
    draws: int = 0,
) -> ModelMemory:
    """Tiles of every thread, gradients and moments, the scaled rows, and the order of an epoch.

    Of members as many are trained at once as there are threads, which they share out. Forecasts with masks drawn anew
    (``draws``) take the tiles of training.
    """
    packed = buffers(network.weights)
    taping, running = (_workspace(network, training, packed, n_threads) for training in (True, False))
    windows, validation = len(prepared.training.windows), len(prepared.validation.windows)
    tiles = -(-min(batch_size, windows) // LANES)
    size = network.gradient_size
    partials = partial_count(tiles, size)
    vectors = network.layout.size * (4 + n_moments)  # first, current and best weights; the gradient; the moments
    scaled = {"scaled series": _scaled(prepared)}
    at_once = min(n_members, n_threads)
    fitting = scaled | {
        **{name: size + running[name] for name, size in taping.items()},
        "gradients and optimizer": at_once * (((partials + 1) * size + vectors) * SINGLE + sum(packed.values()))
        + (n_members - 1) * (2 + n_moments) * network.layout.size * SINGLE,
        "order of windows": at_once * windows * DOUBLE,
        "validation": validation * prepared.n_targets * (DOUBLE + SINGLE),
    }
    kept = n_members * network.layout.size * (1 + n_moments)  # weights and moments
    forecasting = scaled | (taping if draws else running) | {"weights and moments": kept * SINGLE}
    return ModelMemory(fitting, forecasting, SINGLE + DOUBLE * min(n_members, 2))


def mixture_memory(network: Network, prepared: Prepared) -> int:
    """Bytes of one part of a mixture: its parameters, and its probabilities of what came."""
    numbers = prepared.shape.horizon * prepared.n_targets
    scored = min(len(prepared.validation.windows), MOST_SCORES)
    return scored * (network.output.features + numbers) * DOUBLE


def checkpoint_memory(network: Network, n_moments: int) -> Parts:
    """The state of training, copied, and two texts of it: one to take the checksum of, and one that has it."""
    vectors = network.layout.size * (2 + n_moments)  # weights, the best ones, moments
    return {"checkpoint": 3 * vectors * SINGLE}


def _workspace(network: Network, training: bool, packed: dict[int, int], count: int) -> Parts:
    """Of so many tiles, without the weights that they share; one is made, since tiles do not grow with the data."""
    space = network.workspace(training=training)
    tape = sum(size for owner, size in buffers(space).items() if owner not in packed)
    program = Program([*space.draws, *space.forward, *space.backward], space.turn, space.gradient)
    return {"tapes": count * tape, "programs": count * program.nbytes}


def ridge_memory(prepared: Prepared) -> ModelMemory:
    """The normal equations, which are copied to be solved, and the windows that are laid out at a time."""
    inputs = prepared.shape.lookback * prepared.training.panel.n_channels + 1
    outputs = prepared.shape.horizon * prepared.n_targets
    most = windows_at_a_time(inputs)
    scaled = {"scaled series": _scaled(prepared)}
    laid_out, validated = (min(len(split.windows), most) for split in (prepared.training, prepared.validation))
    summing = laid_out * inputs * 2 * DOUBLE + inputs * max(inputs, outputs) * DOUBLE
    solving = inputs * (inputs + outputs) * DOUBLE
    fitting = {"normal equations": inputs * (inputs + outputs) * DOUBLE, "in passing": max(summing, solving)}
    forecasting = {"coefficients": inputs * outputs * DOUBLE, "in passing": validated * inputs * (SINGLE + DOUBLE)}
    return ModelMemory(scaled | fitting, scaled | forecasting, 2 * DOUBLE)


def means_memory(prepared: Prepared) -> ModelMemory:
    """The points of the windows that are averaged at a time, and their rows: more than the forecasts that follow."""
    points, n_targets = prepared.shape.lookback, prepared.n_targets
    averaged = min(len(prepared.validation.windows), windows_at_a_time(points * n_targets))
    return ModelMemory(forecasting={"points": averaged * points * (n_targets * SINGLE + DOUBLE)}, forecast=0)


def _panels(prepared: Prepared) -> list[Panel]:
    """One, or two where validation rows are not of the training panel."""
    panels = {id(split.panel): split.panel for split in (prepared.training, prepared.validation)}
    return list(panels.values())


def _scaled(prepared: Prepared) -> int:
    return sum(panel.values.nbytes for panel in _panels(prepared))


def buffers(thing: Any) -> dict[int, int]:
    """Bytes of each array that something holds, by the array that owns the memory."""
    if isinstance(thing, np.ndarray):
        while isinstance(thing.base, np.ndarray):
            thing = thing.base
        return {id(thing): thing.nbytes}
    if isinstance(thing, partial):
        thing = thing.args
    elif isinstance(thing, Workspace | Bound | Dropped):
        thing = tuple(vars(thing).values())
    found: dict[int, int] = {}
    for part in thing if isinstance(thing, list | tuple) else ():
        found |= buffers(part)
    return found
