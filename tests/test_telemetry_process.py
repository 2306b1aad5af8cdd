"""The sampling process: it brackets a window, ends with its run, and tells what went wrong."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from toy import toy_subject

from harness.clock import SystemClock
from harness.errors import LevelfieldError
from harness.recording import Recording, Sampling
from harness.records import Mode, RunStatus, Scenario
from harness.telemetry.log import TelemetryLog, read_telemetry
from harness.telemetry.process import SamplingProcess


def log_of(path: Path) -> TelemetryLog:
    return read_telemetry(path.read_bytes(), "t")


def is_there(pid: int) -> bool:
    """Whether there is such a process, a zombie included."""
    return Path(f"/proc/{pid}").exists()


def runs(pid: int) -> bool:
    """The same without zombies: an orphan's waits for whoever takes it over."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_samples_bracket_the_window_on_the_run_s_clock_and_nothing_is_left(tmp_path: Path) -> None:
    clock = SystemClock(wall_at_zero_ns=SystemClock().wall_at_zero_ns - 10**15)
    before = clock.wall_ms()
    with SamplingProcess(tmp_path / "t", clock) as process:
        start = clock.wall_ms()
        stop = clock.wall_ms()
    times = [sample.time_ms for sample in log_of(tmp_path / "t").samples]
    assert before <= times[0] <= start <= stop <= times[-1] <= clock.wall_ms()
    assert times == sorted(times)
    assert not is_there(process.pid)


def test_own_time_is_that_of_the_run(tmp_path: Path) -> None:
    with SamplingProcess(tmp_path / "t", SystemClock()):
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
    own = [value for _, value in log_of(tmp_path / "t").series("host", "own_cpu_s")]
    assert isinstance(own[0], float)
    assert isinstance(own[-1], float)
    assert own[-1] - own[0] >= 0.15
    assert own[-1] >= 0.9 * time.process_time()


def test_the_meter_is_run_and_ended_by_it(tmp_path: Path) -> None:
    meter, pid = tmp_path / "meter", tmp_path / "pid"
    program = f"echo $$ > {pid}\nwhile true; do echo $(date +%s%N),42; sleep 0.05; done\n"
    meter.write_text(f"#!/bin/sh\n{program}")
    meter.chmod(0o755)
    with SamplingProcess(tmp_path / "t", SystemClock(), str(meter)):
        pass
    watts = [value for _, value in log_of(tmp_path / "t").series("meter", "power_w")]
    assert 42 in watts
    assert not is_there(int(pid.read_text()))


def test_what_it_cannot_begin_with_is_told(tmp_path: Path) -> None:
    with pytest.raises(LevelfieldError, match=r"^--meter no-such-program: neither"):
        SamplingProcess(tmp_path / "t", SystemClock(), "no-such-program").__enter__()
    with pytest.raises(LevelfieldError, match=r"/none/t: No such file or directory; "):
        SamplingProcess(tmp_path / "none/t", SystemClock()).__enter__()


def test_a_full_disk_is_told() -> None:
    with pytest.raises(LevelfieldError, match=r"^/dev/full: No space left on device; "):
        SamplingProcess(Path("/dev/full"), SystemClock()).__enter__()


def record_and_kill_the_sampling(folder: Path) -> None:
    subject, clock = replace(toy_subject(), sampling=Sampling()), SystemClock()
    run = subject.begin(Scenario.TRAIN, Mode.TRAINING, clock, seeds={"run": 1})
    with Recording(folder, run, subject, clock) as recording:
        (child,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        recording.finish(RunStatus.FAILED)


def test_a_killed_one_is_told_and_leaves_whole_lines_and_the_finished_run(tmp_path: Path) -> None:
    with pytest.raises(LevelfieldError, match=r"telemetry\.jsonl: .* signal 9.*is kept"):
        record_and_kill_the_sampling(tmp_path / "run")
    assert '"status": "failed"' in (tmp_path / "run/run.json").read_text()
    assert log_of(tmp_path / "run/telemetry.jsonl").samples


def fail_and_kill_the_sampling(path: Path) -> None:
    with SamplingProcess(path, SystemClock()) as process:
        os.kill(process.pid, signal.SIGKILL)
        raise KeyError(process.pid)


def test_an_error_of_the_run_s_own_is_not_hidden_by_a_killed_one(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        fail_and_kill_the_sampling(tmp_path / "t")


def test_it_ends_with_a_run_that_is_killed_though_a_fork_holds_the_pipe(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = f"""
import os, signal, sys
from pathlib import Path
from harness.clock import SystemClock
from harness.telemetry.process import SamplingProcess
with SamplingProcess(Path({str(tmp_path / "t")!r}), SystemClock()) as process:
    fork = os.fork()
    if not fork:
        signal.pause()
    Path({str(pids)!r}).write_text(f"{{process.pid}} {{fork}}")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    pid, fork = map(int, pids.read_text().split())
    deadline = time.monotonic() + 30
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(fork, signal.SIGKILL)
    assert not runs(pid)
