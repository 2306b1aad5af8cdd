"""Measures the probes of a search for the highest rate: each is a short run of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.capacity import Probe, Terms, assess
from harness.clock import Clock
from harness.inference import Target, Task, infer
from harness.queries import NEVER, QueryLog, read_query_log
from harness.recording import Subject
from harness.records import InferenceSettings, Run, RunStatus, Scenario

_SERVICE_QUERIES = 100
_DRAIN_BOUNDS = 20
"""A probe is stopped when answers are still missing so many bounds after its last query."""


@dataclass
class Prober:
    """Runs probes into ``out/probes`` and confirming runs into ``out/run_1``.

    All probes are announced as one search, and each confirming run as a run: it may be the result.
    """

    target: Target
    task: Task
    terms: Terms
    out: Path
    subject: Subject
    clock: Clock
    news: Callable[[str], None]
    made: int = 0
    confirmed: Run | None = field(default=None)
    searching: Run | None = field(default=None)

    def announce(self) -> None:
        """Write the search into the intent log, if one is kept."""
        if self.subject.journal:
            self.searching = self.subject.begin(
                self.task.scenario,
                self.task.mode,
                self.clock,
                seeds=dict(self.task.seeds),
                settings=self.task.settings,
                sut=self.target.spec,
                precision=self.target.precision,
            )
            self.subject.journal.start(self.searching, "search")

    def conclude(self) -> None:
        """Write how the search ended: complete if a run of full length held."""
        if self.subject.journal and self.searching:
            status = RunStatus.COMPLETE if self.confirmed else RunStatus.FAILED
            ended = self.searching.model_copy(update={"status": status})
            self.subject.journal.end(ended, self.clock.wall_ms())

    def first_rate(self) -> float:
        """Where the search begins: half of what queries one after the other make possible."""
        if self.terms.whole:
            return float(self.task.settings.samples_per_query)
        folder = self.out / "probes" / "service_time"
        settings = InferenceSettings(min_duration_ns=0, min_query_count=_SERVICE_QUERIES)
        task = replace(self.task, scenario=Scenario.SINGLE_STREAM, settings=settings)
        infer(self.target, task, folder, replace(self.subject, journal=None), self.clock)
        log = read_query_log((folder / "queries.npy").read_bytes(), str(folder))
        latencies, _ = _latencies(log, Scenario.SINGLE_STREAM)
        return 0.5e9 / max(1.0, float(np.median(latencies)))

    def probe(self, rate: float, duration_ns: int) -> Probe:
        """A short run, stopped when its backlog does not drain."""
        self.made += 1
        folder = self.out / "probes" / f"probe_{self.made}"
        found, _ = self._measure(rate, duration_ns, folder, self.terms.bound_ns * _DRAIN_BOUNDS)
        self.news(f"probe {self.made}: {_words(found, self.terms)}")
        return found

    def confirm(self, rate: float, duration_ns: int) -> Probe:
        """A run of full length. One that does not hold moves to the probes."""
        folder = self.out / "run_1"
        found, run = self._measure(rate, duration_ns, folder, None)
        self.news(f"confirming run: {_words(found, self.terms)}")
        if found.valid:
            self.confirmed = run
        else:
            self.made += 1
            folder.rename(self.out / "probes" / f"probe_{self.made}")
            if self.subject.journal:
                reason = "a search's confirming run that did not hold the bound"
                self.subject.journal.withdraw(run.id, reason, self.clock.wall_ms())
        return found

    def _measure(
        self, rate: float, duration_ns: int, folder: Path, drain_ns: int | None
    ) -> tuple[Probe, Run]:
        changes: dict[str, object] = {"drain_ns": drain_ns}
        if drain_ns is not None:
            changes |= {"min_duration_ns": duration_ns, "min_query_count": 1}
        if self.terms.whole:
            changes["samples_per_query"] = int(rate)
        else:
            changes["target_rate"] = rate
        task = replace(self.task, settings=self.task.settings.model_copy(update=changes))
        probing = drain_ns is not None
        subject = replace(self.subject, journal=None) if probing else self.subject
        run = infer(self.target, task, folder, subject, self.clock)
        log = read_query_log((folder / "queries.npy").read_bytes(), str(folder))
        stopped = bool((log["completed"] == NEVER).any())
        latencies, lateness = _latencies(log, self.terms.scenario)
        return assess(rate, duration_ns, latencies, lateness, self.terms, stopped=stopped), run


def _latencies(log: QueryLog, scenario: Scenario) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Latency and lateness of each query, in ns; an unanswered query waited until the end."""
    end_ns = max(int(log["completed"].max(initial=0)), int(log["issued"].max(initial=0)))
    completed = np.where(log["completed"] == NEVER, end_ns, log["completed"])
    latency, lateness = completed - log["scheduled"], log["issued"] - log["scheduled"]
    if scenario == Scenario.MULTI_STREAM:
        starts = np.flatnonzero(np.diff(log["query"], prepend=np.uint32(2**32 - 1)))
        latency, lateness = np.maximum.reduceat(latency, starts), lateness[starts]
    return latency, lateness


def _words(probe: Probe, terms: Terms) -> str:
    what = f"{probe.rate:g} samples a query" if terms.whole else f"{probe.rate:g} queries/s"
    return (
        f"{what}, p{100 * terms.percentile:g} {probe.percentile_ns / 1e6:.3g} ms "
        f"(bound {terms.bound_ns / 1e6:g} ms): {probe.verdict}"
    )
