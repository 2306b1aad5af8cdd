"""The site's content as JSON, CSV and SQLite; the columns are described here and nowhere else."""

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.content import Content
from portal.listing import Listing
from portal.machine_view import mfu_by_run
from portal.measured import efficiency_of, of_unit, unit_of
from portal.quantities import for_people
from portal.rendering import write_page
from portal.scores import run_scores, score_interval, time_without_luck

Row = dict[str, Any]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Table:
    """One table of the downloads."""

    name: str
    about: str
    columns: tuple[tuple[str, str, str], ...]
    """Name, SQLite type, meaning."""


RESULTS = Table(
    "results",
    "A row a published result, refused ones too: see errors.",
    (
        ("id", "TEXT", "name of the result, as in its page's address"),
        ("bundle", "TEXT", "id of the bundle, from its manifest's SHA-256"),
        ("manifest_sha256", "TEXT", "SHA-256 of the bundle's manifest.json"),
        ("round", "TEXT", "round that the bundle was submitted to"),
        ("rankable", "INTEGER", "1 if the round ranks; 0 for practice"),
        ("workload", "TEXT", "workload"),
        ("scenario", "TEXT", "train, or one of inference: single_stream, multi_stream, …"),
        ("division", "TEXT", "closed or open"),
        ("submitter", "TEXT", "who submitted the bundle"),
        ("organisation", "TEXT", "who made the system, as declared"),
        ("system", "TEXT", "name of the system"),
        ("sut", "TEXT", "system under test, package.module:Class; null for training"),
        ("precision", "TEXT", "arithmetic that it was asked for, null if for none"),
        ("metric", "TEXT", "what value is"),
        ("value", "REAL", "the score, null if the runs give none"),
        ("low", "REAL", "lower end of value's 95 % interval, null where runs are too few for one"),
        ("high", "REAL", "upper end, null too where it is open because a run missed the target"),
        ("without_luck", "REAL", "training: seconds per sample times the reference's samples"),
        ("unit", "TEXT", "SI unit of value; what 1/s counts, metric says"),
        ("work", "TEXT", "what energy_j and cost are of: one training run, sample or token"),
        ("energy_j", "REAL", "energy of one work within energy_boundary, null if not measured"),
        ("energy_boundary", "TEXT", "the widest measured: package, board, node or wall"),
        ("cost", "REAL", "price of the machine's time for one work, null if it states none"),
        ("currency", "TEXT", "currency of cost"),
        (
            "rank",
            "INTEGER",
            "place on its leaderboard, shared by results that cannot be told "
            "apart, null if it has none",
        ),
        ("errors", "INTEGER", "findings that refuse it"),
        ("warnings", "INTEGER", "findings to know of"),
        ("trust", "TEXT", "trust level"),
        ("page", "TEXT", "its page, from the root of the site"),
    ),
)
RUNS = Table(
    "runs",
    "A row a run of a result.",
    (
        ("result", "TEXT", "id of the result"),
        ("number", "INTEGER", "number of the run within the result"),
        ("run", "TEXT", "the run's own random id"),
        ("mode", "TEXT", "training, performance, accuracy or audit"),
        ("audit", "TEXT", "doubt that an audit run settles"),
        ("status", "TEXT", "how the run ended"),
        ("started_ms", "INTEGER", "wall time of its start, ms since the Unix epoch"),
        ("duration_ns", "INTEGER", "timed window in nanoseconds"),
        ("value", "REAL", "the run's own value in the result's unit, null if it has none"),
        ("dropped", "INTEGER", "1 if the score leaves it out"),
        ("quality", "REAL", "quality that it reached or answered with"),
        ("samples", "INTEGER", "samples trained on or answered"),
        ("mfu", "REAL", "model FLOPs utilisation of the measured peak, null if not known"),
        ("log", "TEXT", "its log's page, from the root of the site"),
    ),
)
FINDINGS = Table(
    "findings",
    "A row a finding of the check against a result; one against a whole bundle stands at each.",
    (
        ("result", "TEXT", "id of the result"),
        ("rule", "TEXT", "number of the rule"),
        ("severity", "TEXT", "error or warning"),
        ("message", "TEXT", "what is wrong"),
        ("file", "TEXT", "file in the bundle"),
        ("line", "INTEGER", "line in that file"),
    ),
)
TABLES = (RESULTS, RUNS, FINDINGS)


