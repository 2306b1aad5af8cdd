from collections.abc import Sequence
from pathlib import Path
from threading import Event, Timer
from typing import Any

import numpy as np
import pytest
from toy import MS, ToyLibrary, ToyModel, toy_subject

from harness.answers import read_answers
from harness.clock import SimulatedClock, SystemClock
from harness.errors import LevelfieldError
from harness.events import parse_events
from harness.inference import Target, Task, infer
from harness.queries import QueryLog, read_query_log
from harness.records import Audit, InferenceSettings, Mode, Run, RunStatus, Scenario
from harness.scenarios import kept_answers, loaded_set, sample_order
from harness.schedule import schedule
from harness.sut import Queries

SETTINGS = InferenceSettings(min_duration_ns=20 * MS, min_query_count=5)
SEEDS = {"library": 2, "order": 3, "schedule": 4}


def share_right(answers: dict[int, Any]) -> float:
    return sum(sample == answer for sample, answer in answers.items()) / 8


def measured(
    folder: Path,
    scenario: Scenario,
    mode: Mode = Mode.PERFORMANCE,
    bad: Sequence[int] = (),
) -> tuple[Run, QueryLog]:
    clock, library = SimulatedClock(), ToyLibrary()
    target = Target("toy:Toy", ToyModel(clock, bad), library, share_right)
    run = infer(target, Task(scenario, mode, SETTINGS, SEEDS), folder, toy_subject(), clock)
    assert library.loaded == set()
    return run, read_query_log((folder / "queries.npy").read_bytes(), "queries.npy")


def test_single_stream_issues_the_next_query_when_the_last_is_complete(tmp_path: Path) -> None:
    run, log = measured(tmp_path / "r", Scenario.SINGLE_STREAM)
    assert log["issued"].tolist() == [2 * MS * i for i in range(11)]
    assert (log["completed"] - log["scheduled"] == 2 * MS).all()
    assert run.duration_ns == 22 * MS
    assert run.samples == 11
    assert (log["sample"] == loaded_set(2, 8, 4)[sample_order(3, 11, 4)]).all()


def test_offline_is_one_query_that_lasts_long_enough(tmp_path: Path) -> None:
    run, log = measured(tmp_path / "r", Scenario.OFFLINE)
    assert set(log["query"]) == {0}
    assert set(log["scheduled"]) == {0}
    assert run.duration_ns is not None
    assert run.duration_ns >= SETTINGS.min_duration_ns
    assert (np.diff(log["completed"][::4]) == 2 * MS).all()  # batches of four


@pytest.mark.parametrize("scenario", [Scenario.SINGLE_STREAM, Scenario.OFFLINE])
def test_accuracy_answers_every_sample_once(tmp_path: Path, scenario: Scenario) -> None:
    run, log = measured(tmp_path / "r", scenario, Mode.ACCURACY)
    answers = read_answers((tmp_path / "r/answers.jsonl").read_bytes(), "answers.jsonl")
    assert [(a.sample, a.answer) for a in answers] == [(i, i) for i in range(8)]
    assert log["sample"].tolist() == list(range(8))
    assert run.quality == 1.0


def test_a_query_that_raises_is_failed_not_completed(tmp_path: Path) -> None:
    run, log = measured(tmp_path / "r", Scenario.SINGLE_STREAM, bad=[int(loaded_set(2, 8, 4)[0])])
    failed = log["sample"] == loaded_set(2, 8, 4)[0]
    assert failed.any()
    assert (log["error"] == np.where(failed, 1, 0)).all()
    assert run.failed_queries == failed.sum()
    assert run.status == RunStatus.COMPLETE
    assert "RuntimeError: bad sample" in str(run.error)
    events = parse_events((tmp_path / "r/events.log").read_bytes())
    assert len(events.all("query_failed")) == failed.sum()


def test_failed_samples_give_no_answer(tmp_path: Path) -> None:
    run, _ = measured(tmp_path / "r", Scenario.OFFLINE, Mode.ACCURACY, bad=[5])
    answers = read_answers((tmp_path / "r/answers.jsonl").read_bytes(), "answers.jsonl")
    assert [a.sample for a in answers] == [0, 1, 2, 3]  # the batch of sample 5 failed whole
    assert run.quality == 0.5


class Elsewhere:
    """Completes from another thread, in two parts, the later one first."""

    def issue(self, query: Queries) -> None:
        answers = query.samples.tolist()
        half = len(answers) // 2

        def finish() -> None:
            query.complete(answers[half:], half)
            if half:
                query.complete(answers[:half])

        Timer(0.001, finish).start()

    def flush(self) -> None:
        pass


