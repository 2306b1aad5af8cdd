"""Lines of an intent log: which run was about to start, how it ended, which were set aside.

A line a JSON object; each holds the digest of the one before, so that none can be taken out.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

import rfc8785
from pydantic import Field, ValidationError

from harness.errors import LevelfieldError
from harness.records import (
    Audit,
    Borrowed,
    Division,
    Identifier,
    InferenceSettings,
    Mode,
    Number,
    Record,
    Run,
    Scenario,
    Sha256,
)

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


Signer = Callable[[bytes], tuple[str, str]]
"""From what is to be signed to the key's id and the signature in base64."""


class Configuration(Record):
    """Everything about a run that is settled before it starts."""

    workload: Identifier
    workload_sha256: Sha256
    scenario: Scenario
    mode: Mode
    division: Division
    system_sha256: Sha256
    seeds: dict[str, Annotated[int, Field(ge=0, lt=2**53)]]
    hyperparameters: dict[str, Number] = Field(default_factory=dict)
    """Of the reference; a submitter's own program tells its own only when it runs."""
    borrowed_from: Borrowed | None = None
    settings: InferenceSettings | None = None
    sut: str | None = None
    precision: str | None = None
    compiled: bool | None = None
    audit: Audit | None = None
    audited_run: str | None = None
    command: tuple[str, ...] | None = None

    @classmethod
    def of(cls, run: Run) -> Self:
        """The configuration of ``run``, the same before and after it."""
        taken = {name: getattr(run, name) for name in cls.model_fields}
        return cls(**{**taken, "hyperparameters": {} if run.command else run.hyperparameters})

    @property
    def kind(self) -> "Configuration":
        """All but what is drawn anew for each run: runs of one kind are tries at one result."""
        return self.model_copy(update={"seeds": {}, "audited_run": None})

    def differences(self, other: "Configuration") -> list[str]:
        """Names of the fields in which ``other`` differs."""
        return [n for n in type(self).model_fields if getattr(self, n) != getattr(other, n)]


class Intent(Record):
    """A run, or the search for a rate with all its probes, that is about to start."""

    run_id: Id
    purpose: Literal["run", "search"] = "run"
    configuration: Configuration
    started_ms: int
    """Wall time, in milliseconds since the Unix epoch."""
    nonce: Id | None = None
    """The round's, where its folder was at hand: shows that the round had begun."""
    slot: Sha256 | None = None
    """Digest of the line of the slot that the run takes, if any were set aside."""


class Outcome(Record):
    """How a run ended; a run that was killed leaves none."""

    run_id: Id
    status: Literal["complete", "aborted", "failed", "withdrawn"]
    ended_ms: int
    reason: Annotated[str, Field(max_length=500)] | None = None
    """Why it was withdrawn."""


class Slot(Record):
    """A run set aside beforehand, for a machine that cannot tell anybody before it starts."""

    block: Id
    number: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1, le=10_000)]
    made_ms: int


Body = Intent | Outcome | Slot
Kind = Literal["intent", "outcome", "slot"]
_KINDS: Mapping[type[Record], Kind] = {Intent: "intent", Outcome: "outcome", Slot: "slot"}


class Head(Record):
    """What of a line is shown always, and what its signature covers."""

    record: Literal["levelfield/intent/v1"] = Field(default="levelfield/intent/v1", alias="schema")
    index: Annotated[int, Field(ge=0, lt=2**53)]
    previous: Sha256 | None
    """Digest of the line before; the first has none."""
    kind: Kind
    round: Identifier
    workload: Identifier
    scenario: Scenario
    body_sha256: Sha256

    def to_bytes(self) -> bytes:
        """The canonical form (RFC 8785), which is signed."""
        return canonical(self)


class Line(Record):
    """One line of the log. Without its body it still links the lines around it."""

    head: Head
    key_id: Sha256 | None = None
    signature: Annotated[str, Field(max_length=100)] | None = None
    body: Body | None = None

    @property
    def digest(self) -> str:
        """What the next line holds: over head and signature, and through the head the body."""
        return hashlib.sha256(canonical(self.hidden())).hexdigest()

    def hidden(self) -> "Line":
        """The line without its body."""
        return self.model_copy(update={"body": None})

    def to_bytes(self) -> bytes:
        """The canonical form (RFC 8785) with its end of line."""
        return canonical(self) + b"\n"


def canonical(record: Record) -> bytes:
    """A record in canonical form (RFC 8785)."""
    return rfc8785.dumps(record.model_dump(mode="json", by_alias=True))


def body_digest(body: Body) -> str:
    """SHA-256 of the canonical body."""
    return hashlib.sha256(canonical(body)).hexdigest()


def kind_of(body: Body) -> Kind:
    """The kind of line that ``body`` belongs in."""
    return _KINDS[type(body)]


def next_line(
    last: Line | None, body: Body, about: tuple[str, str, Scenario], sign: Signer | None = None
) -> Line:
    """The line after ``last``, which holds ``body``, ``about`` a round, workload and scenario."""
    head = Head(
        index=last.head.index + 1 if last else 0,
        previous=last.digest if last else None,
        kind=kind_of(body),
        round=about[0],
        workload=about[1],
        scenario=about[2],
        body_sha256=body_digest(body),
    )
    key_id, signature = sign(head.to_bytes()) if sign else (None, None)
    return Line(head=head, key_id=key_id, signature=signature, body=body)


def free_slots(lines: Sequence[Line], workload: str, scenario: Scenario) -> list[Line]:
    """Slots of this workload and scenario that no intent has taken, in order."""
    taken = {line.body.slot for line in lines if isinstance(line.body, Intent)}
    return [
        line
        for line in lines
        if line.head.kind == "slot"
        and (line.head.workload, line.head.scenario) == (workload, scenario)
        and line.digest not in taken
    ]


def starts(line: Line, run_id: str) -> bool:
    """Whether ``line`` is the intent of the run ``run_id``."""
    return isinstance(line.body, Intent) and line.body.run_id == run_id


def read_lines(data: bytes, where: str) -> list[Line]:
    """One's own log as it was written; `LevelfieldError` names the line that is none."""
    lines = []
    for number, text in enumerate(data.splitlines(), 1):
        try:
            lines.append(Line.model_validate_json(text))
        except ValidationError as error:
            raise LevelfieldError(
                f"{where}:{number}: not a line of an intent log; move the file away, and tell the "
                "round's organisers why"
            ) from error
    return lines


def find_log(paths: Iterable[Path], run_id: str) -> tuple[Path, str] | None:
    """The log among ``paths`` in which the run ``run_id`` was started, and its round."""
    for path in paths:
        lines = read_lines(path.read_bytes().rpartition(b"\n")[0], str(path))
        if any(starts(line, run_id) for line in lines):
            return path, lines[0].head.round
    return None
