"""Lives of keys: they prove that they are held, are admitted, and end at a place in the log."""

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.errors import LevelfieldError
from harness.records import Identifier, Record
from submissions.envelope import PAYLOAD_TYPE, VerificationError, pre_authentication_encoding
from submissions.keys import KeyEntry, Keyring, KeyRole, PublicKey
from submissions.manifest import canonical
from submissions.round_folder import write_whole
from submissions.sshsig import MAGIC, SshSignature, read_blob
from submissions.statement import Subject, statement_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_REGISTRATION = "urn:levelfield:predicate/key-registration/v1"

_ED25519_BYTES = 64


class Registration(Record):
    """The predicate that a key signs about itself: whose it is, and what it shall be for."""

    organisation: Identifier
    public_key: str
    roles: tuple[KeyRole, ...]


def registration_bytes(organisation: str, key: PublicKey, roles: Sequence[KeyRole]) -> bytes:
    """The statement that proves possession, as a key signs it: the same for the same arguments."""
    predicate = Registration(organisation=organisation, public_key=key.line, roles=tuple(roles))
    return statement_bytes(Subject.of(key.key_id), KEY_REGISTRATION, predicate)


def register(
    private_key: "Ed25519PrivateKey", organisation: str, roles: Sequence[KeyRole]
) -> KeyEntry:
    """An entry for one's own key, with the proof that one holds it."""
    key = PublicKey.of(private_key)
    message = registration_bytes(organisation, key, roles)
    proof = private_key.sign(pre_authentication_encoding(PAYLOAD_TYPE, message))
    return _registered(organisation, key, roles, proof)


def register_by_ssh(
    organisation: str, roles: Sequence[KeyRole], signature: SshSignature, blob: bytes
) -> KeyEntry:
    """As `register`, from OpenSSH's ``signature`` over `registration_bytes` and its blob."""
    return _registered(organisation, signature.key, roles, blob)


def _registered(
    organisation: str, key: PublicKey, roles: Sequence[KeyRole], proof: bytes
) -> KeyEntry:
    entry = KeyEntry(
        organisation=organisation,
        key_id=key.key_id,
        public_key=key.line,
        roles=tuple(roles),
        proof=base64.b64encode(proof).decode(),
    )
    check_proof(entry, f"key of {organisation}")
    return entry


def check_proof(entry: KeyEntry, where: str) -> None:
    """`VerificationError` unless the key itself has signed organisation and roles of its entry."""
    if entry.proof is None:
        raise VerificationError(
            f"{where}: no proof of possession; its owner makes one with levelfield keys new"
        )
    try:
        proof = base64.b64decode(entry.proof, validate=True)
    except binascii.Error as error:
        raise VerificationError(f"{where}: its proof is not base64; register it again") from error
    message = registration_bytes(entry.organisation, entry.key, entry.roles)
    if len(proof) == _ED25519_BYTES:
        held = entry.key.verifies(proof, pre_authentication_encoding(PAYLOAD_TYPE, message))
    elif proof.startswith(MAGIC):
        signature = read_blob(proof, where)
        held = signature.key == entry.key and signature.holds(message)
    else:
        held = False
    if not held:
        raise VerificationError(
            f"{where}: its proof of possession does not hold: the key never signed this "
            "organisation and these roles; register it again"
        )


def admit(keyring: Keyring, entry: KeyEntry, from_index: int) -> Keyring:
    """The keyring with one more key, which counts from this place in the log.

    `LevelfieldError` if it holds the key already, or the proof of possession does not hold.
    """
    where = f"key {entry.key_id[:16]} of {entry.organisation}"
    check_proof(entry, where)
    if any(other.key.raw == entry.key.raw for other in keyring.keys):
        raise LevelfieldError(f"{where}: held already; one key, one entry, make another")
    fresh = entry.model_copy(
        update={"from_index": from_index, "to_index": None, "status": "active", "reason": ""}
    )
    return keyring.model_copy(update={"keys": (*keyring.keys, fresh)})


def close(
    keyring: Keyring, key_id: str, status: Literal["rotated", "revoked"], index: int, reason: str
) -> Keyring:
    """The keyring in which a key no longer counts from this place in the log.

    `LevelfieldError` for a key that is not there or closed already, or that would end before it
    began.
    """
    entry = find_key(keyring, key_id)
    where = f"key {entry.key_id[:16]} of {entry.organisation}"
    if entry.status != "active":
        raise LevelfieldError(f"{where}: {entry.status} already, at entry {entry.to_index}")
    if index < entry.from_index:
        raise LevelfieldError(f"{where}: counts from entry {entry.from_index}; end it after that")
    closed = entry.model_copy(update={"status": status, "to_index": index, "reason": reason})
    keys = tuple(closed if one is entry else one for one in keyring.keys)
    return keyring.model_copy(update={"keys": keys})


def rotate(keyring: Keyring, key_id: str, entry: KeyEntry, index: int) -> Keyring:
    """The keyring in which a new key of the same organisation stands for an old one from here on.

    `LevelfieldError` as `admit` and `close` have it, and for another organisation's key.
    """
    old = find_key(keyring, key_id)
    if entry.organisation != old.organisation:
        raise LevelfieldError(
            f"key {entry.key_id[:16]}: of {entry.organisation}, cannot stand for a key of "
            f"{old.organisation}; add it by itself"
        )
    closed = close(keyring, key_id, "rotated", index, "rotated")
    return admit(closed, entry.model_copy(update={"replaces": old.key_id}), index)


def find_key(keyring: Keyring, key_id: str) -> KeyEntry:
    """The entry whose id begins so; `LevelfieldError` unless there is exactly one."""
    found = [entry for entry in keyring.keys if key_id and entry.key_id.startswith(key_id)]
    if len(found) != 1:
        raise LevelfieldError(
            f"key {key_id[:64]!a}: {len(found)} keys of the keyring have an id that begins so; "
            "see levelfield keys list"
        )
    return found[0]


def write_keyring(path: Path, keyring: Keyring) -> None:
    """Write ``keyring.json``; a round's in canonical form, since root keys sign its bytes."""
    write_whole(path, canonical(keyring) if keyring.threshold else keyring.to_json().encode())


def allowed_signers(keyring: Keyring) -> str:
    """The active keys as OpenSSH's ``allowed_signers`` file, for signatures of our namespace.

    Places in a log are not dates, so no ``valid-after`` or ``valid-before`` is given.
    """
    lines = [
        f'{entry.organisation} namespaces="levelfield" {entry.key.line}\n'
        for entry in keyring.keys
        if entry.status == "active"
    ]
    return "".join(lines)
