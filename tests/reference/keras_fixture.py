"""What Keras 3 gives for 104 small recurrent layers, written by ``make_keras_fixture.py`` and read here.

``load_cases()`` gives a list of dicts:

name : str, unique and readable, for test ids.
kind : "rnn", "lstm", "gru" (``reset_after=True``) or "gru_before" (``reset_after=False``).
options : dict of activation, recurrent_activation (absent for "rnn"), go_backwards, return_sequences.
x : (B, T, F).
weights : list of kernel, recurrent_kernel, bias in the order and shapes of ``layer.get_weights()``.
mask : (B, T) of bool, or None.
initial_state : list of (B, H) arrays, h and for the LSTM c; or None, which is zeros.
input_mask, state_mask : (B, F) and (B, H), the dropout masks, 0 or 1 / keep, the same for all gates; or None.
y : (B, T, H) or (B, H).
final_state : list of (B, H).
d_y : shaped as y; the gradients below are those of ``sum(y * d_y)``.
d_x, d_weights, d_initial_state : shaped as x, weights, initial_state (None where that is None).

Arrays are float32. Keras computed in float64 from the same numbers: expected values are right to float32's rounding.
``load_versions()`` gives the versions that wrote the file.
"""

import json
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("keras_fixture.npz")

ARRAYS = ("x", "mask", "input_mask", "state_mask", "y", "d_y", "d_x")
LISTS = ("weights", "initial_state", "final_state", "d_weights", "d_initial_state")


def save(cases, versions):
    """One flat array of all values, in the order of the JSON text that holds everything else and the shapes."""
    values, described = [], []
    for case in cases:
        entry = {key: case[key] for key in ("name", "kind", "options")}
        for key in ARRAYS + LISTS:
            arrays = case[key] if key in LISTS else [case[key]]
            if case[key] is None:
                entry[key] = None
                continue
            entry[key] = [np.shape(array) for array in arrays]
            values.extend(np.asarray(array, dtype=np.float32).ravel() for array in arrays)
        described.append(entry)
    index = json.dumps({"versions": versions, "cases": described}).encode()
    np.savez_compressed(PATH, values=np.concatenate(values), index=np.frombuffer(index, dtype=np.uint8))


def load_cases():
    values, index = _read()
    cases, position = [], 0
    for entry in index["cases"]:
        case = dict(entry)
        for key in ARRAYS + LISTS:
            if entry[key] is None:
                continue
            arrays = []
            for shape in entry[key]:
                size = int(np.prod(shape))
                arrays.append(values[position : position + size].reshape(shape).copy())
                position += size
            case[key] = arrays if key in LISTS else arrays[0]
        if case["mask"] is not None:
            case["mask"] = case["mask"].astype(bool)
        cases.append(case)
    assert position == values.size
    return cases


def load_versions():
    return _read()[1]["versions"]


def _read():
    with np.load(PATH, allow_pickle=False) as file:
        return file["values"], json.loads(file["index"].tobytes())
