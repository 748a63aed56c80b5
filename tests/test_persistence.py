"""Model files: what goes in comes out, and whatever else is there is refused with a clear message."""

import json
import math
import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save
from safetensors.numpy import save_file as save_foreign

from tsrnn import persistence
from tsrnn.persistence import ModelFileError, read_file, save_file

ARRAYS = {
    "theta": np.linspace(-1, 1, 101, dtype=np.float32),
    "center": np.array([[1e300, np.nan], [-np.inf, 5e-324]]),
    "indptr": np.array([0, 5, 9]),
    "empty": np.zeros((0, 3), dtype=np.float32),
    "scalar": np.array(7, dtype=np.int8),
    "mask": np.array([True, False]),
}
DOCUMENT = {
    "cell": "gru",
    "targets": ("temp", 3, ("a", "b")),
    "layers": [{"hidden": 32, "dropout": 0.1}, None, True],
    "scores": {"mse": math.inf, "tiny": 5e-324},
    "left_out": {3: "text column", ("a", 1): "text column", "$tuple": "odd name"},
    "name": "Grüße \ud800",
}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.tsrnn"
    save_file(path, ARRAYS, DOCUMENT)
    return path


def refused(path):
    with pytest.raises(ModelFileError) as caught:
        read_file(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_round_trip(model):
    arrays, document = read_file(model)
    assert document == DOCUMENT
    assert isinstance(document["targets"], tuple)
    assert isinstance(document["layers"], list)
    assert arrays.keys() == ARRAYS.keys()
    for name, expected in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], expected, strict=True)
        assert arrays[name].flags.c_contiguous
        assert arrays[name].flags.writeable


def test_arrays_in_any_memory_order(tmp_path):
    fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    arrays = {"fortran": fortran, "strided": np.arange(10)[::-3], "swapped": np.arange(3, dtype=">f4")}
    save_file(tmp_path / "model", arrays, {})
    read, _ = read_file(tmp_path / "model")
    for name, expected in arrays.items():
        np.testing.assert_array_equal(read[name], expected)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
keys = st.text() | st.integers() | st.tuples(st.text(), st.integers())
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner), max_leaves=10
)


