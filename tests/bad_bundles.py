"""Bundles that must be refused, each with its reason: ``python tests/bad_bundles.py FOLDER``."""

import hashlib
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from run_folders import write_signed_bundle
from searches import searched

from harness.records import Scenario
from submissions.manifest import Manifest, describe
from submissions.zip_reader import CENTRAL, END, LOCAL

Files = dict[str, bytes]
RUN = "results/toy/offline/run_2"
SEARCH = "results/toy/offline/search.json"


@dataclass(frozen=True)
class Bad:
    """What is done to a good bundle, and what the refusal says."""

    spoil: Callable[[Path], None]
    reason: str
    """A regular expression."""


def files_of(root: Path) -> Files:
    """The content of a folder by relative path."""
    found = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def zip_bytes(files: Mapping[str, bytes], *, pack: bool = False, **change: int) -> bytes:
    """A zip of ``files``; ``change`` sets fields of the first entry's two headers."""
    data, directory = b"", b""
    for number, (name, content) in enumerate(files.items()):
        packed = deflated(content) if pack else content
        fields = {"version": 20, "flags": 0, "method": 8 * pack, "time": 0, "date": 33}
        fields |= {"crc": zlib.crc32(content), "packed": len(packed), "size": len(content)}
        other = {"made_by": 3 << 8, "attributes": 0o100644 << 16, "extra": 0}
        for key, value in change.items() if number == 0 else ():
            (fields if key in fields else other)[key] = value
        shared, raw, extra = tuple(fields.values()), name.encode("latin-1"), b"x" * other["extra"]
        central = (other["made_by"], *shared, len(raw), len(extra), 0, 0, 0, other["attributes"])
        directory += CENTRAL.pack(b"PK\1\2", *central, len(data)) + raw + extra
        data += LOCAL.pack(b"PK\3\4", *shared, len(raw), 0) + raw + packed
    end = END.pack(b"PK\5\6", 0, 0, len(files), len(files), len(directory), len(data), 0)
    return data + directory + end


