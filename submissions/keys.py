"""Keys: Ed25519 in OpenSSH's files, and the keyring that says whose key may do what."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError

from harness.errors import LevelfieldError, UsageError
from harness.records import Identifier, Record, Sha256
from submissions.public_key import PublicKey
from submissions.strict_json import read_record

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "KeyEntry",
    "KeyRole",
    "Keyring",
    "PublicKey",
    "Threshold",
    "add_to_keyring",
    "check_organisation",
    "generate",
    "load_private",
    "load_public",
]

KeyRole = Literal["submit", "review", "replicate", "witness", "log", "root"]
LogIndex = Annotated[int, Field(ge=0)]


def generate(path: Path, organisation: str) -> PublicKey:
    """Make a key pair: ``path`` (OpenSSH, mode 0600, no passphrase) and ``path.pub``.

    `LevelfieldError` if either file exists: a key is never overwritten.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    check_organisation(organisation)
    public_path = path.with_name(f"{path.name}.pub")
    for existing in (path, public_path):
        if os.path.lexists(existing):
            raise LevelfieldError(f"{existing}: exists already; keep it, or choose another --out")
    private_key = Ed25519PrivateKey.generate()
    secret = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    key = PublicKey.of(private_key)
    _write_new(path, secret, 0o600)
    _write_new(public_path, f"{key.line} {organisation}\n".encode(), 0o644)
    return key


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(data)
    except OSError as error:
        raise LevelfieldError(
            f"{path}: cannot be written: {error.strerror}; choose another place"
        ) from error


def load_private(path: Path) -> "Ed25519PrivateKey":
    """Read an OpenSSH private key file; `LevelfieldError` unless plain Ed25519."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    data = _read(path)
    try:
        key = load_ssh_private_key(data, password=None)
    except TypeError as error:
        raise LevelfieldError(
            f"{path}: protected by a passphrase; make a key without one with keygen"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise LevelfieldError(
            f"{path}: not an OpenSSH private key; make one with keygen"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise LevelfieldError(f"{path}: not an Ed25519 key; make one with keygen")
    return key


def load_public(path: Path) -> PublicKey:
    """Read a ``.pub`` file of one line; `LevelfieldError` if it holds no sound Ed25519 key."""
    return PublicKey.from_line(_read(path).decode("utf-8", "replace"), str(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LevelfieldError(
            f"{path}: cannot be read: {error.strerror}; name a key file, or make one with keygen"
        ) from error


class KeyEntry(Record):
    """One key of the keyring. Places in time are indices of the round's log."""

    organisation: Identifier
    key_id: Sha256
    public_key: str
    """OpenSSH's line without a comment."""
    roles: Annotated[tuple[KeyRole, ...], Field(min_length=1)]
    from_index: LogIndex = 0
    to_index: LogIndex | None = None
    """The first place at which the key no longer counts; none while it does."""
    status: Literal["active", "rotated", "revoked"] = "active"
    reason: Annotated[str, Field(max_length=500)] = ""
    """Why it no longer counts, as the keyring's keeper put it."""
    replaces: Sha256 | None = None
    """Key id of the same organisation's key that this one came after."""
    proof: Annotated[str, Field(max_length=2000)] | None = None
    """Base64 of what the key itself signed on its registration; none in a keyring of one's own."""

    @property
    def key(self) -> PublicKey:
        """The key itself."""
        return PublicKey.from_line(self.public_key, f"key of {self.organisation}")

    def counts_at(self, index: int) -> bool:
        """Whether the key was valid at this place of the round's log."""
        return self.from_index <= index and (self.to_index is None or index < self.to_index)


class Threshold(Record):
    """How many of which keys must sign the keyring itself."""

    roots: Annotated[tuple[Sha256, ...], Field(min_length=1)]
    """Key ids, each with the role *root*."""
    threshold: Annotated[int, Field(ge=1)]


class Keyring(Record):
    """Whose keys count, and for what. Algorithm and role come from here, never from a message."""

    record: Literal["levelfield/keyring/v1"] = Field(
        default="levelfield/keyring/v1", alias="schema"
    )
    keys: tuple[KeyEntry, ...] = ()
    threshold: Threshold | None = None
    """None in a keyring of one's own, which nobody signs."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read ``keyring.json``; `LevelfieldError` as `from_bytes` has it."""
        return cls.from_bytes(_read(path), str(path))

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> Self:
        """Read a keyring; `LevelfieldError` for a bad key, one held by two entries, or a life of a
        key that cannot be: closed and active, ending before it begins, after another's key."""
        keyring = read_record(cls, data, where)
        held: set[bytes] = set()
        by_id = {entry.key_id: entry for entry in keyring.keys}
        for entry in keyring.keys:
            place = f"{where}: key of {entry.organisation}"
            key = PublicKey.from_line(entry.public_key, place)
            if key.key_id != entry.key_id:
                raise LevelfieldError(f"{place}: key_id is not the key's SHA-256; mend the entry")
            if key.raw in held:
                raise LevelfieldError(f"{place}: another entry holds this key; remove one")
            held.add(key.raw)
            _check_life(entry, by_id, place)
        return keyring

    def at(self, index: int) -> tuple[KeyEntry, ...]:
        """The entries that were valid at this place of the round's log."""
        return tuple(entry for entry in self.keys if entry.counts_at(index))

    def find(self, key_id: str) -> KeyEntry | None:
        """The entry of the key with this id."""
        return next((entry for entry in self.keys if entry.key_id == key_id), None)


def _check_life(entry: KeyEntry, by_id: Mapping[str, KeyEntry], where: str) -> None:
    if (entry.status == "active") != (entry.to_index is None):
        raise LevelfieldError(f"{where}: {entry.status} with to_index {entry.to_index}; mend it")
    if entry.to_index is not None and entry.to_index < entry.from_index:
        raise LevelfieldError(f"{where}: ends before it begins; mend from_index and to_index")
    if entry.replaces is not None:
        before = by_id.get(entry.replaces)
        if before is None or before.organisation != entry.organisation or before is entry:
            raise LevelfieldError(f"{where}: replaces no key of {entry.organisation}; mend it")


def add_to_keyring(
    path: Path, organisation: str, public_key: PublicKey, roles: Sequence[KeyRole]
) -> Keyring:
    """Add a key to the keyring at ``path``, making it if need be; the same entry twice is one.

    `LevelfieldError` if another entry holds the key; `UsageError` for a bad organisation.
    """
    check_organisation(organisation)
    keyring = Keyring.read(path) if path.exists() else Keyring()
    entry = KeyEntry(
        organisation=organisation,
        key_id=public_key.key_id,
        public_key=public_key.line,
        roles=tuple(roles),
    )
    if entry in keyring.keys:
        return keyring
    for other in keyring.keys:
        if other.key_id == entry.key_id:
            raise LevelfieldError(
                f"{path}: this key is already held by {other.organisation} "
                f"({', '.join(other.roles)}); one key, one entry"
            )
    keyring = keyring.model_copy(update={"keys": (*keyring.keys, entry)})
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    _write_new(draft, keyring.to_json().encode(), 0o644)
    draft.replace(path)
    return keyring


def check_organisation(organisation: str) -> None:
    """Refuse with `UsageError` what cannot name an organisation or a submitter."""
    try:
        TypeAdapter(Identifier).validate_python(organisation, strict=True)
    except ValidationError as error:
        raise UsageError(
            f"organisation {organisation[:80]!a}: not an identifier; use a-z 0-9 . _ -, "
            "beginning with a letter or a digit, 64 characters at most"
        ) from error
