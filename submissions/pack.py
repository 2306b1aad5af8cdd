"""Packs finished runs into a bundle; whatever stops it, nothing half-made is left."""

import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.capacity import Search
from harness.errors import LevelfieldError, UsageError
from harness.records import METRIC_OF, Result, Run, RunStatus, Scenario
from harness.system import System
from rules.round import Round, read_round
from rules.scoring import score
from rules.submission import RunEvidence
from submissions.bundle import Bundle
from submissions.container import Folder
from submissions.evidence import read_run
from submissions.intents import log_for
from submissions.keys import check_organisation
from submissions.layout import (
    INTENTS,
    MANIFEST,
    RESULT,
    RESULTS,
    SEARCH,
    SYSTEM,
    check_path,
    files_of,
)
from submissions.manifest import Manifest, describe
from submissions.redaction import Redactor
from submissions.strict_json import read_record
from workloads.catalogue import load_points

PROBES = "probes"
"""Folder beside a search's run in which its shorter runs lie."""


@dataclass(frozen=True)
class _Source:
    """A run folder that may be packed."""

    folder: Path
    run: Run
    system: bytes
    files: Mapping[str, bytes]


def pack(
    runs: Sequence[Path],
    submitter: str,
    round_name: str,
    out: Path,
    redactor: Redactor | None = None,
    intents: Path | None = None,
) -> Bundle:
    """Pack run folders, or folders that hold run folders, into a new bundle at ``out``.

    Runs are grouped by workload and scenario, ordered by their start and renamed ``run_1`` …;
    of each folder only the files that such a run has are taken. Claims are scored by the round.
    A training run that failed is taken along, for every started run counts: as a lost one.
    A ``search.json`` beside run folders of its scenario goes with their result; its probes do not.
    A ``redactor`` cleans the free text of every run. The log ``intents`` of the runs that were
    started goes along, if there is one, with what is of other results hidden.

    `UsageError` for an unknown round, a submitter that is no identifier, or no runs;
    `LevelfieldError`, with nothing left behind, for an ``out`` that exists or cannot be written,
    a run that is incomplete or given twice, an inference run that failed, runs of different
    systems or divisions, or two searches for one result.
    """
    check_organisation(submitter)
    round_ = read_round(round_name)
    if out.exists() or out.is_symlink():
        raise LevelfieldError(f"{out}: exists already; choose another --out")
    sources = [_read_source(folder, redactor) for folder in _run_folders(runs)]
    _check_same_system(sources)
    _check_distinct_runs(sources)
    files = {SYSTEM: sources[0].system}
    for group in _groups(sources):
        files |= _result_files(group, round_)
    if intents and intents.exists():
        shown = {(source.run.workload, source.run.scenario) for source in sources}
        files[INTENTS] = log_for(_read(intents), str(intents), shown)
    manifest = Manifest(
        round=round_name,
        nonce=secrets.token_hex(16),
        submitter=submitter,
        files=tuple(describe(path, files[path]) for path in sorted(files)),
    )
    return _write(out, {MANIFEST: manifest.to_bytes(), **files})


def _run_folders(paths: Iterable[Path]) -> list[Path]:
    folders: list[Path] = []
    for path in paths:
        if not path.is_dir():
            raise UsageError(f"{path}: no such folder; name the folders that levelfield run wrote")
        if (path / "run.json").exists():
            folders.append(path)
            continue
        inside = sorted(p for p in path.iterdir() if p.is_dir() and _may_hold_a_run(p.name))
        for folder in inside:
            if not (folder / "run.json").exists():
                raise LevelfieldError(f"{folder}: holds no run.json, so no run; move it away")
        if not inside:
            raise UsageError(f"{path}: holds no runs; name the folders that levelfield run wrote")
        folders += inside
    if not folders:
        raise UsageError("pack: no runs; name the folders that levelfield run wrote")
    return folders


def _may_hold_a_run(name: str) -> bool:
    """The runs of a search's probes stay behind: ``search.json`` tells what they gave."""
    return not name.startswith(".") and name != PROBES


def _read_source(folder: Path, redactor: Redactor | None) -> _Source:
    def read(name: str) -> bytes:
        data = _read(folder / name)
        return redactor.clean(name, data) if redactor else data

    data = read("run.json")
    run = read_record(Run, data, f"{folder}/run.json")
    if run.status is RunStatus.INCOMPLETE:
        raise LevelfieldError(
            f"{folder}: incomplete: the run was killed or is still going; leave it out, run again"
        )
    if run.status is RunStatus.FAILED and run.scenario is not Scenario.TRAIN:
        raise LevelfieldError(
            f"{folder}: failed: {run.error or 'no reason given'}; leave it out, run again"
        )
    files = {name: read(name) for name in sorted(files_of(run) - {"run.json"})}
    return _Source(folder, run, _read(folder / SYSTEM), {"run.json": data, **files})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LevelfieldError(
            f"{path}: cannot be read: {error.strerror}; leave the run out, run again"
        ) from error


