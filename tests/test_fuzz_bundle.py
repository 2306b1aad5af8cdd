"""Any change of a byte is refused by name, without a crash, and nothing is written meanwhile."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bad_bundles import files_of, zip_bytes
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from run_folders import write_signed_bundle

from harness.cli import cli
from harness.errors import LevelfieldError
from submissions.attestation import verify
from submissions.bundle import Bundle
from submissions.keys import Keyring

KINDS = ("flip", "insert", "delete", "duplicate")


@dataclass(frozen=True)
class Good:
    """A good bundle, to be spoilt and mended."""

    root: Path
    files: dict[str, bytes]
    keyring: Path

    @property
    def zipped(self) -> Path:
        return self.root.with_suffix(".zip")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Good]:
    root = write_signed_bundle(tmp_path_factory.mktemp("fuzzed"))
    files = files_of(root)
    yield Good(root, files, root.parent / "keyring.json")
    assert files_of(root) == files


def changed(data: bytes, kind: str, at: int, byte: int) -> bytes:
    """``data`` with one byte flipped, inserted, deleted or repeated."""
    at %= len(data) + (kind == "insert") or 1
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ (byte or 1)]) + data[at + 1 :] if data else b"x"
    if kind == "insert":
        return data[:at] + bytes([byte]) + data[at:]
    if kind == "delete":
        return data[:at] + data[at + 1 :] if data else b"x"
    return data[: at + 1] + data[at:] if data else b"x"


def outcome(path: Path, keyring: Path) -> Bundle | str:
    """The bundle, if it opens and verifies; else the reason."""
    try:
        bundle = Bundle.open(path)
        verify(bundle, Keyring.read(keyring))
    except LevelfieldError as error:
        return str(error)
    return bundle


CHANGES = {
    "number": st.integers(0, 10_000),
    "kind": st.sampled_from(KINDS),
    "at": st.integers(0, 2**20),
    "byte": st.integers(0, 255),
}


@given(**CHANGES)
@settings(deadline=None, max_examples=150)
def test_any_changed_byte_of_any_file_is_refused_by_name(
    good: Good, number: int, kind: str, at: int, byte: int
) -> None:
    name = sorted(good.files)[number % len(good.files)]
    path, data = good.root / name, good.files[name]
    try:
        path.write_bytes(changed(data, kind, at, byte))
        reason = outcome(good.root, good.keyring)
    finally:
        path.write_bytes(data)
    assert isinstance(reason, str), f"{name}: {kind} at {at} was not noticed"
    assert reason.isprintable()
    assert name in reason or name == "manifest.json"


@given(**CHANGES)
@settings(deadline=None, max_examples=150)
def test_any_changed_byte_of_a_zip_is_refused_or_leaves_the_bundle_the_same(
    good: Good, number: int, kind: str, at: int, byte: int
) -> None:
    """Deflate can say the same in several ways, and nobody signs a zip."""
    data = zip_bytes(good.files, pack=bool(number % 2))
    good.zipped.write_bytes(changed(data, kind, at, byte))
    found = outcome(good.zipped, good.keyring)
    if isinstance(found, str):
        assert found.isprintable()
        return
    held = {file.path: found.read(file.path) for file in found.manifest.files}
    held |= {"manifest.json": found.manifest.to_bytes(), **found.attestations}
    assert held == good.files


@given(st.binary(max_size=300), st.integers(0, 2**20))
@settings(deadline=None, max_examples=100)
def test_any_bytes_in_a_zip_are_refused_or_harmless(good: Good, noise: bytes, at: int) -> None:
    data = zip_bytes(good.files)
    start = at % len(data)
    good.zipped.write_bytes(data[:start] + noise + data[start + len(noise) :])
    found = outcome(good.zipped, good.keyring)
    assert isinstance(found, str) or found.read("system.json") == good.files["system.json"]


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=60)
def test_any_manifest_is_refused(good: Good, text: bytes) -> None:
    try:
        (good.root / "manifest.json").write_bytes(text)
        reason = outcome(good.root, good.keyring)
    finally:
        (good.root / "manifest.json").write_bytes(good.files["manifest.json"])
    assert isinstance(reason, str)
    assert reason.startswith("manifest.json: ")


@pytest.mark.parametrize("name", ["manifest.json", "system.json", "attestations", "queries.npy"])
@pytest.mark.parametrize("command", ["check", "verify"])
def test_the_commands_refuse_a_changed_byte(
    good: Good, tmp_path: Path, name: str, command: str
) -> None:
    root = Path(shutil.copytree(good.root, tmp_path / "bundle"))
    path = next(root / path for path in sorted(good.files) if name in path)
    path.write_bytes(changed(path.read_bytes(), "flip", 7, 1))
    before = files_of(root)
    words = [command, str(root), *(["--keyring", str(good.keyring)] * (command == "verify"))]
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, LevelfieldError)
    assert done.output == ""
    assert files_of(root) == before
