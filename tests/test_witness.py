import shutil
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from test_round_log import KEYRING, LOG, ORIGIN, append, key_entry, new_log

from harness.errors import LevelfieldError, UsageError
from submissions.checkpoint import cosign, read_note
from submissions.keys import Keyring
from submissions.round_log import RoundLog
from submissions.witness import Memory, check_growth, check_seen, check_witnessed, witness
from submissions.witness import read_checkpoint as read_kept

ALICE, BOB, OWN = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (3, 4, 5))
TRUSTED = Keyring(
    keys=(
        *KEYRING.keys,
        key_entry(ALICE, "alice", "witness"),
        key_entry(BOB, "bob", "witness"),
        key_entry(OWN, "keeper", "witness"),
    )
)
NOW = 1_790_000_000


@pytest.fixture
def log(tmp_path: Path) -> RoundLog:
    made = new_log(tmp_path / "round")
    made.folder.keyring.write_text(TRUSTED.to_json())
    append(made, "one", "two", "three")
    return made


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "seen")


def rewritten(log: RoundLog, *texts: str) -> RoundLog:
    """The log's own keeper begins anew, in the same place, with the right key."""
    shutil.rmtree(log.folder.log)
    other = RoundLog.open(log.folder)
    append(other, *texts)
    return other


def test_a_witness_follows_a_log_that_grows(log: RoundLog, memory: Memory) -> None:
    witness(log, TRUSTED, memory, ALICE, NOW)
    append(log, "four")
    with pytest.raises(LevelfieldError, match="not witnessed: 0 of 1"):
        check_witnessed(RoundLog.open(log.folder).note or fail(), TRUSTED, 1)
    witness(log, TRUSTED, memory, ALICE, NOW + 9)
    written = RoundLog.open(log.folder)
    (found,) = check_witnessed(written.note or fail(), TRUSTED, 1)
    assert (found.entry.organisation, found.time_s) == ("alice", NOW + 9)
    kept = memory.last(ORIGIN)
    assert kept is not None
    assert kept.checkpoint == written.checkpoint
    assert len(written.verify(TRUSTED)) == 4


def fail() -> NoReturn:
    raise AssertionError("no checkpoint")


def test_a_log_that_shrank_is_refused(log: RoundLog, memory: Memory) -> None:
    witness(log, TRUSTED, memory, ALICE, NOW)
    shorter = rewritten(log, "one", "two")
    with pytest.raises(LevelfieldError, match="the log shrank: 3 entries were seen"):
        witness(shorter, TRUSTED, memory, ALICE, NOW)
    kept = memory.last(ORIGIN)
    assert kept is not None
    assert kept.checkpoint.size == 3


@pytest.mark.parametrize("texts", [("one", "x", "three"), ("one", "three", "two", "four")])
def test_a_rewritten_log_is_refused(log: RoundLog, memory: Memory, texts: tuple[str, ...]) -> None:
    witness(log, TRUSTED, memory, ALICE, NOW)
    other = rewritten(log, *texts)
    with pytest.raises(LevelfieldError, match="the log was rewritten: no consistency"):
        witness(other, TRUSTED, memory, ALICE, NOW)
    with pytest.raises(LevelfieldError, match="the log was rewritten: no consistency"):
        check_seen(other, TRUSTED, memory)
    # Nobody who remembers cosigns it, so who sees it for the first time finds no witness.
    with pytest.raises(LevelfieldError, match="not witnessed: 0 of 1"):
        check_witnessed(RoundLog.open(other.folder).note or fail(), TRUSTED, 1)


def test_a_reader_holds_the_log_to_any_checkpoint_of_it(log: RoundLog, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shutil.copy(log.folder.log / "checkpoint", kept)
    append(log, "four", "five")
    check_growth(log, read_kept(kept).checkpoint, "kept")
    with pytest.raises(LevelfieldError, match="the log was rewritten"):
        check_growth(rewritten(log, "a", "b", "c", "d"), read_kept(kept).checkpoint, "kept")
    with pytest.raises(UsageError, match="no such file"):
        read_kept(tmp_path / "none")


def test_a_memory_is_of_one_log_and_signed(log: RoundLog, memory: Memory) -> None:
    data = (log.folder.log / "checkpoint").read_bytes()
    memory.root.mkdir()
    memory.path(ORIGIN).write_bytes(data.replace(b"\n3\n", b"\n2\n"))
    with pytest.raises(LevelfieldError, match="bad signature"):
        check_seen(log, TRUSTED, memory)
    other = read_note(data.replace(b"practice", b"another"), "x").checkpoint
    with pytest.raises(LevelfieldError, match="name the same log's"):
        check_growth(log, other, "x")
    assert memory.path("a/../../b").parent == memory.root


def test_witnesses_count_once_an_organisation_and_not_for_themselves(
    log: RoundLog, memory: Memory
) -> None:
    note = log.note or fail()
    note = cosign(cosign(note, "alice", ALICE, NOW), "keeper", OWN, NOW)
    with pytest.raises(LevelfieldError, match="not witnessed: 1 of 2"):
        check_witnessed(note, TRUSTED, 2)
    # Bob's key under Alice's name is no key of the keyring's.
    with pytest.raises(LevelfieldError, match="not witnessed: 1 of 2"):
        check_witnessed(cosign(note, "alice", BOB, NOW), TRUSTED, 2)
    assert len(check_witnessed(cosign(note, "bob", BOB, NOW), TRUSTED, 2)) == 2
    with pytest.raises(LevelfieldError, match="does not give it the role witness"):
        witness(log, TRUSTED, memory, LOG, NOW)


def test_a_frozen_log_is_told_by_the_age_of_its_witnesses(log: RoundLog) -> None:
    note = cosign(log.note or fail(), "alice", ALICE, NOW)
    assert check_witnessed(note, TRUSTED, 1, since_s=NOW)
    with pytest.raises(LevelfieldError, match="frozen: no witness has seen it lately"):
        check_witnessed(note, TRUSTED, 1, since_s=NOW + 1)


def test_witnesses_add_to_each_other_and_none_undoes_an_append(log: RoundLog) -> None:
    first, second = RoundLog.open(log.folder), RoundLog.open(log.folder)
    first.cosign("alice", ALICE, NOW)
    assert len(check_witnessed(second.cosign("bob", BOB, NOW), TRUSTED, 2)) == 2
    append(log, "four")
    with pytest.raises(LevelfieldError, match="the log has grown meanwhile"):
        first.cosign("alice", ALICE, NOW)
    assert RoundLog.open(log.folder).size == 4


def test_a_witness_counts_from_its_admission_and_not_after_its_end(log: RoundLog) -> None:
    note = cosign(log.note or fail(), "alice", ALICE, NOW)
    lives = {(3, None): True, (4, None): False, (0, 3): True, (0, 2): False}
    for (first, end), counts in lives.items():
        update: dict[str, Any] = {"from_index": first, "to_index": end}
        update |= {} if end is None else {"status": "revoked"}
        alice = key_entry(ALICE, "alice", "witness").model_copy(update=update)
        keyring = Keyring(keys=(*KEYRING.keys, alice))
        assert len(check_witnessed(note, keyring, 0)) == counts
