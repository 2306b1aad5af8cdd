"""Telemetry over each run's timed window as one table, a column a run."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

from harness.telemetry.log import Summary, TelemetryLog, summarise
from portal.listing import Listing
from portal.quantities import for_people
from portal.telemetry_series import series_of
from rules.scoring import timed_window_ms

_UNITS = {
    "_utilisation": "%",
    "_activity": "%",
    "_occupancy": "%",
    "_bytes_per_s": "B/s",
    "_hz": "Hz",
    "_bytes": "B",
    "_w": "W",
    "_j": "J",
    "_s": "s",
}
_TOTALS = ("disk_", "network_", "swap_in", "swap_out", "context_", "cpu_busy", "cpu_steal",
           "own_cpu", "throttled_", "oom_", "energy_", "package_energy", "dram_energy",
           "ecc_")  # fmt: skip
"""Quantities that only grow: their increase over the window is what counts."""
_STALLS = {"_some_s": "some waited for", "_full_s": "all waited for"}
"""Totals of time stalled, told by their ends, and what they tell of the processes."""
_MASKS = ("throttle_reasons",)
"""Sets of bits, of which no mean can be taken; what they tell stands under disturbances."""


def telemetry_table(listing: Listing) -> dict[str, Any] | None:
    """``headers`` and ``rows`` of the table; none where no run has readings in its window."""
    cells = {
        (quantity, listing.number(evidence)): shown
        for evidence in listing.entry.runs
        if (window := timed_window_ms(evidence.log)) is not None
        for quantity, shown in _quantities(evidence.telemetry, *window)
    }
    if not cells:
        return None
    runs = sorted({number for _, number in cells})
    return {
        "headers": ("Quantity", *(f"Run {number}" for number in runs)),
        "rows": [
            (quantity, *(cells.get((quantity, number), "–") for number in runs))
            for quantity in sorted({quantity for quantity, _ in cells})
        ],
    }


def _quantities(log: TelemetryLog, start_ms: int, stop_ms: int) -> Iterator[tuple[str, str]]:
    for name, summary in summarise(log, start_ms, stop_ms).items():
        source, _, quantity = name.partition(".")
        if quantity in _MASKS:
            continue
        unit = _unit(quantity)
        label = f"{source}: {_words(quantity)}"
        if quantity.startswith(_TOTALS) or quantity.endswith(tuple(_STALLS)):
            grown = _growth(log, (source, quantity), start_ms, stop_ms)
            yield (
                f"{label}, {'moved' if unit == 'B' else 'in the window'}",
                str(for_people(grown, unit)),
            )
        else:
            yield label, _mean_and_maximum(summary, unit)


def _unit(quantity: str) -> str:
    if quantity == "utilisation":
        return "%"
    return next((unit for end, unit in _UNITS.items() if quantity.endswith(end)), "")


def _words(quantity: str) -> str:
    for end, words in _STALLS.items():
        if quantity.endswith(end):
            return f"{words} {quantity.removesuffix(end)}"
    for end in ("_bytes_per_s", "_bytes", "_hz", "_w", "_j", "_s"):
        quantity = quantity.removesuffix(end)
    name = quantity.replace("_", " ")
    return f"{name.removesuffix(' c')} (°C)" if name.endswith(" c") else name


def _growth(log: TelemetryLog, name: tuple[str, str], start_ms: int, stop_ms: int) -> float:
    """What a total grew by, over all its entries; what it fell by, as after a reload, is left."""
    values = [one.within(start_ms, stop_ms) for one in series_of(log, *name, most=math.inf)]
    return math.fsum(
        max(after - before, 0.0) for each in values for before, after in itertools.pairwise(each)
    )


def _mean_and_maximum(summary: Summary, unit: str) -> str:
    return f"{for_people(summary.mean, unit)} ({for_people(summary.maximum, unit)})"
