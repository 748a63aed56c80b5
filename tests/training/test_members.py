"""Trainings side by side: which threads they get, and what becomes of all where one of them ends early."""

import os
import signal
import time
from collections import Counter
from threading import Barrier, Event, Lock, get_ident

import numpy as np
import pytest

from tsrnn.training.events import EpochEnd
from tsrnn.training.members import Told, member_seeds, thread_shares, train_members
from tsrnn.training.threads import Team
from tsrnn.training.trainer import TrainResult

RECORD = EpochEnd(1, 3, 0.5, 0.5, 0.5, 0.01, 0.1)


def result_of(member, stopped="max_epochs", epochs=1):
    return TrainResult(np.full(2, float(member)), (RECORD,) * epochs, 1, stopped, np.zeros((0, 2)), 1)


def test_seeds_do_not_depend_on_how_many_there_are():
    assert member_seeds(7, 5)[:3] == member_seeds(7, 3)
    assert member_seeds(7, 5)[0] == 7 and len(set(member_seeds(7, 5) + member_seeds(8, 5))) == 10


@pytest.mark.parametrize(
    ("members", "threads", "expected"),
    [(1, 4, [4]), (2, 2, [1, 1]), (3, 2, [1, 1, 2]), (2, 5, [3, 2]), (7, 3, [1] * 6 + [3]), (8, 3, [1] * 6 + [2, 1])],
)
def test_threads_are_shared_out(members, threads, expected):
    assert thread_shares(members, threads) == expected
    seen = {}

    def train(member, team):
        seen[member] = team.n_threads
        return result_of(member)

    found = train_members(train, members, threads)
    assert [seen[member] for member in range(members)] == expected
    assert [float(found[member].theta[0]) for member in range(members)] == list(range(members))


def test_members_of_as_many_threads_run_at_the_same_time():
    arrived = [Event(), Event()]

    def train(member, team):
        arrived[member].set()
        assert arrived[1 - member].wait(30)  # one after the other would never get here
        return result_of(member)

    assert list(train_members(train, 2, 2)) == [0, 1]


def test_one_member_stays_in_the_thread_that_ctrl_c_reaches():
    found = []
    train_members(lambda member, team: found.append(get_ident()) or result_of(member), 1, 2)
    assert found == [get_ident()]


def test_an_error_of_one_stops_the_others_and_is_raised():
    running, tries = Event(), Counter()

    def train(member, team):
        if member == 1:
            assert running.wait(30)
            raise LookupError("mine")
        running.set()
        with pytest.raises(KeyboardInterrupt):
            while True:
                team.spread(lambda thread, share: tries.update(["spread"]), 1)
        return result_of(member, "interrupt")

    with pytest.raises(LookupError, match="mine"):
        train_members(train, 2, 2)
    assert tries["spread"] > 0


def test_an_interrupt_of_one_stops_all_and_keeps_what_there_is():
    begun = []

    def train(member, team):
        begun.append(member)
        return result_of(member, "interrupt", epochs=int(member == 0))

    assert list(train_members(train, 4, 1)) == [0]
    assert begun == [0]  # nothing is begun after it
    both = Event()

    def late(member, team):
        both.set() if member else both.wait(30)
        return result_of(member, "interrupt", epochs=member)

    assert list(train_members(late, 2, 2)) == [1]  # the first one has nothing to show
    assert list(train_members(lambda member, team: result_of(member, "interrupt", 0), 2, 1)) == [0]


@pytest.fixture
def hears_ctrl_c():
    """Whatever tests before did to the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_reaches_all():
    ready = Barrier(2)

    def train(member, team):
        ready.wait(30)
        if member:  # at some moment between the beginning of this one and the main thread's waiting for it
            os.kill(os.getpid(), signal.SIGINT)
        end = time.monotonic() + 30
        with pytest.raises(KeyboardInterrupt):
            while time.monotonic() < end:
                team.spread(lambda thread, share: None, 1)
        return result_of(member, "interrupt")

    assert 0 in train_members(train, 2, 2)


def test_a_halted_team_begins_nothing():
    halt, done = Event(), []
    with Team(2, halt) as team:
        team.spread(lambda thread, share: done.append(thread), 2)
        halt.set()
        with pytest.raises(KeyboardInterrupt):
            team.spread(lambda thread, share: done.append(thread), 2)
    assert sorted(done) == [0, 1]


def test_callbacks_are_told_whose_epoch_it_was():
    seen = []
    told = Told(2, [seen.append, lambda record: record.member == 2], Lock())
    assert told(RECORD) is True
    assert seen[0].member == 2 and RECORD.member is None
    assert seen[0].row() == RECORD.row() | {"member": 2}
    assert Told(1, [lambda record: None], Lock())(RECORD) is False
