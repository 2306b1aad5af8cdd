import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.errors import LevelfieldError, UsageError
from submissions import round_log
from submissions.checkpoint import Checkpoint, sign_checkpoint
from submissions.keyring import register, write_keyring
from submissions.keyring_release import set_roots, sign_keyring
from submissions.keys import KeyEntry, Keyring, KeyRole, PublicKey
from submissions.log_entry import LogEntry
from submissions.receipt import Opening, Receipt
from submissions.round_folder import RoundFolder, RoundInfo, write_whole
from submissions.round_log import RoundLog
from submissions.strict_json import read_record
from submissions.tiles import Tiles

LOG, OTHER, ROOT = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
ORIGIN = "levelfield.example/practice"
BUNDLE = "c" * 64


def key_entry(key: Ed25519PrivateKey, organisation: str, role: KeyRole) -> KeyEntry:
    public = PublicKey.of(key)
    return KeyEntry(
        organisation=organisation, key_id=public.key_id, public_key=public.line, roles=(role,)
    )


KEYRING = Keyring(keys=(key_entry(LOG, "keeper", "log"), key_entry(OTHER, "acme", "review")))


def new_log(root: Path) -> RoundLog:
    info = RoundInfo(round="practice", nonce="0" * 32, origin=ORIGIN)
    folder = RoundFolder.create(root, info)
    folder.keyring.write_text(KEYRING.to_json())
    log = RoundLog.open(folder)
    log.append([], LOG)
    return log


def statement(log: RoundLog, data: bytes) -> LogEntry:
    return LogEntry(
        envelope=log.folder.write_envelope(data),
        subject="b" * 20,
        predicate_type="urn:levelfield:predicate/review-event/v1",
        actor="acme",
        kind="statement",
    )


def append(log: RoundLog, *texts: str) -> list[int]:
    return log.append([statement(log, text.encode()) for text in texts], LOG)


@pytest.fixture
def log(tmp_path: Path) -> RoundLog:
    made = new_log(tmp_path / "round")
    append(made, "one", "two", "three")
    return made


def test_entries_stand_where_they_were_appended(log: RoundLog) -> None:
    assert append(log, "four") == [3]
    again = RoundLog.open(log.folder)
    assert again.size == 4
    assert again.entry(3).envelope == hashlib.sha256(b"four").hexdigest()
    assert [entry.envelope for entry in again.entries(upto=2)] == [
        hashlib.sha256(text).hexdigest() for text in (b"one", b"two")
    ]
    assert again.find(again.entry(2).envelope) == 2
    assert again.find("0" * 64) is None
    assert again.verify() == tuple(again.entries())
    with pytest.raises(UsageError, match="the log has 4 entries"):
        again.entry(4)


def test_a_receipt_holds_without_the_log(log: RoundLog) -> None:
    receipt = read_record(Receipt, log.prove(1).to_json().encode(), "receipt")
    assert receipt.verify(KEYRING, ORIGIN, "receipt").size == 3
    wrong: dict[str, dict[str, Any]] = {
        "no such entry at 2": {"index": 2},
        "no such entry at 1": {"proof": (*receipt.proof[:-1], "0" * 64)},
        "bad signature": {"checkpoint": receipt.checkpoint.replace("\n3\n", "\n4\n")},
    }
    for reason, update in wrong.items():
        with pytest.raises(LevelfieldError, match=reason):
            receipt.model_copy(update=update).verify(KEYRING, ORIGIN, "receipt")
    with pytest.raises(LevelfieldError, match="it is another log's"):
        receipt.verify(KEYRING, "levelfield.example/other", "receipt")


def test_only_the_logs_key_appends(log: RoundLog) -> None:
    with pytest.raises(LevelfieldError, match="may not sign this log"):
        log.append([statement(log, b"four")], OTHER)
    assert RoundLog.open(log.folder).size == 3


def test_a_statement_is_logged_once_and_only_with_its_envelope(log: RoundLog) -> None:
    with pytest.raises(LevelfieldError, match="logged already as entry 1"):
        append(log, "two")
    with pytest.raises(LevelfieldError, match="logged already as entry 3"):
        append(log, "four", "four")
    pointer = statement(log, b"four").model_copy(update={"envelope": "0" * 64})
    with pytest.raises(LevelfieldError, match="missing, though"):
        log.append([pointer], LOG)
    assert RoundLog.open(log.folder).size == 3


