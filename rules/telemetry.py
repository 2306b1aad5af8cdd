"""TELE rules on the record itself: is it whole, on time, and of the run's own window."""

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.telemetry.log import Reading
from harness.telemetry.sampler import INTERVAL_S
from rules.case import Problem, RunCase, Severity
from rules.registry import rule
from rules.scoring import timed_window_ms
from rules.timeline import Column, Timeline

_GAP_MS = 2000
_SLACK_MS = 1000  # what TRAIN-10 allows a submitter's own program
_SLOW_S = 1.5 * INTERVAL_S
_LATE_S = INTERVAL_S
_SAMPLER = "sampler"
_MOST_ENTRIES = 5_000_000
_CHANCE = 3  # so many readings may fail at the end without anything being lost


def sampled(*quantities: tuple[str, str]) -> "Sampled":
    """For ``when``: whether each ``(source, name)`` was read in the run's timed window."""
    return Sampled(quantities)


class Sampled:
    """Whether a run's telemetry has certain quantities; without any, whether it has a sample."""

    def __init__(self, quantities: tuple[tuple[str, str], ...]) -> None:
        self._quantities = quantities

    def __call__(self, case: RunCase) -> bool:
        line = case.timeline
        if line is None or not line.sources:
            return False
        return all(line.has(source, name) for source, name in self._quantities)


def telemetry_problem(
    case: RunCase,
    message: str,
    *,
    expected: str | None = None,
    found: str | None = None,
    severity: Severity = "warning",
) -> Problem:
    """A problem in the run's telemetry."""
    file = case.evidence.file("telemetry.jsonl")
    return Problem(message, file, None, expected, found, severity)


@rule("TELE-1", on="run", when=lambda case: timed_window_ms(case.evidence.log) is not None)
def telemetry_covers_the_run(case: RunCase) -> Iterator[Problem]:
    """Telemetry covers the timed window without a gap of more than 2 s (a warning)."""
    window_ms = timed_window_ms(case.evidence.log)
    times = sorted(sample.time_ms for sample in case.evidence.telemetry.samples)
    if window_ms is None or not times:
        yield telemetry_problem(case, "no telemetry was sampled")
        return
    start, stop = window_ms
    inside = [time for time in times if start < time < stop]
    gap = max(after - before for before, after in itertools.pairwise([start, *inside, stop]))
    if gap > _GAP_MS:
        yield telemetry_problem(
            case,
            "telemetry has a gap within the run",
            expected=f"at most {_GAP_MS} ms",
            found=f"{gap} ms",
        )


@rule("TELE-2", on="run", when=sampled((_SAMPLER, "late_s")))
def sampling_kept_pace(case: RunCase) -> Iterator[Problem]:
    """Sampling kept its pace: a reading every 0.1 s, none much too late (a warning).

    In the timed window the median interval between two readings of all sources is at most
    0.15 s, and the 95th percentile of how late one began is at most 0.1 s.
    """
    assert case.timeline is not None
    ticks = case.timeline.inside(_SAMPLER, "late_s")
    if len(ticks) > 1:
        interval_s = float(np.median(np.diff(ticks.times_ms))) / 1000
        if interval_s > _SLOW_S:
            yield telemetry_problem(
                case,
                "sampling fell behind: short events may be missing from the telemetry",
                expected=f"a median interval of at most {_SLOW_S:.2f} s",
                found=f"{interval_s:.2f} s",
            )
        late_s = float(np.percentile(ticks.values[:, 0], 95))
        if late_s > _LATE_S:
            yield telemetry_problem(
                case,
                "readings began late: the machine had no time for them",
                expected=f"95 % at most {_LATE_S:.2f} s late",
                found=f"{late_s:.2f} s",
            )


