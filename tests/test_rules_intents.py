"""rules/intents.py and intent_accounts.py: what is announced is counted, and nothing can vanish."""

from dataclasses import replace

import pytest
from altered import with_record
from breaks_intents import (
    EXTRA,
    INTENT_BREAKS,
    added,
    linked,
    slot,
    started,
    told_of,
    with_lines,
    withdrawn,
)
from valid import ROUND, START_MS, announced, bodies_of, installed, valid_submission

from harness.intents import Body, Line, Slot, next_line
from harness.records import RunStatus, Scenario
from rules.intent_accounts import accounts, log_text
from rules.rule import Finding, check
from rules.submission import Submission

VALID = valid_submission()
RULES = set(INTENT_BREAKS)


def findings(submission: Submission) -> list[Finding]:
    return [f for f in check(submission, ROUND, installed).findings if f.rule in RULES]


def train_account(submission: Submission) -> str:
    return accounts(submission)[0].text.split(": ", 1)[1]


def first(submission: Submission, *bodies: Body) -> Submission:
    """The log written anew with lines about the training result before all others."""

    def change(pairs: list[tuple[Body, Line]]) -> list[tuple[Body, Line]]:
        return [*((body, pairs[0][1]) for body in bodies), *pairs]

    return linked(submission, change)


@pytest.mark.parametrize("number", sorted(RULES))
def test_a_warning_in_practice_and_an_error_where_intents_are_required(number: str) -> None:
    asking = ROUND.model_copy(update={"intents_required": True})
    for terms, severity in ((ROUND, "warning"), (asking, "error")):
        found = check(INTENT_BREAKS[number][0](VALID), terms, installed).findings
        assert {f.severity for f in found if f.rule == number} == {severity}


def test_a_training_that_came_to_nothing_counts_and_may_not_be_left_out() -> None:
    inside = with_record(VALID, Scenario.TRAIN, status=RunStatus.ABORTED)
    assert train_account(inside) == "2 scored of 3 started, 1 aborted"
    assert findings(inside) == []
    for status in ("aborted", "failed"):
        submission = added(VALID, *started(status))
        assert train_account(submission) == f"3 scored of 4 started, 1 {status} and left out"
        (finding,) = findings(submission)
        assert (finding.rule, EXTRA.id in finding.message) == ("INTENT-3", True)


def test_an_inference_run_that_failed_is_counted_and_not_held_against_anybody() -> None:
    entry = VALID.entries[1]
    run = entry.runs[0].run.model_copy(update={"id": "7" * 32, "status": RunStatus.FAILED})
    about = ROUND.name, run.workload, run.scenario
    lines = list(told_of(VALID))
    for body in bodies_of(run.model_copy(update={"started_ms": EXTRA.started_ms + 10**9})):
        lines.append(next_line(lines[-1], body, about))
    submission = with_lines(VALID, lines)
    assert findings(submission) == []
    assert "5 scored of 6 started, 1 failed and left out" in accounts(submission)[1].text


def test_picking_the_best_is_seen_however_it_is_told() -> None:
    assert "3 scored of 4 started, 1 complete but left out" in train_account(
        added(VALID, *started("complete"))
    )
    assert "1 without an outcome" in train_account(added(VALID, *started(None)))
    told = added(VALID, *started("complete"), withdrawn())
    assert "1 withdrawn after completion" in train_account(told)
    (finding,) = findings(told)
    assert (finding.severity, EXTRA.id in finding.message) == ("warning", True)


def test_other_hyperparameters_are_other_tries_and_counted_apart() -> None:
    other = {**EXTRA.hyperparameters, "opt_base_learning_rate": 0.4}
    submission = added(VALID, *started("complete", hyperparameters=other))
    assert findings(submission) == []
    assert train_account(submission) == "3 scored of 3 started, 1 more with other configurations"


def test_slots_are_taken_in_order_and_unused_ones_are_seen() -> None:
    early = [slot(1), slot(2)]
    submission = first(VALID, *(s.model_copy(update={"made_ms": START_MS}) for s in early))
    assert {f.rule for f in findings(submission)} == {"INTENT-4"}

    digests = [line.digest for line in told_of(submission) if isinstance(line.body, Slot)]

    def take(pairs: list[tuple[Body, Line]]) -> list[tuple[Body, Line]]:
        body, line = pairs[2]
        return [*pairs[:2], (body.model_copy(update={"slot": digests[0]}), line), *pairs[3:]]

    # The two other trainings had slots to take, too: one slot was passed over.
    taken = linked(submission, take)
    assert len(findings(taken)) == 1
    assert "1 of 2 slots unused" in train_account(taken)


def test_lines_about_others_may_be_hidden_and_hide_nothing_of_ones_own() -> None:
    only = replace(VALID, entries=VALID.entries[:1], intents=VALID.intents)
    hidden = [
        line if line.head.scenario is Scenario.TRAIN else line.hidden() for line in told_of(VALID)
    ]
    assert findings(with_lines(only, hidden)) == []
    (finding, *_) = findings(with_lines(only, [line.hidden() for line in told_of(VALID)]))
    assert (finding.rule, finding.line, "show it" in finding.message) == ("INTENT-1", 1, True)


def test_what_was_announced_otherwise_is_named() -> None:
    submission = replace(
        with_record(VALID, Scenario.TRAIN, precision="bf16"), intents=VALID.intents
    )
    (found, *_) = findings(submission)
    assert found.rule == "INTENT-2"
    assert "announced with another precision than it had" in found.message


def test_a_hostile_log_of_any_length_is_told_in_a_few_lines() -> None:
    lines = [line for line in told_of(VALID) for _ in range(10)]
    assert 0 < len(findings(with_lines(VALID, lines))) < 100


def test_a_bundle_of_before_is_told_and_no_account_is_made_up() -> None:
    (finding,) = findings(replace(VALID, intents=None))
    assert (finding.rule, finding.file) == ("INTENT-1", "manifest.json")
    assert accounts(replace(VALID, intents=None)) == []
    assert log_text(replace(VALID, intents=None)).startswith("no log")
    assert log_text(VALID).endswith("58 lines, 0 signed")
    assert announced(VALID) == VALID
