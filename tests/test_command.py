import sys
from pathlib import Path

import pytest
from toy import toy_card, toy_subject

from harness.clock import SystemClock
from harness.command import train_by_command
from harness.errors import UsageError
from harness.events import parse_events, values
from harness.phases import Phase, phase_times
from harness.records import Run, RunStatus

PROGRAM = """
import json, sys, time
def log(key, value=None, **metadata):
    line = {"time_ms": int(time.time() * 1000), "key": key, "value": value, "metadata": metadata}
    print(":::MLLOG " + json.dumps(line), flush=True)
print("hello")
print("trouble", file=sys.stderr)
log("run_start")
log("eval_accuracy", 0.95, samples_count=100)
log("run_stop", status=sys.argv[1])
sys.exit(int(sys.argv[3]))
"""


def run(folder: Path, *arguments: str, source: str = PROGRAM) -> Run:
    program = folder / "program.py"
    program.write_text(source)
    words = [sys.executable, str(program), *arguments]
    card = toy_card()
    return train_by_command(words, 7, folder / "run", toy_subject(), SystemClock(), card.training)


def test_its_lines_become_the_event_log(tmp_path: Path) -> None:
    record = run(tmp_path, "success", "{seed}", "0")
    assert (record.status, record.quality, record.samples) == (RunStatus.COMPLETE, 0.95, 100)
    assert record.command is not None
    assert record.command[-2] == "7"
    log = parse_events((tmp_path / "run/events.log").read_bytes())
    assert values(log.all("seed")) == [7]
    stop = log.first("run_stop")
    assert stop is not None
    assert stop.received_ms is not None
    output = (tmp_path / "run/output.txt").read_text()
    assert "hello" in output
    assert "trouble" in output


def test_an_aborted_run_is_aborted(tmp_path: Path) -> None:
    assert run(tmp_path, "aborted", "x", "0").status == RunStatus.ABORTED


@pytest.mark.parametrize(
    ("exit_code", "source", "reason"),
    [("3", PROGRAM, "exit code 3"), ("0", "print('no log')", "no run_start and run_stop")],
)
def test_a_program_that_fails_is_failed(
    tmp_path: Path, exit_code: str, source: str, reason: str
) -> None:
    record = run(tmp_path, "success", "x", exit_code, source=source)
    assert record.status == RunStatus.FAILED
    assert reason in str(record.error)


def test_a_program_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be started"):
        train_by_command(
            ["/no/such/program"], 7, tmp_path / "run", toy_subject(), SystemClock(),
            toy_card().training,
        )  # fmt: skip


IN_BLOCKS = PROGRAM.replace(
    'log("eval_accuracy", 0.95, samples_count=100)',
    'log("block_start"); time.sleep(0.05); log("block_stop")\n'
    'log("eval_start"); log("eval_accuracy", 0.95, samples_count=100); log("eval_stop")',
)


def test_its_blocks_tell_where_the_time_went(tmp_path: Path) -> None:
    record = run(tmp_path, "success", "x", "0", source=IN_BLOCKS)
    log = parse_events((tmp_path / "run/events.log").read_bytes())
    spent = phase_times(log)
    assert spent is not None
    assert spent[Phase.COMPUTE] >= 0.05
    assert sum(spent.values()) * 1e9 == pytest.approx(record.duration_ns)
    assert log.all("phase_time")[0].metadata["includes"] == ["data", "copy", "communication"]


def test_its_own_phases_are_left_as_they_are(tmp_path: Path) -> None:
    told = IN_BLOCKS.replace(
        'log("run_stop"', 'log("phase_time", 0.01, phase="data")\nlog("run_stop"'
    )
    run(tmp_path, "success", "x", "0", source=told)
    log = parse_events((tmp_path / "run/events.log").read_bytes())
    assert phase_times(log) == {Phase.DATA: 0.01}


def test_without_blocks_nothing_is_said_of_phases(tmp_path: Path) -> None:
    run(tmp_path, "success", "x", "0")
    log = parse_events((tmp_path / "run/events.log").read_bytes())
    assert phase_times(log) is None
