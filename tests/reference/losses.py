"""Losses, each the mean over all elements, and their gradients by the prediction."""

import numpy as np


def mse(target, prediction):
    return np.mean((prediction - target) ** 2)


def d_mse(target, prediction):
    return 2.0 * (prediction - target) / prediction.size


def mae(target, prediction):
    return np.mean(np.abs(prediction - target))


def d_mae(target, prediction):
    """Zero where the prediction is exact."""
    return np.sign(prediction - target) / prediction.size


def huber(target, prediction, delta=1.0):
    """``e**2 / 2`` up to an error of ``delta``, the tangent ``delta * (abs(e) - delta / 2)`` beyond (Huber 1964)."""
    error = np.abs(prediction - target)
    return np.mean(np.where(error <= delta, error**2 / 2.0, delta * (error - delta / 2.0)))


def d_huber(target, prediction, delta=1.0):
    return np.clip(prediction - target, -delta, delta) / prediction.size


def penalty(weights, l1=0.0, l2=0.0):
    """As Keras' ``regularizers.L1L2``."""
    return l1 * np.sum(np.abs(weights)) + l2 * np.sum(np.square(weights))


def d_penalty(weights, l1=0.0, l2=0.0):
    """Its gradient, with that of the magnitude zero at zero."""
    return l1 * np.sign(weights) + 2.0 * l2 * np.asarray(weights)
