"""The M4 competition: 100,000 series in six groups, each with the horizon that was to be forecast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tsrnn._errors import Options, check_parameter
from tsrnn.datasets._files import PathLike, download, find, local_path, read_csv, require_columns

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_URL = "https://raw.githubusercontent.com/Mcompetitions/M4-methods/master/Dataset/{part}/{group}-{name}.csv"
_SHA256 = {
    ("Hourly", "train"): "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f",
    ("Hourly", "test"): "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42",
    ("Daily", "train"): "78e94591c60c06309f1e544fd7b2ccba28f3616b01913dd336a1d1d98483a1ec",
    ("Daily", "test"): "633b0815626ae266d36872c4d53e95eb93ee8d43e79587fceec519eba3e6b05e",
    ("Weekly", "train"): "d478d3f6ed673e6ed3c2cb0fbed5425f72eedd51318ebebeb0b5ecfcefc37714",
    ("Weekly", "test"): "3b2bc4be8e636e802260dcd843ca3c5da40536a1fbe1ecb3229a97dae4f44688",
    ("Monthly", "train"): "63aaa56198b4a22279a2fec541f56921f3bed6d8e0f84e550206df9276f2e9b9",
    ("Monthly", "test"): "5e3538bf23b4a09f4078180c3e2b34859f0382e1c4f22564affc1797e8f3f48f",
    ("Quarterly", "train"): "4450678cd493aa965c14bde984a5b62a66d8c3b2f7af1e53779bc91ff008ccdc",
    ("Quarterly", "test"): "bf1cab3b969a744c220cdc148e3829803eaa5da2754270fc4f376e775cd7d0ae",
    ("Yearly", "train"): "6aa668d4f04654c0bf5f07b266a51c556f0df2faf4709f852653755396a249e4",
    ("Yearly", "test"): "6dc2dd45b3af320389e2d3735cb4b3cdf320b63cbcda15d1a17193ab99702306",
}
_GROUPS = ("Hourly", "Daily", "Weekly", "Monthly", "Quarterly", "Yearly")


def fetch_m4(
    group: str = "Hourly", *, path: PathLike | None = None, data_home: PathLike | None = None, progress: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fetch one group of series of the M4 forecasting competition.

    Parameters
    ----------
    group : {"Hourly", "Daily", "Weekly", "Monthly", "Quarterly", "Yearly"}, default "Hourly"
        Which series.
    path : str or path-like, optional
        A folder that holds both files already (CSV, .gz or .zip), named as in the original, such as "Hourly-train.csv"
        or "Train/Hourly-train.csv", or as "m4_hourly_train.csv". Without it they are downloaded.
    data_home : str or path-like, optional
        The folder that keeps the downloads. By default `TSRNN_DATA_HOME`, or else the system's cache folder.
    progress : bool, default False
        Whether to show a progress bar while downloading (needs tqdm).

    Returns
    -------
    train, test : DataFrame
        Long frames with the columns "id", "time" and "value", one row for a point, in the order of the original. "time"
        counts from 1 in each series, and the test rows go on where the training rows of their series end: what a
        forecaster with `id_col="id", time_col="time"` that was fitted on `train` predicts has the times of `test`.

    Raises
    ------
    ConnectionError
        If a file cannot be downloaded.
    FileNotFoundError, ValueError
        If `path` holds no such files, or damaged or different ones.

    Notes
    -----
    From the repository M4-methods of the M4 competition (Makridakis, Spiliotis and Assimakopoulos, 2020).

    Examples
    --------
    >>> from tsrnn.datasets import fetch_m4
    >>> train, test = fetch_m4("Hourly")  # doctest: +SKIP
    >>> train["id"].nunique(), len(test)  # doctest: +SKIP
    (414, 19872)
    """
    import numpy as np

    check_parameter("fetch_m4", "group", group, Options(*_GROUPS))
    files = [_file(group, part, path, data_home, progress) for part in ("train", "test")]
    (train_ids, train), (test_ids, test) = (_wide(file) for file in files)
    if list(train_ids) != list(test_ids):
        raise ValueError(f"'{files[0]}' and '{files[1]}' do not hold the same series: are they of one group?")
    # Points fill each row from the left; what follows is empty.
    ends = (~np.isnan(train)).sum(axis=1)
    return _long(train_ids, train, np.zeros_like(ends)), _long(test_ids, test, ends)


def _file(group: str, part: str, path: PathLike | None, data_home: PathLike | None, progress: bool) -> Path:
    name = f"{group}-{part}.csv"
    if path is None:
        url = _URL.format(part=part.title(), group=group, name=part)
        return download(url, sha256=_SHA256[group, part], name=name, data_home=data_home, progress=progress)
    if local_path(path, "a folder that holds the training and the test file").is_file():
        raise ValueError(
            f"`path` of fetch_m4 must be a folder that holds the training and the test file; got '{path}'."
        )
    return find(path, [name, f"{part.title()}/{name}", f"m4_{group.lower()}_{part}.csv"])


def _wide(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the names of the series and their points, a row for a series."""
    frame = read_csv(file)
    require_columns(frame, file, ["V1", "V2"], "the M4 competition")
    return frame["V1"].to_numpy(), frame.drop(columns="V1").to_numpy("float64")


def _long(ids: np.ndarray, values: np.ndarray, before: np.ndarray) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    series, point = np.nonzero(~np.isnan(values))
    return pd.DataFrame(
        {"id": ids[series], "time": before[series] + point + 1, "value": values[series, point]},
    )
