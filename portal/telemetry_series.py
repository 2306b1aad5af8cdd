"""Telemetry as series of plain numbers, a series a device or one mean over many entries."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.telemetry.log import Reading, TelemetryLog

Point = tuple[int, float | None]
"""Wall time in ms and a value; none is a gap."""

_MOST_DEVICES = 4
"""Devices of which each has a line of its own; of more, the mean is drawn."""


@dataclass(frozen=True)
class Series:
    """One quantity of one device, or its mean over many."""

    source: str
    quantity: str
    entry: str
    """Which device, or what the value is the mean over; empty where there is but one."""
    points: tuple[Point, ...]

    def within(self, start_ms: int, stop_ms: int) -> list[float]:
        """The values in ``[start_ms, stop_ms]`` without gaps."""
        return [v for t, v in self.points if start_ms <= t <= stop_ms and v is not None]

    def mean(self, start_ms: int, stop_ms: int) -> float | None:
        """Mean of the values in the window; none without one."""
        values = self.within(start_ms, stop_ms)
        return math.fsum(values) / len(values) if values else None


def series_of(
    log: TelemetryLog, source: str, quantity: str, over: str = "", most: float = _MOST_DEVICES
) -> list[Series]:
    """Every series of ``source.quantity`` that has a value; ``over`` makes one mean of entries.

    ``over`` names the entries ("cores"). Without it, up to ``most`` devices have a series each.
    """
    # A quantity that a source reads at a slower pace is no gap where it was not asked for.
    readings = [
        (sample.time_ms, sample.values[quantity])
        for sample in log.samples
        if sample.source == source and quantity in sample.values
    ]
    width = max((len(r) for _, r in readings if isinstance(r, tuple)), default=0)
    if over or width > most:
        name = f"mean of {width} {over or 'devices'}" if width > 1 else ""
        found = [Series(source, quantity, name, tuple((t, mean_of(r)) for t, r in readings))]
    else:
        found = [
            Series(
                source,
                quantity,
                f"device {entry}" if width > 1 else "",
                tuple((t, _entry(reading, entry)) for t, reading in readings),
            )
            for entry in range(max(width, 1))
        ]
    return [one for one in found if any(value is not None for _, value in one.points)]


def mean_of(reading: Reading) -> float | None:
    """Mean over the entries that have a value; none without one."""
    entries = reading if isinstance(reading, tuple) else (reading,)
    values = [value for value in entries if value is not None]
    return math.fsum(values) / len(values) if values else None


def rates(one: Series, quantity: str) -> Series:
    """How fast a total grows, per second; what falls or stands on one spot of time is a gap."""
    points: list[Point] = []
    before: tuple[int, float] | None = None
    for time_ms, value in one.points:
        if value is None:
            points.append((time_ms, None))
            before = None
            continue
        if before is not None:
            passed, grown = time_ms - before[0], value - before[1]
            points.append((time_ms, grown / passed * 1e3 if passed > 0 and grown >= 0 else None))
        before = (time_ms, value)
    return Series(one.source, quantity, one.entry, tuple(points))


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most ``most`` points, each the mean of as many neighbours; a group of gaps is a gap."""
    size = math.ceil(len(points) / most) or 1
    groups = [points[first : first + size] for first in range(0, len(points), size)]
    return [(group[0][0], mean_of(tuple(value for _, value in group))) for group in groups]


def _entry(reading: Reading, entry: int) -> float | None:
    entries = reading if isinstance(reading, tuple) else (reading,)
    return entries[entry] if entry < len(entries) else None
