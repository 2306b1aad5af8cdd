"""Makes systems under test of ordinary models: in line for closed loops, queued for open ones."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import numpy as np

from harness.errors import LevelfieldError
from harness.foreign import ForeignCode
from harness.phases import Phase, PhaseClock
from harness.sut import MAX_BATCH, Predictor, Queries, SystemUnderTest
from harness.workload import QuerySampleLibrary

_LAST_BATCH_S = 10.0
"""How long the batch that is being answered at the end may still take."""

Part = tuple[Queries, int, int]
"""Some queries' samples from a start to an end."""
Now = Callable[[], int]
"""Nanoseconds; see `harness.clock.Clock`."""


class InlineAdapter:
    """Cuts each query into batches and answers them in turn, in the thread that issues."""

    def __init__(
        self, model: Predictor, library: QuerySampleLibrary, now_ns: Now = time.perf_counter_ns
    ) -> None:
        self._model = model
        self._library = library
        self._max_batch = max_batch(model)
        self.phases = PhaseClock(now_ns)
        """Of answering: the samples' data, the model's compute, the logging of answers."""

    def issue(self, queries: Queries) -> None:
        """See `SystemUnderTest`. A batch that raises fails, the others go on."""
        total = len(queries.samples)
        for start in range(0, total, self._max_batch):
            part = (queries, start, min(total, start + self._max_batch))
            answer(self._model, self._library, [part], self.phases)

    def flush(self) -> None:
        """See `SystemUnderTest`."""


class QueueingAdapter:
    """Answers in a thread of its own, so that issuing never waits for the model.

    A batch is what is waiting when the model is free, up to ``max_batch``; with ``max_wait_s`` the
    first query of a batch waits at most that long for others. Use it as a context manager.
    """

    def __init__(
        self, model: Predictor, library: QuerySampleLibrary, now_ns: Now = time.perf_counter_ns
    ) -> None:
        self._model = model
        self._library = library
        self._max_batch = max_batch(model)
        self._max_wait_s = float(getattr(model, "max_wait_s", 0.0))
        self._waiting: SimpleQueue[Queries | None] = SimpleQueue()
        self._ending = False
        self.phases = PhaseClock(now_ns)
        """As `InlineAdapter.phases`; moved on by the answering thread alone."""
        self._thread = Thread(target=self._work, name="batcher", daemon=True)

    def issue(self, queries: Queries) -> None:
        """See `SystemUnderTest`."""
        self._waiting.put(queries)

    def flush(self) -> None:
        """See `SystemUnderTest`."""

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread when it has answered what is wanted; one that hangs is left behind."""
        self._waiting.put(None)
        self._thread.join(_LAST_BATCH_S)

    def _work(self) -> None:
        rest: Part | None = None
        while not self._ending or rest is not None:
            batch, rest = self._gather(rest)
            if batch:
                answer(self._model, self._library, batch, self.phases)

    def _gather(self, part: Part | None) -> tuple[list[Part], Part | None]:
        """The next batch, beginning with ``part``, and what is left of its last queries."""
        batch: list[Part] = []
        room = self._max_batch
        deadline: float | None = None
        while True:
            if part is None:
                queries = self._next(deadline)
                if queries is None:
                    return batch, None
                part = (queries, 0, len(queries.samples))
            if deadline is None:
                deadline = time.monotonic() + self._max_wait_s
            queries, start, end = part
            taken = min(room, end - start)
            batch.append((queries, start, start + taken))
            room -= taken
            part = (queries, start + taken, end) if start + taken < end else None
            if not room:
                return batch, part

    def _next(self, deadline: float | None) -> Queries | None:
        """The next queries: wait for ever for a batch's first, until ``deadline`` for others."""
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            found = self._waiting.get(timeout=timeout)
        except Empty:
            return None
        self._ending |= found is None
        return found


@contextmanager
def adapted(
    thing: object,
    library: QuerySampleLibrary,
    *,
    open_loop: bool,
    now_ns: Now = time.perf_counter_ns,
) -> Iterator[SystemUnderTest]:
    """A system under test of ``thing``, for as long as the block lasts."""
    if isinstance(thing, SystemUnderTest):
        yield thing
        return
    if not isinstance(thing, Predictor):
        raise LevelfieldError(
            f"{name(thing)}: not a system under test; give it predict(inputs), or issue(queries) "
            "and flush()"
        )
    if not open_loop:
        yield InlineAdapter(thing, library, now_ns)
        return
    queueing = QueueingAdapter(thing, library, now_ns)
    queueing.start()
    try:
        yield queueing
    finally:
        queueing.stop()


def answer(
    model: Predictor, library: QuerySampleLibrary, parts: Sequence[Part], phases: PhaseClock
) -> None:
    """Answer ``parts`` as one batch; what the model raises fails all of them."""
    parts = [part for part in parts if part[0].wanted]
    if not parts:
        return
    phases.switch(Phase.DATA)
    samples = np.concatenate([queries.samples[start:end] for queries, start, end in parts])
    foreign = ForeignCode()
    answers: Sequence[Any] = ()
    with foreign:
        inputs = library.get(samples)
        phases.switch(Phase.COMPUTE)
        answers = model.predict(inputs)
        if len(answers) != len(samples):
            raise ValueError(f"{len(answers)} answers for {len(samples)} samples")
    phases.switch(Phase.LOGGING)
    done = 0
    for queries, start, end in parts:
        with ForeignCode():  # the run may have ended meanwhile
            if foreign.error is None:
                queries.complete(answers[done : done + end - start], start)
            else:
                queries.fail(foreign.reason, start, end - start)
        done += end - start
    phases.switch(Phase.IDLE)


def max_batch(model: Predictor) -> int:
    """The model's ``max_batch``; `LevelfieldError` if it is none to work with."""
    found = getattr(model, "max_batch", MAX_BATCH)
    if type(found) is not int or found < 1:
        raise LevelfieldError(f"{name(model)}: max_batch is {found!r}; make it a number >= 1")
    return found


def name(thing: object) -> str:
    """``module:Class`` of an object."""
    return f"{type(thing).__module__}:{type(thing).__qualname__}"
