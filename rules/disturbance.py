"""What disturbed a run: stretches of its timed window in which the machine was not its own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from harness.telemetry.nvml import throttles
from rules.scoring import timed_window_ms
from rules.submission import RunEvidence
from rules.timeline import Column, Floats, Readings, Timeline

_LOOK_BACK_MS = 1000  # a counter of 10 ms ticks says nothing over one interval of 100 ms
_JOIN_MS = 500
_HOLDS_MS = 2000
_PAGED_BYTES = 2**20
_THERMAL = frozenset({"sw_thermal_slowdown", "hw_thermal_slowdown", "hw_slowdown"})
_POWER = frozenset({"sw_power_cap", "hw_power_brake_slowdown"})


class Kind(StrEnum):
    """What disturbed."""

    OTHER_LOAD = "other_load"
    OTHER_GPU_PROCESSES = "other_gpu_processes"
    STEAL = "steal"
    THERMAL_THROTTLING = "thermal_throttling"
    POWER_THROTTLING = "power_throttling"
    FREQUENCY_DROP = "frequency_drop"
    SWAPPING = "swapping"
    MEMORY_PRESSURE = "memory_pressure"
    CPU_THROTTLING = "cpu_throttling"


@dataclass(frozen=True)
class Disturbance:
    """One stretch of one kind."""

    kind: Kind
    start_ms: int
    stop_ms: int
    """Wall times, within the timed window."""
    text: str
    """What happened and for how many seconds, for people."""

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.stop_ms - self.start_ms) / 1000


@dataclass(frozen=True)
class _Span:
    start_ms: float
    stop_ms: float

    @property
    def seconds(self) -> float:
        return (self.stop_ms - self.start_ms) / 1000


def disturbances(evidence: RunEvidence) -> tuple[Disturbance, ...]:
    """Everything known to have disturbed a run in its timed window, in order of time.

    What was not measured is not a disturbance, so a run without telemetry has none.
    """
    window = timed_window_ms(evidence.log)
    return find(Timeline(evidence.telemetry, *window)) if window else ()


def find(timeline: Timeline) -> tuple[Disturbance, ...]:
    """See `disturbances`."""
    found = [one for finder in _FINDERS for one in finder(timeline)]
    return tuple(sorted(found, key=lambda one: (one.start_ms, one.kind)))


def _other_load(timeline: Timeline) -> Iterator[Disturbance]:
    """More than 10 % of the cores' time, over a second, that is not this run's."""
    cores = timeline.entries("host", "cpu_utilisation")
    busy, own = timeline.total("host", "cpu_busy_s"), timeline.total("host", "own_cpu_s")
    if not cores or not len(busy) or not len(own):
        return
    both = (busy.times_ms >= own.times_ms[0]) & (busy.times_ms <= own.times_ms[-1])
    times = busy.times_ms[both]
    ours = np.interp(times, own.times_ms, own.values[:, 0])
    others = Readings(times, busy.values[both] - ours.reshape(-1, 1))
    for span, rate in _fast(others, 0.1 * cores):
        share = f"{_percent(rate / cores)} of {cores} cores"
        yield _as_disturbance(Kind.OTHER_LOAD, span, f"other processes used {share}")


def _steal(timeline: Timeline) -> Iterator[Disturbance]:
    """More than 5 % of the cores' time, over a second, that the hypervisor gave to others."""
    cores = timeline.entries("host", "cpu_utilisation")
    if cores:
        for span, rate in _fast(timeline.total("host", "cpu_steal_s"), 0.05 * cores):
            share = _percent(rate / cores)
            yield _as_disturbance(Kind.STEAL, span, f"the hypervisor took {share} of the cores")


def _memory_pressure(timeline: Timeline) -> Iterator[Disturbance]:
    """More than 1 % of the time, over a second, in which nothing ran for want of memory."""
    for span, rate in _fast(timeline.total("pressure", "memory_full_s"), 0.01):
        text = f"all processes waited for memory {_percent(rate)} of the time"
        yield _as_disturbance(Kind.MEMORY_PRESSURE, span, text)


def _cpu_throttling(timeline: Timeline) -> Iterator[Disturbance]:
    """More than 1 % of a core's time, over a second, that a CPU quota took away."""
    for span, rate in _fast(timeline.total("cgroup", "throttled_s"), 0.01):
        text = f"the CPU quota held the run's threads back, {rate:.2f} s each second"
        yield _as_disturbance(Kind.CPU_THROTTLING, span, text)


def _swapping(timeline: Timeline) -> Iterator[Disturbance]:
    """More than a mebibyte a second, over a second, that was moved from or to swap."""
    for name, what in (("swap_in_bytes", "from"), ("swap_out_bytes", "to")):
        for span, rate in _fast(timeline.total("host", name), _PAGED_BYTES):
            text = f"{rate / 1e6:.0f} MB a second moved {what} swap"
            yield _as_disturbance(Kind.SWAPPING, span, text)


def _frequency_drop(timeline: Timeline) -> Iterator[Disturbance]:
    """A second or more below 80 % of the window's 90th percentile while the cores were busy."""
    clock = timeline.inside("host", "cpu_frequency_hz")
    use = timeline.inside("host", "cpu_utilisation")
    if not len(clock) or not len(use):
        return
    mean_hz = _mean(clock.values)
    busy = np.interp(clock.times_ms, use.times_ms, _mean(use.values)) >= 0.5
    known = busy & ~np.isnan(mean_hz)
    if known.any():
        usual = float(np.percentile(mean_hz[known], 90))
        slow = known & (np.where(known, mean_hz, usual) < 0.8 * usual)
        for span in _held(clock.times_ms, slow, timeline):
            if span.seconds >= 1:
                within = (clock.times_ms >= span.start_ms) & (clock.times_ms < span.stop_ms)
                slowest = mean_hz[within & slow].min() / 1e9
                text = f"cores fell to {slowest:.2f} GHz from {usual / 1e9:.2f} GHz while busy"
                yield _as_disturbance(Kind.FREQUENCY_DROP, span, text)


