"""Results as marks of a chart: each of its organisation's colour and shape, its name beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.chart import shown
from portal.identity import Identities
from portal.labels import beside, short
from portal.listing import Listing

MOST_SPOTS = 200
"""Results that are drawn, and stand in the table, at most."""
_LEGEND = 24
"""Organisations that a legend has room for."""


@dataclass(frozen=True)
class Spot:
    """Where a result stands in a chart."""

    listing: Listing
    x: float
    y: float
    label: str
    about: str
    """What is read when it is pointed at, in plain text."""
    spread: float = 0.0
    """The uncertainty of ``x``, to both sides as far as zero."""


def best_of_each(ranked: Iterable[Listing]) -> list[Listing]:
    """The first result of each organisation, in order."""
    found: dict[str, Listing] = {}
    for listing in ranked:
        found.setdefault(listing.organisation, listing)
    return list(found.values())


def spots(found: Sequence[Spot], looks: Identities) -> list[dict[str, Any]]:
    """A series an organisation, in the order of ``found``; of two labels that collide the first."""
    places = beside(
        [each.x for each in found], [each.y for each in found], [e.label for e in found]
    )
    grouped: dict[str, list[tuple[Spot, str]]] = {}
    for spot, place in zip(found, places, strict=True):
        grouped.setdefault(spot.listing.organisation, []).append((spot, place))
    return [_series(name, held, looks) for name, held in [*grouped.items()][:_LEGEND]]


def _series(name: str, held: Sequence[tuple[Spot, str]], looks: Identities) -> dict[str, Any]:
    look = looks[name]
    series: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers+text",
        "name": short(name),
        "x": [shown(spot.x) for spot, _ in held],
        "y": [shown(spot.y) for spot, _ in held],
        "text": [f" {short(spot.label)} " if place else "" for spot, place in held],
        "textposition": [place or "top right" for _, place in held],
        "hovertext": [short(spot.about) for spot, _ in held],
        "hoverinfo": "text",
        "cliponaxis": False,
        "marker": {"color": look.colour, "symbol": look.symbol, "size": 12},
    }
    spreads = [shown(spot.spread) for spot, _ in held]
    if any(spreads):
        series["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": spreads,
            "arrayminus": [min(s, x) for s, x in zip(spreads, series["x"], strict=True)],
            "thickness": 1,
            "width": 3,
        }
    return series
