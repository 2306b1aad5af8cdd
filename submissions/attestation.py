"""Attestations: a submitter vouches for a bundle, and anybody can check who did."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.errors import LevelfieldError
from harness.records import Record
from submissions.bundle import Bundle, attestation_path
from submissions.envelope import PAYLOAD_TYPE, VerificationError, seal
from submissions.keys import KeyEntry, Keyring
from submissions.manifest import canonical
from submissions.statement import (
    BENCHMARK_RESULT,
    BenchmarkResult,
    Opened,
    claims_of,
    open_statement,
    state,
    subject_of,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Level = Literal["L0", "L1"]
"""L0: nobody vouches. L1: the submitter's signature holds."""


class Signatory(Record):
    """Whose key signed."""

    organisation: str
    key_id: str


class Verification(Record):
    """What verification found, in words that can be shown as they are."""

    bundle_id: str
    level: Level
    signed_by: tuple[Signatory, ...]
    """Each key once, in keyring order."""
    steps: tuple[str, ...]
    """A sentence a step, each beginning with its number in `verify`."""


def sign(bundle: Bundle, private_key: "Ed25519PrivateKey") -> Path:
    """Sign the bundle as its submitter; return the path of the attestation.

    ``bundle`` itself stays as it was opened: open it again to verify. Signing again with the
    same key writes the same file. `LevelfieldError` if it cannot be
    written, `UsageError` if this installation does not know the bundle's round.
    """
    if bundle.root.is_file():
        raise LevelfieldError(
            f"{bundle.root}: a zip, which is only for transport; sign the folder, then zip that"
        )
    payload = canonical(state(bundle.submission, bundle.manifest.nonce))
    envelope = seal(payload, private_key)
    path = bundle.root / attestation_path(envelope)
    draft = path.with_suffix(".draft")
    try:
        path.parent.mkdir(exist_ok=True)
        draft.write_bytes(envelope)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise LevelfieldError(
            f"{path}: cannot be written: {error.strerror}; make room or mend the permissions"
        ) from error
    return path


def verify(bundle: Bundle, keyring: Keyring) -> Verification:
    """Verify every attestation of ``bundle`` against the keys of ``keyring``.

    0. Size limits, 1. the strict scan of the folder, 2. strict parsing: done by `Bundle.open`,
       without which there is no bundle.
    3. Each envelope: the one payload type, base64, and every signature by a key that the keyring
       knows; the keyid is a hint only.
    4. The payload that was verified, the same bytes, is parsed.
    5. Its type, its predicate type and its fields are ours.
    6. Its subject is this bundle's manifest; round, nonce, submitter, system and results are the
       bundle's; the key belongs to the submitter, with the role *submit*.
    7. Every file has the manifest's digest: done by `Bundle.open`.
    8. Rules are not run here: `check` does.
    9. and 10. Inclusion in a round's log, and the keys' state at that place in it, need a log;
       there is none yet, so the keyring counts as it is.

    Raises `VerificationError` if there is no attestation or any does not hold: what is returned
    always has level L1.
    """
    if not bundle.attestations:
        raise VerificationError(
            f"{bundle.root}: unsigned: it holds no attestation; sign it, or ask its submitter to"
        )
    signed = [
        entry
        for path, data in bundle.attestations.items()
        for entry in _verify_one(path, data, bundle, keyring)
    ]
    distinct = [entry for entry in keyring.keys if entry in signed]
    return Verification(
        bundle_id=bundle.id,
        level="L1",
        signed_by=tuple(
            Signatory(organisation=entry.organisation, key_id=entry.key_id) for entry in distinct
        ),
        steps=_steps(bundle, distinct),
    )


def _verify_one(path: str, data: bytes, bundle: Bundle, keyring: Keyring) -> tuple[KeyEntry, ...]:
    """Steps 3 to 6 of `verify` for one attestation; whose keys signed it."""
    # (3) envelope, payload type, signatures
    # (4) the very bytes that were verified, and (5) type, predicate type, schema
    opened = open_statement(data, path, keyring.keys, BENCHMARK_RESULT, BenchmarkResult)
    # (6) subject, claims, and whose key it is
    _check_content(opened, bundle, path)
    _check_signatories(opened.signed_by, bundle, path)
    return opened.signed_by


def appraise(bundle: Bundle, keyring: Keyring) -> Verification:
    """As `verify`, but what does not hold counts as unsigned, with the reason as its last step."""
    try:
        return verify(bundle, keyring)
    except VerificationError as error:
        return Verification(
            bundle_id=bundle.id,
            level="L0",
            signed_by=(),
            steps=(_opened(bundle), f"3–6. Not vouched for: {error}"),
        )


def _check_content(statement: Opened[BenchmarkResult], bundle: Bundle, where: str) -> None:
    """What is signed must be what the bundle holds; digests of the rules are the signer's claim."""
    submission, predicate = bundle.submission, statement.predicate
    if statement.subject != subject_of(submission):
        raise VerificationError(
            f"{where}: its subject is {statement.subject.name}, this bundle is {bundle.id}; "
            "the attestation belongs to another bundle, remove it"
        )
    pairs = {
        "round": (predicate.round, submission.round),
        "nonce": (predicate.nonce, bundle.manifest.nonce),
        "submitter": (predicate.submitter, submission.submitter),
        "system": (predicate.system, submission.system_sha256),
        "results": (predicate.results, claims_of(submission)),
    }
    for name, (said, held) in pairs.items():
        if said != held:
            raise VerificationError(f"{where}: its {name} is not the bundle's; sign again")


def _check_signatories(entries: tuple[KeyEntry, ...], bundle: Bundle, where: str) -> None:
    submitter = bundle.manifest.submitter
    for entry in entries:
        if entry.organisation != submitter:
            raise VerificationError(
                f"{where}: signed with the key of {entry.organisation}, but the submitter is "
                f"{submitter}; only the submitter's own key can vouch for its claims"
            )
        if "submit" not in entry.roles:
            raise VerificationError(
                f"{where}: the keyring gives the key of {entry.organisation} the roles "
                f"{', '.join(entry.roles)}, not submit; sign with another key"
            )


def _opened(bundle: Bundle) -> str:
    count = len(bundle.manifest.files)
    return f"0–2, 7. All {count} files are plain, readable and as the manifest lists them."


def _steps(bundle: Bundle, signed: list[KeyEntry]) -> tuple[str, ...]:
    names = ", ".join(f"{entry.organisation} (key {entry.key_id[:16]})" for entry in signed)
    return (
        _opened(bundle),
        f"3. Signed by {names}; payload type {PAYLOAD_TYPE}.",
        "4. The statement was parsed from the very bytes that are signed.",
        f"5. It is a {BENCHMARK_RESULT} in an in-toto Statement v1.",
        f"6. Its subject is bundle {bundle.id}, and its claims are the bundle's; "
        f"the key belongs to the submitter, {bundle.manifest.submitter}.",
        "8. No rules were run; levelfield check does that.",
        "9–10. No round's log was consulted; the keyring counts as it is now.",
    )