class HoldsBack:
    """Answers nothing until it is told that nothing more will come."""

    def __init__(self) -> None:
        self._held: list[Queries] = []

    def issue(self, query: Queries) -> None:
        self._held.append(query)

    def flush(self) -> None:
        while self._held:
            query = self._held.pop()
            query.complete(query.samples.tolist())


@pytest.mark.parametrize("scenario", [Scenario.SINGLE_STREAM, Scenario.OFFLINE])
def test_what_is_held_back_comes_with_the_flush(tmp_path: Path, scenario: Scenario) -> None:
    library = ToyLibrary()
    target = Target("toy:HoldsBack", HoldsBack(), library, share_right)
    run = infer(
        target,
        Task(scenario, Mode.ACCURACY, SETTINGS, SEEDS),
        tmp_path / "r",
        toy_subject(),
        SystemClock(),
    )
    assert run.quality == 1.0


def test_completions_may_come_from_any_thread_in_any_order(tmp_path: Path) -> None:
    library = ToyLibrary()
    target = Target("toy:Elsewhere", Elsewhere(), library, share_right)
    task = Task(Scenario.OFFLINE, Mode.ACCURACY, SETTINGS, SEEDS)
    run = infer(target, task, tmp_path / "r", toy_subject(), SystemClock())
    assert run.quality == 1.0


def test_an_interrupted_run_keeps_its_queries(tmp_path: Path) -> None:
    clock, library = SimulatedClock(), ToyLibrary()
    model = ToyModel(clock)
    calls = 0

    def predict(inputs: list[int]) -> list[int]:
        nonlocal calls
        calls += 1
        clock.advance(200 * MS)  # three passes of warm-up
        if calls > 6:
            raise KeyboardInterrupt
        return inputs

    model.predict = predict  # type: ignore[method-assign]
    target = Target("toy:Toy", model, library, share_right)
    settings = InferenceSettings(min_duration_ns=10**12, min_query_count=5)
    task = Task(Scenario.SINGLE_STREAM, Mode.PERFORMANCE, settings, SEEDS)
    with pytest.raises(KeyboardInterrupt):
        infer(target, task, tmp_path / "r", toy_subject(), clock)
    log = read_query_log((tmp_path / "r/queries.npy").read_bytes(), "queries.npy")
    assert (log["completed"] >= 0).sum() == 3
    run = Run.model_validate_json((tmp_path / "r/run.json").read_bytes())
    assert run.status == RunStatus.INCOMPLETE


def test_answers_that_json_cannot_hold_are_refused_by_name(tmp_path: Path) -> None:
    clock, library = SimulatedClock(), ToyLibrary()

    class Slow(ToyModel):
        def predict(self, inputs: list[int]) -> list[Any]:
            clock.advance(600 * MS)
            return [object() for _ in inputs]

    target = Target("toy:Slow", Slow(clock), library, share_right)
    task = Task(Scenario.OFFLINE, Mode.ACCURACY, SETTINGS, SEEDS)
    with pytest.raises(LevelfieldError, match="toy:Slow: its answers cannot be written"):
        infer(target, task, tmp_path / "r", toy_subject(), clock)


class Silent:
    """Never answers."""

    def issue(self, queries: Queries) -> None:
        pass

    def flush(self) -> None:
        pass


class Hanging:
    """Hangs in the thread that issues, and swallows every exception that it can."""

    def predict(self, inputs: list[int]) -> list[int]:
        while True:
            try:
                Event().wait(10)
            except Exception:  # noqa: BLE001
                continue
        return inputs


@pytest.mark.parametrize("thing", [Silent(), Hanging()])
def test_a_system_that_hangs_fails_the_run_and_keeps_what_it_had(
    tmp_path: Path, thing: object
) -> None:
    library = ToyLibrary()
    settings = SETTINGS.model_copy(update={"timeout_ns": 80 * MS})
    task = Task(Scenario.SINGLE_STREAM, Mode.PERFORMANCE, settings, SEEDS)
    target = Target("toy:Silent", thing, library, share_right)
    run = infer(target, task, tmp_path / "r", toy_subject(), SystemClock())
    assert run.status == RunStatus.FAILED
    assert run.error == "1 samples failed; the first in query 0: no answer in time"
    assert len(read_query_log((tmp_path / "r/queries.npy").read_bytes(), "q")) == 1


