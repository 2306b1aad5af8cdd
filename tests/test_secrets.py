from pathlib import Path

import pytest
from run_folders import DECLARED, subject, write_training_run

from harness.system import System
from submissions import secrets as module
from submissions.bundle import Bundle
from submissions.pack import pack
from submissions.secrets import find_secrets, personal_words


def bundle_with(folder: Path, notes: str) -> Bundle:
    from dataclasses import replace

    declared = DECLARED.model_copy(update={"notes": notes})
    system: System = subject().system.model_copy(update={"declared": declared})
    write_training_run(folder / "run", 1, subject=replace(subject(), system=system))
    return pack([folder / "run"], "acme", "practice", folder / "bundle")


@pytest.mark.parametrize(
    ("notes", "what"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
        ("-----BEGIN PRIVATE KEY-----", "a private key"),
        ("token ghp_" + "a1" * 18, "an access token"),
        ("AKIA" + "ABCD" * 4, "an access token"),
        ("made by ada at noon", "the user"),
        ("mail ada.l+hpc@mail.example.org today", "an e-mail address"),
        ("in /Users/grace/bench", "a home folder"),
        ("see /home/ada/notes", "the home"),
    ],
)
def test_a_secret_is_found_with_its_place(tmp_path: Path, notes: str, what: str) -> None:
    words = {"the user": "ada", "the home": "/home/ada"}
    found = find_secrets(bundle_with(tmp_path, notes), words)
    lines = (tmp_path / "bundle/system.json").read_text().split("\n")
    assert what in [secret.what for secret in found]
    assert all(notes in lines[secret.line - 1] for secret in found)
    assert str(found[0]).startswith(f"system.json:{found[0].line}: ")


@pytest.mark.parametrize("notes", ["", "a private key is kept elsewhere", "adaptive", "armada"])
def test_plain_text_is_not_suspected(tmp_path: Path, notes: str) -> None:
    assert find_secrets(bundle_with(tmp_path, notes), {"the user": "ada"}) == []


def test_a_kind_is_told_once_a_file_with_its_number(tmp_path: Path) -> None:
    bundle = bundle_with(tmp_path, "ada and ada")
    (found,) = find_secrets(bundle, {"the user": "ada"})
    assert (found.times, ", 2 times" in str(found)) == (2, True)


def test_versions_in_a_description_are_no_addresses(tmp_path: Path) -> None:
    assert find_secrets(bundle_with(tmp_path, "library 12.1.105.1"), {}) == []


def test_names_that_say_nothing_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.getpass, "getuser", lambda: "root")
    monkeypatch.setattr(module.socket, "gethostname", lambda: "ada-laptop")
    monkeypatch.setattr(module.Path, "home", lambda: Path("/root"))
    assert personal_words() == {"this machine's host name": "ada-laptop"}


def test_a_user_without_a_name_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(module.getpass, "getuser", nameless)
    assert "this machine's user name" not in personal_words()
