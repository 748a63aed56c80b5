"""The folder of compiled kernels: where it is, what is in it, and how old files leave it. Numba is not needed for that.

A file is never changed, only written whole, read and deleted, so processes need no locks: one that looks for a file
that another has just deleted compiles the kernel.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

UNUSED = 30 * 86400  # seconds after which a file that no process has loaded is deleted
ABANDONED = 86400  # seconds after which an unfinished file is: its process was killed
MOST_BYTES = 256 << 20  # of all files together; a network takes about one megabyte
_MARK_AGAIN = 3600  # seconds after which loading a file marks it as used
_OFF = ("0", "off", "no", "none", "false")
# Nothing else is ever deleted: a user may name a folder that holds other things.
_OURS = re.compile(r"[\w.<>]+-[0-9a-f]{24}(\.bin|\.[0-9a-f]{8}\.part)")


@dataclass(frozen=True)
class CacheInfo:
    """What ``cache_info`` found.

    Attributes
    ----------
    folder : Path or None
        Where compiled kernels are kept; None where they are not.
    files, bytes : int
        How many there are, one for each kernel and kind of arguments, and how much room they take.
    reason : str
        Why there is no folder, or why it is not the one wanted; empty where all is as usual.
    """

    folder: Path | None
    files: int
    bytes: int
    reason: str

    def __repr__(self) -> str:
        kept = "nowhere" if self.folder is None else f"in {self.folder}: {self.files} files, {self.bytes / 1e6:.1f} MB"
        return f"<compiled kernels are kept {kept}{self.reason and f' ({self.reason})'}>"


def cache_info() -> CacheInfo:
    """Where compiled kernels are kept, how many there are, and how much room they take.

    ``TSRNN_CACHE_DIR`` names the folder, and ``TSRNN_CACHE_DIR=off`` switches the cache off. A folder that cannot be
    used is replaced by one in the system's temporary folder; ``reason`` then says why. Files that have not been loaded
    for 30 days are deleted when something is compiled, and the oldest ones where all take more than 256 MiB.

    Returns
    -------
    CacheInfo
        With ``folder``, ``files``, ``bytes`` and ``reason``.

    Examples
    --------
    >>> import tsrnn
    >>> info = tsrnn.cache_info()
    >>> info.folder is None or info.folder.is_dir()
    True
    """
    folder, reason = _choose()
    sizes = [status.st_size for path, status in _kept(folder) if path.suffix == ".bin"] if folder else []
    return CacheInfo(folder, len(sizes), sum(sizes), reason)


def cache_folder() -> Path | None:
    """The folder of compiled kernels, which is made where it is absent; None where there is none."""
    return _choose()[0]


def mark_used(path: Path) -> None:
    """Let a file that was loaded live on. Not at each loading: that would be a write for each kernel and process."""
    with suppress(OSError):  # deleted meanwhile, or of another user
        if time.time() - path.stat().st_mtime > _MARK_AGAIN:
            os.utime(path)


def sweep(folder: Path) -> None:
    """Delete what nobody loads any more: code of older sources and versions, and what killed processes left."""
    now, room = time.time(), MOST_BYTES
    for path, status in sorted(_kept(folder), key=lambda kept: kept[1].st_mtime, reverse=True):
        room -= status.st_size
        age = now - status.st_mtime
        if age > (UNUSED if path.suffix == ".bin" else ABANDONED) or room < 0:
            with suppress(OSError):  # another process was faster, or has the file open (Windows)
                path.unlink()


def clear(folder: Path) -> None:
    """Delete all compiled kernels; processes that have loaded them keep them."""
    for path, _ in _kept(folder):
        path.unlink(missing_ok=True)


def _kept(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The files of the cache, finished or not."""
    for path in folder.glob("*"):  # of a folder that was deleted: nothing
        with suppress(FileNotFoundError):  # deleted by another process since the folder was listed
            if _OURS.fullmatch(path.name):
                yield path, path.lstat()


def _choose() -> tuple[Path | None, str]:
    """The folder, and why it is not the one wanted."""
    named = os.environ.get("TSRNN_CACHE_DIR", "")
    if named.lower() in _OFF:
        return None, f"switched off by TSRNN_CACHE_DIR={named}"
    reasons = []
    for find in (_wanted_folder, _spare_folder):
        try:
            folder = find()
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            reasons.append(f"{error.filename} cannot be made: {error.strerror}")
        except RuntimeError:  # of pathlib
            reasons.append("there is no home folder")
        else:
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                reasons.append(f"{folder} cannot be read and written")
            elif not _is_ours(folder):
                reasons.append(f"{folder} belongs to another user")
            else:
                return folder, "; ".join(reasons)
    return None, "; ".join(reasons)


def _wanted_folder() -> Path:
    named = os.environ.get("TSRNN_CACHE_DIR", "")
    return Path(named).expanduser().absolute() if named else _user_folder()


def _spare_folder() -> Path:
    user = str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"tsrnn-{user}"


def _user_folder() -> Path:
    """The platform's place; an empty or relative XDG_CACHE_HOME means none (XDG base directory specification)."""
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "tsrnn" / "Cache" / "kernels"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tsrnn" / "kernels"
    folder = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (folder if folder.is_absolute() else Path.home() / ".cache") / "tsrnn" / "kernels"


def _is_ours(folder: Path) -> bool:
    """Machine code is only ever loaded from a folder of the user's own: the temporary folder is everybody's."""
    return sys.platform == "win32" or folder.stat().st_uid in (os.getuid(), 0)
