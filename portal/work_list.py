"""What a round waits for: whose turn it is on each bundle, and since which entry of the log."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.round_review import RoundReview
from submissions.review.case import Case, Checked, Logged, Objection, open_objections
from submissions.review.event import Kind, ReviewEvent
from submissions.review.status import REVIEWS_NEEDED, State, Status

_OPEN = (State.SUBMITTED, State.UNDER_REVIEW)


@dataclass(frozen=True)
class Task:
    """One thing that somebody has to do."""

    since: int
    """The entry of the log that made it necessary: what waits longest has the least."""
    bundle: str
    what: str
    who: tuple[str, ...]
    """Organisations that may do it, by the keyring."""
    turn: str
    """In what role."""


def tasks(review: RoundReview) -> list[Task]:
    """Everything that is to be done, what waits longest first; nothing where it cannot be told."""
    found = [
        task
        for status in review.statuses.values()
        for task in _tasks(review, review.replay.cases[status.bundle], status)
    ]
    return sorted(found, key=lambda task: (task.since, task.bundle, task.what))


def _tasks(review: RoundReview, case: Case, status: Status) -> Iterator[Task]:
    if status.state is State.OBJECTED:
        for objection in open_objections(case, review.replay.cases):
            yield _objected(review, case, objection)
    if status.state is State.REJECTED:
        yield from _appealed(review, case)
    if status.state is State.ACCEPTED:
        last = review.counting(case)[-1].index
        yield _task(review, case, last, "publish it", "chair")
    if status.state in _OPEN or status.state is State.OBJECTED:
        yield from _checks(review, case, status)
        yield from _reviews(review, case, status)
        yield from _replications(review, case)


def _task(review: RoundReview, case: Case, since: int, what: str, turn: str, *who: str) -> Task:
    """A task of ``who``, or of everybody of that turn who may have part in the bundle."""
    roles = {"chair": "root", "reviewer": "review", "replicator": "replicate"}
    if turn == "submitter":
        who = (case.submitter,)
    elif not who:
        barred = case.recused | ({case.submitter} if turn != "chair" else set())
        who = tuple(one for one in review.organisations(roles[turn]) if one not in barred)
    return Task(since, case.bundle, what, who, turn)


def _checks(review: RoundReview, case: Case, status: Status) -> Iterator[Task]:
    if status.check == "none":
        yield _task(review, case, case.index, "check it, and sign the verdict", "reviewer")
    if status.check == "failed":
        entries = review.counting(case)
        last = max(one.index for one in entries if _fails(one))
        yield _task(review, case, last, "amend it: the check failed", "submitter")


def _fails(entry: Logged) -> bool:
    return isinstance(entry.content, Checked) and bool(entry.content.failed)


def _reviews(review: RoundReview, case: Case, status: Status) -> Iterator[Task]:
    assigned = [one for one in status.assigned if one not in case.done | case.recused]
    asked = {
        _event(entry).reviewer: entry.index for entry in _said(review, case, "review-assigned")
    }
    for name in assigned:
        what = "finish the review that was assigned"
        yield _task(review, case, asked[name], what, "reviewer", name)
    missing = REVIEWS_NEEDED - len(status.reviewed_by) - len(assigned)
    if missing > 0:
        others = [
            one
            for one in review.organisations("review")
            if one not in case.done | case.recused | case.assigned | {case.submitter}
        ]
        what = "review it: nobody is assigned" if missing > 1 else "review it as the second"
        yield Task(case.index, case.bundle, what, tuple(others), "reviewer")


def _objected(review: RoundReview, case: Case, objection: Objection) -> Task:
    """Whose turn it is on an open objection."""
    about = f"the objection of {objection.event.by} (entry {objection.index})"
    conceded = _said(review, case, "concede", objection.envelope)
    answers = _said(review, case, "response", objection.envelope)
    on = (objection.envelope, *(answer.envelope for answer in answers))
    votes = _said(review, case, "vote", *on)
    if votes:
        what = f"decide on {about}: votes are cast"
        return _task(review, case, votes[0].index, what, "chair")
    if conceded:
        what = f"amend it: {about} is conceded"
        return _task(review, case, conceded[0].index, what, "submitter")
    if answers:
        what = f"drop {about}, or vote on it: it is answered"
        return _task(review, case, answers[0].index, what, "reviewer")
    return _task(review, case, objection.index, f"answer {about}", "submitter")


def _appealed(review: RoundReview, case: Case) -> Iterator[Task]:
    appeals = _said(review, case, "appeal", case.rejected)
    if not appeals:
        since = review.places[case.rejected].index
        yield _task(review, case, since, "appeal, or amend it", "submitter")
    for appeal in appeals:
        if not _said(review, case, "verdict", appeal.envelope):
            yield _task(review, case, appeal.index, "decide on the appeal", "chair")


def _replications(review: RoundReview, case: Case) -> Iterator[Task]:
    """Requests that the chair has not answered, and grants that nobody has carried out."""
    results = _said(review, case, "replicate-result")
    for asked in _said(review, case, "replicate-request"):
        granted = _said(review, case, "replicate-grant", asked.envelope)
        refused = _said(review, case, "replicate-refuse", asked.envelope)
        if refused or any(result.index > asked.index for result in results):
            continue
        if granted:
            yield _task(review, case, granted[0].index, "replicate it", "replicator")
        else:
            yield _task(review, case, asked.index, "grant or refuse the replication", "chair")


def _said(review: RoundReview, case: Case, kind: Kind, *refers_to: str) -> list[Logged]:
    """Events of a kind that count, about a bundle or those that it amends, in order."""
    return [
        entry
        for entry in review.history(case.bundle)
        if isinstance(entry.content, ReviewEvent)
        and entry.content.type == kind
        and entry.index not in review.ignored
        and (not refers_to or entry.content.refers_to in refers_to)
    ]


def _event(entry: Logged) -> ReviewEvent:
    assert isinstance(entry.content, ReviewEvent)  # as _said has it
    return entry.content
