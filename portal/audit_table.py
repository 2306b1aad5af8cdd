"""The audits of a result as a table: each doubt, what the check says of it, the runs."""

from dataclasses import dataclass

from harness.records import Audit, Mode
from portal.listing import Listing
from rules.rule import Finding

DOUBTS = {
    Audit.SAMPLED_ANSWERS: "Are the answers of the performance run the real ones?",
    Audit.REPEATED_SAMPLE: "Are results kept and given again?",
    Audit.OTHER_SEEDS: "Is the system tuned to the seeds?",
    Audit.TOKENS: "Are the generated tokens what is reported of them?",
}
_RULES = "AUDIT-"


@dataclass(frozen=True)
class AuditRow:
    """One doubt that runs were made for."""

    doubt: str
    name: str
    runs: tuple[tuple[int, str], ...]
    """Number and address of each run."""
    findings: tuple[Finding, ...]
    """What the check's audit rules have against these runs."""


@dataclass(frozen=True)
class AuditTable:
    """The audits of one result."""

    rows: tuple[AuditRow, ...]
    others: tuple[Finding, ...]
    """Findings of audit rules that speak of no audit run, such as one that is missing."""
    judged: bool
    """Whether the check had any audit rule that applied."""


def audit_table(listing: Listing) -> AuditTable:
    """The audits of ``listing``, in the order of their first runs."""
    found = [finding for finding in listing.findings if finding.rule.startswith(_RULES)]
    runs = listing.entry.of_mode(Mode.AUDIT)
    made = dict.fromkeys(e.run.audit for e in runs if e.run.audit is not None)
    rows = tuple(_row(listing, audit, found) for audit in made)
    placed = {id(finding) for row in rows for finding in row.findings}
    return AuditTable(
        rows=rows,
        others=tuple(finding for finding in found if id(finding) not in placed),
        judged=bool(found) or any(r.startswith(_RULES) for r in listing.published.report.passed),
    )


def _row(listing: Listing, audit: Audit, found: list[Finding]) -> AuditRow:
    runs = [e for e in listing.entry.of_mode(Mode.AUDIT) if e.run.audit is audit]
    folders = tuple(f"{evidence.path}/" for evidence in runs)
    return AuditRow(
        doubt=DOUBTS[audit],
        name=audit.value.replace("_", " "),
        runs=tuple((listing.number(each), listing.run_address(each)) for each in runs),
        findings=tuple(each for each in found if (each.file or "").startswith(folders)),
    )
