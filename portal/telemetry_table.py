"""Telemetry over each run's timed window as one table, a column a run."""

from collections.abc import Iterator
from typing import Any

from harness.telemetry.log import Summary, TelemetryLog, summarise
from portal.listing import Listing
from portal.quantities import for_people
from rules.scoring import timed_window_ms

_UNITS = {"_utilisation": "%", "_hz": "Hz", "_bytes": "B", "_w": "W", "_j": "J"}
_TOTALS = ("disk_", "network_")
"""Quantities that only grow from boot on: their increase over the window is what counts."""


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
        unit = next((unit for end, unit in _UNITS.items() if quantity.endswith(end)), "")
        label = f"{source}: {quantity.removesuffix('_bytes').removesuffix('_hz').replace('_', ' ')}"
        if quantity.startswith(_TOTALS):
            readings = [
                value
                for time_ms, value in log.series(source, quantity)
                if start_ms <= time_ms <= stop_ms and isinstance(value, int | float)
            ]
            if readings:
                yield f"{label}, moved", str(for_people(readings[-1] - readings[0], unit))
        else:
            yield label, _mean_and_maximum(summary, unit)


def _mean_and_maximum(summary: Summary, unit: str) -> str:
    return f"{for_people(summary.mean, unit)} ({for_people(summary.maximum, unit)})"
