"""A run's telemetry over its timed window as arrays: what the rules on it look at."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.telemetry.log import Reading, Sample, TelemetryLog

Floats = NDArray[np.float64]
_time = attrgetter("time_ms")


@dataclass(frozen=True)
class Readings:
    """One quantity in order of time."""

    times_ms: Floats
    values: Floats
    """``[reading, entry]``; one entry for a plain number, NaN where an entry is a gap."""

    def __len__(self) -> int:
        return len(self.times_ms)


class Column(NamedTuple):
    """What the samples of a source hold of one quantity, in order of time."""

    times_ms: list[int]
    values: list[Reading]


NOTHING = Readings(np.empty(0), np.empty((0, 1)))


class Timeline:
    """The samples of each source in the window, and the last before and the first after it."""

    def __init__(self, log: TelemetryLog, start_ms: int, stop_ms: int) -> None:
        self.start_ms, self.stop_ms = start_ms, stop_ms
        found: defaultdict[str, list[Sample]] = defaultdict(list)
        for sample in log.samples:
            found[sample.source].append(sample)
        self.sources: Mapping[str, list[Sample]] = {
            source: self._around_window(sorted(samples, key=_time))
            for source, samples in found.items()
        }
        self._columns: dict[str, dict[str, Column]] = {}
        self._read: dict[tuple[str, str], Readings] = {}

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return (self.stop_ms - self.start_ms) / 1000

    def has(self, source: str, *names: str) -> bool:
        """Whether each of these quantities of ``source`` was read at least once."""
        samples = self.sources.get(source, [])
        return all(any(s.values.get(name) is not None for s in samples) for name in names)

    def columns(self, source: str) -> Mapping[str, Column]:
        """Every quantity of ``source`` with what its samples hold of it, gaps included."""
        if source not in self._columns:
            found: dict[str, Column] = {}
            for sample in self.sources.get(source, []):
                time_ms = sample.time_ms
                for name, value in sample.values.items():
                    if name not in found:
                        found[name] = Column([], [])
                    times, values = found[name]
                    times.append(time_ms)
                    values.append(value)
            self._columns[source] = found
        return self._columns[source]

    def readings(self, source: str, name: str) -> Readings:
        """Every reading with as many entries as most readings have; gaps are left out.

        So no more memory is taken than the readings themselves took.
        """
        if (source, name) not in self._read:
            column = self.columns(source).get(name)
            self._read[source, name] = _as_arrays(column) if column else NOTHING
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


def _as_arrays(column: Column) -> Readings:
    rows = [_row(value) for value in column.values]
    widths = Counter(map(len, rows))
    del widths[0]
    if not widths:
        return NOTHING
    width = widths.most_common(1)[0][0]
    kept = [len(row) == width for row in rows]
    times = np.array(column.times_ms, np.float64)[kept]
    flat = list(chain.from_iterable(row for row in rows if len(row) == width))
    values = np.array(flat, np.float64).reshape(-1, width)
    known = ~np.isnan(values).all(axis=1)
    return Readings(times[known], values[known])


def _row(value: Reading) -> tuple[float | None, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)
