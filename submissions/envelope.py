"""The DSSE envelope: what exactly a signature covers, and who can be shown to have made it."""

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING

import rfc8785

from harness.errors import LevelfieldError
from harness.records import Record
from submissions.keys import KeyEntry, PublicKey
from submissions.strict_json import read_record

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_SIGNATURES = 16


class VerificationError(LevelfieldError):
    """A signature, or what it covers, does not hold."""


class Signature(Record):
    """One signature of an envelope."""

    keyid: str = ""
    """A hint which key to try first, never more."""
    sig: str


class Envelope(Record):
    """A DSSE envelope as its JSON has it."""

    payload: str
    payloadType: str
    signatures: tuple[Signature, ...]


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What is signed: type and payload, each with its length (DSSE v1)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, private_key: "Ed25519PrivateKey") -> bytes:
    """An envelope around ``payload`` with one signature, as canonical JSON."""
    signature = private_key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    envelope = Envelope(
        payload=_encode(payload),
        payloadType=PAYLOAD_TYPE,
        signatures=(Signature(keyid=PublicKey.of(private_key).key_id, sig=_encode(signature)),),
    )
    return rfc8785.dumps(envelope.model_dump(mode="json"))


def add_signature(data: bytes, payload: bytes, private_key: "Ed25519PrivateKey") -> bytes | None:
    """The envelope ``data`` with one more signature; none if it is about another payload.

    A key that has signed already signs no second time.
    """
    envelope = _read_envelope(data, "the envelope")
    if envelope.payloadType != PAYLOAD_TYPE or envelope.payload != _encode(payload):
        return None
    added = _read_envelope(seal(payload, private_key), "the envelope").signatures
    kept = tuple(one for one in envelope.signatures if one not in added)
    whole = envelope.model_copy(update={"signatures": (*kept, *added)})
    return rfc8785.dumps(whole.model_dump(mode="json"))


def unseal(
    data: bytes, where: str, trusted: Sequence[KeyEntry]
) -> tuple[bytes, tuple[KeyEntry, ...]]:
    """The payload of an envelope, and whose keys signed it: each key once, in keyring order.

    `VerificationError` for another payload type, no signatures, or any signature that none of
    the ``trusted`` keys made.
    """
    envelope = _read_envelope(data, where)
    if envelope.payloadType != PAYLOAD_TYPE:
        raise VerificationError(
            f"{where}: its payload type is {envelope.payloadType[:80]!a}, not {PAYLOAD_TYPE}; "
            "it says something else, remove it"
        )
    if not 0 < len(envelope.signatures) <= MAX_SIGNATURES:
        raise VerificationError(
            f"{where}: {len(envelope.signatures)} signatures, expected 1 to {MAX_SIGNATURES}; "
            "sign again"
        )
    payload = _decode(envelope.payload, f"{where}: its payload")
    message = pre_authentication_encoding(PAYLOAD_TYPE, payload)
    made_by = [_signer(signature, message, where, trusted) for signature in envelope.signatures]
    return payload, tuple(entry for entry in trusted if entry in made_by)


def _read_envelope(data: bytes, where: str) -> Envelope:
    try:
        return read_record(Envelope, data, where)
    except LevelfieldError as error:
        raise VerificationError(str(error)) from error


def _signer(
    signature: Signature, message: bytes, where: str, trusted: Sequence[KeyEntry]
) -> KeyEntry:
    raw = _decode(signature.sig, f"{where}: its signature")
    hinted = [entry for entry in trusted if entry.key_id == signature.keyid]
    for entry in [*hinted, *(entry for entry in trusted if entry not in hinted)]:
        if entry.key.verifies(raw, message):
            return entry
    if hinted:
        raise VerificationError(
            f"{where}: bad signature: the key of {hinted[0].organisation} did not sign this; "
            "the statement was changed, or the wrong key is in the keyring"
        )
    raise VerificationError(
        f"{where}: signed by an unknown key ({signature.keyid[:16]!a}); "
        "add the organisation's key to your keyring if you trust it"
    )


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str, where: str) -> bytes:
    """Decode base64; only the one encoding that `_encode` makes is taken."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationError(f"{where} is not base64: {error}; sign again") from error
    if _encode(data) != text:
        raise VerificationError(f"{where} is not base64 in its canonical form; sign again")
    return data