def remove_an_envelope(log: RoundLog) -> None:
    log.folder.envelope_path(log.entry(1).envelope).unlink()


def change_an_envelope(log: RoundLog) -> None:
    log.folder.envelope_path(log.entry(1).envelope).write_bytes(b"another")


def change_an_entry(log: RoundLog) -> None:
    path = log.folder.log / "tile/entries/000.p/3"
    path.write_bytes(path.read_bytes().replace(b'"acme"', b'"evil"', 1))


def change_a_tile(log: RoundLog) -> None:
    path = log.folder.log / "tile/0/000.p/3"
    path.write_bytes(path.read_bytes()[::-1])


def rewrite_with_another_key(log: RoundLog) -> None:
    """What somebody without the log's key can do: another, whole log, signed by himself."""
    shutil.rmtree(log.folder.log)
    keyring = log.folder.keyring.read_bytes()
    log.folder.keyring.unlink()
    RoundLog.open(log.folder).append([statement(log, b"one")], OTHER)
    log.folder.keyring.write_bytes(keyring)


def remove_the_checkpoint(log: RoundLog) -> None:
    (log.folder.log / "checkpoint").unlink()


def another_rounds_log(log: RoundLog) -> None:
    info = log.folder.info().model_copy(update={"origin": "levelfield.example/other"})
    write_whole(log.folder.round_file, info.to_json().encode())


def claim_more_entries_than_anyone_can_read(log: RoundLog) -> None:
    huge = Checkpoint(ORIGIN, 10**14, b"r" * 32)
    write_whole(log.folder.log / "checkpoint", sign_checkpoint(huge, LOG).to_bytes())


ATTACKS: dict[str, Callable[[RoundLog], None]] = {
    "missing, though it is referred to": remove_an_envelope,
    "SHA-256 differs from its name": change_an_envelope,
    "not the tree of the log's entries": change_an_entry,
    "tile/0/000.p/3: not the tree": change_a_tile,
    "signed by no key": rewrite_with_another_key,
    "checkpoint: missing": remove_the_checkpoint,
    "100000000000000 entries; a round's log has": claim_more_entries_than_anyone_can_read,
    "it belongs to another round": another_rounds_log,
}


@pytest.mark.parametrize("reason", ATTACKS)
def test_an_altered_log_is_refused(log: RoundLog, reason: str) -> None:
    ATTACKS[reason](log)
    with pytest.raises(LevelfieldError, match=reason):
        RoundLog.open(log.folder).verify()


@pytest.mark.parametrize("attack", [change_an_entry, change_a_tile, rewrite_with_another_key])
def test_nothing_is_appended_to_an_altered_log(
    log: RoundLog, attack: Callable[[RoundLog], None]
) -> None:
    attack(log)
    with pytest.raises(LevelfieldError, match=r"copy the log again|signed by no key"):
        append(log, "four")


def forge(log: RoundLog, raw: list[bytes]) -> None:
    """What the log's keeper can do beside `append`: sign any leaves at all."""
    shutil.rmtree(log.folder.log)
    for path, data in Tiles(log.folder.log, 0).grown(raw).items():
        write_whole(log.folder.log / path, data)
    tiles = Tiles(log.folder.log, len(raw))
    checkpoint = Checkpoint(ORIGIN, tiles.size, tiles.tree_root())
    write_whole(log.folder.log / "checkpoint", sign_checkpoint(checkpoint, LOG).to_bytes())


def test_the_logs_own_keeper_cannot_say_a_thing_twice(log: RoundLog) -> None:
    forge(log, [log.entry(0).to_bytes()] * 2)
    with pytest.raises(LevelfieldError, match="says again what entry 0 says"):
        RoundLog.open(log.folder).verify()


def test_the_logs_own_keeper_cannot_write_a_leaf_in_another_form(log: RoundLog) -> None:
    forge(log, [log.entry(0).to_json().encode()])
    with pytest.raises(LevelfieldError, match="not in canonical form"):
        RoundLog.open(log.folder).verify()


