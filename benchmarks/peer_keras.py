"""A problem as Keras computes it on TensorFlow, on the CPU, with and without XLA (``jit_compile``)."""

from __future__ import annotations

import os
import sys
from typing import ClassVar

import numpy as np
from problem import RATE, Problem

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

try:
    import keras
    import tensorflow as tf
except ModuleNotFoundError:
    sys.exit('This compares with Keras, which is not installed. Install it with: pip install "tsrnn[bench]"')

tf.get_logger().setLevel("ERROR")  # a tf.function for each of many problems is meant
EPSILON = 1e-8 * (1 - 0.999) ** 0.5  # Keras corrects the bias of the sum: in the first step this is the others' 1e-8
Bidirectional = keras.layers.Bidirectional
KINDS = {"SimpleRNN": keras.layers.SimpleRNN, "LSTM": keras.layers.LSTM, "GRU": keras.layers.GRU}


class Keras:
    """The same network on the same weights and windows, which were gathered before: that work is not timed.

    The step is one ``tf.function``, faster than ``fit`` and ``train_on_batch``, which do more around it.
    """

    JIT: ClassVar[dict[str, bool]] = {"Keras": False, "Keras, jit": True}

    def __init__(self, problem: Problem, weights: list[np.ndarray], jit: bool) -> None:
        last, kind = problem.layers - 1, KINDS[problem.cell]
        layers = [
            kind(problem.hidden, return_sequences=i < last, recurrent_dropout=problem.recurrent_dropout)
            for i in range(problem.layers)
        ]
        inputs = keras.Input((problem.steps, problem.features))
        self.model = keras.Sequential([inputs, *layers, keras.layers.Dense(1)])
        self.set_weights(weights)
        self.optimizer = keras.optimizers.Adam(RATE, epsilon=EPSILON)
        self.optimizer.build(self.model.trainable_variables)
        self.x, self.y = tf.constant(problem.x), tf.constant(problem.y)
        self._step = tf.function(self._train, jit_compile=jit)
        self._predict = tf.function(self._forward, jit_compile=jit)
        self._batches: dict[int, list[tf.Tensor]] = {}

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Their order and shapes are Keras'."""
        self.model.set_weights(weights)

    def train(self) -> None:
        """One step: forward, backward, Adam."""
        self._step(self.x, self.y).numpy()

    def predict(self, batch: int | None = None) -> np.ndarray:
        """(windows,), in batches or all at once."""
        size = batch or len(self.x)
        if size not in self._batches:
            self._batches[size] = [self.x[at : at + size] for at in range(0, len(self.x), size)]
        return np.concatenate([self._predict(x).numpy() for x in self._batches[size]])

    def gradients(self) -> list[np.ndarray]:
        """In the order of the weights."""
        return [gradient.numpy() for gradient in tf.function(self._differentiate)(self.x, self.y)[1]]

    def _forward(self, x: tf.Tensor) -> tf.Tensor:
        return self.model(x, training=False)[:, 0]

    def _differentiate(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.model(x, training=True) - y) ** 2)
        return loss, tape.gradient(loss, self.model.trainable_variables)

    def _train(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        loss, gradients = self._differentiate(x, y)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss
