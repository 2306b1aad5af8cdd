"""harness/intents.py and journal.py: announced before it starts, linked, whole after a crash."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest
from toy import ToyWorkload, toy_subject

from harness.clock import SimulatedClock
from harness.errors import LevelfieldError
from harness.intents import Configuration, Intent, Line, Outcome, Slot, find_log, read_lines
from harness.journal import Journal
from harness.records import Division, Mode, Run, RunStatus, Scenario
from harness.session import Session
from harness.training import train


def run_of(number: int, **changes: object) -> Run:
    run = Run(
        id=f"{number:032x}",
        workload="toy",
        workload_sha256="0" * 64,
        scenario=Scenario.TRAIN,
        mode=Mode.TRAINING,
        division=Division.CLOSED,
        status=RunStatus.INCOMPLETE,
        seeds={"run": number},
        hyperparameters={"lr": 1.0, "global_batch_size": 64},
        system_sha256="1" * 64,
        started_ms=1_700_000_000_000 + number,
    )
    return run.model_copy(update=changes)


def lines_of(path: Path) -> list[Line]:
    return read_lines(path.read_bytes(), str(path))


def assert_linked(lines: list[Line]) -> None:
    assert [line.head.index for line in lines] == list(range(len(lines)))
    digests = [None, *(line.digest for line in lines)]
    assert [line.head.previous for line in lines] == digests[:-1]


def test_a_run_is_announced_before_it_starts_and_its_end_is_told(tmp_path: Path) -> None:
    path, seen = tmp_path / "home/practice.jsonl", list[int]()

    class Looking(ToyWorkload):
        def prepare(self, report: object = None) -> str:
            return "0" * 64

        def training(self, *words: object) -> object:
            seen.append(len(lines_of(path)))
            return super().training(*words)  # type: ignore[arg-type]

    clock = SimulatedClock()
    subject = replace(toy_subject(), journal=Journal(path, "practice"))
    run = train(Looking(clock, [0.95]), {"lr": 0.1}, 7, tmp_path / "run", subject, clock)
    intent, outcome = lines_of(path)
    assert seen == [1]
    assert isinstance(intent.body, Intent)
    assert intent.body.configuration == Configuration.of(run)
    assert (intent.body.run_id, intent.body.started_ms) == (run.id, run.started_ms)
    assert isinstance(outcome.body, Outcome)
    assert (outcome.body.run_id, outcome.body.status) == (run.id, "complete")
    assert_linked([intent, outcome])


def test_a_killed_run_leaves_no_outcome(tmp_path: Path) -> None:
    class Killed(ToyWorkload):
        def training(self, *_: object) -> object:
            raise KeyboardInterrupt

    path, clock = tmp_path / "practice.jsonl", SimulatedClock()
    subject = replace(toy_subject(), journal=Journal(path, "practice"))
    with pytest.raises(KeyboardInterrupt):
        Session(tmp_path / "out", subject, 7, print, clock).train(Killed(clock), {}, 1)
    assert [line.head.kind for line in lines_of(path)] == ["intent"]


def test_hiding_a_body_breaks_no_link(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "practice.jsonl", "practice")
    for number in range(3):
        journal.start(run_of(number))
    lines = lines_of(journal.path)
    assert_linked([lines[0], lines[1].hidden(), lines[2]])
    assert b"hyperparameters" not in lines[1].hidden().to_bytes()


def test_a_line_cut_off_by_a_crash_is_no_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "practice.jsonl", "practice")
    journal.start(run_of(1))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[:100])
    journal.start(run_of(2))
    lines = lines_of(journal.path)
    assert [line.body.run_id for line in lines if isinstance(line.body, Intent)] == [
        run_of(1).id,
        run_of(2).id,
    ]
    assert_linked(lines)


def _announce(path: Path, first: int) -> None:
    journal = Journal(path, "practice")
    for number in range(first, first + 20):
        journal.start(run_of(number))


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "practice.jsonl"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_announce, args=(path, 100 * n)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(lines_of(path)) == 40
    assert_linked(lines_of(path))


def test_slots_are_taken_in_order_by_runs_of_their_own_kind(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "practice.jsonl", "practice")
    slots = journal.reserve("toy", Scenario.TRAIN, 2, 1)
    journal.start(run_of(1, scenario=Scenario.OFFLINE))
    for number in (2, 3, 4):
        journal.start(run_of(number))
    intents = [line.body for line in lines_of(journal.path) if isinstance(line.body, Intent)]
    assert [intent.slot for intent in intents] == [None, slots[0].digest, slots[1].digest, None]
    assert [slot.body.number for slot in slots if isinstance(slot.body, Slot)] == [1, 2]


def test_only_a_started_run_can_be_withdrawn(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "practice.jsonl", "practice")
    with pytest.raises(LevelfieldError, match=r"no run 0+9 was started"):
        journal.withdraw(run_of(9).id, "no", 1)
    journal.start(run_of(9))
    journal.withdraw(run_of(9).id, "power cut", 1)
    last = lines_of(journal.path)[-1].body
    assert isinstance(last, Outcome)
    assert (last.status, last.reason) == ("withdrawn", "power cut")


def test_a_log_that_cannot_be_kept_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LevelfieldError, match=r"cannot be written.*--intents"):
        Journal(tmp_path / "file/practice.jsonl", "practice")
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n")
    with pytest.raises(LevelfieldError, match=r"broken.jsonl:1: not a line of an intent log"):
        Journal(broken, "practice")
    other = Journal(tmp_path / "other.jsonl", "2026.1")
    other.start(run_of(1))
    with pytest.raises(LevelfieldError, match=r"is of round 2026.1, not practice"):
        Journal(other.path, "practice")


def test_the_log_of_a_run_is_found_again(tmp_path: Path) -> None:
    for name in ("2026.1", "practice"):
        Journal(tmp_path / f"{name}.jsonl", name).start(run_of(len(name)))
    logs = sorted(tmp_path.glob("*.jsonl"))
    assert find_log(logs, run_of(6).id) == (tmp_path / "2026.1.jsonl", "2026.1")
    assert find_log(logs, run_of(1).id) is None


def test_a_kind_forgets_what_is_drawn_anew_and_nothing_else() -> None:
    one, other = Configuration.of(run_of(1)), Configuration.of(run_of(2))
    assert one.differences(other) == ["seeds"]
    assert one.kind == other.kind
    assert one.kind != Configuration.of(run_of(1, hyperparameters={"lr": 1.1})).kind
    own = run_of(1, command=("python", "t.py"))
    assert Configuration.of(own) == Configuration.of(own.model_copy(update={"hyperparameters": {}}))
