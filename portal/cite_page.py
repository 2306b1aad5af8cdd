"""``/cite/<id>/``: how to quote a result, or why not."""

from html import escape
from pathlib import Path

from portal.badge import badge, badge_address
from portal.content import Content
from portal.listing import Listing
from portal.quoting import bibtex, markdown, one_line, quotation, why_not_quotable
from portal.rendering import write_page
from portal.snapshot import snapshot

SITE = "https://SITE/"
"""In place of the site's address, which a page in a folder does not know; cite.js does."""


def write_cites(site: Path, content: Content) -> None:
    """Write a page of quotations for every result."""
    data = snapshot(content)
    for listing in content.listings:
        _write_cite(site, listing, data)


def cite_address(listing: Listing) -> str:
    """The page, from the root of the site."""
    return f"cite/{listing.id}/index.html"


def _write_cite(site: Path, listing: Listing, data: str) -> None:
    why_not = why_not_quotable(listing)
    write_page(
        site,
        cite_address(listing),
        "cite.html",
        listing=listing,
        why_not=why_not,
        data=data,
        site_name=SITE,
        badge=badge(listing),
        badge_address=badge_address(listing),
        texts=() if why_not else _texts(listing, data),
        crumbs=(
            (f"{listing.workload_title}: {listing.scenario_title.lower()}", listing.board_address),
            (listing.system_name, listing.address),
            ("Quote it", ""),
        ),
    )


def _texts(listing: Listing, data: str) -> tuple[tuple[str, str, str, str], ...]:
    """Id, title, short name and text of everything that can be copied."""
    page, picture = SITE + listing.address, SITE + badge_address(listing)
    words = badge(listing)
    alt = one_line(f"{words.system}: {words.benchmark}: {words.score}, {words.status}")
    return (
        ("text", "As a sentence", "the sentence", f"{quotation(listing, data)} {page}"),
        ("bibtex", "For BibTeX", "the entry", bibtex(listing, data, page)),
        (
            "html",
            "The badge in HTML",
            "the HTML",
            f'<a href="{page}"><img src="{picture}" alt="{escape(alt)}" height="48"></a>',
        ),
        (
            "markdown",
            "The badge in Markdown",
            "the Markdown",
            f"[![{markdown(alt)}]({picture})]({page})",
        ),
    )
