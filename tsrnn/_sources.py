"""Digests of what machine code is made of. They are part of the keys of the cache: an edit makes another key.

The sources of the package have one digest together, but for the cells, whose files have one each: who edits a cell
does not wait for the others. Of users' own cells and kernels everything counts that their functions refer to, in
whichever file, or in no file at all (a notebook). Of installed packages only the version counts.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

_ROOT = Path(__file__).parent
# Not looked into: this package has ``source_digest``, and the versions of the others are part of the cache's keys.
_FIXED = {"llvmlite", "numba", "numpy", "tsrnn"}
# Neither is what lies here.
_INSTALLED = (
    *(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    sysconfig.get_path("purelib", sysconfig.get_preferred_scheme("user")) + os.sep,
)


def source_files() -> list[Path]:
    """Every file of the package that a kernel may be made of, except the cells' own (see ``Spec.DIGEST``)."""
    files = [_ROOT / "_entry.py", _ROOT / "_jit.py", *(_ROOT / "kernels").rglob("*.py"), *(_ROOT / "nn").glob("*.py")]
    files += [*(_ROOT / "nn" / "layers").glob("*.py"), *(_ROOT / "nn" / "heads").glob("*.py")]
    return sorted([*files, _ROOT / "nn" / "cells" / "cell.py"])


@functools.cache
def source_digest() -> str:
    """One digest of all ``source_files``."""
    digest = hashlib.sha256()
    for path in source_files():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def digest_of(thing: type | Callable, *others: str) -> str:
    """A digest of what a class or function is made of besides ``source_files``, and of other digests."""
    if thing.__module__.startswith("tsrnn."):
        parts: Iterable[str] = [inspect.getsource(sys.modules[thing.__module__])]
    else:
        parts = _parts(thing, set(), thing.__module__.partition(".")[0])
    return hashlib.sha256("\0".join([*parts, *others]).encode()).hexdigest()[:10]


def _parts(value: Any, seen: set[int], own: str) -> Iterator[str]:
    """What makes up a class, a function, or a value that a function refers to.

    The package ``own`` is looked into even where it is installed: who works on it may install the same version again.
    """
    if isinstance(value, Dispatcher):
        value = value.py_func
    if isinstance(value, bool | int | float | complex | str | bytes | np.generic | None):
        yield repr(value)
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    elif isinstance(value, tuple):
        for item in (type(value), *value):  # the class says what a spec computes
            yield from _parts(item, seen, own)
    elif package := _fixed_package(value, own):
        yield f"{package} {_version(package)}"
    elif id(value) not in seen:
        seen.add(id(value))
        yield _file_text(value)
        if isinstance(value, FunctionType):
            yield from _parts_of_code(value.__code__, value.__globals__, seen, own)
            for content in _contents(value):
                yield from _parts(content, seen, own)
        elif isinstance(value, type):
            for base in value.__bases__:
                yield from _parts(base, seen, own)
            for name, member in vars(value).items():
                if isinstance(member, FunctionType | int | str) and name not in ("__module__", "__firstlineno__"):
                    yield name
                    yield from _parts(member, seen, own)


def _parts_of_code(code: CodeType, names: dict[str, Any], seen: set[int], own: str) -> Iterator[str]:
    """Instructions and constants, and what the global names stand for."""
    yield f"{code.co_code!r} {code.co_names} {code.co_varnames}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _parts_of_code(constant, names, seen, own)
        else:
            yield _text_of(constant)
    for name in code.co_names:
        value = names.get(name)
        if isinstance(value, ModuleType) and not _fixed_package(value, own):
            for attribute in code.co_names:  # which of the names are its attributes, the instructions say
                yield from _parts(vars(value).get(attribute), seen, own)
        else:
            yield from _parts(value, seen, own)


def _text_of(constant: Any) -> str:
    """As ``repr``, but the same in every process: the order within a set depends on the process."""
    if isinstance(constant, frozenset):
        return f"frozenset({sorted(map(_text_of, constant))})"
    if isinstance(constant, tuple):
        return f"tuple({list(map(_text_of, constant))})"
    return repr(constant)


def _fixed_package(value: Any, own: str) -> str:
    """The package that a value is from, if that is not to be looked into; else nothing."""
    module = value if isinstance(value, ModuleType) else inspect.getmodule(value)
    if module is None:
        return ""
    package, file = module.__name__.partition(".")[0], vars(module).get("__file__")
    # By place, not by name: a user's own module may be called as one of the standard library is.
    installed = package in sys.stdlib_module_names if file is None else file.startswith(_INSTALLED)
    return package if package in _FIXED or (installed and package != own) else ""


@functools.cache
def _version(package: str) -> str:
    """The version of an installed package; nothing where it has none or is part of the cache's keys."""
    if package in _FIXED or package in sys.stdlib_module_names:
        return ""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # not named as what was installed
        return str(getattr(sys.modules.get(package), "__version__", ""))


def _file_text(value: Any) -> str:
    try:
        return inspect.getsource(inspect.getmodule(value))  # type: ignore[arg-type]
    except (OSError, TypeError):  # no file
        return ""


def _contents(function: FunctionType) -> Iterator[Any]:
    """The default values of a function's arguments, and what it closes over."""
    yield from function.__defaults__ or ()
    for item in (function.__kwdefaults__ or {}).items():
        yield from item
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:  # empty: a method that calls ``super()``, while its class is being made
            continue
        yield content