def test_a_killed_append_leaves_the_old_log_whole(
    log: RoundLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = log.verify()
    more = [statement(log, b"more %d" % i) for i in range(300)]
    left = 0

    def write_or_die(path: Path, data: bytes) -> None:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        write_whole(path, data)

    for writes in range(len(log.tiles.grown([entry.to_bytes() for entry in more])) + 1):
        left = writes
        with monkeypatch.context() as patch:
            patch.setattr(round_log, "write_whole", write_or_die)
            with pytest.raises(KeyboardInterrupt):
                RoundLog.open(log.folder).append(more, LOG)
        assert RoundLog.open(log.folder).verify() == before
    assert RoundLog.open(log.folder).append(more[:5], LOG) == [3, 4, 5, 6, 7]
    assert len(RoundLog.open(log.folder).verify()) == 8


def test_two_who_append_at_once_take_turns(log: RoundLog) -> None:
    other = RoundLog.open(log.folder)
    assert append(log, "four") == [3]
    assert append(other, "five") == [4]
    assert len(RoundLog.open(log.folder).verify()) == 5


def test_a_commitment_names_no_bundle_and_is_opened_later(log: RoundLog) -> None:
    opening = Opening.new(ORIGIN, "acme", BUNDLE)
    assert BUNDLE not in opening.committed().to_bytes().decode()
    assert opening.commitment != Opening.new(ORIGIN, "acme", BUNDLE).commitment
    log.append([opening.committed()], LOG)
    reveal = opening.revealed(log.folder.write_envelope(b"the statement"))
    path = log.folder.root / log.opening_path(opening.bundle)
    write_whole(path, opening.to_json().encode())
    log.append([reveal], LOG)
    assert RoundLog.open(log.folder).verify()[-1] == reveal


@pytest.mark.parametrize(
    "update", [{"nonce": "0" * 64}, {"submitter": "evil"}, {"manifest_sha256": "d" * 64}]
)
def test_another_bundle_than_promised_is_no_reveal(log: RoundLog, update: dict[str, str]) -> None:
    opening = Opening.new(ORIGIN, "acme", BUNDLE)
    log.append([opening.committed()], LOG)
    other = opening.model_copy(update=update)
    write_whole(log.folder.root / log.opening_path(other.bundle), other.to_json().encode())
    log.append([other.revealed(log.folder.write_envelope(b"the statement"))], LOG)
    with pytest.raises(LevelfieldError, match="committed to no such bundle before"):
        RoundLog.open(log.folder).verify()


def registered(key: Ed25519PrivateKey, organisation: str, role: KeyRole) -> KeyEntry:
    return register(key, organisation, (role,))


@pytest.fixture
def signed(log: RoundLog) -> RoundLog:
    """A log whose keyring its root key signed."""
    root = registered(ROOT, "chair", "root")
    ring = Keyring(keys=(registered(LOG, "keeper", "log"), root))
    ring = set_roots(ring, [root.key_id], 1)
    write_keyring(log.folder.keyring, ring)
    write_whole(log.folder.keyring_signatures, sign_keyring(ring, None, ROOT))
    return RoundLog.open(log.folder)


def test_a_signed_keyring_is_logged_once(signed: RoundLog) -> None:
    entry = signed.keyring_entry()
    assert entry is not None
    assert (entry.kind, entry.actor) == ("keyring", "chair")
    signed.append([entry], LOG)
    assert signed.keyring_entry() is None
    assert signed.verify()[-1] == entry


def test_a_keyring_that_names_root_keys_counts_only_with_their_signatures(
    signed: RoundLog,
) -> None:
    ring = signed.keyring()
    write_keyring(
        signed.folder.keyring,
        ring.model_copy(update={"keys": (*ring.keys, registered(OTHER, "evil", "log"))}),
    )
    with pytest.raises(LevelfieldError, match="changed after its root keys signed it"):
        signed.verify()
    signed.folder.keyring_signatures.unlink()
    with pytest.raises(LevelfieldError, match="its root keys have not signed it"):
        signed.verify()


def test_a_reader_who_trusts_root_keys_is_not_taken_in_by_others(signed: RoundLog) -> None:
    assert signed.keyring([registered(ROOT, "chair", "root")]) == signed.keyring()
    with pytest.raises(LevelfieldError, match="your trusted root keys: 0 of 1 signed it"):
        signed.keyring([registered(OTHER, "other", "root")])
    signed.folder.keyring.write_text(KEYRING.to_json())
    with pytest.raises(LevelfieldError):
        signed.keyring([registered(ROOT, "chair", "root")])
