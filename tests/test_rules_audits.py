"""rules/audits.py: each audit catches the cheat that it is for, and lets others pass."""

from typing import Any

import pytest
from altered import with_queries
from inference_edits import (
    INTERACTIVE,
    MULTI,
    OFFLINE,
    OTHER_SEEDS,
    REPEATED,
    SAMPLED,
    SERVER,
    STREAM,
    TOKENS,
    reckoned,
    times_longer,
    with_answers,
)
from valid import ROUND, installed, valid_submission

from harness.records import Scenario
from rules.audits import equal_answers
from rules.round import read_round
from rules.rule import check
from rules.submission import Submission

VALID = valid_submission()


def findings(submission: Submission) -> dict[str, str]:
    """Severity by rule."""
    return {f.rule: f.severity for f in check(submission, ROUND, installed).findings}


@pytest.mark.parametrize("scenario", [STREAM, MULTI, OFFLINE])
def test_a_system_that_stores_answers_is_faster_on_one_sample(scenario: Scenario) -> None:
    quick = reckoned(VALID, scenario, times_longer(0.5), REPEATED)
    assert findings(quick)["AUDIT-4"] == "error"


def test_in_an_open_loop_storing_is_a_warning() -> None:
    quick = with_queries(VALID, SERVER, times_longer(0.5), REPEATED)
    assert findings(quick)["AUDIT-4"] == "warning"


@pytest.mark.parametrize("scenario", [STREAM, MULTI, SERVER, OFFLINE])
def test_within_the_tolerance_nothing_is_said(scenario: Scenario) -> None:
    for audit in (SAMPLED, REPEATED, OTHER_SEEDS):
        near = with_queries(VALID, scenario, times_longer(0.95), audit)
        assert not {"AUDIT-4", "AUDIT-6"} & findings(near).keys()


@pytest.mark.parametrize("scenario", [STREAM, MULTI, OFFLINE])
def test_a_system_that_knows_the_seeds_is_slower_without_them(scenario: Scenario) -> None:
    slow = with_queries(VALID, scenario, times_longer(1.4), OTHER_SEEDS)
    assert "AUDIT-6" in findings(slow)


def test_a_repeated_sample_may_be_slower() -> None:
    assert "AUDIT-4" not in findings(with_queries(VALID, STREAM, times_longer(1.4), REPEATED))


@pytest.mark.parametrize("scenario", [STREAM, MULTI, SERVER, OFFLINE])
def test_a_system_that_guesses_when_only_speed_counts(scenario: Scenario) -> None:
    guessing = with_answers(VALID, scenario, lambda answers: [3 for _ in answers], SAMPLED)
    assert findings(guessing)["AUDIT-3"] == "error"


def test_tokens_that_were_never_written() -> None:
    short = with_answers(VALID, INTERACTIVE, lambda answers: [a[:2] for a in answers], TOKENS)
    assert findings(short)["AUDIT-7"] == "error"


def test_practice_asks_for_no_audit() -> None:
    """Those that are there are judged all the same."""
    practice = read_round("practice")
    guessing = with_answers(VALID, STREAM, lambda answers: [3 for _ in answers], SAMPLED)
    assert "AUDIT-1" in check(VALID, practice, installed).passed
    assert "AUDIT-3" in {f.rule for f in check(guessing, practice, installed).findings}


@pytest.mark.parametrize("audit", [REPEATED, OTHER_SEEDS])
def test_in_practice_a_difference_in_speed_is_a_warning(audit: int) -> None:
    disturbed = reckoned(VALID, STREAM, times_longer(0.5), audit)
    (finding,) = check(disturbed, read_round("practice"), installed).findings
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (3, 3, True),
        (3, 4, False),
        (3, 3.0, False),
        (1, True, False),
        ("a", "a", True),
        (None, None, True),
        (1.0, 1.0009, True),
        (1.0, 1.002, False),
        (0.0, 1e-9, True),
        ([1, 2.0], [1, 2.001], True),
        ([1, 2], [1], False),
        ({"a": [1.0]}, {"a": [1.0]}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"a": 2}, False),
        ([], {}, False),
    ],
)
def test_equal_answers(one: Any, other: Any, *, equal: bool) -> None:
    assert equal_answers(one, other, 0.001) is equal
    assert equal_answers(other, one, 0.001) is equal
