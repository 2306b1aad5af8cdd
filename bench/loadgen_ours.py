"""Our side of ``bench/loadgen.py``: one trial a process, through the harness's own classes."""

import os
import queue
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.clock import SystemClock
from harness.issuing import issue_closed, issue_open
from harness.metrics import percentile
from harness.queries import write_query_log
from harness.records import InferenceSettings, Scenario
from harness.scenarios import performance_plan
from harness.schedule import arrivals, schedule
from harness.sut import Queries, SystemUnderTest
from harness.tracker import Tracker
from harness.visits import Visits

Values = dict[str, float]

LOADED = np.arange(1024, dtype=np.int64)
SEEDS = {"library": 1, "order": 2, "schedule": 3}
TIMEOUT_NS = 20_000_000_000
_WORK_S = 0.005
_WORK_QUERIES = 200
_WORK_PAIRS = 5
_OVERLOAD = 1.2
_BACKLOG = 20


class Inline:
    """Completes a query before ``issue`` returns."""

    def issue(self, queries: Queries) -> None:
        """See `harness.sut.SystemUnderTest`."""
        queries.complete()

    def flush(self) -> None:
        """See `harness.sut.SystemUnderTest`."""


class Threaded:
    """Completes queries in a thread of its own, after ``work`` for each sample."""

    def __init__(self, work: Callable[[], object] | None = None) -> None:
        self._queue: queue.SimpleQueue[Queries | None] = queue.SimpleQueue()
        self._work = work
        self.issue = self._queue.put
        self.samples_per_s = 0.0
        """Of the last stretch of work, from its first query to `stop`."""
        self._thread = threading.Thread(target=self._answer if work is None else self._compute)
        self._thread.start()

    def _answer(self) -> None:
        get = self._queue.get
        while (queries := get()) is not None:
            queries.complete()

    def _compute(self) -> None:
        assert self._work is not None
        samples, begun = 0, 0.0
        while (queries := self._queue.get()) is not None:
            begun = begun or time.perf_counter()
            for start in range(len(queries.samples)):
                self._work()
                queries.complete([None], start)
                samples += 1
            self.samples_per_s = samples / (time.perf_counter() - begun)

    def flush(self) -> None:
        """See `harness.sut.SystemUnderTest`."""

    def stop(self) -> None:
        """End the thread once it has answered everything."""
        self._queue.put(None)
        self._thread.join()


class Direct:
    """A query that nobody issued: what the system costs when it is called directly."""

    wanted = True

    def __init__(self) -> None:
        self.samples = np.zeros(1, dtype=np.int64)

    def first_token(self, start: int = 0, count: int | None = None) -> None:
        """See `harness.sut.Queries`."""

    def complete(self, answers: object = None, start: int = 0, tokens: object = None) -> None:
        """See `harness.sut.Queries`."""

    def fail(self, reason: str, start: int = 0, count: int | None = None) -> None:
        """See `harness.sut.Queries`."""


@contextmanager
def threaded(work: Callable[[], object] | None = None) -> Iterator[Threaded]:
    """A `Threaded` system that is stopped at the end of the block."""
    sut = Threaded(work)
    try:
        yield sut
    finally:
        sut.stop()


def closed(scenario: Scenario, samples: int, sut: SystemUnderTest) -> Tracker:
    """A closed loop over ``samples``; its books."""
    settings = InferenceSettings(min_duration_ns=0, min_query_count=samples)
    visits = Visits(scenario, settings, None, SEEDS, LOADED)
    visits.rows(0, samples)  # drawn before the timed region, as every generator does
    plan = performance_plan(scenario, settings, rate=1.0)
    tracker = Tracker(SystemClock())
    issue_closed(tracker, sut, plan, visits.rows, TIMEOUT_NS)
    return tracker


def opened(due: NDArray[np.int64], sut: SystemUnderTest) -> Tracker:
    """An open loop over the arrivals ``due``; its books."""
    settings = InferenceSettings(min_duration_ns=0, min_query_count=len(due))
    samples = Visits(Scenario.SERVER, settings, None, SEEDS, LOADED).rows(0, len(due))
    clock = SystemClock()
    tracker = Tracker(clock)
    issue_open(tracker, sut, due, samples, clock, TIMEOUT_NS)
    return tracker