def _check_same_system(sources: Sequence[_Source]) -> None:
    first = sources[0]
    described = read_record(System, first.system, f"{first.folder}/{SYSTEM}")
    for source in sources:
        if source.system != first.system:
            other = read_record(System, source.system, f"{source.folder}/{SYSTEM}")
            field = _first_difference(described.model_dump(), other.model_dump())
            raise LevelfieldError(
                f"{source.folder}: another system than {first.folder}: {field} differs; "
                "a bundle describes one system, pack them apart"
            )
        if source.run.system_sha256 != described.digest:
            raise LevelfieldError(
                f"{source.folder}/{SYSTEM}: not the system that run.json names; run again"
            )


def _first_difference(one: Any, other: Any, path: str = "") -> str:
    """Dotted path of the first field in which two dumped records differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in [*one, *(name for name in other if name not in one)]:
            if one.get(name) != other.get(name):
                return _first_difference(one.get(name), other.get(name), f"{path}.{name}")
    return path.removeprefix(".") or "the file's form"


def _check_distinct_runs(sources: Sequence[_Source]) -> None:
    seen: dict[str, Path] = {}
    for source in sources:
        other = seen.setdefault(source.run.id, source.folder)
        if other is not source.folder:
            raise LevelfieldError(
                f"{source.folder}: the same run as {other} (id {source.run.id}); name it once"
            )


def _groups(sources: Sequence[_Source]) -> list[list[_Source]]:
    groups: dict[tuple[str, Scenario], list[_Source]] = {}
    for source in sorted(sources, key=lambda source: (source.run.started_ms, source.run.id)):
        groups.setdefault((source.run.workload, source.run.scenario), []).append(source)
    for group in groups.values():
        for source in group:
            if source.run.division is not group[0].run.division:
                raise LevelfieldError(
                    f"{source.folder}: {source.run.division.value} division, but "
                    f"{group[0].folder} is {group[0].run.division.value}; "
                    "a result has one division, pack them apart"
                )
    return list(groups.values())


def _result_files(group: Sequence[_Source], round_: Round) -> dict[str, bytes]:
    first = group[0].run
    folder = f"{RESULTS}/{first.workload}/{first.scenario.value}"
    names = tuple(f"run_{number}" for number in range(1, len(group) + 1))
    # Read from where the runs lie now, so that a message names a file that the user has.
    evidence: list[RunEvidence] = [read_run(str(s.folder), s.files) for s in group]
    result = Result(
        workload=first.workload,
        scenario=first.scenario,
        division=first.division,
        metric=METRIC_OF[first.scenario],
        value=score(first.scenario, evidence, round_, load_points(first.workload)),
        runs=names,
    )
    files = {f"{folder}/{RESULT}": result.to_json().encode()}
    if search := _search(group):
        files[f"{folder}/{SEARCH}"] = search
    for name, source in zip(names, group, strict=True):
        files |= {f"{folder}/{name}/{file}": data for file, data in source.files.items()}
    return files


def _search(group: Sequence[_Source]) -> bytes | None:
    """The search that lies beside the run folders of ``group``, if one does."""
    beside = dict.fromkeys(source.folder.parent / SEARCH for source in group)
    found = {path: _read(path) for path in beside if path.exists()}
    own = {
        path: data
        for path, data in found.items()
        if read_record(Search, data, str(path)).scenario is group[0].run.scenario
    }
    if len(own) > 1:
        raise LevelfieldError(
            f"{' and '.join(map(str, own))}: two searches for one result; move one away"
        )
    return next(iter(own.values()), None)


def _write(out: Path, files: Mapping[str, bytes]) -> Bundle:
    """Write a draft beside ``out``, open it as anybody would, and only then give it its name."""
    draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}.draft")
    try:
        for path, data in files.items():
            check_path(path)
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_bytes(data)
        bundle = Bundle.open(draft, large=True)
        draft.rename(out)
    except OSError as error:
        raise LevelfieldError(
            f"{out}: cannot be written: {error.strerror}; make room, then pack again"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return replace(bundle, container=Folder(out))
