"""What PyTorch and Keras 3 give for small networks, written by ``make_peers_fixture.py`` and read here.

``load_cases("pytorch")`` gives a list of dicts, of stacked and bidirectional modules on ``batch_first`` inputs:

name : str, unique and readable, for test ids.
kind : "rnn", "rnn_relu", "lstm" or "gru".
layers, bidirectional : int, bool.
state_dict : dict of arrays, of the module.
x : (B, T, F).
initial_state : list of arrays (layers * directions, B, H), h and for the LSTM c; or None.
y : (B, T, directions * H), the outputs of the last layer.
d_y, d_x, d_state_dict : the gradients are those of ``sum(y * d_y)``.

``load_cases("keras-stateful")``: one layer with ``stateful=True`` on two batches in a row.

name, kind : as above; kind is "rnn", "lstm", "gru" or "gru_before" (``reset_after=False``).
options : dict of return_sequences, go_backwards.
weights : list in the order of ``layer.get_weights()``.
batches : list of two dicts of x (B, T, F), mask (B, T) of bool or None, and y.
initial_state : list of (B, H) arrays, of the first batch, or None.

``load_cases("keras-masks")``: the same layers, not stateful, on one batch; x, mask, y, d_y, d_x, d_weights in the case.

``load_cases("keras-bidirectional")``: Bidirectional layers.

name, kind : as above.
merge_mode : "concat", "sum", "mul" or "ave".
options : dict of return_sequences.
weights : list in the order of ``layer.get_weights()``: those of the forward layer, then those of the backward layer.
initial_state : list of (B, H) arrays, of the forward, then of the backward layer, or None.
x, mask, y, d_y, d_x, d_weights : as above.

Arrays are float32. Both libraries computed in float64 from the same numbers: expected values are right to float32's
rounding. ``load_versions()`` gives the versions that wrote the file.
"""

import json
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("peers_fixture.npz")


def save(groups, versions):
    """One flat array of all values, in the order of the JSON text, which has a shape where an array stood."""
    values = []

    def described(item):
        if isinstance(item, np.ndarray):
            values.append(item.astype(np.float32).ravel())
            return {"shape": item.shape, "bool": item.dtype == bool}
        if isinstance(item, dict):
            return {key: described(value) for key, value in item.items()}
        return [described(value) for value in item] if isinstance(item, list) else item

    index = json.dumps({"versions": versions, "groups": described(groups)}).encode()
    np.savez_compressed(PATH, values=np.concatenate(values), index=np.frombuffer(index, dtype=np.uint8))


def load_cases(group):
    values, index = _read()
    position = 0

    def restored(item):
        nonlocal position
        if isinstance(item, dict) and item.keys() == {"shape", "bool"}:
            size = int(np.prod(item["shape"]))
            array = values[position : position + size].reshape(item["shape"])
            position += size
            return array.astype(bool) if item["bool"] else array.copy()
        if isinstance(item, dict):
            return {key: restored(value) for key, value in item.items()}
        return [restored(value) for value in item] if isinstance(item, list) else item

    groups = restored(index["groups"])
    assert position == values.size
    return groups[group]


def load_versions():
    return _read()[1]["versions"]


def _read():
    with np.load(PATH, allow_pickle=False) as file:
        return file["values"], json.loads(file["index"].tobytes())
