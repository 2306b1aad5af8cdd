"""A run's folder while it is measured: it says *incomplete* until the run has ended."""

import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.clock import Clock
from harness.errors import LevelfieldError
from harness.events import EventWriter
from harness.journal import Journal
from harness.records import Borrowed, Division, Mode, Peak, Run, RunStatus, Scenario
from harness.system import System
from harness.telemetry.constraints import find_constraints
from harness.telemetry.process import SamplingProcess


@dataclass(frozen=True)
class Sampling:
    """That telemetry is taken, and with which external power meter, if any."""

    meter: str | None = None


@dataclass(frozen=True)
class Subject:
    """What is measured, and on which machine: the same for every run of a command."""

    workload: str
    workload_sha256: str
    division: Division
    system: System
    sampling: Sampling | None = None
    """None takes no telemetry; the round's rules ask for it."""
    borrowed_from: Borrowed | None = None
    """Whose hyperparameters the training runs take over."""
    peak: Peak | None = None
    """What this machine's device was measured to reach."""
    journal: Journal | None = None
    """Where each run is announced before it starts."""

    def begin(self, scenario: Scenario, mode: Mode, clock: Clock, **facts: Any) -> Run:
        """The record of a run that is about to start."""
        return Run(
            id=secrets.token_hex(16),
            workload=self.workload,
            workload_sha256=self.workload_sha256,
            scenario=scenario,
            mode=mode,
            division=self.division,
            status=RunStatus.INCOMPLETE,
            system_sha256=self.system.digest,
            started_ms=clock.wall_ms(),
            borrowed_from=self.borrowed_from,
            peak=self.peak,
            constraints=find_constraints(),
            **facts,
        )


class Recording:
    """Owns one run's folder: ``run.json``, ``system.json``, ``events.log``, ``telemetry.jsonl``.

    Everything is written as it happens. Leaving the ``with`` block without `finish` keeps the
    record as it was: incomplete. Sampling that ended early raises `LevelfieldError` only then: a
    finished record stays finished.
    """

    def __init__(self, folder: Path, run: Run, subject: Subject, clock: Clock) -> None:
        self.folder = folder
        self.run = run
        self._subject = subject
        self._clock = clock

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True)
        except FileExistsError as error:
            raise LevelfieldError(f"{self.folder}: exists already; choose another --out") from error
        if self._subject.journal:
            self._subject.journal.start(self.run)
        self._write("run.json", self.run.to_json())
        self._write("system.json", self._subject.system.to_json())
        with ExitStack() as opened:
            stream = opened.enter_context((self.folder / "events.log").open("w", encoding="utf-8"))
            self.log = EventWriter(stream, self._clock)
            path = self.folder / "telemetry.jsonl"
            path.touch()  # every run has the file, whether or not anything is sampled
            if sampling := self._subject.sampling:
                opened.enter_context(SamplingProcess(path, self._clock, sampling.meter))
            self._log_header()
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    def finish(self, status: RunStatus, **measured: Any) -> Run:
        """Replace the record by its final form, in one step; return it."""
        self.run = Run.model_validate({**dict(self.run), "status": status, **measured})
        self._write("run.json", self.run.to_json())
        if self._subject.journal:
            self._subject.journal.end(self.run, self._clock.wall_ms())
        return self.run

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a file of the run beside the others."""
        (self.folder / name).write_bytes(data)

    def _write(self, name: str, text: str) -> None:
        draft = self.folder / f".{name}.draft"
        draft.write_text(text, "utf-8")
        draft.replace(self.folder / name)

    def _log_header(self) -> None:
        for key, value in submission_keys(self._subject).items():
            self.log.event(key, value)
        # Levelfield does not drop the page cache, and does not claim to.
        self.log.event("cache_clear", False)
        for name, seed in self.run.seeds.items():
            self.log.event("seed", seed, name=name)


def submission_keys(subject: Subject) -> Mapping[str, str]:
    """MLPerf's ``submission_*`` lines for this subject."""
    declared = subject.system.declared
    return {
        "submission_benchmark": subject.workload,
        "submission_org": declared.organisation if declared else "undeclared",
        "submission_division": subject.division.value,
        "submission_status": "onprem",
        "submission_platform": subject.system.name,
    }
