"""The page of one result: what its template shows, in the template's words."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.records import Audit, Mode, RunStatus
from portal.audit_table import audit_table
from portal.boards import describe_method
from portal.borrowed import number
from portal.efficiency_table import efficiency_table
from portal.figures import figures
from portal.imported_verdict import verdict_rows
from portal.listing import Listing
from portal.machine_view import machine_view
from portal.margins import describe_margin
from portal.measured import efficiency_of
from portal.quantities import for_people
from portal.rendering import write_page
from portal.scores import RunScore, run_scores, scaling
from portal.system_table import system_rows
from portal.telemetry_table import telemetry_table
from rules.rule import Finding
from rules.submission import RunEvidence
from submissions.borrowing import Setting, settings_of

QUERIES = "queries.npy"


def write_result(site: Path, listing: Listing) -> None:
    """Write the page of ``listing``, but for what other results decide (`portal.slots`)."""
    imported, took = listing.published.imported, efficiency_of(listing)
    write_page(
        site,
        listing.address,
        "result.html",
        listing=listing,
        crumbs=(
            (f"{listing.workload_title}: {listing.scenario_title.lower()}", listing.board_address),
            (listing.system_name, ""),
        ),
        verification=listing.published.verification,
        method=describe_method(listing),
        scaled=describe_scaling(listing),
        margin=describe_margin(listing),
        runs=[_run(listing, run, score) for run, score in run_scores(listing)],
        audits=audit_table(listing) if listing.sut else None,
        figures=figures(listing),
        findings=[(finding, _where(listing, finding)) for finding in listing.findings],
        passed=len(listing.published.report.passed),
        official=verdict_rows(listing.imported.verdict) if listing.imported else (),
        system=imported.described if imported else system_rows(listing.published.system),
        declared=listing.published.system.declared is not None,
        hyperparameters=_hyperparameters(listing),
        machine=machine_view(listing),
        efficiency=efficiency_table(listing, took) if took else None,
        telemetry=telemetry_table(listing),
        manifest_sha256=listing.published.bundle.submission.manifest_sha256,
    )


def _run(listing: Listing, evidence: RunEvidence, score: RunScore) -> dict[str, Any]:
    run = evidence.run
    value = (
        None if score.value is None else str(for_people(score.value, listing.shown_unit, digits=4))
    )
    return {
        "number": listing.number(evidence),
        "address": listing.run_address(evidence),
        "mode": run.mode.value + (f": {_audit(run.audit)}" if run.audit else ""),
        "value": value,
        "part": _part(evidence, score),
        "quality": "–" if run.quality is None else f"{run.quality:.4f}",
        "samples": "–" if run.samples is None else f"{run.samples:,}",
        "proof": list(_proof(listing, evidence)),
    }


def describe_scaling(listing: Listing) -> str:
    """How the mean of the runs became the score, empty where the mean is the score."""
    found = scaling(listing)
    if not found:
        return ""
    reference = found.pace.match.reference
    mean = for_people(found.unscaled, listing.shown_unit, digits=4)
    return (
        f"time × {found.pace.factor:.4f}: the mean of {mean} is multiplied, because the runs "
        f"converged after {found.pace.result_mean:,.0f} samples where the reference at batch size "
        f"{reference.batch_size} takes {reference.mean:,.0f}. Converging by luck does not pay."
    )


def _part(evidence: RunEvidence, score: RunScore) -> str:
    if evidence.run.mode is Mode.ACCURACY:
        return "proves the quality"
    if evidence.run.mode is Mode.AUDIT:
        return "settles a doubt"
    if score.outside:
        return "not in the scored stretch" if score.value is not None else "did not converge"
    if score.dropped:
        return "dropped" if score.value is not None else "dropped: did not converge"
    if score.value is None:
        return "no: did not converge" if evidence.run.status is RunStatus.ABORTED else "no value"
    return "scored"


def _audit(audit: Audit) -> str:
    return audit.value.replace("_", " ")


def _proof(listing: Listing, evidence: RunEvidence) -> Iterator[tuple[str, str]]:
    """The lines, and the query log, that a run's value and quality rest on."""
    log = evidence.log
    events = (log.first("run_start"), log.last("eval_accuracy"), log.last("run_stop"))
    for event in events:
        if event is not None:
            yield event.key, listing.run_address(evidence, event.line)
    if evidence.queries is not None:
        yield QUERIES, f"{listing.run_address(evidence).rpartition('/')[0]}/{QUERIES}"


def _where(listing: Listing, finding: Finding) -> str:
    """Address of the log line that a finding speaks of, empty if it speaks of no log."""
    for evidence in listing.entry.runs:
        if finding.file == evidence.file("events.log"):
            return listing.run_address(evidence, finding.line)
        if finding.file and finding.file.startswith(f"{evidence.path}/"):
            return listing.run_address(evidence)
    return ""


def _hyperparameters(listing: Listing) -> list[dict[str, Any]]:
    """Values that the training runs used against the card's; several if runs differ."""
    if listing.imported:
        return _official_hyperparameters(listing, listing.imported.asked)
    return [
        {
            "name": one.name,
            "used": ", ".join(map(number, one.used)),
            "default": number(one.card.default if one.card else None),
            "bounds": _bounds(one),
            "changed": one.changed,
        }
        for one in settings_of(listing.entry, listing.card)
    ]


def _official_hyperparameters(listing: Listing, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "used": ", ".join(map(number, one.used)),
            "default": "–",
            "bounds": asked.get(one.name, "anything"),
            "changed": False,
        }
        for one in settings_of(listing.entry, listing.card)
    ]


def _bounds(setting: Setting) -> str:
    if setting.card is None:
        return "not on the card"
    return f"{setting.card.minimum} to {setting.card.maximum}" if setting.tunable else "fixed"
