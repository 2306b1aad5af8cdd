"""What a submitter's signature says: an in-toto Statement v1 about one bundle."""

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field

import rules
from harness.records import Division, Identifier, Metric, Record, Scenario, Sha256
from harness.system import Availability, HarnessVersion
from rules.submission import Submission

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
BENCHMARK_RESULT = "urn:levelfield:predicate/benchmark-result/v1"


class Digest(Record):
    """A digest set with the one algorithm in use."""

    sha256: Sha256


class Subject(Record):
    """What a statement is about: the bundle's id and its manifest's digest."""

    name: Annotated[str, Field(pattern=r"^[a-z2-7]{20}$")]
    digest: Digest


class Claim(Record):
    """One claimed result."""

    workload: Identifier
    workload_sha256: tuple[Sha256, ...]
    """Digests of the workload's folder that the runs name; more than one is a finding."""
    scenario: Annotated[Scenario, Field(strict=False)]
    division: Annotated[Division, Field(strict=False)]
    metric: Annotated[Metric, Field(strict=False)]
    value: str | None
    """A decimal string in SI base units, since signed JSON holds no fractions."""


class RulesDigests(Record):
    """By which rules the submitter claims to have measured."""

    code: Sha256
    """`rules_digest`."""
    round: Sha256
    """Of the round's TOML file."""


class BenchmarkResult(Record):
    """The predicate: what is claimed, and under which rules, harness, workloads and system."""

    round: Identifier
    nonce: str
    submitter: Identifier
    category: Availability | None
    """None where the system is not declared."""
    rules: RulesDigests
    harness: HarnessVersion
    system: Sha256
    results: tuple[Claim, ...]
    supersedes: Sha256 | None = None


class Statement(Record):
    """An in-toto Statement v1 with our predicate."""

    # Plain text, because a reader must name what it found before it can read the rest.
    kind: str = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[Subject]
    predicate_type: str = Field(default=BENCHMARK_RESULT, alias="predicateType")
    predicate: BenchmarkResult


def subject_of(submission: Submission) -> Subject:
    """The bundle as a subject."""
    return Subject(name=submission.bundle_id, digest=Digest(sha256=submission.manifest_sha256))


def claims_of(submission: Submission) -> tuple[Claim, ...]:
    """Every result as claimed in the bundle, in path order."""
    return tuple(
        Claim(
            workload=entry.result.workload,
            workload_sha256=tuple(sorted({run.run.workload_sha256 for run in entry.runs})),
            scenario=entry.result.scenario,
            division=entry.result.division,
            metric=entry.result.metric,
            value=_decimal(entry.result.value),
        )
        for entry in submission.entries
    )


def _decimal(value: float | None) -> str | None:
    """The shortest decimal that reads back as ``value``, without an exponent."""
    return None if value is None else format(Decimal(repr(value)), "f")


def state(submission: Submission, nonce: str) -> Statement:
    """The statement that the submitter of ``submission`` signs; the same each time.

    `UsageError` if this installation does not know the bundle's round.
    """
    declared = submission.system.declared
    predicate = BenchmarkResult(
        round=submission.round,
        nonce=nonce,
        submitter=submission.submitter,
        category=declared.availability if declared else None,
        rules=RulesDigests(code=rules_digest(), round=_round_digest(submission.round)),
        harness=submission.system.harness,
        system=submission.system_sha256,
        results=claims_of(submission),
    )
    return Statement(subject=(subject_of(submission),), predicate=predicate)


def rules_digest() -> str:
    """SHA-256 over the names and digests of the rule package's Python files."""
    folder = Path(rules.__file__).parent
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{digest}\n".encode())
    return total.hexdigest()


def _round_digest(name: str) -> str:
    from rules.round import read_round

    read_round(name)  # refuses an unknown name
    path = Path(rules.__file__).parent / "rounds" / f"{name}.toml"
    return hashlib.sha256(path.read_bytes()).hexdigest()
