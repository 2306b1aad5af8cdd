"""What is said of a bundle by the statements beside it: claims, verdicts, countersignatures."""

from dataclasses import dataclass, field
from typing import Any

from harness.errors import LevelfieldError
from submissions.bundle import Bundle
from submissions.countersignature import COUNTERSIGNATURE, Countersignature
from submissions.envelope import VerificationError
from submissions.keys import KeyEntry, KeyRole
from submissions.statement import (
    BENCHMARK_RESULT,
    BenchmarkResult,
    StatementOf,
    claims_of,
    read_statement,
    subject_of,
)
from submissions.strict_json import parse
from submissions.verdict import TEST_RESULT, Verdict
from submissions.vouchers import Voucher


@dataclass
class Said:
    """The statements of one bundle, each found to be about it and by somebody who may say it."""

    claims: list[Voucher] = field(default_factory=list)
    """Of the submitter."""
    verdicts: list[tuple[Verdict, KeyEntry]] = field(default_factory=list)
    """With whose key each was signed."""
    countersigned: list[tuple[Countersignature, KeyEntry]] = field(default_factory=list)

    @property
    def signed_by(self) -> list[KeyEntry]:
        """Whose keys made all of these statements; one may be there several times."""
        beside = [entry for _, entry in (*self.verdicts, *self.countersigned)]
        return [entry for claim in self.claims for entry in claim.signed_by] + beside

    def raised_by(self, submitter: str) -> tuple[str, ...]:
        """Reviewers' organisations whose verdicts pass, other than the submitter, sorted.

        A verdict that fails never counts against a bundle here: levels rise by what is said, and
        never by what is missing.
        """
        passed = (entry for verdict, entry in self.verdicts if verdict.passed)
        return tuple(
            sorted(
                {
                    entry.organisation
                    for entry in passed
                    if entry.organisation != submitter and "review" in entry.roles
                }
            )
        )


def read_said(bundle: Bundle, vouchers: tuple[Voucher, ...]) -> Said:
    """Read each statement and check who may say it: steps 4 to 6 of `attestation.verify`.

    `VerificationError` by name for another predicate type, a statement about another bundle,
    claims that are not the bundle's, a key of another organisation than the submitter's, a
    reviewer that is the submitter, a role that the key has not.
    """
    said = Said()
    for voucher in vouchers:
        kind = _predicate_type(voucher)
        if kind == BENCHMARK_RESULT:
            _read_claims(voucher, bundle)
            said.claims.append(voucher)
        elif kind == TEST_RESULT:
            verdict = _read_verdict(voucher, bundle)
            said.verdicts += [(verdict, entry) for entry in voucher.signed_by]
        elif kind != COUNTERSIGNATURE:
            raise VerificationError(
                f"{voucher.path}: its predicateType is {str(kind)[:80]!a}, which is none of a "
                f"bundle's ({BENCHMARK_RESULT}, {TEST_RESULT}, {COUNTERSIGNATURE}); "
                "it says something else, remove it"
            )
    # Last, since a countersignature is over one of the claims.
    for voucher in vouchers:
        if _predicate_type(voucher) == COUNTERSIGNATURE:
            countersigned = _read_countersignature(voucher, bundle, said)
            said.countersigned += [(countersigned, entry) for entry in voucher.signed_by]
    return said


def _predicate_type(voucher: Voucher) -> Any:
    try:
        fields = parse(voucher.payload, voucher.path)
    except LevelfieldError as error:
        raise VerificationError(str(error)) from error
    return fields.get("predicateType") if isinstance(fields, dict) else None


def _read_claims(voucher: Voucher, bundle: Bundle) -> None:
    """What is signed must be what the bundle holds; digests of the rules are the signer's claim."""
    where, submission = voucher.path, bundle.submission
    statement = read_statement(voucher.payload, where, BENCHMARK_RESULT, BenchmarkResult)
    predicate = statement.predicate
    _check_subject(statement, bundle, where)
    _check_pairs(
        where,
        {
            "round": (predicate.round, submission.round),
            "nonce": (predicate.nonce, bundle.manifest.nonce),
            "submitter": (predicate.submitter, submission.submitter),
            "system": (predicate.system, submission.system_sha256),
            "results": (predicate.results, claims_of(submission)),
        },
    )
    for entry in voucher.signed_by:
        if entry.organisation != submission.submitter:
            raise VerificationError(
                f"{where}: signed with the key of {entry.organisation}, but the submitter is "
                f"{submission.submitter}; only the submitter's own key can vouch for its claims"
            )
        _check_role(entry, "submit", where)


def _read_verdict(voucher: Voucher, bundle: Bundle) -> Verdict:
    statement = read_statement(voucher.payload, voucher.path, TEST_RESULT, Verdict)
    _check_subject(statement, bundle, voucher.path)
    if not statement.predicate.judged_by(bundle.submission.round):
        raise VerificationError(
            f"{voucher.path}: a verdict by the rules of another round than "
            f"{bundle.submission.round}, the bundle's; check again with --sign"
        )
    return statement.predicate


def _read_countersignature(voucher: Voucher, bundle: Bundle, said: Said) -> Countersignature:
    where, submission = voucher.path, bundle.submission
    statement = read_statement(voucher.payload, where, COUNTERSIGNATURE, Countersignature)
    predicate = statement.predicate
    _check_subject(statement, bundle, where)
    _check_pairs(
        where,
        {
            "round": (predicate.round, submission.round),
            "nonce": (predicate.nonce, bundle.manifest.nonce),
            "submitter": (predicate.submitter, submission.submitter),
        },
    )
    if predicate.statement not in {claim.sha256 for claim in said.claims}:
        raise VerificationError(
            f"{where}: countersigns a statement of the submitter that is not here; "
            "copy that file back, or countersign again"
        )
    for entry in voucher.signed_by:
        check_reviewer(entry, submission.submitter, where)
    return predicate


def check_reviewer(entry: KeyEntry, submitter: str, where: str) -> None:
    """`VerificationError` if the key's owner may not review what ``submitter`` submitted."""
    if entry.organisation == submitter:
        raise VerificationError(
            f"{where}: a self-review: {submitter} submitted this bundle and cannot countersign "
            "it; ask another organisation"
        )
    _check_role(entry, "review", where)


def _check_subject(statement: StatementOf[Any], bundle: Bundle, where: str) -> None:
    if statement.subject != (subject_of(bundle.submission),):
        raise VerificationError(
            f"{where}: its subject is {statement.subject[0].name}, this bundle is {bundle.id}; "
            "the attestation belongs to another bundle, remove it"
        )


def _check_pairs(where: str, pairs: dict[str, tuple[object, object]]) -> None:
    for name, (said, held) in pairs.items():
        if said != held:
            raise VerificationError(f"{where}: its {name} is not the bundle's; sign again")


def _check_role(entry: KeyEntry, role: KeyRole, where: str) -> None:
    if role not in entry.roles:
        raise VerificationError(
            f"{where}: the keyring gives the key of {entry.organisation} the roles "
            f"{', '.join(entry.roles)}, not {role}; sign with another key"
        )
