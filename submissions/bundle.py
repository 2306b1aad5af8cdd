"""A bundle: a folder or zip whose every byte is accounted for; the one source of submissions."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from harness.capacity import Search
from harness.errors import LevelfieldError
from harness.records import Result
from harness.system import System
from rules.submission import Entry, RunEvidence, Submission
from submissions.container import Container, open_container
from submissions.evidence import read_claim, read_run
from submissions.intents import read_log
from submissions.layout import (
    ATTESTATIONS,
    INTENTS,
    MANIFEST,
    OFFICIAL_SYSTEM,
    RESULT,
    RESULTS,
    SEARCH,
    SYSTEM,
    Role,
    is_attestation,
    is_named_after,
)
from submissions.manifest import File, Manifest, bundle_id, read_manifest
from submissions.strict_json import read_record

MAX_ATTESTATION_BYTES = 2**20

_Read = Callable[[str], bytes]
_ReadRun = Callable[[str, Mapping[str, bytes]], RunEvidence]


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
    def open(cls, path: Path, *, logs: bool = True) -> Self:
        """Read the bundle in the folder or zip ``path``; each file once, hashed and then parsed.

        Without ``logs``, what the runs logged is hashed only: enough to know who vouches for
        which claims, and no rule judges it.

        `LevelfieldError` names the file and the reason: whatever the container's scan refuses, a
        manifest that is not canonical, a changed, missing or additional file, a record that
        cannot be read, a claimed run that is not there.
        """
        # (0) size limits and (1) the strict scan of the container
        container = open_container(path)
        sizes, folders = container.sizes()
        if MANIFEST not in sizes:
            raise LevelfieldError(f"{path}: no {MANIFEST}; not a bundle, make one with pack")
        # (2) strict parsing, of the same bytes that are hashed
        data = container.read(MANIFEST, sizes[MANIFEST])
        manifest, digest = read_manifest(data), hashlib.sha256(data).hexdigest()
        _check_presence(manifest, set(sizes), folders)
        attestations = {
            name: _read_attestation(container, name, size)
            for name, size in sizes.items()
            if is_attestation(name)
        }
        # (7) every file, as its role demands
        unread = {file.path: file for file in manifest.files}
        submission = _read_submission(
            manifest, digest, lambda name: _checked(container, unread.pop(name)), logs=logs
        )
        for file in unread.values():
            _checked(container, file)
        return cls(container, manifest, digest, submission, attestations)

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
                return _checked(self.container, file)
        raise LevelfieldError(f"{path}: not in the bundle's manifest; see {MANIFEST} for its files")


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


def _read_attestation(container: Container, path: str, size: int) -> bytes:
    if size > MAX_ATTESTATION_BYTES:
        raise LevelfieldError(f"{path}: larger than {MAX_ATTESTATION_BYTES} bytes; remove it")
    data = container.read(path, size)
    if not is_named_after(path, data):
        raise LevelfieldError(f"{path}: its SHA-256 differs from its name; copy the file back")
    return data


def attestation_path(data: bytes) -> str:
    """Where in a bundle the envelope ``data`` lies."""
    return f"{ATTESTATIONS}/{hashlib.sha256(data).hexdigest()[:16]}.dsse.json"


def _checked(container: Container, file: File) -> bytes:
    data = container.read(file.path, file.size)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise LevelfieldError(
            f"{file.path}: its SHA-256 differs from the manifest's; "
            "the file was changed after packing, restore it or pack again"
        )
    return data


def _read_submission(manifest: Manifest, digest: str, read: _Read, *, logs: bool) -> Submission:
    paths = [file.path for file in manifest.files]
    if SYSTEM not in paths:
        raise LevelfieldError(f"{SYSTEM}: not in the manifest; pack the runs again")
    system = read(SYSTEM)
    results = [path for path in paths if path.startswith(f"{RESULTS}/")]
    folders = sorted({"/".join(path.split("/")[:3]) for path in results})
    _check_origin(manifest)
    of_run: _ReadRun = partial(read_run, official=manifest.origin is not None)
    return Submission(
        bundle_id=bundle_id(digest),
        manifest_sha256=digest,
        submitter=manifest.submitter,
        round=manifest.round,
        system=read_record(System, system, SYSTEM),
        system_sha256=hashlib.sha256(system).hexdigest(),
        entries=tuple(
            _read_entry(folder, paths, read, of_run if logs else read_claim) for folder in folders
        ),
        origin=manifest.origin,
        judgeable=logs,
        intents=read_log(read(INTENTS), INTENTS) if INTENTS in paths else None,
    )


def _check_origin(manifest: Manifest) -> None:
    held = [file.path for file in manifest.files if file.role is Role.OFFICIAL]
    if manifest.origin is None and held:
        raise LevelfieldError(f"{held[0]}: only an imported bundle has one; remove it, pack again")
    if manifest.origin is not None and OFFICIAL_SYSTEM not in held:
        raise LevelfieldError(f"{OFFICIAL_SYSTEM}: not in the manifest; import the results again")


def _read_entry(folder: str, paths: list[str], read: _Read, of_run: _ReadRun) -> Entry:
    inside = [path for path in paths if path.startswith(f"{folder}/")]
    where = f"{folder}/{RESULT}"
    if where not in inside:
        raise LevelfieldError(f"{where}: not in the manifest, though runs are; pack them again")
    result = read_record(Result, read(where), where)
    if folder != f"{RESULTS}/{result.workload}/{result.scenario.value}":
        raise LevelfieldError(f"{where}: speaks of another workload or scenario than its folder")
    names = {path.split("/")[3] for path in inside if path.count("/") == 4}
    _check_claims(where, result, names)
    return Entry(
        path=folder,
        result=result,
        runs=tuple(
            _read_run_folder(f"{folder}/{name}", inside, read, of_run) for name in result.runs
        ),
        search=_read_search(f"{folder}/{SEARCH}", inside, read, result),
    )


def _read_search(where: str, inside: list[str], read: _Read, result: Result) -> Search | None:
    if where not in inside:
        return None
    search = read_record(Search, read(where), where)
    if search.scenario != result.scenario:
        raise LevelfieldError(f"{where}: speaks of another scenario than its folder; pack again")
    return search


def _check_claims(where: str, result: Result, present: set[str]) -> None:
    for name in result.runs:
        if name not in present:
            raise LevelfieldError(f"{where}: claims the run {name}, which is missing; pack again")
    for name in sorted(present - set(result.runs)):
        raise LevelfieldError(f"{where}: does not claim the run {name}, which is there; pack again")
    if len(set(result.runs)) != len(result.runs):
        raise LevelfieldError(f"{where}: claims a run twice; pack again")


def _read_run_folder(folder: str, inside: list[str], read: _Read, of_run: _ReadRun) -> RunEvidence:
    names = [path.split("/")[4] for path in inside if path.startswith(f"{folder}/")]
    evidence = of_run(folder, {name: read(f"{folder}/{name}") for name in names})
    run = evidence.run
    if folder.split("/")[1:3] != [run.workload, run.scenario.value]:
        raise LevelfieldError(
            f"{folder}/run.json: speaks of another workload or scenario than its folder; pack again"
        )
    return evidence
