"""SSHSIG made by hand: as a token makes it, or with any field wrong."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from submissions.public_key import PublicKey
from submissions.ssh_wire import string
from submissions.sshsig import MAGIC, signed_bytes

KEY = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
PLAIN_KEY = PublicKey.of(KEY)
TOKEN_KEY = PublicKey(PLAIN_KEY.raw, b"ssh:")


def blob(message: bytes, key: PublicKey = PLAIN_KEY, **changes: bytes) -> bytes:
    """A signature over ``message``; ``changes`` replace fields after signing."""
    hash_name = changes.get("hash_name", b"sha512")
    known = hash_name.decode() if hash_name in (b"sha256", b"sha512") else "sha512"
    fields = {
        "version": (1).to_bytes(4, "big"),
        "public": key.blob,
        "namespace": b"levelfield",
        "reserved": b"",
        "hash_name": hash_name,
        "signature": signature(signed_bytes(message, known), key),
        "rest": b"",
    } | changes
    middle = ("public", "namespace", "reserved", "hash_name", "signature")
    strings = b"".join(string(fields[name]) for name in middle)
    return MAGIC + fields["version"] + strings + fields["rest"]


def signature(signed: bytes, key: PublicKey = PLAIN_KEY, flags: int = 1, counter: int = 5) -> bytes:
    """The innermost field, as software or a token would write it."""
    kind = string(key.kind.encode())
    if key.application is None:
        return kind + string(KEY.sign(signed))
    told = bytes([flags]) + counter.to_bytes(4, "big")
    whole = hashlib.sha256(key.application).digest() + told + hashlib.sha256(signed).digest()
    return kind + string(KEY.sign(whole)) + told
