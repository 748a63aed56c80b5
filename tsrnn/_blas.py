"""BLAS at one thread while threads of our own run, and given back afterwards."""

from __future__ import annotations

import os
import sys
import threading
from queue import SimpleQueue
from types import TracebackType
from typing import Any

from threadpoolctl import ThreadpoolController


class _Keeper:
    """A thread that takes the limit down, waits, and puts it back: threadpoolctl lets only one thread do both.

    No executor, which takes no work once the main thread has ended, while other threads may still fit. Whoever waits
    for the keeper may be interrupted (Ctrl-C) without harm: once it is told that it is over, it gives back by itself.
    The two talk by queues, since an Event that is interrupted at the wrong instant can stay locked.
    """

    def __init__(self, libraries: Any, limit: Any = None) -> None:
        self._libraries = libraries
        self._limit = limit  # none before it is set and after it was given back
        self._limiting = threading.Lock()
        self._ending = False
        self._begun: SimpleQueue[BaseException | None] = SimpleQueue()  # with the error if it failed
        self._over: SimpleQueue[None] = SimpleQueue()
        self._given_back: SimpleQueue[None] = SimpleQueue()

    def begin(self) -> None:
        """Set the limit."""
        threading.Thread(target=self._run, name="one-blas-thread", daemon=True).start()
        error = self._begun.get()
        if error is not None:
            raise error

    def holds(self) -> bool:
        """Whether the limit is set and stays."""
        return self._limit is not None and not self._ending

    def end(self) -> None:
        """Give back. May be said again, and of a keeper that never began."""
        self._ending = True
        self._over.put(None)
        with self._limiting:  # it may be about to set the limit; afterwards it sets none
            held = self._limit is not None
        if held:
            self._given_back.get()

    def anew(self) -> _Keeper | None:
        """One that gives back in place of this one, whose thread is gone; none if there is nothing to give back."""
        return None if self._limit is None else _Keeper(self._libraries, self._limit)

    def _run(self) -> None:
        failed = None
        try:
            with self._limiting:
                if self._limit is None and not self._ending:
                    self._limit = self._libraries.limit(limits=1, user_api="blas")
        except BaseException as error:
            failed = error
        self._begun.put(failed)
        self._over.get()
        try:
            if self._limit is not None:
                self._limit.restore_original_limits()
        finally:
            self._limit = None  # before the word is given, which is taken once: who asks later must not wait for it
            self._given_back.put(None)


class _OneThread:
    """How many threads BLAS has belongs to the process, so whoever asks for one is counted.

    The first to come takes the limit down, the last to go puts it back, whichever Python threads they are in. Were
    each to put back what it found, the second of two that overlap would find the limit of the first, and leave it for
    ever.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders: dict[object, int] = {}  # and the number of the thread that each is in
        self._keeper: _Keeper | None = None
        self._libraries: Any = None
        self._modules = 0

    def take(self, holder: object) -> None:
        """One more holder, until it gives back, which it has to even if this fails."""
        with self._lock:
            self._holders[holder] = threading.get_ident()
            if self._keeper is None or not self._keeper.holds():
                if self._keeper is not None:
                    self._keeper.end()  # somebody was interrupted; the next must not find that limit as the original
                self._keeper = _Keeper(self._scanned())
                self._keeper.begin()

    def give(self, holder: object) -> None:
        """One holder less."""
        try:
            self._drop(holder)
        except BaseException:  # Ctrl-C, perhaps before anything was done; to do it twice is harmless
            self._drop(holder)
            raise

    def after_fork(self) -> None:
        """In the child only the thread that forked goes on; the others hold nothing there, neither limit nor lock."""
        self._lock = threading.Lock()
        self._holders = {holder: number for holder, number in self._holders.items() if number == threading.get_ident()}
        keeper, self._keeper = self._keeper and self._keeper.anew(), None
        if keeper is not None:
            keeper.begin()
            self._keeper = keeper
            self._give_back_if_last()

    def _drop(self, holder: object) -> None:
        with self._lock:
            self._holders.pop(holder, None)
            self._give_back_if_last()

    def _give_back_if_last(self) -> None:
        if not self._holders and self._keeper is not None:
            self._keeper.end()
            self._keeper = None

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

    From any number of Python threads at once, and one within another, each its own object. A limit that the caller
    holds by ``threadpool_limits`` stands.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     product = np.ones((2, 2)) @ np.ones((2, 2))
    """

    def __enter__(self) -> None:
        try:
            _one_thread.take(self)
        except BaseException:  # nobody leaves a block that was not entered
            _one_thread.give(self)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _one_thread.give(self)
