"""The data sets that are downloaded: from the user's own files, from the cache, and without a network."""

import gzip
import hashlib
import os
import sys
import zipfile

import numpy as np
import pandas as pd
import pooch
import pytest
import requests

from tsrnn import datasets
from tsrnn.datasets import ett, fetch_ett, fetch_jena_climate, fetch_m4, jena

ETT = "date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT\n2016-07-01 00:00:00,1,2,3,4,5,6,7\n2016-07-01 01:00:00,1,2,3,4,5,6,8.5\n"
ETT_BY_QUARTER_HOUR = ETT.replace("01:00:00", "00:15:00")
JENA = (
    '"Date Time","p (mbar)","T (degC)","wd (deg)"\n'
    "02.01.2009 00:10:00,996.52,-8.02,152.3\n"
    "02.01.2009 00:10:00,996.57,-9999,136.1\n"
)
M4_TRAIN = '"V1","V2","V3","V4"\n"H1","605","586","559"\n"H2","3124","2990",""\n'
M4_TEST = '"V1","V2","V3"\n"H1","619","565"\n"H2","2771","2396"\n'


def write_m4(folder, train="Hourly-train.csv", test="Hourly-test.csv"):
    for name, text in ((train, M4_TRAIN), (test, M4_TEST)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


# The original files, where they are at hand.


def test_jena_2020_as_it_comes(shared_data):
    climate = fetch_jena_climate(path=shared_data)
    assert climate.shape == (52_696, 21)
    assert climate.index.name == "date"
    assert list(climate.columns[[0, 1, -1]]) == ["p (mbar)", "T (degC)", "OT"]
    assert climate.index.duplicated().sum() == 1
    assert (climate == -9999).any().sum() == 3
    assert climate.index[0] == pd.Timestamp("2020-01-01 00:10")


def test_etth1(shared_data):
    load = fetch_ett("ETTh1", path=shared_data)
    pd.testing.assert_frame_equal(load, fetch_ett(path=shared_data / "ETTh1.csv.gz"))
    assert load.shape == (17_420, 7)
    assert load.index.name == "date"
    assert load["OT"].iloc[0] == pytest.approx(30.5310001373291, rel=1e-15)
    plain = gzip.decompress((shared_data / "ETTh1.csv.gz").read_bytes())
    assert hashlib.sha256(plain).hexdigest() == ett._SHA256["ETTh1"]


def test_m4_hourly(shared_data):
    train, test = fetch_m4("Hourly", path=shared_data)
    assert list(train.columns) == list(test.columns) == ["id", "time", "value"]
    assert train["id"].nunique() == 414
    assert train.groupby("id").size().agg(["min", "max"]).tolist() == [700, 960]
    assert (test.groupby("id").size() == 48).all()
    assert (train.groupby("id")["time"].max() + 1 == test.groupby("id")["time"].min()).all()
    assert train["value"].notna().all()


# Files of the user's own, in every form.


@pytest.mark.parametrize("form", ["plain", "gz", "zip", "folder"])
def test_a_file_in_any_form(tmp_path, form):
    path = tmp_path / {"plain": "a.csv", "gz": "a.csv.gz", "zip": "a.csv.zip", "folder": "ETTh2.csv"}[form]
    if form == "gz":
        path.write_bytes(gzip.compress(ETT.encode()))
    elif form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("ETTh2.csv", ETT)
            archive.writestr("__MACOSX/._ETTh2.csv", "hidden")
    else:
        path.write_text(ETT)
    load = fetch_ett("ETTh2", path=tmp_path if form == "folder" else str(path))
    assert load.index.tolist() == [pd.Timestamp("2016-07-01 00:00"), pd.Timestamp("2016-07-01 01:00")]
    assert load["OT"].tolist() == [7.0, 8.5]


def test_jena_2009_to_2016_keeps_its_flaws(tmp_path):
    (tmp_path / "jena_climate_2009_2016.csv").write_text(JENA)
    climate = fetch_jena_climate(path=tmp_path)
    assert climate.index.name == "Date Time"
    assert climate.index.tolist() == [pd.Timestamp("2009-01-02 00:10")] * 2  # the day comes first
    assert climate["T (degC)"].tolist() == [-8.02, -9999]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_units_in_the_header_in_both_encodings(tmp_path, encoding):
    path = tmp_path / "weather.csv"
    header = "date,p (mbar),T (degC),wd (deg),SWDR (W/m²)"
    path.write_bytes(f"{header}\n2020-01-01 00:10:00,1,2,3,4\n".encode(encoding))
    assert fetch_jena_climate(path=path).columns[-1] == "SWDR (W/m²)"


@pytest.mark.parametrize("train", ["Hourly-train.csv", "Train/Hourly-train.csv", "m4_hourly_train.csv"])
def test_m4_is_long_and_its_time_goes_on(tmp_path, train):
    write_m4(tmp_path, train, train.replace("rain", "est"))
    train, test = fetch_m4(path=tmp_path)
    expected = pd.DataFrame(
        {"id": ["H1"] * 3 + ["H2"] * 2, "time": [1, 2, 3, 1, 2], "value": [605.0, 586.0, 559.0, 3124.0, 2990.0]}
    )
    pd.testing.assert_frame_equal(train, expected)
    expected = pd.DataFrame(
        {"id": ["H1", "H1", "H2", "H2"], "time": [4, 5, 3, 4], "value": [619.0, 565.0, 2771.0, 2396.0]}
    )
    pd.testing.assert_frame_equal(test, expected)


# Wrong paths and wrong files.


def test_nothing_at_the_path(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is nothing at"):
        fetch_jena_climate(path=tmp_path / "absent.csv")
    with pytest.raises(FileNotFoundError, match=r"holds none of 'ETTm1\.csv'"):
        fetch_ett("ETTm1", path=tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"'Weekly-train\.csv', 'Train/Weekly-train\.csv', 'm4_weekly_train\.csv'"
    ):
        fetch_m4("Weekly", path=tmp_path)


def test_m4_needs_a_folder(tmp_path):
    path = write_m4(tmp_path) / "Hourly-train.csv"
    with pytest.raises(ValueError, match="must be a folder"):
        fetch_m4(path=path)


def test_m4_files_that_do_not_belong_together(tmp_path):
    write_m4(tmp_path)
    (tmp_path / "Hourly-test.csv").write_text('"V1","V2"\n"H1","619"\n')
    with pytest.raises(ValueError, match="do not hold the same series"):
        fetch_m4(path=tmp_path)


def test_a_file_of_another_data_set(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("time,load\n1,2\n")
    with pytest.raises(
        ValueError, match="is not a file of the Jena weather: it has no column 'Date Time'.* 'time', 'load'"
    ):
        fetch_jena_climate(path=path)
    with pytest.raises(ValueError, match="is not a file of ETT: it has no column 'date'"):
        fetch_ett(path=path)


def test_the_step_tells_ett_files_apart(tmp_path):
    hourly, quarterly = tmp_path / "hourly.csv", tmp_path / "quarterly.csv"
    hourly.write_text(ETT)
    quarterly.write_text(ETT_BY_QUARTER_HOUR)
    assert len(fetch_ett("ETTh1", path=hourly)) == len(fetch_ett("ETTm1", path=quarterly)) == 2
    with pytest.raises(ValueError, match=r"hourly\.csv' is not a file of ETTm1.* 15 minutes apart; they are 60\."):
        fetch_ett("ETTm1", path=hourly)
    with pytest.raises(ValueError, match=r"quarterly\.csv' is not a file of ETTh2.* 60 minutes apart; they are 15\."):
        fetch_ett("ETTh2", path=quarterly)
    hourly.write_text("\n".join(ETT.splitlines()[:2]))
    assert len(fetch_ett("ETTm1", path=hourly)) == 1  # one row has no step


@pytest.mark.parametrize("fetch", [fetch_ett, fetch_jena_climate, fetch_m4])
def test_what_is_no_path(fetch):
    with pytest.raises(TypeError, match=r"`path` must be a str or path-like, the path of a .*; got tuple"):
        fetch(path=("train.csv", "test.csv"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_file_that_is_not_regular(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for fetch in (fetch_ett, fetch_m4):
        with pytest.raises(ValueError, match=r"pipe' is not a regular file"):
            fetch(path=tmp_path / "pipe")


def test_binary_files(tmp_path):
    path = tmp_path / "image.csv"
    path.write_bytes(b"\x89PNG" + b"\x01\xfe" * 2000 + b",\x02\xfd" * 900 + b"\n1,2\n")
    with pytest.raises(ValueError, match="is not a file of the Jena weather") as caught:
        fetch_jena_climate(path=path)
    assert len(str(caught.value)) < 400 + len(str(path))
    path.write_bytes(b"date,OT\n" + b"2016-07-01,\xff\xfe\n")
    with pytest.raises(ValueError, match=r"image\.csv' is damaged or no table"):
        fetch_ett(path=path)


def test_damaged_files(tmp_path):
    whole = gzip.compress(ETT.encode() * 50)
    for name, content in (
        ("cut.csv.gz", whole[:-20]),
        ("text.csv.gz", ETT.encode()),
        ("broken.csv.zip", b"PK\x03\x04"),
        ("ragged.csv", b"date,a\n1\n1,2,3,4\n"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}' is damaged"):
            fetch_ett(path=tmp_path / name)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(ValueError, match="is empty"):
        fetch_ett(path=tmp_path / "empty.csv")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", ETT)
        archive.writestr("b.csv", ETT)
    with pytest.raises(ValueError, match=r"must hold one CSV file; it holds 'a\.csv', 'b\.csv'"):
        fetch_ett(path=tmp_path / "two.zip")


def test_unknown_names():
    with pytest.raises(ValueError, match="Did you mean 'ETTh1'"):
        fetch_ett("etth1")
    with pytest.raises(ValueError, match="Did you mean 'Hourly'"):
        fetch_m4("hourly")
    with pytest.raises(TypeError, match="`group` of fetch_m4"):
        fetch_m4(None)


# Downloads. No test opens a connection: `requests.get` is replaced.


class Answer:
    """A response of the server as far as pooch reads it."""

    def __init__(self, content):
        self.content = content
        self.headers = {"content-length": str(len(content))}

    def raise_for_status(self):
        pass

    def iter_content(self, chunk_size):
        yield self.content

    def close(self):
        pass


@pytest.fixture
def server(monkeypatch):
    """Return a dict of answers by the end of their address; what is not in it cannot be reached."""
    answers = {}

    def get(url, **_):
        for end, content in answers.items():
            if url.endswith(end):
                return Answer(content)
        raise requests.exceptions.ConnectionError(f"no route to {url}")

    monkeypatch.setattr(requests, "get", get)
    return answers


@pytest.mark.parametrize(
    ("fetch", "address"),
    [
        (fetch_jena_climate, r"https://storage\.googleapis\.com/.*/jena_climate_2009_2016\.csv\.zip"),
        (fetch_ett, r"https://raw\.githubusercontent\.com/zhouhaoyi/ETDataset/.*/ETTh1\.csv"),
        (fetch_m4, r"https://raw\.githubusercontent\.com/Mcompetitions/M4-methods/.*/Train/Hourly-train\.csv"),
    ],
)
def test_without_a_network(server, tmp_path, fetch, address):
    with pytest.raises(ConnectionError, match=rf"Could not download {address} \(ConnectionError\).*`path=`"):
        fetch(data_home=tmp_path)
    assert list(tmp_path.rglob("*.csv")) == []


def test_a_download_is_kept(server, tmp_path, monkeypatch):
    monkeypatch.setitem(ett._SHA256, "ETTm2", hashlib.sha256(ETT_BY_QUARTER_HOUR.encode()).hexdigest())
    server["ETTm2.csv"] = ETT_BY_QUARTER_HOUR.encode()
    first = fetch_ett("ETTm2", data_home=tmp_path)
    server.clear()
    pd.testing.assert_frame_equal(fetch_ett("ETTm2", data_home=tmp_path), first)
    monkeypatch.setenv("TSRNN_DATA_HOME", str(tmp_path))
    pd.testing.assert_frame_equal(fetch_ett("ETTm2"), first)


def test_a_changed_download_is_refused(server, tmp_path):
    server["ETTh1.csv"] = ETT.encode()
    with pytest.raises(ValueError, match=r"The file behind https://.*/ETTh1\.csv is not the one expected"):
        fetch_ett(data_home=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_jena_is_unpacked_and_its_shape_checked(server, tmp_path, monkeypatch):
    archive = tmp_path / "jena_climate_2009_2016.csv.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("jena_climate_2009_2016.csv", JENA)
    server["jena_climate_2009_2016.csv.zip"] = archive.read_bytes()
    with pytest.raises(ValueError, match="has 2 rows and 3 columns; expected 420,551 and 14"):
        fetch_jena_climate(data_home=tmp_path / "cache")
    monkeypatch.setattr(jena, "_SHAPE", (2, 3))
    np.testing.assert_array_equal(fetch_jena_climate(data_home=tmp_path / "cache")["wd (deg)"], [152.3, 136.1])


def test_the_default_folder_is_the_systems_cache(monkeypatch):
    monkeypatch.delenv("TSRNN_DATA_HOME", raising=False)
    assert datasets._files.data_folder(None) == pooch.os_cache("tsrnn") / "datasets"


def test_without_pooch(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r'Downloading a data set needs `pooch`.*pip install "tsrnn\[download\]"'):
        fetch_ett(data_home=tmp_path)
