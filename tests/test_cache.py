"""Where compiled code is kept, and what happens where it cannot be."""

import os
import sys
import tempfile
import time

import pytest
from numba import config

from tsrnn._cache import on_compile
from tsrnn._cache_folder import ABANDONED, UNUSED, cache_folder
from tsrnn._jit import kernel

pytestmark = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")


def double(x):
    """Is compiled by the tests."""
    return 2 * x


def stats(dispatcher):
    """(loaded from the cache, compiled)"""
    return sum(dispatcher.stats.cache_hits.values()), sum(dispatcher.stats.cache_misses.values())


def test_the_folder_that_is_named(tmp_path, monkeypatch):
    folder = tmp_path / "a" / "b"
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(folder))
    assert cache_folder() == folder
    first, second = kernel(double), kernel(double)
    assert first(3) == 6
    (file,) = folder.iterdir()
    assert file.suffix == ".bin" and "double" in file.name
    assert stats(first) == (0, 1)
    assert second(4) == 8
    assert stats(second) == (1, 0)
    assert second(0.5) == 1.0  # other types, other code
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("off", ["off", "OFF", "0", "no"])
def test_off_writes_nothing(off, tmp_path, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", off)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert cache_folder() is None
    assert kernel(double)(3) == 6
    assert not list(tmp_path.rglob("*"))


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    file, spare = tmp_path / "file", tmp_path / "spare"
    file.touch()
    spare.mkdir()
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(file / "folder"))
    monkeypatch.setattr(tempfile, "tempdir", str(spare))
    assert kernel(double)(3) == 6
    assert cache_folder().parent == spare
    assert len(list(cache_folder().iterdir())) == 1


def test_no_folder_at_all(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(file / "folder"))
    monkeypatch.setattr(tempfile, "tempdir", str(file))
    assert cache_folder() is None
    assert kernel(double)(3) == 6


@pytest.mark.skipif(sys.platform == "win32", reason="files have no owner of that kind")
def test_a_folder_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    """Who owns the folder could plant machine code in it."""
    shared, spare = tmp_path / "shared", tmp_path / "spare"
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(shared))
    monkeypatch.setattr(tempfile, "tempdir", str(spare))
    assert cache_folder() == shared
    monkeypatch.setattr(os, "getuid", lambda: shared.stat().st_uid + 1)
    if shared.stat().st_uid == 0:  # root's folders are trusted
        os.chown(shared, 12345, -1)
    assert cache_folder() != shared


def flipped(whole, place):
    return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


DAMAGES = {
    "empty": lambda whole: b"",
    "zeros": lambda whole: bytes(1000),
    "cut off": lambda whole: whole[:1000],
    "flipped in the middle": lambda whole: flipped(whole, len(whole) // 2),
    "flipped in the checksum": lambda whole: flipped(whole, 3),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_compiled_again(damage, tmp_path, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    kernel(double)(3)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    again, after = kernel(double), kernel(double)
    assert again(3) == 6
    assert stats(again) == (0, 1)
    assert after(3) == 6
    assert stats(after) == (1, 0)


@pytest.mark.parametrize("unset", ["", "relative/folder"])
def test_an_empty_or_relative_xdg_folder_is_none(unset, tmp_path, monkeypatch):
    """Machine code is never written to, or loaded from, the folder that a program happens to run in."""
    monkeypatch.delenv("TSRNN_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", unset)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert cache_folder() == tmp_path / ".cache" / "tsrnn" / "kernels"


def test_the_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TSRNN_CACHE_DIR", "~/kernels")
    assert cache_folder() == tmp_path / "kernels"


# What is told and what is swept


def test_listeners_hear_of_compilations_and_not_of_loading(tmp_path, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    first, second, heard, others = kernel(double), kernel(double), [], []
    with on_compile(heard.append):
        with on_compile(others.append):
            first(3)
        first(4)  # is there
        second(3)  # is loaded
        assert len(heard) == len(others) == 1
        assert heard[0].endswith("double")
        second(0.5)
    first(2.5j)
    assert (len(heard), len(others)) == (2, 1)


def test_listeners_hear_where_nothing_is_kept(monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", "off")
    heard = []
    with on_compile(heard.append):
        kernel(double)(3)
    assert len(heard) == 1


def test_a_listener_is_gone_after_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    heard = []
    with pytest.raises(ZeroDivisionError), on_compile(heard.append):
        _ = 1 / 0
    kernel(double)(3)
    assert not heard


def test_old_files_go_when_something_is_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    key = "0123456789abcdef01234567"
    old, part = tmp_path / f"old.kernel-{key}.bin", tmp_path / f"old.kernel-{key}.89abcdef.part"

    def put_old():
        for path in (old, part):
            path.touch()
            os.utime(path, (time.time() - 2 * max(UNUSED, ABANDONED),) * 2)

    put_old()
    kernel(double)(3)
    assert not old.exists() and not part.exists()
    put_old()
    kernel(double)(3)  # is loaded
    kernel(double)(0.5)  # is compiled, but once a process is enough
    assert old.exists() and part.exists()


def test_what_is_loaded_counts_as_used(tmp_path, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    kernel(double)(3)
    (file,) = tmp_path.iterdir()
    os.utime(file, (0, 0))
    kernel(double)(3)
    assert time.time() - file.stat().st_mtime < UNUSED
