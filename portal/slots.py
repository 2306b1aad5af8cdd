"""Places on a result's page that other results decide: filled last, when all of them are known."""

from collections.abc import Sequence
from pathlib import Path

from portal.borrowed import loans
from portal.listing import Listing
from portal.rendering import render, root_of
from portal.trust_strip import trust_items

_SLOTS = ("loans", "rank", "trust", "lent")
"""Templates in ``slots/``. Each has a comment in the result's page, which no escaped text can be."""


def fill_slots(site: Path, listing: Listing, others: Sequence[Listing]) -> None:
    """Complete the page of ``listing``: its rank, what others lent to it, who vouches for it."""
    path = site / listing.address
    values = {
        "root": root_of(listing.address),
        "listing": listing,
        "loans": loans(listing, others),
        "trust": trust_items(listing),
    }
    text = path.read_text("utf-8")
    for name in _SLOTS:
        text = text.replace(f"<!--slot:{name}-->", render(f"slots/{name}.html", **values))
    path.write_text(text, "utf-8")
