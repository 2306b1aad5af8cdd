"""Places on a result's page that other results decide: filled last, when all of them are known."""

from collections.abc import Sequence
from pathlib import Path

from portal.borrowed import loans
from portal.listing import Listing, safe
from portal.quoting import why_not_quotable
from portal.rendering import render, root_of
from portal.trust_strip import trust_items

_SLOTS = ("loans", "rank", "trust", "lent", "quote")
"""Templates in ``slots/``. A comment in the page stands for each; no escaped text can be one."""


def fill_slots(site: Path, listing: Listing, others: Sequence[Listing]) -> None:
    """Complete the page of ``listing``: its rank, what others lent to it, who vouches for it."""
    path = site / listing.address
    values = {
        "root": root_of(listing.address),
        "listing": listing,
        "loans": loans(listing, others),
        "trust": trust_items(listing),
        "thread": _thread(site, listing),
        "why_not": why_not_quotable(listing),
    }
    text = path.read_text("utf-8")
    for name in _SLOTS:
        text = text.replace(f"<!--slot:{name}-->", render(f"slots/{name}.html", **values))
    path.unlink()  # it may be a link to a page that is kept for the next build
    path.write_text(text, "utf-8")


def _thread(site: Path, listing: Listing) -> str:
    """Address of what was said in review, if that is on the site."""
    if listing.published.standing is None:
        return ""
    address = f"review/{safe(listing.round.name)}/{listing.published.bundle.id}/index.html"
    return address if (site / address).is_file() else ""
