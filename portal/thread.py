"""What was said about a bundle, entry by entry, in words and links."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.listing import Listing
from portal.review_addresses import cited_address, entry_address, rule_address, thread_address
from portal.round_review import RoundReview
from submissions.review.case import (
    Checked,
    Content,
    Countersigned,
    Logged,
    Missing,
    Refused,
    Submitted,
)
from submissions.review.event import Kind, ReviewEvent

_TITLES: dict[Kind, str] = {
    "review-assigned": "Reviewer assigned",
    "review-done": "Review done",
    "recuse": "Stepped back from the review",
    "objection": "Objection",
    "second": "Objection seconded",
    "drop": "Objection dropped",
    "response": "Answer",
    "concede": "Objection conceded",
    "amend": "Amended by another bundle",
    "replicate-request": "Replication asked for",
    "replicate-grant": "Replication granted",
    "replicate-refuse": "Replication refused",
    "replicate-result": "Replicated",
    "vote": "Vote",
    "verdict": "Verdict",
    "appeal": "Appeal",
    "withdraw": "Withdrawn",
    "erratum": "Erratum",
    "freeze": "Frozen: no more amendments",
    "publish": "Published",
}
_GOOD = ("review-done", "drop", "publish")
_BAD = ("objection", "second", "concede", "withdraw")


@dataclass(frozen=True)
class Fact:
    """One thing that an entry names, with where it leads if it leads anywhere."""

    name: str
    value: str
    address: str = ""


@dataclass(frozen=True)
class Said:
    """One entry of the log about a bundle."""

    index: int
    address: str
    """Its line in the log; empty if the log is not shown."""
    kind: str
    icon: str
    title: str
    by: str
    keys: tuple[str, ...]
    facts: tuple[Fact, ...]
    text: str
    ignored: str
    """Why it counts for nothing; empty if it counts."""
    bundle: str
    """The bundle that it was said of: this one, or one that it amends."""


def thread(review: RoundReview, bundle: str, listings: Sequence[Listing]) -> list[Said]:
    """Every entry about ``bundle`` and those that it amends; ``listings`` are their results."""
    return [_said(review, entry, listings) for entry in review.history(bundle)]


def _said(review: RoundReview, entry: Logged, listings: Sequence[Listing]) -> Said:
    content, ignored = entry.content, review.ignored.get(entry.index, "")
    kind, icon, title = described(content)
    event = content if isinstance(content, ReviewEvent) else None
    facts = _named(review, event, listings) if event else _of_statement(review, content)
    return Said(
        entry.index,
        entry_address(review, entry.index),
        "plain" if ignored else kind,
        "–" if ignored else icon,
        title,
        entry.by or "nobody known",
        tuple(signer.key_id for signer in entry.signers if signer.key_id),
        tuple(facts),
        event.text if event else "",
        ignored,
        entry.bundle or "",
    )


def described(content: Content) -> tuple[str, str, str]:
    """Kind for the colour, icon and words of what an entry says."""
    if isinstance(content, ReviewEvent):
        return _event(content)
    if isinstance(content, Submitted):
        return "plain", "◆", "Handed in"
    if isinstance(content, Checked):
        return ("bad", "✕", "Check failed") if content.failed else ("", "✓", "Check passed")
    if isinstance(content, Countersigned):
        return "", "✓", "Countersigned"
    if isinstance(content, Missing):
        return "bad", "?", "Missing"
    if isinstance(content, Refused):
        return "bad", "✕", "Statement that does not hold"
    return "plain", "◆", "Statement of another kind"


def _event(event: ReviewEvent) -> tuple[str, str, str]:
    title = _TITLES[event.type]
    if event.decision:
        title = f"{title}: {event.decision}"
    if event.outcome:
        title = f"{title}: {event.outcome}"
    if event.type in _GOOD or event.outcome == "equal":
        return "", "✓", title
    if event.type in _BAD or event.outcome == "different" or event.decision == "void":
        return "bad", "✕", title
    if event.type in ("verdict", "erratum", "appeal", "amend", "freeze", "recuse"):
        return "warn", "!", title
    return "plain", "◆", title


def _named(review: RoundReview, event: ReviewEvent, listings: Sequence[Listing]) -> Iterator[Fact]:
    if event.target.startswith("results/"):
        yield Fact("of the result", event.target.removeprefix("results/"))
    if event.rule:
        yield Fact("rule", event.rule, rule_address(event.rule))
    if event.refers_to:
        yield reference(review, event.refers_to)
    if event.reviewer:
        yield Fact("reviewer", event.reviewer)
    for name, bundle in (("amended by", event.superseded_by), ("replica", event.replica)):
        if bundle:
            yield Fact(name, bundle, thread_address(review, bundle))
    if event.effect:
        yield Fact("effect", event.effect)
    for vote in event.votes:
        yield reference(review, vote, "vote")
    for citation in event.at:
        yield Fact("at", citation.text, cited_address(listings, citation))


def _of_statement(review: RoundReview, content: Content) -> Iterator[Fact]:
    if isinstance(content, Submitted):
        for result in content.results:
            yield Fact("claims", result.removeprefix("results/"))
    if isinstance(content, Checked):
        for number in content.failed:
            yield Fact("failed", number, rule_address(number))
    if isinstance(content, Countersigned):
        yield reference(review, content.statement, "statement")
    if isinstance(content, Missing | Refused):
        yield Fact("because", content.reason)


def reference(review: RoundReview, envelope: str, name: str = "on") -> Fact:
    """Another entry, by the digest of its envelope."""
    entry = review.places.get(envelope)
    if entry is None:
        return Fact(name, f"{envelope[:12]}…, which is not in the log")
    what = described(entry.content)[2].lower()
    told = f"{what} of {entry.by or 'nobody known'}, entry {entry.index}"
    return Fact(name, told, entry_address(review, entry.index))
