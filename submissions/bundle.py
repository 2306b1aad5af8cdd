"""A bundle: a folder or zip whose every byte is accounted for; the one source of submissions."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.errors import LevelfieldError
from rules.submission import Submission
from submissions.allowance import LARGE_CONTENT_BYTES, MAX_CONTENT_BYTES, Allowance
from submissions.container import Container, open_container
from submissions.content import (
    MAX_MANIFEST_BYTES,
    Files,
    check_record,
    checked,
    read_submission,
)
from submissions.layout import ATTESTATIONS, MANIFEST, is_attestation, is_named_after
from submissions.manifest import Manifest, bundle_id, read_manifest

MAX_ATTESTATION_BYTES = 2**20

_BORROWS_NOT = b'"borrowed_from": null'


@dataclass(frozen=True)
class Bundle:
    """A bundle that has been read whole and found to be what its manifest says."""

    container: Container
    manifest: Manifest
    manifest_sha256: str
    submission: Submission
    attestations: Mapping[str, bytes]
    """Raw envelopes by path in the bundle. Their signatures have *not* been checked."""

    @classmethod
    def open(cls, path: Path, *, logs: bool = True, large: bool = False) -> Self:
        """Read the bundle in the folder or zip ``path``; each file once, hashed and then parsed.

        Without ``logs``, what the runs logged is hashed only: enough to know who vouches for
        which claims, and no rule judges it. A ``large`` bundle may take up gigabytes of memory,
        any other `MAX_CONTENT_BYTES`.

        `LevelfieldError` names the file and the reason: whatever the container's scan refuses, a
        manifest that is not canonical, a changed, missing or additional file, a record that
        cannot be read, a claimed run that is not there.
        """
        allowance = Allowance(LARGE_CONTENT_BYTES if large else MAX_CONTENT_BYTES)
        files, digest, attestations = _begin(path, allowance)
        # (7) every file, as its role demands
        submission = read_submission(files.manifest, digest, files, logs=logs)
        files.check_unread()
        return cls(files.container, files.manifest, digest, submission, attestations)

    @property
    def root(self) -> Path:
        """The folder or zip that it was opened from."""
        return self.container.path

    @property
    def id(self) -> str:
        """Short name of the bundle, made from the manifest's digest."""
        return self.submission.bundle_id

    def read(self, path: str) -> bytes:
        """A file's bytes, checked against the manifest once more; `LevelfieldError` if changed."""
        for file in self.manifest.files:
            if file.path == path:
                return checked(self.container, file)
        raise LevelfieldError(f"{path}: not in the bundle's manifest; see {MANIFEST} for its files")


def _begin(path: Path, allowance: Allowance) -> tuple[Files, str, dict[str, bytes]]:
    """The files that a bundle's manifest lists, still unread, its digest, and the envelopes."""
    # (0) size limits and (1) the strict scan of the container
    container = open_container(path)
    sizes, folders = container.sizes()
    if MANIFEST not in sizes:
        raise LevelfieldError(f"{path}: no {MANIFEST}; not a bundle, make one with pack")
    # (2) strict parsing, of the same bytes that are hashed
    check_record(MANIFEST, sizes[MANIFEST], MAX_MANIFEST_BYTES)
    data = container.read(MANIFEST, sizes[MANIFEST])
    manifest, digest = read_manifest(data), hashlib.sha256(data).hexdigest()
    _check_presence(manifest, set(sizes), folders)
    attestations = {
        name: _read_attestation(container, name, size, allowance)
        for name, size in sizes.items()
        if is_attestation(name)
    }
    return Files(container, manifest, allowance), digest, attestations


@dataclass(frozen=True)
class Fingerprint:
    """What tells whether a bundle has changed."""

    manifest_sha256: str
    attestations: tuple[str, ...]
    """Paths, which are named after their content."""
    may_borrow: bool
    """Whether a run may name another bundle, from which it has its hyperparameters."""


def fingerprint(path: Path, *, large: bool = False) -> Fingerprint:
    """Hash every file of a bundle and parse nothing but the manifest.

    `LevelfieldError` as of `Bundle.open`, but for what the records and logs hold.
    """
    allowance = Allowance(LARGE_CONTENT_BYTES if large else MAX_CONTENT_BYTES)
    files, digest, attestations = _begin(path, allowance)
    records = [files.read(name) for name in files.paths if name.endswith("/run.json")]
    files.check_unread()
    plain = all(_BORROWS_NOT in record and b"\\" not in record for record in records)
    return Fingerprint(digest, tuple(sorted(attestations)), may_borrow=not plain)


def _check_presence(manifest: Manifest, found: set[str], folders: set[str]) -> None:
    listed = {file.path for file in manifest.files}
    for path in sorted(listed - found):
        raise LevelfieldError(f"{path}: missing, though the manifest lists it; copy the file back")
    for path in sorted(found - listed - {MANIFEST}):
        if not is_attestation(path):
            raise LevelfieldError(f"{path}: additional, the manifest does not list it; remove it")
    needed = {ATTESTATIONS} | {
        path[:end] for path in listed for end, mark in enumerate(path) if mark == "/"
    }
    for path in sorted(folders - needed):
        raise LevelfieldError(f"{path}: additional folder, no listed file is in it; remove it")


def _read_attestation(container: Container, path: str, size: int, allowance: Allowance) -> bytes:
    if size > MAX_ATTESTATION_BYTES:
        raise LevelfieldError(f"{path}: larger than {MAX_ATTESTATION_BYTES} bytes; remove it")
    allowance.spend(path, size)
    data = container.read(path, size)
    if not is_named_after(path, data):
        raise LevelfieldError(f"{path}: its SHA-256 differs from its name; copy the file back")
    return data


def id_of(path: Path) -> str:
    """The id of the bundle in the folder or zip ``path``, from its manifest's bytes alone.

    `LevelfieldError` if there is no manifest.
    """
    container = open_container(path)
    size = container.sizes()[0].get(MANIFEST)
    if size is None:
        raise LevelfieldError(f"{path}: no {MANIFEST}; not a bundle, make one with pack")
    check_record(MANIFEST, size, MAX_MANIFEST_BYTES)
    return bundle_id(hashlib.sha256(container.read(MANIFEST, size)).hexdigest())


def attestation_path(data: bytes) -> str:
    """Where in a bundle the envelope ``data`` lies."""
    return f"{ATTESTATIONS}/{hashlib.sha256(data).hexdigest()[:16]}.dsse.json"
