"""From the files of a bundle to its submission: each read once, checked, paid for, parsed."""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from harness.capacity import Search
from harness.errors import LevelfieldError
from harness.intents import Line
from harness.records import Result
from harness.system import System
from rules.submission import Entry, RunEvidence, Submission
from submissions.allowance import Allowance, weight
from submissions.container import Container
from submissions.evidence import read_claim, read_run
from submissions.intents import read_log
from submissions.layout import (
    INTENTS,
    OFFICIAL_SYSTEM,
    RESULT,
    RESULTS,
    SEARCH,
    SYSTEM,
    Role,
    role_of,
)
from submissions.line_slices import slices
from submissions.manifest import File, Manifest, bundle_id
from submissions.strict_json import AnyRecord, read_record

MAX_RECORD_BYTES = 2**18
MAX_SYSTEM_BYTES = 2**20
"""A cluster's description names each accelerator: 5,120 of them take 626 kB."""
MAX_MANIFEST_BYTES = 2**20
"""Enough for `MAX_FILES`; nothing else is in memory yet when it is read."""
MAX_INTENTS_BYTES = 2**22

_ReadRun = Callable[[str, Mapping[str, bytes]], RunEvidence]
_ReadRunFolder = Callable[[str], RunEvidence]


class Files:
    """The files of a manifest while a submission is made of them: each is read once."""

    def __init__(self, container: Container, manifest: Manifest, allowance: Allowance) -> None:
        self.paths = [file.path for file in manifest.files]
        self.container = container
        self.manifest = manifest
        self.allowance = allowance
        self._unread = {file.path: file for file in manifest.files}

    def read(self, path: str, most: int = MAX_RECORD_BYTES) -> bytes:
        """The bytes of a file that may have ``most``."""
        check_record(path, self._unread[path].size, most)
        return checked(self.container, self._unread.pop(path))

    def record(self, model: type[AnyRecord], path: str) -> AnyRecord:
        """The record at ``path``, paid for."""
        found = read_record(model, self.read(path), path)
        self.allowance.spend(path, weight(found))
        return found

    def of_run(self, folder: str, *, logs: bool) -> dict[str, bytes]:
        """The files of a run by name; those that nobody parses are empty here, and read later."""
        paths = [path for path in self.paths if path.startswith(f"{folder}/")]
        parsed = [path for path in paths if path.endswith("/run.json") or (logs and _logged(path))]
        self.allowance.ask(folder, sum(self._unread[path].size for path in parsed))
        for path in parsed:
            if role_of(path) is Role.RUN:
                check_record(path, self._unread[path].size)
        return {
            path.rpartition("/")[2]: checked(self.container, self._unread.pop(path))
            if path in parsed
            else b""
            for path in paths
        }

    def check_unread(self) -> None:
        """Hash what was not read."""
        for file in self._unread.values():
            checked(self.container, file)


def read_submission(manifest: Manifest, digest: str, files: Files, *, logs: bool) -> Submission:
    """The content of a bundle, whose manifest has the SHA-256 ``digest``.

    `LevelfieldError` for a record that cannot be read, or for claims that are not the runs'.
    """
    paths = files.paths
    if SYSTEM not in paths:
        raise LevelfieldError(f"{SYSTEM}: not in the manifest; pack the runs again")
    system = files.read(SYSTEM, MAX_SYSTEM_BYTES)
    results = [path for path in paths if path.startswith(f"{RESULTS}/")]
    folders = sorted({"/".join(path.split("/")[:3]) for path in results})
    _check_origin(manifest)
    official = manifest.origin is not None
    of_run: _ReadRun = partial(read_run, allowance=files.allowance, official=official)
    read_folder = partial(_read_run_folder, files, of_run if logs else read_claim, logs=logs)
    return Submission(
        bundle_id=bundle_id(digest),
        manifest_sha256=digest,
        submitter=manifest.submitter,
        round=manifest.round,
        system=read_record(System, system, SYSTEM),
        system_sha256=hashlib.sha256(system).hexdigest(),
        entries=tuple(_read_entry(folder, files, read_folder) for folder in folders),
        origin=manifest.origin,
        judgeable=logs,
        intents=_read_intents(files),
    )


def _read_intents(files: Files) -> tuple[Line, ...] | None:
    if INTENTS not in files.paths:
        return None
    data = files.read(INTENTS, MAX_INTENTS_BYTES)
    deque(slices(data, INTENTS), maxlen=0)  # refuses a line that is too long to be parsed
    lines = read_log(data, INTENTS)
    files.allowance.spend(INTENTS, weight(lines))
    return lines


def _check_origin(manifest: Manifest) -> None:
    held = [file.path for file in manifest.files if file.role is Role.OFFICIAL]
    if manifest.origin is None and held:
        raise LevelfieldError(f"{held[0]}: only an imported bundle has one; remove it, pack again")
    if manifest.origin is not None and OFFICIAL_SYSTEM not in held:
        raise LevelfieldError(f"{OFFICIAL_SYSTEM}: not in the manifest; import the results again")


def _read_entry(folder: str, files: Files, read_run_folder: _ReadRunFolder) -> Entry:
    inside = [path for path in files.paths if path.startswith(f"{folder}/")]
    where = f"{folder}/{RESULT}"
    if where not in inside:
        raise LevelfieldError(f"{where}: not in the manifest, though runs are; pack them again")
    result = files.record(Result, where)
    if folder != f"{RESULTS}/{result.workload}/{result.scenario.value}":
        raise LevelfieldError(f"{where}: speaks of another workload or scenario than its folder")
    names = {path.split("/")[3] for path in inside if path.count("/") == 4}
    _check_claims(where, result, names)
    return Entry(
        path=folder,
        result=result,
        runs=tuple(read_run_folder(f"{folder}/{name}") for name in result.runs),
        search=_read_search(f"{folder}/{SEARCH}", files, result),
    )


def _read_search(where: str, files: Files, result: Result) -> Search | None:
    if where not in files.paths:
        return None
    search = files.record(Search, where)
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


def _read_run_folder(files: Files, of_run: _ReadRun, folder: str, *, logs: bool) -> RunEvidence:
    evidence = of_run(folder, files.of_run(folder, logs=logs))
    run = evidence.run
    if folder.split("/")[1:3] != [run.workload, run.scenario.value]:
        raise LevelfieldError(
            f"{folder}/run.json: speaks of another workload or scenario than its folder; pack again"
        )
    return evidence


def checked(container: Container, file: File) -> bytes:
    """The bytes of one file of a manifest; `LevelfieldError` if they are not those."""
    data = container.read(file.path, file.size)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise LevelfieldError(
            f"{file.path}: its SHA-256 differs from the manifest's; "
            "the file was changed after packing, restore it or pack again"
        )
    return data


def _logged(path: str) -> bool:
    return role_of(path) is not Role.OUTPUT


def check_record(path: str, size: int, most: int = MAX_RECORD_BYTES) -> None:
    """Refuse a file of one record that is larger than ``most`` bytes."""
    if size > most:
        raise LevelfieldError(
            f"{path}: larger than {most} bytes, as no such record is; refused, pack again"
        )
