"""A public key: Ed25519, in software or in a hardware token, in OpenSSH's form."""

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.errors import LevelfieldError
from submissions.curve import unsound
from submissions.ssh_wire import WireReader, string

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PLAIN = "ssh-ed25519"
TOKEN = "sk-ssh-ed25519@openssh.com"
"""The type of a key that a FIDO token holds (OpenSSH's PROTOCOL.u2f)."""


@dataclass(frozen=True)
class PublicKey:
    """A sound Ed25519 public key. Make one with `from_raw`, `from_line` or `from_blob`, which
    check it."""

    raw: bytes
    application: bytes | None = None
    """What a hardware token signs for, ``ssh:`` as a rule; none for a key in software."""

    @classmethod
    def from_raw(cls, raw: bytes, where: str, application: bytes | None = None) -> Self:
        """From its 32 bytes; `LevelfieldError` for small-order and non-canonical points."""
        reason = unsound(raw)
        if reason is not None:
            raise LevelfieldError(f"{where}: public key refused: {reason}; ask for another key")
        return cls(raw, application)

    @classmethod
    def from_line(cls, line: str, where: str) -> Self:
        """From OpenSSH's ``ssh-ed25519 AAAA… comment``; the comment is ignored."""
        parts = line.split(maxsplit=2)
        if len(parts) < 2 or parts[0] not in (PLAIN, TOKEN):
            raise LevelfieldError(f"{where}: not an {PLAIN} public key; make one with keygen")
        try:
            blob = base64.b64decode(parts[1], validate=True)
        except ValueError as error:
            raise LevelfieldError(f"{where}: not base64: {error}; copy the key again") from error
        key = cls.from_blob(blob, where)
        if key.kind != parts[0]:
            raise LevelfieldError(f"{where}: says {parts[0]}, holds {key.kind}; copy it again")
        return key

    @classmethod
    def from_blob(cls, blob: bytes, where: str) -> Self:
        """From the bytes within a line or a signature: type, key and, of a token, application."""
        fields = WireReader(blob, where)
        kind = fields.string()
        if kind not in (PLAIN.encode(), TOKEN.encode()):
            raise LevelfieldError(f"{where}: not an {PLAIN} public key; make one with keygen")
        raw = fields.string()
        application = fields.string() if kind == TOKEN.encode() else None
        fields.end()
        return cls.from_raw(raw, where, application)

    @classmethod
    def of(cls, private_key: "Ed25519PrivateKey") -> Self:
        """The public half of ``private_key``."""
        return cls.from_raw(private_key.public_key().public_bytes_raw(), "the private key")

    @property
    def kind(self) -> str:
        """OpenSSH's name of the key's type."""
        return PLAIN if self.application is None else TOKEN

    @property
    def key_id(self) -> str:
        """SHA-256 of the 32 bytes, in hex."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def blob(self) -> bytes:
        """What a line holds in base64."""
        application = b"" if self.application is None else string(self.application)
        return string(self.kind.encode()) + string(self.raw) + application

    @property
    def line(self) -> str:
        """OpenSSH's form without a comment."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` over ``message`` was made with this key's private half.

        Never for a token's key: a token signs no message as it is, see `submissions.sshsig`.
        """
        return self.application is None and self.signed(signature, message)

    def signed(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` is Ed25519's over ``message``, whatever holds the key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True