@rule("TELE-3", on="run", when=sampled())
def telemetry_is_of_the_window(case: RunCase) -> Iterator[Problem]:
    """Telemetry begins before run_start and ends after run_stop, and its times never fall.

    Both logs are stamped by one clock, which never falls: a source whose times do is an error.
    The rest is a warning, for a submitter's own training program only beyond 1 s.
    """
    samples, window_ms = case.evidence.telemetry.samples, timed_window_ms(case.evidence.log)
    assert window_ms is not None
    slack_ms = _SLACK_MS if case.evidence.run.command else 0
    times = [sample.time_ms for sample in samples]
    first, last = min(times), max(times)
    if first > window_ms[0] + slack_ms:
        found = f"the first reading {first - window_ms[0]} ms after run_start"
        yield telemetry_problem(case, "telemetry begins after run_start", found=found)
    if last < window_ms[1] - slack_ms:
        found = f"the last reading {window_ms[1] - last} ms before run_stop"
        yield telemetry_problem(case, "telemetry ends before run_stop", found=found)
    latest: dict[str, int] = {}
    for number, sample in enumerate(samples, 1):
        if sample.time_ms < latest.get(sample.source, 0):
            message = f"time falls in the readings of {sample.source}"
            file = case.evidence.file("telemetry.jsonl")
            yield Problem(message, file, number)
            return
        latest[sample.source] = sample.time_ms


@rule("TELE-4", on="run", when=sampled())
def nothing_vanished(case: RunCase) -> Iterator[Problem]:
    """What was measured at first is measured to the end of the timed window (a warning).

    A quantity, or the entry of a device or core, that once had a value and then had none for
    more than 2 s or from then on is named with the reason that was recorded: a device was lost, or
    a source ended.
    """
    assert case.timeline is not None
    for source, samples in case.timeline.sources.items():
        ended_ms = case.timeline.stop_ms - samples[-1].time_ms
        usual_ms = float(np.median(np.diff([s.time_ms for s in samples]))) if samples[1:] else 0.0
        if ended_ms > max(_GAP_MS, 3 * usual_ms):
            found = f"none in the last {ended_ms / 1000:.1f} s"
            yield telemetry_problem(case, f"{source} gave no further readings", found=found)
        lost = _lost(case.timeline, source)
        if lost:
            longest = max(lost.values())
            reasons = sorted({s.gaps[name] for s in samples for name in lost if name in s.gaps})
            yield telemetry_problem(
                case,
                f"{source} lost what it had measured: {', '.join(lost)}",
                found=f"no value for {longest:.1f} s ({'; '.join(reasons[:3]) or 'no reason'})",
            )


def _lost(timeline: Timeline, source: str) -> dict[str, float]:
    """Seconds without a value after the first, of each quantity that has them, at their longest."""
    found = {}
    for name, column in timeline.columns(source).items():
        if None in column.values or any(None in v for v in column.values if isinstance(v, tuple)):
            longest_ms = _longest_gap_ms(column, timeline.stop_ms)
            if longest_ms:
                found[name] = longest_ms / 1000
    return found


def _longest_gap_ms(column: Column, stop_ms: int) -> int:
    """The longest stretch, of more than 2 s or up to the end, without a value after one."""
    present = _present(column.values)
    times = np.array(column.times_ms)
    at = np.arange(len(times)).reshape(-1, 1)
    seen = np.maximum.accumulate(np.where(present, at, -1), axis=0)
    back = present[1:] & (seen[:-1] >= 0) & (seen[:-1] < at[:-1])
    gaps = np.broadcast_to(times[1:, None], back.shape)[back] - times[seen[:-1][back]]
    longest = int(gaps.max(initial=0))
    last = seen[-1][(seen[-1] >= 0) & (seen[-1] < len(times) - _CHANCE)]
    open_ms = stop_ms - int(times[last].min()) if len(last) else 0
    return max(longest if longest > _GAP_MS else 0, open_ms)


def _present(values: list[Reading]) -> NDArray[np.bool_]:
    """``[reading, entry]``: whether there is a value; too many entries count as one."""
    width = max((len(value) for value in values if isinstance(value, tuple)), default=1)
    if width * len(values) > _MOST_ENTRIES:
        return np.array([[_any_value(value)] for value in values])
    present = np.zeros((len(values), max(width, 1)), bool)
    for at, value in enumerate(values):
        if isinstance(value, tuple):
            present[at, : len(value)] = [entry is not None for entry in value]
        else:
            present[at] = value is not None
    return present


def _any_value(value: Reading) -> bool:
    row = value if isinstance(value, tuple) else (value,)
    return any(entry is not None for entry in row)
