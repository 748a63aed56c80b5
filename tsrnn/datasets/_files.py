"""Where the files of the data sets come from: a path of the user's own, the cache folder, or a download."""

from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from tsrnn._errors import check_import, quoted

if TYPE_CHECKING:
    import pandas as pd

# A path as users write it.
PathLike = str | os.PathLike[str]
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile, UnicodeDecodeError)
_LONG_NAME = 40  # characters of a column's name that a message shows


def data_folder(data_home: PathLike | None) -> Path:
    """Return the folder that downloads are kept in: the user's choice, `TSRNN_DATA_HOME`, or the system's cache."""
    chosen = data_home or os.environ.get("TSRNN_DATA_HOME")
    if chosen:
        return Path(chosen).expanduser()
    pooch = check_import("pooch", "download", "Downloading a data set")
    return Path(pooch.os_cache("tsrnn")) / "datasets"


def download(url: str, *, sha256: str | None, name: str, data_home: PathLike | None, progress: bool) -> Path:
    """Return the file behind `url`, from the cache folder or else from the network.

    Raises
    ------
    ConnectionError
        If the address cannot be reached.
    ValueError
        If what comes back is not the known file.
    """
    pooch = check_import("pooch", "download", "Downloading a data set")
    requests = check_import("requests", "download", "Downloading a data set")
    folder = data_folder(data_home)
    remedy = "download the file by other means and give it with `path=`"
    try:
        known = None if sha256 is None else f"sha256:{sha256}"
        return Path(pooch.retrieve(url, known_hash=known, fname=name, path=folder, progressbar=progress))
    except requests.exceptions.RequestException as error:
        reason = type(error).__name__
        raise ConnectionError(f"Could not download {url} ({reason}). Check the network, or {remedy}.") from error
    except ValueError as error:
        # This is how pooch reports a checksum that does not match.
        raise ValueError(
            f"The file behind {url} is not the one expected: {error} Try again later, or {remedy}."
        ) from error


def local_path(path: PathLike, expected: str) -> Path:
    """Return `path` as a Path; `expected` says what it has to be the path of.

    Raises
    ------
    TypeError
        If it is no path at all.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"`path` must be a str or path-like, the path of {expected}; got {type(path).__name__}.")
    return Path(path).expanduser()


def find(path: PathLike, names: Iterable[str]) -> Path:
    """Return the file that `path` is, or the first of `names` (plain, .gz or .zip) in the folder that `path` is.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError, ValueError
        If `path` is no path, or that of something else, such as a device.
    """
    place = local_path(path, "a file, or of a folder that holds one")
    if place.is_file():
        return place
    if not place.exists():
        raise FileNotFoundError(f"`path` must be a file, or a folder that holds one; there is nothing at '{place}'.")
    if not place.is_dir():
        raise ValueError(f"`path` must be a file, or a folder that holds one; '{place}' is not a regular file.")
    wanted = list(names)
    for name in wanted:
        for suffix in ("", ".gz", ".zip"):
            if (place / f"{name}{suffix}").is_file():
                return place / f"{name}{suffix}"
    raise FileNotFoundError(
        f"The folder '{place}' holds none of {quoted(wanted)} (plain, .gz or .zip). Give the file itself with `path=`."
    )


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file, plain or compressed, in UTF-8 or else in Latin-1.

    Raises
    ------
    ValueError
        If the file is damaged or no table.
    """
    import pandas as pd

    try:
        with _opened(path) as file:
            encoding = _encoding(file.readline())
            file.seek(0)
            return pd.read_csv(cast(Any, file), encoding=encoding)
    except (*_DAMAGED, pd.errors.ParserError) as error:
        raise ValueError(f"'{path}' is damaged or no table of comma-separated values: {error}.") from error
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"'{path}' is empty.") from error


def require_columns(frame: pd.DataFrame, path: Path, names: Iterable[str], data_set: str) -> None:
    """Refuse a table that cannot be the data set, because columns of it are missing."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ValueError(
            f"'{path}' is not a file of {data_set}: it has no column {quoted(missing)}; its columns are "
            f"{_shown(frame.columns)}."
        )


def _shown(names: Iterable[str], limit: int = 5) -> str:
    """List columns as `quoted` does; the header of a file that is no text can be of any length."""
    written = [repr(name) for name in names]
    shown = ", ".join(name if len(name) <= _LONG_NAME else f"{name[:_LONG_NAME]}..." for name in written[:limit])
    return shown if len(written) <= limit else f"{shown} and {len(written) - limit} more"


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix == ".gz":
        with gzip.open(path) as file:
            yield cast(IO[bytes], file)
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_table_in(archive, path)) as member:
            yield member
    else:
        with path.open("rb") as plain:
            yield plain


def _table_in(archive: zipfile.ZipFile, path: Path) -> str:
    # Archives packed on a Mac carry a hidden twin of each file.
    tables = [name for name in archive.namelist() if name.endswith(".csv") and not name.startswith("__MACOSX")]
    if len(tables) != 1:
        raise ValueError(f"'{path}' must hold one CSV file; it holds {quoted(archive.namelist())}.")
    return tables[0]


def _encoding(header: bytes) -> str:
    """Tell the encoding by the header line, the only one that holds units such as W/m² or µmol."""
    try:
        header.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"
