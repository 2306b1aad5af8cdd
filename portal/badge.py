"""``badge/<id>.svg``: a result as a small picture whose words say how far it may be trusted."""

import math
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from portal.content import Content
from portal.listing import Listing
from portal.quoting import benchmark, one_line, why_not_quotable
from portal.rendering import is_private, write_page

_LEVELS = {"L0": "unsigned", "L1": "signed", "L2": "reviewed", "L3": "replicated", "L4": "attested"}
_GOOD, _WARN, _BAD = "#0a6248", "#7d4a00", "#9c231c"
_NARROW, _WIDE = frozenset("iljtfrI.,:;|!'()[] -"), frozenset("mwMW@%&—")
_LONGEST = 38


@dataclass(frozen=True)
class Badge:
    """What a badge says, and how it looks: the look repeats the words and adds nothing."""

    system: str
    benchmark: str
    score: str
    status: str
    colour: str
    stands: bool
    """Whether the result may be quoted; else the edge is broken and there is no number."""
    description: str

    @property
    def left(self) -> int:
        """Width of the left half, in pixels."""
        return 52 + max(width(self.system, 12), width(self.benchmark, 11))

    @property
    def right(self) -> int:
        """Width of the right half."""
        return 24 + max(width(self.score, 14), width(self.status, 11))


def write_badges(site: Path, content: Content) -> None:
    """Write the badge of every result."""
    for listing in content.listings:
        write_page(site, badge_address(listing), "badge.svg", badge=badge(listing), width=width)


def badge_address(listing: Listing) -> str:
    """The badge, from the root of the site."""
    return f"badge/{listing.id}.svg"


def badge(listing: Listing) -> Badge:
    """The badge of a result."""
    why_not, warned = why_not_quotable(listing), bool(listing.warnings)
    score, status, colour = _unquotable(listing) if why_not else _quotable(listing)
    told = why_not or f"{score}. {status}."
    return Badge(
        system=_short(listing.system_name),
        benchmark=_short(f"{benchmark(listing)}, {listing.round.title}"),
        score=score,
        status=status,
        colour=_WARN if colour == _GOOD and warned else colour,
        stands=not why_not,
        description=one_line(f"Of {listing.organisation}, round {listing.round.title}. {told}"),
    )


def _unquotable(listing: Listing) -> tuple[str, str, str]:
    if is_private():
        return ("private preview", "not to be quoted", _WARN)
    if listing.errors:
        return ("refused", "not to be quoted", _BAD)
    if listing.entry.result.value is None:
        return ("no score", "not to be quoted", _BAD)
    if not listing.rankable:
        return ("practice", "not to be quoted", _WARN)
    assert listing.published.standing is not None  # the only reason that is left
    return (listing.published.standing.state, "not to be quoted", _BAD)


def _quotable(listing: Listing) -> tuple[str, str, str]:
    score, rank = str(listing.score), f"rank {listing.rank}, " if listing.rank else ""
    standing = listing.published.standing
    if listing.imported:
        return (score, "imported, not verified", _WARN)
    if standing and standing.open_objections:
        return (score, "an objection is open", _WARN)
    level = listing.trust[:2]
    words = f"{rank}{level} {_LEVELS[level]}"
    if listing.warnings:
        words += f", {len(listing.warnings)} warned"
    return (score, words, _WARN if level == "L0" else _GOOD)


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def width(text: str, size: int) -> int:
    """Pixels that ``text`` takes at font size ``size``: an estimate that the picture enforces."""
    return math.ceil(sum(map(_advance, text)) * size)


def _advance(sign: str) -> float:
    if unicodedata.combining(sign):
        return 0.0
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.05
    if sign in _NARROW:
        return 0.38
    return 0.95 if sign in _WIDE else 0.68 if sign.isupper() else 0.6
