"""How many runs of a result were started, and what became of each: what the intent log shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.intents import Configuration, Intent, Line, Outcome, free_slots
from harness.records import RunStatus
from rules.submission import Entry, Submission


class Ending(StrEnum):
    """What became of a run that was started and is not in the bundle."""

    COMPLETE = "complete but left out"
    ABORTED = "aborted and left out"
    FAILED = "failed and left out"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_COMPLETE = "withdrawn after completion"
    NONE = "without an outcome"


@dataclass(frozen=True)
class Account:
    """The runs of one result, counted."""

    path: str
    """Of the result in the bundle."""
    scored: int
    """Complete runs in the bundle."""
    lost: Mapping[str, int]
    """Runs in the bundle that came to nothing, by status."""
    started: int
    """Runs that were announced with the configuration of one of these, seeds apart, and theirs."""
    left_out: Mapping[Ending, Sequence[str]]
    """Ids of those that are not in the bundle, by what became of them."""
    others: int
    """Runs of the same workload and scenario with other configurations."""
    searches: int
    slots: int
    """Runs set aside beforehand."""
    unused_slots: int

    @property
    def text(self) -> str:
        """The account in one line."""
        told = [f"{self.scored} scored of {self.started} started"]
        told += [f"{number} {status}" for status, number in self.lost.items()]
        told += [f"{len(ids)} {ending}" for ending, ids in self.left_out.items()]
        if self.others:
            told.append(f"{self.others} more with other configurations")
        if self.searches:
            told.append("1 search" if self.searches == 1 else f"{self.searches} searches")
        if self.slots:
            told.append(f"{self.unused_slots} of {self.slots} slots unused")
        return f"{self.path}: {', '.join(told)}"


def accounts(submission: Submission) -> list[Account]:
    """An account of each result, in order; none if the submission holds no intent log."""
    lines = submission.intents
    return [] if lines is None else [account_of(entry, lines) for entry in submission.entries]


def log_text(submission: Submission) -> str:
    """How long the log is, and how much of it bears a signature, in one line."""
    lines = submission.intents
    if lines is None:
        return "no log of the runs that were started"
    signed = sum(line.signature is not None for line in lines)
    return f"log of the runs that were started: {len(lines)} lines, {signed} signed"


def lines_of(lines: Sequence[Line], entry: Entry) -> list[Line]:
    """The lines about the workload and scenario of ``entry``."""
    about = entry.result.workload, entry.result.scenario
    return [line for line in lines if (line.head.workload, line.head.scenario) == about]


def account_of(entry: Entry, lines: Sequence[Line]) -> Account:
    """What the log ``lines`` says of the runs of ``entry``."""
    own = lines_of(lines, entry)
    bodies = [line.body for line in own]
    intents = [b for b in bodies if isinstance(b, Intent) and b.purpose == "run"]
    statuses = Counter(evidence.run.status for evidence in entry.runs)
    packed = {evidence.run.id for evidence in entry.runs}
    kinds = [Configuration.of(evidence.run).kind for evidence in entry.runs]
    tries = [i for i in intents if i.run_id in packed or i.configuration.kind in kinds]
    unannounced = packed - {intent.run_id for intent in tries}
    return Account(
        path=entry.path,
        scored=statuses.pop(RunStatus.COMPLETE, 0),
        lost={status.value: statuses[status] for status in RunStatus if status in statuses},
        started=len(tries) + len(unannounced),
        left_out=_by_ending([i.run_id for i in tries if i.run_id not in packed], bodies),
        others=len(intents) - len(tries),
        searches=sum(isinstance(b, Intent) and b.purpose == "search" for b in bodies),
        slots=sum(line.head.kind == "slot" for line in own),
        unused_slots=len(free_slots(own, entry.result.workload, entry.result.scenario)),
    )


def _by_ending(run_ids: Sequence[str], bodies: Sequence[object]) -> dict[Ending, list[str]]:
    told: dict[str, set[str]] = {}
    for body in bodies:
        if isinstance(body, Outcome):
            told.setdefault(body.run_id, set()).add(body.status)
    found: dict[Ending, list[str]] = {}
    for run_id in run_ids:
        found.setdefault(_ending(told.get(run_id, set())), []).append(run_id)
    return {ending: found[ending] for ending in Ending if ending in found}


def _ending(told: set[str]) -> Ending:
    if "withdrawn" in told:
        return Ending.WITHDRAWN_COMPLETE if "complete" in told else Ending.WITHDRAWN
    for ending in ("complete", "aborted", "failed"):
        if ending in told:
            return Ending[ending.upper()]
    return Ending.NONE
