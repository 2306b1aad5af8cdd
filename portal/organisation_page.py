"""The page of an organisation: what is wrong with its results, the results, its part in review."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.content import Content
from portal.listing import Listing
from portal.rendering import write_page
from portal.result_list import SHOWN, grouped, in_words, newest_first, ranked_counts
from portal.review_addresses import rule_address
from portal.slugs import organisation_address, system_address
from rules.rule import Finding
from submissions.review.status import Status


@dataclass(frozen=True)
class Wrong:
    """One finding against one result, or against all of a bundle."""

    listing: Listing
    finding: Finding
    refuses: bool


def write_organisations(site: Path, content: Content) -> None:
    """Write a page for every organisation, and one of them all."""
    boards = ranked_counts(content)
    organisations = grouped(content.listings, organisation_address)
    for address, listings in organisations.items():
        _write_organisation(site, address, listings, boards, content)
    write_page(
        site,
        "o/index.html",
        "organisations.html",
        here="organisations",
        organisations=list(organisations.values())[:SHOWN],
        count=len(organisations),
        systems={
            address: len({system_address(listing) for listing in listings})
            for address, listings in organisations.items()
        },
        in_words=in_words,
        crumbs=(("Organisations", ""),),
    )


def _write_organisation(
    site: Path,
    address: str,
    listings: Sequence[Listing],
    boards: dict[str, int],
    content: Content,
) -> None:
    found = what_is_wrong(listings)
    submitters = sorted({each.published.bundle.submission.submitter for each in listings})
    write_page(
        site,
        address,
        "organisation.html",
        name=listings[0].organisation,
        submitters=submitters,
        told=in_words(listings),
        wrong=found[:SHOWN],
        wrongs=len(found),
        rule_address=rule_address,
        standings=standings(listings),
        listings=newest_first(listings)[:SHOWN],
        results=len(listings),
        boards=boards,
        systems=list(grouped(listings, system_address).values())[:SHOWN],
        in_words=in_words,
        reviewed=reviewed_by(submitters, content),
        crumbs=(("Organisations", "o/index.html"), (listings[0].organisation, "")),
    )


def what_is_wrong(listings: Sequence[Listing]) -> list[Wrong]:
    """Every finding once, those that refuse a result first."""
    found: dict[tuple[str, str], Wrong] = {}
    for listing in listings:
        for finding in listing.findings:
            key = (listing.published.bundle.id, finding.to_json())
            found.setdefault(key, Wrong(listing, finding, listing.published.refuses(finding)))
    return sorted(found.values(), key=lambda one: (not one.refuses, one.finding.rule))


def standings(listings: Sequence[Listing]) -> list[tuple[Listing, Status]]:
    """Where its bundles stand in the rounds that they were handed in to, each once."""
    found = {each.published.bundle.id: each for each in newest_first(listings)}
    return [(each, each.published.standing) for each in found.values() if each.published.standing]


def reviewed_by(submitters: Sequence[str], content: Content) -> list[Listing]:
    """A result of each bundle of others whose review its submitters have finished."""
    names = set(submitters)
    found = {
        each.published.bundle.id: each
        for each in content.listings
        if each.published.standing and names & set(each.published.standing.reviewed_by)
    }
    return list(found.values())[:SHOWN]