def deflated(data: bytes) -> bytes:
    """``data`` as a zip's deflated entry holds them."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


def repack(root: Path, changes: Mapping[str, bytes]) -> None:
    """Write ``changes``, and a manifest that agrees with them: as whoever made the bundle could."""
    shutil.rmtree(root / "attestations", ignore_errors=True)
    for path, data in changes.items():
        (root / path).write_bytes(data)
    old = Manifest.model_validate_json((root / "manifest.json").read_bytes())
    paths = sorted({file.path for file in old.files} | changes.keys())
    lines = tuple(describe(path, (root / path).read_bytes()) for path in paths)
    new = old.model_copy(update={"files": lines})
    (root / "manifest.json").write_bytes(new.to_bytes())


def with_first(member: bytes) -> Callable[[bytes], bytes]:
    """JSON text with one more member at the start of its first object."""
    return lambda text: text.replace(b"{", b"{" + member + b", ", 1)


JSON: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "duplicate-key": (with_first(b'"odd": 1, "odd": 1'), "duplicate key 'odd'"),
    "duplicate-escaped-key": (with_first(b'"odd": 1, "\\u006fdd": 1'), "duplicate key 'odd'"),
    "nan": (with_first(b'"odd": NaN'), "NaN is not JSON"),
    "infinity": (with_first(b'"odd": -Infinity'), "-Infinity is not JSON"),
    "1e999": (with_first(b'"odd": 1e999'), "1e999 is infinite"),
    "minus-zero": (with_first(b'"odd": -0'), "minus zero"),
    "minus-zero-float": (with_first(b'"odd": -0.0'), "minus zero"),
    "large-integer": (with_first(b'"odd": 9007199254740992'), r"beyond 2\^53-1"),
    "many-digits": (with_first(b'"odd": ' + b"9" * 5000), r"beyond 2\^53-1"),
    "deep-nesting": (with_first(b'"odd": ' + b"[" * 33 + b"]" * 33), "deeper than 32"),
    "endless-nesting": (with_first(b'"odd": ' + b"[" * 50_000), "deeper than 32"),
    "lone-surrogate": (with_first(b'"odd": "\\ud800"'), "lone surrogate"),
}
ENCODINGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "byte-order-mark": (lambda text: b"\xef\xbb\xbf" + text, "byte order mark"),
    "utf-16": (lambda text: text.decode().encode("utf-16"), "byte order mark"),
    "utf-16-unmarked": (lambda text: text.decode().encode("utf-16-le"), "NUL bytes"),
    "latin-1": (with_first(b'"odd": "\xe9"'), "not UTF-8"),
    "not-json": (lambda text: text[:-2], "not JSON"),
}
KINDS = {
    "system": "system.json",
    "result": "results/toy/offline/result.json",
    "search": SEARCH,
    "run": f"{RUN}/run.json",
    "telemetry": f"{RUN}/telemetry.jsonl",
    "answers": f"{RUN}/answers.jsonl",
}
"""The files of a bundle that are JSON, or JSON lines; beside them manifest, log, attestation."""
_SAMPLE = b'{"time_ms": 1, "source": "cpu", "values": {}}'
_NEW = {SEARCH: searched(Scenario.OFFLINE).to_json().encode()}


def _in_record(path: str, attack: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        held = _NEW.get(path) or (root / path).read_bytes().strip() or _SAMPLE
        repack(root, {path: attack(held)})

    return spoil


def _in_manifest(attack: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        path = root / "manifest.json"
        path.write_bytes(attack(path.read_bytes()))

    return spoil


def _in_attestation(attack: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        (path,) = (root / "attestations").iterdir()
        data = attack(path.read_bytes())
        path.unlink()
        name = f"{hashlib.sha256(data).hexdigest()[:16]}.dsse.json"
        (root / "attestations" / name).write_bytes(data)

    return spoil


def _json() -> dict[str, Bad]:
    attacks = {**JSON, **ENCODINGS}
    bad = {
        f"{kind}-{name}": Bad(_in_record(path, attack), rf"^{path}(:[0-9]+)?: .*{reason}")
        for kind, path in KINDS.items()
        for name, (attack, reason) in attacks.items()
    }
    for name, (attack, reason) in attacks.items():
        bad[f"manifest-{name}"] = Bad(_in_manifest(attack), rf"^manifest\.json: .*{reason}")
        bad[f"attestation-{name}"] = Bad(_in_attestation(attack), rf"^attestations/.*{reason}")
    return bad


def edited(path: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """One file of a signed bundle changed afterwards; the manifest stays as it was."""
    return lambda root: (root / path).write_bytes(change((root / path).read_bytes())) and None


def _added(path: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"{}")

    return spoil


def _flip(data: bytes) -> bytes:
    return data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]


TAMPERED = {
    "edited": Bad(edited(f"{RUN}/events.log", _flip), rf"^{RUN}/events.log: its SHA-256 differs"),
    "lengthened": Bad(edited("system.json", lambda d: d + b"\n"), "^system.json: its size differs"),
    "shortened": Bad(edited(f"{RUN}/queries.npy", lambda d: d[:-1]), "queries.npy: its size diff"),
    "emptied": Bad(edited(f"{RUN}/run.json", lambda _: b""), "run.json: its size differs"),
    "removed": Bad(lambda root: (root / f"{RUN}/answers.jsonl").unlink(), "answers.jsonl: missing"),
    "added": Bad(_added(f"{RUN}/output.txt"), "output.txt: additional"),
    "added-beside": Bad(_added("readme.txt"), "^readme.txt: additional"),
    "attestation-edited": Bad(
        lambda root: edited(f"attestations/{next((root / 'attestations').iterdir()).name}", _flip)(
            root
        ),
        "^attestations/.*SHA-256 differs from its name",
    ),
    "attestation-renamed": Bad(
        lambda root: (
            next((root / "attestations").iterdir()).rename(root / "attestations/a.json") and None
        ),
        "^attestations/a.json: additional",
    ),
    "manifest-edited": Bad(
        edited("manifest.json", lambda d: d.replace(b'"acme"', b'"acne"')), "its subject is"
    ),
    "manifest-removed": Bad(lambda root: (root / "manifest.json").unlink(), "no manifest.json"),
    "signature-stripped": Bad(lambda root: shutil.rmtree(root / "attestations"), "unsigned"),
    "manifest-indented": Bad(_in_manifest(lambda d: d.replace(b",", b", ", 1)), "canonical"),
}
"""Refused alike in a folder and in a zip."""
BAD = {**TAMPERED, **_json()}


def _renamed(name: str) -> Callable[[Path], None]:
    return lambda root: (root / "system.json").rename(root / name) and None


def _linked(root: Path) -> None:
    (root / "system.json").rename(root.parent / "outside")
    (root / "system.json").symlink_to(root.parent / "outside")


def _folder_linked(root: Path) -> None:
    (root / "results").rename(root.parent / "elsewhere")
    (root / "results").symlink_to(root.parent / "elsewhere")


def _piped(root: Path) -> None:
    (root / "system.json").unlink()
    os.mkfifo(root / "system.json")


NAMES = {
    "backslash": ("a\\b", "characters"),
    "control": ("a\x1b[2J", "characters"),
    "bidirectional": ("a\u202egpj.exe", "characters"),
    "zero-width": ("a\u200bb", "characters"),
    "accent": ("é", "characters"),
    "drive": ("C:a", "characters"),
    "leading-dot": (".git", "begins with a dot"),
    "leading-dash": ("-rf", "begins with a dot or a dash"),
    "trailing-dot": ("a.", "ends with a dot"),
    "device": ("nul.txt", "reserves for a device"),
    "long": ("a" * 101, "longer than 100"),
}
FOLDERS = {
    "symbolic-link": Bad(_linked, "^system.json: a symbolic link"),
    "folder-link": Bad(_folder_linked, "^results: a symbolic link"),
    "hard-link": Bad(
        lambda root: (root.parent / "twin").hardlink_to(root / "system.json"), "a hard link"
    ),
    "pipe": Bad(_piped, "^system.json: not a plain file"),
    "set-user-id": Bad(lambda root: (root / "system.json").chmod(0o4755), "set-user-id"),
    "empty-folder": Bad(lambda root: (root / "more").mkdir(), "^more: additional folder"),
    "deep-folders": Bad(lambda root: (root / "a/b/c/d/e/f").mkdir(parents=True), "too deep"),
    **{f"name-{key}": Bad(_renamed(n), f"as a path: .*{why}") for key, (n, why) in NAMES.items()},
}
"""Refused in a folder."""


def _named(name: str) -> Callable[[Files], bytes]:
    return lambda files: zip_bytes({**files, name: b"{}"})


def _first_of_kind(attributes: int) -> Callable[[Files], bytes]:
    return lambda files: zip_bytes(files, attributes=attributes)


def _twice(files: Files) -> bytes:
    other = "system.jsoN"
    return zip_bytes({**files, other: b"{}"}).replace(other.encode(), b"system.json")


def _overlapping(files: Files) -> bytes:
    """The last entry of the directory points at the first one's local header."""
    data = zip_bytes(files)
    at = data.rindex(b"PK\1\2") + CENTRAL.size - 4
    return data[:at] + bytes(4) + data[at + 4 :]


