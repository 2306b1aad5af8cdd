"""portal/trust_strip.py: where a bundle stands in its round, shown beside its results."""

from dataclasses import replace

import pytest
from portal_example import published, system, training_run

from portal.listing import Listing, list_results
from portal.trust_strip import trust_items
from rules.rule import Finding, Report
from submissions.review.case import Waiver
from submissions.review.status import Level, State, Status

TRAIN = "results/image_classification/train"


def status(state: State, level: Level = "L1", *waivers: Waiver) -> Status:
    return Status(
        bundle="b" * 20, submitter="acme", state=state, level=level, levels={TRAIN: level},
        why="for a reason", check="passed", assigned=(), reviewed_by=("lab", "uni"),
        countersigned_by=(), recused=(), objections=(), waivers=waivers, effects=(),
        errata=("the clock was 1 s late",), replications=(), supersedes=None, superseded_by=None,
        frozen=False, ignored=(),
    )  # fmt: skip


def listed(standing: Status | None, *findings: Finding) -> Listing:
    entry = published(system("a", "acme"), [training_run(n, 8.0 + n) for n in (1, 2, 3)])
    report = Report(round="practice", findings=findings, passed=(), not_applicable=())
    return list_results([replace(entry, report=report, standing=standing)])[0]


def test_without_a_round_nothing_is_said_of_review() -> None:
    assert not any("Review" in item.text for item in trust_items(listed(None)))


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.PUBLISHED, ""),
        (State.ACCEPTED, ""),
        (State.SUBMITTED, "warn"),
        (State.OBJECTED, "warn"),
        (State.UNKNOWN, "bad"),
        (State.REJECTED, "bad"),
    ],
)
def test_a_state_in_words_and_never_by_colour_alone(state: State, kind: str) -> None:
    items = {item.text: item for item in trust_items(listed(status(state)))}
    item = items[f"Review: {state}. for a reason."]
    assert (item.kind, item.icon) == (kind, {"": "✓", "warn": "!", "bad": "✕"}[kind])
    assert "Reviewed by lab, uni." in items
    assert "Erratum: the clock was 1 s late" in items


@pytest.mark.parametrize("level", ["L0", "L1", "L2", "L3", "L4"])
def test_the_level_is_the_logs_word(level: Level) -> None:
    shown = listed(status(State.SUBMITTED, level))
    assert shown.trust.startswith(f"{level}: ")


def test_a_waived_rule_is_told_and_no_longer_refuses() -> None:
    finding = Finding(
        rule="SCORE-1", severity="error", file="", line=None, expected=None, found=None, message="m"
    )
    waiver = Waiver("SCORE-1", "the log is short", "shown with a note", ("lab: waive",), 4)
    other = replace(waiver, rule="TRAIN-1")
    assert listed(status(State.SUBMITTED, "L1", waiver), finding).errors == ()
    assert listed(status(State.SUBMITTED, "L1", other), finding).errors != ()
    texts = [item.text for item in trust_items(listed(status(State.ACCEPTED, "L1", waiver)))]
    assert "Waived: SCORE-1, because the log is short; effect: shown with a note." in texts
