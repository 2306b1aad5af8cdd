from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_logs import RESULTS, A, B, Book, levels

from submissions.review.case import Checked, Countersigned, Logged, Missing, Refused, Submitted
from submissions.review.event import ReviewEvent
from submissions.review.replay import replay
from submissions.review.status import State


def test_a_review_without_objections_goes_its_way() -> None:
    book, seen = Book(), []
    for step in (
        lambda: None,
        lambda: book.event("chair", "review-assigned", reviewer="lab"),
        lambda: book.accepted(),
        lambda: book.event("chair", "publish"),
    ):
        step()
        seen.append((book.status().state, book.status().level))
    assert seen == [
        (State.SUBMITTED, "L1"),
        (State.UNDER_REVIEW, "L1"),
        (State.ACCEPTED, "L2"),
        (State.PUBLISHED, "L2"),
    ]


def test_an_objection_stands_until_its_author_drops_it() -> None:
    book = Book().accepted()
    objection = book.event("inst", "objection", text="too fast", rule="TRAIN-3")
    book.event("uni", "second", refers_to=objection)
    book.event("acme", "response", refers_to=objection, text="no")
    status = book.status()
    assert (status.state, status.level, status.open_objections) == (State.OBJECTED, "L1", 1)
    assert status.objections[0].seconded_by == ["uni"]
    assert status.objections[0].responses == ["no"]
    book.event("inst", "drop", refers_to=objection)
    assert (book.status().state, book.status().level) == (State.ACCEPTED, "L2")


def test_an_amendment_inherits_what_stands_against_the_bundle_that_it_replaces() -> None:
    book = Book()
    objection = book.event("lab", "objection", text="wrong")
    book.event("acme", "concede", refers_to=objection)
    book.say("acme", Submitted("acme", "1" * 32, RESULTS), B)
    book.event("acme", "amend", superseded_by=B)
    assert book.status().state is State.AMENDED
    assert book.status(B).state is State.OBJECTED
    assert book.status(B).objections[0].conceded
    book.event("lab", "drop", B, refers_to=objection)
    assert book.status(B).state is State.SUBMITTED


def test_a_waiver_names_rule_reason_effect_and_votes_and_lets_the_check_pass() -> None:
    book = Book().accepted()
    book.say("lab", Checked(("TRAIN-3",)))
    objection = book.event("lab", "objection", text="no declared cooling", rule="TRAIN-3")
    assert book.status().check == "failed"
    votes = [
        book.event(by, "vote", refers_to=objection, decision="waive") for by in ("uni", "inst")
    ]
    book.event(
        "chair", "verdict", refers_to=objection, decision="waive", rule="TRAIN-3",
        text="the meter broke", effect="shown with a note", votes=tuple(votes),
    )  # fmt: skip
    waiver = book.status().waivers[0]
    assert (waiver.rule, waiver.reason, waiver.effect) == (
        *("TRAIN-3", "the meter broke", "shown with a note"),
    )
    assert waiver.votes == ("uni: waive", "inst: waive")
    assert (book.status().check, book.status().state) == ("passed", State.ACCEPTED)


def test_a_rejected_bundle_may_be_restored_on_appeal() -> None:
    book = Book().accepted()
    objection = book.event("uni", "objection", text="wrong")
    verdict = book.event("chair", "verdict", refers_to=objection, decision="uphold", text="so")
    assert book.status().state is State.REJECTED
    appeal = book.event("acme", "appeal", refers_to=verdict, text="look again")
    assert book.status().state is State.REJECTED
    book.event("chair", "verdict", refers_to=appeal, decision="uphold", text="seen")
    assert book.status().state is State.ACCEPTED


@pytest.mark.parametrize(
    ("outcomes", "level"),
    [({"lab": "equal"}, "L3"), ({"lab": "equal", "both": "different"}, "L2"),
     ({"lab": "cannot tell"}, "L2")],
)  # fmt: skip
def test_replicated_by_another_organisation_is_level_3(
    outcomes: dict[str, str], level: str
) -> None:
    book = Book().accepted()
    for by, outcome in outcomes.items():
        book.event(by, "replicate-result", replica=B, outcome=outcome)
    assert book.status().level == level


def test_a_replication_raises_the_result_that_it_is_of() -> None:
    book = Book().accepted()
    book.event("lab", "replicate-result", replica=B, outcome="equal")
    book.entries[-1] = replace(
        book.entries[-1],
        content=ReviewEvent(
            type="replicate-result", by="lab", target=RESULTS[0], replica=B, outcome="equal"
        ),
    )
    assert book.status().levels == {RESULTS[0]: "L3", RESULTS[1]: "L2"}
    assert book.status().level == "L2"


def test_level_4_is_declared_by_the_chair_of_a_reviewed_bundle() -> None:
    book = Book()
    book.event("chair", "verdict", decision="attest", text="supervised")
    assert book.status().level == "L1"
    assert book.accepted().status().level == "L4"


