import hashlib
from pathlib import Path

import pytest

from harness.errors import LevelfieldError, UsageError
from submissions.log_entry import LogEntry, read_entry
from submissions.round_folder import RoundFolder, RoundInfo

INFO = RoundInfo(round="practice", nonce="0" * 32, origin="levelfield.example/practice")
ENTRY = LogEntry(
    envelope="a" * 64, subject="b" * 20, predicate_type="urn:x", actor="acme", kind="statement"
)


@pytest.fixture
def folder(tmp_path: Path) -> RoundFolder:
    return RoundFolder.create(tmp_path / "round", INFO)


def test_a_round_tells_its_name_and_is_made_once(folder: RoundFolder) -> None:
    assert folder.info() == INFO
    with pytest.raises(LevelfieldError, match="exists already"):
        RoundFolder.create(folder.root, INFO)


def test_another_folder_is_no_round(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no round\.json"):
        RoundFolder(tmp_path).info()


def test_an_envelope_is_found_by_its_digest(folder: RoundFolder) -> None:
    digest = folder.write_envelope(b"{}")
    assert digest == hashlib.sha256(b"{}").hexdigest()
    (folder.events / "\x1b[2J.dsse.json").write_bytes(b"{}")
    assert folder.envelopes() == (digest,)
    assert folder.read_envelope(digest) == b"{}"


def test_a_missing_changed_huge_or_linked_envelope_is_refused(folder: RoundFolder) -> None:
    digest = folder.write_envelope(b"{}")
    with pytest.raises(LevelfieldError, match="missing, though"):
        folder.read_envelope("0" * 64)
    folder.envelope_path(digest).write_bytes(b"[]")
    with pytest.raises(LevelfieldError, match="differs from its name"):
        folder.read_envelope(digest)
    folder.envelope_path(digest).write_bytes(b" " * (2**20 + 1))
    with pytest.raises(LevelfieldError, match="larger than 1048576 bytes"):
        folder.read_envelope(digest)
    folder.events.rename(folder.root / "elsewhere")
    folder.events.symlink_to("elsewhere")
    with pytest.raises(LevelfieldError, match="symbolic link"):
        folder.read_envelope(digest)


def test_bundles_are_listed_and_no_submitter_takes_the_rounds_own_folders(
    folder: RoundFolder,
) -> None:
    path = folder.bundle_path("acme", "b" * 20)
    path.mkdir(parents=True)
    (path / "manifest.json").write_bytes(b"{}")
    for odd in ("ac\x1bme/" + "b" * 20, "acme/\x1b[2J", "log/" + "b" * 20):
        (folder.root / odd).mkdir(parents=True)
        (folder.root / odd / "manifest.json").write_bytes(b"{}")
    assert list(folder.bundles()) == [("acme", "b" * 20, path)]
    with pytest.raises(LevelfieldError, match="that folder is the round's"):
        folder.bundle_path("events", "b" * 20)


def test_a_leaf_reads_back_and_only_in_its_canonical_form() -> None:
    assert read_entry(ENTRY.to_bytes(), "leaf") == ENTRY
    with pytest.raises(LevelfieldError, match="not in canonical form"):
        read_entry(ENTRY.to_json().encode(), "leaf")
    with pytest.raises(LevelfieldError, match="larger than 65535 bytes"):
        read_entry(b" " * 65_536, "leaf")
