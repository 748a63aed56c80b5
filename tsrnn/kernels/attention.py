"""Scores of steps, the softmax over those that count, and the mean that it weighs; and back.

The forward kernels are written for any number of lanes: a tile has LANES of them, one sequence has one.
"""

import numpy as np

from tsrnn._jit import kernel
from tsrnn.kernels.simd import LANES, lane_sum, load, store, zeros


@kernel
def additive_scores(steps, units, lanes, hidden, query, scores):
    """hidden [step][unit][lane] . query [unit] -> scores [step][lane]"""
    for step in range(steps):
        for lane in range(lanes):
            scores[step * lanes + lane] = 0
        for unit in range(units):
            at = hidden.at + step * hidden.step + unit * lanes
            for lane in range(lanes):
                scores[step * lanes + lane] += hidden.array[at + lane] * query[unit]


@kernel
def additive_back(steps, units, hidden, query, d_scores, d_hidden, d_query):
    """d_scores -> d_hidden; d_query accumulates"""
    for unit in range(units):
        total, factor = zeros(d_scores, 1), query[unit]
        at, to = hidden.at + unit * LANES, d_hidden.at + unit * LANES
        for step in range(steps):
            d_score = load(d_scores, step * LANES, 1)
            store(d_hidden.array, to + step * d_hidden.step, d_score * factor)
            total = total + d_score * load(hidden.array, at + step * hidden.step, 1)
        d_query[unit] += lane_sum(total)


@kernel
def dot_scores(steps, features, lanes, scale, mask, x, last, query, scores):
    """scale * x [step][feature][lane] . query [feature][lane], the ``last`` step that counts -> scores [step][lane]"""
    for lane in range(lanes):
        last[lane] = 0
        for step in range(steps):
            if mask[step * lanes + lane] > 0:
                last[lane] = step
        for feature in range(features):
            query[feature * lanes + lane] = x.array[x.at + last[lane] * x.step + feature * lanes + lane]
    for step in range(steps):
        for lane in range(lanes):
            scores[step * lanes + lane] = 0
        for i in range(features):
            at = x.at + step * x.step + i * lanes
            for lane in range(lanes):
                scores[step * lanes + lane] += x.array[at + lane] * query[i * lanes + lane]
        for lane in range(lanes):
            scores[step * lanes + lane] *= scale


@kernel
def dot_back(steps, features, scale, last, x, query, d_scores, d_query, d_x):
    """d_x += what comes through the scores: of each step, and of the last one that counts as the query"""
    for feature in range(features):
        total, factor = zeros(d_scores, 1), load(query, feature * LANES, 1) * scale
        at, to = x.at + feature * LANES, d_x.at + feature * LANES
        for step in range(steps):
            d_score = load(d_scores, step * LANES, 1)
            total = total + d_score * load(x.array, at + step * x.step, 1)
            place = to + step * d_x.step
            store(d_x.array, place, load(d_x.array, place, 1) + d_score * factor)
        store(d_query, 0, total * scale)
        for lane in range(LANES):
            d_x.array[to + last[lane] * d_x.step + lane] += d_query[lane]


@kernel
def attend(steps, features, lanes, mask, scores, x, y):
    """scores become weights, zero where a step does not count; y [feature][lane] = sum of weights * x"""
    for lane in range(lanes):
        top, total = -np.inf, 0.0
        for step in range(steps):
            if mask[step * lanes + lane] > 0 and not scores[step * lanes + lane] <= top:
                top = np.float64(scores[step * lanes + lane])
        for step in range(steps):
            counts = mask[step * lanes + lane] > 0
            weight = np.exp(scores[step * lanes + lane] - top) if counts else 0.0
            scores[step * lanes + lane] = weight
            total += weight
        for step in range(steps):
            if mask[step * lanes + lane] > 0:
                scores[step * lanes + lane] /= total
    for feature in range(features):
        for lane in range(lanes):
            y[feature * lanes + lane] = 0
    for step in range(steps):
        for feature in range(features):
            at = x.at + step * x.step + feature * lanes
            for lane in range(lanes):
                y[feature * lanes + lane] += scores[step * lanes + lane] * x.array[at + lane]


@kernel
def attend_back(steps, features, weights, x, d_y, wants_d_x, d_scores, d_x):
    """d_y -> d_scores, and the d_x of the weighted mean"""
    mean = zeros(weights, 1)
    for step in range(steps):
        weight, d_weight = load(weights, step * LANES, 1), zeros(weights, 1)
        for feature in range(features):
            d_feature = load(d_y, feature * LANES, 1)
            d_weight = d_weight + d_feature * load(x.array, x.at + step * x.step + feature * LANES, 1)
            if wants_d_x:
                store(d_x.array, d_x.at + step * d_x.step + feature * LANES, d_feature * weight)
        store(d_scores, step * LANES, d_weight)
        mean = mean + weight * d_weight
    for step in range(steps):
        d_weight = load(d_scores, step * LANES, 1)
        store(d_scores, step * LANES, load(weights, step * LANES, 1) * (d_weight - mean))
