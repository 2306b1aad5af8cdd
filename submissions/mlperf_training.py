"""Imports MLPerf Training's published results: a bundle a submitter and system, byte for byte."""

import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.errors import LevelfieldError
from harness.events import many_logs, parse_events
from harness.records import METRIC_OF, Division, Result, RunStatus, Scenario
from harness.system import System
from rules.mlperf.log import OfficialRun
from rules.mlperf.official import olympic_minutes
from rules.mlperf.points import OfficialPoints
from rules.mlperf.terms import OfficialRound, read_official_round
from rules.submission import Origin
from submissions.layout import (
    MANIFEST,
    OFFICIAL_SYSTEM,
    RESULT,
    RESULTS,
    SYSTEM,
    check_path,
    scaling_path,
)
from submissions.manifest import File, Manifest, bundle_id, describe
from submissions.mlperf_jobs import in_order
from submissions.mlperf_layout import (
    OfficialFolder,
    read_folders,
    read_object,
    read_points,
    read_scaling,
)
from submissions.mlperf_records import division_of, slug, to_run, to_system

POINTS = "points.json"
"""File of the reference's points, beside the submitters' folders."""

Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Imported:
    """What became of one system's results."""

    folder: str
    """``<submitter>/<system>``, the bundle's folder."""
    bundle_id: str
    logs: int
    results: dict[str, float | None]
    """By benchmark, the score in seconds that was published; none if the runs give none."""
    skipped: tuple[str, ...]
    """Folders of benchmarks that the round does not have."""


@dataclass
class _Draft:
    """A bundle that is being written."""

    root: Path
    files: list[File] = field(default_factory=list)
    _made: set[Path] = field(default_factory=set)

    def add(self, path: str, data: bytes) -> None:
        check_path(path)
        target = self.root / path
        if target.parent not in self._made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(target.parent)
        target.write_bytes(data)
        self.files.append(describe(path, data))


def import_training(
    results: Path, rcps: Path, round_name: str, out: Path, told: Told, jobs: int = 1
) -> list[Imported]:
    """Make bundles under ``out`` of the official results in ``results``, which stay untouched.

    The points in ``rcps`` are kept beside them. ``told`` hears of each system before it is waited
    for. ``jobs`` systems are read at a time.

    `UsageError` for an unknown round or a folder of another kind; `LevelfieldError`, with nothing
    left behind, for an ``out`` that exists or lies in ``results``, or for what `read_folders`,
    `read_points` and the readers of single files refuse.
    """
    terms, points = read_official_round(round_name), read_points(rcps)
    if out.exists() or out.is_symlink():
        raise LevelfieldError(f"{out}: exists already; choose another --out")
    if out.resolve().is_relative_to(results.resolve()):
        raise LevelfieldError(f"{out}: lies in the results, which stay as they are; choose another")
    folders = [
        folder
        for folder in read_folders(results)
        if any(name in terms.benchmarks for name in folder.benchmarks)
    ]
    draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}.draft")
    try:
        draft.mkdir(parents=True)
        kept = OfficialPoints(round=round_name, points=tuple(points))
        (draft / POINTS).write_text(kept.to_json(), "utf-8")
        found = _import_folders(folders, terms, draft, told, jobs)
        draft.rename(out)
    except OSError as error:
        raise LevelfieldError(
            f"{out}: cannot be written: {error.strerror}; make room, then import again"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return found


def _import_folders(
    folders: Sequence[OfficialFolder], terms: OfficialRound, out: Path, told: Told, jobs: int
) -> list[Imported]:
    found = []
    work = partial(_import_folder, terms, out)
    with many_logs(), closing(in_order(work, folders, jobs)) as made:
        for number, folder in enumerate(folders):
            told(f"{folder.submitter}/{folder.system}", number, len(folders))
            found.append(next(made))
    return found


def _import_folder(terms: OfficialRound, out: Path, folder: OfficialFolder) -> Imported:
    name = f"{folder.submitter}/{folder.system}"
    draft, text = _Draft(out / name), folder.description()
    described = read_object(text, f"{folder.submitter}/systems/{folder.system}.json")
    system = to_system(folder.system, folder.submitter, described)
    draft.add(SYSTEM, system.to_json().encode())
    draft.add(OFFICIAL_SYSTEM, text)
    known = [benchmark for benchmark in folder.benchmarks if benchmark in terms.benchmarks]
    results = {
        benchmark: _import_benchmark(folder, benchmark, terms, system, draft) for benchmark in known
    }
    manifest = Manifest(
        round=terms.name,
        nonce=secrets.token_hex(16),
        submitter=slug(folder.submitter),
        files=tuple(sorted(draft.files, key=lambda file: file.path)),
        origin=Origin(
            kind="mlperf-training",
            source=f"{terms.title}, as {terms.source.partition(',')[0]} published it",
            submitter=folder.submitter,
            system=folder.system,
        ),
    ).to_bytes()
    (draft.root / MANIFEST).write_bytes(manifest)
    return Imported(
        folder=name,
        bundle_id=bundle_id(describe(SYSTEM, manifest).sha256),
        logs=sum(len(folder.logs(benchmark)) for benchmark in known),
        results=results,
        skipped=tuple(one for one in folder.benchmarks if one not in known),
    )


def _import_benchmark(
    folder: OfficialFolder, benchmark: str, terms: OfficialRound, system: System, draft: _Draft
) -> float | None:
    """Write one benchmark's runs and its result; the score in seconds."""
    where = f"{RESULTS}/{benchmark}/{Scenario.TRAIN.value}"
    names, minutes, division = [], [], Division.CLOSED
    for path in folder.logs(benchmark):
        data, name = folder.read(path), path.split("/")[1].removesuffix(".txt")
        log = parse_events(data, passing_over=terms.passed_over.encode())
        file = f"{where}/{name}/events.log"
        official = OfficialRun(f"{name}.txt", f"{draft.root.name}/{file}", log, len(data))
        run = to_run(official, benchmark, terms.benchmarks[benchmark], system)
        draft.add(file, data)
        draft.add(f"{where}/{name}/run.json", run.to_json().encode())
        draft.add(f"{where}/{name}/telemetry.jsonl", b"")
        names.append(name)
        division = division_of(official)
        if run.status is RunStatus.COMPLETE and run.duration_ns is not None:
            minutes.append(run.duration_ns / 1e6 / 60 / 1000)
    mean = olympic_minutes(minutes, len(names) - len(minutes), terms)
    value = None if mean is None else mean * 60 * _scaling(folder, benchmark, draft)
    result = Result(
        workload=benchmark,
        scenario=Scenario.TRAIN,
        division=division,
        metric=METRIC_OF[Scenario.TRAIN],
        value=value,
        runs=tuple(names),
    )
    draft.add(f"{where}/{RESULT}", result.to_json().encode())
    return value


def _scaling(folder: OfficialFolder, benchmark: str, draft: _Draft) -> float:
    text = folder.scaling(benchmark)
    if text is None:
        return 1.0
    draft.add(scaling_path(benchmark), text)
    return read_scaling(
        text, f"{folder.submitter}/results/{folder.system}/{benchmark}/scaling.json"
    )
