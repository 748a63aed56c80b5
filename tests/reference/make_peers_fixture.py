"""Writes ``peers_fixture.npz``. Not a test: needs Keras 3 and PyTorch, which the project itself does not.

Run as ``KERAS_BACKEND=torch python tests/reference/make_peers_fixture.py`` in an environment of its own. The file that
is kept was written with Python 3.11.7, keras 3.15.1, torch 2.13.0 (CPU) and numpy 2.4.6 (``load_versions()`` reads it).

Where Keras differs from the conventions of this project, the cases stay away: before the first step of a row that is
not masked, Keras gives outputs of zero, not the state that it starts from. So masks that come with a state that is not
zero are True at the first step that is read.
"""

import itertools
import os
import platform

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import peers_fixture
import torch
from make_keras_fixture import compute_in_float64, draw

B, T, F, H = 3, 4, 2, 3
MODULES = {"rnn": torch.nn.RNN, "rnn_relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
LAYERS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
LAYERS["gru_before"] = lambda units, **options: keras.layers.GRU(units, reset_after=False, **options)
MERGES = ("concat", "sum", "mul", "ave")
RIGHT_PADDED = np.arange(T) < np.array([[4], [1], [3]])
GAPS = np.array([[1, 0, 1, 1], [1, 1, 0, 0], [1, 0, 0, 1]], bool)
LEFT_PADDED = RIGHT_PADDED[:, ::-1].copy()
NOTHING_SEEN = np.array([[0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]], bool)  # the second row takes no step at all


def n_states(kind):
    return 2 if kind == "lstm" else 1


def as_tensor(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def pytorch_case(rng, kind, layers, bidirectional, stateful):
    options = {"nonlinearity": "relu"} if kind == "rnn_relu" else {}
    module = MODULES[kind](F, H, layers, batch_first=True, bidirectional=bidirectional, **options).double()
    state_dict = {name: draw(rng, tuple(array.shape), 0.6) for name, array in module.state_dict().items()}
    module.load_state_dict({name: torch.as_tensor(array) for name, array in state_dict.items()})
    directions = 2 if bidirectional else 1
    states = [draw(rng, (layers * directions, B, H)) for _ in range(n_states(kind))] if stateful else None
    given = [torch.tensor(state, dtype=torch.float64) for state in states or []]
    case = {"kind": kind, "layers": layers, "bidirectional": bidirectional, "state_dict": state_dict}
    case |= {"x": draw(rng, (B, T, F)), "initial_state": states, "d_y": draw(rng, (B, T, directions * H))}
    x = as_tensor(case["x"])
    y, _ = module(x, (tuple(given) if kind == "lstm" else given[0]) if given else None)
    named = dict(module.named_parameters())
    d_x, *others = torch.autograd.grad((y * torch.as_tensor(case["d_y"])).sum(), [x, *named.values()])
    case |= {"y": y.detach().numpy(), "d_x": d_x.numpy()}
    case["d_state_dict"] = {name: gradient.numpy() for name, gradient in zip(named, others, strict=True)}
    direction = "bidirectional" if bidirectional else "forward"
    return {"name": f"{kind}-{layers}-{direction}{'-state' if stateful else ''}", **case}


def with_weights(rng, layer):
    layer.build((B, T, F))
    weights = [draw(rng, weight.shape, 0.6) for weight in layer.get_weights()]
    layer.set_weights(weights)
    return weights


def batch(rng, layer, mask, initial_state=None):
    """One batch through a layer of Keras', and back."""
    found = {"x": draw(rng, (B, T, F)), "mask": mask}
    x = as_tensor(found["x"])
    states = None if initial_state is None else [torch.tensor(s, dtype=torch.float64) for s in initial_state]
    y = layer(x, mask=None if mask is None else torch.as_tensor(mask), initial_state=states)
    assert y.dtype == torch.float64
    found["d_y"] = draw(rng, tuple(y.shape))
    wanted = [x, *(weight.value for weight in layer.trainable_weights)]
    d_x, *d_weights = torch.autograd.grad((y * torch.as_tensor(found["d_y"])).sum(), wanted)
    found |= {"y": y.detach().numpy(), "d_x": d_x.numpy(), "d_weights": [gradient.numpy() for gradient in d_weights]}
    return found


def states_of(case, number):
    """For the first batch where they are given; the second goes on from where it ended."""
    if case["initial_state"] is None or number:
        return None
    return [torch.as_tensor(state, dtype=torch.float64) for state in case["initial_state"]]


def stateful_case(rng, kind, return_sequences, go_backwards, masked, given):
    options = {"return_sequences": return_sequences, "go_backwards": go_backwards}
    layer = LAYERS[kind](H, stateful=True, **options)
    case = {"kind": kind, "options": options, "weights": with_weights(rng, layer)}
    masks = [None, None]
    if masked:
        masks = [LEFT_PADDED, GAPS[:, ::-1].copy()] if go_backwards else [RIGHT_PADDED, GAPS]
    states = [draw(rng, (B, H)) for _ in range(n_states(kind))] if given else None
    case |= {"initial_state": states, "batches": []}
    for number, mask in enumerate(masks):
        x = draw(rng, (B, T, F))
        mask_given = None if mask is None else torch.as_tensor(mask)
        with torch.no_grad():  # the layer changes its states in place, which PyTorch cannot differentiate
            y = layer(torch.as_tensor(x, dtype=torch.float64), mask=mask_given, initial_state=states_of(case, number))
        case["batches"].append({"x": x, "mask": mask, "y": y.numpy()})
    name = f"{kind}-{'backwards' if go_backwards else 'forwards'}-{'sequences' if return_sequences else 'last'}"
    return {"name": name + ("-masked" if masked else "") + ("-state" if given else ""), **case}


def mask_case(rng, kind, return_sequences, name, mask):
    options = {"return_sequences": return_sequences, "go_backwards": False}
    layer = LAYERS[kind](H, **options)
    case = {"kind": kind, "options": options, "weights": with_weights(rng, layer), **batch(rng, layer, mask)}
    return {"name": f"{kind}-{name}-{'sequences' if return_sequences else 'last'}", **case}


def bidirectional_case(rng, kind, merge_mode, return_sequences, name, mask, given=False):
    options = {"return_sequences": return_sequences}
    layer = keras.layers.Bidirectional(LAYERS[kind](H, **options), merge_mode=merge_mode)
    case = {"kind": kind, "merge_mode": merge_mode, "options": options, "weights": with_weights(rng, layer)}
    case["initial_state"] = [draw(rng, (B, H)) for _ in range(2 * n_states(kind))] if given else None
    case |= batch(rng, layer, mask, case["initial_state"])
    shown = "sequences" if return_sequences else "last"
    return {"name": f"{kind}-{merge_mode}-{shown}-{name}{'-state' if given else ''}", **case}


def make_groups(rng):
    flags = (False, True)
    pytorch = [pytorch_case(rng, kind, 2, both, given) for kind in MODULES for both in flags for given in flags]
    pytorch += [pytorch_case(rng, kind, 1, True, False) for kind in MODULES]
    stateful = []
    for kind, sequences in itertools.product(LAYERS, flags):
        for backwards, masked, given in ((False, False, False), (False, True, False), (True, True, True)):
            stateful.append(stateful_case(rng, kind, sequences, backwards, masked, given))
    shapes = {"right-padded": RIGHT_PADDED, "gaps": GAPS, "nothing-seen": NOTHING_SEEN}
    masks = [
        mask_case(rng, kind, sequences, name, mask)
        for kind, sequences, (name, mask) in itertools.product(LAYERS, flags, shapes.items())
    ]
    bidirectional = []
    for kind, merge_mode in itertools.product(LAYERS, MERGES):
        bidirectional.append(bidirectional_case(rng, kind, merge_mode, True, "whole", None))
        bidirectional.append(bidirectional_case(rng, kind, merge_mode, False, "right-padded", RIGHT_PADDED))
        bidirectional.append(bidirectional_case(rng, kind, merge_mode, True, "right-padded", RIGHT_PADDED))
        bidirectional.append(bidirectional_case(rng, kind, merge_mode, True, "nothing-seen", NOTHING_SEEN))
    bidirectional += [bidirectional_case(rng, kind, "concat", True, "whole", None, given=True) for kind in LAYERS]
    return {
        "pytorch": pytorch,
        "keras-stateful": stateful,
        "keras-masks": masks,
        "keras-bidirectional": bidirectional,
    }


def main():
    compute_in_float64()
    versions = {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    peers_fixture.save(make_groups(np.random.default_rng(21)), versions)


if __name__ == "__main__":
    main()
