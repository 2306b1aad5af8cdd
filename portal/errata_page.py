"""What was corrected or let pass: errata, waivers and reclassifications of all rounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.content import Content
from portal.imported_terms import Imported
from portal.rendering import write_page
from portal.review_addresses import rule_address, thread_address
from portal.round_review import RoundReview
from submissions.review.case import Logged
from submissions.review.event import ReviewEvent


@dataclass(frozen=True)
class Correction:
    """One erratum, waiver or reclassification that counts."""

    round: str
    bundle: str
    submitter: str
    address: str
    """Of the entry in the bundle's thread."""
    index: int
    by: str
    text: str
    rule: str = ""
    rule_address: str = ""
    effect: str = ""
    votes: tuple[str, ...] = ()


def write_errata(site: Path, content: Content) -> None:
    """Write ``errata/index.html``."""
    reviews = content.reviews
    write_page(
        site,
        "errata/index.html",
        "errata.html",
        here="errata",
        reviews=reviews,
        errata=[one for review in reviews for one in corrections(review, "erratum")],
        waivers=[one for review in reviews for one in corrections(review, "waive")],
        reclassified=[one for review in reviews for one in corrections(review, "reclassify")],
        origins=_origins(content),
    )


def corrections(review: RoundReview, kind: str) -> Iterator[Correction]:
    """Errata, or verdicts of a kind, in the order of the log."""
    for entry in review.logged:
        event = entry.content
        if not isinstance(event, ReviewEvent) or entry.index in review.ignored:
            continue
        said = event.decision if event.type == "verdict" else event.type
        if said == kind and entry.bundle in review.statuses:
            yield _correction(review, entry, event)


def _correction(review: RoundReview, entry: Logged, event: ReviewEvent) -> Correction:
    status = review.statuses[entry.bundle or ""]
    waivers = [one for one in status.waivers if one.index == entry.index]
    return Correction(
        review.name,
        status.bundle,
        status.submitter,
        f"{thread_address(review, status.bundle)}#E{entry.index}",
        entry.index,
        event.by,
        event.text,
        event.rule or "",
        rule_address(event.rule or ""),
        event.effect,
        waivers[0].votes if waivers else (),
    )


def _origins(content: Content) -> list[tuple[Imported, int]]:
    """Where imported results come from, with how many bundles do."""
    found: dict[tuple[str, str], list[Imported]] = {}
    for one in content.published:
        if one.imported:
            key = (one.imported.statement, one.imported.source)
            found.setdefault(key, []).append(one.imported)
    return [(held[0], len(held)) for _, held in sorted(found.items())]
