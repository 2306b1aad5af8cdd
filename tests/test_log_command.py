import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from run_folders import write_signed_bundle

from harness.cli import cli
from submissions.keys import Keyring, KeyRole, add_to_keyring, generate
from submissions.round_folder import RoundFolder

Log = Callable[..., Any]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed bundle of acme's, and a round's folder with an empty log and three keys."""
    folder = tmp_path_factory.mktemp("good")
    write_signed_bundle(folder)
    roles: dict[str, KeyRole] = {"keeper": "log", "alice": "witness"}
    (folder / "round").mkdir()
    shutil.copy(folder / "keyring.json", folder / "round")
    for name, role in roles.items():
        key = generate(folder / name, name)
        add_to_keyring(folder / "round/keyring.json", name, key, (role,))
    run(folder, "init", "round", "--round", "practice", "--origin", "a.org/1", "--key", "keeper")
    return folder


def run(folder: Path, *words: str) -> Any:
    """The JSON that a command prints, or the error that it ends with; files are ``folder``'s."""
    held = {path.name for path in folder.iterdir()} | {"opening.json", "receipt.json", "elsewhere"}
    if words[0] in ("verify", "witness") and "--seen" not in words:
        words = (*words, "--seen", str(folder / "seen"))
    placed = [str(folder / word) if word in held else word for word in words]
    done = CliRunner().invoke(cli, ["log", *placed, "--json"])
    if done.exit_code == 1 and not done.stdout:
        return str(done.exception)
    assert done.exit_code in (0, 1), done.output
    return json.loads(done.stdout)


@pytest.fixture
def log(good: Path, tmp_path: Path) -> Log:
    root = Path(shutil.copytree(good, tmp_path / "copy"))
    return lambda *words: run(root, *words)


@pytest.fixture
def folder(tmp_path: Path) -> RoundFolder:
    return RoundFolder(tmp_path / "copy/round")


def hand_in(folder: RoundFolder) -> None:
    at = folder.root.parent
    words = ["--round", "practice", "--folder", str(folder.root), "--key", str(at / "key")]
    done = CliRunner().invoke(cli, ["submit", str(at / "bundle"), *words])
    assert done.exit_code == 0, done.exception


def test_a_bundle_is_promised_logged_and_revealed(log: Log, folder: RoundFolder) -> None:
    promised = log("commit", "bundle", "round", "--out", "opening.json")
    words = ("--commitment", promised["commitment"], "--by", promised["by"])
    assert log("append", "round", "--key", "keeper", *words)["appended"] == [0]
    assert log("prove", "round", "0", "--out", "receipt.json")["index"] == 0
    held = folder.log.rglob("*")
    assert not [path for path in held if path.is_file() and b"bundle" in path.read_bytes()]
    hand_in(folder)
    shown = log("reveal", "opening.json", "round")
    assert shown["appended"] == []
    assert log("append", "round", "--key", "keeper")["appended"] == [1]
    commit, reveal = log("show", "round")["entries"]
    assert (commit["kind"], commit["subject"]) == ("commit", None)
    assert (reveal["kind"], reveal["subject"]) == ("reveal", shown["bundle"])
    assert log("verify", "round", "--receipt", "receipt.json")["size"] == 2


def test_a_keeper_commits_at_once_and_gets_a_receipt(log: Log, folder: RoundFolder) -> None:
    told = log("commit", "bundle", "round", "--out", "opening.json", "--key", "keeper")
    shown = log("verify", "round", "--receipt", told["receipt"])
    assert shown["size"] == 1
    hand_in(folder)
    revealed = log("reveal", "opening.json", "round", "--key", "keeper")
    assert revealed["appended"] == [1]


def test_what_was_not_promised_is_not_revealed(log: Log, folder: RoundFolder) -> None:
    log("commit", "bundle", "round", "--out", "opening.json")
    hand_in(folder)
    assert "committed to no such bundle before" in log("reveal", "opening.json", "round")


