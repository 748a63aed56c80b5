"""Who gets which pieces, and that nobody is still at work when `spread` returns."""

import os
import sys
import threading
import time

import pytest

from tsrnn.training import threads
from tsrnn.training.threads import Team, resolve_n_jobs, usable_cores


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 16])
@pytest.mark.parametrize("n_threads", [1, 2, 3, 5])
def test_every_piece_once_in_contiguous_shares(n_threads, pieces):
    given = {}
    with Team(n_threads) as team:
        team.spread(given.__setitem__, pieces)
    assert sorted(given) == list(range(min(n_threads, pieces)))
    assert [piece for thread in sorted(given) for piece in given[thread]] == list(range(pieces))
    sizes = [len(share) for share in given.values()]
    assert max(sizes) - min(sizes) <= 1


def test_shares_run_at_once_and_the_caller_takes_one():
    meet, seen = threading.Barrier(3, timeout=30), {}

    def work(thread, share):
        meet.wait()  # breaks unless all three are here together
        seen[thread] = threading.get_ident()

    with Team(3) as team:
        team.spread(work, 3)
    assert len(set(seen.values())) == 3
    assert seen[0] == threading.get_ident()


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_errors_come_to_the_caller(failing):
    def work(thread, share):
        if thread == failing:
            raise ZeroDivisionError(f"in {thread}")

    with Team(3) as team:
        with pytest.raises(ZeroDivisionError, match=f"in {failing}"):
            team.spread(work, 3)
        done = []
        team.spread(lambda thread, share: done.append(thread), 3)  # the team works on
    assert sorted(done) == [0, 1, 2]


def parts_seen(n_threads, size):
    seen = []
    with Team(n_threads) as team:
        team.over(size, lambda part: seen.append((part.start, part.stop, threading.get_ident())))
    return sorted(seen)


def test_parts_of_a_vector_are_the_same_for_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(threads, "PART", 10)
    monkeypatch.setattr(threads, "WORTH_SPREADING", 25)
    expected = [(0, 10), (10, 20), (20, 27)]
    for n_threads in (1, 2, 3):
        assert [(start, stop) for start, stop, _ in parts_seen(n_threads, 27)] == expected
    assert [(start, stop) for start, stop, _ in parts_seen(2, 24)] == [(0, 24)]


def test_others_are_woken_for_long_vectors_only(monkeypatch):
    monkeypatch.setattr(threads, "PART", 10)
    monkeypatch.setattr(threads, "WORTH_SPREADING", 25)
    here = threading.get_ident()
    assert {thread for *_, thread in parts_seen(2, 24)} == {here}
    assert len({thread for *_, thread in parts_seen(2, 25)}) == 2


def late_worker(at_work, done):
    """Thread 1 ends some time after thread 0 is through."""

    def work(thread, share):
        if thread == 0:
            at_work.wait(30)
        else:
            at_work.set()
            time.sleep(0.1)
            done.append(thread)

    return work


def test_ctrl_c_in_the_caller_waits_for_the_others():
    at_work, done = threading.Event(), []
    inner = late_worker(at_work, done)

    def work(thread, share):
        inner(thread, share)
        if thread == 0:
            raise KeyboardInterrupt

    with Team(2) as team:
        with pytest.raises(KeyboardInterrupt):
            team.spread(work, 2)
        assert done == [1]


def test_ctrl_c_while_waiting_goes_on_waiting(monkeypatch):
    at_work, done, waits, wait = threading.Event(), [], [], threads.wait

    def interrupted(others):
        waits.append(others)
        if len(waits) < 3:
            raise KeyboardInterrupt
        wait(others)

    monkeypatch.setattr(threads, "wait", interrupted)
    with Team(2) as team:
        with pytest.raises(KeyboardInterrupt):
            team.spread(late_worker(at_work, done), 2)
        assert done == [1]


@pytest.mark.parametrize(("n_threads", "expected"), [(1, 3), (2, 1)])
def test_a_team_of_several_holds_blas_at_one_thread(n_threads, expected, blas_threads):
    seen = []
    with pytest.raises(ZeroDivisionError), Team(n_threads) as team:
        team.spread(lambda thread, share: seen.append(blas_threads()), n_threads)
        raise ZeroDivisionError
    assert seen == [{expected}] * n_threads
    assert blas_threads() == {3}


@pytest.mark.parametrize(("joblib_counts", "numbas", "expected"), [(1, 8, 1), (8, 1, 1), (10**6, 10**6, None)])
def test_usable_cores_are_the_least_of_all_limits(joblib_counts, numbas, expected, monkeypatch):
    monkeypatch.setattr(threads, "_counted_by_joblib", lambda: joblib_counts)
    monkeypatch.setattr(threads.config, "NUMBA_NUM_THREADS", numbas)
    if expected is None:
        expected = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    assert usable_cores() == resolve_n_jobs(None) == expected
    assert resolve_n_jobs(7) == 7  # what is asked for is given


def test_resolve_n_jobs():
    cores = usable_cores()
    assert cores >= 1
    assert [resolve_n_jobs(n) for n in (None, -1, 1, 3)] == [cores, cores, 1, 3]
    assert resolve_n_jobs(-2) == max(1, cores - 1)
    assert resolve_n_jobs(-cores - 5) == 1
