import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from submissions.checkpoint import (
    ED25519,
    Checkpoint,
    cosign,
    cosigned_by,
    key_hash,
    read_note,
    sign_checkpoint,
    signed_by_log,
)
from submissions.envelope import VerificationError
from submissions.keys import KeyEntry, KeyRole, PublicKey

LOG, ALICE, BOB = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
CHECKPOINT = Checkpoint("levelfield.example/practice", 7, b"r" * 32)


def entry(key: Ed25519PrivateKey, organisation: str, role: KeyRole) -> KeyEntry:
    public = PublicKey.of(key)
    return KeyEntry(
        organisation=organisation, key_id=public.key_id, public_key=public.line, roles=(role,)
    )


KEEPER = entry(LOG, "keeper", "log")
WITNESSES = (entry(ALICE, "alice", "witness"), entry(BOB, "bob", "witness"))
NOTE = cosign(sign_checkpoint(CHECKPOINT, LOG), "alice", ALICE, 1_790_000_000)
DATA = NOTE.to_bytes()

# The example of C2SP tlog-cosignature; its keys are not published, its key ids are.
PUBLISHED = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501


def test_the_published_example_is_read_to_the_byte() -> None:
    note = read_note(PUBLISHED.encode(), "checkpoint")
    assert note.checkpoint.size == 20852163
    assert note.checkpoint.origin == "example.com/behind-the-sofa"
    log, witness = note.signatures
    assert log.key_hash.hex() == "033de0ae"
    assert int.from_bytes(witness.signature[:8], "big") == 1679315147
    assert note.to_bytes() == PUBLISHED.encode()


def test_the_note_that_the_go_project_publishes_verifies() -> None:
    """The key and the note in the documentation of golang.org/x/mod/sumdb/note."""
    name, number = "PeterNeumann", "c74f20a3"
    encoded = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    key = PublicKey.from_raw(base64.b64decode(encoded)[1:], "key")
    assert key_hash(name, ED25519, key).hex() == number
    text = (
        b"If you think cryptography is the answer to your problem,\n"
        b"then you don't know what your problem is.\n"
    )
    signature = base64.b64decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    assert signature[:4].hex() == number
    assert key.verifies(signature[4:], text)


def test_log_and_witness_are_recognised() -> None:
    note = read_note(DATA, "checkpoint")
    assert note == NOTE
    assert signed_by_log(note, [KEEPER], "checkpoint") == (KEEPER,)
    (found,) = cosigned_by(note, WITNESSES, "checkpoint")
    assert (found.entry.organisation, found.time_s) == ("alice", 1_790_000_000)


def test_a_signature_covers_type_name_and_text() -> None:
    # The log's key as a witness, and the witness's as a log: the types keep them apart.
    with pytest.raises(VerificationError, match="signed by no key"):
        signed_by_log(NOTE, [entry(ALICE, "alice", "log")], "checkpoint")
    assert cosigned_by(NOTE, [entry(LOG, CHECKPOINT.origin[:10], "witness")], "checkpoint") == ()
    assert cosigned_by(NOTE, [entry(ALICE, "mallory", "witness")], "checkpoint") == ()
    other = DATA.replace(b"\n7\n", b"\n8\n")
    with pytest.raises(VerificationError, match="bad signature: the key of keeper"):
        signed_by_log(read_note(other, "checkpoint"), [KEEPER], "checkpoint")
    with pytest.raises(VerificationError, match="bad cosignature: alice"):
        cosigned_by(read_note(other, "checkpoint"), WITNESSES, "checkpoint")


def test_a_witness_signs_the_time_too() -> None:
    line = NOTE.signatures[1]
    later = line.key_hash + (1_790_000_001).to_bytes(8, "big") + line.signature[8:]
    old = base64.b64encode(line.key_hash + line.signature)
    note = read_note(DATA.replace(old, base64.b64encode(later)), "checkpoint")
    with pytest.raises(VerificationError, match="bad cosignature: alice"):
        cosigned_by(note, WITNESSES, "checkpoint")


def test_cosigning_again_replaces() -> None:
    note = cosign(cosign(NOTE, "bob", BOB, 5), "alice", ALICE, 1_790_000_009)
    times = {found.entry.organisation: found.time_s for found in cosigned_by(note, WITNESSES, "x")}
    assert times == {"alice": 1_790_000_009, "bob": 5}
    assert len(note.signatures) == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\n7\n", b"\n07\n"),
        (b"\n7\n", b"\n-7\n"),
        (b"\n7\n", b"\n" + b"7" * 17 + b"\n"),
        (b"\n7\n", b"\n7\nextension\n"),
        (b"\n7\n", b"\r\n7\n"),
        ("— alice".encode(), b"- alice"),
        (b"\n\n", b"\n"),
        (b"practice\n", b"practice \n"),
        (b"\n\n", b"\n\n" + "— x AAAAAAA=\n".encode() * 64),
        (b"levelfield", b"\xff"),
    ],
)
def test_whatever_is_not_a_checkpoint_is_refused(old: bytes, new: bytes) -> None:
    assert old in DATA
    with pytest.raises(VerificationError, match="checkpoint"):
        read_note(DATA.replace(old, new, 1), "checkpoint")


def accept(data: bytes) -> None:
    note = read_note(data, "checkpoint")
    signed_by_log(note, [KEEPER], "checkpoint")
    if not cosigned_by(note, WITNESSES, "checkpoint"):
        # A changed name or key id is another, unknown key: the witness's word is gone.
        raise VerificationError("not witnessed")


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_no_byte_can_change(place: int, flip: int) -> None:
    altered = bytearray(DATA)
    altered[place] ^= flip
    with pytest.raises(VerificationError):
        accept(bytes(altered))
