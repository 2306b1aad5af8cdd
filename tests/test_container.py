import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_bundles import deflated, zip_bytes
from conftest import Command
from run_folders import write_signed_bundle

from harness.errors import LevelfieldError, UsageError
from submissions import scan, zip_reader
from submissions.bundle import Bundle
from submissions.container import Folder, open_container
from submissions.zip_reader import CENTRAL, END, Zip
from submissions.zip_writer import write_zip


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_signed_bundle(tmp_path_factory.mktemp("signed")).parent


def zipped(path: Path, files: dict[str, bytes], **change: int) -> Path:
    path.write_bytes(zip_bytes(files, **change))
    return path


def test_a_zip_is_read_as_a_folder_is(tmp_path: Path) -> None:
    files = {"a/b.txt": b"123", "c.txt": b""}
    (tmp_path / "f/a").mkdir(parents=True)
    for name, data in files.items():
        (tmp_path / "f" / name).write_bytes(data)
    folder, found = Folder(tmp_path / "f"), Zip(zipped(tmp_path / "z", files))
    assert found.sizes() == folder.sizes() == ({"a/b.txt": 3, "c.txt": 0}, {"a"})
    assert found.read("a/b.txt", 3) == folder.read("a/b.txt", 3) == b"123"


def test_what_is_there_decides_how_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(zipped(tmp_path / "z", {"a": b"1"}))
    assert open_container(tmp_path / "link").sizes() == ({"a": 1}, set())
    assert isinstance(open_container(tmp_path), Folder)
    with pytest.raises(UsageError, match="no such folder or zip"):
        open_container(tmp_path / "none")


FORMS = {
    "encrypted": ({"flags": 1}, "encrypted"),
    "a data descriptor": ({"flags": 8}, "data descriptor"),
    "strong encryption": ({"flags": 0x2000}, "encrypted"),
    "an unknown flag": ({"flags": 0x8000}, "flags of unknown meaning"),
    "bzip2": ({"method": 12}, "compression method 12"),
    "zip64": ({"size": 2**32 - 1}, "zip64"),
    "a symbolic link": ({"attributes": 0o120777 << 16}, "symbolic link"),
    "a device": ({"attributes": 0o020644 << 16}, "not a plain file"),
    "a pipe": ({"attributes": 0o010644 << 16}, "not a plain file"),
    "a folder": ({"attributes": 0x10}, "not a plain file"),
    "set-user-id": ({"attributes": 0o104755 << 16}, "set-user-id"),
    "an extra field": ({"extra": 4}, "extra field"),
    "two sizes for one": ({"size": 2}, "two different sizes"),
    "too many fold": ({"size": 201 * 3}, "one may stand for 200 at most"),
}


@pytest.mark.parametrize(("change", "reason"), FORMS.values(), ids=FORMS)
def test_an_odd_entry_is_refused_by_name(
    tmp_path: Path, change: dict[str, int], reason: str
) -> None:
    with pytest.raises(LevelfieldError, match=f"^odd: .*{reason}"):
        Zip(zipped(tmp_path / "z", {"odd": b"123", "even": b"4"}, **change))


NAMES = {
    "../up": "dotted part", "/etc": "dotted part", "a//b": "dotted part", "C:x": "characters",
    "a\\b": "characters", "a\0b": "characters", "a\x1b": "characters", "é": "characters",
    ".git": "begins with a dot", "-rf": "begins with a dot", "nul.txt": "device",
    "x" * 101: "longer than 100", "a.": "ends with a dot", "a/": "dotted part",
}  # fmt: skip


@pytest.mark.parametrize(("name", "reason"), NAMES.items(), ids=range(len(NAMES)))
def test_a_name_outside_the_grammar_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(LevelfieldError, match=f"refused as a path: .*{reason}"):
        Zip(zipped(tmp_path / "z", {"a.txt": b"", name: b""}))


@pytest.mark.parametrize(
    ("names", "reason"),
    [(("A/x", "a/y"), "upper and lower case"), (("a", "a/b"), "a file and a folder at once")],
)
def test_names_that_collide_are_refused(
    tmp_path: Path, names: tuple[str, str], reason: str
) -> None:
    with pytest.raises(LevelfieldError, match=reason):
        Zip(zipped(tmp_path / "z", dict.fromkeys(names, b"")))


def replaced(old: bytes, new: bytes, count: int = 1) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old, new, count)


def moved_offset(data: bytes) -> bytes:
    """The second entry of the directory points at the first one's local header."""
    at = data.rindex(b"PK\1\2") + CENTRAL.size - 4
    return data[:at] + struct.pack("<I", 0) + data[at + 4 :]


def with_gap(data: bytes) -> bytes:
    """A byte between the entries, and every offset behind it put right."""
    cut, end = data.index(b"PK\3\4", 1), len(data) - END.size
    fields = list(END.unpack(data[end:]))
    fields[6] += 1
    at = data.rindex(b"PK\1\2") + CENTRAL.size - 4
    (offset,) = struct.unpack_from("<I", data, at)
    body = data[:at] + struct.pack("<I", offset + 1) + data[at + 4 : end]
    return body[:cut] + b"\0" + body[cut:] + END.pack(*fields)


