"""LOG rules: the event log is whole, in order, and says what the run's record says."""

import itertools
from collections.abc import Iterator
from typing import Any

from harness.events import Event, EventLog, intervals
from harness.records import Mode, RunStatus
from rules.case import Problem, RunCase
from rules.registry import rule
from rules.scoring import timed_window_ms

IDENTITY = (
    "submission_benchmark",
    "submission_org",
    "submission_division",
    "submission_status",
    "submission_platform",
)
"""At least once each, and always with the same value."""
MILESTONES = ("init_start", "init_stop", "run_start", "run_stop")
"""Exactly once each, in this order."""
INSIDE_THE_RUN = (
    "block_start",
    "block_stop",
    "eval_start",
    "eval_stop",
    "eval_accuracy",
)
_STATUS_WORD = {RunStatus.COMPLETE: "success", RunStatus.ABORTED: "aborted"}
_APART_NS = 100_000_000
"""Log times are whole milliseconds, and a busy machine may pause between line and measurement."""
_FLUSH_NS = 2_000_000_000
"""What may lie between the last query and run_stop."""


def _finished(case: RunCase) -> bool:
    return case.finished


def _finished_training(case: RunCase) -> bool:
    return case.finished and case.trains


@rule("LOG-1", on="run")
def no_broken_lines(case: RunCase) -> Iterator[Problem]:
    """Every line that is marked as an event can be read as one."""
    for line in case.evidence.log.broken:
        yield case.log_problem(line.reason, line.line)


@rule("LOG-2", on="run", when=_finished)
def log_is_complete(case: RunCase) -> Iterator[Problem]:
    """The log says who, what and when, each once.

    submission_benchmark, submission_org, submission_division, submission_status and
    submission_platform appear at least once and never with two values; so does seed, or each seed
    by its name where a run has several. init_start, init_stop, run_start and run_stop appear
    exactly once, whatever their values: a second run_start would shorten the score. run_stop has a
    status of success or aborted.
    """
    log = case.evidence.log
    for key in IDENTITY:
        yield from _one_value(case, key, log.all(key))
    for name in case.evidence.run.seeds or {"": 0}:
        yield from _one_value(case, f"seed {name}".rstrip(), _seed_events(case, name))
    for key in MILESTONES:
        events = log.all(key)
        if len(events) != 1:
            line = events[1].line if events else None
            yield case.log_problem(f"{key} must appear exactly once", line, found=str(len(events)))
    stop = log.last("run_stop")
    if stop and stop.metadata.get("status") not in _STATUS_WORD.values():
        yield case.log_problem(
            "run_stop has no status",
            stop.line,
            expected="success or aborted",
            found=repr(stop.metadata.get("status")),
        )


def _seed_events(case: RunCase, name: str) -> list[Event]:
    """The lines of the seed ``name``; a run's only seed, as a program of one's own logs it, has no
    need of a name."""
    seeds, events = case.evidence.run.seeds, case.evidence.log.all("seed")
    return events if len(seeds) < 2 else [e for e in events if e.metadata.get("name") == name]


def _one_value(case: RunCase, key: str, events: list[Event]) -> Iterator[Problem]:
    if not events or events[0].value in (None, ""):
        yield case.log_problem(f"{key} is missing", events[0].line if events else None)
    for event in events[1:]:
        if event.value != events[0].value:
            yield case.log_problem(
                f"{key} has two values",
                event.line,
                expected=repr(events[0].value),
                found=repr(event.value),
            )


@rule("LOG-3", on="train", when=_finished_training)
def intervals_pair_up(case: RunCase) -> Iterator[Problem]:
    """A training log's blocks and evaluations pair up and count samples.

    Each block_start is followed by its block_stop and each eval_start by its eval_stop before the
    next begins; there are as many evaluations as values of eval_accuracy, at least one; each of
    these lines has a samples_count.
    """
    log = case.evidence.log
    for name in ("block", "eval"):
        starts, stops = log.all(f"{name}_start"), log.all(f"{name}_stop")
        pairs = len(list(intervals(log, name)))
        if not pairs or {len(starts), len(stops)} != {pairs}:
            yield case.log_problem(
                f"{name}_start and {name}_stop do not pair up",
                starts[0].line if starts else None,
                found=f"{len(starts)} starts, {len(stops)} stops, {pairs} pairs",
            )
    starts, values = log.all("eval_start"), log.all("eval_accuracy")
    if len(starts) != len(values):
        yield case.log_problem(
            "not one eval_accuracy an evaluation",
            values[-1].line if values else None,
            expected=str(len(starts)),
            found=str(len(values)),
        )
    for event in log.events:
        if event.key in INSIDE_THE_RUN and event.samples_count is None:
            yield case.log_problem(f"{event.key} has no samples_count", event.line)


