"""Copies of a submission in which one thing differs, for tests that break a rule."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from valid import announced

from harness.events import Event, EventLog
from harness.queries import QueryLog
from harness.records import Number, Scenario
from rules.submission import Entry, RunEvidence, Submission

Edit = Callable[[list[Event]], Sequence[Event]]


def with_entry(
    submission: Submission, scenario: Scenario, change: Callable[[Entry], Entry]
) -> Submission:
    """``submission`` with the entry of ``scenario`` changed, and announced as it then is."""
    entries = (change(e) if e.result.scenario == scenario else e for e in submission.entries)
    return announced(replace(submission, entries=tuple(entries)))


def with_claim(submission: Submission, scenario: Scenario, /, **claim: Any) -> Submission:
    """``submission`` with other fields in a result."""
    return with_entry(
        submission, scenario, lambda e: replace(e, result=e.result.model_copy(update=claim))
    )


def with_evidence(
    submission: Submission,
    scenario: Scenario,
    change: Callable[[RunEvidence], RunEvidence],
    number: int = 0,
) -> Submission:
    """``submission`` with one run's evidence changed."""

    def changed(entry: Entry) -> Entry:
        runs = list(entry.runs)
        runs[number] = change(runs[number])
        return replace(entry, runs=tuple(runs))

    return with_entry(submission, scenario, changed)


def with_record(
    submission: Submission, scenario: Scenario, number: int = 0, /, **record: Any
) -> Submission:
    """``submission`` with other fields in one run's record."""
    return with_evidence(
        submission,
        scenario,
        lambda e: replace(e, run=e.run.model_copy(update=record)),
        number,
    )


def with_log(submission: Submission, scenario: Scenario, edit: Edit, number: int = 0) -> Submission:
    """``submission`` with one run's events edited; lines are numbered anew."""

    def changed(evidence: RunEvidence) -> RunEvidence:
        events = edit(list(evidence.log.events))
        numbered = (event.replaced(line=line) for line, event in enumerate(events, 1))
        return replace(evidence, log=EventLog(tuple(numbered)))

    return with_evidence(submission, scenario, changed, number)


def with_hyperparameters(submission: Submission, **changes: Number) -> Submission:
    """``submission`` with other values in its first training run, in record and log alike."""
    run = submission.entries[0].runs[0].run
    values = {**run.hyperparameters, **changes}
    changed = with_record(submission, Scenario.TRAIN, hyperparameters=values)
    for name, value in changes.items():
        changed = with_log(changed, Scenario.TRAIN, saying(name, value))
    return changed


def with_queries(
    submission: Submission,
    scenario: Scenario,
    edit: Callable[[QueryLog], QueryLog | None],
    number: int = 0,
) -> Submission:
    """``submission`` with one run's query log edited, which is given as a copy."""

    def changed(evidence: RunEvidence) -> RunEvidence:
        assert evidence.queries is not None
        return replace(evidence, queries=edit(evidence.queries.copy()))

    return with_evidence(submission, scenario, changed, number)


def without(key: str) -> Edit:
    """An edit that leaves ``key`` out."""
    return lambda events: [event for event in events if event.key != key]


def saying(key: str, value: Any = None, **metadata: Any) -> Edit:
    """An edit that gives every ``key`` another value, or other metadata."""

    def edit(events: list[Event]) -> list[Event]:
        return [
            event.replaced(value=value, metadata={**event.metadata, **metadata})
            if event.key == key
            else event
            for event in events
        ]

    return edit


def at_times(time_ms: Callable[[Event], int]) -> Edit:
    """An edit that gives every event another time."""
    return lambda events: [event.replaced(time_ms=time_ms(event)) for event in events]


def repeated(key: str, before: str, later_ms: int = 0) -> Edit:
    """An edit that copies the first ``key`` to just before the first ``before``."""

    def edit(events: list[Event]) -> list[Event]:
        original = next(event for event in events if event.key == key)
        at = next(i for i, event in enumerate(events) if event.key == before)
        copy = original.replaced(time_ms=events[at].time_ms - later_ms)
        return [*events[:at], copy, *events[at:]]

    return edit
