"""A reviewer's countersignature: another organisation has looked at what the submitter said."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from harness.records import Identifier, Record, Sha256

if TYPE_CHECKING:
    from rules.rule import Report

COUNTERSIGNATURE = "urn:levelfield:predicate/countersignature/v1"

_Count = Annotated[int, Field(ge=0, le=2**31)]


class FindingsSummary(Record):
    """What the reviewer's own check found."""

    passed: _Count
    """Rules."""
    errors: Annotated[int, Field(ge=0, le=0)] = 0
    """None: with an error there is nothing to countersign."""
    warnings: _Count


class Countersignature(Record):
    """The predicate. It stands in an envelope of its own: a second signature in the submitter's
    would claim the submitter's claims."""

    round: Identifier
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """The bundle's, so that it cannot stand beside another one."""
    submitter: Identifier
    statement: Sha256
    """Of the file in the bundle that holds the submitter's statement."""
    verdict: Literal["reviewed"] = "reviewed"
    findings: FindingsSummary


def summary_of(report: "Report") -> FindingsSummary:
    """The counts of a check without errors."""
    return FindingsSummary(passed=len(report.passed), warnings=len(report.findings) - report.errors)