def _throttling(timeline: Timeline) -> Iterator[Disturbance]:
    """Any reading at which a device said that heat or power slowed it down."""
    column = timeline.columns("nvml").get("throttle_reasons", Column([], []))
    for device in range(timeline.entries("nvml", "throttle_reasons")):
        pairs = zip(column.times_ms, column.values, strict=True)
        masks = [(time, _entry(reading, device)) for time, reading in pairs]
        known = [(time, mask) for time, mask in masks if isinstance(mask, int) and mask >= 0]
        times = np.array([time for time, _ in known], np.float64)
        names = [frozenset(throttles(mask)) for _, mask in known]
        for kind, kinds in ((Kind.THERMAL_THROTTLING, _THERMAL), (Kind.POWER_THROTTLING, _POWER)):
            slowed = np.array([bool(found & kinds) for found in names], bool)
            told = sorted(frozenset().union(*names) & kinds)
            for span in _held(times, slowed, timeline):
                text = f"accelerator {device} was slowed down ({', '.join(told)})"
                yield _as_disturbance(kind, span, text)


def _other_gpu_processes(timeline: Timeline) -> Iterator[Disturbance]:
    """Any reading at which a process that is not the run's was on an accelerator."""
    found = timeline.readings("nvml", "other_processes")
    for device in range(found.values.shape[1]):
        count = found.values[:, device]
        for span in _held(found.times_ms, count > 0, timeline):
            text = f"other processes were on accelerator {device}"
            yield _as_disturbance(Kind.OTHER_GPU_PROCESSES, span, text)


_FINDERS: tuple[Callable[[Timeline], Iterable[Disturbance]], ...] = (
    _other_load,
    _steal,
    _memory_pressure,
    _cpu_throttling,
    _swapping,
    _frequency_drop,
    _throttling,
    _other_gpu_processes,
)


def _fast(total: Readings, limit: float) -> list[tuple[_Span, float]]:
    """Stretches of 1 s or more in which ``total`` grew by over ``limit`` a second; how fast there.

    Judged over at least a second up to each reading; a stretch then begins and ends with an
    interval that was too fast by itself.
    """
    times, grown = total.times_ms, total.values[:, 0]
    if not len(times):
        return []
    before = np.searchsorted(times, times - _LOOK_BACK_MS, "right") - 1
    long_enough = np.flatnonzero(before >= 0)
    back = before[long_enough]
    rate = 1000 * (grown[long_enough] - grown[back]) / (times[long_enough] - times[back])
    fast = rate > limit
    spans = zip(times[back[fast]], times[long_enough[fast]], strict=True)
    single = np.diff(grown) * 1000 > limit * np.diff(times)
    trimmed = (_trimmed(span, times, single) for span in _joined(spans, _JOIN_MS))
    return [(span, _rate(span, total)) for span in trimmed if span.seconds >= 1]


def _trimmed(span: _Span, times: Floats, single: NDArray[np.bool_]) -> _Span:
    inside = (times[:-1] >= span.start_ms) & (times[1:] <= span.stop_ms) & single
    at = np.flatnonzero(inside)
    return _Span(float(times[at[0]]), float(times[at[-1] + 1])) if len(at) else span


def _rate(span: _Span, total: Readings) -> float:
    ends = np.interp([span.start_ms, span.stop_ms], total.times_ms, total.values[:, 0])
    return float(ends[1] - ends[0]) / span.seconds


def _held(times: Floats, wrong: NDArray[np.bool_], timeline: Timeline) -> list[_Span]:
    """Stretches of the window in which readings were ``wrong``: each holds until the next."""
    if not len(times):
        return []
    until = np.minimum(np.append(times[1:], times[-1]), times + _HOLDS_MS)
    starts = np.maximum(times[wrong], timeline.start_ms)
    stops = np.minimum(until[wrong], timeline.stop_ms)
    kept = starts < stops
    return _joined(zip(starts[kept], stops[kept], strict=True), _JOIN_MS)


def _joined(spans: Iterable[tuple[float, float]], apart_ms: int) -> list[_Span]:
    """``spans``, in order of their start, those no further apart than ``apart_ms`` made one."""
    joined: list[_Span] = []
    for start, stop in spans:
        if joined and start - joined[-1].stop_ms <= apart_ms:
            joined[-1] = _Span(joined[-1].start_ms, max(joined[-1].stop_ms, float(stop)))
        else:
            joined.append(_Span(float(start), float(stop)))
    return joined


def _entry(reading: object, device: int) -> object:
    row = reading if isinstance(reading, tuple) else (reading,)
    return row[device] if device < len(row) else None


def _mean(values: Floats) -> Floats:
    """Mean over the entries of each reading, NaN where all are gaps."""
    known = ~np.isnan(values)
    sums = np.where(known, values, 0).sum(axis=1)
    count = known.sum(axis=1)
    mean: Floats = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    return mean


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _as_disturbance(kind: Kind, span: _Span, text: str) -> Disturbance:
    told = f"{text} for {span.seconds:.1f} s"
    return Disturbance(kind, round(span.start_ms), round(span.stop_ms), told)
