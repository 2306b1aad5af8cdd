"""Checkpoints: a log's size and root as a signed note, with the cosignatures of witnesses.

C2SP signed-note (Ed25519, type 0x01), tlog-checkpoint, tlog-cosignature (Ed25519, type 0x04).
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from submissions.envelope import VerificationError
from submissions.keys import KeyEntry, PublicKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_NOTE_BYTES = 2**16
MAX_SIGNATURES = 64

ED25519 = b"\x01"
COSIGNATURE = b"\x04"
_BODY = re.compile(r"([!-*,-~]{1,128})\n(0|[1-9][0-9]{0,14})\n([A-Za-z0-9+/]{43}=)\n")
_SIGNATURE = re.compile("— ([!-*,-~]{1,128}) ([A-Za-z0-9+/]{2,200}={0,2})")
_DASH = "—"  # U+2014, as signed-note has it


@dataclass(frozen=True)
class Checkpoint:
    """A log at one moment."""

    origin: str
    size: int
    root: bytes

    def body(self) -> bytes:
        """The text that is signed: origin, size and root, a line each (tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


@dataclass(frozen=True)
class NoteSignature:
    """One signature line, of a key that may or may not be known."""

    name: str
    key_hash: bytes
    """4 bytes."""
    signature: bytes

    def line(self) -> str:
        """As it stands under a note."""
        return f"{_DASH} {self.name} {base64.b64encode(self.key_hash + self.signature).decode()}\n"


@dataclass(frozen=True)
class Cosignature:
    """That a witness saw a checkpoint, consistent with all that it saw before."""

    entry: KeyEntry
    time_s: int
    """By the witness's clock, since 1970."""


@dataclass(frozen=True)
class Note:
    """A checkpoint and what is signed under it; the signatures have not been verified."""

    checkpoint: Checkpoint
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        """The note as a file."""
        lines = "".join(signature.line() for signature in self.signatures)
        return self.checkpoint.body() + f"\n{lines}".encode()


def read_note(data: bytes, where: str) -> Note:
    """Read a checkpoint; `VerificationError` unless it is one, byte for byte as it is written."""
    if len(data) > MAX_NOTE_BYTES:
        _refuse(where, f"larger than {MAX_NOTE_BYTES} bytes")
    text = data.decode("utf-8", "replace")
    body, gap, rest = text.partition("\n\n")
    found = _BODY.fullmatch(f"{body}\n")
    lines = rest.splitlines()
    if found is None or not gap or not 0 < len(lines) <= MAX_SIGNATURES:
        _refuse(where, "not a checkpoint: origin, size, root and signatures")
    origin, size, root = found.groups()
    checkpoint = Checkpoint(origin, int(size), base64.b64decode(root))
    note = Note(checkpoint, tuple(_read_signature(line, where) for line in lines))
    if note.to_bytes() != data:
        _refuse(where, "not in the one form that a checkpoint has")
    return note


def _read_signature(line: str, where: str) -> NoteSignature:
    found = _SIGNATURE.fullmatch(line)
    try:
        raw = base64.b64decode(found[2], validate=True) if found else b""
    except ValueError:
        raw = b""
    if found is None or len(raw) < 5:
        _refuse(where, f"{line[:60]!a} is no signature line")
    return NoteSignature(found[1], raw[:4], raw[4:])


def sign_checkpoint(checkpoint: Checkpoint, key: "Ed25519PrivateKey") -> Note:
    """The checkpoint, signed by the log under its origin as the key's name."""
    hashed = key_hash(checkpoint.origin, ED25519, PublicKey.of(key))
    signature = key.sign(checkpoint.body())
    return Note(checkpoint, (NoteSignature(checkpoint.origin, hashed, signature),))


def cosign(note: Note, name: str, key: "Ed25519PrivateKey", time_s: int) -> Note:
    """The note with the cosignature of witness ``name``, in place of an earlier one of its.

    `VerificationError` if there is no room for another.
    """
    hashed = key_hash(name, COSIGNATURE, PublicKey.of(key))
    signature = key.sign(_cosigned(note.checkpoint, time_s))
    own = NoteSignature(name, hashed, time_s.to_bytes(8, "big") + signature)
    others = [s for s in note.signatures if (s.name, s.key_hash) != (name, hashed)]
    if len(others) >= MAX_SIGNATURES:
        _refuse("the checkpoint", f"already has {MAX_SIGNATURES} signatures")
    return replace(note, signatures=(*others, own))


def signed_by_log(note: Note, trusted: Sequence[KeyEntry], where: str) -> tuple[KeyEntry, ...]:
    """Whose keys signed the checkpoint as the log's.

    `VerificationError` if none of ``trusted`` did, or a signature of one of them does not hold;
    signatures of unknown keys are passed over (signed-note, "Signatures").
    """
    origin, found = note.checkpoint.origin, list[KeyEntry]()
    for entry in trusted:
        key = entry.key
        for signature in _of(note, origin, ED25519, key):
            if not key.verifies(signature, note.checkpoint.body()):
                _refuse(where, f"bad signature: the key of {entry.organisation} did not sign this")
            found.append(entry)
    if not found:
        _refuse(where, "signed by no key that the keyring gives the role log or root")
    return tuple(found)


def cosigned_by(note: Note, trusted: Sequence[KeyEntry], where: str) -> tuple[Cosignature, ...]:
    """Which of the ``trusted`` witnesses, each named as its organisation, cosigned, and when.

    `VerificationError` for a cosignature of one of them that does not hold.
    """
    found = list[Cosignature]()
    for entry in trusted:
        key = entry.key
        for data in _of(note, entry.organisation, COSIGNATURE, key):
            time_s = int.from_bytes(data[:8], "big")
            if time_s >= 2**63 or not key.verifies(data[8:], _cosigned(note.checkpoint, time_s)):
                _refuse(where, f"bad cosignature: {entry.organisation} did not witness this")
            found.append(Cosignature(entry, time_s))
    return tuple(found)


def _of(note: Note, name: str, kind: bytes, key: PublicKey) -> list[bytes]:
    hashed = key_hash(name, kind, key)
    return [s.signature for s in note.signatures if (s.name, s.key_hash) == (name, hashed)]


def key_hash(name: str, kind: bytes, key: PublicKey) -> bytes:
    """4 bytes: which key of which name, and of which type (signed-note, "Signatures")."""
    return hashlib.sha256(name.encode() + b"\n" + kind + key.raw).digest()[:4]


def _cosigned(checkpoint: Checkpoint, time_s: int) -> bytes:
    """What a witness signs (tlog-cosignature, "Ed25519 signed message")."""
    return b"cosignature/v1\ntime %d\n" % time_s + checkpoint.body()


def _refuse(where: str, reason: str) -> NoReturn:
    raise VerificationError(f"{where}: {reason}; copy the log again, or do not trust it")
