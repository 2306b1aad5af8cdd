"""All runs of one ``levelfield run``: numbered folders, a seed each, a line of news for each."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.capacity import Terms, find_max
from harness.card import TrainingFacts
from harness.clock import Clock, SystemClock
from harness.command import train_by_command
from harness.console import Reporter, reporting, table
from harness.errors import LevelfieldError
from harness.events import parse_events
from harness.inference import Target, Task, infer
from harness.phases import in_words, phase_times
from harness.probing import Prober
from harness.recording import Subject
from harness.records import InferenceSettings, Mode, Number, Run, RunStatus, Scenario
from harness.search_table import SEARCH_HEADER, conclusion, search_rows
from harness.training import FP32, train
from harness.workload import Arithmetic, Workload


def draw_seed() -> int:
    """A new seed from the operating system, below 2^32."""
    return secrets.randbits(32)


@dataclass(frozen=True)
class Session:
    """Where the runs go, and what they have in common."""

    out: Path
    subject: Subject
    seed: int | None = None
    """Replays: the first run's seed, one more for each further run. None draws new ones."""
    news: Callable[[str], None] = print
    clock: Clock = field(default_factory=SystemClock)

    def train(
        self,
        workload: Workload,
        hyperparameters: Mapping[str, Number],
        runs: int,
        arithmetic: Arithmetic = FP32,
    ) -> list[Run]:
        """Train the reference ``runs`` times."""
        return self._each(
            [f"run {number} of {runs}" for number in range(1, runs + 1)],
            self._folder,
            lambda number, report: train(
                workload,
                hyperparameters,
                self._seed(number),
                self._folder(number),
                self.subject,
                self.clock,
                report.training,
                arithmetic,
                report.preparing,
            ),
        )

    def train_by_command(
        self, command: Sequence[str], facts: TrainingFacts, runs: int
    ) -> list[Run]:
        """Run a submitter's own training program ``runs`` times."""
        return self._each(
            [f"run {number} of {runs}" for number in range(1, runs + 1)],
            self._folder,
            lambda number, report: train_by_command(
                command,
                self._seed(number),
                self._folder(number),
                self.subject,
                self.clock,
                facts,
                report.training,
            ),
        )

    def infer(self, target: Target, tasks: Sequence[Task], first: int = 1) -> list[Run]:
        """Do each of ``tasks`` with ``target``, a run each, numbered from ``first``."""
        return self._each(
            [f"{task.scenario} {task.mode}" for task in tasks],
            lambda number: self._folder(first + number - 1),
            lambda number, report: infer(
                target,
                tasks[number - 1],
                self._folder(first + number - 1),
                self.subject,
                self.clock,
                report.inference,
            ),
        )

    def audit(self, target: Target, tasks: Sequence[Task]) -> list[Run]:
        """Make the audit runs of ``tasks`` beside the run that they belong to."""

        def folder(number: int) -> Path:
            return self.out / f"audit_{tasks[number - 1].audit}"

        return self._each(
            [f"audit {task.audit}" for task in tasks],
            folder,
            lambda number, report: infer(
                target,
                tasks[number - 1],
                folder(number),
                self.subject,
                self.clock,
                report.inference,
            ),
        )

    def _each(
        self,
        labels: Sequence[str],
        folder: Callable[[int], Path],
        measure: Callable[[int, Reporter], Run],
    ) -> list[Run]:
        """Measure a run for each of ``labels``, with progress, and tell how each ended."""
        records = []
        for number, label in enumerate(labels, 1):
            with reporting(label) as report:
                run = measure(number, report)
            self.news(f"run {number} of {len(labels)}, {run.audit or run.mode}: {_outcome(run)}")
            self._tell_phases(folder(number))
            records.append(run)
        return records

    def _tell_phases(self, folder: Path) -> None:
        """Where the time of a run went, if its log says so."""
        spent_s = phase_times(parse_events((folder / "events.log").read_bytes()))
        if spent_s is not None:
            self.news(in_words(spent_s))

    def find_max(self, target: Target, tasks: Sequence[Task], bound_s: float) -> list[Run]:
        """Search for the highest rate that holds ``bound_s``, and make its result's runs.

        ``tasks`` are the performance and the accuracy task. Leaves ``search.json`` and the
        probes; `LevelfieldError` if no run of full length holds.
        """
        performance, accuracy = tasks
        settings = performance.settings
        bound_ns = round(bound_s * 1e9)
        terms = Terms(performance.scenario, bound_ns, settings.percentile, settings.min_duration_ns)
        prober = Prober(target, performance, terms, self.out, self.subject, self.clock, self.news)
        prober.announce()
        search = find_max(prober.probe, prober.first_rate(), terms, prober.confirm)
        prober.conclude()
        (self.out / "search.json").write_text(search.to_json(), "utf-8")
        table("The search", SEARCH_HEADER, search_rows(search), err=True)
        if prober.confirmed is None:
            raise LevelfieldError(f"{self.out}: {conclusion(search)}; its probes are kept there")
        self.news(conclusion(search))
        return [prober.confirmed, *self.infer(target, [accuracy], first=2)]

    def tasks(
        self,
        scenario: Scenario,
        settings: InferenceSettings,
        modes: Sequence[Mode],
        fixed: Mapping[Any, int] | None = None,
    ) -> list[Task]:
        """A task for each of ``modes``, with the seeds ``fixed`` by the round or new ones."""
        return [
            Task(scenario, mode, settings, {**self._seeds(number), **(fixed or {})})
            for number, mode in enumerate(modes)
        ]

    def _seeds(self, number: int) -> dict[str, int]:
        names = ("library", "order", "schedule")
        if self.seed is None:
            return {name: draw_seed() for name in names}
        first = self.seed + number * len(names)
        return {name: (first + place) % 2**32 for place, name in enumerate(names)}

    def _seed(self, number: int) -> int:
        return draw_seed() if self.seed is None else (self.seed + number - 1) % 2**32

    def _folder(self, number: int) -> Path:
        return self.out / f"run_{number}"


def _outcome(run: Run) -> str:
    """One line about how a run ended."""
    seconds = (run.duration_ns or 0) / 1e9
    if run.status == RunStatus.FAILED:
        return f"FAILED: {run.error}"
    if run.mode == Mode.TRAINING:
        quality = "no quality" if run.quality is None else f"quality {run.quality:.4f}"
        reached = "" if run.status == RunStatus.COMPLETE else "did NOT reach the target, "
        return f"{reached}{quality} after {run.samples or 0:,} samples, {seconds:.2f} s"
    if run.failed_queries:
        return f"{run.error}"
    answered = f"{run.samples or 0:,} samples in {seconds:.2f} s"
    if run.mode in (Mode.PERFORMANCE, Mode.AUDIT):
        return answered
    return f"{answered}, quality {'unknown' if run.quality is None else f'{run.quality:.4f}'}"