def test_a_log_that_is_begun_anew_is_told_by_who_saw_it(log: Log, folder: RoundFolder) -> None:
    log("commit", "bundle", "round", "--out", "opening.json", "--key", "keeper")
    assert log("verify", "round")["seen_before"] is None
    assert log("verify", "round")["seen_before"] == 1
    assert log("witness", "round", "--key", "alice")["cosigned_by"] == "alice"
    shutil.copy(folder.log / "checkpoint", folder.root.parent / "kept")
    shutil.rmtree(folder.log)
    words = ("append", "round", "--key", "keeper", "--by", "acme", "--commitment")
    assert log(*words, "a" * 64)["appended"] == [0]
    rewritten = "the log was rewritten: no consistency"
    assert rewritten in log("verify", "round")
    assert rewritten in log("verify", "round", "--seen", "elsewhere", "--since", "kept")
    assert rewritten in log("witness", "round", "--key", "alice")
    assert "not witnessed: 0 of 1" in log(
        "verify", "round", "--seen", "elsewhere", "--witnesses", "1"
    )


def test_a_witness_satisfies_the_reader(log: Log) -> None:
    log("witness", "round", "--key", "alice")
    words = ("verify", "round", "--witnesses", "1", "--max-age", "1")
    assert log(*words)["witnesses"] == ["alice"]


def test_the_readers_own_keyring_counts_where_it_is_named(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "copy/mine.json"
    path.write_text(Keyring().to_json())
    assert "signed by no key" in log("verify", "round", "--keyring", "mine.json")


@pytest.mark.parametrize(
    "words",
    [
        ("init", "new", "--round", "practice", "--origin", "https://a.org", "--key", "keeper"),
        ("append", "round", "--key", "keeper", "--by", "acme"),
        ("append", "round", "--key", "keeper", "--by", "acme", "--commitment", "x"),
        ("prove", "round", "7"),
        ("show", "nowhere"),
    ],
)
def test_a_mistyped_command_is_a_usage_error(good: Path, words: tuple[str, ...]) -> None:
    held = [str(good / word) if word in ("round", "keeper") else word for word in words]
    done = CliRunner().invoke(cli, ["log", *held])
    assert getattr(done.exception, "exit_code", 0) == 2


def test_a_log_that_could_not_be_begun_can_be_begun_again(log: Log, folder: RoundFolder) -> None:
    shutil.rmtree(folder.log)
    folder.round_file.unlink()
    words = ("init", "round", "--round", "practice", "--origin", "a.org/1", "--key")
    assert "may not sign this log" in log(*words, "alice")
    assert log(*words, "keeper")["origin"] == "a.org/1"


def test_a_bad_opening_holds_up_nothing_else(log: Log, folder: RoundFolder) -> None:
    log("commit", "bundle", "round", "--out", "opening.json")
    hand_in(folder)
    folder.receipts.mkdir()
    shutil.copy(folder.root.parent / "opening.json", folder.receipts / f"{'a' * 20}.opening.json")
    (folder.receipts / f"{'b' * 20}.opening.json").write_text("{")
    told = log("append", "round", "--key", "keeper")
    assert told["appended"] == [0]
    assert (
        "committed to no such bundle before" in told["refused"][f"receipts/{'a' * 20}.opening.json"]
    )
    assert "not JSON" in told["refused"][f"receipts/{'b' * 20}.opening.json"]
    assert [entry["kind"] for entry in log("show", "round")["entries"]] == ["statement"]


def test_a_forged_checkpoint_raises_no_false_alarm(log: Log, folder: RoundFolder) -> None:
    log("commit", "bundle", "round", "--out", "opening.json", "--key", "keeper")
    data = (folder.log / "checkpoint").read_bytes()
    (folder.root.parent / "kept").write_bytes(data.replace(b"\n1\n", b"\n2\n"))
    assert "bad signature" in log("verify", "round", "--since", "kept")