def latencies(tracker: Tracker) -> NDArray[np.int64]:
    """Completed minus scheduled, ns."""
    columns, rows = tracker.columns, tracker.rows
    times: NDArray[np.int64] = columns["completed"][:rows] - columns["scheduled"][:rows]
    assert int(columns["completed"][:rows].min()) >= 0, "a query was lost"
    return times


def single_stream(inline: bool, queries: int) -> Values:
    """The 90th percentile of latency of a system that answers at once, inline or by a thread."""
    if inline:
        tracker = closed(Scenario.SINGLE_STREAM, queries, Inline())
    else:
        with threaded() as sut:
            tracker = closed(Scenario.SINGLE_STREAM, queries, sut)
    return {"p90_s": percentile(latencies(tracker), 0.9) / 1e9}


def offline(samples: int) -> Values:
    """Samples a second from the issue until every completion is in the books, as LoadGen counts.

    By our own log the system answered at once; what the books cost would not show.
    """
    tracker = closed(Scenario.OFFLINE, samples, Inline())
    return {"rate": samples * 1e9 / (tracker.now_ns() - tracker.last_issued_ns)}


def saturation(rate: float, queries: int) -> Values:
    """Queries a second when more are due than can be issued: (n - 1) / last completion."""
    tracker = opened(arrivals(SEEDS["schedule"], rate, queries), Inline())
    last_s = int(tracker.columns["completed"][: tracker.rows].max()) / 1e9
    return {"rate": (queries - 1) / last_s}


def server(rate: float, seconds: float) -> Values:
    """Lateness of a system that answers at once, and the cores that it took."""
    before = time.process_time()
    due = schedule(SEEDS["schedule"], rate, int(seconds * 1e9), 100)
    times = latencies(opened(due, Inline()))
    values = {"p50_s": percentile(times, 0.5) / 1e9, "p99_s": percentile(times, 0.99) / 1e9}
    return values | {"cores": (time.process_time() - before) / seconds}


def memory(queries: int) -> Values:
    """Peak resident bytes of a server run of ``queries``, its log and its percentile included."""
    tracker = opened(arrivals(SEEDS["schedule"], 5e6, queries), Inline())
    with Path(os.devnull).open("wb") as stream:
        write_query_log(stream, tracker.columns, tracker.rows)
    percentile(latencies(tracker), 0.99)
    return {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0}


def arrival_times(count: int) -> Values:
    """Seconds to make a schedule."""
    begun = time.perf_counter()
    arrivals(SEEDS["schedule"], 10_000.0, count)
    return {"seconds": time.perf_counter() - begun}


def torch_work() -> Callable[[], object]:
    """Matrix products on every core, about `_WORK_S` a call."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    left, right = torch.rand(384, 384), torch.rand(384, 384)

    def multiply(times: int) -> None:
        for _ in range(times):
            torch.mm(left, right)

    multiply(50)
    begun = time.perf_counter()
    multiply(100)
    times = max(1, round(_WORK_S * 100 / (time.perf_counter() - begun)))
    return lambda: multiply(times)


def beside_torch() -> Values:
    """Throughput of a system that computes in torch, called directly and behind a server run.

    Both in one process, in pairs of alternating order; more arrives than it can answer.
    """
    work = torch_work()
    called: list[float] = [_called_directly(work)]  # the first only warms up
    issued: list[float] = []
    for pair in range(_WORK_PAIRS):
        if pair % 2:
            issued.append(_issued_to(work, called[-1]))
            called.append(_called_directly(work))
        else:
            called.append(_called_directly(work))
            issued.append(_issued_to(work, called[-1]))
    return {"issued": float(np.median(issued)), "called": float(np.median(called[1:]))}


def _called_directly(work: Callable[[], object]) -> float:
    with threaded(work) as sut:
        for _ in range(_WORK_QUERIES):
            sut.issue(Direct())
    return sut.samples_per_s


def _issued_to(work: Callable[[], object], capacity: float) -> float:
    due = arrivals(SEEDS["schedule"], _OVERLOAD * capacity, _WORK_QUERIES)
    due = np.maximum(due - due[_BACKLOG], 0)  # a backlog, so that it never runs dry
    with threaded(work) as sut:
        opened(due, sut)
    return sut.samples_per_s
