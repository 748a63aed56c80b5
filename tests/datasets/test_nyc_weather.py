"""The panel that comes with the package."""

import gzip
import hashlib
from importlib import resources

import numpy as np
import pandas as pd

from tsrnn.datasets import load_nyc_weather

COLUMNS = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


def test_the_frame():
    weather = load_nyc_weather()
    assert weather.shape == (26_115, 9)
    assert list(weather.columns) == COLUMNS
    assert (weather.dtypes == "float64").all()
    assert weather.index.names == ["origin", "time_hour"]
    assert weather.index.is_monotonic_increasing
    assert weather.index.is_unique
    assert str(weather.index.levels[1].tz) == "UTC"
    assert weather.groupby("origin").size().to_dict() == {"EWR": 8703, "JFK": 8706, "LGA": 8706}


def test_values_are_those_of_the_original():
    weather = load_nyc_weather()
    first = weather.loc[("EWR", pd.Timestamp("2013-01-01 06:00", tz="UTC"))]
    expected = [39.02, 26.06, 59.37, 270, 10.357019999999999, np.nan, 0, 1012, 10]
    # pandas 2 reads some numbers with an error in the last bit.
    np.testing.assert_allclose(first.to_numpy(), expected, rtol=1e-15)
    assert weather.isna().sum().to_dict() == dict(zip(COLUMNS, [1, 1, 1, 460, 4, 20_778, 0, 2_729, 0], strict=True))


def test_every_call_gives_a_frame_of_its_own():
    first = load_nyc_weather()
    first["temp"] = 0.0
    assert load_nyc_weather()["temp"].max() > 90


def test_the_packaged_file_is_the_original_with_its_origin_beside_it():
    folder = resources.files("tsrnn.datasets") / "data"
    digest = hashlib.sha256(gzip.decompress((folder / "nyc_weather_2013.csv.gz").read_bytes())).hexdigest()
    note = (folder / "nyc_weather_2013.md").read_text()
    assert digest in note
    assert "CC0" in note
