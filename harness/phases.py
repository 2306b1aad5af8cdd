"""Where the time of a run went: a stopwatch of phases, and the ``phase_time`` events it leaves."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.events import EventLog, EventWriter, intervals

KEY = "phase_time"
_SLACK = 1.01
"""A session's phases may exceed what the driver measured around them by so much, not more."""
_LONGEST_S = 2.0**53 / 1e9
"""Beyond this a time is no longer whole nanoseconds, and no run's."""

Span = tuple[int, int]
"""Start and end."""


class Phase(StrEnum):
    """What time is spent on. Idle is what remains of the timed window."""

    DATA = "data"
    COPY = "copy"
    COMPUTE = "compute"
    COMMUNICATION = "communication"
    EVALUATION = "evaluation"
    LOGGING = "logging"
    IDLE = "idle"


_BY_NAME = {phase.value: phase for phase in Phase}


class PhaseClock:
    """A stopwatch for one thread: at each moment one phase runs, and at first that is idle.

    ``with phases(Phase.DATA):`` takes the time of the block from what surrounds it.
    """

    __slots__ = ("_now", "_phase", "_since_ns", "_spent_ns")

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now = now_ns
        self._spent_ns = dict.fromkeys(Phase, 0)
        self._phase = Phase.IDLE
        self._since_ns = now_ns()

    def __call__(self, phase: Phase) -> "_Within":
        """A ``with`` block that is spent on ``phase``; blocks may lie in one another."""
        return _Within(self, phase)

    def switch(self, phase: Phase) -> Phase:
        """From now on ``phase`` runs; return the one that ran until now."""
        now_ns, before = self._now(), self._phase
        self._spent_ns[before] += now_ns - self._since_ns
        self._since_ns, self._phase = now_ns, phase
        return before

    def spent_ns(self) -> dict[Phase, int]:
        """Nanoseconds of each phase since the start; they add up to the time since then."""
        self.switch(self._phase)
        return dict(self._spent_ns)

    def ended_ns(self) -> dict[Phase, int]:
        """As `spent_ns`, without what still runs: the one that another thread may call."""
        return dict(self._spent_ns)


class _Within:
    """A class and no generator, which would take three times as long."""

    __slots__ = ("_before", "_clock", "_phase")

    def __init__(self, clock: PhaseClock, phase: Phase) -> None:
        self._clock = clock
        self._phase = phase

    def __enter__(self) -> None:
        self._before = self._clock.switch(self._phase)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clock.switch(self._before)


def log_phases(
    log: EventWriter,
    spent_s: Mapping[Phase, float],
    includes: Sequence[Phase] = (),
    waiting_s: float | None = None,
) -> None:
    """Log a ``phase_time`` event in seconds for each phase of ``spent_s``.

    ``includes`` names the phases that could not be told from compute and are part of it;
    ``waiting_s`` is the part of idle in which queries were waiting.
    """
    further: dict[Phase, dict[str, object]] = {}
    if includes:
        further[Phase.COMPUTE] = {"includes": list(includes)}
    if waiting_s is not None:
        further[Phase.IDLE] = {"waiting": waiting_s}
    for phase, seconds in spent_s.items():
        log.event(KEY, seconds, phase=phase, **further.get(phase, {}))


def phase_times(log: EventLog) -> dict[Phase, float] | None:
    """Seconds of each phase as logged; none unless all are known, named once, finite and >= 0."""
    found: dict[Phase, float] = {}
    for event in log.all(KEY):
        phase, seconds = _phase(event.metadata.get("phase")), _seconds(event.value)
        if phase is None or seconds is None or phase in found:
            return None
        found[phase] = seconds
    return found or None


def _phase(name: object) -> Phase | None:
    return _BY_NAME.get(name) if isinstance(name, str) else None


def _seconds(value: object) -> float | None:
    """``value`` as seconds; the comparison refuses NaN, and integers that no float can hold."""
    if type(value) not in (int, float) or not 0 <= value <= _LONGEST_S:  # type: ignore[operator]
        return None
    return float(value)  # type: ignore[arg-type]


def divided(block_s: float, told: Mapping[str, Any] | None) -> dict[Phase, float] | None:
    """The time of training blocks as the session that spent it divides it up.

    What it tells of no phase is idle. None if it tells nothing, or tells what cannot be: an
    unknown phase, no number >= 0, or more than the blocks took.
    """
    found: dict[Phase, float] = {}
    for name, value in (told or {}).items():
        phase, seconds = _phase(name), _seconds(value)
        if phase is None or seconds is None:
            return None
        found[phase] = seconds
    total = sum(found.values())
    if not found or total > block_s * _SLACK:
        return None
    scale = min(1.0, block_s / total) if total else 1.0
    found = {phase: seconds * scale for phase, seconds in found.items()}
    rest = max(0.0, block_s - total)
    return {**found, Phase.IDLE: found.get(Phase.IDLE, 0.0) + rest}


def logged_phases(log: EventLog) -> dict[Phase, float] | None:
    """Compute, evaluation and idle of a training, from its blocks and evaluations alone.

    None without ``run_start``, ``run_stop`` and a block. An evaluation within a block is taken
    from it. A block also holds the reading and copying of data.
    """
    start, stop = log.first("run_start"), log.last("run_stop")
    blocks, evaluations = _spans(log, "block"), _spans(log, "eval")
    if start is None or stop is None or stop.time_ms < start.time_ms or not blocks:
        return None
    window = (start.time_ms, stop.time_ms)
    evaluated, busy = _union(evaluations, window), _union(blocks + evaluations, window)
    whole = window[1] - window[0]
    return {
        Phase.COMPUTE: (busy - evaluated) / 1e3,
        Phase.EVALUATION: evaluated / 1e3,
        Phase.IDLE: (whole - busy) / 1e3,
    }


def _spans(log: EventLog, name: str) -> list[Span]:
    return [(start.time_ms, stop.time_ms) for start, stop in intervals(log, name)]


def _union(spans: Sequence[Span], window: Span) -> int:
    """How much of ``window`` lies within at least one of ``spans``."""
    covered, reached = 0, window[0]
    for start, end in sorted(spans):
        start, end = max(start, reached), min(end, window[1])
        if end > start:
            covered += end - start
            reached = end
    return covered


def in_flight_ns(issued: NDArray[np.int64], completed: NDArray[np.int64]) -> int:
    """For how long at least one of the samples, in the order of issue, was not yet answered."""
    if not len(issued):
        return 0
    until = np.maximum.accumulate(np.concatenate([issued[:1], completed]))[:-1]
    begins = np.maximum(issued, until)
    return int(np.maximum(completed - begins, 0).sum())


def in_words(spent_s: Mapping[Phase, float]) -> str:
    """The shares, the largest first: ``time: compute 81 %, evaluation 12 %, idle 7 %``."""
    total = sum(spent_s.values())
    if not total:
        return "time: none"
    shares = sorted(((s / total, phase) for phase, s in spent_s.items() if s), reverse=True)
    return "time: " + ", ".join(f"{phase} {_percent(share)} %" for share, phase in shares)


def _percent(share: float) -> str:
    return "< 1" if share < 0.005 else f"{100 * share:.0f}"
