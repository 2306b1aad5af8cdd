from collections.abc import Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray
from toy import MS, ToyLibrary, ToyModel, toy_subject

from harness.clock import Clock, SimulatedClock, SystemClock
from harness.events import EventLog, parse_events
from harness.inference import Target, Task, infer
from harness.phases import Phase, phase_times
from harness.records import InferenceSettings, Mode, Run, Scenario
from harness.sut import Queries

SEEDS = {"library": 2, "order": 3, "schedule": 4}


class SlowLibrary(ToyLibrary):
    """Takes 1 ms to give a batch."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def get(self, indices: NDArray[np.int64]) -> list[int]:
        self._clock.advance(MS)
        return super().get(indices)


class SlowSystem:
    """No `Predictor`: takes 3 ms a query, and 1 ms after it, when nothing is in flight."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def issue(self, queries: Queries) -> None:
        self._clock.advance(3 * MS)
        queries.complete(queries.samples.tolist())
        self._clock.advance(MS)

    def flush(self) -> None:
        pass


def measured(
    folder: Path,
    thing: object,
    library: ToyLibrary,
    clock: Clock,
    scenario: Scenario = Scenario.SINGLE_STREAM,
    mode: Mode = Mode.PERFORMANCE,
) -> tuple[Run, EventLog]:
    settings = InferenceSettings(
        min_duration_ns=20 * MS, min_query_count=5, target_rate=1000.0, timeout_ns=50 * MS
    )
    task = Task(scenario, mode, settings, SEEDS)
    target = Target("toy:Toy", thing, library, lambda _: 1.0)
    run = infer(target, task, folder, toy_subject(), clock)
    return run, parse_events((folder / "events.log").read_bytes())


@pytest.mark.parametrize("bad", [(), range(8)])
def test_a_models_compute_is_told_from_its_data(tmp_path: Path, bad: Sequence[int]) -> None:
    clock = SimulatedClock()
    run, log = measured(tmp_path / "r", ToyModel(clock, bad), SlowLibrary(clock), clock)
    spent = phase_times(log)
    assert spent is not None
    assert run.duration_ns == 24 * MS  # eight queries, and nothing of the warm-up
    assert spent == {
        Phase.COMPUTE: 0.016,
        Phase.DATA: 0.008,
        Phase.LOGGING: 0.0,
        Phase.IDLE: 0.0,
    }


def test_of_another_system_the_time_in_flight_is_compute(tmp_path: Path) -> None:
    clock = SimulatedClock()
    run, log = measured(tmp_path / "r", SlowSystem(clock), ToyLibrary(), clock)
    spent = phase_times(log)
    assert spent is not None
    queries = run.samples or 0
    assert spent == {
        Phase.COMPUTE: pytest.approx(queries * 0.003),
        Phase.IDLE: pytest.approx((queries - 1) * 0.001),
    }
    (compute,) = (e for e in log.all("phase_time") if e.metadata["phase"] == "compute")
    assert compute.metadata["includes"] == ["data", "copy"]


class Instant:
    """Answers in no time to speak of."""

    def predict(self, inputs: list[int]) -> list[int]:
        return inputs


def test_the_phases_of_an_open_loop_add_up_to_its_window(tmp_path: Path) -> None:
    run, log = measured(tmp_path / "r", Instant(), ToyLibrary(), SystemClock(), Scenario.SERVER)
    spent = phase_times(log)
    assert spent is not None
    assert sum(spent.values()) * 1e9 == pytest.approx(run.duration_ns, rel=1e-6)
    assert 0 < spent[Phase.COMPUTE] < spent[Phase.IDLE]
    (idle,) = (e for e in log.all("phase_time") if e.metadata["phase"] == "idle")
    assert 0 <= idle.metadata["waiting"] <= spent[Phase.IDLE]


class Hangs:
    """Never answers."""

    def issue(self, queries: Queries) -> None:
        pass

    def flush(self) -> None:
        Event().wait(0.001)


def test_only_a_performance_run_that_was_answered_has_phases(tmp_path: Path) -> None:
    clock = SimulatedClock()
    _, log = measured(tmp_path / "a", ToyModel(clock), ToyLibrary(), clock, mode=Mode.ACCURACY)
    assert log.all("phase_time") == []
    _, log = measured(tmp_path / "b", Hangs(), ToyLibrary(), SystemClock())
    assert log.all("phase_time") == []
