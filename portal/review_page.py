"""Rounds under review: what waits for whom, and where every bundle stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.content import Content
from portal.listing import Listing
from portal.rendering import write_page
from portal.review_addresses import entry_address, log_address, thread_address
from portal.round_review import RoundReview
from portal.work_list import Task, tasks
from submissions.review.status import State, Status

STATES: dict[State, tuple[str, str]] = {
    State.UNKNOWN: ("bad", "?"),
    State.SUBMITTED: ("plain", "◆"),
    State.UNDER_REVIEW: ("warn", "△"),
    State.OBJECTED: ("bad", "!"),
    State.ACCEPTED: ("", "✓"),
    State.PUBLISHED: ("", "✓"),
    State.AMENDED: ("plain", "–"),
    State.REJECTED: ("bad", "✕"),
    State.VOID: ("bad", "✕"),
    State.WITHDRAWN: ("plain", "–"),
}
"""Kind for the colour and icon of each state, in the order in which the page shows them."""
_HIGHER = {
    "L1": "A check that passes and a countersignature by another organisation would raise it to "
    "L2.",
    "L2": "A replication by another organisation that comes out equal would raise it to L3.",
    "L3": "The chair’s word that the hardware was attested or the run supervised would raise it "
    "to L4.",
}
_BESIDE = 4
"""Bundles in a state up to which it stands beside the others."""
_FINAL = (State.AMENDED, State.REJECTED, State.VOID, State.WITHDRAWN, State.UNKNOWN)


@dataclass(frozen=True)
class Card:
    """One bundle on the board."""

    status: Status
    address: str
    higher: str
    """What would raise its level; empty if nothing can."""
    organisations: tuple[str, ...]
    """Who has to do with it: submitter, reviewers, and those for whom it waits."""
    listings: tuple[Listing, ...]


@dataclass(frozen=True)
class RoundView:
    """One round on the page."""

    review: RoundReview
    log: str
    tasks: tuple[tuple[Task, str, str], ...]
    """Each with the addresses of its bundle's thread and of the entry since which it waits."""
    columns: tuple[tuple[State, str, str, tuple[Card, ...]], ...]
    """State, kind, icon and cards, of states that a bundle is in."""

    @property
    def side_by_side(self) -> bool:
        """Whether states stand beside each other: only where none is much longer than the rest."""
        return all(len(cards) <= _BESIDE for _, _, _, cards in self.columns)


def write_review(site: Path, content: Content) -> None:
    """Write ``review/index.html``."""
    by_bundle = listings_by_bundle(content)
    rounds = [_round(review, by_bundle) for review in content.reviews]
    names = {name for view in rounds for name in _organisations(view)}
    write_page(
        site,
        "review/index.html",
        "review.html",
        here="review",
        rounds=rounds,
        organisations=sorted(names),
    )


def listings_by_bundle(content: Content) -> dict[str, list[Listing]]:
    """The results on the site of each bundle."""
    found: dict[str, list[Listing]] = {}
    for listing in content.listings:
        found.setdefault(listing.published.bundle.id, []).append(listing)
    return found


def _organisations(view: RoundView) -> list[str]:
    return [
        name for _, _, _, cards in view.columns for card in cards for name in card.organisations
    ]


def _round(review: RoundReview, by_bundle: dict[str, list[Listing]]) -> RoundView:
    waiting = tasks(review)
    cards = [
        _card(review, status, waiting, by_bundle.get(status.bundle, ()))
        for status in review.statuses.values()
    ]
    columns = (
        (state, *marks, tuple(card for card in cards if card.status.state is state))
        for state, marks in STATES.items()
    )
    return RoundView(
        review,
        log_address(review),
        tuple(
            (task, thread_address(review, task.bundle), entry_address(review, task.since))
            for task in waiting
        ),
        tuple(column for column in columns if column[-1]),
    )


def _card(
    review: RoundReview, status: Status, waiting: Sequence[Task], listings: Sequence[Listing]
) -> Card:
    whose = {name for task in waiting if task.bundle == status.bundle for name in task.who}
    whose |= {status.submitter, *status.assigned, *status.reviewed_by, *status.countersigned_by}
    whose |= {objection.event.by for objection in status.objections}
    return Card(
        status,
        thread_address(review, status.bundle),
        what_raises(status),
        tuple(sorted(whose)),
        tuple(listings),
    )


def what_raises(status: Status) -> str:
    """In a sentence, what would raise the bundle's level; empty where nothing can."""
    if status.state in _FINAL:
        return ""
    if status.state is State.OBJECTED:
        return "While an objection stands, the level is L1."
    if status.level == "L2" and any(one.outcome == "different" for one in status.replications):
        return "A replication came out different: that keeps it at L2."
    return _HIGHER.get(status.level, "")
