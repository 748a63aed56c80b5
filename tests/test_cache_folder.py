"""Where compiled kernels are kept, what is told about it, and how old files leave."""

import dataclasses
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

import tsrnn
from tsrnn import _cache_folder
from tsrnn._cache_folder import ABANDONED, UNUSED, CacheInfo, cache_folder, cache_info, clear, mark_used, sweep

KEY = "0123456789abcdef01234567"
DAY = 86400


def put(folder, name, age=0.0, size=10):
    path = folder / name
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age,) * 2)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# Which folder


@pytest.fixture
def spare(tmp_path, monkeypatch):
    """The system's temporary folder."""
    folder = tmp_path / "spare"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "home/.cache/tsrnn/kernels"),
        ("linux", {"XDG_CACHE_HOME": "{}/xdg"}, "xdg/tsrnn/kernels"),
        ("darwin", {"XDG_CACHE_HOME": "{}/xdg"}, "home/Library/Caches/tsrnn/kernels"),
        ("win32", {"LOCALAPPDATA": "{}/local"}, "local/tsrnn/Cache/kernels"),
        ("win32", {}, "home/AppData/Local/tsrnn/Cache/kernels"),
    ],
)
def test_the_users_folder_of_each_platform(platform, variables, expected, tmp_path, monkeypatch):
    for name in ("TSRNN_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    monkeypatch.setattr(_cache_folder.sys, "platform", platform)
    assert cache_folder() == tmp_path / expected


def test_info_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    put(tmp_path, f"nn.recurrent.forward-{KEY}.bin", size=1_200_000)
    put(tmp_path, f"kernels.update.adam-{KEY}.bin", size=300_000)
    put(tmp_path, f"kernels.update.sgd-{KEY}.01234567.part", size=5)  # being written
    put(tmp_path, "letters.bin", size=7)
    info = tsrnn.cache_info()
    assert info == CacheInfo(tmp_path, 2, 1_500_000, "")
    assert repr(info) == f"<compiled kernels are kept in {tmp_path}: 2 files, 1.5 MB>"
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.files = 3


def test_info_where_the_cache_is_off(monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", "off")
    assert cache_info() == CacheInfo(None, 0, 0, "switched off by TSRNN_CACHE_DIR=off")
    assert repr(cache_info()) == "<compiled kernels are kept nowhere (switched off by TSRNN_CACHE_DIR=off)>"


def test_the_reason_for_another_folder_is_told(tmp_path, spare, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(file / "folder"))
    info = cache_info()
    assert info.folder.parent == spare
    assert info.reason == f"{file / 'folder'} cannot be made: Not a directory"
    assert repr(info).endswith(f"0 files, 0.0 MB ({info.reason})>")


def test_reasons_for_no_folder_are_told(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(file / "folder"))
    monkeypatch.setattr(tempfile, "tempdir", str(file))
    info = cache_info()
    assert info.folder is None
    assert info.reason.count("cannot be made: Not a directory") == 2


@pytest.mark.parametrize("named", ["", "~/kernels"])
def test_without_a_home_folder(named, spare, monkeypatch):
    """Containers run under user numbers that nobody knows."""

    def absent(self=None):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("TSRNN_CACHE_DIR", named)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", absent)
    monkeypatch.setattr(Path, "expanduser", absent)
    assert cache_info().folder.parent == spare
    assert cache_info().reason == "there is no home folder"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are not kept")
def test_a_folder_that_cannot_be_written(tmp_path, spare, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may write everywhere
    assert cache_info().folder.parent == spare
    assert cache_info().reason == f"{tmp_path} cannot be read and written"


# Old files


def test_what_is_swept(tmp_path):
    put(tmp_path, f"a.new-{KEY}.bin", age=UNUSED - DAY)
    put(tmp_path, f"a.old-{KEY}.bin", age=UNUSED + DAY)
    put(tmp_path, f"a.f.<locals>.old-{KEY}.bin", age=UNUSED + DAY)
    put(tmp_path, f"a.being_written-{KEY}.89abcdef.part", age=ABANDONED / 2)
    put(tmp_path, f"a.abandoned-{KEY}.89abcdef.part", age=ABANDONED + DAY)
    sweep(tmp_path)
    assert names(tmp_path) == [f"a.being_written-{KEY}.89abcdef.part", f"a.new-{KEY}.bin"]


FOREIGN = [
    "photo.bin",
    f"notes-{KEY}.txt",
    f"notes-{KEY[:-1]}.bin",
    f"notes-{KEY}.bin.gz",
    f"-{KEY}.bin",
    "download.part",
    f"notes-{KEY}.part",
]


def test_no_foreign_file_is_deleted_or_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache_folder, "MOST_BYTES", 0)
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    for name in FOREIGN:
        put(tmp_path, name, age=10 * UNUSED)
    put(tmp_path, f"a.b-{KEY}.bin")
    assert cache_info().files == 1
    sweep(tmp_path)
    clear(tmp_path)
    assert names(tmp_path) == sorted(FOREIGN)


def test_of_too_much_the_oldest_go(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache_folder, "MOST_BYTES", 250)
    for age in (3, 1, 4, 2):
        put(tmp_path, f"a{age}-{KEY}.bin", age=age * 100, size=100)
    sweep(tmp_path)
    assert names(tmp_path) == [f"a1-{KEY}.bin", f"a2-{KEY}.bin"]


def test_a_loaded_file_is_young_again(tmp_path):
    old = put(tmp_path, f"old-{KEY}.bin", age=UNUSED + DAY)
    mark_used(old)
    sweep(tmp_path)
    assert old.exists()
    recent = put(tmp_path, f"recent-{KEY}.bin", age=60)
    before = recent.stat().st_mtime_ns
    mark_used(recent)  # not at each loading
    assert recent.stat().st_mtime_ns == before


def test_files_that_another_process_deletes_meanwhile(tmp_path, monkeypatch):
    gone, listed = tmp_path / f"gone-{KEY}.bin", put(tmp_path, f"listed-{KEY}.bin", age=UNUSED + DAY)
    mark_used(gone)
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: [gone, listed])
    sweep(tmp_path)
    assert not listed.exists()
    put(tmp_path, listed.name, age=UNUSED + DAY)
    unlink = Path.unlink

    def slower(path, **options):
        unlink(path)
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", slower)
    sweep(tmp_path)
    assert not listed.exists()


def test_a_folder_that_was_deleted(tmp_path):
    sweep(tmp_path / "absent")
    clear(tmp_path / "absent")
