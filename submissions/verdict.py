"""The checker's verdict on a bundle: an in-toto test-result, signed by whoever ran the check."""

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from harness.errors import UsageError
from harness.records import Record
from submissions.statement import Digest, round_digest, rules_digest

if TYPE_CHECKING:
    from rules.rule import Report

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"

_URL = r"^https://[!-~]{1,500}$"

RuleNumbers = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,15}-[0-9]{1,3}$")], ...],
    Field(max_length=1000),
]


class Descriptor(Record):
    """What the check was run with: a name and a digest (in-toto's ResourceDescriptor)."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9/._-]{1,200}$")]
    digest: Digest


class Verdict(Record):
    """The predicate, with the field names of in-toto's ``test-result/v0.1``."""

    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: Annotated[tuple[Descriptor, ...], Field(max_length=16)]
    """The rules' code and the round's file."""
    url: Annotated[str, Field(pattern=_URL)] | None = None
    """Where the check's own log can be read."""
    passedTests: RuleNumbers = ()
    warnedTests: RuleNumbers = ()
    failedTests: RuleNumbers = ()

    @property
    def passed(self) -> bool:
        """Whether nothing failed, in the result and in the list alike."""
        return self.result != "FAILED" and not self.failedTests

    @property
    def summary(self) -> str:
        """The counts in one line."""
        return (
            f"{self.result}: {len(self.passedTests)} rules passed, "
            f"{len(self.warnedTests)} warned, {len(self.failedTests)} failed"
        )

    def judged_by(self, round_name: str) -> bool:
        """Whether the check was made by the rules of this round."""
        return round_descriptor(round_name) in {one.name for one in self.configuration}

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A resource URI is there or left out, never null."""
        fields: dict[str, Any] = plain(self)
        return fields if self.url else {k: v for k, v in fields.items() if k != "url"}


def verdict_of(report: "Report", url: str | None = None) -> Verdict:
    """The verdict that a check comes to: a rule fails by an error, and warns by a warning.

    `UsageError` for a ``url`` that is not an https address.
    """
    if url is not None and not re.fullmatch(_URL, url):
        raise UsageError(f"{url[:80]!a}: not an https address; name where the check can be read")
    failed = {finding.rule for finding in report.findings if finding.severity == "error"}
    warned = {finding.rule for finding in report.findings} - failed
    return Verdict(
        result="FAILED" if failed else "WARNED" if warned else "PASSED",
        configuration=(
            Descriptor(name="levelfield/rules", digest=Digest(sha256=rules_digest())),
            Descriptor(
                name=round_descriptor(report.round),
                digest=Digest(sha256=round_digest(report.round)),
            ),
        ),
        url=url,
        passedTests=report.passed,
        warnedTests=tuple(sorted(warned)),
        failedTests=tuple(sorted(failed)),
    )


def round_descriptor(name: str) -> str:
    """What a verdict calls the file of the round ``name``."""
    return f"levelfield/round/{name}"
