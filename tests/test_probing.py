"""The search through the real driver, in simulated time: a system that takes 1 ms a query."""

from dataclasses import replace
from pathlib import Path

import pytest
from toy import MS, ToyLibrary, toy_subject

from harness.capacity import Search
from harness.clock import SimulatedClock
from harness.errors import LevelfieldError
from harness.inference import Target
from harness.intents import Intent, Outcome, read_lines
from harness.journal import Journal
from harness.records import InferenceSettings, Mode, Run, Scenario
from harness.session import Session
from harness.sut import Queries


class OneAtATime:
    """Answers in line: a queue with one server and a fixed service time."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def issue(self, queries: Queries) -> None:
        for start, sample in enumerate(queries.samples.tolist()):
            self._clock.advance(MS)
            queries.complete([sample], start)

    def flush(self) -> None:
        pass


def searched(folder: Path, bound_s: float) -> tuple[list[Run], Search]:
    """Keeps its intent log beside ``folder``."""
    clock = SimulatedClock()
    subject = replace(toy_subject(), journal=Journal(folder.with_suffix(".jsonl"), "practice"))
    session = Session(folder, subject, seed=1, news=lambda _: None, clock=clock)
    target = Target("toy:OneAtATime", OneAtATime(clock), ToyLibrary(), lambda _: 1.0)
    settings = InferenceSettings(
        min_duration_ns=30_000 * MS, min_query_count=662, percentile=0.99,
        latency_bound_ns=round(bound_s * 1e9),
    )  # fmt: skip
    tasks = session.tasks(Scenario.SERVER, settings, [Mode.PERFORMANCE, Mode.ACCURACY])
    runs = session.find_max(target, tasks, bound_s)
    return runs, Search.model_validate_json((folder / "search.json").read_bytes())


def test_the_rate_that_holds_is_found_and_confirmed(tmp_path: Path) -> None:
    (confirmed, accuracy), search = searched(tmp_path / "out", 0.015)
    assert search.found is not None
    assert 700 < search.found < 1000  # no queue keeps up with more than one query a millisecond
    assert confirmed.settings is not None
    assert confirmed.settings.target_rate == search.found
    assert (confirmed.mode, accuracy.mode) == (Mode.PERFORMANCE, Mode.ACCURACY)
    kept = Run.model_validate_json((tmp_path / "out/run_1/run.json").read_bytes())
    assert kept == confirmed
    assert (tmp_path / "out/probes/probe_1/queries.npy").is_file()


def test_a_bound_below_the_service_time_is_told(tmp_path: Path) -> None:
    with pytest.raises(LevelfieldError, match="no capacity found"):
        searched(tmp_path / "out", 0.0005)
    assert Search.model_validate_json((tmp_path / "out/search.json").read_bytes()).found is None


def test_all_probes_are_one_intent_and_what_is_submitted_has_its_own(tmp_path: Path) -> None:
    runs, _ = searched(tmp_path / "out", 0.015)
    bodies = [line.body for line in read_lines((tmp_path / "out.jsonl").read_bytes(), "log")]
    intents = [body for body in bodies if isinstance(body, Intent)]
    outcomes = {body.run_id: body.status for body in bodies if isinstance(body, Outcome)}
    search, *others = intents
    assert (search.purpose, outcomes[search.run_id]) == ("search", "complete")
    assert {run.id: run.status.value for run in runs}.items() <= outcomes.items()
    withdrawn = [i for i in others if i.run_id not in {run.id for run in runs}]
    assert {outcomes[intent.run_id] for intent in withdrawn} <= {"withdrawn"}


def test_a_search_that_found_nothing_is_told_as_failed(tmp_path: Path) -> None:
    with pytest.raises(LevelfieldError):
        searched(tmp_path / "out", 0.0005)
    bodies = [line.body for line in read_lines((tmp_path / "out.jsonl").read_bytes(), "log")]
    assert [body.status for body in bodies if isinstance(body, Outcome)][-1] == "failed"
