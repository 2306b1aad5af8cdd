import json
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.errors import LevelfieldError, UsageError
from submissions.keys import (
    Keyring,
    PublicKey,
    add_to_keyring,
    check_organisation,
    generate,
    load_private,
    load_public,
)

SSH_KEYGEN = shutil.which("ssh-keygen")


def key(number: int) -> PublicKey:
    return PublicKey.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


def test_a_generated_key_signs_and_its_public_half_verifies(tmp_path: Path) -> None:
    made = generate(tmp_path / "folder/id", "acme")
    signature = load_private(tmp_path / "folder/id").sign(b"text")
    read = load_public(tmp_path / "folder/id.pub")
    assert read == made
    assert read.verifies(signature, b"text")
    assert not read.verifies(signature, b"Text")
    assert not read.verifies(signature[:-1], b"text")


def test_the_private_key_is_for_its_owner_only(tmp_path: Path) -> None:
    generate(tmp_path / "id", "acme")
    assert stat.S_IMODE((tmp_path / "id").stat().st_mode) == 0o600
    assert (tmp_path / "id.pub").read_text().endswith(" acme\n")


@pytest.mark.parametrize("existing", ["id", "id.pub"])
def test_a_key_is_never_overwritten(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_text("mine")
    with pytest.raises(LevelfieldError, match="exists already"):
        generate(tmp_path / "id", "acme")
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "mine"


def test_the_key_id_is_the_digest_of_the_raw_key() -> None:
    # RFC 8032, section 7.1, test 1.
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = PublicKey.of(Ed25519PrivateKey.from_private_bytes(seed))
    assert public.raw.hex().startswith("d75a980182b10ab7d54bfed3c964073a")
    assert public.key_id.startswith("21fe31dfa154a261")


def private_bytes(private_key: object) -> bytes:
    assert hasattr(private_key, "private_bytes")
    data: bytes = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    return data


def test_other_private_keys_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "id"
    path.write_bytes(private_bytes(generate_private_key(SECP256R1())))
    with pytest.raises(LevelfieldError, match="not an Ed25519 key"):
        load_private(path)
    path.write_bytes(b"-----BEGIN nothing")
    with pytest.raises(LevelfieldError, match="not an OpenSSH private key"):
        load_private(path)
    with pytest.raises(LevelfieldError, match="No such file"):
        load_private(tmp_path / "none")


@pytest.mark.skipif(SSH_KEYGEN is None, reason="no ssh-keygen")
@pytest.mark.parametrize(("passphrase", "reason"), [("", None), ("secret", "a passphrase")])
def test_keys_of_openssh_load(tmp_path: Path, passphrase: str, reason: str | None) -> None:
    path = tmp_path / "id_ed25519"
    command = [str(SSH_KEYGEN), "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
    subprocess.run([*command, "-C", "a comment"], check=True)
    if reason is None:
        assert PublicKey.of(load_private(path)) == load_public(tmp_path / "id_ed25519.pub")
    else:
        with pytest.raises(LevelfieldError, match=reason):
            load_private(path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "not an ssh-ed25519"),
        ("ssh-rsa AAAA", "not an ssh-ed25519"),
        ("ssh-ed25519 A===", "not base64"),
        ("ssh-ed25519 AAAA", "cut short"),
        (key(1).line[:-4], "cut short"),
        (key(1).line + "AAAA", "3 bytes too many"),
        (key(1).line.replace("ssh-", "sk-ssh-", 1).replace(" ", "@openssh.com ", 1), "holds ssh-"),
        (PublicKey(bytes(32)).line, "small order"),
        (PublicKey(bytes(32), b"ssh:").line, "small order"),
        (PublicKey(b"\xff" * 32).line, "canonical"),
    ],
)
def test_doubtful_public_keys_are_refused_by_name(line: str, reason: str) -> None:
    with pytest.raises(LevelfieldError, match=reason):
        PublicKey.from_line(line, "key")


def test_a_keyring_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ring/keyring.json"
    add_to_keyring(path, "acme", key(1), ("submit",))
    written = add_to_keyring(path, "lab", key(2), ("review", "replicate"))
    assert Keyring.read(path) == written
    assert [(entry.organisation, entry.key) for entry in written.keys] == [
        ("acme", key(1)),
        ("lab", key(2)),
    ]


def test_adding_the_same_entry_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    first = add_to_keyring(path, "acme", key(1), ("submit",))
    assert add_to_keyring(path, "acme", key(1), ("submit",)) == first


@pytest.mark.parametrize(("organisation", "role"), [("lab", "submit"), ("acme", "review")])
def test_a_key_belongs_to_one_entry(tmp_path: Path, organisation: str, role: str) -> None:
    path = tmp_path / "keyring.json"
    add_to_keyring(path, "acme", key(1), ("submit",))
    with pytest.raises(LevelfieldError, match="already held by acme"):
        add_to_keyring(path, organisation, key(1), (role,))  # type: ignore[arg-type]


SPOILT: dict[str, tuple[Callable[[dict[str, object]], dict[str, object]], str]] = {
    "key id": (lambda entry: entry | {"key_id": "0" * 64}, "key_id is not"),
    "role": (lambda entry: entry | {"roles": ["king"]}, "roles"),
    "no role": (lambda entry: entry | {"roles": []}, "roles"),
    "organisation": (lambda entry: entry | {"organisation": "Acme Inc."}, "organisation"),
    "unknown field": (lambda entry: entry | {"algorithm": "none"}, "algorithm"),
    "small order": (
        lambda entry: entry | {"public_key": PublicKey(bytes(32)).line, "roles": ["root"]},
        "small order",
    ),
}


@pytest.mark.parametrize(("spoil", "reason"), SPOILT.values(), ids=SPOILT)
def test_a_doubtful_keyring_is_refused_by_name(
    tmp_path: Path, spoil: Callable[[dict[str, object]], dict[str, object]], reason: str
) -> None:
    path = tmp_path / "keyring.json"
    add_to_keyring(path, "acme", key(1), ("submit",))
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | {"keys": [spoil(fields["keys"][0])]}))
    with pytest.raises(LevelfieldError, match=reason):
        Keyring.read(path)


def test_one_key_in_two_entries_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    add_to_keyring(path, "acme", key(1), ("submit",))
    fields = json.loads(path.read_text())
    again = fields["keys"][0] | {"organisation": "lab", "public_key": key(1).line + " comment"}
    path.write_text(json.dumps(fields | {"keys": [*fields["keys"], again]}))
    with pytest.raises(LevelfieldError, match="another entry holds this key"):
        Keyring.read(path)


def test_a_keyring_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LevelfieldError, match="No such file"):
        Keyring.read(tmp_path / "keyring.json")


@pytest.mark.parametrize("organisation", ["", "Acme", "a b", "-a", "a/b", "a" * 65, "é", "a\n"])
def test_an_organisation_is_an_identifier(organisation: str) -> None:
    with pytest.raises(UsageError, match="not an identifier"):
        check_organisation(organisation)
