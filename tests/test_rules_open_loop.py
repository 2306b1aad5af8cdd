"""rules/open_loop.py: cheats of a submitter who makes record, log and claim agree."""

import numpy as np
import pytest
from altered import with_record
from inference_edits import INTERACTIVE, SERVER, column, reckoned, with_settings, without_row
from valid import MS, RATE, ROUND, installed, valid_submission
from valid_queries import LATE_NS

from harness.queries import QueryLog
from harness.schedule import arrivals
from rules.rule import Finding, check
from rules.submission import Submission

VALID = valid_submission()


def findings(submission: Submission) -> list[Finding]:
    return list(check(submission, ROUND, installed).findings)


def rules(submission: Submission) -> set[str]:
    return {finding.rule for finding in findings(submission)}


def test_a_slow_query_left_out_is_missed_in_schedule_and_samples() -> None:
    assert {"INFER-7", "INFER-10"} <= rules(reckoned(VALID, SERVER, without_row(300)))


def test_a_run_that_stops_when_it_looks_good_is_seen() -> None:
    assert {"INFER-5", "INFER-10"} <= rules(reckoned(VALID, SERVER, lambda log: log[:-20]))


def test_a_smoother_schedule_is_forged() -> None:
    def evenly(log: QueryLog) -> QueryLog:
        shift = (np.arange(len(log)) * 4_100_000).astype(np.int64) - log["scheduled"]
        for name in ("scheduled", "issued", "completed"):
            log[name] += shift
        return log

    assert "INFER-10" in rules(reckoned(VALID, SERVER, evenly))


def test_a_higher_rate_than_the_schedule_gives_no_score() -> None:
    claimed = with_settings(VALID, SERVER, target_rate=2 * RATE)
    assert {"INFER-10", "SCORE-1"} <= rules(claimed)


def test_a_lucky_seed_is_not_the_rounds() -> None:
    def drawn(log: QueryLog) -> QueryLog:
        shift = arrivals(1, RATE, len(log)) - log["scheduled"]
        for name in ("scheduled", "issued", "completed"):
            log[name] += shift
        return log

    seeded = with_record(VALID, SERVER, seeds={**ROUND.seeds, "schedule": 1})
    assert "INFER-16" in rules(reckoned(seeded, SERVER, drawn))


def test_latency_counts_from_the_schedule() -> None:
    """A generator that waits for the system does not hide the queue: no coordinated omission."""

    def held_back(log: QueryLog) -> QueryLog:
        log["issued"] += 8 * MS
        log["completed"] += 8 * MS
        return log

    found = findings(reckoned(VALID, SERVER, held_back))
    assert {finding.rule for finding in found} >= {"INFER-12", "INFER-13"}
    (late,) = [finding for finding in found if finding.rule == "INFER-13"]
    assert (late.severity, late.found) == ("warning", f"{8 * MS + LATE_NS} ns")


def test_one_query_beyond_the_bound_needs_662() -> None:
    entry = next(e for e in VALID.entries if e.result.scenario == SERVER)
    log = entry.runs[0].queries
    assert log is not None
    assert len(log) >= 662
    over = reckoned(VALID, SERVER, column("completed", 7, int(log["issued"][7]) + 16 * MS))
    assert rules(over) == set()


@pytest.mark.parametrize("tokens", [0, 1])
def test_a_sample_of_too_few_tokens_gives_no_score(tokens: int) -> None:
    found = rules(reckoned(VALID, INTERACTIVE, column("tokens", 7, tokens)))
    assert {"INFER-11", "INFER-12", "SCORE-1"} <= found
