"""Sequences of different lengths with targets: losses, gradients, errors and outputs against plain NumPy."""

from itertools import pairwise

import numpy as np
import pytest
from reference.differences import numerical_gradient, worst_error
from scipy.special import log_softmax, softmax

from tsrnn.kernels.sequences import Sequences
from tsrnn.kernels.simd import LANES
from tsrnn.nn import GRU, MAE, MSE, Dense, Sequential
from tsrnn.nn.heads.targets import Classes, Numbers, Targets
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.training.sequences import SequenceTask
from tsrnn.training.threads import Team
from tsrnn.training.tiles import TileEngine

COUNT, STEPS, FEATURES = LANES + 9, 6, 3
NO_WEIGHTS = np.zeros(0)
GROUPS = np.array([0, 2, 5])  # two targets of two and three classes


def made(per_step, ragged, kind, dtype=np.float64, loss=MSE(), gaps=False):  # noqa: B008  (frozen)
    """Network, task, and the same data padded: x, mask, wanted values (examples, steps, targets), row mask.

    With gaps some rows do not count.
    """
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, STEPS + 1, COUNT) if ragged else np.full(COUNT, STEPS)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    rows = rng.standard_normal((lengths.sum(), FEATURES)).astype(dtype)
    x, mask = np.zeros((COUNT, STEPS, FEATURES), dtype), np.arange(STEPS) < lengths[:, None]
    x[mask] = rows
    t_starts, t_lengths = (starts, lengths) if per_step else (np.arange(COUNT), np.ones(COUNT, np.int64))
    steps = STEPS if per_step else 1
    row_mask = np.arange(steps) < t_lengths[:, None]
    if kind == "numbers":
        columns, outputs, head = 2, 2, Numbers(loss, np.array([2.0, 3.0]))
        values = rng.standard_normal((t_lengths.sum(), 2)).astype(dtype)
    else:
        columns, outputs, head = 2, 5, Classes(GROUPS)
        values = np.stack([rng.integers(0, 2, t_lengths.sum()), rng.integers(0, 3, t_lengths.sum())], 1).astype(dtype)
    wanted = np.zeros((COUNT, steps, columns), dtype)
    wanted[row_mask] = values
    counts = rng.random(len(values)) < 0.7 if gaps else np.zeros(0, bool)
    if gaps:
        values[~counts] = np.nan
    network = Network([GRU(4, return_sequences=per_step), Dense(outputs)], Shape(STEPS, FEATURES), dtype)
    task = SequenceTask(
        Sequences(rows.ravel(), starts, lengths, FEATURES, STEPS),
        Targets(values.ravel(), t_starts, t_lengths, counts, columns, outputs, steps),
        head,
    )
    return network, task, x, mask, wanted, row_mask


def outputs_of(network, theta, x, mask):
    """By the layers' own way, which has tests of its own."""
    net = Sequential(network.specs).build(tuple(network.input), dtype=network.dtype)
    net.theta = theta
    y = net(x, mask=mask)
    return y if network.has_time else y[:, None]


def plain_losses(kind, y, wanted, loss):
    """Of each row, added up over targets."""
    if kind == "numbers":
        return (np.abs(y - wanted) if loss is MAE else (y - wanted) ** 2).sum(axis=-1)
    return sum(
        -np.take_along_axis(log_softmax(y[..., a:b], -1), wanted[..., k, None].astype(int), -1)[..., 0]
        for k, (a, b) in enumerate(pairwise(GROUPS))
    )


@pytest.fixture(scope="module")
def team():
    with Team(2) as threads:
        yield threads


@pytest.mark.parametrize("kind", ["numbers", "classes"])
@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize(("ragged", "gaps"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_and_gradient(team, kind, per_step, ragged, gaps, weighted):
    network, task, x, mask, wanted, row_mask = made(per_step, ragged, kind, gaps=gaps)
    examples = np.random.default_rng(1).permutation(COUNT)[: COUNT - 2]
    weights = np.random.default_rng(2).uniform(0, 2, row_mask.sum()) if weighted else NO_WEIGHTS
    engine, theta = TileEngine(network, task, team), network.initial(3)
    found = engine.loss_and_gradient(theta, examples, weights, 0)
    spread, counted = np.zeros(row_mask.shape), row_mask.copy()
    spread[row_mask] = weights if weighted else 1
    if gaps:
        counted[row_mask] = task.targets.counts
    losses = plain_losses(kind, outputs_of(network, theta, x, mask), wanted, MSE) * spread * counted
    terms = counted[examples].sum() * 2
    assert found == pytest.approx(losses[examples].sum() / terms, rel=1e-12)
    gradient = engine.gradient.copy()
    numbers = numerical_gradient(lambda: engine.loss_and_gradient(theta, examples, weights, 0), theta)
    assert worst_error(gradient, numbers) < 1e-6


@pytest.mark.parametrize("kind", ["numbers", "classes"])
@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("gaps", [False, True])
def test_errors_and_outputs(team, kind, per_step, gaps):
    network, task, x, mask, wanted, row_mask = made(per_step, True, kind, loss=MAE(), gaps=gaps)
    engine, theta = TileEngine(network, task, team), network.initial(3)
    examples = np.arange(COUNT)[::-1].copy()
    y = outputs_of(network, theta, x, mask)
    counts = task.targets.counts if gaps else np.ones(row_mask.sum(), bool)
    losses = plain_losses(kind, y, wanted, MAE)[row_mask]
    for weights in (NO_WEIGHTS, np.random.default_rng(2).uniform(0, 2, row_mask.sum())):
        loss, errors = engine.evaluate(theta, examples, weights)
        spread = weights if weights.size else np.ones_like(losses)
        assert loss == pytest.approx((losses * spread)[counts].sum() / counts.sum() / 2, rel=1e-12)
    out = engine.predict(theta, examples)[::-1]
    if kind == "numbers":
        expected, plain = y, np.abs(y - wanted)[row_mask][counts].mean(axis=0) * [2, 3]
    else:
        parts = [y[..., :2], y[..., 2:]]
        expected = np.concatenate([softmax(part, axis=-1) for part in parts], axis=-1)
        plain = [(part.argmax(-1) != wanted[..., k])[row_mask][counts].mean() for k, part in enumerate(parts)]
    np.testing.assert_allclose(errors, plain, rtol=1e-12)
    np.testing.assert_allclose(out[row_mask], expected[row_mask], rtol=1e-12, atol=1e-14)


def test_large_outputs_neither_overflow_nor_lose_the_gradient(team):
    network, task, *_ = made(False, False, "classes", np.float32)
    engine, theta = TileEngine(network, task, team), network.initial(3) * np.float32(3e4)
    assert np.isfinite(engine.loss_and_gradient(theta, np.arange(COUNT), NO_WEIGHTS.astype(np.float32), 0))
    assert np.isfinite(engine.gradient).all() and engine.gradient.any()
    np.testing.assert_allclose(engine.predict(theta, np.arange(COUNT))[..., :2].sum(-1), 1, rtol=1e-6)


def test_same_bits_for_any_number_of_threads():
    network, task, *_ = made(True, True, "classes", np.float32)
    results = []
    for n_threads in (1, 2, 4):
        with Team(n_threads) as threads:
            engine = TileEngine(network, task, threads)
            loss = engine.loss_and_gradient(network.initial(3), np.arange(COUNT), NO_WEIGHTS.astype(np.float32), 0)
            results.append((loss, engine.gradient.tobytes(), engine.predict(network.initial(3), np.arange(COUNT))))
    for other in results[1:]:
        assert other[:2] == results[0][:2]
        np.testing.assert_array_equal(other[2], results[0][2])
