"""BLAS at one thread while threads of our own run, and given back afterwards."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from threadpoolctl import ThreadpoolController


def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "one-blas-thread")


class _OneThread:
    """How many threads BLAS has belongs to the process, so whoever asks for one is counted.

    The first to come takes the limit down, the last to go puts it back, whichever Python threads they are in. Were
    each to put back what it found, the second of two that overlap would find the limit of the first, and leave it for
    ever. A thread of its own does both, since threadpoolctl lets only the thread that set a limit change it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders: list[int] = []  # a thread's number, once for each time that it asked
        self._keeper: Any = None
        self._limit: Any = None
        self._libraries: Any = None
        self._modules = 0

    def take(self) -> None:
        """One more holder."""
        with self._lock:
            if not self._holders:
                libraries, self._keeper = self._scanned(), _thread()
                self._limit = self._keeper.submit(libraries.limit, limits=1, user_api="blas").result()
            self._holders.append(threading.get_ident())

    def give(self) -> None:
        """One holder less."""
        with self._lock:
            self._holders.remove(threading.get_ident())
            self._give_back_if_last()

    def after_fork(self) -> None:
        """In the child only the thread that forked goes on; the others hold nothing there, neither limit nor lock."""
        self._lock = threading.Lock()
        if self._holders:
            self._holders = [holder for holder in self._holders if holder == threading.get_ident()]
            self._keeper = _thread()
            self._give_back_if_last()

    def _give_back_if_last(self) -> None:
        if not self._holders:
            self._keeper.submit(self._limit.restore_original_limits).result()
            self._keeper.shutdown()

    def _scanned(self) -> Any:
        """The libraries that are loaded. Looking for them takes milliseconds, and they come with modules only."""
        if len(sys.modules) != self._modules:
            self._libraries, self._modules = ThreadpoolController(), len(sys.modules)
        return self._libraries


_one_thread = _OneThread()
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_one_thread.after_fork)


class one_blas_thread:  # noqa: N801  (used as a function)
    """Hold the BLAS libraries of this process at one thread: ``with one_blas_thread(): ...``.

    From any number of Python threads at once, and one within another. A limit that the caller holds by
    ``threadpool_limits`` stands.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     product = np.ones((2, 2)) @ np.ones((2, 2))
    """

    def __enter__(self) -> None:
        _one_thread.take()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _one_thread.give()
