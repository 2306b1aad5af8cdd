"""Time as an argument: the real clock, and a simulated one for exact tests of timing logic."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the drivers ask of time."""

    def now_ns(self) -> int:
        """Nanoseconds on a monotonic scale whose zero means nothing."""

    wall_at_zero_ns: int
    """Nanoseconds since the Unix epoch when `now_ns` read 0: two clocks with one anchor agree."""

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch, never falling within one clock's life."""

    def sleep_ns(self, duration_ns: int) -> None:
        """Return after ``duration_ns``, at once if that is not above 0."""


class SystemClock:
    """The machine's clock. Wall time is read once and then follows the monotonic clock.

    MLPerf's own logger reads the wall clock for every line, so that a clock adjustment during a
    run changes its score; here an adjustment changes nothing.
    """

    now_ns = staticmethod(time.perf_counter_ns)
    """See `Clock`. The built-in itself: a method around it would double what reading time costs."""

    def __init__(self, wall_at_zero_ns: int | None = None) -> None:
        """``wall_at_zero_ns``: of another process's clock, to agree with it."""
        now_ns = time.time_ns() - time.perf_counter_ns()
        self.wall_at_zero_ns = now_ns if wall_at_zero_ns is None else wall_at_zero_ns

    def wall_ms(self) -> int:
        """See `Clock`."""
        return (self.wall_at_zero_ns + time.perf_counter_ns()) // 1_000_000

    def sleep_ns(self, duration_ns: int) -> None:
        """See `Clock`."""
        if duration_ns > 0:
            time.sleep(duration_ns * 1e-9)


class SimulatedClock:
    """A clock that moves only when told to, or slept on."""

    def __init__(self, wall_ms: int = 1_700_000_000_000) -> None:
        self._now_ns = 0
        self.wall_at_zero_ns = wall_ms * 1_000_000

    def now_ns(self) -> int:
        """See `Clock`."""
        return self._now_ns

    def wall_ms(self) -> int:
        """See `Clock`."""
        return (self.wall_at_zero_ns + self._now_ns) // 1_000_000

    def sleep_ns(self, duration_ns: int) -> None:
        """See `Clock`."""
        self._now_ns += max(0, duration_ns)

    def advance(self, ns: int) -> None:
        """Let ``ns`` nanoseconds pass."""
        self._now_ns += ns
