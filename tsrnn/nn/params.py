"""Parameters: their names, shapes and first values, and where each lies in the one flat vector of a network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tsrnn._blas import one_blas_thread

Rng = np.random.Generator


class Penalty(NamedTuple):
    """What an array adds to the loss: ``l1`` times the sum of its magnitudes, ``l2`` times that of its squares."""

    l1: float = 0.0
    l2: float = 0.0


NO_PENALTY = Penalty()


@dataclass(frozen=True)
class Parameter:
    """One array of a layer. ``init`` is a name in ``INITIALISERS``; ``ones`` are columns that start at one."""

    name: str
    shape: tuple[int, ...]
    init: str
    ones: tuple[slice, ...] = ()
    penalty: Penalty = NO_PENALTY

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def glorot_uniform(shape: tuple[int, ...], rng: Rng) -> np.ndarray:
    """Uniform within the square root of 6 / (rows + columns), of all taps (Glorot and Bengio 2010)."""
    limit = math.sqrt(6 / (math.prod(shape[:-2]) * sum(shape[-2:])))
    return rng.uniform(-limit, limit, shape)


def orthogonal(shape: tuple[int, ...], rng: Rng) -> np.ndarray:
    """Orthonormal rows (or columns, whichever are fewer), uniform over all such matrices (Saxe 2014)."""
    rows, columns = max(shape), min(shape)
    with one_blas_thread():  # the same bits whatever number of threads BLAS has
        q, r = np.linalg.qr(rng.standard_normal((rows, columns)))
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return q if shape == (rows, columns) else q.T


def zeros(shape: tuple[int, ...], rng: Rng) -> np.ndarray:
    """Zeros."""
    return np.zeros(shape)


def small_uniform(shape: tuple[int, ...], rng: Rng) -> np.ndarray:
    """Uniform within 0.05, as Keras begins embeddings."""
    return rng.uniform(-0.05, 0.05, shape)


INITIALISERS = {
    "glorot_uniform": glorot_uniform,
    "orthogonal": orthogonal,
    "small_uniform": small_uniform,
    "zeros": zeros,
}


class ParamLayout:
    """The parameters of a list of layers in one flat vector, in order."""

    def __init__(self, layers: list[tuple[str, tuple[Parameter, ...]]]) -> None:
        self.layers = layers
        self.size = sum(parameter.size for _, parameters in layers for parameter in parameters)

    def __iter__(self) -> Iterator[tuple[str, Parameter, slice]]:
        """(``"gru_0.kernel"``, the parameter, its place), in order."""
        at = 0
        for layer, parameters in self.layers:
            for parameter in parameters:
                yield f"{layer}.{parameter.name}", parameter, slice(at, at + parameter.size)
                at += parameter.size

    def views(self, flat: np.ndarray) -> list[list[np.ndarray]]:
        """For each layer its arrays, as views into ``flat``."""
        arrays = [flat[place].reshape(parameter.shape) for _, parameter, place in self]
        counts = [len(parameters) for _, parameters in self.layers]
        ends = np.cumsum(counts).tolist()
        return [arrays[end - count : end] for count, end in zip(counts, ends, strict=True)]

    def named(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Views into ``flat`` by name."""
        return {name: flat[place].reshape(parameter.shape) for name, parameter, place in self}

    def flat(self, named: Mapping[str, np.ndarray], dtype: np.dtype | type = np.float32) -> np.ndarray:
        """The vector whose views have these names."""
        flat = np.zeros(self.size, dtype)
        for name, place in self.named(flat).items():
            place[...] = named[name]
        return flat

    def initial(self, seed: int, dtype: np.dtype | type = np.float32) -> np.ndarray:
        """First values. Each array has a random stream of its own, so that one more layer changes no other."""
        flat = np.zeros(self.size, dtype)
        for index, (_, parameter, place) in enumerate(self):
            rng = np.random.default_rng([seed, index])
            values = INITIALISERS[parameter.init](parameter.shape, rng)
            for columns in parameter.ones:
                values[..., columns] = 1
            flat[place] = values.ravel()
        return flat
