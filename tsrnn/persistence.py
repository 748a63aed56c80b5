"""Model files: arrays in the safetensors format, and one JSON document in its metadata. Nothing is ever unpickled.

The metadata have one key, "tsrnn": a JSON object with the version of the format, the version of the package that wrote
the file, a checksum and the document. The checksum is that of the whole file with the checksum itself blanked out, so
that no damage goes unseen, be it in a weight or in the document.
"""

from __future__ import annotations

import glob
import hashlib
import json
import math
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from tsrnn._version import __version__

FORMAT_VERSION = 1
_KEY = "tsrnn"
_BLANK = "0" * 64
_TOKEN = 4  # bytes of what tells files apart that are being written
_PREFIX = 8  # a safetensors file starts with the length of its header, in 8 bytes
_FOREIGN = {
    b"\x80": "a pickle, which tsrnn never reads: it could run any code",
    b"PK": "a zip archive, as PyTorch and Keras write",
    b"\x89HDF": "an HDF5 file",
}


@final
class ModelFileError(ValueError):
    """A model file is missing, damaged, of another kind, or of a newer version."""


def save_file(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], document: Mapping[str, Any]) -> None:
    """Write arrays and a document to a model file, whole or not at all.

    Parameters
    ----------
    path : str or path-like
        The file. If it exists, it is replaced once the new one is complete.
    arrays : mapping of str to ndarray
        Arrays of numbers or bools, of any shape.
    document : mapping
        None, bools, numbers, strings, lists, tuples and mappings of these, nested at will, with NumPy scalars where
        Python's can be. They come back equal and of the same types, but NumPy scalars as Python's.

    Raises
    ------
    TypeError
        If an array or a part of the document cannot be stored.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> save_file(f"{folder.name}/model.tsrnn", {"theta": np.arange(3.0)}, {"cell": "gru", "shape": (3,)})
    >>> read_file(f"{folder.name}/model.tsrnn")
    ({'theta': array([0., 1., 2.])}, {'cell': 'gru', 'shape': (3,)})
    >>> folder.cleanup()
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"Cannot write a model to '{target}': it is a folder. Give the path of a file.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"Cannot write a model to '{target}': the folder '{target.parent}' does not exist.")
    data = _serialised(arrays, document)
    # In the same folder, because a file can be moved in one step only within one file system.
    partial = target.with_name(f".{target.name}.{secrets.token_hex(_TOKEN)}.part")
    try:
        with partial.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def read_file(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `save_file` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    arrays : dict of str to ndarray
        Writable, in C order.
    document : dict
        As it was given to `save_file`.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, of another kind, or written by a newer version that this one cannot read.
    """
    import safetensors
    import safetensors.numpy

    data = _bytes_of(path)
    envelope = _checked_envelope(path, data)
    try:
        stored = safetensors.numpy.load(data)
        document = _decoded(envelope["document"])
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"'{path}' cannot be read as a model file ({error}).") from error
    # Copies, because safetensors hands out read-only views, for which kernels would be compiled a second time.
    return {name: np.array(array) for name, array in stored.items()}, document


def remove_partial_files(path: str | os.PathLike[str]) -> None:
    """Remove what is left of writings of this file that were cut short; nobody else may be writing it now.

    Parameters
    ----------
    path : str or path-like
        As it was given to `save_file`.
    """
    target = Path(os.path.realpath(path))
    for partial in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 2 * _TOKEN}.part"):
        partial.unlink(missing_ok=True)


def written_by(path: str | os.PathLike[str]) -> str:
    """The version of tsrnn that wrote a file.

    Parameters
    ----------
    path : str or path-like
        A file that `read_file` reads.
    """
    return str(_checked_envelope(path, _bytes_of(path)).get("written_by"))