@settings(deadline=None)
@given(value=documents)
def test_documents_come_back_as_they_were(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("models") / "model"
    save_file(path, {}, {"value": value})
    _, document = read_file(path)
    assert document == {"value": value}
    assert repr(document) == repr({"value": value})  # 1 == 1.0 == True


def test_numpy_scalars_become_plain(tmp_path):
    save_file(tmp_path / "model", {}, {"a": np.float32(0.1), "b": np.int64(3), "c": np.True_, "d": np.float64("nan")})
    _, document = read_file(tmp_path / "model")
    assert document["a"] == float(np.float32(0.1))
    assert [type(value) for value in document.values()] == [float, int, bool, float]
    assert math.isnan(document["d"])


def test_metadata_are_one_strict_json_object(model):
    data = model.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert list(header["__metadata__"]) == ["tsrnn"]

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    envelope = json.loads(header["__metadata__"]["tsrnn"], parse_constant=refuse)
    assert envelope["format_version"] == persistence.FORMAT_VERSION


def test_the_same_content_gives_the_same_bytes(model, tmp_path):
    save_file(tmp_path / "again", ARRAYS, DOCUMENT)
    assert (tmp_path / "again").read_bytes() == model.read_bytes()


def test_any_part_cut_off_is_noticed(model, tmp_path):
    data = model.read_bytes()
    path = tmp_path / "cut"
    lengths = [len(data) * part // 7 for part in range(7)] + [1, 7, 8, 9, len(data) - 1]
    for length in lengths:
        path.write_bytes(data[:length])
        message = refused(path)
        assert "empty" in message if length == 0 else "cut off" in message


def test_any_changed_byte_is_noticed(model, tmp_path):
    data = model.read_bytes()
    path = tmp_path / "changed"
    random = np.random.default_rng(0)
    end = 8 + int.from_bytes(data[:8], "little")
    positions = [*range(8), *random.integers(8, end, 400), end - 1, *random.integers(end, len(data), 20)]
    for position in positions:
        changed = bytearray(data)
        changed[position] ^= random.integers(1, 256)
        path.write_bytes(changed)
        refused(path)


def test_padding_is_covered_by_the_checksum(model, tmp_path):
    data = model.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    closing = data.rindex(b"}", 0, end) + 1
    path = tmp_path / "longer"
    path.write_bytes(data + b"\0")
    refused(path)
    # Eight blanks more after the header's closing brace: still valid safetensors with the same content.
    padded = (end - 8 + 8).to_bytes(8, "little") + data[8:closing] + b" " * (end - closing + 8) + data[end:]
    path.write_bytes(padded)
    assert load(padded).keys() == ARRAYS.keys()
    assert "checksum" in refused(path)


def test_missing_file_and_folder(tmp_path):
    assert "There is no model file" in refused(tmp_path / "absent")
    assert "is a folder" in refused(tmp_path)


def test_foreign_safetensors(tmp_path):
    path = tmp_path / "foreign.safetensors"
    for metadata in (None, {"format": "pt"}, {"tsrnn": "no JSON"}, {"tsrnn": "[1]"}):
        save_foreign({"weight": np.zeros(3)}, path, metadata=metadata)
        assert "not one written by tsrnn" in refused(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (pickle.dumps({"weights": [1.0]}), "a pickle"),
        (b"PK\x03\x04" + b"\0" * 40, "a zip archive"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 40, "HDF5"),
        (b"time,value\n2020-01-01,1.0\n", "not a model file"),
        (b'{"a": 1,{"b": 2}}', "not a model file"),
        (b"[" * 200_000, "not a model file"),
        ((200_000).to_bytes(8, "little") + b'{"a":' * 40_000, "not a model file"),
        ((2).to_bytes(8, "little") + b"{}", "not one written by tsrnn"),
        ((4).to_bytes(8, "little") + b"{\xff\xfe}", "not a model file"),
    ],
)
def test_files_of_another_kind(tmp_path, content, says):
    path = tmp_path / "other"
    path.write_bytes(content)
    assert says in refused(path)


def test_newer_format(tmp_path, monkeypatch):
    path = tmp_path / "new"
    monkeypatch.setattr(persistence, "FORMAT_VERSION", 3)
    monkeypatch.setattr(persistence, "__version__", "9.1")
    save_file(path, ARRAYS, DOCUMENT)
    monkeypatch.undo()
    message = refused(path)
    assert "was written by tsrnn 9.1, format 3" in message
    assert "reads formats up to 1: upgrade" in message


def test_only_what_can_come_back_is_stored(tmp_path):
    path = tmp_path / "model"
    with pytest.raises(TypeError, match=r"document\['schema'\]\[0\] cannot be stored in a model file: it is a set"):
        save_file(path, {}, {"schema": [{1, 2}]})
    with pytest.raises(TypeError, match=r"document\['x'\] cannot .* a ndarray"):
        save_file(path, {}, {"x": np.zeros(3)})
    with pytest.raises(TypeError, match="document key frozenset"):
        save_file(path, {}, {frozenset(): 1})
    for bad, kind in (
        (np.array([1j]), "complex128"),
        (np.array(["a"]), "<U1"),
        (np.array([None]), "object"),
        ([1.0], "a list"),
    ):
        with pytest.raises(TypeError, match=f"Array 'theta' must be a NumPy array .* got .*{kind}"):
            save_file(path, {"theta": bad}, {})
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_old_file(model, monkeypatch):
    before = model.read_bytes()

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_file(model, {"theta": np.zeros(3)}, {})
    assert model.read_bytes() == before
    assert os.listdir(model.parent) == [model.name]


def test_a_file_is_replaced_also_behind_a_link(model, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(model)
    save_file(link, {}, {"new": True})
    assert link.is_symlink()
    assert read_file(model) == ({}, {"new": True})


def test_paths_that_cannot_be_written(tmp_path):
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        save_file(tmp_path, {}, {})
    with pytest.raises(FileNotFoundError, match="does not exist"):
        save_file(tmp_path / "absent" / "model", {}, {})


def test_a_tampered_array_with_valid_structure_is_noticed(model):
    """The safetensors format itself has no checksum: this file is valid but for ours."""
    data = model.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    model.write_bytes(save(load(data) | {"indptr": np.array([0, 6, 9])}, metadata=header["__metadata__"]))
    assert "checksum" in refused(model)
