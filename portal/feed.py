"""The Atom feed of results: newest first, dated by their own runs, never by a clock."""

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from portal.content import Content
from portal.listing import Listing
from portal.rendering import write_page

NEWEST = 200
"""Results that the feed holds; the other files hold all."""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_feed(site: Path, content: Content) -> None:
    """Write ``data/changes.atom``."""
    dated = sorted(content.listings, key=lambda listing: (-_started_ms(listing), listing.id))
    entries = [_entry(listing) for listing in dated[:NEWEST]]
    write_page(
        site,
        "data/changes.atom",
        "changes.atom",
        id=_urn("results"),
        updated=entries[0]["updated"] if entries else _date(0),
        entries=entries,
    )


def _entry(listing: Listing) -> dict[str, Any]:
    score, status = listing.score, "refused" if listing.errors else "published"
    where = f"{listing.workload_title}, {listing.scenario_title.lower()}"
    return {
        "id": _urn(listing.id),
        "title": _clean(f"{listing.system_name}: {where}: {score or 'no score'}"),
        "updated": _date(_started_ms(listing)),
        "author": _clean(listing.organisation),
        "address": listing.address,
        "round": listing.round.name,
        "summary": _clean(
            f"{listing.metric_title}: {score or 'no score'}. Round {listing.round.name}, "
            f"{listing.division} division. {status.capitalize()}. {listing.trust}."
        ),
    }


def _started_ms(listing: Listing) -> int:
    """When the newest run started."""
    return max((evidence.run.started_ms for evidence in listing.entry.runs), default=0)


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _urn(name: str) -> str:
    """The same for the same result, wherever the site stands."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"levelfield:{name}").urn


def _clean(text: str) -> str:
    """XML has no place for control characters, escaped or not."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
