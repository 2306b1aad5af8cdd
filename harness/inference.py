"""The inference driver: issues a scenario's queries and writes down what became of each."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.answers import Answer, answers_text
from harness.clock import Clock
from harness.errors import LevelfieldError
from harness.foreign import ForeignCode
from harness.queries import OK, query_log_bytes
from harness.recording import Recording, Subject
from harness.records import InferenceSettings, Mode, Run, RunStatus, Scenario
from harness.scenarios import QueryPlan, accuracy_plan, performance_plan, sample_order
from harness.sut import SystemUnderTest
from harness.tracker import Tracker
from harness.workload import QuerySampleLibrary

WARM_UP_NS = 500_000_000
_LOGGED_FAILURES = 100
_FIRST_DRAW = 65_536
_PROGRESS_NS = 250_000_000

Progress = Callable[[int, int], None]
"""Called now and then with samples answered so far and nanoseconds since the start."""


@dataclass(frozen=True)
class Target:
    """What is measured in an inference run."""

    spec: str
    """``package.module:Class``, for the record."""
    sut: SystemUnderTest
    library: QuerySampleLibrary
    score: Callable[[dict[int, Any]], float]
    """Quality of answers by sample index over the whole data set."""


def infer(
    target: Target,
    scenario: Scenario,
    mode: Mode,
    settings: InferenceSettings,
    seed: int,
    folder: Path,
    subject: Subject,
    clock: Clock,
    progress: Progress = lambda *_: None,
) -> Run:
    """Measure ``target`` once in ``scenario`` and ``mode``; write the run to ``folder``.

    Samples are loaded and the system warmed up before the timed region. A query that raises is
    recorded as failed. An interrupted run keeps its query log, and stays incomplete.
    """
    run = subject.begin(
        scenario, mode, clock, seeds={"order": seed}, settings=settings, sut=target.spec
    )
    with Recording(folder, run, subject, clock) as recording:
        driver = _Driver(recording, target, mode, clock, progress)
        recording.log.start("init_start")
        indices = driver.load()
        rate = driver.warm_up(indices)
        recording.log.stop("init_stop")
        if mode == Mode.ACCURACY:
            plan = accuracy_plan(scenario, len(indices))
        else:
            plan = performance_plan(scenario, settings, rate)
        driver.measure(plan, driver.order(seed, len(indices)))
        target.library.unload(indices)
        return driver.finish()


class _Driver:
    """The steps of one inference run."""

    def __init__(
        self, recording: Recording, target: Target, mode: Mode, clock: Clock, progress: Progress
    ) -> None:
        self._recording = recording
        self._target = target
        self._mode = mode
        self._clock = clock
        self._progress = progress

    def load(self) -> list[int]:
        """Load the samples of this mode; return their indices."""
        library = self._target.library
        whole = self._mode == Mode.ACCURACY
        indices = list(range(library.total_samples if whole else library.performance_samples))
        library.load(indices)
        return indices

    def order(self, seed: int, samples: int) -> Callable[[int, int], NDArray[np.int64]]:
        """A function that gives the sample indices of rows ``[first, end)``."""
        if self._mode == Mode.ACCURACY:
            return lambda first, end: np.arange(first, end)
        drawn = sample_order(seed, _FIRST_DRAW, samples)

        def rows(first: int, end: int) -> NDArray[np.int64]:
            nonlocal drawn
            if end > len(drawn):
                drawn = sample_order(seed, max(end, 2 * len(drawn)), samples)
            return drawn[first:end].astype(np.int64)

        return rows

    def warm_up(self, indices: list[int]) -> float:
        """Answer without recording for `WARM_UP_NS`; return samples per second of the last pass."""
        begin = self._clock.now_ns()
        while True:
            passed = Tracker(self._clock, keep_answers=False)
            before = self._clock.now_ns()
            self._issue(passed, np.asarray(indices))
            now = self._clock.now_ns()
            if now - begin >= WARM_UP_NS or passed.failures:
                return len(indices) / max((now - before) / 1e9, 1e-9)

    def measure(self, plan: QueryPlan, order: Callable[[int, int], NDArray[np.int64]]) -> None:
        """The timed region."""
        self._recording.log.start("run_start")
        self._tracker = tracker = Tracker(self._clock, keep_answers=self._mode == Mode.ACCURACY)
        try:
            rows = reported_ns = 0
            while size := plan.next_query(tracker.queries, tracker.last_issued_ns):
                self._issue(tracker, order(rows, rows + size))
                rows += size
                if tracker.last_issued_ns - reported_ns > _PROGRESS_NS:
                    reported_ns = tracker.last_issued_ns
                    self._progress(rows, reported_ns)
            self._recording.log.stop("run_stop", status="success")
        finally:
            self._recording.write_bytes("queries.npy", query_log_bytes(tracker.log))

    def _issue(self, tracker: Tracker, samples: NDArray[np.int64]) -> None:
        query = tracker.issue(samples)
        foreign = ForeignCode()
        with foreign:
            self._target.sut.issue(query)
            self._target.sut.flush()
        if foreign.error is not None:
            tracker.fail_open(query, foreign.reason)
        tracker.wait()

    def finish(self) -> Run:
        """Write answers and failures, close the record."""
        tracker = self._tracker
        log = tracker.log
        failed = int(np.count_nonzero(log["error"] != OK))
        for row, reason in tracker.failures[:_LOGGED_FAILURES]:
            query, sample = int(log["query"][row]), int(log["sample"][row])
            self._recording.log.event("query_failed", reason, query=query, sample=sample)
        return self._recording.finish(
            RunStatus.COMPLETE,
            error=_failure_text(tracker, failed),
            duration_ns=int(log["completed"].max() - log["scheduled"].min()),
            samples=len(log) - failed,
            failed_queries=failed,
            quality=self._quality() if self._mode == Mode.ACCURACY else None,
        )

    def _quality(self) -> float | None:
        samples = self._tracker.log["sample"]
        answers = [
            Answer(sample=int(samples[row]), answer=_plain(answer))
            for row, answer in sorted(self._tracker.answers.items())
        ]
        foreign = ForeignCode()
        with foreign:
            self._recording.write_bytes("answers.jsonl", answers_text(answers).encode())
        if foreign.error is not None:
            raise LevelfieldError(
                f"{self._target.spec}: its answers cannot be written as JSON: {foreign.reason}; "
                "answer with numbers, text, lists or numpy arrays"
            )
        try:
            quality = self._target.score({a.sample: a.answer for a in answers})
        except LevelfieldError as error:
            self._recording.log.event("accuracy_unknown", str(error))
            return None
        self._recording.log.event("eval_accuracy", quality, samples_count=len(answers))
        return quality if math.isfinite(quality) else None


def _failure_text(tracker: Tracker, failed: int) -> str | None:
    if not failed:
        return None
    row, reason = tracker.failures[0]
    return f"{failed} samples failed; the first in query {int(tracker.log['query'][row])}: {reason}"


def _plain(answer: Any) -> Any:
    """The answer as plain Python values that JSON can hold."""
    return answer.tolist() if isinstance(answer, np.generic | np.ndarray) else answer
