"""The lane operations in NumPy: what runs under NUMBA_DISABLE_JIT=1, and the oracle of the LLVM ones."""

import numpy as np

from tsrnn.kernels.simd.host import LANES, SQUARE

tanh = np.tanh
absolute = np.abs
square_root = np.sqrt


def sigmoid(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def clip(x, low, high):
    return at_least(np.where(x > high, x.dtype.type(high), x), low)


def at_least(x, low):
    return np.where(x < low, x.dtype.type(low), x)


def positive(x):
    return (x > 0).astype(x.dtype)


def load(array, offset, units):
    return array[offset : offset + units * LANES].copy()


def load_lanes(array, offset, units):
    return np.tile(array[offset : offset + LANES], units)


def transpose(source, starts, block):
    rows = np.arange(SQUARE)[:, None] + starts
    block[: SQUARE * LANES] = source[rows].ravel()


def prefetch(array, offset, count, units):
    pass


def store(array, offset, vector):
    array[offset : offset + vector.size] = vector


def load_rows(array, offset, count, units):
    width = units * LANES
    return tuple(load(array, offset + row * width, units) for row in range(count))


def store_rows(array, offset, rows):
    for row, vector in enumerate(rows):
        store(array, offset + row * vector.size, vector)


def split_rows(rows, count):
    return rows[:count], rows[count:]


def spread_rows(array, offset, count, units):
    values = array[offset : offset + count * units].reshape(count, units)
    return tuple(np.repeat(row, LANES) for row in values)


def add_lane_sums(array, offset, rows):
    for row, vector in enumerate(rows):
        sums = vector.reshape(-1, LANES).sum(axis=1)
        array[offset + row * sums.size : offset + (row + 1) * sums.size] += sums


def zeros(array, units):
    return np.zeros(units * LANES, array.dtype)


zeros_like = np.zeros_like


def zero_rows(array, count, units):
    return tuple(zeros(array, units) for _ in range(count))


def select_rows(mask, rows, others):
    return tuple(np.where(mask > 0, row, other) for row, other in zip(rows, others, strict=True))


def lane_sum(vector):
    return vector.sum()


def contract(rows, first, last, weights, weight_at, inputs, input_at, count):
    units = rows[0].size // LANES
    weight = weights[weight_at : weight_at + count * (last - first) * units].reshape(count, -1)
    product = weight.T @ inputs[input_at : input_at + count * LANES].reshape(count, LANES)
    product = product.reshape(last - first, units * LANES)
    return rows[:first] + tuple(rows[first + i] + product[i] for i in range(last - first)) + rows[last:]


def contract_groups(vector, weights, weight_at, inputs, input_at, groups, group, first, last):
    units, used = vector.size // LANES, last - first
    weight = weights[weight_at : weight_at + groups * used * units].reshape(groups * used, units)
    used_inputs = inputs[input_at : input_at + groups * group * LANES].reshape(groups, group, LANES)[:, first:last]
    return vector + (weight.T @ used_inputs.reshape(groups * used, LANES)).ravel()


def outer(out, left, rows, right, columns, steps):
    for step in range(steps):
        left_at, right_at = left.at + step * left.step, right.at + step * right.step
        left_rows = left.array[left_at : left_at + rows * LANES].reshape(rows, LANES)
        right_rows = right.array[right_at : right_at + columns * LANES].reshape(columns, LANES)
        for row, values in enumerate(left_rows @ right_rows.T):
            start = out.at + row * out.step
            out.array[start : start + columns] += values


def contract_units(rows, first, last, weights, weight_at, inputs, input_at, count):
    used = last - first
    weight = weights[weight_at : weight_at + (1 + count) * used * LANES].reshape(1 + count, -1)
    product = (weight[0] + inputs[input_at : input_at + count] @ weight[1:]).reshape(used, LANES)
    return rows[:first] + tuple(rows[first + i] + product[i] for i in range(used)) + rows[last:]
