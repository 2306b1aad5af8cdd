"""What a signature says: an in-toto Statement v1, and the claims of a bundle's submitter."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, Self, TypeVar, cast

from pydantic import Field

import rules
from harness.errors import LevelfieldError
from harness.records import Division, Identifier, Metric, Record, Scenario, Sha256
from harness.system import Availability, HarnessVersion
from rules.submission import Submission
from submissions.envelope import VerificationError, seal, unseal
from submissions.keys import KeyEntry
from submissions.manifest import bundle_id, canonical
from submissions.strict_json import parse, read_record

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Signer

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
BENCHMARK_RESULT = "urn:levelfield:predicate/benchmark-result/v1"

PredicateT = TypeVar("PredicateT", bound=Record)


class Digest(Record):
    """A digest set with the one algorithm in use."""

    sha256: Sha256


class Subject(Record):
    """What a statement is about: the bundle's id and its manifest's digest."""

    name: Annotated[str, Field(pattern=r"^[a-z2-7]{20}$")]
    digest: Digest

    @classmethod
    def of(cls, sha256: str) -> Self:
        """Whatever has this digest, under the name that a bundle would get from it."""
        return cls(name=bundle_id(sha256), digest=Digest(sha256=sha256))


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


class StatementOf(Record, Generic[PredicateT]):
    """An in-toto Statement v1 with one subject and a predicate of ours."""

    kind: str = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[Subject]
    predicate_type: str = Field(alias="predicateType")
    predicate: PredicateT


@dataclass(frozen=True)
class Opened(Generic[PredicateT]):
    """A statement whose signatures hold."""

    subject: Subject
    predicate: PredicateT
    signed_by: tuple[KeyEntry, ...]
    """Each key once, in the order of the trusted keys; never empty."""


def seal_statement(
    subject: Subject, predicate_type: str, predicate: Record, key: "Signer"
) -> bytes:
    """A DSSE envelope, as canonical JSON, around the statement that ``predicate`` is of this type.

    The same arguments give the same bytes.
    """
    return seal(statement_bytes(subject, predicate_type, predicate), key)


def statement_bytes(subject: Subject, predicate_type: str, predicate: Record) -> bytes:
    """The statement itself as canonical JSON (RFC 8785): what is signed."""
    statement = StatementOf(subject=(subject,), predicateType=predicate_type, predicate=predicate)
    return canonical(statement)


def open_statement(
    data: bytes,
    where: str,
    trusted: Sequence[KeyEntry],
    predicate_type: str,
    model: type[PredicateT],
) -> Opened[PredicateT]:
    """Open a DSSE envelope that must hold a statement of ``predicate_type``.

    `VerificationError` for whatever `unseal` refuses, another type or predicate type (by name), a
    predicate that is no ``model``, and a payload that is not canonical. Of what the signatories
    may say the caller judges: here their keys only are known.
    """
    payload, signed_by = unseal(data, where, trusted)
    statement = read_statement(payload, where, predicate_type, model)
    return Opened(statement.subject[0], statement.predicate, signed_by)


def read_statement(
    payload: bytes, where: str, predicate_type: str, model: type[PredicateT]
) -> StatementOf[PredicateT]:
    """Read a statement of ``predicate_type`` from the bytes that were signed.

    `VerificationError` as `open_statement` has it.
    """
    try:
        _check_types(parse(payload, where), where, predicate_type)
        parametrised = cast(type[StatementOf[PredicateT]], StatementOf.__class_getitem__(model))
        statement = read_record(parametrised, payload, where)
    except LevelfieldError as error:
        raise VerificationError(str(error)) from error
    if canonical(statement) != payload:
        raise VerificationError(f"{where}: its payload is not canonical (RFC 8785); sign again")
    return statement


def _check_types(fields: Any, where: str, predicate_type: str) -> None:
    found = fields if isinstance(fields, dict) else {}
    for name, expected in (("_type", STATEMENT_TYPE), ("predicateType", predicate_type)):
        if found.get(name) != expected:
            raise VerificationError(
                f"{where}: its {name} is {str(found.get(name))[:80]!a}, not {expected}; "
                "it says something else, remove it"
            )


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


def state(submission: Submission, nonce: str) -> StatementOf[BenchmarkResult]:
    """The statement that the submitter of ``submission`` signs; the same each time.

    `UsageError` if this installation does not know the bundle's round.
    """
    declared = submission.system.declared
    predicate = BenchmarkResult(
        round=submission.round,
        nonce=nonce,
        submitter=submission.submitter,
        category=declared.availability if declared else None,
        rules=RulesDigests(code=rules_digest(), round=round_digest(submission.round)),
        harness=submission.system.harness,
        system=submission.system_sha256,
        results=claims_of(submission),
    )
    return StatementOf(
        subject=(subject_of(submission),), predicateType=BENCHMARK_RESULT, predicate=predicate
    )


def rules_digest() -> str:
    """SHA-256 over the names and digests of the rule package's Python files."""
    folder = Path(rules.__file__).parent
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{digest}\n".encode())
    return total.hexdigest()


def round_digest(name: str) -> str:
    """SHA-256 of the round's TOML file; `UsageError` for a name that is not known."""
    from rules.round import read_round

    read_round(name)  # refuses an unknown name
    path = Path(rules.__file__).parent / "rounds" / f"{name}.toml"
    return hashlib.sha256(path.read_bytes()).hexdigest()
