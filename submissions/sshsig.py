"""SSHSIG: signatures by OpenSSH, so that its keys, agents and hardware tokens can vouch.

The format is OpenSSH's PROTOCOL.sshsig; tokens sign as its PROTOCOL.u2f says.
"""

import base64
import binascii
import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LevelfieldError
from submissions.envelope import VerificationError
from submissions.keys import KeyEntry
from submissions.public_key import TOKEN, PublicKey
from submissions.ssh_wire import WireReader, string

NAMESPACE = "levelfield"
MAX_BYTES = 4096
MAGIC = b"SSHSIG"

_HEAD = b"-----BEGIN SSH SIGNATURE-----\n"
_FOOT = b"\n-----END SSH SIGNATURE-----\n"
_VERSION = 1
_PRESENT, _VERIFIED = 0x01, 0x04


@dataclass(frozen=True)
class SshSignature:
    """What an SSHSIG blob holds; that it verifies is not said yet."""

    key: PublicKey
    reserved: bytes
    hash_name: str
    """``sha256`` or ``sha512``, of the message."""
    signature: bytes
    flags: int = 0
    """Of a token: whether its owner was present (1) and told by PIN or finger (4)."""
    counter: int = 0
    """Of a token: how often it has signed."""

    def holds(self, message: bytes) -> bool:
        """Whether the key made it over ``message``, for our namespace."""
        signed = signed_bytes(message, self.hash_name, self.reserved)
        if self.key.application is None:
            return self.key.signed(self.signature, signed)
        return self.key.signed(
            self.signature,
            hashlib.sha256(self.key.application).digest()
            + bytes([self.flags])
            + self.counter.to_bytes(4, "big")
            + hashlib.sha256(signed).digest(),
        )


def signed_bytes(message: bytes, hash_name: str, reserved: bytes = b"") -> bytes:
    """What the key signs in place of ``message`` (PROTOCOL.sshsig, section 3)."""
    digest = hashlib.new(hash_name, message).digest()
    fields = (NAMESPACE.encode(), reserved, hash_name.encode(), digest)
    return MAGIC + b"".join(map(string, fields))


def armour(blob: bytes) -> bytes:
    """The blob as ``ssh-keygen`` writes it into a file."""
    text = base64.b64encode(blob)
    return _HEAD + b"\n".join(text[at : at + 70] for at in range(0, len(text), 70)) + _FOOT


def unarmour(data: bytes, where: str) -> bytes:
    """The blob within the armour; `VerificationError` if it is not as `armour` writes it.

    One form only, lines of 70 characters, so that nobody can make a second file of the same
    signature.
    """
    if len(data) > MAX_BYTES or not (data.startswith(_HEAD) and data.endswith(_FOOT)):
        raise VerificationError(f"{where}: not an armoured SSH signature; sign again")
    try:
        blob = base64.b64decode(data[len(_HEAD) : -len(_FOOT)].replace(b"\n", b""), validate=True)
    except binascii.Error as error:
        raise VerificationError(f"{where}: not base64: {error}; sign again") from error
    if armour(blob) != data:
        raise VerificationError(f"{where}: not armoured as ssh-keygen does; sign again")
    return blob


def read_armoured(data: bytes, where: str) -> SshSignature:
    """Read an armoured signature; `VerificationError` as `unarmour` and `read_blob` have it."""
    return read_blob(unarmour(data, where), where)


def read_blob(blob: bytes, where: str) -> SshSignature:
    """Read the bytes within the armour.

    `VerificationError` for another version, another namespace, a hash other than sha256 and
    sha512, a key that is not Ed25519 or is weak, a signature of another type than its key, and a
    token whose owner was not present.
    """
    try:
        return _read_blob(WireReader(blob, where), where)
    except VerificationError:
        raise
    except LevelfieldError as error:
        raise VerificationError(str(error)) from error


def _read_blob(fields: WireReader, where: str) -> SshSignature:
    if fields.take(len(MAGIC)) != MAGIC or fields.number() != _VERSION:
        raise VerificationError(f"{where}: not an SSH signature of version 1; sign again")
    key = PublicKey.from_blob(fields.string(), where)
    namespace, reserved = fields.string(), fields.string()
    if namespace != NAMESPACE.encode():
        raise VerificationError(
            f"{where}: made for the namespace {namespace[:40].decode('latin-1')!a}, not "
            f"{NAMESPACE}; it was not meant for this, sign again with -n {NAMESPACE}"
        )
    hash_name = fields.string()
    if hash_name not in (b"sha256", b"sha512"):
        raise VerificationError(f"{where}: its hash is neither sha256 nor sha512; sign again")
    signature, flags, counter = _read_signature(fields.string(), key, where)
    fields.end()
    return SshSignature(key, reserved, hash_name.decode(), signature, flags, counter)


def _read_signature(data: bytes, key: PublicKey, where: str) -> tuple[bytes, int, int]:
    fields = WireReader(data, where)
    if fields.string() != key.kind.encode():
        raise VerificationError(f"{where}: its signature is of another type than its key; refused")
    signature = fields.string()
    if key.kind != TOKEN:
        fields.end()
        return signature, 0, 0
    flags, counter = fields.take(1)[0], fields.number()
    fields.end()
    if not flags & _PRESENT:
        raise VerificationError(
            f"{where}: the token's owner was not present; sign again and touch the token"
        )
    # Any other flag would mean more signed fields, which OpenSSH's tokens do not send.
    if flags & ~(_PRESENT | _VERIFIED):
        raise VerificationError(f"{where}: the token's flags are {flags:#04x}; refused")
    return signature, flags, counter


def verify_ssh(
    signature: SshSignature, message: bytes, where: str, trusted: Sequence[KeyEntry]
) -> KeyEntry:
    """Whose key signed ``message``; `VerificationError` if no trusted key did.

    The key within the signature is a hint: type and owner are those of the keyring.
    """
    for entry in trusted:
        if entry.key == signature.key:
            if signature.holds(message):
                return entry
            raise VerificationError(
                f"{where}: bad signature: the key of {entry.organisation} did not sign this; "
                "the statement was changed"
            )
    raise VerificationError(
        f"{where}: signed by an unknown key ({signature.key.key_id[:16]!a}); "
        "add the organisation's key to your keyring if you trust it"
    )


def ask_ssh_keygen(message: bytes, key_file: Path) -> bytes:
    """Let ``ssh-keygen -Y sign`` sign; return the armoured signature.

    ``key_file`` is a private key, or a public one whose private half an agent or a token holds.
    It asks for a passphrase, a PIN or a touch itself. `LevelfieldError` if it is not there or
    does not sign, or if the key is of another kind than Ed25519.
    """
    command = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key_file)]
    try:
        done = subprocess.run(command, input=message, stdout=subprocess.PIPE, check=False)
    except OSError as error:
        raise LevelfieldError(
            f"ssh-keygen: cannot be run: {error.strerror}; install OpenSSH, or sign with --key"
        ) from error
    if done.returncode != 0:
        raise LevelfieldError(
            f"{key_file}: ssh-keygen did not sign (exit code {done.returncode}); see what it says"
        )
    signature = read_armoured(done.stdout, str(key_file))
    if not signature.holds(message):
        raise LevelfieldError(f"{key_file}: what ssh-keygen signed does not verify; sign again")
    return done.stdout
