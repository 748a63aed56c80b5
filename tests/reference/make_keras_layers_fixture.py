"""Writes ``keras_layers_fixture.npz``. Not a test: needs Keras 3 and TensorFlow, which the project itself does not.

Run as ``KERAS_BACKEND=tensorflow python tests/reference/make_keras_layers_fixture.py`` in an environment of its own.
``load_versions()`` tells which versions wrote the file that is kept.

Keras computes in float64. Cases stay away where Keras has no answer: strides together with dilation, and means over
steps none of which counts (0 / 0 there, 0 here).
"""

import os
import platform

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import keras_layers_fixture
import numpy as np
import tensorflow as tf

KERAS = {  # where names differ: the class of Keras and its arguments, given those here
    "MaxPool1D": (keras.layers.MaxPooling1D, {}),
    "AveragePool1D": (keras.layers.AveragePooling1D, {}),
    "GlobalAveragePool1D": (keras.layers.GlobalAveragePooling1D, {}),
    "GlobalMaxPool1D": (keras.layers.GlobalMaxPooling1D, {}),
    "LayerNorm": (keras.layers.LayerNormalization, {}),
    "Conv1D": (keras.layers.Conv1D, {}),
    "RepeatVector": (keras.layers.RepeatVector, {}),
    "Embedding": (keras.layers.Embedding, {"n_tokens": "input_dim", "width": "output_dim"}),
}
PLANS = [  # kind, options, (B, T, F), masked
    ("Conv1D", {"filters": 4, "kernel_size": 3}, (2, 7, 3), False),
    ("Conv1D", {"filters": 5, "kernel_size": 4, "strides": 3, "activation": "relu"}, (2, 11, 2), False),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "dilation_rate": 2, "activation": "tanh"}, (1, 9, 1), False),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, (2, 6, 4), False),
    ("Conv1D", {"filters": 2, "kernel_size": 4, "padding": "causal", "strides": 2}, (2, 9, 3), False),
    ("Conv1D", {"filters": 2, "kernel_size": 4, "padding": "same"}, (2, 5, 3), False),
    ("Conv1D", {"filters": 2, "kernel_size": 5, "padding": "same", "strides": 2}, (2, 8, 3), False),
    ("Conv1D", {"filters": 2, "kernel_size": 2, "padding": "same", "strides": 3}, (2, 7, 1), False),
    ("Conv1D", {"filters": 2, "kernel_size": 2, "padding": "same", "dilation_rate": 3}, (2, 7, 2), False),
    ("MaxPool1D", {"pool_size": 3}, (2, 8, 3), False),
    ("MaxPool1D", {"pool_size": 3, "strides": 2}, (2, 8, 5), False),
    ("MaxPool1D", {"pool_size": 2, "strides": 4}, (2, 9, 1), False),
    ("AveragePool1D", {"pool_size": 3}, (2, 8, 3), False),
    ("AveragePool1D", {"pool_size": 3, "strides": 2}, (2, 8, 5), False),
    ("AveragePool1D", {"pool_size": 2, "strides": 4}, (2, 9, 1), False),
    ("GlobalAveragePool1D", {}, (2, 6, 3), False),
    ("GlobalAveragePool1D", {}, (3, 6, 3), True),
    ("GlobalMaxPool1D", {}, (2, 6, 3), False),
    ("RepeatVector", {"n": 4}, (2, 1, 3), False),
    ("LayerNorm", {}, (2, 5, 3), False),
    ("LayerNorm", {"epsilon": 0.1}, (2, 3, 7), False),
    ("LayerNorm", {}, (2, 5, 4), True),
    ("Embedding", {"n_tokens": 7, "width": 3}, (3, 5, 0), False),
    ("Embedding", {"n_tokens": 5, "width": 6, "mask_zero": True}, (3, 6, 0), False),
]


def make_case(rng, kind, options, size, masked):
    kind_in_keras, names = KERAS[kind]
    layer = kind_in_keras(**{names.get(name, name): value for name, value in options.items()})
    tokens = kind == "Embedding"
    x = rng.integers(0, options["n_tokens"], size[:2]).astype(float) if tokens else rng.normal(size=size)
    mask = rng.random(size[:2]) < 0.5 if masked else None
    if masked:
        mask[:, 2] = True  # at least one step counts
    given = tf.Variable(x[:, 0] if kind == "RepeatVector" else x)
    keywords = {"mask": tf.constant(mask)} if kind == "GlobalAveragePool1D" and masked else {}  # others pass it on
    layer(given, **keywords)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    with tf.GradientTape() as tape:
        y = layer(given, **keywords)
        d_y = rng.normal(size=y.shape)
        total = tf.reduce_sum(y * d_y)
    assert y.dtype == tf.float64
    d_x, *d_weights = tape.gradient(total, [given, *(weight.value for weight in layer.trainable_weights)])
    output_mask = layer.compute_mask(given, None if mask is None else tf.constant(mask)) if masked or tokens else None
    return {
        "name": "-".join([kind, *(f"{name}={value}" for name, value in options.items()), *["masked"] * masked]),
        "kind": kind,
        "options": options,
        "x": x,
        "mask": mask,
        "weights": layer.get_weights(),
        "y": y.numpy(),
        "output_mask": None if output_mask is None else np.asarray(output_mask),
        "d_y": d_y,
        "d_x": None if tokens else tf.convert_to_tensor(d_x).numpy().reshape(x.shape),
        "d_weights": [tf.convert_to_tensor(gradient).numpy() for gradient in d_weights],
    }


def main():
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(21)
    cases = [make_case(rng, *plan) for plan in PLANS]
    assert len({case["name"] for case in cases}) == len(cases)
    versions = {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": f"tensorflow {tf.__version__}",
        "numpy": np.__version__,
    }
    keras_layers_fixture.save(cases, versions)


if __name__ == "__main__":
    main()