@pytest.mark.parametrize(
    ("kind", "by", "fields", "state"),
    [
        ("withdraw", "acme", {"text": "wrong box"}, State.WITHDRAWN),
        ("verdict", "chair", {"decision": "void", "text": "forged"}, State.VOID),
    ],
)
def test_what_ends_a_bundle_takes_its_level(
    kind: str, by: str, fields: dict[str, str], state: State
) -> None:
    book = Book().accepted()
    book.event(by, kind, **fields)
    assert (book.status().state, book.status().level) == (state, "L1")


def test_a_recusal_takes_the_review_back_and_no_failure() -> None:
    book = Book().accepted()
    book.event("lab", "recuse")
    assert (book.status().level, book.status().check) == ("L1", "none")
    book.say("uni", Checked(("LOG-1",)))
    book.event("uni", "recuse")
    book.say("inst", Checked(()))
    assert book.status().check == "failed"


def test_a_missing_envelope_leaves_nothing_to_tell() -> None:
    book = Book().accepted()
    book.event("inst", "objection", text="wrong")
    gone = replace(book.entries[-1], content=Missing("events/….dsse.json"))
    status = replay([*book.entries[:-1], gone])[A]
    assert (status.state, status.level) == (State.UNKNOWN, "L0")
    assert "entry 5 is missing" in status.why


def test_what_does_not_hold_is_ignored_with_its_reason() -> None:
    book = Book()
    book.say("lab", Refused("signed by an unknown key"))
    assert book.reason() == "signed by an unknown key"


def _whole_review() -> list[Logged]:
    book = Book()
    book.event("chair", "review-assigned", reviewer="lab")
    first = book.event("uni", "objection", text="wrong")
    book.event("acme", "response", refers_to=first, text="no")
    vote = book.event("inst", "vote", refers_to=first, decision="uphold")
    verdict = book.event(
        "chair", "verdict", refers_to=first, decision="uphold", text="so", votes=(vote,)
    )
    appeal = book.event("acme", "appeal", refers_to=verdict, text="again")
    book.event("chair", "verdict", refers_to=appeal, decision="uphold", text="seen")
    statements = {A: book.statement, B: book.say("acme", Submitted("acme", "1" * 32, RESULTS), B)}
    second = book.event("lab", "objection", text="wrong")
    book.event("acme", "amend", superseded_by=B)
    book.event("lab", "drop", B, refers_to=second)
    for bundle in (A, B):
        book.say("lab", Checked(()), bundle)
        book.say("lab", Countersigned(statements[bundle]), bundle)
        for by in ("lab", "uni"):
            book.event(by, "review-done", bundle)
    book.event("lab", "replicate-result", B, replica="c" * 20, outcome="equal")
    book.event("chair", "publish", B)
    book.event("chair", "verdict", B, decision="attest", text="supervised")
    book.event("uni", "recuse", B)
    return book.entries


WHOLE = _whole_review()
_POSITIVE = (Submitted, Checked, Countersigned)


def _supports(entry: Logged) -> bool:
    """Whether an entry says something for a bundle, which a status may rise on."""
    kind = getattr(entry.content, "type", "")
    told = ("review-done", "drop", "replicate-result", "publish", "review-assigned")
    return isinstance(entry.content, _POSITIVE) or kind in told


def test_the_whole_review_reaches_every_level() -> None:
    seen = {levels(WHOLE[:end]).get(B) for end in range(len(WHOLE) + 1)}
    assert seen == {None, 1, 2, 3, 4}


@given(st.data())
def test_no_removed_envelope_ever_raises_a_level(data: st.DataObject) -> None:
    prefix = WHOLE[: data.draw(st.integers(1, len(WHOLE)))]
    gone = data.draw(st.sets(st.sampled_from(range(len(prefix))), min_size=1))
    left = [
        replace(entry, content=Missing("")) if entry.index in gone else entry for entry in prefix
    ]
    before = levels(prefix)
    assert all(level <= before[bundle] for bundle, level in levels(left).items())
    assert all(status.state is State.UNKNOWN for status in replay(left).values())


@given(st.data())
def test_a_level_rises_on_positive_statements_only(data: st.DataObject) -> None:
    prefix = WHOLE[: data.draw(st.integers(1, len(WHOLE)))]
    supporting = [entry.index for entry in prefix if _supports(entry)]
    gone = data.draw(st.sets(st.sampled_from(supporting), min_size=1))
    left = [entry for entry in prefix if entry.index not in gone]
    before = levels(prefix)
    assert all(level <= before[bundle] for bundle, level in levels(left).items())


def test_a_replay_is_a_function_of_the_entries_alone() -> None:
    assert replay(WHOLE) == replay(list(WHOLE))
