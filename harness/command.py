"""A submitter's own training program: runs it, copies its MLLOG lines, and keeps all it says."""

import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from harness.card import TrainingFacts
from harness.clock import Clock
from harness.errors import UsageError
from harness.events import MARK, EventLog, parse_events
from harness.phases import KEY, Phase, log_phases, logged_phases
from harness.recording import Recording, Subject
from harness.records import Mode, Run, RunStatus, Scenario
from harness.training import Progress


def train_by_command(
    command: Sequence[str],
    seed: int,
    folder: Path,
    subject: Subject,
    clock: Clock,
    facts: TrainingFacts,
    progress: Progress = lambda *_: None,
) -> Run:
    """Run ``command`` (``{seed}`` replaced in each word), read MLLOG lines from its output.

    Each line is copied to the event log with the time at which it was received, so that a
    program's own clock can be checked. Everything it prints is kept in ``output.txt``. The
    hyperparameters are those that it logs under the names of the card; its blocks and evaluations
    tell where the time went, unless it logs ``phase_time`` itself. Raises `UsageError` if it
    cannot be started; a non-zero exit or a log without ``run_stop`` makes the run *failed*.
    """
    words = tuple(word.replace("{seed}", str(seed)) for word in command)
    run = subject.begin(
        Scenario.TRAIN,
        Mode.TRAINING,
        clock,
        seeds={"run": seed},
        command=words,
    )
    with Recording(folder, run, subject, clock) as recording:
        code = _relay(words, recording, facts.limit, progress)
        log = parse_events((folder / "events.log").read_bytes())
        return _finish(recording, log, code, facts)


def _relay(words: Sequence[str], recording: Recording, limit: int, progress: Progress) -> int:
    """Start the program, copy its lines until it ends; return its exit code."""
    with (recording.folder / "output.txt").open("w", encoding="utf-8") as output:
        process = _start(words)
        assert process.stdout is not None
        assert process.stderr is not None
        errors = threading.Thread(target=_copy, args=(process.stderr, output), daemon=True)
        errors.start()
        with process, ExitStack() as stopped_early:
            stopped_early.callback(process.kill)
            for line in process.stdout:
                output.write(line)
                if MARK in line:
                    recording.log.relay(line)
                    _report(line, limit, progress)
            stopped_early.pop_all()
            errors.join()
    return process.returncode


def _start(words: Sequence[str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise UsageError(
            f"--command {words[0]}: cannot be started: {error.strerror}; check the program's path"
        ) from error


def _copy(stream: IO[str], output: IO[str]) -> None:
    for line in stream:
        output.write(line)


def _report(line: str, limit: int, progress: Progress) -> None:
    event = parse_events(line.encode("latin-1", "replace")).last("eval_accuracy")
    if event and isinstance(event.value, int | float):
        progress(_count(event.metadata), limit, event.value)


def _count(metadata: Mapping[str, object]) -> int:
    count = metadata.get("samples_count")
    return count if type(count) is int and count >= 0 else 0


def _finish(recording: Recording, log: EventLog, code: int, facts: TrainingFacts) -> Run:
    """The run's record from what the program logged."""
    start, stop, quality = log.first("run_start"), log.last("run_stop"), log.last("eval_accuracy")
    if code != 0 or start is None or stop is None:
        what = f"exit code {code}" if code else "no run_start and run_stop among its MLLOG lines"
        return recording.finish(
            RunStatus.FAILED, error=f"the program ended with {what}; see output.txt"
        )
    spent_s = None if log.first(KEY) else logged_phases(log)  # a program may know better
    if spent_s is not None:
        log_phases(recording.log, spent_s, includes=(Phase.DATA, Phase.COPY, Phase.COMMUNICATION))
    logged = {name: event.value for name in facts.hyperparameters if (event := log.last(name))}
    success = stop.metadata.get("status") == "success"
    value = quality.value if quality else None
    return recording.finish(
        RunStatus.COMPLETE if success else RunStatus.ABORTED,
        hyperparameters={n: v for n, v in logged.items() if type(v) in (int, float)},
        duration_ns=max(0, stop.time_ms - start.time_ms) * 1_000_000,
        quality=float(value) if isinstance(value, int | float) else None,
        samples=_count(quality.metadata) if quality else None,
    )
