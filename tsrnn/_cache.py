"""Where machine code is kept: one file for each kernel and signature, written whole or not at all.

Numba's own cache keeps an index for each function and writes it without a lock: two processes that compile two
signatures at once can make the index of one point at the code of the other. Here the file name *is* the key.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.misc.appdirs import user_cache_dir

_OFF = ("0", "off", "no", "none", "false")


def cache_folder() -> Path | None:
    """The folder of compiled kernels: ``TSRNN_CACHE_DIR``, or the user's cache folder; None where it is switched off.

    ``TSRNN_CACHE_DIR=off`` switches the cache off. A folder that cannot be written is replaced by one in the
    system's temporary folder.
    """
    named = os.environ.get("TSRNN_CACHE_DIR", "")
    if named.lower() in _OFF:
        return None
    wanted = Path(named).expanduser().absolute() if named else _user_folder()
    for folder in (wanted, Path(tempfile.gettempdir()) / f"tsrnn-{_user()}"):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK) and _is_ours(folder):
            return folder
    return None


def _user_folder() -> Path:
    """The platform's place; an empty or relative XDG_CACHE_HOME means none (XDG base directory specification)."""
    folder = Path(user_cache_dir("tsrnn", appauthor=False))
    return (folder if folder.is_absolute() else Path.home() / ".cache" / "tsrnn") / "kernels"


def _user() -> str:
    return str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "user")


def _is_ours(folder: Path) -> bool:
    """Machine code is only ever loaded from a folder of the user's own: the temporary folder is everybody's."""
    return sys.platform == "win32" or folder.stat().st_uid in (os.getuid(), 0)


def _parted(data: bytes) -> tuple[bytes, bytes]:
    """Checksum and payload of a file of the cache."""
    size = hashlib.sha256().digest_size
    return data[:size], data[size:]


class KernelCache(_Cache):
    """The cache of one kernel, in the protocol that Numba's dispatcher expects."""

    def __init__(self, function: Callable, digest: str) -> None:
        self._function = function
        self._enabled = True
        code = hashlib.sha256(function.__code__.co_code + repr(function.__code__.co_consts).encode()).hexdigest()
        python = f"{sys.implementation.cache_tag}-{numba.__version__}"
        self._stem = f"{function.__module__}.{function.__qualname__}".removeprefix("tsrnn.")
        self._identity = f"{self._stem} {code} {digest} {python}"

    @property
    def cache_path(self) -> str:
        return str(cache_folder())

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        folder = cache_folder()
        for path in folder.glob(f"{self._stem}-*.bin") if folder else ():
            path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        path = self._path(sig, target_context.codegen())
        if path is None:
            return None
        try:
            checksum, payload = _parted(path.read_bytes())
        except (FileNotFoundError, PermissionError):
            return None
        if checksum != hashlib.sha256(payload).digest():  # damaged: compile anew, and write it again
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, sig: Any, data: Any) -> None:
        path = self._path(sig, data.codegen)
        if path is None:
            return
        assert not data.lifted and not data.library.has_dynamic_globals, f"{self._stem} cannot be cached"
        part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        payload = dumps(data._reduce())
        try:
            part.write_bytes(hashlib.sha256(payload).digest() + payload)
            os.replace(part, path)
        except OSError:  # a full disk costs a compilation next time, not this one's result
            part.unlink(missing_ok=True)

    def _path(self, sig: Any, codegen: Any) -> Path | None:
        folder = cache_folder() if self._enabled else None
        if folder is None:
            return None
        key = hashlib.sha256(f"{self._identity} {sig} {codegen.magic_tuple()}".encode()).hexdigest()[:24]
        return folder / f"{self._stem}-{key}.bin"
