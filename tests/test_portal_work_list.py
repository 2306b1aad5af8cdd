"""What a round waits for: each step of a review hands the turn to somebody."""

from review_logs import A, B, Book
from review_site import round_said

from portal.work_list import tasks
from submissions.review.case import Checked, Submitted


def turns(book: Book) -> list[tuple[int, str, str]]:
    """Since when, what and who, of what waits."""
    return [(t.since, t.what, " ".join(t.who)) for t in tasks(round_said(book))]


def objected() -> tuple[Book, str]:
    """A bundle that two have reviewed, and one of them objects to."""
    book = Book().accepted()
    return book, book.event("lab", "objection", text="so")


def test_a_new_bundle_waits_for_a_check_and_for_reviews() -> None:
    assert turns(Book()) == [
        (0, "check it, and sign the verdict", "inst lab uni"),
        (0, "review it: nobody is assigned", "inst lab uni"),
    ]


def test_an_assigned_review_waits_for_its_reviewer_alone() -> None:
    book = Book()
    book.say("lab", Checked(()))
    book.event("chair", "review-assigned", reviewer="uni")
    book.event("inst", "recuse")
    assert turns(book) == [
        (0, "review it as the second", "lab"),
        (2, "finish the review that was assigned", "uni"),
    ]


def test_a_failed_check_waits_for_the_submitter() -> None:
    book = Book()
    book.say("lab", Checked(("TRAIN-3",)))
    assert (1, "amend it: the check failed", "acme") in turns(book)


def test_what_is_done_waits_for_the_chair_and_then_for_nobody() -> None:
    book = Book().accepted()
    assert turns(book) == [(4, "publish it", "chair")]
    book.event("chair", "publish")
    assert turns(book) == []


def test_an_objection_passes_from_hand_to_hand() -> None:
    book, objection = objected()
    about = "the objection of lab (entry 5)"
    assert turns(book) == [(5, f"answer {about}", "acme")]
    book.event("acme", "response", refers_to=objection, text="no")
    answered = f"drop {about}, or vote on it: it is answered"
    assert turns(book) == [(6, answered, "inst lab uni")]
    book.event("uni", "vote", refers_to=objection, decision="reject")
    assert turns(book) == [(7, f"decide on {about}: votes are cast", "chair")]


def test_a_vote_on_the_answer_is_one_on_the_objection() -> None:
    book, objection = objected()
    answer = book.event("acme", "response", refers_to=objection, text="no")
    book.event("uni", "vote", refers_to=answer, decision="reject")
    assert turns(book)[0][2] == "chair"


def test_a_conceded_objection_waits_for_a_better_bundle_and_goes_along() -> None:
    book, objection = objected()
    book.event("acme", "concede", refers_to=objection)
    about = "the objection of lab (entry 5)"
    assert turns(book) == [(6, f"amend it: {about} is conceded", "acme")]
    book.say("acme", Submitted("acme", "1" * 32, ()), B)
    book.event("acme", "amend", superseded_by=B)
    waiting = tasks(round_said(book))
    assert {task.bundle for task in waiting} == {B}
    assert f"amend it: {about} is conceded" in [task.what for task in waiting]


def test_a_rejected_bundle_waits_for_an_appeal_and_for_the_word_on_it() -> None:
    book, objection = objected()
    verdict = book.event("chair", "verdict", refers_to=objection, decision="uphold", text="so")
    assert turns(book) == [(6, "appeal, or amend it", "acme")]
    appeal = book.event("acme", "appeal", refers_to=verdict, text="no")
    assert turns(book) == [(7, "decide on the appeal", "chair")]
    book.event("chair", "verdict", refers_to=appeal, decision="reject", text="still")
    assert turns(book) == []


def test_a_replication_is_granted_and_carried_out() -> None:
    book = Book()
    asked = book.event("uni", "replicate-request")
    assert (1, "grant or refuse the replication", "chair") in turns(book)
    book.event("chair", "replicate-grant", refers_to=asked)
    assert (2, "replicate it", "lab") in turns(book)
    book.event("lab", "replicate-result", replica="r" * 20, outcome="equal")
    assert not any("replica" in what for _, what, _ in turns(book))


def test_what_waits_longest_comes_first() -> None:
    book, _ = objected()
    book.say("acme", Submitted("acme", "1" * 32, ()), B)
    assert [task.bundle for task in tasks(round_said(book))] == [A, B, B]


def test_what_counts_for_nothing_makes_no_work() -> None:
    book, objection = objected()
    book.event("uni", "response", refers_to=objection, text="not mine to say")
    assert turns(book) == [(5, "answer the objection of lab (entry 5)", "acme")]
