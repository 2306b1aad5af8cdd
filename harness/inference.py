"""The inference driver: one run of a scenario, and what became of each query."""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.answering import AnsweringTime
from harness.answers import Answer, answers_text
from harness.batcher import adapted
from harness.clock import Clock
from harness.errors import LevelfieldError
from harness.foreign import ForeignCode
from harness.issuing import Report, issue_closed, issue_open
from harness.queries import NEVER, OK, write_query_log
from harness.recording import Recording, Subject
from harness.records import Audit, InferenceSettings, Mode, Run, RunStatus, Scenario
from harness.scenarios import accuracy_plan, kept_answers, loaded_set, performance_plan
from harness.schedule import schedule
from harness.sut import SystemUnderTest
from harness.tracker import Tracker
from harness.visits import Visits
from harness.watchdog import Hung, watch
from harness.workload import QuerySampleLibrary

WARM_UP_NS = 500_000_000
_LOGGED_FAILURES = 100


@dataclass(frozen=True)
class Target:
    """What is measured in an inference run."""

    spec: str
    """``package.module:Class``, for the record."""
    thing: object
    """A `SystemUnderTest` or a `Predictor`."""
    library: QuerySampleLibrary
    score: Callable[[dict[int, Any]], float]
    """Quality of answers by sample index over the whole data set."""
    precision: str | None = None


@dataclass(frozen=True)
class Task:
    """What is to be done with the target in one run."""

    scenario: Scenario
    mode: Mode
    settings: InferenceSettings
    seeds: Mapping[str, int]
    """``library``, ``order`` and ``schedule``; an audit also has ``audit``."""
    audit: Audit | None = None
    audited_run: str | None = None

    @property
    def accuracy(self) -> bool:
        """Whether every sample of the data set is answered once."""
        return self.mode == Mode.ACCURACY

    @property
    def open_loop(self) -> bool:
        """Whether queries come by a schedule in this run."""
        return self.scenario.open_loop and not self.accuracy


def infer(
    target: Target,
    task: Task,
    folder: Path,
    subject: Subject,
    clock: Clock,
    report: Report = lambda *_: None,
) -> Run:
    """Measure ``target`` once and write the run to ``folder``.

    Samples are loaded and the system warmed up before the timed region. A query that raises is
    recorded as failed; one that is never answered ends the run as *failed*, with all that was
    measured. An interrupted run keeps its query log, and stays incomplete.
    """
    run = subject.begin(
        task.scenario,
        task.mode,
        clock,
        seeds=dict(task.seeds),
        settings=task.settings,
        sut=target.spec,
        precision=target.precision,
        audit=task.audit,
        audited_run=task.audited_run,
    )
    with (
        Recording(folder, run, subject, clock) as recording,
        adapted(target.thing, target.library, open_loop=task.open_loop, now_ns=clock.now_ns) as sut,
    ):
        driver = _Driver(recording, target, task, sut, clock)
        recording.log.start("init_start")
        driver.load()
        rate = driver.warm_up()
        recording.log.stop("init_stop")
        driver.measure(rate, report)
        target.library.unload(driver.loaded.tolist())
        return driver.finish()


