import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ssh_signatures import TOKEN_KEY, blob

from harness.errors import LevelfieldError
from submissions.envelope import VerificationError, seal
from submissions.keyring import (
    admit,
    allowed_signers,
    check_proof,
    close,
    find_key,
    register,
    register_by_ssh,
    registration_bytes,
    rotate,
    write_keyring,
)
from submissions.keyring_release import check_successor, open_signed, set_roots, sign_keyring
from submissions.keys import KeyEntry, Keyring, KeyRole, PublicKey, generate
from submissions.manifest import canonical
from submissions.sshsig import armour, ask_ssh_keygen, read_blob

SSH_KEYGEN = shutil.which("ssh-keygen")


def private(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def entry(number: int, organisation: str = "acme", role: KeyRole = "submit") -> KeyEntry:
    return register(private(number), organisation, (role,))


def ring() -> Keyring:
    """Three root keys, two of which must sign, and acme's."""
    keyring = admit(Keyring(), entry(1), 0)
    for number in (2, 3, 4):
        keyring = admit(keyring, entry(number, f"root{number}", "root"), 0)
    return set_roots(keyring, [one.key_id for one in keyring.keys[1:]], 2)


def signed(keyring: Keyring, *numbers: int) -> bytes:
    envelope = None
    for number in numbers:
        envelope = sign_keyring(keyring, envelope, private(number))
    assert envelope is not None
    return envelope


def test_a_key_proves_that_it_is_held() -> None:
    good = entry(1)
    check_proof(good, "key")
    for spoilt in (
        {"organisation": "lab"},
        {"roles": ("submit", "root")},
        {"proof": entry(2).proof},
        {"proof": "AAAA"},
    ):
        with pytest.raises(VerificationError, match="never signed this organisation"):
            check_proof(good.model_copy(update=spoilt), "key")
    with pytest.raises(VerificationError, match="no proof of possession"):
        check_proof(good.model_copy(update={"proof": None}), "key")


def test_a_token_proves_possession_by_openssh() -> None:
    made = blob(registration_bytes("acme", TOKEN_KEY, ("submit",)), TOKEN_KEY)
    held = register_by_ssh("acme", ("submit",), read_blob(made, "proof"), made)
    assert admit(Keyring(), held, 3).keys[0].key == TOKEN_KEY
    with pytest.raises(VerificationError, match="never signed this"):
        register_by_ssh("lab", ("submit",), read_blob(made, "proof"), made)


def test_a_key_counts_from_its_admission_until_it_is_revoked() -> None:
    keyring = admit(Keyring(), entry(1), 5)
    keyring = close(keyring, entry(1).key_id[:12], "revoked", 9, "stolen")
    assert [bool(keyring.at(index)) for index in (4, 5, 8, 9)] == [False, True, True, False]
    with pytest.raises(LevelfieldError, match="revoked already, at entry 9"):
        close(keyring, entry(1).key_id, "rotated", 10, "")
    with pytest.raises(LevelfieldError, match="held already"):
        admit(keyring, entry(1), 10)


def test_a_rotated_key_and_its_follower_do_not_overlap() -> None:
    keyring = rotate(ring(), entry(1).key_id, entry(9), 7)
    assert [one.key_id for one in keyring.at(6) if one.organisation == "acme"] == [entry(1).key_id]
    assert [one.key_id for one in keyring.at(7) if one.organisation == "acme"] == [entry(9).key_id]
    assert keyring.keys[-1].replaces == entry(1).key_id
    with pytest.raises(LevelfieldError, match="cannot stand for a key of acme"):
        rotate(ring(), entry(1).key_id, entry(9, "lab"), 7)


def test_an_end_before_the_beginning_and_an_unknown_key_are_refused() -> None:
    keyring = admit(Keyring(), entry(1), 5)
    with pytest.raises(LevelfieldError, match="counts from entry 5"):
        close(keyring, entry(1).key_id, "revoked", 4, "")
    for text in ("", "zz", entry(2).key_id):
        with pytest.raises(LevelfieldError, match="0 keys of the keyring"):
            find_key(keyring, text)


LIVES: dict[str, tuple[dict[str, object], str]] = {
    "closed and active": ({"status": "active", "to_index": 3}, "active with to_index 3"),
    "open and revoked": ({"status": "revoked"}, "revoked with to_index None"),
    "ends before": ({"status": "revoked", "from_index": 4, "to_index": 3}, "ends before it begins"),
    "replaces nobody": ({"replaces": "0" * 64}, "replaces no key of acme"),
}


@pytest.mark.parametrize(("changes", "reason"), LIVES.values(), ids=LIVES)
def test_a_life_that_cannot_be_is_refused_by_name(changes: dict[str, object], reason: str) -> None:
    spoilt = Keyring(keys=(entry(1).model_copy(update=changes),))
    with pytest.raises(LevelfieldError, match=reason):
        Keyring.from_bytes(canonical(spoilt), "ring")


def test_enough_root_keys_make_a_keyring() -> None:
    keyring = ring()
    assert open_signed(canonical(keyring), signed(keyring, 2, 4), "ring") == keyring
    with pytest.raises(VerificationError, match="its root keys: 1 of 3 signed it, 2 are needed"):
        open_signed(canonical(keyring), signed(keyring, 2), "ring")


def test_one_root_key_counts_once_however_often_it_signs() -> None:
    keyring = ring()
    once = signed(keyring, 2)
    assert signed(keyring, 2, 2) == once
    twice = once.replace(
        b'"signatures":[', b'"signatures":[' + signature_of(once, "another") + b","
    )
    with pytest.raises(VerificationError, match="its root keys: 1 of 3 signed it"):
        open_signed(canonical(keyring), twice, "ring")


def signature_of(envelope: bytes, key_id: str) -> bytes:
    """The envelope's one signature under another id."""
    inner = envelope.split(b'"signatures":[')[1].split(b"]")[0]
    return inner.replace(inner.split(b'"')[3], key_id.encode(), 1)


SPOILT: dict[str, tuple[Callable[[Keyring], bytes], str]] = {
    "changed": (
        lambda k: canonical(close(k, entry(1).key_id, "revoked", 1, "")),
        "changed after its root keys signed it",
    ),
    "not canonical": (lambda k: k.to_json().encode(), "not in canonical form"),
    "no proof": (
        lambda k: canonical(
            k.model_copy(
                update={"keys": (k.keys[0].model_copy(update={"proof": None}), *k.keys[1:])}
            )
        ),
        "no proof of possession",
    ),
    "no roots": (lambda k: canonical(k.model_copy(update={"threshold": None})), "no root keys"),
    "revoked root": (
        lambda k: canonical(close(k, entry(2).key_id, "revoked", 1, "")),
        "not an active key with the role root",
    ),
}


@pytest.mark.parametrize(("spoil", "reason"), SPOILT.values(), ids=SPOILT)
def test_a_spoilt_keyring_is_refused_by_name(
    spoil: Callable[[Keyring], bytes], reason: str
) -> None:
    keyring = ring()
    with pytest.raises(VerificationError, match=reason):
        open_signed(spoil(keyring), signed(keyring, 2, 3), "ring")


def test_roots_must_be_able_to_sign() -> None:
    keyring = ring()
    root = keyring.keys[1].key_id
    for ids, threshold, reason in (
        ([root], 2, "2 of 1 root keys can never sign"),
        ([root, root], 2, "names a root key twice"),
        ([keyring.keys[0].key_id], 1, "not an active key with the role root"),
    ):
        with pytest.raises(VerificationError, match=reason):
            set_roots(keyring, ids, threshold)
    with pytest.raises(LevelfieldError, match="not one of the keyring's root keys"):
        sign_keyring(keyring, None, private(1))


def test_a_keyring_that_vouches_for_itself_does_not_pass_for_the_readers_roots() -> None:
    keyring, own = ring(), [entry(7, "root7", "root"), entry(2, "root2", "root")]
    with pytest.raises(
        VerificationError, match="your trusted root keys: 1 of 2 signed it, 2 are needed"
    ):
        open_signed(canonical(keyring), signed(keyring, 2, 3), "ring", own)
    assert open_signed(canonical(keyring), signed(keyring, 2, 3), "ring", keyring.keys[1:])


def test_one_stolen_root_key_cannot_lower_the_threshold() -> None:
    own = ring().keys[1:]
    forged = set_roots(ring(), [entry(2).key_id], 1)
    assert open_signed(canonical(forged), signed(forged, 2), "ring") == forged
    with pytest.raises(VerificationError, match="your trusted root keys: 1 of 3 signed it"):
        open_signed(canonical(forged), signed(forged, 2), "ring", own)


def test_root_keys_hand_over_to_others() -> None:
    """The old ones sign, as many as they had to, and so do the new ones."""
    old, new = ring(), admit(ring(), entry(8, "root8", "root"), 4)
    new = close(new, entry(2).key_id, "revoked", 4, "retired")
    new = set_roots(new, [entry(3).key_id, entry(8).key_id], 2)
    before = [one for one in old.keys if "root" in one.roles]
    assert open_signed(canonical(new), signed(new, 2, 3, 8), "ring", before, 2) == new
    with pytest.raises(VerificationError, match="your trusted root keys: 1 of 3 signed it"):
        open_signed(canonical(new), signed(new, 3, 8), "ring", before, 2)


def test_signatures_of_an_older_keyring_are_left_behind() -> None:
    old, new = ring(), close(ring(), entry(1).key_id, "revoked", 3, "lost")
    envelope = sign_keyring(new, signed(old, 2, 3), private(4))
    with pytest.raises(VerificationError, match="its root keys: 1 of 3 signed it"):
        open_signed(canonical(new), envelope, "ring")


def test_another_statement_of_the_root_keys_is_no_signature_of_the_keyring() -> None:
    keyring = ring()
    envelope = seal(registration_bytes("root2", PublicKey.of(private(2)), ("root",)), private(2))
    with pytest.raises(VerificationError, match=r"key-registration/v1', not .*keyring/v1"):
        open_signed(canonical(keyring), envelope, "ring")


def test_a_later_keyring_only_adds_and_ends() -> None:
    old = ring()
    new = rotate(close(old, entry(2).key_id, "revoked", 4, "lost"), entry(1).key_id, entry(9), 5)
    check_successor(old, new, "ring")
    with pytest.raises(VerificationError, match="is gone"):
        check_successor(old, Keyring(keys=old.keys[1:]), "ring")
    undone = new.model_copy(update={"keys": (*old.keys, new.keys[-1])})
    with pytest.raises(VerificationError, match="rewrites the life of a key of acme"):
        check_successor(new, undone, "ring")


@pytest.mark.skipif(SSH_KEYGEN is None, reason="no ssh-keygen")
def test_stock_openssh_verifies_with_the_exported_keys(tmp_path: Path) -> None:
    key = generate(tmp_path / "id", "acme")
    armoured = ask_ssh_keygen(b"text", tmp_path / "id")
    held = KeyEntry(organisation="acme", key_id=key.key_id, public_key=key.line, roles=("submit",))
    keyring = admit(Keyring(keys=(held,)), entry(2, "lab"), 0)
    (tmp_path / "sig").write_bytes(armoured)

    def stock(keyring: Keyring, who: str, namespace: str = "levelfield") -> bool:
        (tmp_path / "signers").write_text(allowed_signers(keyring))
        command = [str(SSH_KEYGEN), "-Y", "verify", "-I", who, "-n", namespace]
        paths = ["-f", str(tmp_path / "signers"), "-s", str(tmp_path / "sig")]
        done = subprocess.run([*command, *paths], input=b"text", capture_output=True, check=False)
        return done.returncode == 0

    assert stock(keyring, "acme")
    assert not stock(keyring, "lab")
    assert not stock(close(keyring, key.key_id, "revoked", 1, "stolen"), "acme")
    (tmp_path / "sig").write_bytes(armour(armoured[:0] + b"SSHSIG"))
    assert not stock(keyring, "acme")


def test_a_keyring_of_ones_own_is_read_as_it_ever_was(tmp_path: Path) -> None:
    key = PublicKey.of(private(1))
    fields = {"organisation": "acme", "key_id": key.key_id, "public_key": key.line}
    old = json.dumps({"schema": "levelfield/keyring/v1", "keys": [fields | {"roles": ["submit"]}]})
    (tmp_path / "ring").write_text(old)
    keyring = Keyring.read(tmp_path / "ring")
    assert keyring.at(0) == keyring.at(10**6) == keyring.keys
    write_keyring(tmp_path / "ring", keyring)
    assert Keyring.read(tmp_path / "ring") == keyring
