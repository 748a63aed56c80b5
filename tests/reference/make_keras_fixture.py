"""Writes ``keras_fixture.npz``. Not a test: needs Keras 3 and PyTorch, which the project itself does not.

Run as ``KERAS_BACKEND=torch python tests/reference/make_keras_fixture.py`` in an environment of its own. The file that
is kept was written with Python 3.11.7, keras 3.15.1, torch 2.13.0 (CPU) and numpy 2.4.6 (``load_versions()`` reads it).

On PyTorch ``keras.ops.matmul`` computes in float32 even for float64 arrays; ``main`` turns that off, and checks it.

Where Keras differs from the conventions of this project, the cases stay away:

- Before the first step of a row that is not masked, Keras gives outputs of zero, not the initial state. So masks that
  come with an initial state are True at the first step that is processed.
- A row's gradient of the initial state lacks what comes through those outputs; it is kept only where a state was given.
- Keras draws a dropout mask for each gate (GRU, LSTM with recurrent dropout). Here all gates are handed the same one.
"""

import itertools
import os
import platform

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import keras_fixture
import numpy as np
import torch
from keras.src.backend.common import dtypes

SIZES = [(2, 4, 3, 5), (3, 5, 1, 3), (2, 3, 5, 2), (1, 6, 2, 4), (3, 2, 4, 1)]  # (B, T, F, H), used in turn
KINDS = ("rnn", "lstm", "gru", "gru_before")
VARIANTS = ("plain", "masked", "stateful", "masked-stateful", "dropout")
# Activation, recurrent activation and scale of the weights: unbounded ones need small weights, hard_sigmoid large ones.
ACTIVATIONS = [
    ("relu", "tanh", 0.4),
    ("hard_sigmoid", "softsign", 1.5),
    ("softsign", "hard_sigmoid", 1.5),
    ("linear", "sigmoid", 0.4),
    ("sigmoid", "relu", 0.4),
    ("tanh", "linear", 0.2),
]
DROPOUT, RECURRENT_DROPOUT = 0.25, 0.5


def make_layer(kind, H, options, dropout):
    options = dict(options, return_state=True)
    if dropout:
        options |= {"dropout": DROPOUT, "recurrent_dropout": RECURRENT_DROPOUT}
    if kind == "rnn":
        return keras.layers.SimpleRNN(H, **options)
    if kind == "lstm":
        return keras.layers.LSTM(H, **options)
    return keras.layers.GRU(H, reset_after=kind == "gru", **options)


def hand_masks_to(layer, kind, input_mask, state_mask):
    """Makes the layer use the given dropout masks instead of drawn ones."""
    gates = {"rnn": 0, "lstm": 4, "gru": 3, "gru_before": 3}[kind]

    def for_each_gate(mask):
        mask = torch.as_tensor(mask, dtype=torch.float64)
        return [mask] * gates if gates else mask

    layer.cell.get_dropout_mask = lambda step_input: for_each_gate(input_mask)
    layer.cell.get_recurrent_dropout_mask = lambda step_input: for_each_gate(state_mask)


def draw(rng, shape, scale=1.0):
    return rng.normal(scale=scale, size=shape).astype(np.float32)


def draw_dropout(rng, shape, rate):
    keep = rng.random(shape) >= rate
    keep.flat[0] = False  # at least one is dropped
    return np.where(keep, 1.0 / (1.0 - rate), 0.0).astype(np.float32)


