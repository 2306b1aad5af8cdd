"""The keys of rounds: whose they are, what for, and from where to where in the log they count."""

from dataclasses import dataclass
from pathlib import Path

from portal.content import Content
from portal.listing import safe
from portal.rendering import write_page
from portal.review_addresses import entry_address
from portal.round_review import RoundReview
from submissions.keyring import allowed_signers
from submissions.keys import KeyEntry

_STATUS = {"active": ("", "✓"), "rotated": ("plain", "–"), "revoked": ("bad", "✕")}
_ROLES = (
    ("submit", "hands in bundles, and answers for them"),
    ("review", "checks, objects, seconds, votes and countersigns: never of its own bundles"),
    ("replicate", "repeats results of others on machines of its own"),
    ("witness", "signs that the log has only grown since it looked last"),
    ("log", "appends to the log, and decides nothing"),
    ("root", "the chair: assigns, gives verdicts, publishes, and signs the keyring"),
)


@dataclass(frozen=True)
class KeyView:
    """One key of a keyring."""

    entry: KeyEntry
    mark: tuple[str, str]
    since: str
    """Address of the entry of the log from which it counts; empty if there is none yet."""


def write_keys(site: Path, content: Content) -> None:
    """Write ``keys/index.html`` and, of each round, its ``allowed_signers``."""
    write_page(
        site,
        "keys/index.html",
        "keys.html",
        here="keys",
        roles=_ROLES,
        rounds=[
            (review, [_view(review, entry) for entry in review.keyring.keys], _signers(review))
            for review in content.reviews
        ],
        anchors=_anchors(content),
    )
    for review in content.reviews:
        path = site / "keys" / _signers(review)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(allowed_signers(review.keyring), "utf-8")


def _signers(review: RoundReview) -> str:
    return f"{safe(review.name)}/allowed_signers"


def _anchors(content: Content) -> dict[str, str]:
    """By key id, the round in which the page names it first: an address leads to one place."""
    found: dict[str, str] = {}
    for review in content.reviews:
        for entry in review.keyring.keys:
            found.setdefault(entry.key_id, review.name)
    return found


def _view(review: RoundReview, entry: KeyEntry) -> KeyView:
    known = entry.from_index < len(review.logged)
    return KeyView(
        entry, _STATUS[entry.status], entry_address(review, entry.from_index) if known else ""
    )
