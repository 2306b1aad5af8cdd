"""Attestations: a submitter vouches for a bundle, reviewers stand beside it, anybody can check."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from harness.records import Record
from submissions.bundle import Bundle
from submissions.bundle_statements import Said, check_reviewer, read_said
from submissions.countersignature import COUNTERSIGNATURE, Countersignature, summary_of
from submissions.envelope import PAYLOAD_TYPE, VerificationError, seal
from submissions.keys import KeyEntry, Keyring, PublicKey
from submissions.log_entry import LogEntry
from submissions.manifest import canonical
from submissions.sshsig import ask_ssh_keygen
from submissions.statement import BENCHMARK_RESULT, seal_statement, state, subject_of
from submissions.statement_time import check_time
from submissions.verdict import TEST_RESULT, verdict_of
from submissions.vouchers import Voucher, read_vouchers, write_envelope, write_ssh_signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from rules.rule import Report

Level = Literal["L0", "L1", "L2"]
"""L0: nobody vouches. L1: the submitter's signature holds. L2: checked and countersigned by
another organisation too. What rises above comes from a round's log."""


class Signatory(Record):
    """Whose key signed."""

    organisation: str
    key_id: str


class SignedVerdict(Record):
    """What a check came to, as whoever ran it says."""

    by: Signatory
    result: Literal["PASSED", "WARNED", "FAILED"]


class Verification(Record):
    """What verification found, in words that can be shown as they are."""

    bundle_id: str
    level: Level
    signed_by: tuple[Signatory, ...]
    """Each key of the submitter once, in keyring order."""
    steps: tuple[str, ...]
    """A sentence a step, each beginning with its number in `verify`."""
    verdicts: tuple[SignedVerdict, ...] = ()
    countersigned_by: tuple[Signatory, ...] = ()
    """Each key of a reviewer once, in keyring order; never the submitter's."""
    keys: Annotated[tuple[KeyEntry, ...], Field(exclude=True)] = ()
    """The keyring's entries for all keys that signed, so that a reader can verify the same."""


def sign(bundle: Bundle, private_key: "Ed25519PrivateKey") -> Path:
    """Sign the bundle as its submitter; return the path of the attestation.

    ``bundle`` itself stays as it was opened: open it again to verify. Signing again with the
    same key writes the same file. `LevelfieldError` if it cannot be
    written, `UsageError` if this installation does not know the bundle's round.
    """
    return write_envelope(bundle, seal(_claims(bundle), private_key))


def sign_by_ssh(bundle: Bundle, key_file: Path) -> Path:
    """As `sign`, but ``ssh-keygen`` signs, with a key of OpenSSH's, an agent's or a token's.

    Returns the path of the signature; the statement lies beside it. `LevelfieldError` also as
    `ask_ssh_keygen` has it.
    """
    claims = _claims(bundle)
    return write_ssh_signature(bundle, claims, ask_ssh_keygen(claims, key_file))


def _claims(bundle: Bundle) -> bytes:
    return canonical(state(bundle.submission, bundle.manifest.nonce))


def sign_verdict(
    bundle: Bundle, report: "Report", private_key: "Ed25519PrivateKey", url: str | None = None
) -> Path:
    """Sign what a check of the bundle came to, whatever that is; return the attestation's path."""
    subject = subject_of(bundle.submission)
    return write_envelope(
        bundle, seal_statement(subject, TEST_RESULT, verdict_of(report, url), private_key)
    )


def countersign(
    bundle: Bundle, report: "Report", keyring: Keyring, private_key: "Ed25519PrivateKey"
) -> Path:
    """Countersign the submitter's statement as a reviewer; return the attestation's path.

    ``report`` is of the reviewer's own check. `VerificationError` if the bundle is not signed by
    its submitter, the check found errors, the key is not in ``keyring``, is the submitter's
    organisation's, or has not the role *review*.
    """
    where, submission = str(bundle.root), bundle.submission
    _, said = _read(bundle, keyring)
    entry = keyring.find(PublicKey.of(private_key).key_id)
    if entry is None:
        raise VerificationError(
            f"{where}: your key is not in the keyring; add it with the role review"
        )
    check_reviewer(entry, submission.submitter, where)
    if not report.ok:
        raise VerificationError(
            f"{where}: its check found {report.errors} errors; nothing to countersign, object to it"
        )
    predicate = Countersignature(
        round=submission.round,
        nonce=bundle.manifest.nonce,
        submitter=submission.submitter,
        # The one that the round's log has, if the submitter signed by SSH as well.
        statement=min(said.claims, key=lambda claim: not claim.enveloped).sha256,
        findings=summary_of(report),
    )
    subject = subject_of(submission)
    return write_envelope(bundle, seal_statement(subject, COUNTERSIGNATURE, predicate, private_key))


