"""Where the time of a run went, as the shares of one bar and in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.quantities import Quantity, for_people

_SHOWN_FROM = 0.08
"""Share from which a part of the bar is wide enough for its name."""


@dataclass(frozen=True)
class Part:
    """One phase's part of the bar."""

    name: str
    seconds: Quantity
    percent: str
    """Of the whole, as text: ``81.3 %``."""
    width: float
    """The same as a number for the drawing, 0 to 100."""
    named: bool
    """Whether its name fits into it."""


@dataclass(frozen=True)
class PhaseBar:
    """One run's bar."""

    number: int
    address: str
    parts: tuple[Part, ...]
    sentence: str
    """What took the most, and the next two."""


def phase_bar(number: int, address: str, times: Mapping[str, float]) -> PhaseBar | None:
    """The bar of run ``number``, of the seconds that each phase took; none if nothing did."""
    whole = sum(times.values())
    if not whole > 0:
        return None
    parts = tuple(_part(name, seconds, whole) for name, seconds in times.items() if seconds > 0)
    first, *rest = sorted(parts, key=lambda part: -part.width)
    others = ", ".join(f"{part.name} {part.percent}" for part in rest[:2])
    sentence = f"{first.name} took {first.percent} of {for_people(whole, 's')}"
    return PhaseBar(number, address, parts, f"{sentence}{f', {others}' if others else ''}.")


def _part(name: str, seconds: float, whole: float) -> Part:
    share = seconds / whole
    return Part(
        name=name,
        seconds=for_people(seconds, "s"),
        percent=str(for_people(share, "%")),
        width=round(share * 100, 3),
        named=share >= _SHOWN_FROM,
    )
