"""Where the time of a run went, as the shares of one bar and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.events import EventLog
from harness.phases import KEY, Phase, phase_times
from portal.listing import Listing
from portal.quantities import Quantity, for_people

_NAMES = tuple(phase.value for phase in Phase)
_SHOWN_FROM = 0.08
"""Share from which a part of the bar is wide enough for its name."""
_SAID_FROM = 0.5
"""Per cent from which a phase is named in the sentence; the table names all."""


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
    """What took the most, and the others by their size."""
    held: tuple[str, ...] = ()
    """Phases that could not be told from compute and are part of it."""

    @property
    def title(self) -> str:
        """Which run it is of."""
        return f"Run {self.number}"


def phase_bars(listing: Listing) -> list[PhaseBar]:
    """The bar of each run that logged where its time went, in order."""
    found = []
    for evidence in listing.entry.runs:
        times = phase_times(evidence.log)
        if times:
            named = {phase.value: seconds for phase, seconds in times.items()}
            address = listing.run_address(evidence)
            bar = phase_bar(listing.number(evidence), address, named, _held(evidence.log))
            found += [bar] if bar else []
    return found


def phase_rows(bars: Sequence[PhaseBar]) -> list[tuple[str, ...]]:
    """A row a phase that took time in some run: seconds and share in each."""
    told = [{part.name: f"{part.seconds} ({part.percent})" for part in bar.parts} for bar in bars]
    names = [phase.value for phase in Phase if any(phase.value in each for each in told)]
    return [(name, *(each.get(name, "–") for each in told)) for name in names]


def _held(log: EventLog) -> tuple[str, ...]:
    """What compute is said to hold beside itself; only known names."""
    said = [event.metadata.get("includes") for event in log.all(KEY)]
    names = {name for each in said if isinstance(each, list) for name in each if name in _NAMES}
    return tuple(phase.value for phase in Phase if phase.value in names)


def phase_bar(
    number: int, address: str, times: Mapping[str, float], held: tuple[str, ...] = ()
) -> PhaseBar | None:
    """The bar of run ``number``, of the seconds that each phase took; none if nothing did."""
    whole = sum(times.values())
    if not whole > 0:
        return None
    parts = tuple(_part(name, seconds, whole) for name, seconds in times.items() if seconds > 0)
    first, *rest = sorted(parts, key=lambda part: -part.width)
    others = ", ".join(f"{part.name} {part.percent}" for part in rest if part.width >= _SAID_FROM)
    sentence = f"{first.name} took {first.percent} of {for_people(whole, 's')}"
    return PhaseBar(number, address, parts, f"{sentence}{f', {others}' if others else ''}.", held)


def _part(name: str, seconds: float, whole: float) -> Part:
    share = seconds / whole
    return Part(
        name=name,
        seconds=for_people(seconds, "s"),
        percent=str(for_people(share, "%")),
        width=round(share * 100, 3),
        named=share >= _SHOWN_FROM,
    )
