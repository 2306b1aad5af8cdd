"""The page of one bundle's review: where it stands, and everything that was said, in log order."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.content import Content
from portal.listing import Listing
from portal.rendering import write_page
from portal.review_addresses import rule_address, thread_address
from portal.review_page import STATES, listings_by_bundle, what_raises
from portal.round_review import RoundReview
from portal.thread import Said, thread
from portal.work_list import Task, tasks
from rules.rule import RULES
from submissions.review.case import Objection
from submissions.review.status import State

_PLACE, _TEXT = "FILE:FIRST-LAST", "WHAT IS WRONG"
_CLOSED = (State.AMENDED, State.WITHDRAWN, State.VOID)
"""States in which an objection to the bundle comes to nothing."""
_MOST_COMMANDS = 20


@dataclass(frozen=True)
class Command:
    """An objection that is ready to be typed."""

    why: str
    rule: str
    address: str
    """Of the rule."""
    line: str


def write_threads(site: Path, content: Content) -> None:
    """Write ``review/<round>/<bundle>/index.html`` of every bundle that was handed in."""
    by_bundle = listings_by_bundle(content)
    for review in content.reviews:
        waiting = tasks(review)
        for bundle in review.statuses:
            own = [task for task in waiting if task.bundle == bundle]
            _write(site, review, bundle, by_bundle, own)


def _write(
    site: Path,
    review: RoundReview,
    bundle: str,
    by_bundle: dict[str, list[Listing]],
    waiting: Sequence[Task],
) -> None:
    status = review.statuses[bundle]
    held = dict.fromkeys(entry.bundle or "" for entry in review.history(bundle))
    listings = [listing for name in held for listing in by_bundle.get(name, ())]
    said = thread(review, bundle, listings)
    own = by_bundle.get(bundle, [])
    write_page(
        site,
        thread_address(review, bundle),
        "thread.html",
        here="review",
        crumbs=(("Under review", "review/index.html"), (bundle, "")),
        review=review,
        status=status,
        marks=STATES[status.state],
        higher=what_raises(status),
        said=said,
        objections=[_objection(one, said) for one in status.objections],
        waiting=waiting,
        listings=own,
        amends=_other(review, status.supersedes),
        amended=_other(review, status.superseded_by),
        closed=status.state in _CLOSED,
        command=command(review, bundle, "RULE", _PLACE, _TEXT),
        commands=_commands(review, bundle, own),
        rules=list(RULES),
        logs=_logs(own),
    )


def _other(review: RoundReview, bundle: str | None) -> tuple[str, str] | None:
    return (bundle, thread_address(review, bundle)) if bundle else None


def _objection(objection: Objection, said: Sequence[Said]) -> tuple[Said, Objection, str]:
    """The entry, the objection, and what became of it."""
    entry = next(one for one in said if one.index == objection.index)
    state = objection.closed or ("conceded, and open" if objection.conceded else "open")
    return entry, objection, state


def command(review: RoundReview, bundle: str, rule: str, place: str, text: str) -> str:
    """The command line that objects to ``bundle``."""
    return (
        f"levelfield review object {bundle} --folder submissions/rounds/{review.name} "
        f"--rule {rule} --at {place} --text {shlex.quote(text)}"
    )


def _commands(review: RoundReview, bundle: str, listings: Sequence[Listing]) -> list[Command]:
    """An objection for each finding of the check that is of a line of the bundle."""
    found = {
        (finding.rule, finding.file, finding.line): finding
        for listing in listings
        for finding in listing.findings
        if finding.line
    }
    return [
        Command(
            finding.message,
            finding.rule,
            rule_address(finding.rule),
            command(review, bundle, finding.rule, shlex.quote(f"{file}:{line}"), finding.message),
        )
        for (_, file, line), finding in list(found.items())[:_MOST_COMMANDS]
    ]


def _logs(listings: Sequence[Listing]) -> list[str]:
    """Event logs of the bundle, which an objection may cite."""
    return [evidence.file("events.log") for listing in listings for evidence in listing.entry.runs]
