"""The members of an ensemble, trained side by side: the same network from other seeds, on threads that they share out.

A member on a thread of its own waits for nobody, while the threads of one network wait for each other after every step.
So members get one thread each as long as there are members for all threads; those that are left over share them out.
What a member learns does not depend on how many threads it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event, Lock
from typing import Any

import numpy as np

from tsrnn.training.events import Callback, EpochEnd
from tsrnn.training.threads import Team
from tsrnn.training.trainer import TrainResult

Train = Callable[[int, Team], TrainResult]
_LOOK_UP = 0.2  # seconds


def member_seeds(seed: int, n_members: int) -> list[int]:
    """Seeds of the members; the first is ``seed`` itself, and none depends on how many there are."""
    others = (np.random.SeedSequence([seed, member]).generate_state(1)[0] for member in range(1, n_members))
    return [seed, *map(int, others)]


def thread_shares(n_members: int, n_threads: int) -> list[int]:
    """Threads of each member: one, but for those that are left over once there were as many as threads."""
    left_over = n_members % n_threads
    more = n_threads % left_over if left_over else 0
    shared = [n_threads // left_over + (member < more) for member in range(left_over)]
    return [1] * (n_members - left_over) + shared


def train_members(train: Train, n_members: int, n_threads: int) -> dict[int, TrainResult]:
    """Train members; what there is, by their numbers.

    After Ctrl-C, or where a callback of one of them raises KeyboardInterrupt, all stop where they are, and members that
    have no epoch behind them are left out if another has; if none was begun it is raised. An error of one stops the
    others too, and is raised.

    Parameters
    ----------
    train : callable
        From the number of a member and its threads to its result; called on several threads at once.
    n_members, n_threads : int
        The threads are those of all members together.
    """
    if n_members == 1:  # in this thread, which Ctrl-C reaches
        with Team(n_threads) as team:
            return {0: train(0, team)}
    halt, shares = Event(), thread_shares(n_members, n_threads)

    def run(member: int) -> TrainResult | None:
        if halt.is_set():
            return None
        try:
            with Team(shares[member], halt) as team:
                result = train(member, team)
        except BaseException:  # whatever it is: the others end too
            halt.set()
            raise
        if result.stopped == "interrupt":
            halt.set()
        return result

    alone = n_members - n_members % n_threads
    begun = _side_by_side(run, range(alone), n_threads, halt)
    begun |= _side_by_side(run, range(alone, n_members), n_threads, halt)
    if not begun:
        raise KeyboardInterrupt
    first = min(begun)
    return {member: result for member, result in begun.items() if result.history} or {first: begun[first]}


def _side_by_side(
    run: Callable[[int], TrainResult | None], members: range, at_once: int, halt: Event
) -> dict[int, TrainResult]:
    """The results of those members that were begun. One that ends early makes room for the next."""
    futures: dict[int, Future[TrainResult | None]] = {}
    if not members:
        return {}
    with ThreadPoolExecutor(min(at_once, len(members))) as pool:
        try:
            for member in members:
                futures[member] = pool.submit(run, member)
        except KeyboardInterrupt:  # it may come before anybody waits
            halt.set()
        _wait(list(futures.values()), halt)
    found = {member: future.result() for member, future in futures.items()}
    return {member: result for member, result in found.items() if result is not None}


def _wait(futures: Sequence[Future[Any]], halt: Event) -> None:
    """Until all are done; Ctrl-C, which only the main thread hears of, makes that soon.

    The system may give the signal to another thread, which does not wake this one: it looks up now and then.
    """
    while True:
        try:
            while wait(futures, timeout=_LOOK_UP).not_done:
                pass
        except KeyboardInterrupt:
            halt.set()
        else:
            return


class Told:
    """A callback of one member, which tells those of the user, one member at a time.

    Parameters
    ----------
    member : int
        Which it is.
    callbacks : iterable of Callback
        The user's.
    turn : Lock
        One for all members.
    """

    def __init__(self, member: int, callbacks: Iterable[Callback], turn: Lock) -> None:
        self._member, self._callbacks, self._turn = member, list(callbacks), turn

    def __call__(self, record: EpochEnd) -> bool:
        with self._turn:
            asked = [callback(replace(record, member=self._member)) for callback in self._callbacks]
        return any(asked)
