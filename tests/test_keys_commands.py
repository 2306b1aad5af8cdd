"""``levelfield keys``, ``countersign``, ``check --sign``, ``sign --ssh``, ``verify --log``."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from run_folders import write_signed_bundle

from harness.cli import cli
from harness.errors import LevelfieldError, UsageError
from rules.rule import Report
from submissions.envelope import VerificationError
from submissions.keys import Keyring, load_private
from submissions.log_entry import LogEntry
from submissions.round_folder import RoundFolder, RoundInfo
from submissions.round_log import RoundLog
from submissions.statement import BENCHMARK_RESULT

SSH_KEYGEN = shutil.which("ssh-keygen")
PASSED = Report(round="practice", findings=(), passed=("LOG-1",), not_applicable=())


def call(*words: object) -> Any:
    """Run a command with ``--json`` and return what it printed; errors are raised as they are."""
    done = CliRunner().invoke(cli, [*map(str, words), "--json"], catch_exceptions=False)
    if done.exit_code:
        raise AssertionError(done.output)
    return json.loads(done.stdout)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Keys of two organisations and two roots, in a round's keyring that the roots signed."""
    info = RoundInfo(round="practice", nonce="0" * 32, origin="levelfield.example/practice")
    RoundFolder.create(tmp_path / "round", info)
    ring = tmp_path / "round/keyring.json"
    people = {"acme": "submit", "lab": "review", "one": "root", "two": "root"}
    ids = {}
    for name, role in people.items():
        own = ["--keyring", tmp_path / "own.json", "--out", tmp_path / name]
        made = call("keys", "new", "--organisation", name, "--role", role, *own)
        ids[name] = made["key_id"]
        call("keys", "add", made["registration"], "--keyring", ring)
    call("keys", "roots", ids["one"][:12], ids["two"][:12], "--threshold", 2, "--keyring", ring)
    for name in ("one", "two"):
        told = call("keys", "sign", ring, "--key", tmp_path / name)
    assert told["signed"] == 2
    return tmp_path


def key_id(house: Path, name: str) -> str:
    keyring = Keyring.read(house / "round/keyring.json")
    return next(one.key_id for one in keyring.keys if one.organisation == name)


def test_a_rounds_keyring_is_made_signed_and_checked(house: Path) -> None:
    ring, own = house / "round/keyring.json", house / "own.json"
    told = call("keys", "check", ring, "--own", own)
    assert (told["keys"], told["by_your_roots"]) == (4, True)
    assert not call("keys", "check", ring, "--own", house / "none")["by_your_roots"]


def test_a_change_needs_the_root_keys_again(house: Path) -> None:
    ring, own = house / "round/keyring.json", house / "own.json"
    shutil.copy(ring, house / "before.json")
    call("keys", "revoke", key_id(house, "lab")[:12], "--reason", "stolen", "--keyring", ring)
    with pytest.raises(VerificationError, match="changed after its root keys signed it"):
        call("keys", "check", ring, "--own", own)
    for name in ("one", "two"):
        call("keys", "sign", ring, "--key", house / name)
    call("keys", "check", ring, "--own", own, "--before", house / "before.json")
    shutil.copy(ring, house / "later.json")
    shutil.copy(house / "before.json", ring)
    for name in ("one", "two"):
        call("keys", "sign", ring, "--key", house / name)
    with pytest.raises(VerificationError, match="rewrites the life of a key of lab"):
        call("keys", "check", ring, "--own", own, "--before", house / "later.json")


def test_a_key_is_rotated_at_the_end_of_the_log(house: Path) -> None:
    ring = house / "round/keyring.json"
    own = ["--keyring", house / "own.json", "--out", house / "next"]
    made = call("keys", "new", "--organisation", "acme", *own)
    old = key_id(house, "acme")
    told = call("keys", "rotate", old, made["registration"], "--at", 7, "--keyring", ring)
    assert (told["from_index"], told["replaces"]) == (7, old)
    listed = call("keys", "list", "--keyring", ring)["keys"]
    assert [(one["status"], one["to_index"]) for one in listed[:1]] == [("rotated", 7)]
    plain = CliRunner().invoke(cli, ["keys", "list", "--keyring", str(ring)])
    assert "rotated, from 0 to 7" in plain.stdout.replace("\n", " ")


def test_a_bare_public_key_is_for_ones_own_keyring_only(house: Path) -> None:
    add = ["keys", "add", house / "lab.pub", "--organisation", "lab", "--role", "review"]
    with pytest.raises(UsageError, match="to a round give"):
        call(*add, "--keyring", house / "round/keyring.json")
    assert call(*add, "--keyring", house / "mine.json")["organisation"] == "lab"


