"""Edits of inference runs, for tests that break a rule or cheat."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from altered import with_claim, with_evidence, with_queries, with_record
from valid import ROUND

from harness.queries import QueryLog
from harness.records import Scenario
from rules.scoring import duration_ns, score
from rules.submission import Entry, RunEvidence, Submission

STREAM, MULTI, SERVER = Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.SERVER
INTERACTIVE, OFFLINE = Scenario.INTERACTIVE, Scenario.OFFLINE
PERFORMANCE, ACCURACY, SAMPLED, REPEATED, OTHER_SEEDS, TOKENS = range(6)
"""Places of an inference result's runs."""

Edit = Callable[[QueryLog], QueryLog]


def column(name: str, row: int | slice, value: int) -> Edit:
    """An edit that gives a row, or some, another value."""

    def edit(log: QueryLog) -> QueryLog:
        log[name][row] = value
        return log

    return edit


def three_times_as_fast(log: QueryLog) -> QueryLog:
    """Every time divided by three."""
    for name in ("scheduled", "issued", "completed"):
        log[name] //= 3
    return log


def times_longer(factor: float) -> Edit:
    """An edit that makes every latency so many times as long, from the issue."""

    def edit(log: QueryLog) -> QueryLog:
        log["completed"] = log["issued"] + (log["completed"] - log["issued"]) * factor
        return log

    return edit


def without_row(row: int) -> Edit:
    """An edit that drops a row and numbers the queries anew."""

    def edit(log: QueryLog) -> QueryLog:
        left = np.delete(log, row)
        left["query"] = np.arange(len(left))
        return left

    return edit


def drop_run(number: int) -> Callable[[Entry], Entry]:
    """The entry and its claim without one run."""

    def change(entry: Entry) -> Entry:
        runs = tuple(e for at, e in enumerate(entry.runs) if at != number)
        names = tuple(n for at, n in enumerate(entry.result.runs) if at != number)
        return Entry(entry.path, entry.result.model_copy(update={"runs": names}), runs)

    return change


def with_answers(
    submission: Submission,
    scenario: Scenario,
    edit: Callable[[list[Any]], list[Any]],
    number: int = ACCURACY,
) -> Submission:
    """``submission`` with other answers to the same samples."""

    def changed(evidence: RunEvidence) -> RunEvidence:
        old = evidence.answers or ()
        new = edit([answer.answer for answer in old])
        pairs = zip(old, new, strict=True)
        return replace(
            evidence, answers=tuple(a.model_copy(update={"answer": value}) for a, value in pairs)
        )

    return with_evidence(submission, scenario, changed, number)


def with_settings(
    submission: Submission, scenario: Scenario, number: int = PERFORMANCE, /, **changes: Any
) -> Submission:
    """``submission`` with other settings in one run."""

    def changed(evidence: RunEvidence) -> RunEvidence:
        assert evidence.run.settings is not None
        settings = evidence.run.settings.model_copy(update=changes)
        return replace(evidence, run=evidence.run.model_copy(update={"settings": settings}))

    return with_evidence(submission, scenario, changed, number)


def reckoned(
    submission: Submission, scenario: Scenario, edit: Edit, number: int = PERFORMANCE
) -> Submission:
    """``submission`` with one run's query log forged, and record and claim made to agree."""
    forged = with_queries(submission, scenario, edit, number)
    entry = next(e for e in forged.entries if e.result.scenario == scenario)
    log = entry.runs[number].queries
    assert log is not None
    forged = with_record(forged, scenario, number, samples=len(log), duration_ns=duration_ns(log))
    return with_claim(forged, scenario, value=score(scenario, entry.runs, ROUND))
