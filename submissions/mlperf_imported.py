"""Reads an imported official round back: its bundles as official results, with what judges them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from harness.errors import LevelfieldError, UsageError
from rules.mlperf.log import OfficialResult, OfficialRun
from rules.mlperf.points import OfficialPoints
from rules.mlperf.terms import OfficialRound, read_official_round
from rules.submission import Entry, Origin
from submissions.bundle import Bundle
from submissions.layout import MANIFEST, OFFICIAL_SYSTEM, scaling_path
from submissions.mlperf_layout import read_object, read_scaling, read_text
from submissions.mlperf_training import POINTS
from submissions.strict_json import read_record


@dataclass(frozen=True)
class ImportedRound:
    """An imported round, or one bundle of it."""

    terms: OfficialRound
    points: Mapping[str, Mapping[int, Sequence[float]]]
    """By benchmark and batch size, when each run of the reference converged."""
    bundles: tuple[Path, ...]
    """Folders of the bundles, by submitter and system."""

    def results(self) -> Iterator[list[OfficialResult]]:
        """Official results, a system at a time."""
        for folder in self.bundles:
            yield read_system(folder)

    @property
    def submitters(self) -> list[tuple[Path, ...]]:
        """The folders of each submitter's bundles."""
        groups = groupby(self.bundles, key=lambda folder: folder.parent)
        return [tuple(folders) for _, folders in groups]


def find_imported(path: Path) -> ImportedRound | None:
    """The imported round at ``path``, which may also be one of its bundles; none if it is neither.

    `LevelfieldError` for an imported bundle that was taken away from its round's points.
    """
    if (path / POINTS).is_file():
        bundles = tuple(sorted(found.parent for found in path.glob(f"*/*/{MANIFEST}")))
        if not bundles:
            raise UsageError(f"{path}: holds no bundles; import the results again")
        return _read(path, bundles)
    root = path.absolute().parent.parent
    if (path / MANIFEST).is_file() and (root / POINTS).is_file():
        return _read(root, (path,))
    if (path / MANIFEST).is_file() and (path / OFFICIAL_SYSTEM).is_file():
        raise LevelfieldError(
            f"{path}: imported, and apart from its round's {POINTS}, by which it is judged; name "
            "it in the folder that the import wrote"
        )
    return None


def _read(root: Path, bundles: tuple[Path, ...]) -> ImportedRound:
    kept = read_record(OfficialPoints, read_text(root, POINTS), str(root / POINTS))
    return ImportedRound(read_official_round(kept.round), kept.by_benchmark(), bundles)


def read_system(folder: Path) -> list[OfficialResult]:
    """The official results of the system whose imported bundle lies in ``folder``."""
    return official_results(Bundle.open(folder))


def official_results(bundle: Bundle) -> list[OfficialResult]:
    """The official results that an imported bundle holds, by benchmark."""
    origin = bundle.submission.origin
    if origin is None:
        raise LevelfieldError(f"{bundle.root}: not imported; check it without --reading")
    description = read_object(bundle.read(OFFICIAL_SYSTEM), f"{bundle.root}/{OFFICIAL_SYSTEM}")
    sizes = {file.path: file.size for file in bundle.manifest.files}
    folder = f"{origin.submitter}/{origin.system}"
    return [
        OfficialResult(
            submitter=origin.submitter,
            system=origin.system,
            benchmark=entry.result.workload,
            path=f"{folder}/{entry.path}",
            runs=_runs(entry, origin, sizes),
            published_scaling=_scaling(bundle, entry.result.workload, sizes),
            description=description,
            description_file=f"{folder}/{OFFICIAL_SYSTEM}",
            scaling_file=f"{folder}/{scaling_path(entry.result.workload)}",
        )
        for entry in bundle.submission.entries
    ]


def _runs(entry: Entry, origin: Origin, sizes: Mapping[str, int]) -> tuple[OfficialRun, ...]:
    return tuple(
        OfficialRun(
            name=f"{evidence.path.rpartition('/')[2]}.txt",
            file=f"{origin.submitter}/{origin.system}/{evidence.file('events.log')}",
            log=evidence.log,
            size=sizes[evidence.file("events.log")],
        )
        for evidence in entry.runs
    )


def _scaling(bundle: Bundle, benchmark: str, sizes: Mapping[str, int]) -> float | None:
    path = scaling_path(benchmark)
    return read_scaling(bundle.read(path), f"{bundle.root}/{path}") if path in sizes else None
