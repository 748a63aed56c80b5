"""What initial weights must look like."""

import math

import numpy as np


def glorot_uniform_limit(fan_in, fan_out):
    """Uniform in plus or minus this (Glorot and Bengio 2010). Keras takes the whole kernel: fan_out is G*H."""
    return math.sqrt(6.0 / (fan_in + fan_out))


def orthogonality_error(matrix):
    """How far the rows of a matrix (its columns, if it is tall) are from being orthonormal; 0 for an orthogonal one."""
    matrix = np.asarray(matrix, dtype=np.float64)
    rows, columns = matrix.shape
    gram = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    return np.abs(gram - np.eye(len(gram))).max()


def lstm_bias(H):
    """Zeros but for the forget gate, whose bias is 1 (Jozefowicz et al. 2015; Keras' ``unit_forget_bias``)."""
    i, f, c, o = np.zeros(H), np.ones(H), np.zeros(H), np.zeros(H)
    return np.concatenate([i, f, c, o])
