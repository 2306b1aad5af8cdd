from dataclasses import replace
from typing import Any

import pytest
from review_logs import RESULTS, ROLES, A, B, Book

from submissions.review.case import Checked, Countersigned, Signer, Submitted
from submissions.review.event import Kind
from submissions.review.replay import Replay
from submissions.review.status import State


def objected() -> tuple[Book, str]:
    book = Book()
    return book, book.event("lab", "objection", text="wrong")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("review-done", {}),
        ("objection", {"text": "mine"}),
        ("replicate-result", {"replica": B, "outcome": "equal"}),
    ],
)
def test_self_review_is_refused(kind: Kind, fields: dict[str, Any]) -> None:
    book = Book("both")
    book.event("both", kind, **fields)
    assert book.reason() == f"self-review: both is the submitter of bundle {A}"


def test_nobody_checks_or_countersigns_its_own_bundle() -> None:
    book = Book("both")
    for content in (Checked(()), Countersigned(book.statement)):
        book.say("both", content)
        assert "self-review" in book.reason()
    assert book.status().level == "L1"


@pytest.mark.parametrize("kind", ["response", "concede"])
def test_only_the_submitter_answers(kind: Kind) -> None:
    book, objection = objected()
    text = "no" if kind == "response" else ""
    book.event("both", kind, refers_to=objection, text=text)
    assert book.reason() == f"{kind} is for the submitter, acme, alone; both is not"


def test_a_role_that_the_keyring_does_not_give_at_that_place_is_refused() -> None:
    book = Book()
    book.event("acme", "publish")
    assert book.reason() == "the keyring gives acme submit at entry 1, not root"
    book.event("stranger", "review-done")
    assert "gives stranger no role" in book.reason()


def test_nobody_speaks_for_another_organisation() -> None:
    book = Book()
    book.event("lab", "review-done")
    signer = Signer("uni", frozenset(ROLES["uni"]))
    book.entries[-1] = replace(book.entries[-1], signers=(signer,))
    assert book.reason() == "it speaks for lab, and uni signed it"


def test_one_organisation_has_one_vote() -> None:
    book, objection = objected()
    book.event("uni", "vote", refers_to=objection, decision="uphold")
    assert book.reason() == ""
    book.event("uni", "vote", refers_to=objection, decision="reject")
    assert "one organisation, one vote" in book.reason()


def test_a_recused_reviewer_takes_no_part() -> None:
    book, objection = objected()
    book.event("uni", "recuse")
    for kind, fields in (
        ("review-done", {}),
        ("second", {"refers_to": objection}),
        ("vote", {"refers_to": objection, "decision": "uphold"}),
    ):
        book.event("uni", kind, **fields)
        assert book.reason() == f"uni has recused itself from bundle {A}"
    book.say("uni", Countersigned(book.statement))
    assert "recused" in book.reason()
    book.say("inst", Countersigned("f" * 64))
    assert "no statement of the submitter" in book.reason()
    book.event("chair", "review-assigned", reviewer="uni")
    assert "recused" in book.reason()


def test_an_objection_is_dropped_by_its_author_or_the_chair() -> None:
    book, objection = objected()
    book.event("uni", "drop", refers_to=objection)
    assert book.reason() == "the objection is lab's; only lab or the chair may drop it"
    assert book.status().state is State.OBJECTED
    book.event("chair", "drop", refers_to=objection)
    assert book.reason() == ""
    book.event("lab", "drop", refers_to=objection)
    assert book.reason() == "the objection is closed already"


def test_a_chair_does_not_drop_objections_to_its_own_bundle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ROLES, "acme", ("submit", "root"))
    book, objection = objected()
    book.event("acme", "drop", refers_to=objection)
    assert "self-review" in book.reason()
    book.event("acme", "verdict", refers_to=objection, decision="reject", text="no")
    assert "self-review" in book.reason()


