import io
import math
from typing import Any

import numpy as np
import pytest

from harness.clock import SimulatedClock
from harness.events import EventLog, EventWriter, parse_events
from harness.phases import (
    Phase,
    PhaseClock,
    divided,
    in_flight_ns,
    in_words,
    log_phases,
    logged_phases,
    phase_times,
)


def written(spent_s: dict[Phase, float], *includes: Phase) -> EventLog:
    stream = io.StringIO()
    log_phases(EventWriter(stream, SimulatedClock()), spent_s, includes)
    return parse_events(stream.getvalue().encode())


def logged(value: Any, phase: Any = "data") -> EventLog:
    stream = io.StringIO()
    log = EventWriter(stream, SimulatedClock())
    log.event("phase_time", 1.0, phase="compute")
    log.event("phase_time", value, phase=phase)
    return parse_events(stream.getvalue().encode())


def test_inner_time_is_taken_from_the_outer_and_all_adds_up() -> None:
    clock = SimulatedClock()
    phases = PhaseClock(clock.now_ns)
    clock.advance(1)
    with phases(Phase.COMPUTE):
        clock.advance(20)
        with phases(Phase.DATA):
            clock.advance(300)
            with phases(Phase.COPY):
                clock.advance(4_000)
            clock.advance(50_000)
        clock.advance(600_000)
    clock.advance(7_000_000)
    spent = phases.spent_ns()
    assert sum(spent.values()) == clock.now_ns()
    assert {phase: ns for phase, ns in spent.items() if ns} == {
        Phase.IDLE: 7_000_001,
        Phase.COMPUTE: 600_020,
        Phase.DATA: 50_300,
        Phase.COPY: 4_000,
    }


def test_what_raises_ends_its_phase() -> None:
    clock = SimulatedClock()
    phases = PhaseClock(clock.now_ns)

    def fails() -> None:
        with phases(Phase.DATA):
            clock.advance(5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    clock.advance(3)
    assert phases.spent_ns()[Phase.DATA] == 5


def test_what_still_runs_is_not_among_what_ended() -> None:
    clock = SimulatedClock()
    phases = PhaseClock(clock.now_ns)
    with phases(Phase.DATA):
        clock.advance(5)
        assert phases.ended_ns()[Phase.DATA] == 0
    assert phases.ended_ns()[Phase.DATA] == 5


def test_what_is_logged_is_read_back() -> None:
    spent = {Phase.COMPUTE: 1.5, Phase.DATA: 0.0}
    log = written(spent, Phase.COPY)
    assert phase_times(log) == spent
    compute, data = log.all("phase_time")
    assert compute.metadata["includes"] == ["copy"]
    assert "includes" not in data.metadata
    assert phase_times(EventLog(())) is None


@pytest.mark.parametrize(
    "value", [-0.1, math.nan, math.inf, 10**400, 2**60, True, None, "1", [1.0]]
)
def test_no_time_makes_all_of_them_unknown(value: Any) -> None:
    assert phase_times(logged(1)) == {Phase.COMPUTE: 1.0, Phase.DATA: 1.0}
    assert phase_times(logged(value)) is None


@pytest.mark.parametrize("phase", ["sleep", "compute", "", None, 3, ["data"], {}])
def test_a_phase_unknown_or_named_twice_makes_all_of_them_unknown(phase: Any) -> None:
    assert phase_times(logged(1.0, phase)) is None


def test_what_a_session_tells_of_no_phase_is_idle() -> None:
    assert divided(10.0, {"compute": 6.0, "data": 1.0}) == {
        Phase.COMPUTE: 6.0,
        Phase.DATA: 1.0,
        Phase.IDLE: 3.0,
    }


def test_a_session_a_little_over_is_scaled_to_what_was_measured() -> None:
    found = divided(10.0, {"compute": 10.05})
    assert found is not None
    assert sum(found.values()) == pytest.approx(10.0)


@pytest.mark.parametrize(
    "told", [None, {}, {"compute": 10.2}, {"compute": math.nan}, {"data": -1.0}, {"sleep": 1.0}]
)
def test_a_session_that_tells_nothing_or_what_cannot_be_is_not_followed(told: Any) -> None:
    assert divided(10.0, told) is None


def lines(*events: tuple[int, str]) -> EventLog:
    form = ':::MLLOG {"time_ms": %d, "key": "%s", "value": null, "metadata": {}}\n'
    return parse_events("".join(form % event for event in events).encode())


def test_blocks_and_evaluations_of_a_log_add_up_to_its_window() -> None:
    log = lines(
        (1000, "run_start"),
        (1100, "block_start"),
        (1500, "eval_start"),  # within the block
        (1700, "eval_stop"),
        (1900, "block_stop"),
        (2000, "eval_start"),
        (2300, "eval_stop"),
        (3000, "run_stop"),
    )
    assert logged_phases(log) == {Phase.COMPUTE: 0.6, Phase.EVALUATION: 0.5, Phase.IDLE: 0.9}


def test_a_log_without_blocks_says_nothing() -> None:
    assert logged_phases(lines((1, "run_start"), (2, "run_stop"))) is None
    assert logged_phases(lines((1, "block_start"), (2, "block_stop"))) is None


def test_time_in_flight_counts_once_however_many_are_in_flight() -> None:
    issued = np.array([0, 10, 15, 100, 130])
    completed = np.array([20, 12, 30, 120, 130])
    assert in_flight_ns(issued, completed) == 30 + 20
    assert in_flight_ns(issued[:0], completed[:0]) == 0


def test_shares_are_told_with_the_largest_first() -> None:
    spent = {Phase.IDLE: 0.02, Phase.COMPUTE: 8.08, Phase.EVALUATION: 1.9, Phase.COPY: 0.0}
    assert in_words(spent) == "time: compute 81 %, evaluation 19 %, idle < 1 %"