def test_a_key_of_keygen_is_registered_as_it_is(tmp_path: Path) -> None:
    own = ["--out", tmp_path / "id", "--keyring", tmp_path / "own.json"]
    call("keygen", "--organisation", "me", *own)
    made = call("keys", "new", "--organisation", "acme", "--existing", *own)
    added = call("keys", "add", made["registration"], "--keyring", tmp_path / "round.json")
    assert (added["organisation"], added["key_id"]) == ("acme", made["key_id"])
    assert [one.organisation for one in Keyring.read(tmp_path / "own.json").keys] == ["me"]


def test_a_reason_cannot_command_the_terminal(house: Path) -> None:
    ring = house / "round/keyring.json"
    call("keys", "revoke", key_id(house, "lab"), "--reason", "a\x1b[2Jb", "--keyring", ring)
    assert "\x1b" not in CliRunner().invoke(cli, ["keys", "list", "--keyring", str(ring)]).output


@pytest.fixture
def bundle(house: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle signed with acme's key of the house; a check that finds nothing."""
    root = write_signed_bundle(house / "made")
    shutil.rmtree(root / "attestations")
    call("sign", root, "--key", house / "acme")
    monkeypatch.setattr("rules.rule.check", lambda *_, **__: PASSED)
    return root


def test_checked_and_countersigned_on_the_command_line(house: Path, bundle: Path) -> None:
    ring = ["--keyring", house / "own.json"]
    assert call("verify", bundle, *ring)["level"] == "L1"
    call("countersign", bundle, "--key", house / "lab", *ring)
    told = call("verify", bundle, *ring)
    assert told["level"] == "L2"
    plain = CliRunner().invoke(cli, ["verify", str(bundle), *map(str, ring)])
    assert plain.stdout.endswith(": level L2\n")
    assert [one["organisation"] for one in told["countersigned_by"]] == ["lab"]
    with pytest.raises(VerificationError, match="a self-review"):
        call("countersign", bundle, "--key", house / "acme", *ring)


def test_a_checks_verdict_is_signed_for_the_bundles_own_round_only(
    house: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("check", bundle, "--sign", "--key", house / "lab", "--url", "https://ci.example/1")
    verdicts = call("verify", bundle, "--keyring", house / "own.json")["verdicts"]
    assert [(one["by"]["organisation"], one["result"]) for one in verdicts] == [("lab", "PASSED")]
    other = PASSED.model_copy(update={"round": "2026.1"})
    monkeypatch.setattr("rules.rule.check", lambda *_, **__: other)
    with pytest.raises(UsageError, match="drop --round"):
        call("check", bundle, "--round", "2026.1", "--sign", "--key", house / "lab")


def test_a_rounds_log_dates_a_signature(house: Path, bundle: Path) -> None:
    folder, own = RoundFolder(house / "round"), house / "own.json"
    verify = ["verify", bundle, "--keyring", own, "--log", folder.root]
    (attestation,) = (bundle / "attestations").iterdir()
    sha256 = folder.write_envelope(attestation.read_bytes())
    log = RoundLog.open(folder)
    log.append([], load_private(house / "one"))
    with pytest.raises(VerificationError, match="not in the round's log"):
        call(*verify)
    entry = LogEntry(
        envelope=sha256, subject=None, predicate_type=BENCHMARK_RESULT, actor="acme",
        kind="statement",
    )  # fmt: skip
    log.append([entry], load_private(house / "one"))
    assert call(*verify)["steps"][-2].startswith(
        "9. Every statement stands in the round's log of 1"
    )
    call("keys", "revoke", key_id(house, "acme"), "--reason", "lost", "--keyring", folder.keyring)
    for name in ("one", "two"):
        call("keys", "sign", folder.keyring, "--key", house / name)
    assert call(*verify)["level"] == "L1"
    folder.keyring_signatures.unlink()
    with pytest.raises(LevelfieldError, match="let the root keys sign"):
        call(*verify)


@pytest.mark.skipif(SSH_KEYGEN is None, reason="no ssh-keygen")
def test_openssh_registers_signs_and_verifies_a_bundle(house: Path, bundle: Path) -> None:
    key = house / "with_passphrase"
    command = [str(SSH_KEYGEN), "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(command, check=True)
    own = ["--keyring", house / "ssh.json"]
    call("keys", "new", "--organisation", "acme", "--ssh", key, "--out", house / "ssh", *own)
    shutil.rmtree(bundle / "attestations")
    signature = Path(call("sign", bundle, "--ssh", key)["attestation"])
    assert call("verify", bundle, *own)["level"] == "L1"
    registration = house / "ssh.registration.json"
    call("keys", "add", registration, "--keyring", house / "round/keyring.json")
    call("keys", "export", "--allowed-signers", house / "signers", *own)
    (statement,) = signature.parent.glob("*.statement.json")
    words = ["-Y", "verify", "-n", "levelfield", "-I", "acme", "-f", house / "signers"]
    stock = [str(SSH_KEYGEN), *map(str, words), "-s", str(signature)]
    assert subprocess.run(stock, input=statement.read_bytes(), check=False).returncode == 0
