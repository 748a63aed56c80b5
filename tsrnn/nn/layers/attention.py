"""Attention over the steps of a sequence: their mean, weighed by scores that are computed from the steps themselves.

additive: score_t = q . tanh(W h_t + b)             (Bahdanau 2015, with a query that is learned)
dot:      score_t = h_t . h_last / sqrt(features)   (Luong 2015, scaled as in Vaswani 2017)
weights = softmax(scores), over the steps that count;   y = sum of weights_t h_t
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tsrnn._errors import Integer, NoneOr, Options, Real, check_fields
from tsrnn._jit import Call, prepare
from tsrnn.kernels.attention import additive_back, additive_scores, attend, attend_back, dot_back, dot_scores
from tsrnn.kernels.contractions import padded, step_size
from tsrnn.kernels.copies import add_to, copy_rows
from tsrnn.kernels.simd import LANES, Strided
from tsrnn.nn.layer import (
    Arrays,
    Bound,
    BoundSingle,
    Layer,
    LayerSpec,
    Rows,
    Setting,
    Shape,
    aligned,
    gradient_tile,
    tile,
)
from tsrnn.nn.layers.dense import Dense, DenseLayer
from tsrnn.nn.params import Parameter


@dataclass(frozen=True)
class Attention(LayerSpec):
    """From the steps of a recurrent layer to one: their mean, weighed by attention. Masked steps have no weight.

    Put it behind a layer with ``return_sequences=True``. ``net.attention_weights(x)`` gives the weights.

    Weights of the additive kind: ``kernel (features, units)`` and ``bias (units,)``, which make the keys, and
    ``query (units,)``. The other kind has none.

    Parameters
    ----------
    kind : {"additive", "dot"}, default="additive"
        How the score of a step is computed: "additive" learns what to look for, ``q . tanh(W h + b)`` (Bahdanau 2015);
        "dot" looks for what is like the last state, ``h . h_last / sqrt(features)`` (Luong 2015).
    units : int, optional
        Width of the additive score; default: as many as there are features.
    kernel_l1, kernel_l2 : float, default=0.0
        Penalties on the additive kernel that are part of the loss in training: so much times the sum of its magnitudes,
        and of its squares.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GRU, Attention, Dense, Sequential
    >>> net = Sequential([GRU(8, return_sequences=True), Attention(), Dense(1)]).build((10, 2), random_state=0)
    >>> x = np.random.default_rng(0).standard_normal((5, 10, 2))
    >>> net(x).shape
    (5, 1)
    >>> weights = net.attention_weights(x)["attention_1"]
    >>> weights.shape, bool(np.allclose(weights.sum(axis=1), 1))
    ((5, 10), True)
    """

    kind: str = field(default="additive", kw_only=True)
    units: int | None = field(default=None, kw_only=True)
    kernel_l1: float = field(default=0.0, kw_only=True)
    kernel_l2: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        constraints = {"kind": Options("additive", "dot"), "units": NoneOr(Integer(1))}
        check_fields(self, {**constraints, "kernel_l1": Real(0), "kernel_l2": Real(0)})
        if self.kind == "dot" and self.units is not None:
            raise ValueError(f"`units` of Attention(kind='dot') must be None: it has no weights; got {self.units}.")
        if self.kind == "dot" and (self.kernel_l1 or self.kernel_l2):
            raise ValueError(
                "`kernel_l1` and `kernel_l2` of Attention(kind='dot') must be 0: it has no weights; got "
                f"{self.kernel_l1} and {self.kernel_l2}."
            )

    def layer(self, shape: Shape) -> Layer:
        """The layer on inputs of this shape."""
        return AdditiveAttention(self, shape) if self.kind == "additive" else DotAttention(self, shape)


class AttentionLayer(Layer):
    """What both kinds share: from scores to the weighted mean; abstract. The tape is the weights, [step][lane]."""

    keeps_time = False

    def __init__(self, spec: Attention, shape: Shape) -> None:
        self.spec, self.input, self.output = spec, shape, Shape(1, shape.features)

    @property
    def name(self) -> str:
        return "attention"

    def attention(self, tape: np.ndarray) -> np.ndarray:
        return tape.reshape(-1, LANES).T.copy()

    def _mask(self, setting: Setting) -> np.ndarray:
        return np.ones(self.input.steps * LANES, setting.dtype) if setting.mask is None else setting.mask

    def _places(self, arrays: Arrays) -> tuple[Strided, Strided]:
        """Where x lies, and its gradient."""
        features = self.input.features
        return Strided(arrays.x, LANES, step_size(features)), Strided(arrays.d_x, 0, padded(features) * LANES)


class AdditiveAttention(AttentionLayer):
    """The keys are a dense layer."""

    def __init__(self, spec: Attention, shape: Shape) -> None:
        super().__init__(spec, shape)
        self.units = spec.units or shape.features
        penalties = {"kernel_l1": spec.kernel_l1, "kernel_l2": spec.kernel_l2}
        self.keys: DenseLayer = Dense(self.units, activation="tanh", **penalties).layer(shape)
        self.parameters = (*self.keys.parameters, Parameter("query", (self.units,), "glorot_uniform"))

    @property
    def gradient_size(self) -> int:
        return self.keys.gradient_size + self.units

    def make_weights(self, dtype: np.dtype) -> tuple[Any, np.ndarray]:
        return self.keys.make_weights(dtype), aligned(self.units, dtype)

    def packing(self, arrays: list[np.ndarray], weights: tuple[Any, np.ndarray]) -> list[Call]:
        query = prepare(copy_rows, 1, self.units, arrays[2], 0, 0, weights[1], 0, 0)
        return [*self.keys.packing(arrays[:2], weights[0]), query]

    def unpacking(self, flat: np.ndarray, arrays: list[np.ndarray]) -> list[Call]:
        size = self.keys.gradient_size
        query = prepare(copy_rows, 1, self.units, flat[size:], 0, 0, arrays[2], 0, 0)
        return [*self.keys.unpacking(flat[:size], arrays[:2]), query]

    def bind(self, setting: Setting, weights: tuple[Any, np.ndarray], arrays: Arrays) -> Bound:
        (steps, features), dtype, size = self.input, setting.dtype, self.keys.gradient_size
        wants_d_x, key_shape = arrays.d_x.size > 0, self.keys.output
        d_keys = gradient_tile(key_shape, dtype) if setting.training else arrays.d_y
        d_x = gradient_tile(self.input, dtype) if wants_d_x else arrays.d_x  # through the keys
        keys = self.keys.bind(setting, weights[0], Arrays(arrays.x, d_keys, d_x, arrays.gradient[:size]))
        scores, y, mask = aligned(steps * LANES, dtype), tile(self.output, dtype), self._mask(setting)
        hidden, (x, to) = Strided(keys.y, LANES, step_size(self.units)), self._places(arrays)
        forward = [
            *keys.forward,
            prepare(additive_scores, steps, self.units, LANES, hidden, weights[1], scores),
            prepare(attend, steps, features, LANES, mask, scores, x, y[LANES:]),
        ]
        backward: list[Call] = []
        if setting.training:
            d_scores, d_hidden = aligned(steps * LANES, dtype), Strided(d_keys, 0, padded(self.units) * LANES)
            d_query = arrays.gradient[size:]
            backward = [
                prepare(attend_back, steps, features, scores, x, arrays.d_y, wants_d_x, d_scores, to),
                prepare(additive_back, steps, self.units, hidden, weights[1], d_scores, d_hidden, d_query),
                *keys.backward,
            ]
            backward += [prepare(add_to, arrays.d_x, d_x)] if wants_d_x else []
        return Bound(tuple(forward), tuple(backward), y, tape=scores)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        (steps, features), dtype = self.input, x.values.dtype
        keys, y, scores = self.keys.bind_single(arrays[:2], x, mask), aligned(features, dtype), aligned(steps, dtype)
        hidden, values = Strided(keys.y.values, 0, keys.y.step), Strided(x.values, 0, x.step)
        forward = (
            *keys.forward,
            prepare(additive_scores, steps, self.units, 1, hidden, arrays[2], scores),
            prepare(attend, steps, features, 1, mask, scores, values, y),
        )
        return BoundSingle(Rows(y, features), forward, keys.pack)


class DotAttention(AttentionLayer):
    """The query is the last step that counts."""

    def bind(self, setting: Setting, weights: Any, arrays: Arrays) -> Bound:
        (steps, features), dtype, mask = self.input, setting.dtype, self._mask(setting)
        scores, query, y = aligned(steps * LANES, dtype), aligned(features * LANES, dtype), tile(self.output, dtype)
        x, d_x = self._places(arrays)
        last = np.zeros(LANES, np.int64)
        forward = (
            prepare(dot_scores, steps, features, LANES, self._scale, mask, x, last, query, scores),
            prepare(attend, steps, features, LANES, mask, scores, x, y[LANES:]),
        )
        backward: tuple[Call, ...] = ()
        if arrays.d_x.size:
            d_scores, d_query = aligned(steps * LANES, dtype), aligned(LANES, dtype)
            backward = (
                prepare(attend_back, steps, features, scores, x, arrays.d_y, True, d_scores, d_x),
                prepare(dot_back, steps, features, self._scale, last, x, query, d_scores, d_query, d_x),
            )
        return Bound(forward, backward, y, tape=scores)

    def bind_single(self, arrays: list[np.ndarray], x: Rows, mask: np.ndarray) -> BoundSingle:
        (steps, features), dtype = self.input, x.values.dtype
        scores, query, y = aligned(steps, dtype), aligned(features, dtype), aligned(features, dtype)
        values = Strided(x.values, 0, x.step)
        forward = (
            prepare(dot_scores, steps, features, 1, self._scale, mask, values, np.zeros(1, np.int64), query, scores),
            prepare(attend, steps, features, 1, mask, scores, values, y),
        )
        return BoundSingle(Rows(y, features), forward)

    @property
    def _scale(self) -> float:
        return 1 / math.sqrt(self.input.features)
