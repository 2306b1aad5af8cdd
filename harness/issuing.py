"""The two loops that issue queries: closed (the next when the last is complete), and open."""

import ctypes
import math
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from harness.clock import Clock
from harness.foreign import ForeignCode
from harness.scenarios import QueryPlan
from harness.sut import SystemUnderTest
from harness.tracker import Tracker

Order = Callable[[int, int], NDArray[np.int64]]
"""The sample indices of rows ``[first, end)``."""

Report = Callable[[int, int], None]
"""Called now and then with samples issued so far and nanoseconds since the start."""

_REPORT_NS = 250_000_000
_PR_SET_TIMERSLACK = 29
_SPARSE_NS = 500_000
"""Mean gap from which on waking a little early costs next to nothing."""
_SPARSE_SLACK_NS = 1_000
_DENSE_SLACK_NS = 10_000
"""Dense arrivals: the kernel may wake us so much later, for several queries at once."""
_LONGEST_LEAD_NS = 200_000
_LEAD_NS = 1_000_000
"""From the last preparation to the start, so that not even the first query is late."""
_DRAIN_STEP_NS = 500_000


def issue_closed(
    tracker: Tracker,
    sut: SystemUnderTest,
    plan: QueryPlan,
    order: Order,
    timeout_ns: int,
    report: Report = lambda *_: None,
) -> None:
    """Issue ``plan``'s queries one after the other; end early if one is lost.

    What the system raises fails the query that it was given, and the loop goes on.
    """
    foreign = ForeignCode()
    try:
        while True:
            begun = tracker.queries
            with foreign:
                _closed(tracker, sut, plan, order, timeout_ns, report)
                return
            if foreign.error is not None:
                if begun == tracker.queries:
                    raise foreign.error
                tracker.fail_last(foreign.reason)
    finally:
        if tracker.rows:
            tracker.settle_closed(order(0, tracker.rows))


def _closed(
    tracker: Tracker,
    sut: SystemUnderTest,
    plan: QueryPlan,
    order: Order,
    timeout_ns: int,
    report: Report,
) -> None:
    issue, flush, enter, wait = sut.issue, sut.flush, tracker.enter, tracker.wait
    next_query, rows = plan.next_query, tracker.rows
    reported_ns = tracker.last_issued_ns
    while size := next_query(tracker.queries, tracker.last_issued_ns):
        issue(enter(order(rows, rows + size)))
        flush()
        rows += size
        if not wait(timeout_ns):
            return
        if tracker.last_issued_ns - reported_ns > _REPORT_NS:
            reported_ns = tracker.last_issued_ns
            report(rows, reported_ns)


def issue_open(
    tracker: Tracker,
    sut: SystemUnderTest,
    due: NDArray[np.int64],
    samples: NDArray[np.int64],
    clock: Clock,
    timeout_ns: int,
    drain_ns: int | None = None,
    report: Report = lambda *_: None,
) -> None:
    """Issue query i at ``due[i]`` (ns, rising), whatever became of those before.

    Queries that are due together are issued together. Returns when all are complete, or when
    none was completed for ``timeout_ns``, or ``drain_ns`` have passed since the last was issued.
    """
    tracker.plan(due, samples)
    tracker.start_in(_LEAD_NS)
    foreign = ForeignCode()
    sparse = len(due) < 2 or int(due[-1] - due[0]) // (len(due) - 1) >= _SPARSE_NS
    with _timer_slack(_SPARSE_SLACK_NS if sparse else _DENSE_SLACK_NS):
        while tracker.rows < len(due):
            begun = tracker.rows
            with foreign:
                _open(tracker, sut, due, clock, report, lead=sparse)
            if foreign.error is not None:
                if begun == tracker.rows:
                    raise foreign.error
                tracker.fail_last(foreign.reason)
    with foreign:
        sut.flush()
    if foreign.error is not None:
        tracker.fail_last(foreign.reason)
    _drain(tracker, clock, timeout_ns, drain_ns)


def _open(
    tracker: Tracker,
    sut: SystemUnderTest,
    due: NDArray[np.int64],
    clock: Clock,
    report: Report,
    *,
    lead: bool,
) -> None:
    """The loop of `issue_open`. With ``lead``, it goes to sleep for less by what waking up takes.

    That time is followed from below: quickly down, slowly up, so that it rarely wakes too early.
    """
    zero_ns = clock.now_ns() - tracker.now_ns()
    now, sleep, issue, issue_until = (
        clock.now_ns,
        clock.sleep_ns,
        sut.issue,
        tracker.issue_until,
    )
    times, count, row = due.data, len(due), tracker.rows
    reported_ns = tracker.last_issued_ns
    lead_ns = 0
    while row < count:
        now_ns = now() - zero_ns
        wait_ns = times[row] - now_ns
        if wait_ns > 0:
            if wait_ns > _REPORT_NS and now_ns - reported_ns > _REPORT_NS:
                reported_ns = now_ns
                report(row, now_ns)
            if wait_ns > lead_ns:
                sleep(wait_ns - lead_ns)
                if lead:
                    over_ns = now() - zero_ns - times[row] + lead_ns
                    lead_ns += (over_ns - lead_ns) >> (5 if over_ns > lead_ns else 1)
                    lead_ns = min(max(lead_ns, 0), _LONGEST_LEAD_NS)
            continue
        end = row + 1
        if end < count and times[end] <= now_ns:
            end = bisect_right(times, now_ns, end, count)
        issue(issue_until(end, now_ns))
        row = end


def _drain(tracker: Tracker, clock: Clock, timeout_ns: int, drain_ns: int | None) -> None:
    """Wait until nothing is open, by looking: a wake-up a completion would cost the system."""
    before, deadline_ns = tracker.open, clock.now_ns() + timeout_ns
    end_ns = clock.now_ns() + drain_ns if drain_ns is not None else math.inf
    while tracker.open and clock.now_ns() < min(deadline_ns, end_ns):
        clock.sleep_ns(_DRAIN_STEP_NS)
        if tracker.open < before:
            before, deadline_ns = tracker.open, clock.now_ns() + timeout_ns


@contextmanager
def _timer_slack(slack_ns: int) -> Iterator[None]:
    """On Linux, how late this thread's sleeps may end; the kernel's own choice is 50 us."""
    if sys.platform != "linux":
        yield
        return
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_TIMERSLACK, slack_ns, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_PR_SET_TIMERSLACK, 0, 0, 0, 0)  # 0: back to the default
