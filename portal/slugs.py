"""Addresses of organisations and systems, whose names may hold anything and may be alike."""

import base64
import hashlib
import json
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.listing import Listing

_READABLE = 40
_DIGEST = 16


@lru_cache(maxsize=65_536)
def slug(*names: str) -> str:
    """A file name for what ``names`` name together: the last of them in plain letters, a digest.

    The same names give the same slug in every build; the digest (80 bits) keeps others apart.
    """
    plain = unicodedata.normalize("NFKD", names[-1]).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain)[:_READABLE].strip("-")
    digest = hashlib.sha256(json.dumps(names).encode()).digest()
    suffix = base64.b32encode(digest).decode().lower()[:_DIGEST]
    return f"{readable}-{suffix}" if readable else suffix


def round_address(name: str) -> str:
    """The page of a round; its name is an identifier."""
    return f"r/{name}/index.html"


def organisation_address(listing: "Listing") -> str:
    """The page of the organisation that made the system."""
    return f"o/{slug(listing.organisation)}/index.html"


def system_address(listing: "Listing") -> str:
    """The page of the system; two organisations may use one name for two systems."""
    return f"s/{slug(listing.organisation, listing.system_name)}/index.html"
