"""rules/rule.py: the valid submission passes, and each example breaks the rule that it names."""

import json
from dataclasses import replace

import pytest
from altered import at_times, repeated, saying, with_hyperparameters, with_log, with_record
from breaks import BREAKS, TRAIN, Break, with_search
from breaks_borrowing import BORROWING_BREAKS, LENDERS
from valid import RATE, ROUND, STEP, installed, valid_submission

from harness.events import Event
from harness.records import RunStatus, Scenario
from rules.registry import rule
from rules.round import read_round
from rules.rule import RULES, Report, check
from rules.submission import Submission

VALID = valid_submission()
EXAMPLES = [
    pytest.param(number, example, id=f"{number}-{at}")
    for number, examples in BREAKS.items()
    for at, example in enumerate(examples)
]


def findings(submission: Submission) -> set[str]:
    return {finding.rule for finding in check(submission, ROUND, installed).findings}


def test_a_valid_submission_is_silent() -> None:
    report = check(VALID, ROUND, installed)
    assert [finding.text for finding in report.findings] == []
    assert report.ok
    not_of_this = {"TELE-11", "TELE-15", "TELE-16", "TRAIN-10", *BORROWING_BREAKS, "SCORE-2"}
    assert set(report.not_applicable) == not_of_this
    assert set(report.passed) == RULES.keys() - not_of_this


def test_every_rule_has_an_example() -> None:
    assert BREAKS.keys() == RULES.keys()
    assert all(BREAKS.values())


@pytest.mark.parametrize(("number", "example"), EXAMPLES)
def test_an_example_breaks_its_rule(number: str, example: Break) -> None:
    report = check(example(VALID), ROUND, installed, LENDERS)
    broken = [finding for finding in report.findings if finding.rule == number]
    assert broken
    assert not [finding for finding in broken if "could not judge" in finding.message]
    assert number not in report.passed


def only_the_last_evaluation(events: list[Event]) -> list[Event]:
    inside = ("block_start", "block_stop", "eval_start", "eval_accuracy", "eval_stop")
    keep = {key: [e for e in events if e.key == key][-1] for key in inside}
    return [e for e in events if e.key not in inside or e is keep[e.key]]


def stop_before_start(event: Event) -> int:
    return event.time_ms - 60_000 * (event.key == "run_stop")


ATTACKS: dict[str, tuple[Break, set[str]]] = {
    "a second run_start just before run_stop": (
        lambda s: with_log(s, TRAIN, repeated("run_start", before="run_stop", later_ms=1)),
        {"LOG-2"},
    ),
    "an early run_stop": (
        lambda s: with_log(s, TRAIN, repeated("run_stop", before="block_start")),
        {"LOG-2", "LOG-4"},
    ),
    "run_stop before run_start": (
        lambda s: with_log(s, TRAIN, at_times(stop_before_start)),
        {"LOG-4", "LOG-5"},
    ),
    "aborted although the target was met": (
        lambda s: with_record(
            with_log(s, TRAIN, saying("run_stop", status="aborted")),
            TRAIN,
            status=RunStatus.ABORTED,
        ),
        {"TRAIN-3", "TRAIN-5"},
    ),
    "an evaluation after run_stop": (
        lambda s: with_log(
            s,
            TRAIN,
            lambda events: [*events[:-3], events[-1], *events[-3:-1]],
        ),
        {"LOG-4"},
    ),
    "only the last evaluation is logged": (
        lambda s: with_log(s, TRAIN, only_the_last_evaluation),
        {"TRAIN-4"},
    ),
    "a forged batch size": (
        lambda s: with_hyperparameters(s, global_batch_size=128),
        {"TRAIN-4"},
    ),
    "ten hours between initialisation and run": (
        lambda s: with_log(
            s, TRAIN, at_times(lambda e: e.time_ms - 36_000_000 * e.key.startswith("init"))
        ),
        {"TRAIN-8"},
    ),
    "a training set of one": (
        lambda s: with_log(s, TRAIN, saying("train_samples", 1)),
        {"TRAIN-9"},
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_known_attack_is_seen(name: str) -> None:
    attack, rules = ATTACKS[name]
    assert rules <= findings(attack(VALID))


def test_rules_are_in_the_order_of_their_numbers() -> None:
    training = [number for number in RULES if number.startswith("TRAIN-")]
    assert training == [f"TRAIN-{n}" for n in sorted(int(name[6:]) for name in training)]
    assert next(iter(RULES)) == "ROUND-1"


def test_findings_are_in_the_order_of_the_rules() -> None:
    broken = VALID
    for number in ("SCORE-1", "TRAIN-9", "LOG-2"):
        broken = BREAKS[number][0](broken)
    found = [finding.rule for finding in check(broken, ROUND, installed).findings]
    assert found == sorted(found, key=list(RULES).index)
    assert {"SCORE-1", "TRAIN-9", "LOG-2"} <= set(found)


def test_a_real_round_refuses_what_practice_only_mentions() -> None:
    for number in ("SYSTEM-1", "SYSTEM-2"):
        submission = replace(BREAKS[number][0](VALID), round="2026.1")
        severities = {
            terms.name: {
                f.severity for f in check(submission, terms, installed).findings if f.rule == number
            }
            for terms in (ROUND, read_round("2026.1"))
        }
        assert severities == {"practice": {"warning"}, "2026.1": {"error"}}


def test_a_round_without_a_scenario_refuses_its_results() -> None:
    terms = ROUND.inference[Scenario.OFFLINE]
    narrow = ROUND.model_copy(update={"inference": {Scenario.OFFLINE: terms}})
    findings = check(VALID, narrow, installed).findings
    assert {finding.rule for finding in findings} == {"ROUND-1"}
    assert {finding.found for finding in findings} == set(Scenario) - {"train", "offline"}


def test_a_rule_that_crashes_is_an_error() -> None:
    """A time beyond any float makes the score's arithmetic overflow."""
    far = with_log(VALID, TRAIN, at_times(lambda e: 10**400 * (e.key == "run_stop") + e.time_ms))
    crashed = [f for f in check(far, ROUND, installed).findings if "could not judge" in f.message]
    assert {finding.severity for finding in crashed} == {"error"}
    assert "SCORE-1" in {finding.rule for finding in crashed}


def test_a_finding_reads_as_one_line() -> None:
    (finding,) = check(BREAKS["TRAIN-9"][0](VALID), ROUND, installed).findings
    line = finding.line
    assert line is not None
    assert finding.text == (
        "error TRAIN-9 results/image_classification/train/run_1/events.log:"
        f"{line}: train_samples is not the card's; expected 901, found 1"
    )


def test_a_report_survives_json() -> None:
    report = check(BREAKS["LOG-2"][0](VALID), ROUND, installed)
    assert Report.model_validate_json(report.model_dump_json()) == report
    assert json.loads(report.to_json())["findings"][0]["rule"] == "LOG-2"
    assert "1 errors" in report.summary


def test_a_number_is_given_once() -> None:
    with pytest.raises(ValueError, match="two rules are numbered TRAIN-1"):
        rule("TRAIN-1", on="result")(lambda _: [])


def test_the_valid_run_lengths_differ() -> None:
    """Else the Olympic mean would not depend on which runs it drops."""
    samples = [evidence.run.samples for evidence in VALID.entries[0].runs]
    assert samples == [3 * STEP, 4 * STEP, 5 * STEP]


def test_the_search_that_found_the_result_is_silent() -> None:
    report = check(with_search(VALID, RATE), ROUND, installed)
    assert report.findings == ()
    assert "SCORE-2" in report.passed