def _serialised(arrays: Mapping[str, np.ndarray], document: Mapping[str, Any]) -> bytes:
    import safetensors.numpy

    contiguous = {}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            kind = f"dtype {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
            raise TypeError(f"Array '{name}' must be a NumPy array of bools, integers or floats; got {kind}.")
        contiguous[name] = np.asarray(array, order="C")
    envelope = {
        "format_version": FORMAT_VERSION,
        "written_by": __version__,
        "sha256": _BLANK,
        "document": _encoded(dict(document), "document"),
    }
    text = json.dumps(envelope, allow_nan=False)
    blank = safetensors.numpy.save(contiguous, metadata={_KEY: text})
    digest = hashlib.sha256(blank).hexdigest()
    return safetensors.numpy.save(contiguous, metadata={_KEY: text.replace(_BLANK, digest, 1)})


def _bytes_of(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"There is no model file '{path}'.") from error
    except IsADirectoryError as error:
        raise ModelFileError(f"'{path}' is a folder; expected a model file.") from error


def _checked_envelope(path: str | os.PathLike[str], data: bytes) -> dict[str, Any]:
    """Return the JSON object in the metadata, once it is certain that the file is whole and can be understood."""
    header = _header(path, data)
    metadata = header.get("__metadata__")
    envelope = _parsed(metadata.get(_KEY)) if isinstance(metadata, dict) else None
    if not isinstance(envelope, dict):
        raise ModelFileError(f"'{path}' is a safetensors file, but not one written by tsrnn (or it is damaged).")
    version, digest = envelope.get("format_version"), envelope.get("sha256")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise ModelFileError(
            f"'{path}' was written by tsrnn {envelope.get('written_by')}, format {version}; this tsrnn ({__version__}) "
            f"reads formats up to {FORMAT_VERSION}: upgrade tsrnn."
        )
    if not isinstance(digest, str) or not _is_whole(data, digest):
        raise ModelFileError(f"'{path}' is damaged or cut off: its checksum does not match. Use another copy.")
    return envelope


def _header(path: str | os.PathLike[str], data: bytes) -> dict[str, Any]:
    """Return the header of a safetensors file, and say what is wrong with anything else."""
    for start, kind in _FOREIGN.items():
        if data.startswith(start) and data[_PREFIX : _PREFIX + 1] != b"{":
            raise ModelFileError(f"'{path}' is not a model file of tsrnn: it looks like {kind}.")
    if not data:
        raise ModelFileError(f"'{path}' is empty.")
    end = _PREFIX + int.from_bytes(data[:_PREFIX], "little")
    if data[_PREFIX : _PREFIX + 1] not in (b"{", b"") or (data[_PREFIX:] and end > 1 << 40):
        raise ModelFileError(f"'{path}' is not a model file of tsrnn.")
    if len(data) <= _PREFIX or len(data) < end:
        raise ModelFileError(f"'{path}' is cut off after {len(data):,} bytes. Use another copy.")
    header = _parsed(data[_PREFIX:end])
    if not isinstance(header, dict):
        raise ModelFileError(f"'{path}' is not a model file of tsrnn, or it is damaged.")
    return header


def _parsed(text: Any) -> Any:
    """Return what a JSON text says, or None if it is none."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def _is_whole(data: bytes, digest: str) -> bool:
    blank = data.replace(digest.encode("utf-8", "surrogatepass"), _BLANK.encode(), 1)
    return hashlib.sha256(blank).hexdigest() == digest


def _encoded(value: Any, place: str) -> Any:
    """Turn a part of a document into plain JSON; what JSON has no form for becomes an object with one key in "$"."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, list | tuple):
        items = [_encoded(item, f"{place}[{index}]") for index, item in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    if isinstance(value, Mapping):
        encoded = {key: _encoded(item, f"{place}[{key!r}]") for key, item in value.items()}
        if all(isinstance(key, str) and not key.startswith("$") for key in encoded):
            return encoded
        # Names of columns may be numbers or tuples, and may look like the keys used here.
        return {"$dict": [[_encoded(key, f"{place} key {key!r}"), item] for key, item in encoded.items()]}
    raise TypeError(f"{place} cannot be stored in a model file: it is a {type(value).__name__}.")


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$float" in value:
        return float(value["$float"])
    if "$tuple" in value:
        return tuple(_decoded(item) for item in value["$tuple"])
    if "$dict" in value:
        return {_decoded(key): _decoded(item) for key, item in value["$dict"]}
    return {key: _decoded(item) for key, item in value.items()}
