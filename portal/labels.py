"""Names as labels of charts: short, harmless where plotly.js reads tags, and not on one another."""

from collections.abc import Sequence
from html import escape

from portal.listing import Listing

_LONGEST = 28
_LETTER, _HIGH = 0.011, 0.09
"""What a letter is wide and a line is high, as shares of the chart."""


def short(text: str) -> str:
    """``text`` short enough for a label, and safe where plotly.js reads tags."""
    return escape(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def short_name(listing: Listing) -> str:
    """The name of a result's system as a label."""
    return short(listing.system_name)


def beside(x: Sequence[float], y: Sequence[float], labels: Sequence[str]) -> list[str]:
    """Where the label of each mark stands; empty where it would cover that of one before it.

    It stands above its mark, clear of what tells the uncertainty; that of a mark in the right half
    to the left, so that it stays within the chart.
    """
    places: list[str] = []
    taken: list[tuple[float, float, float]] = []
    for across, up, label in zip(_shares(x), _shares(y), labels, strict=True):
        left, width = across > 0.5, (min(len(label), _LONGEST) + 2) * _LETTER
        start = across - width if left else across
        free = not any(
            start < end and begin < start + width and abs(up - height) < _HIGH
            for begin, end, height in taken
        )
        places.append(("top left" if left else "top right") if free else "")
        if free:
            taken.append((start, start + width, up))
    return places


def _shares(values: Sequence[float]) -> list[float]:
    """Each value's place between the least and the greatest."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]
