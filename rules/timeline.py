"""A run's telemetry over its timed window as arrays: what the rules on it look at."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.telemetry.log import Reading, Sample, TelemetryLog

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Readings:
    """One quantity in order of time."""

    times_ms: Floats
    values: Floats
    """``[reading, entry]``; one entry for a plain number, NaN where an entry is a gap."""

    def __len__(self) -> int:
        return len(self.times_ms)


NOTHING = Readings(np.empty(0), np.empty((0, 1)))


class Timeline:
    """The samples of each source in the window, and the last before and the first after it."""

    def __init__(self, log: TelemetryLog, start_ms: int, stop_ms: int) -> None:
        self.start_ms, self.stop_ms = start_ms, stop_ms
        found: dict[str, list[Sample]] = {}
        for sample in log.samples:
            found.setdefault(sample.source, []).append(sample)
        self.sources: Mapping[str, list[Sample]] = {
            source: self._around_window(sorted(samples, key=_time))
            for source, samples in found.items()
        }
        self._read: dict[tuple[str, str], Readings] = {}

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return (self.stop_ms - self.start_ms) / 1000

    def has(self, source: str, *names: str) -> bool:
        """Whether each of these quantities of ``source`` was read at least once."""
        samples = self.sources.get(source, [])
        return all(any(s.values.get(name) is not None for s in samples) for name in names)

    def raw(self, source: str, name: str) -> list[tuple[int, Reading]]:
        """``(time_ms, reading)`` of the samples that hold ``name``, gaps included."""
        samples = self.sources.get(source, [])
        return [(s.time_ms, s.values[name]) for s in samples if name in s.values]

    def readings(self, source: str, name: str) -> Readings:
        """Every reading with as many entries as most readings have; gaps are left out.

        So no more memory is taken than the readings themselves took.
        """
        if (source, name) not in self._read:
            self._read[source, name] = _as_arrays(self.raw(source, name))
        return self._read[source, name]

    def inside(self, source: str, name: str) -> Readings:
        """The readings within the window."""
        found = self.readings(source, name)
        kept = (found.times_ms >= self.start_ms) & (found.times_ms <= self.stop_ms)
        return Readings(found.times_ms[kept], found.values[kept])

    def entries(self, source: str, name: str) -> int:
        """How many entries a reading has (cores, devices); 0 if there was none."""
        found = self.readings(source, name)
        return found.values.shape[1] if len(found) else 0

    def total(self, source: str, name: str) -> Readings:
        """A counter as what it grew by since the window's start, summed over its entries.

        Interpolated at the window's ends where readings lie around them. What a counter fell by
        is not growth.
        """
        found = self.readings(source, name)
        if len(found) < 2:
            return NOTHING
        rises = np.nansum(np.maximum(np.diff(found.values, axis=0), 0), axis=1)
        grown = np.concatenate(([0.0], np.cumsum(rises)))
        times = found.times_ms
        first, last = max(self.start_ms, times[0]), min(self.stop_ms, times[-1])
        if first >= last:
            return NOTHING
        between = times[(times > first) & (times < last)]
        at = np.concatenate(([first], between, [last]))
        values = np.interp(at, times, grown)
        return Readings(at, (values - values[0]).reshape(-1, 1))

    def _around_window(self, samples: list[Sample]) -> list[Sample]:
        first = bisect_left(samples, self.start_ms, key=_time)
        last = bisect_right(samples, self.stop_ms, key=_time)
        return samples[max(0, first - 1) : last + 1]


def _time(sample: Sample) -> int:
    return sample.time_ms


def _as_arrays(raw: list[tuple[int, Reading]]) -> Readings:
    rows = [(time, value if isinstance(value, tuple) else (value,)) for time, value in raw]
    rows = [(time, row) for time, row in rows if row and row != (None,)]
    if not rows:
        return NOTHING
    width = Counter(len(row) for _, row in rows).most_common(1)[0][0]
    kept = [(time, row) for time, row in rows if len(row) == width]
    times = np.array([time for time, _ in kept], np.float64)
    return Readings(times, np.array([row for _, row in kept], np.float64))
