"""Both readings of an imported round, a bundle at a time, and the official one for people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from harness.events import many_logs
from rules.mlperf.case import Points
from rules.mlperf.log import OfficialResult
from rules.mlperf.official import DirectoryVerdict, official_reading
from rules.mlperf.strict import check
from rules.mlperf.terms import OfficialRound
from rules.rule import Finding
from submissions.mlperf_imported import ImportedRound, read_system
from submissions.mlperf_jobs import in_order

OFFICIAL_HEADER = [
    "submitter", "system", "benchmark", "files", "dropped", "minutes", "scaled by", "convergence",
    "verdict",
]  # fmt: skip


def read_officially(imported: ImportedRound, jobs: int = 1) -> list[DirectoryVerdict]:
    """The official reading of every directory, by submitter, system and benchmark.

    ``jobs`` systems are read at a time.
    """
    work = partial(_officially, imported.terms, imported.points)
    with many_logs(), closing(in_order(work, imported.bundles, jobs)) as found:
        return [verdict for own in found for verdict in own]


def _officially(terms: OfficialRound, points: Points, folder: Path) -> list[DirectoryVerdict]:
    return [
        official_reading(result, terms, points.get(result.benchmark, {}))
        for result in read_system(folder)
    ]


def read_strictly(imported: ImportedRound, jobs: int = 1) -> list[Finding]:
    """What the strict reading has against every submitter's results, in the order of its rules.

    ``jobs`` submitters are read at a time, since some rules compare all that one hands in.
    """
    work = partial(_strictly, imported.terms, imported.points)
    with many_logs(), closing(in_order(work, imported.submitters, jobs)) as found:
        return [finding for own in found for finding in own]


def _strictly(terms: OfficialRound, points: Points, folders: Sequence[Path]) -> list[Finding]:
    return check(_one_by_one(folders), terms, points)


def _one_by_one(folders: Iterable[Path]) -> Iterator[OfficialResult]:
    """All results of a submitter; no more than two systems' logs are in memory."""
    for folder in folders:
        yield from read_system(folder)


def as_json(verdicts: Iterable[DirectoryVerdict]) -> dict[str, Any]:
    """The official reading for machines, with the names under which its tools' results are kept."""
    return {"results": [one.model_dump() for one in verdicts]}


def official_rows(verdicts: Iterable[DirectoryVerdict]) -> list[list[str]]:
    """The official reading for people, a row a directory."""
    return [
        [
            one.submitter,
            one.system,
            one.benchmark,
            str(one.n_files),
            str(one.dropped),
            _number(one.score_with_rcp_scaling, ".3f"),
            _number(one.scaling_after, ".4f"),
            one.rcp_msg or "not asked",
            "; ".join(one.rejected) or "accepted",
        ]
        for one in verdicts
    ]


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def remarks(verdicts: Iterable[DirectoryVerdict]) -> list[str]:
    """What the official checker has against files, errors and warnings, those alike in a line."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in verdicts:
        where = f"{one.submitter}/{one.system}/{one.benchmark}"
        for name, file in one.files.items():
            for kind, texts in (("error", file.errors), ("warning", file.warnings)):
                for text in texts:
                    found.setdefault((where, kind, text), []).append(name)
    return [
        f"{where}/{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: {kind}: {text}"
        for (where, kind, text), names in found.items()
    ]


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings each rule has, in the order of the rules."""
    return dict(Counter(finding.rule for finding in findings))
