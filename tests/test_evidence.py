from pathlib import Path

import pytest
from run_folders import write_inference_run, write_training_run

from harness.errors import LevelfieldError
from harness.records import Mode, Scenario
from submissions.evidence import read_run


def files_in(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "system.json"}


def test_a_training_leaves_a_log_and_no_queries(tmp_path: Path) -> None:
    run = write_training_run(tmp_path / "r", 1)
    evidence = read_run("results/toy/train/run_1", files_in(tmp_path / "r"))
    assert (evidence.run, evidence.queries, evidence.answers) == (run, None, None)
    assert evidence.log.last("run_stop") is not None
    assert evidence.file("run.json") == "results/toy/train/run_1/run.json"


def test_accuracy_mode_leaves_queries_and_answers(tmp_path: Path) -> None:
    write_inference_run(tmp_path / "r", Scenario.OFFLINE, Mode.ACCURACY)
    evidence = read_run("x", files_in(tmp_path / "r"))
    assert evidence.queries is not None
    assert len(evidence.queries) == len(evidence.answers or ()) == 8


def test_a_log_with_broken_lines_is_read_for_the_rules_to_judge(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r", 1)
    files = files_in(tmp_path / "r")
    files["events.log"] += b":::MLLOG {broken\n"
    assert len(read_run("x", files).log.broken) == 1


@pytest.mark.parametrize("name", ["run.json", "events.log", "telemetry.jsonl"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write_training_run(tmp_path / "r", 1)
    files = files_in(tmp_path / "r")
    del files[name]
    with pytest.raises(LevelfieldError, match=f"^x/{name}: missing"):
        read_run("x", files)


def test_a_file_that_the_mode_does_not_have_is_named(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r", 1)
    with pytest.raises(LevelfieldError, match=r"^x/answers\.jsonl: a training run has no such"):
        read_run("x", {**files_in(tmp_path / "r"), "answers.jsonl": b""})


def test_doubtful_lines_are_refused_with_their_number(tmp_path: Path) -> None:
    write_training_run(tmp_path / "r", 1)
    line = b'{"time_ms":1,"source":"s","values":{}}\n'
    doubtful = line + line.replace(b"{}", b'{"a":1,"a":2}')
    with pytest.raises(LevelfieldError, match=r"^x/telemetry\.jsonl:2: duplicate key"):
        read_run("x", {**files_in(tmp_path / "r"), "telemetry.jsonl": doubtful})
