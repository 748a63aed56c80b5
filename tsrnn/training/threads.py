"""Tiles on threads. Kernels release the GIL, so plain Python threads do; no threading layer of Numba's is involved."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from threading import Event
from types import TracebackType

import joblib
from numba import config

from tsrnn._blas import one_blas_thread

PART = 1 << 16  # numbers of a vector that a thread takes at a time
WORTH_SPREADING = 1 << 18  # numbers from which on other threads are woken for one pass over them


def usable_cores() -> int:
    """The processor cores that this process may use, at least one.

    The least of: the cores that it may run on now; what joblib counts, which knows the limits of containers and
    ``LOKY_MAX_CPU_COUNT``; and Numba's own limit, ``NUMBA_NUM_THREADS``. The last is what joblib sets in its worker
    processes, so that all of them together have one thread for each core.
    """
    here = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(here, _counted_by_joblib(), int(config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]


@functools.cache
def _counted_by_joblib() -> int:
    """Once: it reads files, which takes longer than a forecast."""
    return int(joblib.cpu_count())


def resolve_n_jobs(n_jobs: int | None) -> int:
    """None and -1 mean every core, -2 all but one, as in joblib."""
    if n_jobs is None:
        return usable_cores()
    return n_jobs if n_jobs > 0 else max(1, usable_cores() + 1 + n_jobs)


class Team:
    """``n_threads`` threads that share out numbered pieces of work; the calling thread is one of them.

    Inside a ``with`` block of a team of several, BLAS has one thread, so that cores are not asked for twice.

    Parameters
    ----------
    n_threads : int
        The calling thread included.
    halt : threading.Event, optional
        Once it is set, work is no longer begun but ended with KeyboardInterrupt, as Ctrl-C does in the main thread.
    """

    def __init__(self, n_threads: int, halt: Event | None = None) -> None:
        self.n_threads, self._halt = n_threads, halt
        self._pool = ThreadPoolExecutor(n_threads - 1) if n_threads > 1 else None
        self._held = ExitStack()

    def __enter__(self) -> Team:
        if self.n_threads > 1:
            self._held.enter_context(one_blas_thread())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._held:
            if self._pool:
                self._pool.shutdown()

    def run(self, calls: Sequence[Callable[[], None]]) -> None:
        """Make calls that do not depend on each other."""

        def some(thread: int, share: range) -> None:
            for index in share:
                calls[index]()

        self.spread(some, len(calls))

    def runner(self, size: int) -> Callable[[Sequence[Callable[[], None]]], None] | None:
        """``run`` for calls that work on ``size`` numbers in all; None where it is not worth waking threads."""
        return self.run if size >= WORTH_SPREADING else None

    def over(self, size: int, work: Callable[[slice], None]) -> None:
        """Call ``work`` for parts of ``size`` numbers, which are the same for any number of threads."""
        if size < WORTH_SPREADING:
            work(slice(0, size))
        else:
            self.run([partial(work, slice(start, min(start + PART, size))) for start in range(0, size, PART)])

    def spread(self, work: Callable[[int, range], None], pieces: int) -> None:
        """Call ``work(thread, its pieces)`` for a contiguous share of the pieces on each thread, and wait."""
        if self._halt is not None and self._halt.is_set():
            raise KeyboardInterrupt
        used = min(self.n_threads, pieces)
        ends = [-(-k * pieces // used) for k in range(used + 1)]
        shares = [range(*pair) for pair in pairwise(ends)]
        others = [self._pool.submit(work, k, share) for k, share in enumerate(shares) if k] if self._pool else []
        try:
            work(0, shares[0])
        finally:  # nobody may still write into the arrays when we return
            _wait(others)
        for other in others:
            other.result()


def _wait(others: list[Future[None]]) -> None:
    """Until all are done, also where Ctrl-C comes meanwhile; it is raised again after that."""
    try:
        wait(others)
    except KeyboardInterrupt:
        _wait(others)
        raise
