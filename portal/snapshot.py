"""A short name of the data that a page was made from: a quoted number can be found again."""

import hashlib
import json

from portal.content import Content

DIGITS = 12


def snapshot(content: Content) -> str:
    """Twelve hex digits of the SHA-256 over every result: its bundle, its value, where it stands.

    Neither the order of the results nor the look of the site changes it.
    """
    rows = sorted(
        [
            listing.id,
            listing.published.bundle.submission.manifest_sha256,
            repr(listing.entry.result.value),
            listing.accepted,
            listing.rank,
            listing.trust,
        ]
        for listing in content.listings
    )
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:DIGITS]
