"""What disturbed a run: stretches of its charts, and lines of a list."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.chart import SERIES, Band
from portal.listing import Listing
from portal.quantities import for_people
from rules.disturbance import Disturbance, disturbances
from rules.scoring import timed_window_ms
from rules.submission import RunEvidence

_TONE = SERIES[6]
_TOLD = 3


@dataclass(frozen=True)
class DisturbanceLine:
    """One disturbance in words; its number is what the charts call it by."""

    number: int
    kind: str
    when: str
    text: str


def disturbed_bands(evidence: RunEvidence, found: Sequence[Disturbance]) -> list[Band]:
    """A band for each of the run's disturbances, in seconds since run_start."""
    return [
        Band(_words(one.kind), *_seconds(evidence, one), _TONE, 0.25, str(number))
        for number, one in enumerate(found, 1)
    ]


def disturbance_lines(evidence: RunEvidence, found: Sequence[Disturbance]) -> list[DisturbanceLine]:
    """A line for each of the run's disturbances, numbered as the bands are."""
    lines = []
    for number, one in enumerate(found, 1):
        start, stop = _seconds(evidence, one)
        when = f"{start:.1f} s to {stop:.1f} s"
        lines.append(DisturbanceLine(number, _words(one.kind), when, one.text))
    return lines


def disturbed_runs(listing: Listing) -> list[tuple[str, str, str]]:
    """Run, its page, and a sentence, for each run that something disturbed."""
    found = []
    for evidence in listing.entry.runs:
        lines = disturbances(evidence)
        if lines:
            seconds = for_people(sum(one.seconds for one in lines), "s")
            kinds = ", ".join(dict.fromkeys(_words(one.kind).lower() for one in lines))
            found.append(
                (
                    f"Run {listing.number(evidence)}",
                    listing.run_address(evidence),
                    f"{kinds}, {seconds} in all: {'; '.join(one.text for one in lines[:_TOLD])}"
                    + (f"; and {len(lines) - _TOLD} more." if len(lines) > _TOLD else "."),
                )
            )
    return found


def _words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def _seconds(evidence: RunEvidence, one: Disturbance) -> tuple[float, float]:
    """Its start and end, counted from run_start."""
    window = timed_window_ms(evidence.log)
    start_ms = window[0] if window else 0
    return (one.start_ms - start_ms) / 1e3, (one.stop_ms - start_ms) / 1e3
