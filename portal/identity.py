"""How an organisation looks in every chart of the site: one colour and one shape of mark."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from portal.chart import SERIES
from portal.content import Content

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "pentagon", "star", "hexagon", "cross")
"""Each has a hollow form, its name with ``-open``; a plain cross is of runs that were lost."""
_Choice = TypeVar("_Choice")


@dataclass(frozen=True)
class Identity:
    """A colour and a shape, so that neither has to be told apart alone."""

    colour: str
    symbol: str


Identities = Mapping[str, Identity]
"""By organisation."""


def identities_of(content: Content) -> Identities:
    """The looks of every organisation of the site."""
    return identities(listing.organisation for listing in content.listings)


def identities(organisations: Iterable[str]) -> dict[str, Identity]:
    """A look for each name, which its hash chooses.

    Where another name has taken it, the next that fewest have: the first eight differ in both
    colour and shape, and sixty-four in one of them. Whoever joins later seldom changes the others.
    """
    found: dict[str, Identity] = {}
    colours, symbols, looks = Counter[str](), Counter[str](), Counter[Identity]()
    for name in sorted(set(organisations)):
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
        colour = min(_from(SERIES, number), key=colours.__getitem__)
        look = min(
            (Identity(colour, symbol) for symbol in _from(SYMBOLS, number // len(SERIES))),
            key=lambda each: (looks[each], symbols[each.symbol]),
        )
        colours[colour] += 1
        symbols[look.symbol] += 1
        looks[look] += 1
        found[name] = look
    return found


def _from(choices: Sequence[_Choice], number: int) -> Sequence[_Choice]:
    """``choices`` in a circle, beginning at ``number``."""
    start = number % len(choices)
    return [*choices[start:], *choices[:start]]
