"""The rows of the downloads: what the site says of each result, in SI base units."""

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

from harness.records import HIGHER_IS_BETTER
from portal.content import Content
from portal.data_schema import FINDINGS, RESULTS, RUNS
from portal.listing import Listing
from portal.machine_view import mfu_by_run
from portal.measured import efficiency_of, of_unit, unit_of
from portal.scores import run_scores, score_interval, time_without_luck

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""By table."""


def rows_of(content: Content) -> Rows:
    """The rows of every table, by id of the result."""
    listings = sorted(content.listings, key=lambda listing: listing.id)
    return {
        RESULTS.name: [_result(listing) for listing in listings],
        RUNS.name: [row for listing in listings for row in _runs(listing)],
        FINDINGS.name: [row for listing in listings for row in _findings(listing)],
    }


def snapshot_of(rows: Rows) -> str:
    """A short name for exactly this content, the beginning of a SHA-256."""
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def status_of(listing: Listing) -> str:
    """The one of `portal.data_schema.STATUSES` that is said of the result."""
    if listing.errors:
        return "refused"
    if listing.entry.result.value is None:
        return "unscored"
    if not listing.rankable:
        return "practice"
    return "imported" if listing.imported else "passed"


def _result(listing: Listing) -> Row:
    result, bundle = listing.entry.result, listing.published.bundle
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
        **_score(listing),
        **_use(listing),
        "rank": listing.rank,
        "errors": len(listing.errors),
        "warnings": len(listing.warnings),
        "trust": listing.trust,
        "page": listing.address,
        "status": status_of(listing),
        "higher_is_better": int(HIGHER_IS_BETTER[result.metric]),
        **_made_on(listing),
    }


def _score(listing: Listing) -> Row:
    found, speed = score_interval(listing), time_without_luck(listing)
    return {
        "metric": listing.entry.result.metric.value,
        "value": listing.entry.result.value,
        "low": found.low if found else None,
        "high": found.high if found and math.isfinite(found.high) else None,
        "without_luck": speed.seconds if speed else None,
        "unit": listing.unit,
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


def _made_on(listing: Listing) -> Row:
    system = listing.published.system
    models = dict.fromkeys(each.model for each in system.accelerators)
    runs = listing.entry.runs
    return {
        "runs": len(runs),
        "started_ms": max((evidence.run.started_ms for evidence in runs), default=None),
        "accelerator": " and ".join(models) or None,
        "accelerators": len(system.accelerators),
        "availability": system.declared.availability if system.declared else None,
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
            "mfu": mfu.get(number),
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
            "refuses": int(listing.published.refuses(finding)),
        }