@pytest.mark.parametrize(("total", "performance"), [(0, 0), (8, 0), (4, 5)])
def test_a_library_without_enough_samples_is_refused(
    tmp_path: Path, total: int, performance: int
) -> None:
    library = ToyLibrary()
    library.total_samples, library.performance_samples = total, performance
    target = Target("toy:Toy", ToyModel(SimulatedClock()), library, share_right)
    task = Task(Scenario.OFFLINE, Mode.PERFORMANCE, SETTINGS, SEEDS)
    with pytest.raises(LevelfieldError, match=f"has {total} samples and wants {performance}"):
        infer(target, task, tmp_path / "r", toy_subject(), SimulatedClock())


def test_interactive_counts_tokens_from_the_schedule(tmp_path: Path) -> None:
    clock, library = SimulatedClock(), ToyLibrary()
    bounds = {"target_rate": 100.0, "ttft_bound_ns": 10 * MS, "tpot_bound_ns": 10 * MS}
    task = Task(Scenario.INTERACTIVE, Mode.PERFORMANCE, SETTINGS.model_copy(update=bounds), SEEDS)

    class Generates:
        def issue(self, queries: Queries) -> None:
            clock.advance(3 * MS if len(queries.samples) == 1 else 1000 * MS)
            queries.first_token()
            clock.advance(6 * MS)
            queries.complete(
                [[1, 2, 3, 4]] * len(queries.samples), tokens=[4] * len(queries.samples)
            )

        def flush(self) -> None:
            pass

    run = infer(
        Target("toy:Generates", Generates(), library, share_right), task, tmp_path / "r",
        toy_subject(), clock,
    )  # fmt: skip
    log = read_query_log((tmp_path / "r/queries.npy").read_bytes(), "q")
    assert run.status == RunStatus.COMPLETE
    assert set(log["tokens"]) == {4}
    assert (log["completed"] - log["first_token"] == 6 * MS).all()
    assert (log["first_token"] - log["issued"] == 3 * MS).all()


def test_server_follows_its_schedule(tmp_path: Path) -> None:
    clock, library = SimulatedClock(), ToyLibrary()
    settings = SETTINGS.model_copy(update={"target_rate": 1000.0, "latency_bound_ns": 10 * MS})
    task = Task(Scenario.SERVER, Mode.PERFORMANCE, settings, SEEDS)

    class Instant:
        def issue(self, queries: Queries) -> None:
            if len(queries.samples) > 1:  # the warm-up, which would never end at once
                clock.advance(1000 * MS)
            queries.complete(queries.samples.tolist())

        def flush(self) -> None:
            pass

    target = Target("toy:Instant", Instant(), library, share_right)
    run = infer(target, task, tmp_path / "r", toy_subject(), clock)
    log = read_query_log((tmp_path / "r/queries.npy").read_bytes(), "q")
    assert log["scheduled"].tolist() == schedule(4, 1000.0, 20 * MS, 5).tolist()
    assert (log["issued"] == log["scheduled"]).all()
    assert (log["sample"] == loaded_set(2, 8, 4)[sample_order(3, len(log), 4)]).all()
    assert run.status == RunStatus.COMPLETE


def test_an_audit_keeps_a_few_answers_of_a_performance_run(tmp_path: Path) -> None:
    clock, library = SimulatedClock(), ToyLibrary()
    settings = InferenceSettings(min_duration_ns=1, min_query_count=500)
    seeds = {**SEEDS, "audit": 5}
    target = Target("toy:Toy", ToyModel(clock), library, share_right)
    for audit, kept in (
        (Audit.SAMPLED_ANSWERS, int(kept_answers(5, 500).sum())),
        (Audit.REPEATED_SAMPLE, 0),
    ):
        task = Task(Scenario.SINGLE_STREAM, Mode.AUDIT, settings, seeds, audit, "0" * 32)
        run = infer(target, task, tmp_path / audit, toy_subject(), clock)
        log = read_query_log((tmp_path / audit / "queries.npy").read_bytes(), "q")
        path = tmp_path / audit / "answers.jsonl"
        answers = read_answers(path.read_bytes(), "a") if path.exists() else ()
        assert len(answers) == kept
        assert all(a.answer == a.sample for a in answers)
        assert (run.audit, run.audited_run) == (audit, "0" * 32)
        assert len(set(log["sample"])) == (1 if audit == Audit.REPEATED_SAMPLE else 4)
