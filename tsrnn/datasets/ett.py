"""Electricity transformer temperature, the common benchmark of long-horizon forecasting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tsrnn._errors import Options, check_parameter
from tsrnn.datasets._files import PathLike, download, find, read_csv, require_columns

if TYPE_CHECKING:
    import pandas as pd

_URL = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/{}.csv"
_SHA256 = {
    "ETTh1": "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
    "ETTh2": "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b",
    "ETTm1": "6ce1759b1a18e3328421d5d75fadcb316c449fcd7cec32820c8dafda71986c9e",
    "ETTm2": "db973ca252c6410a30d0469b13d696cf919648d0f3fd588c60f03fdbdbadd1fd",
}
_STEPS = {"h": "1h", "m": "15min"}
_COLUMNS = ["date", "HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]


def fetch_ett(
    name: str = "ETTh1", *, path: PathLike | None = None, data_home: PathLike | None = None, progress: bool = False
) -> pd.DataFrame:
    """Fetch the load and oil temperature of an electricity transformer, July 2016 to June 2018.

    Parameters
    ----------
    name : {"ETTh1", "ETTh2", "ETTm1", "ETTm2"}, default "ETTh1"
        Which of two transformers, by the hour (h) or every 15 minutes (m).
    path : str or path-like, optional
        A file that is there already (CSV, .gz or .zip), or a folder that holds it. Without it the file is downloaded.
    data_home : str or path-like, optional
        The folder that keeps the download. By default `TSRNN_DATA_HOME`, or else the system's cache folder.
    progress : bool, default False
        Whether to show a progress bar while downloading (needs tqdm).

    Returns
    -------
    DataFrame
        17,420 (h) or 69,680 (m) rows, indexed by "date"; six columns of load and the oil temperature "OT", the target.

    Raises
    ------
    ConnectionError
        If the file cannot be downloaded.
    FileNotFoundError, ValueError
        If `path` holds no such file, or a damaged or different one.

    Notes
    -----
    From ETDataset (Zhou et al., 2021, Informer), licence CC BY-ND 4.0.

    Examples
    --------
    >>> from tsrnn.datasets import fetch_ett
    >>> fetch_ett("ETTh1").shape  # doctest: +SKIP
    (17420, 7)
    """
    import pandas as pd

    check_parameter("fetch_ett", "name", name, Options(*_SHA256))
    if path is None:
        url = _URL.format(name)
        file = download(url, sha256=_SHA256[name], name=f"{name}.csv", data_home=data_home, progress=progress)
    else:
        file = find(path, [f"{name}.csv"])
    frame = read_csv(file)
    require_columns(frame, file, _COLUMNS, "ETT")
    frame["date"] = pd.to_datetime(frame["date"], format="%Y-%m-%d %H:%M:%S")
    _check_step(frame["date"], name, file)
    return frame.set_index("date")


def _check_step(dates: pd.Series, name: str, file: Path) -> None:
    """Refuse the hourly file as the quarter-hourly one, and the other way round: their columns are the same."""
    import pandas as pd

    if len(dates) < 2:
        return
    step, expected = pd.Timedelta(dates.diff().median()), pd.Timedelta(_STEPS[name[3]])
    if step != expected:
        raise ValueError(
            f"'{file}' is not a file of {name}: its rows must be {expected.total_seconds() / 60:g} minutes apart; "
            f"they are {step.total_seconds() / 60:g}. Give another `name` or another file."
        )