@rule("LOG-4", on="run", when=_finished)
def log_is_ordered(case: RunCase) -> Iterator[Problem]:
    """Nothing in the log happens before what precedes it.

    Times never fall; init_start, init_stop, run_start and run_stop follow one another; in
    training, every block and every evaluation lies between run_start and run_stop.
    """
    log = case.evidence.log
    for before, event in itertools.pairwise(log.events):
        if event.time_ms < before.time_ms:
            yield case.log_problem(
                "the time falls",
                event.line,
                expected=f">= {before.time_ms}",
                found=str(event.time_ms),
            )
    milestones = [one for key in MILESTONES if (one := log.first(key))]
    for first, second in itertools.pairwise(milestones):
        if second.line < first.line:
            yield case.log_problem(f"{second.key} comes before {first.key}", second.line)
    if case.trains:
        yield from _outside(case, log)


def _outside(case: RunCase, log: EventLog) -> Iterator[Problem]:
    start, stop = log.first("run_start"), log.first("run_stop")
    for event in log.events:
        if event.key in INSIDE_THE_RUN and (
            (start and event.line < start.line) or (stop and event.line > stop.line)
        ):
            yield case.log_problem(f"{event.key} lies outside the run", event.line)


@rule("LOG-5", on="run", when=_finished)
def log_agrees_with_record(case: RunCase) -> Iterator[Problem]:
    """The log says the same as ``run.json``.

    Workload, division, organisation, platform, seeds, status, quality and samples are equal; the
    duration is equal within 0.1 s (inference: the queries take up the run but for at most 2 s).
    """
    for key, expected in _recorded(case).items():
        for event in case.evidence.log.all(key):
            if event.value != expected:
                yield _differs(case, event, key, expected, event.value)
    for name, seed in case.evidence.run.seeds.items():
        for event in _seed_events(case, name):
            if event.value != seed:
                yield _differs(case, event, f"seed {name}", seed, event.value)
    yield from _ending_agrees(case)
    yield from _quality_agrees(case)
    yield from _duration_agrees(case)


def _recorded(case: RunCase) -> dict[str, Any]:
    run, system = case.evidence.run, case.submission.system
    return {
        "submission_benchmark": run.workload,
        "submission_division": run.division.value,
        "submission_org": system.declared.organisation if system.declared else "undeclared",
        "submission_platform": system.name,
    }


def _differs(case: RunCase, event: Event, what: str, expected: Any, found: Any) -> Problem:
    return case.log_problem(
        f"{what} is not the record's", event.line, expected=repr(expected), found=repr(found)
    )


def _ending_agrees(case: RunCase) -> Iterator[Problem]:
    run, stop = case.evidence.run, case.evidence.log.last("run_stop")
    expected = _STATUS_WORD.get(run.status)
    if stop and stop.metadata.get("status") != expected:
        yield _differs(case, stop, "the status", expected, stop.metadata.get("status"))


def _quality_agrees(case: RunCase) -> Iterator[Problem]:
    run, last = case.evidence.run, case.evidence.log.last("eval_accuracy")
    if run.mode not in (Mode.TRAINING, Mode.ACCURACY):
        return
    if last is None:
        yield case.log_problem("no quality is logged (eval_accuracy)")
        return
    if last.value != run.quality:
        yield _differs(case, last, "the quality", run.quality, last.value)
    if last.samples_count != run.samples:
        yield _differs(case, last, "the number of samples", run.samples, last.samples_count)


def _duration_agrees(case: RunCase) -> Iterator[Problem]:
    window_ms, claimed = timed_window_ms(case.evidence.log), case.evidence.run.duration_ns
    if window_ms is None:
        return
    logged = (window_ms[1] - window_ms[0]) * 1_000_000
    slack = _APART_NS if case.trains else _FLUSH_NS
    if claimed is None or not -_APART_NS <= logged - claimed <= slack:
        yield case.record_problem(
            "the duration is not that from run_start to run_stop",
            expected=f"{logged} ns",
            found="none" if claimed is None else f"{claimed} ns",
        )
