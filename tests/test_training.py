import math
from pathlib import Path

import pytest
from toy import MS, ToyWorkload, toy_subject

from harness.clock import SimulatedClock
from harness.errors import LevelfieldError
from harness.events import EventLog, parse_events, values
from harness.phases import Phase, phase_times
from harness.records import Run, RunStatus
from harness.training import train


def trained(
    folder: Path, qualities: list[float], limit: int = 500
) -> tuple[Run, EventLog, ToyWorkload]:
    clock = SimulatedClock()
    workload = ToyWorkload(clock, qualities, limit)
    run = train(workload, {}, 7, folder, toy_subject(), clock)
    return run, parse_events((folder / "events.log").read_bytes()), workload


def test_it_stops_at_the_first_evaluation_that_meets_the_target(tmp_path: Path) -> None:
    run, log, _ = trained(tmp_path / "r", [0.5, 0.9, 0.99])
    assert (run.status, run.samples, run.quality) == (RunStatus.COMPLETE, 200, 0.9)
    assert values(log.all("eval_accuracy")) == [0.5, 0.9]
    stop = log.first("run_stop")
    assert stop is not None
    assert stop.metadata["status"] == "success"


def test_time_runs_from_the_first_touch_of_the_data_to_the_decision(tmp_path: Path) -> None:
    run, log, workload = trained(tmp_path / "r", [0.95])
    assert run.duration_ns == (10 + 100 + 5) * MS  # load, train, evaluate; not initialisation
    start, init = log.first("run_start"), log.first("init_start")
    assert start is not None
    assert init is not None
    assert start.time_ms - init.time_ms == 100
    calls = workload.session.calls
    assert calls == ["prepare", "load", "load evaluation", "train", "evaluate"]


def test_it_is_aborted_at_the_limit(tmp_path: Path) -> None:
    run, log, _ = trained(tmp_path / "r", [0.1, math.nan, 0.3], limit=300)
    assert (run.status, run.samples) == (RunStatus.ABORTED, 300)
    assert values(log.all("eval_accuracy")) == [0.1, None, 0.3]


def test_what_the_workload_raises_is_kept_as_failed(tmp_path: Path) -> None:
    run, log, _ = trained(tmp_path / "r", [0.1])  # the toy has no second quality to give
    assert run.status == RunStatus.FAILED
    assert run.error == "IndexError: pop from empty list"
    assert len(log.all("eval_accuracy")) == 1


def test_an_interrupted_run_stays_incomplete(tmp_path: Path) -> None:
    clock = SimulatedClock()
    workload = ToyWorkload(clock, [0.1])
    workload.session.load = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        train(workload, {}, 7, tmp_path / "r", toy_subject(), clock)
    run = Run.model_validate_json((tmp_path / "r/run.json").read_bytes())
    assert run.status == RunStatus.INCOMPLETE
    log = parse_events((tmp_path / "r/events.log").read_bytes())
    assert log.first("run_start") is not None
    assert log.first("run_stop") is None


def interrupt() -> None:
    raise KeyboardInterrupt


def test_an_existing_folder_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(LevelfieldError, match="exists already"):
        trained(tmp_path, [0.9])
    assert list(tmp_path.iterdir()) == []


def test_data_arithmetic_and_further_metrics_are_logged(tmp_path: Path) -> None:
    run, log, _ = trained(tmp_path / "r", [0.5, 0.9])
    assert values(log.all("data_sha256")) == ["d" * 64]
    assert values(log.all("precision")) == ["fp32"]
    assert (run.precision, run.compiled) == ("fp32", False)
    tails = log.all("eval_metric")
    assert values(tails) == [0.5, 0.5]
    assert tails[1].metadata["metric"] == "tail"
    assert tails[1].metadata["samples_count"] == 200


def test_seed_and_submission_are_logged(tmp_path: Path) -> None:
    run, log, _ = trained(tmp_path / "r", [0.9])
    assert values(log.all("seed")) == [7]
    assert run.seeds == {"run": 7}
    assert values(log.all("submission_benchmark")) == ["toy"]
    assert Run.model_validate_json((tmp_path / "r/run.json").read_bytes()) == run


def test_the_phases_add_up_to_the_window_and_come_after_it(tmp_path: Path) -> None:
    run, log, _ = trained(tmp_path / "r", [0.5, 0.9])
    spent = phase_times(log)
    assert spent is not None
    assert {phase: s for phase, s in spent.items() if s} == {
        Phase.DATA: 0.010,
        Phase.COMPUTE: 0.200,
        Phase.EVALUATION: 0.010,
    }
    assert set(spent) == set(Phase)
    assert sum(spent.values()) * 1e9 == pytest.approx(run.duration_ns)
    stop = log.first("run_stop")
    assert stop is not None
    assert all(event.line > stop.line for event in log.all("phase_time"))


@pytest.mark.parametrize(
    ("told", "compute_s", "includes"),
    [
        ({"compute": 0.06, "data": 0.03}, 0.06, None),
        ({"compute": 0.2}, 0.1, ["data", "copy", "communication"]),  # more than its block took
    ],
)
def test_a_session_may_divide_its_blocks(
    tmp_path: Path, told: dict[str, float], compute_s: float, includes: list[str] | None
) -> None:
    clock = SimulatedClock()
    workload = ToyWorkload(clock, [0.9])
    workload.session.phases = told  # type: ignore[attr-defined]
    run = train(workload, {}, 7, tmp_path / "r", toy_subject(), clock)
    log = parse_events((tmp_path / "r/events.log").read_bytes())
    spent = phase_times(log)
    assert spent is not None
    assert spent[Phase.COMPUTE] == pytest.approx(compute_s)
    assert sum(spent.values()) * 1e9 == pytest.approx(run.duration_ns)
    events = {event.metadata["phase"]: event for event in log.all("phase_time")}
    assert events["compute"].metadata.get("includes") == includes


def test_a_failed_run_has_no_phases(tmp_path: Path) -> None:
    _, log, _ = trained(tmp_path / "r", [0.1])
    assert log.all("phase_time") == []
