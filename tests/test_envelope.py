import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as ReferenceEnvelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from submissions.envelope import (
    PAYLOAD_TYPE,
    VerificationError,
    pre_authentication_encoding,
    seal,
    unseal,
)
from submissions.keys import KeyEntry, PublicKey

ALICE, BOB = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
PAYLOAD = b'{"a": 1}'


def entry(private_key: Ed25519PrivateKey, organisation: str) -> KeyEntry:
    key = PublicKey.of(private_key)
    return KeyEntry(
        organisation=organisation, key_id=key.key_id, public_key=key.line, roles=("submit",)
    )


TRUSTED = (entry(ALICE, "alice"), entry(BOB, "bob"))


def test_the_encoding_is_that_of_the_specification() -> None:
    # The example of the DSSE protocol's own text.
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(st.text(max_size=20), st.binary(max_size=40))
def test_the_encoding_is_that_of_the_reference_library(kind: str, payload: bytes) -> None:
    reference = ReferenceEnvelope(payload, kind, {}).pae()
    assert pre_authentication_encoding(kind, payload) == reference


def test_the_reference_library_verifies_our_envelope() -> None:
    envelope = ReferenceEnvelope.from_dict(json.loads(seal(PAYLOAD, ALICE)))
    key = PublicKey.of(ALICE)
    public = SSlibKey.from_crypto(ALICE.public_key(), key.key_id)
    assert envelope.payload == PAYLOAD
    assert list(envelope.verify([public], 1)) == [key.key_id]


def test_we_verify_the_reference_librarys_envelope() -> None:
    envelope = ReferenceEnvelope(PAYLOAD, PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(ALICE))
    data = json.dumps(envelope.to_dict()).encode()
    # Its keyid is made in another way: a hint only.
    assert unseal(data, "x", TRUSTED) == (PAYLOAD, TRUSTED[:1])


def test_signing_twice_gives_the_same_bytes() -> None:
    assert seal(PAYLOAD, ALICE) == seal(PAYLOAD, ALICE)


Fields = dict[str, Any]


def signed_by(*private_keys: Ed25519PrivateKey) -> list[Fields]:
    return [json.loads(seal(PAYLOAD, key))["signatures"][0] for key in private_keys]


def test_distinct_keys_are_counted_not_signatures_or_names() -> None:
    fields = json.loads(seal(PAYLOAD, ALICE))
    again = signed_by(ALICE)[0] | {"keyid": "another name"}
    fields["signatures"] = [*signed_by(BOB, ALICE), again]
    assert unseal(json.dumps(fields).encode(), "x", TRUSTED)[1] == TRUSTED


def test_the_keyid_is_a_hint_only() -> None:
    fields = json.loads(seal(PAYLOAD, ALICE))
    fields["signatures"][0]["keyid"] = TRUSTED[1].key_id
    assert unseal(json.dumps(fields).encode(), "x", TRUSTED)[1] == TRUSTED[:1]
    del fields["signatures"][0]["keyid"]
    assert unseal(json.dumps(fields).encode(), "x", TRUSTED)[1] == TRUSTED[:1]


BROKEN: dict[str, tuple[Callable[[Fields], Fields], str]] = {
    "payload type": (lambda f: f | {"payloadType": "text/plain"}, "payload type is 'text/plain'"),
    "payload": (lambda f: f | {"payload": base64.b64encode(b"{}").decode()}, "bad signature"),
    "base64": (lambda f: f | {"payload": "e y"}, "not base64"),
    "url-safe base64": (lambda f: f | {"payload": "-_-_"}, "not base64"),
    "loose base64": (lambda f: f | {"payload": "eyJ="}, "canonical form"),
    "no signatures": (lambda f: f | {"signatures": []}, "0 signatures"),
    "many signatures": (lambda f: f | {"signatures": signed_by(ALICE) * 17}, "17 signatures"),
    "stranger": (
        lambda f: f | {"signatures": signed_by(Ed25519PrivateKey.generate())},
        "unknown key",
    ),
    "one of two": (
        lambda f: f | {"signatures": signed_by(ALICE, Ed25519PrivateKey.generate())},
        "unknown key",
    ),
    "short signature": (lambda f: f | {"signatures": [{"keyid": "", "sig": "AA=="}]}, "unknown"),
    "algorithm": (lambda f: f | {"algorithm": "none"}, "algorithm"),
    "missing": (lambda f: {k: v for k, v in f.items() if k != "payloadType"}, "payloadType"),
}


@pytest.mark.parametrize(("spoil", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_envelope_is_refused_by_name(
    spoil: Callable[[Fields], Fields], reason: str
) -> None:
    fields = spoil(json.loads(seal(PAYLOAD, ALICE)))
    with pytest.raises(VerificationError, match=reason):
        unseal(json.dumps(fields).encode(), "x", TRUSTED)


def test_doubtful_json_is_refused() -> None:
    data = seal(PAYLOAD, ALICE).replace(b'{"payload"', b'{"payload":"","payload"')
    with pytest.raises(VerificationError, match="duplicate key"):
        unseal(data, "x", TRUSTED)
