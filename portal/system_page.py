"""The page of a system: all its results over the rounds, and how its bundles describe it."""

from collections.abc import Sequence
from pathlib import Path

from portal.content import Content
from portal.listing import Listing, Published
from portal.rendering import write_page
from portal.result_list import SHOWN, grouped, in_words, newest_first, ranked_counts
from portal.slugs import organisation_address, system_address
from portal.system_table import system_rows

Described = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]
"""A field's name, and each of its values with the ids of the bundles that give it."""


def write_systems(site: Path, content: Content) -> None:
    """Write a page for every system, and one of them all."""
    boards = ranked_counts(content)
    systems = grouped(content.listings, system_address)
    for address, listings in systems.items():
        _write_system(site, address, listings, boards)
    write_page(
        site,
        "s/index.html",
        "systems.html",
        here="systems",
        systems=list(systems.values())[:SHOWN],
        count=len(systems),
        in_words=in_words,
        crumbs=(("Systems", ""),),
    )


def _write_system(
    site: Path, address: str, listings: Sequence[Listing], boards: dict[str, int]
) -> None:
    one = listings[0]
    write_page(
        site,
        address,
        "system.html",
        shared=one,
        listings=newest_first(listings)[:SHOWN],
        boards=boards,
        told=in_words(listings),
        described=described([each.published for each in newest_first(listings)]),
        crumbs=((one.organisation, organisation_address(one)), (one.system_name, "")),
    )


def described(published: Sequence[Published]) -> list[Described]:
    """What the bundles say of one system, field by field; the first bundle's values first."""
    bundles = {one.bundle.id: one for one in published}
    fields: dict[str, dict[str, list[str]]] = {}
    for name, one in bundles.items():
        for field, value in one.imported.described if one.imported else system_rows(one.system):
            fields.setdefault(field, {}).setdefault(value, []).append(name)
    return [
        (field, tuple((value, tuple(found)) for value, found in values.items()))
        for field, values in fields.items()
    ]
