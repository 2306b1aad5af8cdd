"""What a rule is given, a case, and what it says, a problem."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.card import ReferenceConvergencePoint, WorkloadCard
from harness.errors import UsageError
from harness.queries import QueryLog, new_log
from harness.records import Division, Mode, RunStatus, Scenario
from rules.round import Round
from rules.scoring import timed_window_ms
from rules.submission import Entry, RunEvidence, Submission
from rules.timeline import Timeline

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that a rule has against a case."""

    message: str
    file: str
    line: int | None = None
    expected: str | None = None
    found: str | None = None
    severity: Severity = "error"


@dataclass(frozen=True)
class Reference:
    """A workload as it is installed here: what a submission is judged against."""

    card: WorkloadCard
    digest: str
    score: Callable[[Mapping[int, Any]], float]
    """Accuracy of answers by sample index; `LevelfieldError` if they make no sense."""
    points: tuple[ReferenceConvergencePoint, ...] = ()
    """How fast its training converges, by batch size."""


@dataclass(frozen=True)
class Lender:
    """A submission whose hyperparameters another took over."""

    submission: Submission
    errors: int
    """What its own check by the same round found against it."""


@dataclass(frozen=True)
class SubmissionCase:
    """A whole submission."""

    submission: Submission
    round: Round
    references: Mapping[str, Reference]
    """The workloads of the submission that are installed, by name."""
    lenders: Mapping[str, Lender] = field(default_factory=dict, kw_only=True)
    """By bundle id, as far as they are at hand."""


@dataclass(frozen=True)
class ResultCase(SubmissionCase):
    """One claimed result, of a workload that is installed."""

    entry: Entry

    @property
    def reference(self) -> Reference:
        """What the result is judged against."""
        return self.references[self.entry.result.workload]

    @property
    def file(self) -> str:
        """The claim's own file."""
        return f"{self.entry.path}/result.json"

    @property
    def scenario(self) -> Scenario:
        """The claim's scenario."""
        return self.entry.result.scenario

    @property
    def closed(self) -> bool:
        """Whether the closed division's rules hold."""
        return self.entry.result.division == Division.CLOSED


@dataclass(frozen=True)
class RunCase(ResultCase):
    """One run of a result."""

    evidence: RunEvidence

    @property
    def finished(self) -> bool:
        """Whether the run came to an end that its log must show; a failed one need not."""
        return self.evidence.run.status in (RunStatus.COMPLETE, RunStatus.ABORTED)

    @property
    def trains(self) -> bool:
        """Whether it is a training run."""
        return self.evidence.run.scenario == Scenario.TRAIN

    @property
    def queries(self) -> QueryLog:
        """The run's query log, empty if it left none."""
        log = self.evidence.queries
        return new_log(0) if log is None else log

    @property
    def timed(self) -> bool:
        """Whether its queries came as those of a performance run do: that, or an audit."""
        return len(self.queries) > 0 and self.evidence.run.mode in (Mode.PERFORMANCE, Mode.AUDIT)

    @property
    def arrives(self) -> bool:
        """Whether its queries came by a schedule; accuracy mode is a closed loop."""
        return self.timed and self.scenario.open_loop

    @property
    def query_size(self) -> int:
        """Samples in a query, but for offline."""
        several = self.scenario == Scenario.MULTI_STREAM
        return self.reference.card.inference.samples_per_query if several else 1

    def query_problem(self, message: str, **details: Any) -> Problem:
        """A problem in the run's query log."""
        return Problem(message, self.evidence.file("queries.npy"), **details)

    def row_problem(self, wrong: NDArray[np.bool_], message: str) -> Iterator[Problem]:
        """One problem for all rows of the query log that are ``wrong``, if any are."""
        rows = np.flatnonzero(wrong)
        if len(rows):
            query = self.queries["query"][rows[0]]
            yield self.query_problem(
                message,
                found=f"{len(rows)} rows, the first of them row {rows[0]}, of query {query}",
            )

    def log_problem(self, message: str, line: int | None = None, **details: Any) -> Problem:
        """A problem in the run's event log."""
        return Problem(message, self.evidence.file("events.log"), line, **details)

    def record_problem(self, message: str, **details: Any) -> Problem:
        """A problem in the run's record."""
        return Problem(message, self.evidence.file("run.json"), **details)

    @cached_property
    def timeline(self) -> Timeline | None:
        """The run's telemetry over its timed window; none if the log has no window."""
        window_ms = timed_window_ms(self.evidence.log)
        return Timeline(self.evidence.telemetry, *window_ms) if window_ms else None

    @cached_property
    def batch_size(self) -> int:
        """The global batch size that the run claims, 1 if it claims none that can be."""
        size = self.evidence.run.hyperparameters.get("global_batch_size", 1)
        return size if isinstance(size, int) and size > 0 else 1


def installed(name: str) -> Reference | None:
    """The workload ``name`` as it is installed here; none if it is not."""
    from workloads.catalogue import load_card, load_points, load_scorer, workload_digest

    try:
        card = load_card(name)
    except UsageError:
        return None
    # The scorer reads the data set, so it is loaded only when answers are judged.
    return Reference(
        card, workload_digest(name), lambda answers: load_scorer(name)(answers), load_points(name)
    )