def counted(number: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        fields = list(END.unpack(data[-END.size :]))
        fields[3] = fields[4] = number
        return data[: -END.size] + END.pack(*fields)

    return change


SHAPES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a comment": (lambda d: d[:-2] + b"\1\0c", "comment or other bytes behind"),
    "trailing bytes": (lambda d: d + b"\n", "other bytes behind its end"),
    "a prefix": (lambda d: b"#!/bin/sh\n" + d, "other bytes lie before its first entry"),
    "two zips joined": (lambda d: d + d, "other bytes lie before its first entry"),
    "overlap": (moved_offset, "two: overlaps another entry"),
    "a gap": (with_gap, "two: other bytes lie before it"),
    "local name differs": (replaced(b"one", b"six"), "one: its local header has another name"),
    "the same name twice": (replaced(b"two", b"one", 9), "one: two entries have this name"),
    "local size differs": (lambda d: d[:22] + b"\2" + d[23:], "another size than the directory"),
    "fewer entries": (counted(1), "holds 2 entries, its end says 1"),
    "more entries": (counted(3), "holds 2 entries, its end says 3"),
    "zip64": (counted(0xFFFF), "zip64"),
    "too many": (counted(0xFFFE), "more than 4000 files"),
    "nothing": (lambda _: b"", "not a zip"),
    "no zip": (lambda d: b"x" * len(d), "not a zip"),
    "cut short": (lambda d: d[:-1], "not a zip"),
    "directory spoilt": (replaced(b"PK\1\2", b"PK\1\3"), "something else than entries"),
    "local header spoilt": (replaced(b"PK\3\4", b"PK\3\5"), "no local header"),
}


@pytest.mark.parametrize(("spoil", "reason"), SHAPES.values(), ids=SHAPES)
def test_a_zip_that_could_be_read_in_two_ways_is_refused(
    tmp_path: Path, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    path = zipped(tmp_path / "z", {"one": b"123", "two": b"4"})
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(LevelfieldError, match=reason):
        Zip(path)


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("MAX_FILE_BYTES", "3 bytes; a file may have 2"),
        ("MAX_TOTAL_BYTES", "more than 2 bytes in all"),
        ("MAX_FILES", "more than 2 files"),
    ],
)
def test_limits_hold_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, reason: str
) -> None:
    path = zipped(tmp_path / "z", {"a": b"123", "b": b"", "c": b""})
    monkeypatch.setattr(scan, limit, 2)
    monkeypatch.setattr(zip_reader, "_unpacked", None)
    with pytest.raises(LevelfieldError, match=reason):
        Zip(path)


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (deflated(b"1234"), "expected 3 bytes, found more"),
        (deflated(b"12"), "only 2"),
        (deflated(b"124"), "CRC"),
        (deflated(b"123") + b"x", "end elsewhere"),
        (deflated(b"123")[:-1], "end elsewhere"),
        (b"\xff\xff\xff", "damaged"),
    ],
)
def test_data_that_are_not_as_declared_are_refused(
    tmp_path: Path, packed: bytes, reason: str
) -> None:
    change = {"method": 8, "size": 3, "crc": zlib.crc32(b"123")}
    with pytest.raises(LevelfieldError, match=f"^odd: .*{reason}"):
        Zip(zipped(tmp_path / "z", {"odd": packed}, **change)).read("odd", 3)


def test_a_bundle_and_its_zip_are_the_same(signed: Path, tmp_path: Path) -> None:
    bundle = Bundle.open(signed / "bundle")
    write_zip(bundle, tmp_path / "1.zip")
    write_zip(bundle, tmp_path / "2.zip")
    same = Bundle.open(tmp_path / "1.zip")
    assert (same.manifest_sha256, same.attestations) == (
        bundle.manifest_sha256,
        bundle.attestations,
    )
    assert same.read("system.json") == bundle.read("system.json")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with pytest.raises(LevelfieldError, match="exists already"):
        write_zip(bundle, tmp_path / "1.zip")


def test_a_bundle_that_changed_gives_no_zip(signed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(signed / "bundle", tmp_path / "bundle"))
    bundle = Bundle.open(root)
    (root / "system.json").write_bytes(b"{}")
    with pytest.raises(LevelfieldError, match=r"^system\.json: its size differs"):
        write_zip(bundle, tmp_path / "z.zip")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle"]


def test_the_commands_take_a_zip(levelfield: Command, signed: Path, tmp_path: Path) -> None:
    folder, keyring = str(signed / "bundle"), str(signed / "keyring.json")
    done = levelfield("zip", folder, "--out", "b.zip", "--json")
    assert (tmp_path / "b.zip").stat().st_size == done.json["bytes"]
    commands = ("check {}", "verify {} --keyring " + keyring, f"compare {{}} {folder}")
    for words in (command.split() for command in (*commands, "publish {} --out site")):
        of_zip, of_folder = (
            levelfield(*(word.format(path) for word in words)) for path in ("b.zip", folder)
        )
        assert of_zip == of_folder
    refused = levelfield("sign", "b.zip", "--key", str(signed / "key"))
    assert (refused.code, refused.out) == (1, "")
    assert "sign the folder, then zip that" in refused.err
