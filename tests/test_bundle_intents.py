"""submissions/intents.py: the log in a bundle, its hidden lines, signatures, registration."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from run_folders import subject, write_training_run
from test_intents import run_of

from harness.errors import LevelfieldError
from harness.intents import Line
from harness.journal import Journal
from harness.records import RunStatus, Scenario
from rules.intent_accounts import accounts
from rules.intents import INTENTS, faults
from submissions import layout
from submissions.bundle import Bundle
from submissions.envelope import VerificationError
from submissions.intents import (
    RUN_INTENT,
    RunIntents,
    check_registered,
    check_signatures,
    log_for,
    read_log,
    register,
    registrations,
    signer,
)
from submissions.keys import Keyring, add_to_keyring, generate, load_private
from submissions.log_entry import LogEntry
from submissions.pack import pack
from submissions.statement import open_statement

TOY = {("toy", Scenario.TRAIN)}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    public = generate(tmp_path / "key", "acme")
    add_to_keyring(tmp_path / "keyring.json", "acme", public, ("submit",))
    return tmp_path / "key"


@pytest.fixture
def keyring(key: Path) -> Keyring:
    return Keyring.read(key.with_name("keyring.json"))


@pytest.fixture
def journal(tmp_path: Path, key: Path) -> Journal:
    """Two runs of a kind, one of another scenario between them; signed."""
    journal = Journal(tmp_path / "practice.jsonl", "practice", signer(key))
    journal.start(run_of(1))
    journal.start(run_of(2, scenario=Scenario.OFFLINE))
    journal.start(run_of(3))
    return journal


def lines_of(journal: Journal) -> tuple[Line, ...]:
    return read_log(journal.path.read_bytes(), "log")


def test_the_log_goes_from_the_run_into_the_bundle(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "practice.jsonl", "practice")
    told = replace(subject(), journal=journal)
    for seed in (1, 2):
        write_training_run(tmp_path / f"runs/run_{seed}", seed, subject=told)
    journal.start(run_of(5, scenario=Scenario.OFFLINE))
    write_training_run(tmp_path / "left_out", 3, subject=told)
    pack([tmp_path / "runs"], "acme", "practice", tmp_path / "b", intents=journal.path)
    submission = Bundle.open(tmp_path / "b").submission
    (account,) = accounts(submission)
    assert account.text == "results/toy/train: 2 scored of 3 started, 1 complete but left out"
    bodies = [line.body is None for line in submission.intents or ()]
    assert bodies == [False] * 4 + [True] + [False] * 2
    assert (tmp_path / "b" / layout.INTENTS).read_bytes().count(run_of(5).id.encode()) == 0


def test_a_bundle_without_a_log_opens_too(tmp_path: Path) -> None:
    write_training_run(tmp_path / "run_1", 1)
    bundle = pack([tmp_path / "run_1"], "acme", "practice", tmp_path / "b", intents=Path("absent"))
    assert bundle.submission.intents is None


def test_hidden_lines_link_and_bear_their_signatures(journal: Journal, keyring: Keyring) -> None:
    data = log_for(journal.path.read_bytes() + b'{"cut', "log", TOY)
    lines = read_log(data, "log")
    assert [line.body is None for line in lines] == [False, True, False]
    assert list(faults(lines, "practice", {("toy", "train")})) == []
    found = check_signatures(lines, keyring, "acme", "log")
    assert (found.signed, found.unsigned, len(found.key_ids)) == (3, 0, 1)


def test_unsigned_lines_are_counted(tmp_path: Path, keyring: Keyring) -> None:
    journal = Journal(tmp_path / "plain.jsonl", "practice")
    journal.start(run_of(1))
    assert check_signatures(lines_of(journal), keyring, "acme", "log").unsigned == 1


def test_a_signature_that_does_not_hold_is_named(journal: Journal, keyring: Keyring) -> None:
    lines = list(lines_of(journal))
    moved = lines[0].head.model_copy(update={"workload": "other"})
    lines[0] = lines[0].model_copy(update={"head": moved})
    with pytest.raises(VerificationError, match="log:1: bad signature"):
        check_signatures(lines, keyring, "acme", "log")
    with pytest.raises(VerificationError, match="the runs are those of beta"):
        check_signatures(lines_of(journal), keyring, "beta", "log")
    with pytest.raises(VerificationError, match="unknown key"):
        check_signatures(lines_of(journal), Keyring(), "acme", "log")
    broken = lines_of(journal)[0].model_copy(update={"signature": "?"})
    with pytest.raises(VerificationError, match="not base64"):
        check_signatures([broken], keyring, "acme", "log")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-1], "its last line has no end"),
        (lambda data: data.replace(b'{"body"', b'{ "body"', 1), "log:1: not in canonical form"),
        (lambda data: data.replace(b"\n", b"\n\n", 1), "log:2: "),
        (lambda data: data.replace(b'"index":1', b'"index":1,"index":1'), "log:2: .*twice|dupl"),
        (lambda data: data.replace(b'"started_ms":', b'"x":1e999,"y":'), "log:1: .*infinite"),
        (lambda data: data.replace(b"levelfield/intent/v1", b"levelfield/intent/v2"), "log:1: "),
        (lambda _: b"\n" * 100_001, "more than 100000 lines"),
    ],
)  # fmt: skip
def test_a_hostile_log_is_refused_by_name(journal: Journal, change: object, reason: str) -> None:
    assert callable(change)
    with pytest.raises(LevelfieldError, match=reason):
        read_log(change(journal.path.read_bytes()), "log")


def test_what_was_registered_cannot_be_rewritten(
    journal: Journal, key: Path, keyring: Keyring
) -> None:
    envelope = register(lines_of(journal)[:2], load_private(key))
    opened = open_statement(envelope, "registered", keyring.keys, RUN_INTENT, RunIntents)
    check_registered(lines_of(journal), opened, "log")
    with pytest.raises(VerificationError, match="2 lines were registered, the log has 1"):
        check_registered(lines_of(journal)[:1], opened, "log")
    other = Journal(journal.path.with_name("other.jsonl"), "practice")
    for number in (1, 7, 8):
        other.start(run_of(number, status=RunStatus.INCOMPLETE))
    with pytest.raises(VerificationError, match="line 2 is not the one that was registered"):
        check_registered(lines_of(other), opened, "log")
    with pytest.raises(LevelfieldError, match="is empty"):
        register([], load_private(key))


def test_what_a_rounds_log_holds_is_compared_with_the_log_at_hand(
    journal: Journal, key: Path, keyring: Keyring
) -> None:
    other = Journal(journal.path.with_name("other.jsonl"), "practice")
    other.start(run_of(9))
    envelopes = {
        hashlib.sha256(data).hexdigest(): data
        for data in (
            register(lines_of(journal)[:2], load_private(key)),
            register(lines_of(other), load_private(key)),
        )
    }
    entries = [
        LogEntry(
            envelope=name, subject=None, predicate_type=RUN_INTENT, actor="acme", kind="statement"
        )
        for name in envelopes
    ]
    found = registrations(lines_of(journal), entries, envelopes.__getitem__, keyring, "acme")
    assert [(one.entry, one.lines, one.fault is None) for one in found] == [
        (0, 2, True),
        (1, 1, False),
    ]
    assert registrations(lines_of(journal), entries, envelopes.__getitem__, keyring, "beta") == []
    forged = [entry.model_copy(update={"actor": "beta"}) for entry in entries]
    with pytest.raises(VerificationError, match="unknown key"):
        registrations(lines_of(journal), forged, envelopes.__getitem__, keyring, "beta")


def test_rules_and_layout_mean_the_same_file() -> None:
    assert layout.INTENTS == INTENTS
    assert layout.role_of(INTENTS) is layout.Role.INTENTS
