"""BLAS has one thread while anybody asks for that, and its own number again afterwards."""

import os
import subprocess
import sys
import threading
import types
from pathlib import Path
from queue import SimpleQueue

import pytest
from threadpoolctl import ThreadpoolController

from tsrnn import _blas
from tsrnn._blas import one_blas_thread

ROOT = Path(__file__).parents[1]


def test_one_within_another(blas_threads):
    with one_blas_thread():
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {3}


def test_given_back_after_an_error(blas_threads):
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == {3}


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_given_back_after_an_interrupt(monkeypatch, blas_threads, nth):
    """Ctrl-C in the nth wait: for the thread to start, for the limit to be set, for it to be given back."""
    waits = []

    def wait():
        if threading.current_thread() is threading.main_thread():
            waits.append(1)
            if len(waits) == nth:
                raise KeyboardInterrupt

    class Event(threading.Event):
        def wait(self, timeout=None):
            wait()
            return super().wait(timeout)

    class Queue(SimpleQueue):
        def get(self):
            wait()
            return super().get()

    with monkeypatch.context() as patch:
        patch.setattr(threading, "Event", Event)
        patch.setattr(_blas, "SimpleQueue", Queue)
        with pytest.raises(KeyboardInterrupt), one_blas_thread():
            pass
    assert len(waits) >= nth
    assert blas_threads() == {3}
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == {3}


def test_given_back_after_an_interrupt_before_the_lock(monkeypatch, blas_threads):
    """Ctrl-C while the last holder waits for another thread's turn to end."""
    real = _blas._one_thread._lock

    class Interrupted:
        def __enter__(self):
            monkeypatch.setattr(_blas._one_thread, "_lock", real)
            raise KeyboardInterrupt

        def __exit__(self, *error):
            raise AssertionError("never entered")

    with pytest.raises(KeyboardInterrupt), one_blas_thread():
        monkeypatch.setattr(_blas._one_thread, "_lock", Interrupted())
    assert blas_threads() == {3}


def test_a_limit_that_cannot_be_set_is_an_error(monkeypatch, blas_threads):
    class Broken:
        def limit(self, **_):
            raise OSError("no such library")

    with monkeypatch.context() as patch:
        patch.setattr(_blas._one_thread, "_scanned", Broken)
        with pytest.raises(OSError, match="no such library"), one_blas_thread():
            pass
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == {3}


def test_the_last_of_two_that_overlap_gives_it_back(blas_threads):
    """Each in a Python thread of its own; the one that came first goes first."""
    first_in, second_in, first_out = (threading.Event() for _ in range(3))
    seen = []

    def first():
        with one_blas_thread():
            first_in.set()
            assert second_in.wait(30)
        seen.append(blas_threads())
        first_out.set()

    def second():
        assert first_in.wait(30)
        with one_blas_thread():
            second_in.set()
            assert first_out.wait(30)
            seen.append(blas_threads())

    both = [threading.Thread(target=run) for run in (first, second)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    assert seen == [{1}, {1}]
    assert blas_threads() == {3}


def test_libraries_are_looked_for_only_after_imports(monkeypatch):
    """That takes milliseconds; a forecast of one window takes less."""
    scans = []

    def counted():
        scans.append(1)
        return ThreadpoolController()

    monkeypatch.setattr(_blas, "ThreadpoolController", counted)
    for _ in range(3):
        with one_blas_thread():
            pass
    before = len(scans)
    assert before <= 1
    monkeypatch.setitem(sys.modules, "module_that_brought_a_library", types.ModuleType("brought"))
    with one_blas_thread():
        pass
    assert len(scans) == before + 1


def printed(program):
    """The lines that a Python program prints, run in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return run.stdout.splitlines()


FORKING = """
import os, sys, threading
import numpy as np
from threadpoolctl import ThreadpoolController
from tsrnn._blas import one_blas_thread

setter = threading.Thread(target=ThreadpoolController().limit, kwargs={"limits": 3, "user_api": "blas"})
setter.start()
setter.join()
inside, leave = threading.Event(), threading.Event()

def threads():
    return {library["num_threads"] for library in ThreadpoolController().info()}

def hold():
    with one_blas_thread():
        inside.set()
        leave.wait(60)

other = threading.Thread(target=hold)
other.start()
inside.wait(60)
child = os.fork()
if child == 0:
    found = [threads()]
    with one_blas_thread():
        found.append(threads())
    found.append(threads())
    print(found, flush=True)
    os._exit(0)
os.waitpid(child, 0)
leave.set()
other.join()
print(threads())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_child_that_was_forked_meanwhile_has_its_own_number():
    assert printed(FORKING) == ["[{3}, {1}, {3}]", "{3}"]


AFTER_MAIN = """
import threading
import numpy as np
from threadpoolctl import ThreadpoolController
from tsrnn._blas import one_blas_thread

def threads():
    return {library["num_threads"] for library in ThreadpoolController().info()}

def late():
    threading.main_thread().join()
    before = threads()
    with one_blas_thread():
        print(threads())
    print(threads() == before)

threading.Thread(target=late).start()
"""


def test_a_thread_that_goes_on_after_the_main_one_has_ended():
    assert printed(AFTER_MAIN) == ["{1}", "True"]