def test_a_verdict_counts_every_vote_and_follows_them() -> None:
    book, objection = objected()
    votes = tuple(
        book.event(by, "vote", refers_to=objection, decision="uphold") for by in ("uni", "inst")
    )
    verdict = {"refers_to": objection, "decision": "reject", "text": "no"}
    book.event("chair", "verdict", **verdict, votes=votes[:1])
    assert book.reason() == "it does not count all votes: 2 were cast, it names 1"
    book.event("chair", "verdict", **verdict, votes=votes)
    assert book.reason() == "it decides reject against the votes: 2 for uphold"


def test_a_waiver_that_nobody_voted_for_is_refused() -> None:
    book, objection = objected()
    vote = book.event("uni", "vote", refers_to=objection, decision="uphold")
    book.event(
        "chair", "verdict", refers_to=objection, decision="waive", rule="LOG-1", text="so",
        effect="none", votes=(vote,),
    )  # fmt: skip
    assert book.reason() == "a waiver needs votes, and nobody voted for one"


def test_nobody_seconds_itself() -> None:
    book, objection = objected()
    book.event("lab", "second", refers_to=objection)
    assert book.reason() == "lab cannot second its own objection"


def test_an_event_refers_to_an_event_of_its_kind_about_its_bundle() -> None:
    book = Book()
    done = book.event("lab", "review-done")
    book.event("uni", "second", refers_to=done)
    assert book.reason() == "it refers to a review-done; a second is of objection"
    book.event("uni", "second", refers_to="f" * 64)
    assert "no event about this bundle" in book.reason()


def test_the_same_statement_counts_once() -> None:
    book = Book()
    book.event("lab", "review-done")
    book.entries.append(replace(book.entries[-1], index=2))
    assert book.reason() == "entry 1 is the same statement"


def unplaced(book: Book) -> str:
    return Replay(book.entries).unplaced[-1].reason


def test_a_replayed_nonce_is_refused() -> None:
    book = Book()
    book.say("acme", Submitted("acme", "0" * 32, RESULTS), B)
    assert unplaced(book) == f"replayed: its nonce is that of bundle {A} (entry 0)"


def test_a_submission_in_anothers_name_is_refused() -> None:
    book = Book()
    book.say("both", Submitted("acme", "2" * 32, RESULTS), B)
    assert unplaced(book) == "it speaks for acme, and both signed it"


def test_publishing_asks_for_acceptance() -> None:
    book = Book()
    book.event("chair", "publish")
    assert "is submitted, not accepted: no checker has given a verdict yet" in book.reason()
    book.accepted().event("chair", "publish")
    assert book.status().state is State.PUBLISHED


def test_amendments_take_a_later_bundle_of_the_submitters_own() -> None:
    book = Book()
    book.say("both", Submitted("both", "1" * 32, RESULTS), B)
    book.event("acme", "amend", superseded_by=B)
    assert book.reason() == f"acme has not submitted bundle {B}; submit it"
    late = Book()
    late.say("acme", Submitted("acme", "1" * 32, RESULTS), B)
    late.event("acme", "amend", B, superseded_by=A)
    assert "not submitted after" in late.reason()
    late.event("chair", "freeze")
    late.event("acme", "amend", superseded_by=B)
    assert "is frozen" in late.reason()


def test_nothing_is_added_to_a_withdrawn_bundle_but_errata() -> None:
    book = Book()
    book.event("acme", "withdraw", text="wrong")
    book.event("lab", "review-done")
    assert "is withdrawn" in book.reason()
    book.event("acme", "erratum", text="it was another box")
    assert book.status().errata == ("it was another box",)


def test_an_event_about_a_bundle_that_nobody_submitted_is_refused() -> None:
    book = Book()
    book.event("lab", "review-done", B)
    assert unplaced(book) == f"no bundle {B} has been submitted to this round"


def test_a_self_review_is_named_before_the_role_that_is_lacking() -> None:
    book = Book()
    book.event("acme", "review-done")
    assert book.reason() == f"self-review: acme is the submitter of bundle {A}"
