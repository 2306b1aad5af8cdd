"""The counter that flatters beside the share that does not, result by result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.chart import MOST, REFERENCE, SERIES, Figure, shown
from portal.facts import fact
from portal.labels import short
from portal.listing import Listing
from portal.machine_view import mfu_by_run
from portal.quantities import for_people
from portal.rendering import plural
from portal.utilisation_table import MFU, NVML, mean_of
from rules.scoring import timed_window_ms

_IN_TABLE = 50


@dataclass(frozen=True)
class Utilisation:
    """How busy the accelerators of a result were, as shares: the mean over its runs."""

    nvml: float
    """At least one kernel ran."""
    mfu: float
    """The arithmetic that the model needs was done."""
    runs: int
    """How many runs tell both."""


@fact
def utilisation_of(listing: Listing) -> Utilisation | None:
    """Of the runs that have both; none if none has."""
    mfu = mfu_by_run(listing)
    pairs = []
    for evidence in listing.entry.runs:
        window, number = timed_window_ms(evidence.log), listing.number(evidence)
        nvml = mean_of(NVML, evidence.telemetry, *window) if window else None
        if nvml is not None and number in mfu:
            pairs.append((nvml, mfu[number]))
    if not pairs:
        return None
    nvmls, mfus = zip(*pairs, strict=True)
    return Utilisation(sum(nvmls) / len(pairs), sum(mfus) / len(pairs), len(pairs))


def utilisation_figures(ranked: Sequence[Listing]) -> list[Figure]:
    """Both counters of the first eight results that have both; empty if none has."""
    held = [(each, found) for each in ranked if (found := utilisation_of(each))]
    if not held:
        return []
    drawn = held[:MOST]
    return [
        Figure(
            id="utilisation",
            title="How busy, and how well used",
            caption=_finding(held),
            note=f"{NVML.name}: {_lower(NVML.meaning)} MFU: {_lower(MFU[1])}",
            traces=(
                _bars(NVML.name, [found.nvml for _, found in drawn], REFERENCE),
                _bars(MFU[0], [found.mfu for _, found in drawn], SERIES[0]),
            ),
            x_title="share in %",
            y_title="",
            table_caption="Means over the timed windows of the runs that tell both",
            headers=("System", "Organisation", NVML.name, MFU[0], "Runs"),
            rows=tuple(
                (each.system_name, each.organisation, _percent(found.nvml), _percent(found.mfu),
                 str(found.runs))
                for each, found in held[:_IN_TABLE]
            ),
            y_names=tuple(short(each.system_name) for each, _ in drawn),
        )
    ]  # fmt: skip


def _finding(held: Sequence[tuple[Listing, Utilisation]]) -> str:
    each, widest = max(held, key=lambda one: one[1].nvml - one[1].mfu)
    rest = f" Drawn are the first {MOST} of {len(held):,}." if len(held) > MOST else ""
    return (
        f"The two lie furthest apart for {each.system_name}, of {plural(len(held), 'result')}: "
        f"busy {_percent(widest.nvml)} of the time, it did {_percent(widest.mfu)} of the "
        f"arithmetic that it can.{rest}"
    )


def _percent(share: float) -> str:
    return str(for_people(share, "%"))


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _bars(name: str, shares: list[float], colour: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": [shown(100 * share) for share in shares],
        "y": list(range(len(shares))),
        "marker": {"color": colour},
        "hovertemplate": "%{x} %<extra>%{fullData.name}</extra>",
    }
