"""Energy of a timed window from a telemetry log: by counter, or from power, and of what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.records import Number
from harness.telemetry.log import Reading, Sample, TelemetryLog

Method = Literal["counter", "trapezoid"]
_Series = NDArray[np.float64]

_GAP_S = 2.0
"""Readings further apart do not say what happened between them."""


class Boundary(StrEnum):
    """What part of the machine a figure of energy is of (docs/energy.md), the widest last."""

    PACKAGE = "package"
    """The processors' packages (RAPL)."""
    BOARD = "board"
    """The accelerators' boards (NVML)."""
    NODE = "node"
    """The whole machine behind its power supply; nothing reads it yet."""
    WALL = "wall"
    """Everything that is plugged in (an external meter)."""


@dataclass(frozen=True)
class Energy:
    """What a timed window took within one boundary."""

    joules: float
    """Of what was seen: nothing is added for what was not."""
    uncertainty_j: float
    boundary: Boundary
    source: str
    """The quantity that it comes from, as ``nvml.energy_j``."""
    method: Method
    covered: float
    """Share of the window in which readings are at most 2 s apart, the mean over devices."""


_QUANTITIES: tuple[tuple[Boundary, str, str, Method], ...] = (
    (Boundary.PACKAGE, "rapl", "package_energy_j", "counter"),
    (Boundary.BOARD, "nvml", "energy_j", "counter"),
    (Boundary.BOARD, "nvml", "power_w", "trapezoid"),
    (Boundary.WALL, "meter", "power_w", "trapezoid"),
)
"""In a boundary the better first."""


def energies(log: TelemetryLog, start_ms: int, stop_ms: int) -> list[Energy]:
    """One figure for each boundary that was measured in ``[start_ms, stop_ms]``, narrowest first.

    A counter is preferred unless power covers more of the window. A counter's totals are
    interpolated linearly at the window's ends, and the energy of one interval between readings
    at each end is uncertain. Power is integrated by the trapezoid rule; half the difference of
    upper and lower step sum is uncertain. So is what was not seen, at the mean power of the rest.
    """
    if stop_ms <= start_ms:
        return []
    # What is further from the window than a gap says nothing about it.
    around = (start_ms - round(_GAP_S * 1000), stop_ms + round(_GAP_S * 1000))
    samples: dict[str, list[Sample]] = {source: [] for _, source, _, _ in _QUANTITIES}
    for sample in log.samples:
        if sample.source in samples and around[0] <= sample.time_ms <= around[1]:
            samples[sample.source].append(sample)
    best: dict[Boundary, Energy] = {}
    for boundary, source, name, method in _QUANTITIES:
        parts = [
            _part(times, readings, (stop_ms - start_ms) / 1000, method)
            for times, readings in _devices(samples[source], name, start_ms)
        ]
        found = _sum(parts, boundary, f"{source}.{name}", method)
        if found and (boundary not in best or found.covered > best[boundary].covered):
            best[boundary] = found
    return list(best.values())


@dataclass(frozen=True)
class _Part:
    """One device's share of an energy."""

    joules: float
    uncertainty_j: float
    covered: float


def _sum(parts: Sequence[_Part], boundary: Boundary, source: str, method: Method) -> Energy | None:
    """All devices together; none if none of them was seen. Their errors may be of one sign."""
    covered = sum(part.covered for part in parts)
    if not covered:
        return None
    return Energy(
        joules=sum(part.joules for part in parts),
        uncertainty_j=sum(part.uncertainty_j for part in parts),
        boundary=boundary,
        source=source,
        method=method,
        covered=min(1.0, covered / len(parts)),
    )


def _devices(
    samples: Sequence[Sample], name: str, start_ms: int
) -> Iterator[tuple[_Series, _Series]]:
    """Times in seconds from ``start_ms`` and usable readings of each device, in order of time."""
    found: list[tuple[list[float], list[Number]]] = []
    for sample in sorted(samples, key=lambda sample: sample.time_ms):
        time_s = (sample.time_ms - start_ms) / 1000
        for device, value in enumerate(_entries(sample.values.get(name))):
            if device == len(found):
                found.append(([], []))
            times, readings = found[device]
            if value is not None and value >= 0 and (not times or time_s > times[-1]):
                times.append(time_s)
                readings.append(value)
    for times, readings in found:
        yield np.asarray(times, dtype=np.float64), np.asarray(readings, dtype=np.float64)


def _entries(reading: Reading) -> tuple[Number | None, ...]:
    return reading if isinstance(reading, tuple) else (reading,)


def _part(times: _Series, readings: _Series, window_s: float, method: Method) -> _Part:
    """One device's energy from time 0 to ``window_s``."""
    before, after = times[:-1], times[1:]
    first, last = np.maximum(before, 0.0), np.minimum(after, window_s)
    inside = last > first
    before, after, first, last = (each[inside] for each in (before, after, first, last))
    low, high = readings[:-1][inside], readings[1:][inside]
    near = after - before <= _GAP_S
    if method == "counter":
        whole = (before >= 0) & (after <= window_s)
        # A total goes on over a gap, but where in a gap the window ends is not known.
        known = (high >= low) & (near | whole)
        joules = float(((high - low) * (last - first) / (after - before))[known].sum())
        ends = (before <= 0).astype(float) + (after >= window_s)
        spread = float((np.maximum(high - low, 0) * ends)[known].sum())
    else:
        known = near
        slope = (high - low) / (after - before)
        middle = low + slope * ((first + last) / 2 - before)
        joules = float((middle * (last - first))[known].sum())
        spread = float((np.abs(slope) * (last - first) ** 2)[known].sum()) / 2
    seen_s = float((last - first)[known].sum())
    unseen_j = joules / seen_s * max(0.0, window_s - seen_s) if seen_s else 0.0
    covered = float((last - first)[known & near].sum()) / window_s
    # Rounding of sums must not make a whole window look like less.
    return _Part(joules, spread + unseen_j, 1.0 if covered > 1 - 1e-9 else covered)
