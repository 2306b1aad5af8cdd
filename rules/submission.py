"""What is judged: a submission's content as types. Only ``Bundle.open()`` makes one."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from harness.answers import Answer
from harness.capacity import Search
from harness.events import EventLog
from harness.intents import Line
from harness.queries import QueryLog
from harness.records import Mode, Record, Result, Run
from harness.system import System
from harness.telemetry.log import TelemetryLog


class Origin(Record):
    """Where the bundle of an importer comes from; nobody who measured it has vouched for it."""

    kind: Literal["mlperf-training"]
    source: str
    """Whose results, for people."""
    submitter: Annotated[str, Field(min_length=1, max_length=100)]
    """As the source names it."""
    system: Annotated[str, Field(min_length=1, max_length=100)]
    """As the source names it."""
    statement: Literal["imported, unverified by us"] = "imported, unverified by us"


@dataclass(frozen=True)
class RunEvidence:
    """One run and everything it left behind."""

    path: str
    """The run's folder in the bundle, as ``results/<workload>/<scenario>/<run>``."""
    run: Run
    log: EventLog
    queries: QueryLog | None
    """Performance and accuracy mode."""
    answers: tuple[Answer, ...] | None
    """Accuracy mode: what was answered, line by line."""
    telemetry: TelemetryLog

    def file(self, name: str) -> str:
        """Path in the bundle of the run's file ``name``."""
        return f"{self.path}/{name}"


@dataclass(frozen=True)
class Entry:
    """One claimed result with its runs."""

    path: str
    """``results/<workload>/<scenario>``."""
    result: Result
    runs: tuple[RunEvidence, ...]
    search: Search | None = None
    """How the rate was found, where ``--find-max`` found it."""

    def of_mode(self, mode: Mode) -> tuple[RunEvidence, ...]:
        """The runs of one mode, in order."""
        return tuple(evidence for evidence in self.runs if evidence.run.mode == mode)


@dataclass(frozen=True)
class Submission:
    """Content of one bundle: one submitter, one round, one system, any number of results."""

    bundle_id: str
    manifest_sha256: str
    submitter: str
    round: str
    system: System
    system_sha256: str
    entries: tuple[Entry, ...]
    origin: Origin | None = None
    """Of an imported bundle; none where Levelfield packed it."""
    intents: tuple[Line, ...] | None = None
    """The round's log of runs that were started, what is of other results hidden."""
    judgeable: bool = True
    """Whether the runs' logs were read; without them no rule judges."""
