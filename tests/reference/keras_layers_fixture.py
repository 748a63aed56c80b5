"""What Keras 3 gives for small layers without recurrence, written by ``make_keras_layers_fixture.py`` and read here.

``load_cases(kind)`` gives a list of dicts:

name : str, unique and readable, for test ids.
kind : str, the class; named alike in Keras and here, but for the kinds that ``make_keras_layers_fixture.py`` lists.
options : dict, the arguments of the constructor here.
x : (B, T, F), or (B, T) of tokens.
mask : (B, T) of bool, or None.
weights : list in the order and shapes of ``layer.get_weights()``.
y, output_mask : the output and its mask, None where Keras gives none.
d_y : shaped as y; the gradients below are those of ``sum(y * d_y)``.
d_x : shaped as x, or None for tokens.
d_weights : shaped as weights.

Arrays are float64, as Keras computed them. ``load_versions()`` gives the versions that wrote the file.
"""

import json
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("keras_layers_fixture.npz")
ARRAYS = ("x", "mask", "y", "output_mask", "d_y", "d_x")
LISTS = ("weights", "d_weights")


def save(cases, versions):
    """One array for each value, named by case and key; everything else in a JSON text."""
    arrays, described = {}, []
    for i, case in enumerate(cases):
        lengths = {key: len(case[key]) for key in LISTS}
        described.append({key: case[key] for key in ("name", "kind", "options")} | {"lengths": lengths})
        arrays |= {f"{i}.{key}": case[key] for key in ARRAYS if case[key] is not None}
        arrays |= {f"{i}.{key}.{k}": array for key in LISTS for k, array in enumerate(case[key])}
    index = json.dumps({"versions": versions, "cases": described}).encode()
    np.savez_compressed(PATH, index=np.frombuffer(index, dtype=np.uint8), **arrays)


def load_cases(kind):
    with np.load(PATH, allow_pickle=False) as file:
        index, cases = json.loads(file["index"].tobytes()), []
        for i, described in enumerate(index["cases"]):
            if described["kind"] == kind:
                lengths = described.pop("lengths")
                case = {key: file.get(f"{i}.{key}") for key in ARRAYS}
                case |= {key: [file[f"{i}.{key}.{k}"] for k in range(lengths[key])] for key in LISTS}
                cases.append(described | case)
    assert cases, f"no case of {kind}"
    return cases


def load_versions():
    with np.load(PATH, allow_pickle=False) as file:
        return json.loads(file["index"].tobytes())["versions"]
