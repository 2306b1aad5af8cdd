"""Every bad bundle is refused by name, in a folder and in a zip."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_bundles import BAD, FOLDERS, JSON, RUN, ZIPS, Bad, files_of, repack, zip_bytes
from conftest import Command
from run_folders import write_signed_bundle

from harness.errors import LevelfieldError
from submissions.attestation import verify
from submissions.bundle import Bundle
from submissions.keys import Keyring


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_signed_bundle(tmp_path_factory.mktemp("good"))


@pytest.fixture
def root(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "bundle"))


def refuse(bundle: Path, keyring: Path, reason: str) -> None:
    with pytest.raises(LevelfieldError, match=reason) as refusal:
        verify(Bundle.open(bundle), Keyring.read(keyring))
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_bundle_is_refused_by_name(good: Path, root: Path, bad: Bad) -> None:
    bad.spoil(root)
    refuse(root, good.parent / "keyring.json", bad.reason)
    zipped = root.with_name("bundle.zip")
    zipped.write_bytes(zip_bytes(files_of(root)))
    refuse(zipped, good.parent / "keyring.json", bad.reason)


@pytest.mark.parametrize("bad", FOLDERS.values(), ids=FOLDERS)
def test_a_bad_folder_is_refused_by_name(good: Path, root: Path, bad: Bad) -> None:
    bad.spoil(root)
    refuse(root, good.parent / "keyring.json", bad.reason)


@pytest.mark.parametrize(("spoil", "reason"), ZIPS.values(), ids=ZIPS)
def test_a_bad_zip_is_refused_by_name(
    good: Path, tmp_path: Path, spoil: Callable[[dict[str, bytes]], bytes], reason: str
) -> None:
    (tmp_path / "bad.zip").write_bytes(spoil(files_of(good)))
    refuse(tmp_path / "bad.zip", good.parent / "keyring.json", reason)


@pytest.mark.parametrize(("attack", "reason"), JSON.values(), ids=JSON)
def test_an_event_in_doubtful_json_counts_as_a_broken_line(
    root: Path, attack: Callable[[bytes], bytes], reason: str
) -> None:
    first, mark, rest = (root / f"{RUN}/events.log").read_bytes().partition(b":::MLLOG ")
    repack(root, {f"{RUN}/events.log": first + mark + attack(rest)})
    (broken,) = Bundle.open(root).submission.entries[0].runs[1].log.broken
    assert broken.line == 1
    assert re.search(reason, broken.reason)


def test_a_good_bundle_is_good_in_both_forms(good: Path, tmp_path: Path) -> None:
    (tmp_path / "good.zip").write_bytes(zip_bytes(files_of(good), pack=True))
    for path in (good, tmp_path / "good.zip"):
        assert verify(Bundle.open(path), Keyring.read(good.parent / "keyring.json")).level == "L1"


@pytest.mark.parametrize("name", ["edited", "manifest-deep-nesting", "attestation-nan"])
def test_the_command_line_refuses_in_one_line(
    levelfield: Command, good: Path, root: Path, name: str
) -> None:
    BAD[name].spoil(root)
    done = levelfield("verify", str(root), "--keyring", str(good.parent / "keyring.json"))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("levelfield: ")
    assert done.err.count("\n") == 1
