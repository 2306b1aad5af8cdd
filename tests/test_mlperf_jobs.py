"""submissions/mlperf_jobs.py: the same in the same order, whatever the number of processes."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from official_results import RUNS, checkout, lora_lines, text, write

from harness.cli import cli
from harness.errors import LevelfieldError
from submissions.mlperf_check import as_json, read_officially, read_strictly
from submissions.mlperf_imported import find_imported
from submissions.mlperf_jobs import every, in_order
from submissions.mlperf_training import Imported, import_training


def doubled(number: int) -> int:
    if number > 5:
        raise LevelfieldError(f"{number}: too much; take less")
    return 2 * number


def killed(number: int) -> int:
    os.kill(os.getpid(), 9)
    return number


@contextmanager
def another_thread() -> Iterator[None]:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_results_come_in_order_and_so_does_the_first_failure(jobs: int) -> None:
    assert list(in_order(doubled, [3, 1, 2], jobs)) == [6, 2, 4]
    assert list(in_order(doubled, [], jobs)) == []
    with closing(in_order(doubled, [3, 7, 8], jobs)) as made:
        assert next(made) == 6
        with pytest.raises(LevelfieldError, match="7: too much"):
            next(made)


def test_beside_another_thread_processes_start_afresh() -> None:
    with another_thread():
        assert list(in_order(doubled, [1, 2], 2)) == [2, 4]


def test_every_task_is_done_in_forks_or_here(tmp_path: Path) -> None:
    def write(name: str) -> None:
        (tmp_path / name).write_text(str(os.getpid()))

    tasks = [lambda name=name: write(name) for name in "abc"]
    assert len(list(every(tasks, 2))) == 3
    assert str(os.getpid()) not in {(tmp_path / name).read_text() for name in "abc"}
    with another_thread():
        assert len(list(every(tasks, 2))) == 3
    assert {(tmp_path / name).read_text() for name in "abc"} == {str(os.getpid())}
    with pytest.raises(LevelfieldError, match="9: too much"):
        list(every([lambda: None, lambda: print(doubled(9))], 2))


def test_a_process_that_is_killed_is_told() -> None:
    with pytest.raises(LevelfieldError, match="a process was killed"):
        list(in_order(killed, [1, 2], 2))


def made(folder: Path, out: str, jobs: int) -> list[Imported]:
    told: list[str] = []
    found = import_training(
        folder / "results",
        folder / "rcps",
        "mlperf-training-5.1",
        folder / out,
        lambda name, *_: told.append(name),
        jobs,
    )
    assert told == [one.folder for one in found]
    return found


def test_import_and_both_readings_are_the_same_with_two_processes(tmp_path: Path) -> None:
    official = checkout(tmp_path)
    for place in (RUNS.replace("Acme", "Other"), RUNS.replace("Sys_1", "Sys_2")):
        systems = official / "results" / place.split("/")[0] / "systems"
        for seed in range(10):
            write(official / f"results/{place}/result_{seed}.txt", text(lora_lines(seed)))
        description = (official / "results/Acme/systems/Sys_1.json").read_bytes()
        write(systems / f"{place.split('/')[2]}.json", description)
    one, two = made(official, "one", 1), made(official, "two", 2)
    assert [(x.folder, x.logs, x.results) for x in one] == [
        (x.folder, x.logs, x.results) for x in two
    ]
    assert [x.folder for x in two] == ["Acme/Sys_1", "Acme/Sys_2", "Other/Sys_1"]
    round_ = find_imported(official / "two")
    assert round_ is not None
    assert as_json(read_officially(round_, 2)) == as_json(read_officially(round_))
    assert read_strictly(round_, 2) == read_strictly(round_) != []


def test_the_commands_take_jobs(tmp_path: Path) -> None:
    official = checkout(tmp_path)
    words = ["mlperf-training", official / "results", "--rcps", official / "rcps", "--jobs", "2"]
    out = str(official / "out")
    done = CliRunner().invoke(cli, ["import", *map(str, words), "--out", out])
    assert (done.exit_code, "1 bundle, imported" in done.output) == (0, True)
    for reading in ("official", "strict"):
        told = [
            CliRunner().invoke(cli, ["check", out, "--reading", reading, "--jobs", jobs]).output
            for jobs in ("1", "2")
        ]
        assert told[0] == told[1] != ""
