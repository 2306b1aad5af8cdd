import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssh_signatures import PLAIN_KEY, TOKEN_KEY, blob, signature

from harness.errors import LevelfieldError
from submissions.envelope import VerificationError
from submissions.keys import KeyEntry, PublicKey, generate, load_public
from submissions.sshsig import (
    armour,
    ask_ssh_keygen,
    read_armoured,
    read_blob,
    signed_bytes,
    verify_ssh,
)

SSH_KEYGEN = shutil.which("ssh-keygen")
needs_ssh_keygen = pytest.mark.skipif(SSH_KEYGEN is None, reason="no ssh-keygen")
MESSAGE = b'{"a statement":1}'


def entry(key: PublicKey, organisation: str = "acme") -> KeyEntry:
    return KeyEntry(
        organisation=organisation, key_id=key.key_id, public_key=key.line, roles=("submit",)
    )


def stock_verifies(folder: Path, armoured: bytes, key: PublicKey, message: bytes = MESSAGE) -> bool:
    """What OpenSSH itself says."""
    (folder / "signers").write_text(f'acme namespaces="levelfield" {key.line}\n')
    (folder / "sig").write_bytes(armoured)
    command = [str(SSH_KEYGEN), "-Y", "verify", "-n", "levelfield", "-I", "acme"]
    paths = ["-f", str(folder / "signers"), "-s", str(folder / "sig")]
    done = subprocess.run([*command, *paths], input=message, capture_output=True, check=False)
    return done.returncode == 0


@needs_ssh_keygen
def test_a_signature_of_ssh_keygen_verifies_here(tmp_path: Path) -> None:
    key = generate(tmp_path / "id", "acme")
    armoured = ask_ssh_keygen(MESSAGE, tmp_path / "id")
    read = read_armoured(armoured, "sig")
    assert verify_ssh(read, MESSAGE, "sig", [entry(key)]).organisation == "acme"
    assert (read.hash_name, read.key) == ("sha512", load_public(tmp_path / "id.pub"))
    assert stock_verifies(tmp_path, armoured, key)


@needs_ssh_keygen
@pytest.mark.parametrize("key", [PLAIN_KEY, TOKEN_KEY], ids=["software", "token"])
@pytest.mark.parametrize("hash_name", [b"sha256", b"sha512"])
def test_what_verifies_here_verifies_with_ssh_keygen(
    tmp_path: Path, key: PublicKey, hash_name: bytes
) -> None:
    armoured = armour(blob(MESSAGE, key, hash_name=hash_name))
    assert verify_ssh(read_armoured(armoured, "sig"), MESSAGE, "sig", [entry(key)])
    assert stock_verifies(tmp_path, armoured, key)
    assert not read_armoured(armoured, "sig").holds(MESSAGE + b" ")
    assert not stock_verifies(tmp_path, armoured, key, MESSAGE + b" ")


def test_a_token_tells_presence_and_counter() -> None:
    read = read_blob(blob(MESSAGE, TOKEN_KEY), "sig")
    assert (read.flags, read.counter) == (1, 5)


def token_blob(flags: int, told: int) -> bytes:
    """A token's signature that was made with ``flags`` and says ``told``."""
    made = signature(signed_bytes(MESSAGE, "sha512"), TOKEN_KEY, flags)
    return blob(MESSAGE, TOKEN_KEY, signature=made[:-5] + bytes([told]) + made[-4:])


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (b"", "cut short"),
        (b"SSHSIG", "cut short"),
        (blob(MESSAGE)[:-1], "cut short"),
        (blob(MESSAGE, rest=b"x"), "1 bytes too many"),
        (blob(MESSAGE, version=b"\0\0\0\2"), "version 1"),
        (blob(MESSAGE, namespace=b"file"), "made for the namespace 'file'"),
        (blob(MESSAGE, hash_name=b"md5"), "neither sha256 nor sha512"),
        (blob(MESSAGE, public=b"\0\0\0\7ssh-rsa"), "not an ssh-ed25519"),
        (blob(MESSAGE, PublicKey(bytes(32))), "small order"),
        (blob(MESSAGE, signature=signature(b"", TOKEN_KEY)), "another type than its key"),
        (token_blob(0, 0), "not present"),
        (token_blob(0x41, 0x41), "flags are 0x41"),
    ],
)
def test_a_doubtful_signature_is_refused_by_name(spoilt: bytes, reason: str) -> None:
    with pytest.raises(VerificationError, match=reason):
        read_blob(spoilt, "sig")


def test_presence_cannot_be_claimed_afterwards() -> None:
    assert read_blob(token_blob(1, 1), "sig").holds(MESSAGE)
    assert not read_blob(token_blob(0, 1), "sig").holds(MESSAGE)


def test_one_signature_has_one_armour() -> None:
    good = armour(blob(MESSAGE))
    for spoilt in (
        good[:-1],
        b"\n" + good,
        good.replace(b"\n", b"\r\n"),
        good.replace(b"\n", b"\n\n", 1),
    ):
        with pytest.raises(VerificationError, match=r"armoured|base64"):
            read_armoured(spoilt, "sig")


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for text in (data, b"SSHSIG\0\0\0\1" + data):
        with pytest.raises(VerificationError):
            read_blob(text, "sig")
        with pytest.raises(VerificationError):
            read_armoured(armour(text), "sig")


@given(st.integers(0, 10_000), st.integers(1, 255), st.sampled_from([PLAIN_KEY, TOKEN_KEY]))
def test_no_changed_byte_verifies(at: int, change: int, key: PublicKey) -> None:
    spoilt = bytearray(armour(blob(MESSAGE, key)))
    spoilt[at % len(spoilt)] ^= change
    with pytest.raises(VerificationError):
        verify_ssh(read_armoured(bytes(spoilt), "sig"), MESSAGE, "sig", [entry(key)])


def test_another_message_and_another_key_are_refused_by_name() -> None:
    read = read_blob(blob(MESSAGE), "sig")
    with pytest.raises(VerificationError, match="bad signature: the key of acme"):
        verify_ssh(read, b"another", "sig", [entry(PLAIN_KEY)])
    with pytest.raises(VerificationError, match="unknown key"):
        verify_ssh(read, MESSAGE, "sig", [])


def test_a_token_does_not_stand_for_a_key_in_software() -> None:
    """The same curve point under another type is another key: algorithms are not to be mixed."""
    with pytest.raises(VerificationError, match="unknown key"):
        verify_ssh(read_blob(blob(MESSAGE), "sig"), MESSAGE, "sig", [entry(TOKEN_KEY)])
    plain = blob(MESSAGE)
    assert PLAIN_KEY.verifies(read_blob(plain, "s").signature, signed_bytes(MESSAGE, "sha512"))
    assert not TOKEN_KEY.verifies(read_blob(plain, "s").signature, signed_bytes(MESSAGE, "sha512"))


@needs_ssh_keygen
def test_a_key_that_cannot_sign_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(LevelfieldError, match="ssh-keygen did not sign"):
        ask_ssh_keygen(MESSAGE, tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LevelfieldError, match="install OpenSSH"):
        ask_ssh_keygen(MESSAGE, tmp_path / "none")
