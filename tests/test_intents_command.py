"""levelfield intents: shown, set aside, registered, withdrawn and verified on the command line."""

from pathlib import Path

import pytest
from conftest import Command
from test_intents import run_of

from harness.journal import Journal
from harness.records import RunStatus, Scenario

LOG = "home/.levelfield/intents/practice.jsonl"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A run that ended and one that did not, in the user's own log."""
    journal = Journal(tmp_path / LOG, "practice")
    journal.start(run_of(1))
    journal.end(run_of(1, status=RunStatus.COMPLETE), 1_700_000_001_000)
    journal.start(run_of(2, scenario=Scenario.OFFLINE))
    return journal.path


@pytest.mark.usefixtures("log")
def test_what_was_started_is_shown_and_withdrawn(levelfield: Command) -> None:
    done = levelfield("intents", "withdraw", run_of(2).id, "--reason", "power\u202ecut")
    assert (done.code, "stays in the log" in done.out) == (0, True)
    shown = levelfield("intents", "show")
    assert (shown.code, run_of(2).id in shown.out) == (0, True)
    assert "withdrawn: power\\u202ecut" in shown.out
    lines = levelfield("intents", "show", "--json").json
    assert [line["head"]["kind"] for line in lines] == ["intent", "outcome", "intent", "outcome"]
    unknown = levelfield("intents", "withdraw", "0" * 32, "--reason", "no")
    assert (unknown.code, "no run 0" in unknown.err) == (1, True)


def test_a_block_is_set_aside_registered_and_verified(levelfield: Command, log: Path) -> None:
    block = ["intents", "block", "--count", "3", "--workload", "image_classification"]
    refused = levelfield(*block, "--out", "slots.dsse.json")
    assert (refused.code, "keygen" in refused.err) == (1, True)
    levelfield("keygen", "--organisation", "acme")
    assert levelfield(*block, "--out", "slots.dsse.json", "--json").json["lines"] == 6
    verified = levelfield("intents", "verify", "--registered", "slots.dsse.json", "--json").json
    assert verified["signed"] == 3
    assert verified["registered"]
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:5]))
    shortened = levelfield("intents", "verify", "--registered", "slots.dsse.json")
    assert (shortened.code, "6 lines were registered, the log has 5" in shortened.err) == (1, True)


def test_a_line_taken_out_is_named(levelfield: Command, log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[2])
    done = levelfield("intents", "verify", LOG)
    assert done.code == 1
    assert "does not follow the line before" in done.err