def _lying(files: Files) -> bytes:
    """Declares fewer bytes than its data unfold to."""
    first = next(iter(files))
    return zip_bytes(files, pack=True, size=len(files[first]) - 1)


ZIP_NAMES = {
    "parent": ("../up", "dotted part"),
    "absolute": ("/etc/passwd", "absolute"),
    "nul": ("a\0b", "characters"),
    "case": ("SYSTEM.json", "upper and lower case"),
    "folder": ("more/", "absolute, or with an empty"),
    **{key: NAMES[key] for key in ("backslash", "control", "accent", "drive", "device")},
}
ZIPS: dict[str, tuple[Callable[[Files], bytes], str]] = {
    **{f"name-{key}": (_named(name), why) for key, (name, why) in ZIP_NAMES.items()},
    "symbolic-link": (_first_of_kind(0o120777 << 16), "a symbolic link"),
    "device": (_first_of_kind(0o020644 << 16), "not a plain file"),
    "pipe": (_first_of_kind(0o010644 << 16), "not a plain file"),
    "set-user-id": (_first_of_kind(0o104755 << 16), "set-user-id"),
    "bomb": (
        lambda files: zip_bytes({"a": bytes(2**24), **files}, pack=True),
        "for 16777216; one may stand for 200",
    ),
    "huge": (lambda files: zip_bytes(files, size=2**31), "a file may have"),
    "overlapping": (_overlapping, "overlaps another entry"),
    "lying-size": (_lying, "size differs|end elsewhere"),
    "encrypted": (lambda files: zip_bytes(files, flags=1), "encrypted"),
    "data-descriptor": (lambda files: zip_bytes(files, flags=8), "data descriptor"),
    "name-twice": (_twice, "^system.json: two entries have this name"),
    "polyglot": (lambda files: b"#!/bin/sh\n" + zip_bytes(files), "before its first entry"),
    "trailing": (lambda files: zip_bytes(files) + b"more", "behind its end"),
    "comment": (lambda files: zip_bytes(files)[:-2] + b"\1\0c", "a comment"),
    "joined": (lambda files: zip_bytes(files) * 2, "before its first entry"),
    "cut": (lambda files: zip_bytes(files)[:-1], "not a zip"),
    "empty": (lambda _: b"", "not a zip"),
    "wrong-crc": (lambda files: zip_bytes(files, crc=1), "its CRC differs"),
}
"""Refused in a zip, with the reason."""


def main(folder: Path) -> None:
    """Make every bad bundle, with a list of the reasons."""
    folder.mkdir(parents=True)
    reasons = []
    with tempfile.TemporaryDirectory() as made:
        good = write_signed_bundle(Path(made))
        for name, bad in {**BAD, **{f"folder-{n}": b for n, b in FOLDERS.items()}}.items():
            root = Path(shutil.copytree(good, folder / name / "bundle"))
            bad.spoil(root)
            reasons.append(f"{name}/bundle: {bad.reason}\n")
        for name, (spoil, reason) in ZIPS.items():
            (folder / f"{name}.zip").write_bytes(spoil(files_of(good)))
            reasons.append(f"{name}.zip: {reason}\n")
    (folder / "reasons.txt").write_text("".join(reasons), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