class _Driver:
    """The steps of one inference run."""

    def __init__(
        self, recording: Recording, target: Target, task: Task, sut: SystemUnderTest, clock: Clock
    ) -> None:
        self._recording = recording
        self._target = target
        self._task = task
        self._sut = sut
        self._clock = clock
        library = target.library
        if not 1 <= library.performance_samples <= library.total_samples:
            raise LevelfieldError(
                f"{target.spec}: its library has {library.total_samples} samples and wants "
                f"{library.performance_samples} of them in memory; give at least one, and no more "
                "than there are"
            )
        wanted = library.total_samples if task.accuracy else library.performance_samples
        self.loaded = loaded_set(task.seeds["library"], library.total_samples, wanted)

    def load(self) -> None:
        """Load the samples of this mode."""
        self._target.library.load(self.loaded.tolist())

    def warm_up(self) -> float:
        """Answer without recording for `WARM_UP_NS`; return samples a second of the best pass."""
        self._recording.log.start("warmup_start")
        begin = self._clock.now_ns()
        rate = 0.0
        while True:
            tracker = Tracker(self._clock, rows=len(self.loaded))
            before = self._clock.now_ns()
            self._pass_once(tracker)
            now = self._clock.now_ns()
            rate = max(rate, len(self.loaded) / max((now - before) / 1e9, 1e-9))
            if now - begin >= WARM_UP_NS or tracker.failures:
                self._recording.log.stop("warmup_stop")
                return rate

    def _pass_once(self, tracker: Tracker) -> None:
        """Every loaded sample once, in one query; a system that hangs here fails the run later."""
        foreign = ForeignCode()
        timeout_ns = self._task.settings.timeout_ns
        with suppress(Hung), watch(tracker, timeout_ns):
            with foreign:
                self._sut.issue(tracker.enter(self.loaded))
                self._sut.flush()
            if foreign.error is not None:
                tracker.fail_last(foreign.reason)
            tracker.wait(timeout_ns)
        tracker.close()

    def measure(self, rate: float, report: Report) -> None:
        """The timed region. What was measured is written, however it ends."""
        task, log = self._task, self._recording.log
        visits = Visits(task.scenario, task.settings, task.audit, task.seeds, self.loaded)
        due = self._due() if task.open_loop else np.empty(0, np.int64)
        samples = visits.rows(0, len(due))
        log.start("run_start")
        self._time = AnsweringTime(self._sut)
        self._tracker = tracker = Tracker(self._clock, keep=self._keeper())
        try:
            with suppress(Hung), watch(tracker, task.settings.timeout_ns):
                if task.open_loop:
                    issue_open(
                        tracker, self._sut, due, samples, self._clock,
                        task.settings.timeout_ns, task.settings.drain_ns, report,
                    )  # fmt: skip
                else:
                    self._closed_loop(tracker, visits, rate, report)
            tracker.close()
            log.stop("run_stop", status="aborted" if self._unanswered() else "success")
        finally:
            with (self._recording.folder / "queries.npy").open("wb") as stream:
                write_query_log(stream, tracker.columns, tracker.rows)

    def _closed_loop(self, tracker: Tracker, visits: Visits, rate: float, report: Report) -> None:
        task = self._task
        if task.accuracy:
            plan = accuracy_plan(task.scenario, task.settings, len(self.loaded))
            order = lambda first, end: self.loaded[first:end]  # noqa: E731
        else:
            plan = performance_plan(task.scenario, task.settings, rate)
            order = visits.rows
        issue_closed(tracker, self._sut, plan, order, task.settings.timeout_ns, report)

    def _due(self) -> NDArray[np.int64]:
        settings = self._task.settings
        if settings.target_rate is None:
            raise LevelfieldError(
                f"{self._task.scenario}: has no target rate; give --rate or --find-max"
            )
        return schedule(
            self._task.seeds["schedule"],
            settings.target_rate,
            settings.min_duration_ns,
            settings.min_query_count,
        )

    def _keeper(self) -> Callable[[int], bool] | None:
        """Which answers are kept: all in accuracy mode, a random few in an audit of answers."""
        if self._task.accuracy or self._task.audit == Audit.TOKENS:
            return lambda _: True
        if self._task.audit != Audit.SAMPLED_ANSWERS:
            return None
        kept = kept_answers(self._task.seeds["audit"], 1 << 16)

        def keep(row: int) -> bool:
            nonlocal kept
            if row >= len(kept):
                kept = kept_answers(self._task.seeds["audit"], 2 * row)
            return bool(kept[row])

        return keep

    def _unanswered(self) -> int:
        tracker = self._tracker
        return int(np.count_nonzero(tracker.columns["completed"][: tracker.rows] == NEVER))

    def finish(self) -> Run:
        """Write answers and failures, close the record."""
        tracker = self._tracker
        rows, columns = tracker.rows, tracker.columns
        failed = int(np.count_nonzero(columns["error"][:rows] != OK))
        for row, reason in tracker.failures[:_LOGGED_FAILURES]:
            query, sample = int(columns["query"][row]), int(columns["sample"][row])
            self._recording.log.event("query_failed", reason, query=query, sample=sample)
        completed = columns["completed"][:rows]
        ended_ns = int(completed.max(initial=0)) - int(columns["scheduled"][:1].sum())
        if self._task.mode == Mode.PERFORMANCE and not self._unanswered():
            self._time.log(self._recording.log, tracker, max(0, ended_ns))
        return self._recording.finish(
            RunStatus.FAILED if self._unanswered() else RunStatus.COMPLETE,
            error=_failure_text(tracker, failed),
            duration_ns=max(0, ended_ns),
            samples=rows - failed,
            failed_queries=failed,
            quality=self._quality(),
        )

    def _quality(self) -> float | None:
        """Write the answers that were kept; in accuracy mode, their quality."""
        if self._keeper() is None:
            return None
        samples = self._tracker.columns["sample"]
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
        return self._scored(answers) if self._task.accuracy else None

    def _scored(self, answers: list[Answer]) -> float | None:
        try:
            quality = self._target.score({a.sample: a.answer for a in answers})
        except LevelfieldError as error:
            self._recording.log.event("accuracy_unknown", str(error))
            return None
        self._recording.log.event("eval_accuracy", quality, samples_count=len(answers))
        return quality if math.isfinite(quality) else None


def _failure_text(tracker: Tracker, failed: int) -> str | None:
    if not failed or not tracker.failures:
        return None
    row, reason = tracker.failures[0]
    query = int(tracker.columns["query"][row])
    return f"{failed} samples failed; the first in query {query}: {reason}"


def _plain(answer: Any) -> Any:
    """The answer as plain Python values that JSON can hold."""
    return answer.tolist() if isinstance(answer, np.generic | np.ndarray) else answer
