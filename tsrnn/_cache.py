"""What is kept of a compilation: one file for each kernel and signature, written whole or not at all.

Numba's own cache keeps an index for each function and writes it without a lock: two processes that compile two
signatures at once can make the index of one point at the code of the other. Here the file name *is* the key.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from tsrnn._cache_folder import cache_folder, mark_used, sweep

_listeners: list[Callable[[str], None]] = []
_sweep_once = functools.cache(sweep)  # for each folder and process


@contextmanager
def on_compile(listener: Callable[[str], None]) -> Iterator[None]:
    """Within the block, ``listener`` is called with the name of each kernel that is about to be compiled.

    Kernels that are loaded are not told. The call comes from the thread that needs the kernel; there is one at a time.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _parted(data: bytes) -> tuple[bytes, bytes]:
    """Checksum and payload of a file of the cache."""
    size = hashlib.sha256().digest_size
    return data[:size], data[size:]


class KernelCache(_Cache):
    """The cache of one kernel, in the protocol that Numba's dispatcher expects."""

    def __init__(self, function: Callable, digest: str) -> None:
        self._function = function
        self._enabled = True
        versions = f"{sys.implementation.cache_tag} {numba.__version__} {llvmlite.__version__} {np.__version__}"
        self._stem = f"{function.__module__}.{function.__qualname__}".removeprefix("tsrnn.")
        self._identity = f"{self._stem} {digest} {versions}"

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
        found = self._load(sig, target_context)
        if found is None:
            for listener in tuple(_listeners):
                listener(self._stem)
        return found

    def _load(self, sig: Any, target_context: Any) -> Any:
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
        mark_used(path)
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
        _sweep_once(path.parent)

    def _path(self, sig: Any, codegen: Any) -> Path | None:
        folder = cache_folder() if self._enabled else None
        if folder is None:
            return None
        key = hashlib.sha256(f"{self._identity} {sig} {codegen.magic_tuple()}".encode()).hexdigest()[:24]
        return folder / f"{self._stem}-{key}.bin"
