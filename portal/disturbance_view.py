"""What disturbed a run: stretches of its charts, and lines of a list."""

from dataclasses import dataclass

from portal.chart import SERIES, Band
from portal.listing import Listing
from portal.quantities import for_people
from rules.disturbance import disturbances
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


def disturbed_bands(evidence: RunEvidence) -> list[Band]:
    """A band for each disturbance, in seconds since run_start, numbered as the lines are."""
    window = timed_window_ms(evidence.log)
    start = window[0] if window else 0
    return [
        Band(
            _words(one.kind),
            (one.start_ms - start) / 1e3,
            (one.stop_ms - start) / 1e3,
            _TONE,
            0.25,
            str(number),
        )
        for number, one in enumerate(disturbances(evidence), 1)
    ]


def disturbance_lines(evidence: RunEvidence) -> list[DisturbanceLine]:
    """A line for each disturbance, in order of time."""
    window = timed_window_ms(evidence.log)
    start = window[0] if window else 0
    return [
        DisturbanceLine(
            number,
            _words(one.kind),
            f"{(one.start_ms - start) / 1e3:.1f} s to {(one.stop_ms - start) / 1e3:.1f} s",
            one.text,
        )
        for number, one in enumerate(disturbances(evidence), 1)
    ]


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
