"""A round's keyring as its root keys sign it: how many of which must, and what may change."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from harness.errors import LevelfieldError
from harness.records import Record
from submissions.envelope import VerificationError, add_signature, seal
from submissions.keyring import check_proof, find_key
from submissions.keys import KeyEntry, Keyring, PublicKey, Threshold
from submissions.manifest import canonical
from submissions.statement import Subject, open_statement, statement_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEYRING_RELEASE = "urn:levelfield:predicate/keyring/v1"


class Release(Record):
    """The predicate that root keys sign about a keyring, whose bytes are the subject."""

    keys: Annotated[int, Field(ge=0)]
    threshold: Threshold


def set_roots(keyring: Keyring, key_ids: Sequence[str], threshold: int) -> Keyring:
    """The keyring that so many of these keys must sign; `LevelfieldError` if they cannot."""
    roots = tuple(find_key(keyring, key_id).key_id for key_id in key_ids)
    chosen = keyring.model_copy(update={"threshold": Threshold(roots=roots, threshold=threshold)})
    root_keys(chosen, "keyring")
    return chosen


def root_keys(keyring: Keyring, where: str) -> tuple[KeyEntry, ...]:
    """The root keys' entries.

    `VerificationError` if there are none, one is named twice, is not there, does not count any
    more or has not the role *root*, or if fewer are named than must sign.
    """
    terms = keyring.threshold
    if terms is None:
        raise VerificationError(f"{where}: names no root keys; choose them with keys roots")
    for key_id in terms.roots:
        entry = keyring.find(key_id)
        if entry is None or entry.status != "active" or "root" not in entry.roles:
            raise VerificationError(
                f"{where}: root key {key_id[:16]} is not an active key with the role root"
            )
    if len(set(terms.roots)) != len(terms.roots):
        raise VerificationError(f"{where}: names a root key twice; one key counts once")
    if terms.threshold > len(terms.roots):
        raise VerificationError(
            f"{where}: {terms.threshold} of {len(terms.roots)} root keys can never sign"
        )
    return tuple(entry for entry in keyring.keys if entry.key_id in terms.roots)


def sign_keyring(
    keyring: Keyring, envelope: bytes | None, private_key: "Ed25519PrivateKey"
) -> bytes:
    """Sign the keyring as one of its root keys; signatures over the same keyring are kept.

    `LevelfieldError` for a key that has not the role *root*.
    """
    key_id = PublicKey.of(private_key).key_id
    root_keys(keyring, "keyring")
    if key_id not in {entry.key_id for entry in _ever_roots(keyring)}:
        raise LevelfieldError(f"key {key_id[:16]}: not one of the keyring's root keys")
    payload = _release(keyring)
    kept = add_signature(envelope, payload, private_key) if envelope else None
    return kept or seal(payload, private_key)


def _release(keyring: Keyring) -> bytes:
    assert keyring.threshold is not None  # root_keys has looked
    predicate = Release(keys=len(keyring.keys), threshold=keyring.threshold)
    return statement_bytes(_subject(canonical(keyring)), KEYRING_RELEASE, predicate)


def _subject(data: bytes) -> Subject:
    return Subject.of(hashlib.sha256(data).hexdigest())


def open_signed(
    data: bytes,
    envelope: bytes,
    where: str,
    anchors: Sequence[KeyEntry] = (),
    needed: int | None = None,
) -> Keyring:
    """Read a round's keyring with its root keys' signatures.

    ``anchors`` are root keys that the reader trusts beforehand, of which ``needed`` must have
    signed as well, by default more than half: how many the keyring itself asks for is the word of
    whoever wrote it. Without anchors a keyring vouches for itself only.

    `VerificationError`: not canonical, an entry without proof of possession, too few distinct root
    keys signed it, or too few of the reader's.
    """
    keyring = Keyring.from_bytes(data, where)
    if canonical(keyring) != data:
        raise VerificationError(f"{where}: not in canonical form (RFC 8785); sign it again")
    for entry in keyring.keys:
        check_proof(entry, f"{where}: key of {entry.organisation}")
    roots = root_keys(keyring, where)
    known = {entry.key.raw: entry for entry in (*anchors, *_ever_roots(keyring))}
    trusted = list(known.values())
    opened = open_statement(envelope, f"{where}'s signatures", trusted, KEYRING_RELEASE, Release)
    if opened.subject != _subject(data):
        raise VerificationError(f"{where}: changed after its root keys signed it; sign it again")
    assert keyring.threshold is not None
    signed = {entry.key.raw for entry in opened.signed_by}
    _check_enough(signed, roots, keyring.threshold.threshold, f"{where}: its")
    if anchors:
        _check_enough(signed, anchors, needed or len(anchors) // 2 + 1, f"{where}: your trusted")
    return keyring


def _ever_roots(keyring: Keyring) -> list[KeyEntry]:
    """Also those that are no longer: they sign the keyring that their successors begin with."""
    return [entry for entry in keyring.keys if "root" in entry.roles]


def _check_enough(signed: set[bytes], roots: Sequence[KeyEntry], needed: int, whose: str) -> None:
    count = len(signed & {entry.key.raw for entry in roots})
    if count < needed:
        raise VerificationError(
            f"{whose} root keys: {count} of {len(roots)} signed it, {needed} are needed; "
            "let more of them sign"
        )


def check_successor(before: Keyring, after: Keyring, where: str) -> None:
    """`VerificationError` if a later keyring rewrites what an earlier one said.

    Keys may be added and lives may end; nothing else of an entry may change, and none may go.
    """
    for entry in before.keys:
        now = after.find(entry.key_id)
        if now is None:
            raise VerificationError(f"{where}: the key of {entry.organisation} is gone; revoke it")
        ended = {"status": now.status, "to_index": now.to_index, "reason": now.reason}
        same = entry if entry.status != "active" else entry.model_copy(update=ended)
        if same != now:
            raise VerificationError(
                f"{where}: rewrites the life of a key of {entry.organisation}; add a new key"
            )
