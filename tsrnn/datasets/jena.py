"""Ten-minute weather in Jena, the data of "Deep Learning with Python"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsrnn.datasets._files import PathLike, download, find, read_csv, require_columns

if TYPE_CHECKING:
    import pandas as pd

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/jena_climate_2009_2016.csv.zip"
_SHAPE = (420_551, 14)
# The file of 2009 to 2016 and the yearly files in their usual copies: name of the time column, and its format.
_TIME_FORMATS = {"Date Time": "%d.%m.%Y %H:%M:%S", "date": "%Y-%m-%d %H:%M:%S"}
_NAMES = ("jena_climate_2009_2016.csv", "weather_jena_2020.csv", "weather.csv")


def fetch_jena_climate(
    *, path: PathLike | None = None, data_home: PathLike | None = None, progress: bool = False
) -> pd.DataFrame:
    """Fetch the weather in Jena, Germany, every ten minutes from 2009 to 2016.

    The rows are kept as they come: stamps occur twice or are absent, and -9999 marks missing values. The forecasters'
    `duplicates=`, `na_values=` and `missing=` say what to do with these.

    Parameters
    ----------
    path : str or path-like, optional
        A file that is there already (CSV, .gz or .zip), or a folder that holds it. Besides the file of 2009 to 2016
        this may be the file of 2020, with 21 columns. Without it the file is downloaded.
    data_home : str or path-like, optional
        The folder that keeps the download. By default `TSRNN_DATA_HOME`, or else the system's cache folder.
    progress : bool, default False
        Whether to show a progress bar while downloading (needs tqdm).

    Returns
    -------
    DataFrame
        Indexed by the local time of the station, named "Date Time" (2009 to 2016: 420,551 rows) or "date" (2020: 52,696
        rows); columns from "p (mbar)" to "wd (deg)", the temperature is "T (degC)". The file of 2020 has more columns,
        and ends with "OT", the CO2 concentration.

    Raises
    ------
    ConnectionError
        If the file cannot be downloaded.
    FileNotFoundError, ValueError
        If `path` holds no such file, or a damaged or different one.

    Notes
    -----
    Recorded by the Max Planck Institute for Biogeochemistry, Jena; prepared by François Chollet.

    Examples
    --------
    >>> from tsrnn.datasets import fetch_jena_climate
    >>> climate = fetch_jena_climate()  # doctest: +SKIP
    >>> climate.shape  # doctest: +SKIP
    (420551, 14)
    """
    import pandas as pd

    if path is None:
        # No checksum of the original is known, so its shape is checked below.
        file = download(
            _URL, sha256=None, name="jena_climate_2009_2016.csv.zip", data_home=data_home, progress=progress
        )
    else:
        file = find(path, _NAMES)
    frame = read_csv(file)
    stamp = next((name for name in _TIME_FORMATS if name in frame.columns), "Date Time")
    require_columns(frame, file, [stamp, "p (mbar)", "T (degC)", "wd (deg)"], "the Jena weather")
    frame[stamp] = pd.to_datetime(frame[stamp], format=_TIME_FORMATS[stamp])
    frame = frame.set_index(stamp)
    if path is None and frame.shape != _SHAPE:
        raise ValueError(
            f"The file behind {_URL} has {frame.shape[0]:,} rows and {frame.shape[1]} columns; expected {_SHAPE[0]:,} "
            f"and {_SHAPE[1]}. Delete '{file}' and try again, or give a file with `path=`."
        )
    return frame
