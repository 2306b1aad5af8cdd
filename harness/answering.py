"""Where the time of an inference run went, from its query log and the thread that answers."""

from harness.batcher import InlineAdapter, QueueingAdapter
from harness.events import EventWriter
from harness.phases import Phase, in_flight_ns, log_phases
from harness.sut import SystemUnderTest
from harness.tracker import Tracker


class AnsweringTime:
    """Begins to count when it is made. Nothing is timed where queries are issued.

    The answering of a `Predictor` is timed by its adapter. Of any other system it is only known
    when queries were in flight, and all of that is compute.
    """

    def __init__(self, sut: SystemUnderTest) -> None:
        self._phases = sut.phases if isinstance(sut, InlineAdapter | QueueingAdapter) else None
        self._before = self._phases.ended_ns() if self._phases else {}

    def log(self, log: EventWriter, tracker: Tracker, window_ns: int) -> None:
        """Log the phases of a window, first due to last answered, in which all was answered."""
        columns, rows = tracker.columns, tracker.rows
        flight_ns = in_flight_ns(columns["issued"][:rows], columns["completed"][:rows])
        spent_ns, left_ns = {}, window_ns
        for phase, ns in self._answering_ns(flight_ns).items():
            spent_ns[phase] = min(ns, left_ns)  # entering the last answer ends after it
            left_ns -= spent_ns[phase]
        waiting_ns = max(0, flight_ns - sum(spent_ns.values()))
        spent_s = {phase: ns / 1e9 for phase, ns in {**spent_ns, Phase.IDLE: left_ns}.items()}
        if self._phases is None:
            log_phases(log, spent_s, includes=(Phase.DATA, Phase.COPY))
        else:
            log_phases(log, spent_s, waiting_s=min(waiting_ns, left_ns) / 1e9)

    def _answering_ns(self, flight_ns: int) -> dict[Phase, int]:
        if self._phases is None:
            return {Phase.COMPUTE: flight_ns}
        ended = self._phases.ended_ns()
        return {
            phase: ended[phase] - self._before[phase]
            for phase in (Phase.COMPUTE, Phase.DATA, Phase.LOGGING)
        }
