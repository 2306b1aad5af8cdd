"""What an import of MLPerf Inference's published results leaves behind: a report.

Published logs hold no query's own time, so no bundle, whose rules recompute every number from
queries, can be made of them.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import LevelfieldError
from submissions.mlperf_inference import InferenceResult
from submissions.mlperf_tables import TableRow

ORIGIN = "published by MLCommons; imported, unverified by us"
RESULT_HEADER = ["result", "value", "recorded", "recomputed", "log does not decide", "findings"]


def write_report(
    out: Path, round_name: str, results: Sequence[InferenceResult], rows: Sequence[TableRow]
) -> Path:
    """Write ``report.json`` into the new folder ``out``; `LevelfieldError` if it exists."""
    report = {
        "round": round_name,
        "origin": ORIGIN,
        "results": [result.to_dict() for result in results],
        "compared": [row.model_dump(mode="json") for row in rows],
    }
    try:
        out.mkdir(parents=True)
        (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise LevelfieldError(
            f"--out {out}: cannot be written: {error.strerror}; choose another folder"
        ) from error
    return out / "report.json"


def disagreements(results: Sequence[InferenceResult], rows: Sequence[TableRow]) -> list[str]:
    """Where the logs contradict a recorded verdict or a table, a line each."""
    verdicts = [
        f"{result.location}: {check.name} is recorded as {check.recorded}: {check.why}"
        for result in results
        for check in result.checks
        if not check.agrees
    ]
    tables = [
        f"{one.table}, {one.location}: {one.why}" for one in rows if one.outcome == "different"
    ]
    return verdicts + tables


def result_rows(results: Sequence[InferenceResult]) -> list[list[str]]:
    """A row of text a result, under `RESULT_HEADER`."""
    return [
        [
            result.location.replace("/results/", "/", 1),
            "none" if result.value is None else f"{result.value:g} {result.unit}",
            _verdict(result, "recorded"),
            result.skipped or _verdict(result, "recomputed"),
            ", ".join(check.name for check in result.checks if check.recomputed is None),
            str(len(result.findings)) if result.findings else "",
        ]
        for result in results
    ]


def _verdict(result: InferenceResult, whose: str) -> str:
    check = result.check("valid")
    said = getattr(check, whose) if check else None
    return {True: "valid", False: "NOT valid", None: "–"}[said]


def remarks(results: Sequence[InferenceResult], rows: Sequence[TableRow]) -> Iterator[str]:
    """What a person should read below the table: refusals, findings, and rows by their outcome."""
    for result in results:
        for check in result.checks:
            if check.recomputed is False:
                yield f"{result.location}: {check.name}: {check.why}"
        for finding in result.findings:
            yield f"{result.location}: {finding}"
    for table in dict.fromkeys(row.table for row in rows):
        own = [row for row in rows if row.table == table]
        counts = {what: sum(row.outcome == what for row in own) for what in _OUTCOMES}
        yield f"{table}: " + ", ".join(f"{number} rows {what}" for what, number in counts.items())
        for row in own:
            if row.outcome != "equal":
                yield f"  {row.location}: {row.outcome}: {row.why}"


_OUTCOMES = ("equal", "different", "not compared")