def verify(
    bundle: Bundle, keyring: Keyring, logged: Sequence[LogEntry] | None = None
) -> Verification:
    """Verify every attestation of ``bundle`` against the keys of ``keyring``.

    ``logged`` is what `RoundLog.verify` gave of the round's log, if there is one.


    0. Size limits, before anything is parsed.
    1. The strict scan of the container.
    2. Strict parsing of the manifest and the records. These three are done by `Bundle.open`,
       without which there is no bundle.
    3. Each envelope: the one payload type, base64, and every signature by a key that the keyring
       knows; the keyid is a hint only. Each signature of OpenSSH's: namespace, hash and key.
    4. The payload that was verified, the same bytes, is parsed.
    5. Its type, its predicate type and its fields are ours.
    6. Its subject is this bundle's manifest; round, nonce, submitter, system and results are the
       bundle's; the key belongs to the submitter, with the role *submit*. A countersignature's
       key belongs to another organisation, with the role *review*.
    7. Every file has the manifest's digest: done by `Bundle.open`.
    8. Rules are not run here: `check` does, and a signed verdict says what it came to.
    9. Inclusion in the round's log: `RoundLog.verify` found tree and checkpoint to agree; here
       each statement is looked up in it.
    10. Each key counted at that place in the log. Without a log the keyring counts as it is now,
       and a key that is no longer active not at all.

    Raises `VerificationError` if the submitter's attestation is missing or any does not hold: what
    is returned always has level L1 or L2.
    """
    vouchers, said = _read(bundle, keyring)
    # (9) where each statement stands in the log, (10) the keys' state there
    check_time(vouchers, bundle.id, logged)
    return _verification(bundle, keyring, said, logged)


def _verification(
    bundle: Bundle, keyring: Keyring, said: Said, logged: Sequence[LogEntry] | None
) -> Verification:
    claimed = _distinct(keyring, (entry for claim in said.claims for entry in claim.signed_by))
    reviewers = _distinct(keyring, (entry for _, entry in said.countersigned))
    checked = said.raised_by(bundle.submission.submitter)
    return Verification(
        bundle_id=bundle.id,
        level="L2" if reviewers and checked else "L1",
        signed_by=tuple(map(_signatory, claimed)),
        steps=_steps(bundle, said, claimed, reviewers, logged),
        verdicts=tuple(
            SignedVerdict(by=_signatory(entry), result=verdict.result)
            for verdict, entry in said.verdicts
        ),
        countersigned_by=tuple(map(_signatory, reviewers)),
        keys=tuple(_distinct(keyring, said.signed_by)),
    )


def appraise(
    bundle: Bundle, keyring: Keyring, logged: Sequence[LogEntry] | None = None
) -> Verification:
    """As `verify`, but what does not hold counts as unsigned, with the reason as its last step."""
    try:
        return verify(bundle, keyring, logged)
    except VerificationError as error:
        return Verification(
            bundle_id=bundle.id,
            level="L0",
            signed_by=(),
            steps=(_opened(bundle), f"3–6. Not vouched for: {error}"),
        )


def _read(bundle: Bundle, keyring: Keyring) -> tuple[tuple[Voucher, ...], Said]:
    """Steps 3 to 6."""
    if not bundle.attestations:
        raise _unsigned(bundle, "no attestation")
    # (3) signatures, (4) the very bytes that were verified, (5) types, (6) about this bundle
    vouchers = read_vouchers(bundle, keyring.keys)
    said = read_said(bundle, vouchers)
    if not said.claims:
        raise _unsigned(bundle, "no attestation of its submitter")
    return vouchers, said


def _unsigned(bundle: Bundle, held: str) -> VerificationError:
    return VerificationError(
        f"{bundle.root}: unsigned: it holds {held}; sign it, or ask its submitter to"
    )


def _distinct(keyring: Keyring, signed: Iterable[KeyEntry]) -> list[KeyEntry]:
    found = list(signed)
    return [entry for entry in keyring.keys if entry in found]


def _signatory(entry: KeyEntry) -> Signatory:
    return Signatory(organisation=entry.organisation, key_id=entry.key_id)


def _opened(bundle: Bundle) -> str:
    count = len(bundle.manifest.files)
    return f"0–2, 7. All {count} files are plain, readable and as the manifest lists them."


def _steps(
    bundle: Bundle,
    said: Said,
    claimed: list[KeyEntry],
    reviewers: list[KeyEntry],
    logged: Sequence[LogEntry] | None,
) -> tuple[str, ...]:
    reviewed = f" Countersigned by {_named(reviewers)}." if reviewers else ""
    verdicts = "; ".join(
        f"{verdict.summary}, says {entry.organisation}" for verdict, entry in said.verdicts
    )
    return (
        _opened(bundle),
        f"3. Signed by {_named(claimed)}; payload type {PAYLOAD_TYPE}.{reviewed}",
        "4. The statement was parsed from the very bytes that are signed.",
        f"5. It is a {BENCHMARK_RESULT} in an in-toto Statement v1.",
        f"6. Its subject is bundle {bundle.id}, and its claims are the bundle's; "
        f"the key belongs to the submitter, {bundle.manifest.submitter}.",
        "8. No rules were run; "
        + (f"a signed check found {verdicts}." if verdicts else "levelfield check does that."),
        *_steps_of_time(logged),
    )


def _steps_of_time(logged: Sequence[LogEntry] | None) -> tuple[str, ...]:
    if logged is None:
        return ("9–10. No round's log was consulted; the keyring counts as it is now.",)
    return (
        f"9. Every statement stands in the round's log of {len(logged)} entries.",
        "10. Every key counted at the place in the log where its statement stands.",
    )


def _named(entries: list[KeyEntry]) -> str:
    return ", ".join(f"{entry.organisation} (key {entry.key_id[:16]})" for entry in entries)