def write_data(site: Path, content: Content) -> None:
    """Write the results as JSON, CSV and SQLite, and their page: same input, same bytes."""
    folder = site / "data"
    listings = sorted(content.listings, key=lambda listing: listing.id)
    rows: dict[str, list[Row]] = {
        RESULTS.name: [_result(listing) for listing in listings],
        RUNS.name: [row for listing in listings for row in _runs(listing)],
        FINDINGS.name: [row for listing in listings for row in _findings(listing)],
    }
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    (folder / "results.csv").write_text(_csv(RESULTS, rows[RESULTS.name]), "utf-8", newline="")
    _sqlite(folder / "results.sqlite", rows)
    _write_page(site)


def _write_page(site: Path) -> None:
    about = {
        "results.json": "All three tables as lists of objects.",
        "results.csv": "The table results. Text that a spreadsheet would take for a formula "
        "has an apostrophe before it.",
        "results.sqlite": "All three tables, with their keys.",
    }
    files = [
        {
            "name": name,
            "about": text,
            "size": for_people((site / "data" / name).stat().st_size, "B"),
        }
        for name, text in about.items()
    ]
    write_page(site, "data/index.html", "data.html", here="data", files=files, tables=TABLES)


def _result(listing: Listing) -> Row:
    result, bundle = listing.entry.result, listing.published.bundle
    found, speed = score_interval(listing), time_without_luck(listing)
    return {
        "id": listing.id,
        "bundle": bundle.id,
        "manifest_sha256": bundle.submission.manifest_sha256,
        "round": listing.round.name,
        "rankable": int(listing.rankable),
        "workload": result.workload,
        "scenario": result.scenario.value,
        "division": result.division.value,
        "submitter": bundle.submission.submitter,
        "organisation": listing.organisation,
        "system": listing.system_name,
        "sut": listing.sut,
        "precision": listing.precision,
        "metric": result.metric.value,
        "value": result.value,
        "low": found.low if found else None,
        "high": found.high if found and math.isfinite(found.high) else None,
        "without_luck": speed.seconds if speed else None,
        "unit": listing.unit,
        **_use(listing),
        "rank": listing.rank,
        "errors": len(listing.errors),
        "warnings": len(listing.warnings),
        "trust": listing.trust,
        "page": listing.address,
    }


def _use(listing: Listing) -> Row:
    found, work = efficiency_of(listing), unit_of(listing)
    energy = found.energy[-1] if found and found.energy else None
    cost = found.cost if found else None
    return {
        "work": work,
        "energy_j": of_unit(energy.per, work) if energy else None,
        "energy_boundary": energy.boundary.value if energy else None,
        "cost": of_unit(cost.per, work) if cost else None,
        "currency": cost.currency if cost else None,
    }


def _runs(listing: Listing) -> Iterator[Row]:
    mfu = mfu_by_run(listing)
    for number, (evidence, score) in enumerate(run_scores(listing), 1):
        run = evidence.run
        yield {
            "result": listing.id,
            "number": number,
            "run": run.id,
            "mode": run.mode.value,
            "audit": run.audit.value if run.audit else None,
            "status": run.status.value,
            "started_ms": run.started_ms,
            "duration_ns": run.duration_ns,
            "value": score.value,
            "dropped": int(score.dropped),
            "quality": run.quality,
            "samples": run.samples,
            "mfu": mfu.get(listing.number(evidence)),
            "log": listing.run_address(evidence),
        }


def _findings(listing: Listing) -> Iterator[Row]:
    for finding in listing.findings:
        yield {
            "result": listing.id,
            "rule": finding.rule,
            "severity": finding.severity,
            "message": finding.message,
            "file": finding.file,
            "line": finding.line,
        }


def _csv(table: Table, rows: Sequence[Row]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    names = [name for name, _, _ in table.columns]
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _sqlite(path: Path, rows: dict[str, list[Row]]) -> None:
    from sqlite_utils import Database

    database = Database(path)
    try:
        for table in TABLES:
            created = database.table(table.name).create(
                {name: _PYTHON_TYPES[kind] for name, kind, _ in table.columns},
                pk="id" if table is RESULTS else None,
                foreign_keys=[] if table is RESULTS else [("result", RESULTS.name, "id")],
            )
            created.insert_all(rows[table.name])
    finally:
        database.close()


_PYTHON_TYPES: dict[str, Any] = {"TEXT": str, "INTEGER": int, "REAL": float}
