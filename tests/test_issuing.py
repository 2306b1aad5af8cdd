from threading import Thread

import numpy as np
import pytest

from harness.clock import SimulatedClock, SystemClock
from harness.issuing import issue_closed, issue_open
from harness.queries import LOST, OK, RAISED
from harness.records import InferenceSettings
from harness.scenarios import EverySample, Stream
from harness.sut import Queries
from harness.tracker import Tracker

SECOND = 1_000_000_000


class Busy:
    """Completes in line, after ``cost_ns`` a call."""

    def __init__(self, clock: SimulatedClock, cost_ns: int) -> None:
        self._clock = clock
        self._cost_ns = cost_ns
        self.sizes: list[int] = []

    def issue(self, queries: Queries) -> None:
        self.sizes.append(len(queries.samples))
        self._clock.advance(self._cost_ns)
        queries.complete()

    def flush(self) -> None:
        pass


def test_an_open_loop_issues_when_due_whatever_became_of_the_last() -> None:
    clock = SimulatedClock()
    tracker, sut = Tracker(clock), Busy(clock, 25)
    issue_open(tracker, sut, np.array([0, 10, 20, 100]), np.arange(4), clock, SECOND)
    # The first takes 25, so the next two are late and come together; the last is on time.
    assert sut.sizes == [1, 2, 1]
    assert tracker.log["issued"].tolist() == [0, 25, 25, 100]
    assert tracker.log["completed"].tolist() == [25, 50, 50, 125]
    assert (tracker.log["completed"] - tracker.log["scheduled"]).tolist() == [25, 40, 30, 25]


class Raising(Busy):
    def issue(self, queries: Queries) -> None:
        super().issue(queries)
        if 2 in queries.samples:
            raise OSError("no device")


def test_what_a_system_raises_fails_its_queries_and_the_loop_goes_on() -> None:
    clock = SimulatedClock()
    for open_loop in (False, True):
        tracker, sut = Tracker(clock), Raising(clock, 5)
        if open_loop:
            issue_open(tracker, sut, np.arange(4) * 10, np.arange(4), clock, SECOND)
        else:
            issue_closed(tracker, sut, EverySample(4, 1), rows, 9)
        assert tracker.log["error"].tolist() == [OK, OK, RAISED, OK]
        assert tracker.failures == [(2, "OSError: no device")]


def rows(first: int, end: int) -> np.ndarray:
    return np.arange(first, end)


class Silent:
    """Never answers."""

    def issue(self, queries: Queries) -> None:
        pass

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("open_loop", [False, True])
def test_a_system_that_never_answers_is_given_up(open_loop: bool) -> None:
    clock = SystemClock()
    tracker = Tracker(clock)
    if open_loop:
        issue_open(tracker, Silent(), np.arange(3), rows(0, 3), clock, 2_000_000)
    else:
        issue_closed(tracker, Silent(), EverySample(3, 1), rows, 2_000_000)
    tracker.close()
    assert tracker.log["error"].tolist() == [LOST] * (3 if open_loop else 1)


class Elsewhere:
    """Answers in another thread."""

    def issue(self, queries: Queries) -> None:
        Thread(target=queries.complete).start()

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("open_loop", [False, True])
def test_answers_may_come_from_other_threads(open_loop: bool) -> None:
    clock = SystemClock()
    tracker = Tracker(clock)
    if open_loop:
        issue_open(tracker, Elsewhere(), np.arange(50) * 1000, rows(0, 50), clock, SECOND)
    else:
        issue_closed(tracker, Elsewhere(), EverySample(50, 1), rows, SECOND)
    log = tracker.log
    assert (log["error"] == OK).all()
    assert (log["completed"] >= log["issued"]).all()
    assert (log["issued"] >= log["scheduled"]).all()


def test_a_fault_of_our_own_is_not_taken_for_the_systems() -> None:
    clock = SimulatedClock()
    with pytest.raises(IndexError):
        issue_closed(Tracker(clock), Silent(), EverySample(3, 1), lambda *_: [][0], SECOND)


def test_multi_stream_takes_several_samples_a_query() -> None:
    clock = SimulatedClock()
    settings = InferenceSettings(min_duration_ns=40, min_query_count=2, samples_per_query=8)
    tracker = Tracker(clock)
    issue_closed(tracker, Busy(clock, 10), Stream(settings), rows, SECOND)
    assert np.bincount(tracker.log["query"]).tolist() == [8] * 5
