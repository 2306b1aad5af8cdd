"""``/about/``: what the site is, how a number is read, what the trust levels mean."""

from dataclasses import dataclass
from pathlib import Path

from portal.content import Content
from portal.listing import Listing
from portal.rendering import write_page
from portal.replications import LEVELS
from portal.result_list import held
from portal.round_page import dates
from portal.snapshot import snapshot

_MEANINGS = {
    "L0": (
        "Nobody has put a name to the numbers, or the signature does not fit.",
        "The files are whole, and the check has read them. Who made them is anybody’s guess.",
    ),
    "L1": (
        "The submitter has signed the bundle with a key that is published.",
        "The submitter cannot deny the numbers or change them. It may still be wrong.",
    ),
    "L2": (
        "The check passed, and another organisation has countersigned.",
        "Somebody with every reason to find a fault has read the logs and put a name to them.",
    ),
    "L3": (
        "Another organisation ran it again, and the result is equal within the round’s tolerance.",
        "The number does not depend on one laboratory.",
    ),
    "L4": (
        "The round’s chair declares that the hardware attested its own runs, or that somebody "
        "supervised them.",
        "What ran, and on which machine, does not rest on the submitter’s word.",
    ),
}
"""What has happened at each level, and what follows from it."""


@dataclass(frozen=True)
class Level:
    """A trust level as the page explains it."""

    name: str
    title: str
    happened: str
    follows: str
    held: int
    """Results of the site that stand at it."""


def write_about(site: Path, content: Content) -> None:
    """Write ``about/index.html``."""
    listings = content.listings
    write_page(
        site,
        "about/index.html",
        "about.html",
        here="about",
        levels=levels(listings),
        imports=sum(listing.imported is not None for listing in listings),
        held=held(listings),
        dates=dates(listings),
        data=snapshot(content),
        rounds=sorted({(listing.round.title, listing.round.name) for listing in listings}),
        crumbs=(("About", ""),),
    )


def levels(listings: tuple[Listing, ...]) -> list[Level]:
    """Every level, with how many of ``listings`` stand at it."""
    return [
        Level(
            name,
            title.partition(": ")[2],
            *_MEANINGS[name],
            held=sum(listing.trust == title for listing in listings),
        )
        for name, title in LEVELS.items()
    ]