def draw_mask(rng, B, T, go_backwards, first_is_seen):
    mask = rng.random((B, T)) < 0.6
    mask[0, T // 2] = False
    if first_is_seen:
        mask[:, -1 if go_backwards else 0] = True
    elif B > 2:
        mask[-1] = False  # a row that takes no step at all
    return mask


def make_case(rng, name, kind, size, options, variant, scale):
    B, T, F, H = size
    layer = make_layer(kind, H, options, variant == "dropout")
    layer.build((B, T, F))
    weights = [draw(rng, weight.shape, scale=scale) for weight in layer.get_weights()]
    layer.set_weights(weights)

    case = {"name": name, "kind": kind, "options": options, "weights": weights, "x": draw(rng, (B, T, F))}
    case |= {"mask": None, "initial_state": None, "input_mask": None, "state_mask": None}
    if "masked" in variant:
        case["mask"] = draw_mask(rng, B, T, options["go_backwards"], first_is_seen="stateful" in variant)
    if "stateful" in variant:
        case["initial_state"] = [draw(rng, (B, H)) for _ in range(2 if kind == "lstm" else 1)]
    if variant == "dropout":
        case["input_mask"] = draw_dropout(rng, (B, F), DROPOUT)
        case["state_mask"] = draw_dropout(rng, (B, H), RECURRENT_DROPOUT)
        hand_masks_to(layer, kind, case["input_mask"], case["state_mask"])
    run(rng, layer, case, training=variant == "dropout")
    return case


def run(rng, layer, case, training):
    """Fills in the outputs, the final states and the gradients."""
    x = torch.tensor(case["x"], dtype=torch.float64, requires_grad=True)
    B, H = len(case["x"]), case["weights"][1].shape[0]
    initial = case["initial_state"] or [np.zeros((B, H))] * (2 if case["kind"] == "lstm" else 1)
    initial = [torch.tensor(state, dtype=torch.float64, requires_grad=True) for state in initial]
    mask = None if case["mask"] is None else torch.as_tensor(case["mask"])

    y, *final = layer(x, initial_state=initial, mask=mask, training=training)
    assert y.dtype == torch.float64
    case["d_y"] = draw(rng, tuple(y.shape))
    wanted = [x, *initial, *(weight.value for weight in layer.trainable_weights)]
    d_x, *others = torch.autograd.grad((y * torch.as_tensor(case["d_y"])).sum(), wanted)

    case["y"] = y.detach().numpy()
    case["final_state"] = [state.detach().numpy() for state in final]
    case["d_x"] = d_x.numpy()
    case["d_initial_state"] = None
    if case["initial_state"] is not None:
        case["d_initial_state"] = [gradient.numpy() for gradient in others[: len(initial)]]
    case["d_weights"] = [gradient.numpy() for gradient in others[len(initial) :]]


def plans():
    """Name, kind, options, variant and scale of the weights of every case."""
    flags = itertools.product((False, True), repeat=2)
    for kind, (go_backwards, return_sequences), variant in itertools.product(KINDS, flags, VARIANTS):
        options = {"go_backwards": go_backwards, "return_sequences": return_sequences}
        direction = "backwards" if go_backwards else "forwards"
        name = f"{kind}-{direction}-{'sequences' if return_sequences else 'last'}-{variant}"
        yield name, kind, options, variant, 0.6
    for kind, (activation, recurrent_activation, scale) in itertools.product(KINDS, ACTIVATIONS):
        options = {"activation": activation, "go_backwards": False, "return_sequences": True}
        name = f"{kind}-{activation}"
        if kind != "rnn":
            options["recurrent_activation"] = recurrent_activation
            name += f"-{recurrent_activation}"
        yield name, kind, options, "stateful", scale


def compute_in_float64():
    keras.config.set_floatx("float64")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    third = torch.full((1, 1), 1.0 / 3.0, dtype=torch.float64)
    assert keras.ops.matmul(third, third).item() == third.item() ** 2


def main():
    compute_in_float64()
    rng = np.random.default_rng(20)
    cases = []
    for (name, kind, options, variant, scale), size in zip(plans(), itertools.cycle(SIZES), strict=False):
        cases.append(make_case(rng, name, kind, size, options, variant, scale))
    versions = {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": f"torch {torch.__version__}",
        "numpy": np.__version__,
    }
    keras_fixture.save(cases, versions)


if __name__ == "__main__":
    main()
